"""The applications that real servers serve in these tests: one per protocol, with the same paths."""

from __future__ import annotations

import sys
from typing import Any

import structlog
from flask import Flask, Response
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route, WebSocketRoute

from errorkit import ConflictError
from errorkit.flask import ErrorKit
from errorkit.starlette import ErrorMiddleware
from recording import in_server

in_server()

structlog.configure(
    processors=[structlog.processors.JSONRenderer()], logger_factory=structlog.WriteLoggerFactory(sys.stderr)
)

BIG = 4 * 1024 * 1024


def fail() -> None:
    raise ValueError("planted crash")


async def ok(request: Any) -> Any:
    return PlainTextResponse("fine")


async def crash(request: Any) -> Any:
    fail()


async def conflict(request: Any) -> Any:
    raise ConflictError("planted conflict")


def stream(*chunks: bytes, headers: dict[str, str] | None = None, media_type: str = "text/plain") -> Any:
    async def body() -> Any:
        for chunk in chunks:
            yield chunk
        fail()

    async def endpoint(request: Any) -> Any:
        return StreamingResponse(body(), headers=headers, media_type=media_type)

    return endpoint


async def after(request: Any) -> Any:
    return PlainTextResponse("done", background=BackgroundTask(fail))


async def read(request: Any) -> Any:
    return PlainTextResponse(str(len(await request.body())))


async def big(request: Any) -> Any:
    async def body() -> Any:
        for _ in range(BIG // 65536):
            yield b"x" * 65536

    return StreamingResponse(body())


async def refused(websocket: Any) -> None:
    raise ConflictError("planted conflict")


async def broken(websocket: Any) -> None:
    await websocket.accept()
    await websocket.receive_text()
    fail()


app = Starlette(
    routes=[
        Route("/ok", ok),
        Route("/crash", crash),
        Route("/conflict", conflict, methods=["GET", "POST"]),
        Route("/first", stream()),
        Route("/chunks", stream(b"first;", b"second;")),
        Route("/length", stream(b"first;", headers={"Content-Length": "20"})),
        Route("/events", stream(b"data: 1\n\n", media_type="text/event-stream")),
        Route("/after", after),
        Route("/read", read, methods=["POST"]),
        Route("/big", big),
        WebSocketRoute("/refused", refused),
        WebSocketRoute("/broken", broken),
    ],
    middleware=[Middleware(ErrorMiddleware, dialect="problem")],
)

wsgi = Flask(__name__)


def _streaming(*chunks: bytes, headers: dict[str, str] | None = None, mimetype: str = "text/plain") -> Any:
    def body() -> Any:
        yield from chunks
        fail()

    return lambda: Response(body(), headers=headers, mimetype=mimetype)


def _after() -> Any:
    response = Response("done")
    response.call_on_close(fail)
    return response


def _conflict() -> Any:
    raise ConflictError("planted conflict")


wsgi.add_url_rule("/ok", "ok", lambda: "fine")
wsgi.add_url_rule("/crash", "crash", fail)
wsgi.add_url_rule("/conflict", "conflict", _conflict, methods=["GET", "POST"])
wsgi.add_url_rule("/first", "first", _streaming())
wsgi.add_url_rule("/chunks", "chunks", _streaming(b"first;", b"second;"))
wsgi.add_url_rule("/length", "length", _streaming(b"first;", headers={"Content-Length": "20"}))
wsgi.add_url_rule("/events", "events", _streaming(b"data: 1\n\n", mimetype="text/event-stream"))
wsgi.add_url_rule("/after", "after", _after)
wsgi.add_url_rule("/big", "big", lambda: Response(b"x" * 65536 for _ in range(BIG // 65536)))
ErrorKit(wsgi, dialect="problem")
