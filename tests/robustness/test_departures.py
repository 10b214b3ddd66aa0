"""Clients that leave, dependencies that fail on their way out, and other code's answers that must stay consistent."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from fastapi import Depends, FastAPI
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

from errorkit import ConflictError
from errorkit.asgi import ErrorMiddleware
from errorkit.fastapi import ErrorMiddleware as FastAPIMiddleware
from errorkit.starlette import ErrorMiddleware as StarletteMiddleware
from robustness.strict_asgi import http_scope, run, start_up


class Pass(BaseHTTPMiddleware):
    """What most applications' own middlewares look like."""

    async def dispatch(self, request: Any, call_next: Any) -> Any:
        return await call_next(request)


@pytest.mark.parametrize("middlewares", [[], [Middleware(Pass)], [Middleware(Pass), Middleware(Pass)]])
@pytest.mark.parametrize("received", [[], [{"type": "http.request", "body": b"half", "more_body": True}]])
def test_a_client_that_leaves_while_it_is_read_is_no_error(
    events: list[dict[str, Any]], middlewares: list[Any], received: list[Any]
) -> None:
    """Status 499 at info, no traceback, nobody is answered, the server sees no exception."""

    async def endpoint(request: Any) -> Any:
        await request.body()
        return PlainTextResponse("never")

    app = Starlette(
        routes=[Route("/", endpoint, methods=["POST"])], middleware=[*middlewares, Middleware(StarletteMiddleware)]
    )
    start_up(app)
    gone = [{"type": "http.disconnect"}] * 5
    result = run(app, http_scope(method="POST"), received=[*received, *gone])
    assert result.escaped is None
    assert [(event["code"], event["status"], event["log_level"]) for event in events] == [
        ("client_closed_request", 499, "info")
    ]
    assert "exception" not in events[0]
    assert result.sent.status != 200


def test_a_send_that_says_the_client_left_is_no_error(events: list[dict[str, Any]]) -> None:
    """ASGI 2.4: OSError from `send`, in the middle of a stream."""

    async def endpoint(request: Any) -> Any:
        async def chunks() -> Any:
            for _ in range(10):
                yield b"chunk"

        return StreamingResponse(chunks())

    app = Starlette(routes=[Route("/", endpoint)], middleware=[Middleware(StarletteMiddleware)])
    start_up(app)
    result = run(app, failing=lambda number, message: OSError("gone") if number > 3 else None)
    assert result.escaped is None
    assert [(event["status"], event["log_level"]) for event in events] == [(499, "info")]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("first", ["fine", "conflict"])
def test_a_dependency_that_fails_around_the_response_keeps_the_sequence_legal(
    events: list[dict[str, Any]], when: str, first: str
) -> None:
    """FastAPI's yield dependencies run their end before or after the response: one answer, one event."""

    async def session() -> Any:
        if when == "before":
            raise ConflictError("no session")
        yield
        raise ValueError("commit failed")

    app, around = FastAPI(), Depends(session)

    @app.get("/")
    async def endpoint(_: Any = around) -> str:
        if first == "conflict":
            raise ConflictError("first")
        return "fine"

    app.add_middleware(FastAPIMiddleware, dialect="problem")
    start_up(app)
    result = run(app)
    assert result.sent.complete
    assert result.sent.status in (200, 409, 500)
    assert len(events) == 1
    if result.sent.status >= 400:
        assert json.loads(result.sent.body)["status"] == result.sent.status


def test_a_compressed_error_is_not_taken_apart(events: list[dict[str, Any]]) -> None:
    """Coding, length and body of an answer that was shaped inside stay consistent."""

    async def shaped(scope: Any, receive: Any, send: Any) -> None:
        await PlainTextResponse("not found " * 200, status_code=404)(scope, receive, send)

    app = ErrorMiddleware(GZipMiddleware(shaped))
    sent = run(app, http_scope(headers=[(b"accept-encoding", b"gzip")])).sent
    assert sent.headers["content-encoding"] == "gzip"
    assert gzip.decompress(sent.body) == b"not found " * 200


def test_fields_that_describe_the_old_body_go_with_it() -> None:
    """A default answer in the dialect has neither the old entity tag nor its length, type or range."""
    stale = {"ETag": '"1"', "Last-Modified": "x", "Content-MD5": "y", "Accept-Ranges": "bytes", "Digest": "z"}

    async def default(scope: Any, receive: Any, send: Any) -> None:
        headers = {**stale, "X-Own": "kept", "Set-Cookie": "a=b"}
        await PlainTextResponse("Not Found", status_code=404, headers=headers)(scope, receive, send)

    sent = run(ErrorMiddleware(default, dialect="problem")).sent
    assert json.loads(sent.body)["code"] == "not_found"
    assert not {name.lower() for name in stale} & set(sent.headers)
    assert (sent.headers["x-own"], sent.headers["set-cookie"]) == ("kept", "a=b")
    assert sent.headers["content-length"] == str(len(sent.body))


def test_a_middleware_that_starts_at_every_chunk_does_not_start_twice(events: list[dict[str, Any]]) -> None:
    """As one rate limiter does: the server refuses, and errorkit adds nothing to it."""

    class StartsAlways:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            start: Any = None

            async def wrapped(message: Any) -> None:
                nonlocal start
                if message["type"] == "http.response.start":
                    start = message
                    return
                await send(start)
                await send(message)

            await self.app(scope, receive, wrapped)

    async def stream(scope: Any, receive: Any, send: Any) -> None:
        await StreamingResponse(iter([b"a", b"b"]))(scope, receive, send)

    result = run(ErrorMiddleware(StartsAlways(stream)))
    assert [message["type"].rpartition(".")[2] for message in result.sent.messages] == ["start", "body"]
    assert result.escaped in result.refused
    assert not result.sent.ended
