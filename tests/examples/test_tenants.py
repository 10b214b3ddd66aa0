"""Another tenant's document and one that never was: the client cannot tell them apart, the log can."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

import httpx
import pytest
from structlog.testing import capture_logs

from examples.docstore.setup import load_config
from examples.fastapi_app import main as fastapi_app
from examples.flask_app import main as flask_app

ACME = {"Authorization": "Bearer acme-key"}
JSON = {**ACME, "Content-Type": "application/json"}
BODIES = {"PUT": b'{"title": "Mine", "text": "now"}', "PATCH": b'{"title": "Mine"}'}


class Raw(NamedTuple):
    """A response as it leaves the application: header fields in their order, case and number."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes

    def masked(self) -> Raw:
        """Without what differs between any two responses: the request ID, and the date."""
        (request_id,) = [value for name, value in self.headers if name.lower() == b"x-request-id"]
        headers = [
            (name, b"date" if name.lower() == b"date" else value.replace(request_id, b"id"))
            for name, value in self.headers
        ]
        return Raw(self.status, headers, self.body.replace(request_id, b"id"))


def ask_fastapi(dialect: str, method: str, path: str) -> Raw:
    """One request to an application that has served none, so that quotas are equal, too."""

    async def ask() -> Raw:
        app = fastapi_app.create_app(load_config(dialect=dialect))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
            response = await client.request(method, path, headers=JSON, content=BODIES.get(method, b""))
        return Raw(response.status_code, response.headers.raw, response.content)

    return asyncio.run(ask())


def ask_flask(dialect: str, method: str, path: str) -> Raw:
    client = flask_app.create_app(load_config(dialect=dialect)).test_client()
    response = client.open(path, method=method, headers=JSON, data=BODIES.get(method, b""))
    headers = [(name.encode(), value.encode()) for name, value in response.headers.to_wsgi_list()]
    return Raw(response.status_code, headers, response.data)


Ask = Callable[[str, str, str], Raw]
APPS = pytest.mark.parametrize("ask", [ask_fastapi, ask_flask], ids=["fastapi", "flask"])


def events_of(monkeypatch: pytest.MonkeyPatch, ask: Ask, dialect: str, method: str, path: str) -> tuple[Raw, Any]:
    monkeypatch.setattr(fastapi_app, "log_json_lines", lambda: None)  # keep what captures the log
    monkeypatch.setattr(flask_app, "log_json_lines", lambda: None)
    with capture_logs() as logs:
        raw = ask(dialect, method, path)
    (event,) = [log for log in logs if log["event"] == "request_failed"]
    return raw, event


@APPS
@pytest.mark.parametrize("dialect", ["problem", "openai", "kaplaix"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE"])
def test_absent_and_foreign_documents_are_byte_identical(monkeypatch, ask, dialect, method) -> None:  # type: ignore[no-untyped-def]
    """Two raise sites with two messages give one answer; level, reason, tenants and words are in the log alone."""
    absent, never = events_of(monkeypatch, ask, dialect, method, "/v1/documents/99")
    foreign, theirs = events_of(monkeypatch, ask, dialect, method, "/v1/documents/7")

    assert absent.status == 404
    assert absent.masked() == foreign.masked()
    assert (absent.body == b"") == (method == "HEAD")
    for secret in (b"globex", b"belongs", b"never written"):
        assert secret not in foreign.body + absent.body

    assert (never["code"], theirs["code"]) == ("document_not_found", "document_not_found")
    assert (never["log_level"], theirs["log_level"]) == ("warning", "warning")
    assert (never.get("reason"), theirs.get("reason")) == ("absent", "cross_tenant")
    assert (theirs["resource_tenant"], theirs["caller_tenant"]) == ("globex", "acme")
    assert never["error"] == "Document 99 was never written."
    assert theirs["error"] == "Document 7 belongs to globex."


@APPS
def test_absent_and_foreign_projects_are_byte_identical(monkeypatch, ask) -> None:  # type: ignore[no-untyped-def]
    """`visible` alone serves both cases, and the log names each."""
    absent, never = events_of(monkeypatch, ask, "problem", "GET", "/v1/projects/planz")
    foreign, theirs = events_of(monkeypatch, ask, "problem", "GET", "/v1/projects/plans")
    assert (absent.status, absent.masked()) == (404, foreign.masked())
    assert (never["reason"], theirs["reason"]) == ("absent", "cross_tenant")


@pytest.mark.parametrize("kind", ["fastapi", "flask", "uvicorn", "gunicorn"])
def test_a_foreign_document_is_not_changed(service, kind) -> None:  # type: ignore[no-untyped-def]
    """What answers 404 has no effect: the owner finds the document as it was."""
    running = service(kind, "problem")
    for method in ("PUT", "PATCH", "DELETE"):
        assert running.send(method, "/v1/documents/7", JSON, BODIES.get(method, b"")).status == 404
    found = running.send("GET", "/v1/documents/7", {"Authorization": "Bearer globex-key"}).json
    assert found == {"id": 7, "title": "Merger", "text": "Tell nobody.\n", "state": "draft", "version": 1}
