"""What requests may hold."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from examples.docstore.translator import Language

MAX_BODY = 64 * 1024
"""Bytes of the largest request body."""

LARGEST_ID = 2**63 - 1
"""What a database's integer can be."""

DocumentId = Annotated[int, Field(gt=0, le=LARGEST_ID)]
Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=40)]


class Strict(BaseModel):
    """A request's part that may hold nothing unknown."""

    model_config = ConfigDict(extra="forbid")


class NewProject(Strict):
    """Body of a new project."""

    slug: Slug
    name: str = Field(min_length=1, max_length=100)


class NewDocument(Strict):
    """Body of a new document."""

    title: str = Field(min_length=1, max_length=100)
    text: str


class DocumentChanges(Strict):
    """Body of a change; what is absent stays as it is."""

    title: str | None = Field(default=None, min_length=1, max_length=100)
    text: str | None = None


class Page(Strict):
    """Query of a listing."""

    limit: int = Field(default=20, ge=1, le=100)
    cursor: str | None = None


class TranslationTarget(Strict):
    """Query of a translation."""

    to: Language


class DocumentPath(Strict):
    """Path of a document."""

    document_id: DocumentId


class IdempotencyHeader(BaseModel):
    """Header by which a client may repeat a creation."""

    idempotency_key: UUID | None = Field(default=None, alias="idempotency-key")
