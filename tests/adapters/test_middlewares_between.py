"""Middlewares between errorkit's two places in a Starlette application that change what passes."""

from __future__ import annotations

import anyio
import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send
from structlog.testing import capture_logs

import errorkit.fastapi
from requirements import since

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def app_with_body() -> FastAPI:
    app = FastAPI()

    @app.post("/things")
    def create(thing: dict[str, str]) -> dict[str, str]:
        return thing

    return app


async def test_an_answer_that_a_middleware_replaced_by_plain_text_is_put_into_the_dialect() -> None:
    """Starlette's body limit overwrites any response to a request that announces too much: no foreign body leaves."""
    since("starlette", "1.6")
    from starlette.middleware.body_limit import RequestBodyLimitMiddleware

    app = app_with_body()
    app.add_middleware(RequestBodyLimitMiddleware, max_body_size=10)
    errorkit.fastapi.install(app, dialect="openai")
    with capture_logs() as logs:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
            response = await client.post("/things", json={"name": "x" * 100})
    assert response.status_code == 413
    assert response.json() == {
        "error": {
            "message": "The request body is too large.",
            "type": "invalid_request_error",
            "param": None,
            "code": "content_too_large",
        }
    }
    failed = [log for log in logs if log["event"] == "request_failed"]
    assert [log["request_id"] for log in failed] == [response.headers["x-request-id"]]


async def test_a_stream_that_broke_is_not_ended_cleanly_by_a_middleware() -> None:
    """BaseHTTPMiddleware sends a last chunk for a stream that died: the client must see it cut, not complete."""
    app = FastAPI()

    @app.middleware("http")
    async def untouched(request: Request, call_next):  # type: ignore[no-untyped-def]
        return await call_next(request)

    @app.get("/rows")
    def rows() -> StreamingResponse:
        def produce():  # type: ignore[no-untyped-def]
            yield "first\n"
            raise ZeroDivisionError

        return StreamingResponse(produce(), media_type="text/csv")

    errorkit.fastapi.install(app, dialect="problem")
    sent: list[Message] = []
    given = False

    async def receive() -> Message:
        nonlocal given
        if given:
            await anyio.sleep_forever()
        given = True
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Scope = {
        "type": "http", "method": "GET", "path": "/rows", "raw_path": b"/rows", "query_string": b"",
        "headers": [], "http_version": "1.1", "scheme": "http", "root_path": "", "asgi": {"version": "3.0"},
        "server": ("test", 80), "client": ("test", 1),
    }  # fmt: skip
    serve: tuple[Receive, Send] = (receive, send)
    with capture_logs() as logs, pytest.raises(ZeroDivisionError):
        await app(scope, *serve)
    assert [(message["body"], message["more_body"]) for message in sent[1:]] == [(b"first\n", True)]
    assert [log["outcome"] for log in logs if log["event"] == "request_failed"] == ["aborted"]


async def test_what_fastapi_says_about_malformed_json_is_not_logged() -> None:
    """The event names the class; the validator's text, with input and file paths, stays out."""
    app = app_with_body()
    errorkit.fastapi.install(app, dialect="problem")
    with capture_logs() as logs:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
            headers = {"Content-Type": "application/json"}
            response = await client.post("/things", content=b'{"pin": 1234', headers=headers)
    assert response.json()["code"] == "malformed_json"
    (failed,) = [log for log in logs if log["event"] == "request_failed"]
    assert failed["reason"] == "validation"
    assert "error" not in failed
