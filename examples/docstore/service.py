"""What the service does. Both web applications are only routes to these methods."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from errorkit import RateLimit, visible
from errorkit.errors import UnsupportedMediaTypeError
from examples.docstore import errors, translator
from examples.docstore.limiter import Limiter
from examples.docstore.schemas import DocumentChanges, NewDocument, NewProject, Page
from examples.docstore.store import APIKey, Document, Project, Tenant

JSON = dict[str, Any]
TEXT_TYPES = ("text/plain", "text/markdown")


@dataclass(frozen=True)
class Caller:
    """Who asks."""

    tenant: str
    max_projects: int
    read_only: bool
    quota: RateLimit

    def must_write(self) -> None:
        """Raises ReadOnlyKeyError."""
        if self.read_only:
            raise errors.ReadOnlyKeyError


class Docstore:
    """Projects and documents, each seen by its own tenant alone."""

    def __init__(self, engine: Engine, limiter: Limiter) -> None:
        self._session: Callable[[], Session] = partial(Session, engine)
        self._limiter = limiter

    def authenticate(self, authorization: str | None) -> Caller:
        """The caller by the Authorization header, one request poorer."""
        scheme, _, key = (authorization or "").partition(" ")
        with self._session() as session:
            found = session.get(APIKey, key) if scheme.lower() == "bearer" else None
            if found is None:
                raise errors.InvalidAPIKeyError
            tenant: Tenant = found.tenant
            quota = self._limiter.hit(tenant.name, tenant.rate)
            return Caller(tenant.name, tenant.max_projects, found.read_only, quota)

    # -- projects

    def projects(self, caller: Caller, page: Page) -> JSON:
        """One page of the caller's projects."""
        after = _decode_cursor(page.cursor)
        with self._session() as session:
            query = select(Project).where(Project.tenant == caller.tenant, Project.id > after).order_by(Project.id)
            rows = session.scalars(query.limit(page.limit + 1)).all()
            more = len(rows) > page.limit
            rows = rows[: page.limit]
            return {"items": [_project(row) for row in rows], "next": f"p{rows[-1].id}" if more else None}

    def create_project(self, caller: Caller, new: NewProject) -> JSON:
        """A new project. A slug that is taken is an IntegrityError, which the configuration maps."""
        caller.must_write()
        with self._session() as session:
            count = session.scalar(select(func.count()).where(Project.tenant == caller.tenant)) or 0
            if count >= caller.max_projects:
                raise errors.PlanLimitError(
                    f"Your plan allows {caller.max_projects} project(s).", max_projects=caller.max_projects
                )
            row = Project(tenant=caller.tenant, slug=new.slug, name=new.name)
            session.add(row)
            session.commit()
            return _project(row)

    def project(self, caller: Caller, slug: str) -> JSON:
        """One project."""
        with self._session() as session:
            return _project(self._visible_project(session, caller, slug))

    def statistics(self, caller: Caller, slug: str) -> JSON:
        """Figures about a project. One without documents was forgotten: a crash, left in on purpose."""
        with self._session() as session:
            documents = self._visible_project(session, caller, slug).documents
            return {"documents": len(documents), "mean_bytes": sum(len(d.text) for d in documents) // len(documents)}

    def export(self, caller: Caller, slug: str) -> Iterator[str]:
        """The length of each of a project's documents as CSV, row by row."""
        with self._session() as session:
            documents = self._visible_project(session, caller, slug).documents
        return (f"{d.id},{d.title},{len(d.text.decode())}\n" for d in documents)

    # -- documents

    def create_document(self, caller: Caller, slug: str, new: NewDocument) -> JSON:
        """A new document in a project."""
        caller.must_write()
        with self._session() as session:
            project = self._visible_project(session, caller, slug)
            row = Document(project=project, title=new.title, text=new.text.encode())
            session.add(row)
            session.commit()
            return _document(row)

    def document(self, caller: Caller, document_id: int) -> JSON:
        """One document."""
        with self._session() as session:
            return _document(self._readable_document(session, caller, document_id))

    def change_document(
        self, caller: Caller, document_id: int, changes: DocumentChanges | NewDocument, if_match: str | None = None
    ) -> JSON:
        """Replace or change a document. if_match: the ETag that it must still have."""
        caller.must_write()
        with self._session() as session:
            row = self._writable_document(session, caller, document_id)
            if if_match not in (None, "*", etag(row.version)):
                raise errors.VersionMismatchError(current_version=row.version)
            row.title = changes.title or row.title
            row.text = row.text if changes.text is None else changes.text.encode()
            row.version += 1
            session.commit()
            return _document(row)

    def replace_text(self, caller: Caller, document_id: int, media_type: str, text: bytes) -> JSON:
        """A document's text alone, as it is."""
        if media_type.partition(";")[0].strip().lower() not in TEXT_TYPES:
            accepted = ", ".join(TEXT_TYPES)
            raise UnsupportedMediaTypeError(f"Send the text as one of: {accepted}.", headers={"Accept": accepted})
        return self.change_document(caller, document_id, DocumentChanges(text=text.decode("utf-8", "replace")))

    def delete_document(self, caller: Caller, document_id: int) -> None:
        """Delete a document; it is gone from then on."""
        caller.must_write()
        with self._session() as session:
            row = self._writable_document(session, caller, document_id)
            row.state, row.text = "deleted", b""
            session.commit()

    def publish(self, caller: Caller, document_id: int) -> JSON:
        """Publish a document, once."""
        caller.must_write()
        with self._session() as session:
            row = self._writable_document(session, caller, document_id)
            if row.state == "published":
                raise errors.AlreadyPublishedError(f"Version {row.version} is already published.", param="document_id")
            row.state = "published"
            session.commit()
            return _document(row)

    def translate(self, caller: Caller, document_id: int, to: translator.Language) -> JSON:
        """A document in another language. What fails upstream is told in our own words."""
        with self._session() as session:
            text = self._readable_document(session, caller, document_id).text.decode()
        try:
            return {"language": to, "text": translator.translate(text, to)}
        except ValueError as error:
            raise errors.TranslationGarbledError(context={"upstream": "translator-3"}) from error
        except translator.TranslatorOverloaded as error:
            raise errors.TranslatorBusyError(retry_after=error.seconds) from error

    def narrate(self, caller: Caller, document_id: int) -> Iterator[str]:
        """A document line by line, as server-sent events."""
        with self._session() as session:
            text = self._readable_document(session, caller, document_id).text
        return (f"data: {json.dumps({'line': line.decode()})}\n\n" for line in text.splitlines())

    # -- who may see what

    def _visible_project(self, session: Session, caller: Caller, slug: str) -> Project:
        """The caller's project; an absent one and another tenant's alike are not found."""
        own_first = select(Project).where(Project.slug == slug).order_by(Project.tenant != caller.tenant)
        row = session.scalars(own_first.limit(1)).first()
        return visible(row, tenant="tenant", caller=caller.tenant, error=errors.ProjectNotFoundError)

    def _visible_document(self, session: Session, caller: Caller, document_id: int) -> Document:
        """The caller's document.

        Two raise sites with two messages, on purpose: the class is concealable, so both
        messages go to the log and neither to the client.
        """
        row = session.get(Document, document_id)
        if row is None:
            raise errors.DocumentNotFoundError(f"Document {document_id} was never written.")
        owner = row.project.tenant
        foreign = errors.DocumentNotFoundError(f"Document {document_id} belongs to {owner}.")
        return visible(row, tenant="project.tenant", caller=caller.tenant, error=foreign)

    def _readable_document(self, session: Session, caller: Caller, document_id: int) -> Document:
        row = self._visible_document(session, caller, document_id)
        if row.state == "deleted":
            raise errors.DocumentDeletedError
        if row.state == "withheld":
            raise errors.DocumentWithheldError(
                headers={"Link": '<https://courts.example/orders/451>; rel="blocked-by"'},
                blocked_by="https://courts.example",
            )
        return row

    def _writable_document(self, session: Session, caller: Caller, document_id: int) -> Document:
        row = self._readable_document(session, caller, document_id)
        if row.state == "locked":
            raise errors.DocumentLockedError(context={"editor": "paula"})
        return row


def etag(version: int) -> str:
    """A version as an entity tag."""
    return f'"{version}"'


def _decode_cursor(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not re.fullmatch(r"p[0-9]{1,18}", cursor):
        raise errors.InvalidCursorError(param="cursor")
    return int(cursor[1:])


def _project(row: Project) -> JSON:
    return {"slug": row.slug, "name": row.name}


def _document(row: Document) -> JSON:
    text = row.text.decode("utf-8", "replace")
    return {"id": row.id, "title": row.title, "text": text, "state": row.state, "version": row.version}
