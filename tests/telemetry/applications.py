"""One application for each framework, bare or to be covered.

Bare, the errors of the catalogue are answered by a handler of the application's own: that is where errorkit's
answers belong.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import flask
from fastapi import FastAPI
from opentelemetry import trace
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

import errorkit.fastapi
import errorkit.flask
import errorkit.starlette
from errorkit import APIError, ConflictError, ServiceUnavailableError

DIALECT = "problem"


class Item(BaseModel):
    """The body that `POST /item` takes."""

    size: int


class RaisingMiddleware:
    """A middleware of the application's own that fails for one path."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope.get("path") == "/middleware":
            raise RuntimeError("in a middleware")
        await self.app(scope, receive, send)


def fail(name: str, http_exception: Callable[[int], Exception]) -> None:
    """Raise what the path of this name raises."""
    if name == "conflict":
        raise ConflictError("taken")
    if name == "unavailable":
        raise ServiceUnavailableError("later")
    if name == "missing":
        raise http_exception(404)
    if name == "gateway":
        raise http_exception(502)
    if name == "crash":
        raise RuntimeError("crash")
    if name == "nested":
        with trace.get_tracer("application").start_as_current_span("inner"):
            raise RuntimeError("nested")


FAILING = ("conflict", "unavailable", "missing", "gateway", "crash", "nested")


async def fine(request: Request) -> PlainTextResponse:
    return PlainTextResponse("fine")


async def failing(request: Request) -> None:
    fail(request.url.path.removeprefix("/"), HTTPException)


async def torn(request: Request) -> StreamingResponse:
    async def body() -> AsyncIterator[bytes]:
        yield b"half"
        raise RuntimeError("torn")

    return StreamingResponse(body())


async def background(request: Request) -> PlainTextResponse:
    async def task() -> None:
        raise RuntimeError("background")

    return PlainTextResponse("done", background=BackgroundTask(task))


async def ws_fine(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text("hello")
    await websocket.close()


async def ws_refused(websocket: WebSocket) -> None:
    await websocket.close(4001, "not now")


async def ws_crash(websocket: WebSocket) -> None:
    await websocket.accept()
    raise RuntimeError("websocket")


SOCKETS = {"/ws/fine": ws_fine, "/ws/refused": ws_refused, "/ws/crash": ws_crash}


async def declared(request: Request, exception: APIError) -> JSONResponse:
    """The handler of the bare twin."""
    return JSONResponse({"error": exception.code}, exception.status)


def starlette_app(*, covered: bool) -> Starlette:
    """An application of plain Starlette."""
    app = Starlette(
        routes=[
            Route("/fine", fine),
            Route("/torn", torn),
            Route("/background", background),
            *(Route(f"/{name}", failing) for name in FAILING),
            *(WebSocketRoute(path, endpoint) for path, endpoint in SOCKETS.items()),
        ],
        exception_handlers={} if covered else {APIError: declared},
    )
    app.add_middleware(RaisingMiddleware)
    return app


def fastapi_app(*, covered: bool) -> FastAPI:
    """The same of FastAPI, by its own decorators."""
    app = FastAPI(exception_handlers={} if covered else {APIError: declared})
    app.add_middleware(RaisingMiddleware)

    @app.get("/fine")
    async def fine_operation() -> str:
        return "fine"

    @app.post("/item")
    async def item(item: Item) -> int:
        return item.size

    def operation(name: str) -> Callable[[], None]:
        async def run() -> None:
            fail(name, HTTPException)

        return run

    for name in FAILING:
        app.get(f"/{name}")(operation(name))
    app.get("/torn")(torn)
    app.get("/background")(background)
    for path, endpoint in SOCKETS.items():
        app.websocket(path)(endpoint)
    return app


def flask_app(*, covered: bool) -> flask.Flask:
    """The same of Flask."""
    app = flask.Flask("application")

    def torn_view() -> flask.Response:
        def body() -> Iterator[bytes]:
            yield b"half"
            raise RuntimeError("torn")

        return flask.Response(body())

    def refused(status: int) -> Exception:
        from werkzeug.exceptions import default_exceptions

        return default_exceptions[status]()

    def view(name: str) -> Callable[[], str]:
        def run() -> str:
            fail(name, refused)
            return "fine"

        return run

    for name in ("fine", *FAILING):
        app.add_url_rule(f"/{name}", name, view(name))
    app.add_url_rule("/torn", "torn", torn_view)
    if not covered:
        app.register_error_handler(APIError, lambda error: (flask.jsonify(error=error.code), error.status))
    return app


BUILDERS: dict[str, Callable[..., Any]] = {"starlette": starlette_app, "fastapi": fastapi_app, "flask": flask_app}

COVERS: dict[tuple[str, str], Callable[[Any], None]] = {
    ("starlette", "install"): lambda app: errorkit.starlette.install(app, dialect=DIALECT) and None,
    ("starlette", "add_middleware"): lambda app: app.add_middleware(
        errorkit.starlette.ErrorMiddleware, dialect=DIALECT
    ),
    ("fastapi", "install"): lambda app: errorkit.fastapi.install(app, dialect=DIALECT) and None,
    ("fastapi", "add_middleware"): lambda app: app.add_middleware(errorkit.fastapi.ErrorMiddleware, dialect=DIALECT),
    ("flask", "ErrorKit"): lambda app: errorkit.flask.ErrorKit(app, dialect=DIALECT) and None,
}
"""The ways in which errorkit is put into an application."""
