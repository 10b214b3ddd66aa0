"""The example service on FastAPI: `uvicorn examples.fastapi_app.main:app`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Header, Query, Request, Response
from fastapi.responses import StreamingResponse
from starlette.middleware.body_limit import RequestBodyLimitMiddleware

import errorkit.fastapi
from errorkit.config import Config
from errorkit.errors import ContentTooLargeError, UnsupportedMediaTypeError
from errorkit.fastapi import raises
from errorkit.retry import rate_limit_headers
from examples.docstore import errors
from examples.docstore.schemas import (
    MAX_BODY,
    DocumentChanges,
    DocumentId,
    IdempotencyHeader,
    NewDocument,
    NewProject,
    Page,
    TranslationTarget,
)
from examples.docstore.service import JSON, TEXT_TYPES, Caller, Docstore, etag
from examples.docstore.setup import load_config, log_json_lines, open_docstore


def create_app(config: Config | None = None) -> FastAPI:
    """The application. config: how errors are shown; default: environment and `errorkit.toml`."""
    log_json_lines()
    app = FastAPI(title="Docstore")
    app.state.docstore = open_docstore()
    app.include_router(v1)
    app.middleware("http")(add_quota)
    app.add_middleware(RequestBodyLimitMiddleware, max_body_size=MAX_BODY)
    errorkit.fastapi.install(app, config=config or load_config())
    return app


async def add_quota(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Rate-limit headers on every response to a known caller, errors included."""
    response = await call_next(request)
    caller: Caller | None = getattr(request.state, "caller", None)
    if caller is not None:
        response.headers.update(rate_limit_headers(caller.quota))
    return response


def docstore(request: Request) -> Docstore:
    """The application's domain."""
    store: Docstore = request.app.state.docstore
    return store


Store = Annotated[Docstore, Depends(docstore)]


@raises(*errors.CALLING)
def caller(request: Request, store: Store, authorization: Annotated[str | None, Header()] = None) -> Caller:
    """Who asks; remembered for `add_quota`."""
    request.state.caller = store.authenticate(authorization)
    return request.state.caller  # type: ignore[no-any-return]


By = Annotated[Caller, Depends(caller)]
v1 = APIRouter(prefix="/v1")
TEXT_BODY = {
    "requestBody": {"required": True, "content": {kind: {"schema": {"type": "string"}} for kind in TEXT_TYPES}}
}


def only(media_type: str) -> dict[int | str, dict[str, Any]]:
    """For `responses=`: a success of this media type, where FastAPI cannot see it."""
    return {200: {"content": {media_type: {}}}}


@v1.get("/projects")
@raises(errors.InvalidCursorError)
def projects(store: Store, by: By, page: Annotated[Page, Query()]) -> JSON:
    """One page of projects."""
    return store.projects(by, page)


@v1.post("/projects", status_code=201)
@raises(errors.PlanLimitError, errors.ReadOnlyKeyError, errors.DuplicateProjectError, ContentTooLargeError)
def create_project(store: Store, by: By, new: NewProject, header: Annotated[IdempotencyHeader, Header()]) -> JSON:
    """A new project."""
    return store.create_project(by, new)


@v1.get("/projects/{slug}")
@raises(errors.ProjectNotFoundError)
def project(store: Store, by: By, slug: str) -> JSON:
    """One project."""
    return store.project(by, slug)


@v1.get("/projects/{slug}/statistics")
@raises(errors.ProjectNotFoundError)
def statistics(store: Store, by: By, slug: str) -> JSON:
    """Figures about a project."""
    return store.statistics(by, slug)


@v1.get("/projects/{slug}/export", response_class=StreamingResponse, responses=only("text/csv"))
@raises(errors.ProjectNotFoundError)
def export(store: Store, by: By, slug: str) -> StreamingResponse:
    """A project's documents as CSV."""
    return StreamingResponse(store.export(by, slug), media_type="text/csv")


@v1.post("/projects/{slug}/documents", status_code=201)
@raises(errors.ProjectNotFoundError, errors.ReadOnlyKeyError, ContentTooLargeError)
def create_document(store: Store, by: By, slug: str, new: NewDocument) -> JSON:
    """A new document."""
    return store.create_document(by, slug, new)


@v1.head("/documents/{document_id}", include_in_schema=False)
@v1.get("/documents/{document_id}")
@raises(*errors.READING)
def document(store: Store, by: By, document_id: DocumentId, response: Response) -> JSON:
    """One document."""
    found = store.document(by, document_id)
    response.headers["ETag"] = etag(found["version"])
    return found


@v1.put("/documents/{document_id}")
@raises(*errors.WRITING, errors.VersionMismatchError, ContentTooLargeError)
def replace_document(
    store: Store,
    by: By,
    document_id: DocumentId,
    new: NewDocument,
    if_match: Annotated[str | None, Header()] = None,
) -> JSON:
    """Replace a document."""
    return store.change_document(by, document_id, new, if_match)


@v1.patch("/documents/{document_id}")
@raises(*errors.WRITING, errors.VersionMismatchError, ContentTooLargeError)
def change_document(
    store: Store,
    by: By,
    document_id: DocumentId,
    changes: DocumentChanges,
    if_match: Annotated[str | None, Header()] = None,
) -> JSON:
    """Change a document."""
    return store.change_document(by, document_id, changes, if_match)


@v1.delete("/documents/{document_id}", status_code=204)
@raises(*errors.WRITING)
def delete_document(store: Store, by: By, document_id: DocumentId) -> None:
    """Delete a document."""
    store.delete_document(by, document_id)


async def raw_body(request: Request) -> bytes:
    """The body as it is."""
    return await request.body()


@v1.put("/documents/{document_id}/text", openapi_extra=TEXT_BODY)
@raises(*errors.WRITING, errors.VersionMismatchError, UnsupportedMediaTypeError, ContentTooLargeError)
def replace_text(
    store: Store,
    by: By,
    document_id: DocumentId,
    text: Annotated[bytes, Depends(raw_body)],
    content_type: Annotated[str, Header(include_in_schema=False)] = "",
) -> JSON:
    """Replace a document's text alone."""
    return store.replace_text(by, document_id, content_type, text)


@v1.post("/documents/{document_id}/publication")
@raises(*errors.WRITING, errors.AlreadyPublishedError)
def publish(store: Store, by: By, document_id: DocumentId) -> JSON:
    """Publish a document."""
    return store.publish(by, document_id)


@v1.get("/documents/{document_id}/translation")
@raises(*errors.READING, errors.TranslationGarbledError, errors.TranslatorBusyError, errors.TranslatorTimeoutError)
def translate(store: Store, by: By, document_id: DocumentId, target: Annotated[TranslationTarget, Query()]) -> JSON:
    """A document in another language."""
    return store.translate(by, document_id, target.to)


@v1.get(
    "/documents/{document_id}/narration",
    response_class=StreamingResponse,
    responses=only("text/event-stream"),
)
@raises(*errors.READING)
def narrate(store: Store, by: By, document_id: DocumentId) -> StreamingResponse:
    """A document line by line, as server-sent events."""
    return StreamingResponse(store.narrate(by, document_id), media_type="text/event-stream")


app = create_app()
