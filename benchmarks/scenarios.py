"""What is requested, and the applications that answer: one per framework, the same for all contenders.

Every application has some real routes and twelve that only have to be passed over. Messages
count up, so that nobody can answer from a cache of whole bodies.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

CHUNKS = 64


Logs = Literal["dropped", "built", "written"]
"""What becomes of events: dropped by level; their fields built, for a logger that discards them; written whole, with
the server's own lines, to the null device."""


class Scenario(NamedTuple):
    """One request. middlewares: plain ASGI middlewares of the user's, which hand everything on."""

    name: str
    path: str
    status: int
    method: str = "GET"
    body: bytes = b""
    logs: Logs = "dropped"
    middlewares: int = 0


_INVALID = b'{"name": 5, "quantity": "many", "tags": "none"}'

SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario("ok", "/ok", 200),
        Scenario("stream", "/stream", 200),
        Scenario("conflict", "/conflict", 409),
        Scenario("not_found", "/invoices/5", 404),
        Scenario("unmatched", "/nowhere", 404),
        Scenario("limited", "/limited", 429),
        Scenario("invalid", "/orders", 422, "POST", _INVALID),
        Scenario("crash", "/crash", 500),
        Scenario("conflict_built", "/conflict", 409, logs="built"),
        Scenario("not_found_built", "/invoices/5", 404, logs="built"),
        Scenario("unmatched_built", "/nowhere", 404, logs="built"),
        Scenario("invalid_built", "/orders", 422, "POST", _INVALID, logs="built"),
        Scenario("crash_built", "/crash", 500, logs="built"),
        Scenario("conflict_logged", "/conflict", 409, logs="written"),
        Scenario("not_found_logged", "/invoices/5", 404, logs="written"),
        Scenario("invalid_logged", "/orders", 422, "POST", _INVALID, logs="written"),
        Scenario("crash_logged", "/crash", 500, logs="written"),
        Scenario("ok_1", "/ok", 200, middlewares=1),
        Scenario("ok_3", "/ok", 200, middlewares=3),
    )
}
"""Starlette has no `invalid`: it validates nothing."""


class Raises(NamedTuple):
    """How a contender's users raise: a function from a message to the exception, for each failure."""

    conflict: Callable[[str], Exception]
    not_found: Callable[[str], Exception]
    limited: Callable[[str], Exception]


class Words:
    """Messages that differ from request to request."""

    def __init__(self) -> None:
        self._next = itertools.count(1000).__next__

    def conflict(self) -> str:
        return f'Version {self._next()} of "summer – 2024" is already published.'

    def not_found(self) -> str:
        return f"Invoice {self._next()} does not exist."

    def limited(self) -> str:
        return f"Too many requests in the last minute: {self._next()}."

    def crash(self) -> RuntimeError:
        return RuntimeError(f"connection {self._next()} to db.internal was lost")


def deep(level: int, words: Words) -> None:
    """A crash some frames down, as in real code."""
    if level:
        deep(level - 1, words)
    raise words.crash()


class Passing:
    """A plain ASGI middleware, as users write them."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


def starlette(raises: Raises, **settings: Any) -> Any:
    """Starlette's application."""
    from starlette.applications import Starlette
    from starlette.responses import JSONResponse, StreamingResponse
    from starlette.routing import Route

    words = Words()

    async def ok(request: Any) -> Any:
        return JSONResponse({"ok": True})

    async def stream(request: Any) -> Any:
        return StreamingResponse(_chunks(), media_type="text/plain")

    async def conflict(request: Any) -> Any:
        raise raises.conflict(words.conflict())

    async def invoice(request: Any) -> Any:
        raise raises.not_found(words.not_found())

    async def limited(request: Any) -> Any:
        raise raises.limited(words.limited())

    async def crash(request: Any) -> Any:
        deep(8, words)

    routes = [
        Route("/ok", ok),
        Route("/stream", stream),
        Route("/conflict", conflict),
        Route("/invoices/{invoice_id:int}", invoice),
        Route("/limited", limited),
        Route("/crash", crash),
        *(Route(f"/filler/{n}/{{item}}", ok) for n in range(12)),
    ]
    return Starlette(routes=routes, **settings)


def fastapi(raises: Raises, **settings: Any) -> Any:
    """FastAPI's application."""
    from fastapi import FastAPI
    from fastapi.responses import StreamingResponse
    from pydantic import BaseModel

    class Order(BaseModel):
        name: str
        quantity: int
        tags: list[str]

    words = Words()
    app = FastAPI(openapi_url=None, **settings)

    @app.get("/ok")
    async def ok() -> dict[str, bool]:
        return {"ok": True}

    @app.get("/stream", response_class=StreamingResponse)
    async def stream() -> Any:
        return StreamingResponse(_chunks(), media_type="text/plain")

    @app.get("/conflict")
    async def conflict() -> None:
        raise raises.conflict(words.conflict())

    @app.get("/invoices/{invoice_id}")
    async def invoice(invoice_id: int) -> None:
        raise raises.not_found(words.not_found())

    @app.get("/limited")
    async def limited() -> None:
        raise raises.limited(words.limited())

    async def orders(order: Any) -> dict[str, bool]:
        return {"ok": True}

    orders.__annotations__["order"] = Order  # a local class: its name cannot be looked up
    app.post("/orders")(orders)

    @app.get("/crash")
    async def crash() -> None:
        deep(8, words)

    for n in range(12):
        app.get(f"/filler/{n}/{{item}}")(ok)

    return app


def flask(raises: Raises) -> Any:
    """Flask's application."""
    import flask as framework
    from pydantic import BaseModel, ValidationError

    class Order(BaseModel):
        name: str
        quantity: int
        tags: list[str]

    words = Words()
    app = framework.Flask("bench")

    @app.get("/ok")
    def ok() -> Any:
        return {"ok": True}

    for n in range(12):
        app.add_url_rule(f"/filler/{n}/<item>", f"filler{n}", lambda item: {"ok": True})

    @app.get("/stream")
    def stream() -> Any:
        return framework.Response((b"data" for _ in range(CHUNKS)), mimetype="text/plain")

    @app.get("/conflict")
    def conflict() -> Any:
        raise raises.conflict(words.conflict())

    @app.get("/invoices/<int:invoice_id>")
    def invoice(invoice_id: int) -> Any:
        raise raises.not_found(words.not_found())

    @app.get("/limited")
    def limited() -> Any:
        raise raises.limited(words.limited())

    @app.post("/orders")
    def orders() -> Any:
        if app.config.get("BENCH_RAISES_FINDINGS"):
            from errorkit.flask import validate

            validate(Order, framework.request.get_json())
        try:
            Order.model_validate_json(framework.request.get_data())
        except ValidationError as error:
            framework.abort(422, description=f"{error.error_count()} fields are invalid.")
        return {"ok": True}

    @app.get("/crash")
    def crash() -> Any:
        deep(8, words)

    return app


async def _chunks() -> Any:
    for _ in range(CHUNKS):
        yield b"data"
