"""Applications inside of others and around others, and applications that change after their start."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, HTTPException, Request, WebSocket
from fastapi.responses import StreamingResponse
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.routing import Mount

from fidelity.middlewares import UnitOfWork, Watch
from fidelity.observed import Call, Socket
from fidelity.twins import STARLETTE_WAYS, Collection, Twin

scenario = Collection("asgi", "composition", STARLETTE_WAYS)


def _fill(twin: Twin, app: Any) -> Any:
    """Routes that fail in the usual ways."""

    @app.get("/ok")
    def ok() -> dict[str, bool]:
        return {"ok": True}

    @app.get("/crash")
    def crash() -> None:
        raise twin.raising(RuntimeError("a crash"))

    @app.get("/http")
    def http() -> None:
        raise twin.raising(HTTPException(403, "closed"))

    @app.get("/declared")
    def declared() -> None:
        raise twin.declared(HTTPException(409, "v7"))

    @app.get("/item/{number}")
    def item(number: int) -> int:
        return number

    @app.get("/events")
    def events() -> StreamingResponse:
        async def chunks() -> Any:
            yield b"data: a\n\n"
            raise twin.raising(RuntimeError("broken"))

        return StreamingResponse(chunks(), media_type="text/event-stream")

    @app.websocket("/socket")
    async def socket(connection: WebSocket) -> None:
        await connection.accept()
        raise twin.raising(RuntimeError("in a socket"))

    return app


def _calls(prefix: str = "") -> tuple[Call | Socket, ...]:
    paths = ("/ok", "/crash", "/http", "/declared", "/item/x", "/nope", "/events")
    return (*(Call(prefix + path) for path in paths), Call(prefix + "/ok", "POST"), Socket(prefix + "/socket"))


class OwnCall(FastAPI):
    """An application whose `__call__` is a unit of work."""

    twin: Twin

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await UnitOfWork(super().__call__, self.twin)(scope, receive, send)


@scenario(*_calls())
def an_application_class_with_its_own_call(twin: Twin) -> Any:
    app = twin.fastapi(kind=OwnCall)
    app.twin = twin
    return _fill(twin, app)


@scenario(*_calls("/inner"))
def a_covered_application_in_one_that_is_not(twin: Twin) -> Any:
    inner = _fill(twin, twin.fastapi())
    twin.cover()
    return Starlette(
        routes=[Mount("/inner", app=inner)],
        middleware=[Middleware(UnitOfWork, twin=twin), Middleware(Watch, twin=twin)],
    )


@scenario(Call("/ok"), *_calls())
def a_stack_that_is_built_anew(twin: Twin) -> Any:
    app = _fill(twin, twin.fastapi())
    twin.cover()

    async def served(scope: Any, receive: Any, send: Any) -> None:
        await app(scope, receive, send)
        if scope["type"] == "http" and Watch not in [each.cls for each in app.user_middleware]:
            app.middleware_stack = None
            app.add_middleware(Watch, twin=twin)

    return served


@scenario(Call("/before"), *_calls("/inner"))
def an_application_that_is_mounted_after_the_start(twin: Twin) -> Any:
    app = twin.fastapi()
    twin.cover()
    app.get("/before")(lambda: "x")

    async def served(scope: Any, receive: Any, send: Any) -> None:
        if scope.get("path") == "/inner/ok" and not any(isinstance(route, Mount) for route in app.routes):
            app.mount("/inner", _fill(twin, FastAPI()))
        await app(scope, receive, send)

    return served


@scenario(*_calls("/inner"))
def an_application_that_is_mounted_inside_of_middlewares(twin: Twin) -> Any:
    app = twin.fastapi()
    app.mount("/inner", Watch(Watch(_fill(twin, FastAPI()), twin, "inner watch"), twin))
    return app


@scenario(*_calls("/inner"))
def an_application_of_fastapis_in_one_of_starlettes(twin: Twin) -> Any:
    return twin.starlette(
        routes=[Mount("/inner", app=_fill(twin, FastAPI()), middleware=[Middleware(Watch, twin=twin)])]
    )


@scenario(Call("/text"), Call("/ok"))
def a_middleware_that_collects_what_breaks(twin: Twin) -> Any:
    app = _fill(twin, twin.fastapi())

    @app.middleware("http")
    async def collects(request: Request, call_next: Any) -> Response:
        response = await call_next(request)
        body = b"".join([chunk async for chunk in response.body_iterator])
        return Response(body, response.status_code, dict(response.headers))

    @app.get("/text")
    def text() -> StreamingResponse:
        async def chunks() -> Any:
            yield b"one"
            yield b"two"
            raise twin.raising(RuntimeError("broken"))

        return StreamingResponse(chunks(), media_type="text/plain")

    return app
