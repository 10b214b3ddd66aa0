"""One small application for each row of the tables in docs/frameworks.md: what fails, and who looks on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import flask
from fastapi import Depends, FastAPI
from fastapi.exception_handlers import http_exception_handler
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException, WebSocketException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from werkzeug.exceptions import Conflict, Forbidden
from werkzeug.exceptions import HTTPException as WerkzeugHTTPException

from fidelity.middlewares import Raises, Watch
from fidelity.observed import Call, Socket
from fidelity.twins import AROUND, FLASK_WAYS, STARLETTE_WAYS, Collection, Twin

JSON = (("content-type", "application/json"),)
GET = Call("/x")
IN_A_LIFESPAN = tuple(way for way in STARLETTE_WAYS if way.lifespan)


class Missing(Exception):
    """An exception of the application's own."""


class Rows(Collection):
    """The rows of one table."""

    def row(self, words: str, call: Call | Socket = GET) -> Callable[[Callable[[Twin], Any]], Callable[[Twin], Any]]:
        """Register a row by the words that stand in its first cell."""

        def register(build: Callable[[Twin], Any]) -> Callable[[Twin], Any]:
            build.__name__ = words
            return self(call)(build)

        return register


starlette = Rows("asgi", "Starlette", IN_A_LIFESPAN)
fastapi = Rows("asgi", "FastAPI", IN_A_LIFESPAN)
flask_rows = Rows("wsgi", "Flask", FLASK_WAYS)
asgi = Rows("asgi", "Any ASGI application", AROUND)
wsgi = Rows("wsgi", "Any WSGI application", AROUND)


# -- what fails: the same in Starlette and in FastAPI

Fails = Callable[[Twin, Request], Any]


async def _declared(twin: Twin, request: Request) -> Response:
    raise twin.declared(HTTPException(409, "v7"))


async def _http(twin: Twin, request: Request) -> Response:
    raise twin.raising(HTTPException(403, "closed"))


async def _crash(twin: Twin, request: Request) -> Response:
    raise twin.raising(RuntimeError("a crash"))


async def _missing(twin: Twin, request: Request) -> Response:
    raise twin.raising(Missing("gone"))


async def _background(twin: Twin, request: Request) -> Response:
    def task() -> None:
        raise twin.raising(RuntimeError("a task"))

    return PlainTextResponse("fine", background=BackgroundTask(task))


def _stream(media_type: str) -> Fails:
    async def endpoint(twin: Twin, request: Request) -> Response:
        async def chunks() -> AsyncIterator[str]:
            yield "data: 1\n\n"
            raise twin.raising(RuntimeError("torn"))

        return StreamingResponse(chunks(), media_type=media_type)

    return endpoint


async def _json(twin: Twin, request: Request) -> Response:
    return JSONResponse(await request.json())


async def _fine(twin: Twin, request: Request) -> Response:
    return PlainTextResponse("fine")


async def _leaves(twin: Twin, request: Request) -> Response:
    async def chunks() -> AsyncIterator[str]:
        yield "1"
        yield "2"

    return StreamingResponse(chunks(), media_type="text/plain")


def _watches(twin: Twin) -> list[Middleware]:
    return [Middleware(Watch, twin=twin, name="middleware")]


def _starlette(fails: Fails, **handlers: Callable[[Twin], Any]) -> Callable[[Twin], Any]:
    """Watched by a middleware of the application and one of the route."""
    return lambda twin: twin.starlette(
        routes=[_route(twin, fails)], middleware=_watches(twin), exception_handlers=_handlers(twin, handlers)
    )


def _route(twin: Twin, fails: Fails) -> Route:
    async def endpoint(request: Request) -> Response:
        response: Response = await fails(twin, request)
        return response

    return Route("/x", endpoint, methods=["GET", "POST"], middleware=[Middleware(Watch, twin=twin, name="route's")])


_KEYS = {"catch_all": Exception, "missing": Missing, "status": 403, "http": HTTPException, "status_500": 500}


def _handlers(twin: Twin, handlers: dict[str, Callable[[Twin], Any]]) -> dict[Any, Any]:
    return {_KEYS[name]: make(twin) for name, make in handlers.items()}


