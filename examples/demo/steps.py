"""The failing requests of the demonstration, one of each kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from examples.docstore.schemas import MAX_BODY

ACME = {"Authorization": "Bearer acme-key"}
ACME_JSON = {**ACME, "Content-Type": "application/json"}


class Step(NamedTuple):
    """One request, what it shows, and the status and code it must give.

    repeat: how often it is sent; the last one counts.
    headers: what is shown of the response beyond content type and request ID.
    """

    title: str
    method: str
    path: str
    status: int
    code: str
    fields: Mapping[str, str] = ACME
    body: str | None = None
    repeat: int = 1
    show: tuple[str, ...] = ()


STEPS = (
    Step("No API key", "GET", "/v1/projects", 401, "unauthenticated", fields={}, show=("WWW-Authenticate",)),
    Step("JSON that ends too early", "POST", "/v1/projects", 422, "malformed_json", ACME_JSON, '{"slug": '),
    Step(
        "Two fields at fault; what was submitted is neither echoed nor logged",
        "POST",
        "/v1/projects",
        422,
        "validation_failed",
        ACME_JSON,
        '{"slug": "My Secret Plans"}',
    ),
    Step("A query parameter out of range", "GET", "/v1/projects?limit=1000000", 422, "validation_failed"),
    Step(
        "A key that may only read",
        "DELETE",
        "/v1/documents/1",
        403,
        "read_only_key",
        {"Authorization": "Bearer acme-read-key"},
    ),
    Step(
        "A plan that is used up",
        "POST",
        "/v1/projects",
        402,
        "plan_limit_reached",
        {"Authorization": "Bearer hooli-key", "Content-Type": "application/json"},
        '{"slug": "second", "name": "Second"}',
    ),
    Step("A document that never was", "GET", "/v1/documents/99", 404, "document_not_found"),
    Step(
        "Another tenant's document: the same answer, another log event",
        "GET",
        "/v1/documents/7",
        404,
        "document_not_found",
    ),
    Step("A method that the path does not have", "DELETE", "/v1/projects", 405, "method_not_allowed", show=("Allow",)),
    Step(
        "A slug that is taken: SQLAlchemy's IntegrityError, mapped",
        "POST",
        "/v1/projects",
        409,
        "duplicate_project",
        ACME_JSON,
        '{"slug": "handbook", "name": "Handbook again"}',
    ),
    Step(
        "A version that is out of date",
        "PATCH",
        "/v1/documents/1",
        412,
        "version_mismatch",
        {**ACME_JSON, "If-Match": '"7"'},
        '{"title": "Good morning"}',
    ),
    Step(
        "A body that is too large for Starlette's own middleware",
        "POST",
        "/v1/projects",
        413,
        "content_too_large",
        ACME_JSON,
        " " * (MAX_BODY + 1),
    ),
    Step(
        "The fourth request within a minute, where three are allowed",
        "GET",
        "/v1/projects",
        429,
        "rate_limited",
        {"Authorization": "Bearer initech-key"},
        repeat=4,
        show=("Retry-After", "RateLimit", "RateLimit-Policy", "X-RateLimit-Remaining", "X-RateLimit-Reset"),
    ),
    Step("A crash: a division by zero", "GET", "/v1/projects/empty/statistics", 500, "internal"),
    Step(
        "An upstream service that answers nonsense",
        "GET",
        "/v1/documents/1/translation?to=la",
        502,
        "translation_garbled",
    ),
    Step(
        "An upstream service that is busy",
        "GET",
        "/v1/documents/1/translation?to=eo",
        503,
        "translator_busy",
        show=("Retry-After",),
    ),
    Step(
        "Server-sent events that die half way: the last one tells",
        "GET",
        "/v1/documents/6/narration",
        200,
        "internal",
    ),
    Step(
        "A plain stream that dies half way: visibly cut off",
        "GET",
        "/v1/projects/handbook/export",
        200,
        "internal",
    ),
)

SAME = Step(
    "", "POST", "/v1/projects/handbook/documents", 422, "validation_failed", ACME_JSON, '{"title": "", "draft": true}'
)
"""The failure that is shown in every dialect; its status is the dialect's own choice."""
