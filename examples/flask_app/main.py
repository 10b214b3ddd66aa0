"""The example service on Flask: `gunicorn 'examples.flask_app.main:create_app()'`."""

from __future__ import annotations

from typing import TypeVar

from flask import Blueprint, Flask, Response, current_app, g, request
from pydantic import BaseModel

import errorkit.flask
from errorkit.config import Config
from errorkit.errors import ContentTooLargeError, UnsupportedMediaTypeError
from errorkit.flask import raises, validate
from errorkit.retry import rate_limit_headers
from examples.docstore import errors
from examples.docstore.schemas import (
    MAX_BODY,
    DocumentChanges,
    DocumentPath,
    IdempotencyHeader,
    NewDocument,
    NewProject,
    Page,
    TranslationTarget,
)
from examples.docstore.service import JSON, Caller, Docstore, etag
from examples.docstore.setup import load_config, log_json_lines, open_docstore

v1 = Blueprint("v1", __name__, url_prefix="/v1")
Model = TypeVar("Model", bound=BaseModel)
BODY = (ContentTooLargeError, UnsupportedMediaTypeError)
"""What Flask raises where a body is read."""


def create_app(config: Config | None = None) -> Flask:
    """The application. config: how errors are shown; default: environment and `errorkit.toml`."""
    log_json_lines()
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    app.extensions["docstore"] = open_docstore()
    app.register_blueprint(v1)
    app.after_request(add_quota)
    errorkit.flask.ErrorKit(app, config=config or load_config())
    return app


def add_quota(response: Response) -> Response:
    """Rate-limit headers on every response to a known caller, errors included."""
    caller: Caller | None = g.get("caller")
    if caller is not None:
        response.headers.update(rate_limit_headers(caller.quota))
    return response


def docstore() -> Docstore:
    """The application's domain."""
    store: Docstore = current_app.extensions["docstore"]
    return store


def caller() -> Caller:
    """Who asks; remembered for `add_quota`."""
    g.caller = docstore().authenticate(request.headers.get("Authorization"))
    return g.caller  # type: ignore[no-any-return]


def body(model: type[Model]) -> Model:
    """The request's JSON as a model."""
    return validate(model, request.get_json())


def document_id(text: str) -> int:
    """The path's document."""
    return validate(DocumentPath, {"document_id": text}, location="path").document_id


def query(model: type[Model]) -> Model:
    """The request's query as a model."""
    return validate(model, request.args.to_dict(), location="query")


@v1.get("/projects")
@raises(*errors.CALLING, errors.InvalidCursorError)
def projects() -> JSON:
    """One page of projects."""
    return docstore().projects(caller(), query(Page))


@v1.post("/projects")
@raises(*errors.CALLING, errors.PlanLimitError, errors.ReadOnlyKeyError, errors.DuplicateProjectError, *BODY)
def create_project() -> tuple[JSON, int]:
    """A new project."""
    by, new = caller(), body(NewProject)
    validate(IdempotencyHeader, {k.lower(): v for k, v in request.headers.items()}, location="header")
    return docstore().create_project(by, new), 201


@v1.get("/projects/<slug>")
@raises(*errors.CALLING, errors.ProjectNotFoundError)
def project(slug: str) -> JSON:
    """One project."""
    return docstore().project(caller(), slug)


@v1.get("/projects/<slug>/statistics")
@raises(*errors.CALLING, errors.ProjectNotFoundError)
def statistics(slug: str) -> JSON:
    """Figures about a project."""
    return docstore().statistics(caller(), slug)


@v1.get("/projects/<slug>/export")
@raises(*errors.CALLING, errors.ProjectNotFoundError)
def export(slug: str) -> Response:
    """A project's documents as CSV."""
    return Response(docstore().export(caller(), slug), mimetype="text/csv")


@v1.post("/projects/<slug>/documents")
@raises(*errors.CALLING, errors.ProjectNotFoundError, errors.ReadOnlyKeyError, *BODY)
def create_document(slug: str) -> tuple[JSON, int]:
    """A new document."""
    return docstore().create_document(caller(), slug, body(NewDocument)), 201


@v1.get("/documents/<ref>")
@raises(*errors.CALLING, *errors.READING)
def document(ref: str) -> tuple[JSON, dict[str, str]]:
    """One document."""
    found = docstore().document(caller(), document_id(ref))
    return found, {"ETag": etag(found["version"])}


@v1.put("/documents/<ref>")
@raises(*errors.CALLING, *errors.WRITING, errors.VersionMismatchError, *BODY)
def replace_document(ref: str) -> JSON:
    """Replace a document."""
    by, number, new = caller(), document_id(ref), body(NewDocument)
    return docstore().change_document(by, number, new, request.headers.get("If-Match"))


@v1.patch("/documents/<ref>")
@raises(*errors.CALLING, *errors.WRITING, errors.VersionMismatchError, *BODY)
def change_document(ref: str) -> JSON:
    """Change a document."""
    by, number, changes = caller(), document_id(ref), body(DocumentChanges)
    return docstore().change_document(by, number, changes, request.headers.get("If-Match"))


@v1.delete("/documents/<ref>")
@raises(*errors.CALLING, *errors.WRITING)
def delete_document(ref: str) -> tuple[str, int]:
    """Delete a document."""
    docstore().delete_document(caller(), document_id(ref))
    return "", 204


@v1.put("/documents/<ref>/text")
@raises(*errors.CALLING, *errors.WRITING, errors.VersionMismatchError, *BODY)
def replace_text(ref: str) -> JSON:
    """Replace a document's text alone."""
    by, number = caller(), document_id(ref)
    return docstore().replace_text(by, number, request.headers.get("Content-Type", ""), request.get_data())


@v1.post("/documents/<ref>/publication")
@raises(*errors.CALLING, *errors.WRITING, errors.AlreadyPublishedError)
def publish(ref: str) -> JSON:
    """Publish a document."""
    return docstore().publish(caller(), document_id(ref))


@v1.get("/documents/<ref>/translation")
@raises(
    *errors.CALLING,
    *errors.READING,
    errors.TranslationGarbledError,
    errors.TranslatorBusyError,
    errors.TranslatorTimeoutError,
)
def translate(ref: str) -> JSON:
    """A document in another language."""
    by, number, target = caller(), document_id(ref), query(TranslationTarget)
    return docstore().translate(by, number, target.to)


@v1.get("/documents/<ref>/narration")
@raises(*errors.CALLING, *errors.READING)
def narrate(ref: str) -> Response:
    """A document line by line, as server-sent events."""
    return Response(docstore().narrate(caller(), document_id(ref)), mimetype="text/event-stream")