def _mine(twin: Twin) -> Any:
    async def handler(request: Request, error: Exception) -> Response:
        twin.saw("handler", error)
        return JSONResponse({"mine": True}, 503)

    return handler


def _delegating(twin: Twin) -> Any:
    async def handler(request: Request, error: Any) -> Response:
        twin.saw("handler", error)
        return await http_exception_handler(request, error)

    return handler


def _fastapi(fails: Fails, **handlers: Callable[[Twin], Any]) -> Callable[[Twin], Any]:
    """Watched by a dependency with yield and by a middleware of the application."""

    def build(twin: Twin) -> Any:
        app: FastAPI = twin.fastapi(exception_handlers=_handlers(twin, handlers))
        app.add_middleware(Watch, twin=twin, name="middleware")

        async def session() -> AsyncIterator[None]:
            try:
                yield
            except Exception as error:
                twin.saw("dependency", error)
                raise

        @app.api_route("/x", methods=["GET", "POST"], dependencies=[Depends(session)])
        async def endpoint(request: Request) -> Any:
            return await fails(twin, request)

        return app

    return build


_BOTH: dict[str, Fails] = {
    "a declared error": _declared,
    "`HTTPException`": _http,
    "an exception that nobody declared": _crash,
    "a background task fails": _background,
    "a plain stream breaks": _stream("text/plain"),
    "an event stream breaks": _stream("text/event-stream"),
}
for _words, _fails in _BOTH.items():
    starlette.row(_words)(_starlette(_fails))
    fastapi.row(_words)(_fastapi(_fails))
starlette.row("no route", Call("/nope"))(_starlette(_fine))
fastapi.row("a rejected request", Call("/x/word"))(lambda twin: _with_number(twin))
fastapi.row("no route", Call("/nope"))(_fastapi(_fine))


def _with_number(twin: Twin) -> Any:
    app = _fastapi(_fine)(twin)
    app.get("/x/{number}")(_numbered)
    return app


def _numbered(number: int) -> int:
    return number


# -- a middleware fails


def _failing_middleware(make: Callable[[], Exception], framework: str) -> Callable[[Twin], Any]:
    def build(twin: Twin) -> Any:
        inner = Middleware(Raises, make=lambda: twin.raising(make()), path="/x")
        if framework == "starlette":
            return twin.starlette(routes=[_route(twin, _fine)], middleware=[*_watches(twin), inner])
        app = twin.fastapi()
        app.add_middleware(inner.cls, *inner.args, **inner.kwargs)
        app.add_middleware(Watch, twin=twin, name="middleware")
        return app

    return build


for _rows, _name in ((starlette, "starlette"), (fastapi, "fastapi")):
    _rows.row("a middleware raises")(_failing_middleware(lambda: RuntimeError("middleware"), _name))
    _rows.row("a middleware raises `HTTPException`")(_failing_middleware(lambda: HTTPException(403), _name))


# -- handlers of the user's


for _words, _fails, _named in (
    ("an exception that nobody declared, with a handler for `Exception`", _crash, {"catch_all": _mine}),
    ("the same, with a handler for 500", _crash, {"status_500": _mine}),
    ("a declared error, with a handler for `Exception`", _declared, {"catch_all": _mine}),
    ("an exception with a handler for its class", _missing, {"missing": _mine}),
    ("`HTTPException` with a handler for its status", _http, {"status": _mine}),
):
    starlette.row(_words)(_starlette(_fails, **_named))
    fastapi.row(_words)(_fastapi(_fails, **_named))
fastapi.row("`HTTPException` with a handler that ends in FastAPI's own")(_fastapi(_http, http=_delegating))


# -- bodies, clients, websockets

starlette.row("`Request.json()` of a malformed body", Call("/x", "POST", JSON, b"{"))(_starlette(_json))
fastapi.row("the endpoint's own `Request.json()` of a malformed body", Call("/x", "POST", JSON, b"{"))(_fastapi(_json))
for _rows, _build in ((starlette, _starlette), (fastapi, _fastapi)):
    _rows.row("the client leaves a stream", Call("/x", leaves="send"))(_build(_leaves))


