"""`errorkit.testing.Traffic` beyond the plain case: hidden operations, HEAD, answers without a described body."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from flask import Flask
from starlette.testclient import TestClient

from errorkit import Catalog, ConflictError
from errorkit.dialects import get_dialect
from errorkit.fastapi import install
from errorkit.flask import ErrorKit
from errorkit.publish import Options
from errorkit.publish.openapi import document
from errorkit.testing import Traffic


def test_an_error_of_an_operation_that_the_document_does_not_have_is_a_fault() -> None:
    """A route that is hidden from the schema is still traffic; unknown paths are not."""
    app = FastAPI()
    install(app)

    @app.get("/hidden", include_in_schema=False)
    def hidden() -> None:
        raise ConflictError

    traffic = Traffic(app.openapi)
    client = TestClient(traffic.asgi(app))
    client.get("/hidden")
    client.get("/nowhere")
    assert traffic.faults() == ["GET /hidden: 409 of an operation that the document does not have"]


def test_head_is_held_against_get() -> None:
    """Status and header fields are; there is no body to hold."""
    catalog = Catalog()
    app = Flask("things")
    ErrorKit(app, catalog=catalog)

    @app.get("/things/<name>")
    def thing(name: str) -> Any:
        raise ConflictError

    written = {
        "openapi": "3.1.0",
        "info": {"title": "T", "version": "1"},
        "paths": {"/things/{name}": {"get": {"x-errorkit-codes": ["conflict"], "responses": {}}}},
    }
    problem = get_dialect("problem")
    described = document(written, catalog, lambda _path: problem, Options())
    traffic = Traffic(described)
    app.wsgi_app = traffic.wsgi(app.wsgi_app)  # type: ignore[method-assign,assignment]
    assert app.test_client().head("/things/a").status_code == 409
    assert [(each.method, each.status) for each in traffic.exchanges] == [("HEAD", 409)]
    traffic.assert_described()
    del described["paths"]["/things/{name}"]["get"]["responses"]["409"]
    (fault,) = traffic.faults()
    assert fault.startswith("HEAD /things/{name}: no response 409 is described")


def test_a_response_that_is_described_without_a_body_may_have_any() -> None:
    """The document promises nothing of it."""
    app = FastAPI()
    install(app)

    @app.get("/")
    def fail() -> None:
        raise ConflictError

    traffic = Traffic({"paths": {"/": {"get": {"responses": {"4XX": {"description": "No."}}}}}})
    TestClient(traffic.asgi(app)).get("/")
    traffic.assert_described()
