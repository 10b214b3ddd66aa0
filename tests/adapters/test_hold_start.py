"""`hold_start`: a stream that fails before its first byte still gets its status."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import StreamingResponse

from driving import asgi, scope
from errorkit import RateLimitError
from errorkit.asgi import ErrorMiddleware
from errorkit.config import Config, ConfigurationError
from errorkit.fastapi import install as install_in_fastapi
from errorkit.starlette import install as install_in_starlette

PATHS = ("/v1/chat", "/chat")


async def _refuses(*chunks: str) -> AsyncIterator[str]:
    for chunk in chunks:
        yield chunk
    raise RateLimitError("busy", retry_after=7)


def _fastapi(*chunks: str, **settings: Any) -> Any:
    app = FastAPI()
    install_in_fastapi(app, **settings)
    for path in PATHS:
        app.get(path)(lambda: StreamingResponse(_refuses(*chunks), media_type="text/event-stream"))
    return app


def _starlette(*chunks: str, **settings: Any) -> Any:
    app = Starlette()
    install_in_starlette(app, **settings)
    for path in PATHS:
        app.add_route(path, lambda request: StreamingResponse(_refuses(*chunks), media_type="text/event-stream"))
    return app


def _plain(*chunks: str, **settings: Any) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            return
        response = StreamingResponse(_refuses(*chunks), media_type="text/event-stream")
        await response.stream_response(send)

    return ErrorMiddleware(app, **settings)


BUILDS = [_fastapi, _starlette, _plain]


@pytest.mark.parametrize("chunks", [(), ("", "")])
@pytest.mark.parametrize("build", BUILDS)
def test_a_held_stream_that_fails_at_once_has_its_status(build: Callable[..., Any], chunks: tuple[str, ...]) -> None:
    """An empty chunk is no first byte."""
    reply = asgi(build(*chunks, hold_start=True), path="/chat")
    assert (reply.status, reply.header("retry-after"), reply.raised) == (429, "7", None)
    assert reply.json()["code"] == "rate_limited"
    assert reply.header("content-type") == "application/problem+json"


@pytest.mark.parametrize("build", BUILDS)
def test_after_its_first_chunk_a_stream_is_as_any_other(build: Callable[..., Any]) -> None:
    """Its last event is the dialect's."""
    reply = asgi(build("data: 1\n\n", hold_start=True), path="/chat")
    assert (reply.status, reply.complete) == (200, True)
    assert reply.body.startswith(b"data: 1\n\nevent: error\ndata: ")


@pytest.mark.parametrize(("path", "status"), [("/v1/chat", 429), ("/chat", 200)])
@pytest.mark.parametrize("build", BUILDS)
def test_the_longest_prefix_says_whether_a_start_is_held(build: Callable[..., Any], path: str, status: int) -> None:
    """By whole segments, as for dialects."""
    for table in ({"/v1": True}, {"/": True, "/chat": False}):
        assert asgi(build(hold_start=table), path=path).status == status


@pytest.mark.parametrize("build", [_fastapi, _starlette])
def test_a_base_http_middleware_cannot_end_a_held_stream_that_has_failed(build: Callable[..., Any]) -> None:
    """It ends the body as if it were whole before it raises."""
    app = build(hold_start=True)
    seen: list[Any] = []

    async def watch(request: Any, call_next: Any) -> Any:
        response = await call_next(request)
        seen.append(response.status_code)
        return response

    app.add_middleware(BaseHTTPMiddleware, dispatch=watch)
    app.add_middleware(CORSMiddleware, allow_origins=["https://app.test"])
    reply = asgi(app, path="/chat", headers=[("Origin", "https://app.test")])
    assert (reply.status, reply.json()["code"], reply.raised) == (429, "rate_limited", None)
    assert reply.header("access-control-allow-origin") == "https://app.test"
    assert reply.header("vary") == "Origin"
    assert seen == [200]


def test_a_held_stream_whose_failure_a_middleware_has_caught_is_whole() -> None:
    """As without errorkit."""
    app = _starlette(hold_start=True)

    class Catches:
        def __init__(self, inner: Any) -> None:
            self.inner = inner

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            try:
                await self.inner(scope, receive, send)
            except RateLimitError:
                await send({"type": "http.response.body", "body": b"sorry"})

    app.add_middleware(Catches)
    reply = asgi(app, path="/chat")
    assert (reply.status, reply.body, reply.complete, reply.raised) == (200, b"sorry", True, None)


def test_a_start_that_is_held_leaves_with_the_first_chunk() -> None:
    """And not without it."""
    sent: list[str] = []
    order: list[list[str]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        order.append(list(sent))
        await send({"type": "http.response.body", "body": b"1", "more_body": True})
        order.append(list(sent))
        await send({"type": "http.response.body", "body": b""})

    async def send(message: Any) -> None:
        sent.append(message["type"])

    asyncio.run(ErrorMiddleware(app, hold_start=True)(scope(), None, send))
    assert order == [[], ["http.response.start", "http.response.body"]]
    assert sent == ["http.response.start", "http.response.body", "http.response.body"]


@pytest.mark.parametrize(
    ("environ", "held"),
    [("true", (("", True),)), ("0", ()), ('{"/v1": true}', (("/v1", True),)), ('{"/v1": false}', ())],
)
def test_the_environment_can_say_it(environ: str, held: Any) -> None:
    """In words, or by prefix."""
    assert Config.load(environ={"ERRORKIT_HOLD_START": environ}).hold_start == held


def test_anything_else_is_refused_at_the_start() -> None:
    """With what may be said."""
    with pytest.raises(ConfigurationError, match="'maybe' is neither True nor False"):
        Config(hold_start="maybe")
    with pytest.raises(ConfigurationError, match="must be a str that starts with '/'"):
        Config(hold_start={"v1": True})