async def _ws_crash(twin: Twin, socket: WebSocket) -> None:
    raise twin.raising(RuntimeError("a crash"))


async def _ws_crash_later(twin: Twin, socket: WebSocket) -> None:
    await socket.accept()
    raise twin.raising(RuntimeError("a crash"))


async def _ws_declared(twin: Twin, socket: WebSocket) -> None:
    raise twin.declared(HTTPException(409, "v7"))


async def _ws_closed(twin: Twin, socket: WebSocket) -> None:
    await socket.close(3000, "no ticket")


async def _ws_exception(twin: Twin, socket: WebSocket) -> None:
    raise twin.raising(WebSocketException(3000, "no ticket"))


def _sockets(ends: Callable[[Twin, WebSocket], Any]) -> Callable[[Twin], Any]:
    def build(twin: Twin) -> Any:
        async def endpoint(websocket: WebSocket) -> None:
            await ends(twin, websocket)

        return twin.starlette(
            routes=[WebSocketRoute("/x", endpoint, middleware=[Middleware(Watch, twin=twin, name="route's")])],
            middleware=_watches(twin),
        )

    return build


def _fastapi_sockets(ends: Callable[[Twin, WebSocket], Any]) -> Callable[[Twin], Any]:
    def build(twin: Twin) -> Any:
        app = twin.fastapi()
        app.add_middleware(Watch, twin=twin, name="middleware")

        @app.websocket("/x")
        async def endpoint(websocket: WebSocket) -> None:
            await ends(twin, websocket)

        return app

    return build


for _words, _ends in (
    ("a websocket's declared error before accept", _ws_declared),
    ("a websocket crashes before accept", _ws_crash),
    ("a websocket crashes after accept", _ws_crash_later),
    ("a websocket is closed before accept", _ws_closed),
    ("`WebSocketException`", _ws_exception),
):
    starlette.row(_words, Socket("/x"))(_sockets(_ends))
    fastapi.row(_words, Socket("/x"))(_fastapi_sockets(_ends))


# -- Flask


def _flask(view: Callable[[Twin], Any], prepare: Callable[[Twin, Any], None] | None = None) -> Callable[[Twin], Any]:
    """Watched by the crash signal and by a teardown function."""

    def build(twin: Twin) -> Any:
        app = twin.flask()
        flask.got_request_exception.connect(
            lambda sender, exception, **told: twin.saw("signal", exception), app, weak=False
        )

        @app.teardown_request
        def teardown(error: BaseException | None) -> None:
            if error is not None:
                twin.saw("teardown", error)

        if prepare is not None:
            prepare(twin, app)
        app.add_url_rule("/x", "x", lambda: view(twin), methods=["GET", "POST"])
        return app

    return build


def _raise(error: BaseException) -> Any:
    raise error


def _handler(kind: type[Exception] | int) -> Callable[[Twin, Any], None]:
    def prepare(twin: Twin, app: Any) -> None:
        @app.errorhandler(kind)
        def handler(error: Exception) -> Any:
            twin.saw("handler", error)
            return {"mine": True}, 503

    return prepare


def _passing_on(twin: Twin, app: Any) -> None:
    @app.errorhandler(WerkzeugHTTPException)
    def handler(error: Exception) -> Any:
        twin.saw("handler", error)
        return error


def _torn(twin: Twin, first: bool) -> Any:
    def chunks() -> Iterator[str]:
        if not first:
            yield "1"
        raise twin.raising(RuntimeError("torn"))

    return flask.Response(chunks(), mimetype="text/plain")


_VIEWS: dict[str, Callable[[Twin], Any]] = {
    "a declared error": lambda twin: _raise(twin.declared(Conflict("v7"))),
    "`abort(403)`": lambda twin: _raise(twin.raising(Forbidden("closed"))),
    "an exception that nobody declared": lambda twin: _raise(twin.raising(RuntimeError("a crash"))),
    "a stream breaks at its first chunk": lambda twin: _torn(twin, True),
    "a stream breaks later": lambda twin: _torn(twin, False),
}
for _words, _view in _VIEWS.items():
    flask_rows.row(_words)(_flask(_view))
