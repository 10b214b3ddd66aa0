"""`errorkit.testing.Traffic`: every error response of a test suite is one that the document describes."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse
from flask import Flask
from starlette.testclient import TestClient

from errorkit import Catalog, ConflictError, NotFoundError
from errorkit.dialects import get_dialect
from errorkit.fastapi import install, raises
from errorkit.flask import ErrorKit
from errorkit.publish import Options
from errorkit.publish.openapi import document
from errorkit.testing import Traffic


class ThingNotFound(NotFoundError):
    """There is no such thing."""

    code = "thing_not_found"


def service() -> FastAPI:
    app = FastAPI()
    install(app, dialect="openai", catalog=Catalog([ThingNotFound]))

    @app.get("/things/own")
    @app.get("/things/{name}")
    @raises(ThingNotFound)
    def thing(name: str = "own") -> Any:
        match name:
            case "undeclared":
                raise ConflictError
            case "code":
                return JSONResponse({"error": {"message": "", "type": "", "param": None, "code": "x"}}, 404)
            case "form":
                return JSONResponse({"oops": True, "why": "because"}, 404)
            case "media":
                return Response("<p>gone</p>", 404, media_type="text/html")
            case "text":
                return Response("{oops", 404, media_type="application/json")
            case "fine":
                return {}
        raise ThingNotFound

    return app


def heard(*paths: str, method: str = "GET") -> list[str]:
    app = service()
    traffic = Traffic(app.openapi)
    client = TestClient(traffic.asgi(app))
    for path in paths:
        client.request(method, path)
    return traffic.faults()


def test_described_errors_successes_and_strangers_are_no_faults() -> None:
    """A declared code, an unknown path, an unknown method, and 200."""
    app = service()
    traffic = Traffic(app.openapi)
    client = TestClient(traffic.asgi(app))
    for path in ("/things/a", "/things/own", "/things/fine", "/nowhere", "/things/a/b"):
        client.get(path)
    client.delete("/things/a")
    client.head("/things/a")
    traffic.assert_described()
    assert [exchange.status for exchange in traffic.exchanges] == [404, 404, 404, 404, 405, 405]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/things/undeclared", 'GET /things/{name}: no response 409 is described; it was \'{"error"'),
        ("/things/code", "GET /things/{name}: 404: $.error"),
        ("/things/form", "GET /things/{name}: 404: $: 'error' is a required property"),
        ("/things/media", "GET /things/{name}: 404 is text/html; described are application/json"),
        ("/things/text", "GET /things/{name}: 404 is not JSON: '{oops'"),
    ],
)
def test_a_response_outside_the_document_is_a_fault(path: str, words: str) -> None:
    """Status, code, form, media type, JSON: each is told once, with the operation."""
    faults = heard(path, path)
    assert [fault for fault in faults if words in fault], faults
    assert len(faults) == len(set(faults))


def test_a_required_header_that_is_missing_is_a_fault() -> None:
    """The document promises it for that status."""
    app = service()
    described = dict(app.openapi())
    headers = described["paths"]["/things/{name}"]["get"]["responses"]["404"]["headers"]
    headers["X-Promised"] = {"required": True, "schema": {"type": "string"}}
    traffic = Traffic(described)
    TestClient(traffic.asgi(app)).get("/things/a")
    with pytest.raises(AssertionError, match=r"GET /things/\{name\}: 404 lacks the header X-Promised"):
        traffic.assert_described()


def test_a_suite_that_records_nothing_does_not_pass() -> None:
    """Forgetting to wrap the application is told."""
    with pytest.raises(AssertionError, match="no error response was recorded"):
        Traffic({}).assert_described()


def test_a_wsgi_application_is_recorded_alike() -> None:
    """Flask, with a document of its own."""
    catalog = Catalog([ThingNotFound])
    app = Flask("things")
    ErrorKit(app, dialect="problem", catalog=catalog)

    @app.get("/things/<name>")
    def thing(name: str) -> Any:
        raise ThingNotFound if name == "a" else ConflictError

    problem = get_dialect("problem")
    written = {
        "openapi": "3.1.0",
        "info": {"title": "T", "version": "1"},
        "paths": {"/things/{name}": {"get": {"x-errorkit-codes": ["thing_not_found"], "responses": {}}}},
    }
    traffic = Traffic(document(written, catalog, lambda _path: problem, Options()))
    app.wsgi_app = traffic.wsgi(app.wsgi_app)  # type: ignore[method-assign,assignment]
    client = app.test_client()
    assert client.get("/things/a").status_code == 404
    assert traffic.faults() == []
    client.get("/things/b")
    (fault,) = traffic.faults()
    assert fault.startswith("GET /things/{name}: no response 409 is described")