flask_rows.row("no route", Call("/nope"))(_flask(lambda twin: "fine"))
flask_rows.row("`request.get_json()` of a malformed body", Call("/x", "POST", JSON, b"{"))(
    _flask(lambda twin: flask.request.get_json())
)
for _words, _view, _prepare in (
    ("an exception with a handler for `Exception`", _VIEWS["an exception that nobody declared"], _handler(Exception)),
    ("the same, with a handler for 500", _VIEWS["an exception that nobody declared"], _handler(500)),
    ("a declared error, with a handler for `Exception`", _VIEWS["a declared error"], _handler(Exception)),
    ("an exception with a handler for its class", lambda twin: _raise(twin.raising(Missing("gone"))),
     _handler(Missing)),
    ("`abort(403)`, with a handler for 403", _VIEWS["`abort(403)`"], _handler(403)),
    ("`abort(403)`, with a handler that returns the exception", _VIEWS["`abort(403)`"], _passing_on),
):  # fmt: skip
    flask_rows.row(_words)(_flask(_view, _prepare))


# -- any ASGI or WSGI application


def _asgi(fails: Callable[[Twin, Any], Any]) -> Callable[[Twin], Any]:
    def build(twin: Twin) -> Any:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] != "lifespan":
                await fails(twin, send)

        return Watch(app, twin, "middleware")

    return build


async def _start(send: Any, kind: str) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind.encode())]})
    await send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True})


async def _asgi_raises(twin: Twin, send: Any) -> None:
    raise twin.raising(RuntimeError("a crash"))


async def _asgi_declared(twin: Twin, send: Any) -> None:
    raise twin.declared(HTTPException(409))


async def _asgi_torn(twin: Twin, send: Any) -> None:
    await _start(send, "text/plain")
    raise twin.raising(RuntimeError("torn"))


async def _asgi_events(twin: Twin, send: Any) -> None:
    await _start(send, "text/event-stream")
    raise twin.raising(RuntimeError("torn"))


async def _asgi_after(twin: Twin, send: Any) -> None:
    await _start(send, "text/plain")
    await send({"type": "http.response.body", "body": b""})
    raise twin.raising(RuntimeError("a task"))


async def _asgi_silent(twin: Twin, send: Any) -> None:
    return


for _words, _app in (
    ("a declared error", _asgi_declared),
    ("an exception that nobody declared", _asgi_raises),
    ("no answer at all", _asgi_silent),
    ("a plain stream breaks", _asgi_torn),
    ("an event stream breaks", _asgi_events),
    ("a failure after the last byte", _asgi_after),
):
    asgi.row(_words)(_asgi(_app))
asgi.row("a websocket crashes before accept", Socket("/x"))(_asgi(_asgi_raises))


def _wsgi(app: Callable[[Twin, Any], Any]) -> Callable[[Twin], Any]:
    def build(twin: Twin) -> Any:
        def watching(environ: Any, start_response: Any) -> Iterator[bytes]:
            try:
                yield from app(twin, start_response)
            except Exception as error:
                twin.saw("middleware", error)
                raise

        return watching

    return build


def _wsgi_torn(twin: Twin, start_response: Any) -> Iterator[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield b"1"
    raise twin.raising(RuntimeError("torn"))


def _wsgi_at_once(twin: Twin, start_response: Any) -> Iterator[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    raise twin.raising(RuntimeError("torn"))
    yield b""


for _words, _served in (
    ("a declared error", lambda twin, start_response: _raise(twin.declared(RuntimeError("v7")))),
    ("an exception that nobody declared", lambda twin, start_response: _raise(twin.raising(RuntimeError("a crash")))),
    ("a stream breaks at its first chunk", _wsgi_at_once),
    ("a stream breaks later", _wsgi_torn),
):
    wsgi.row(_words)(_wsgi(_served))

TABLES = (fastapi, starlette, flask_rows, asgi, wsgi)
