"""What becomes of an application that errorkit cannot be put into, and of the first request without a lifespan."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from structlog.testing import capture_logs

from driving import asgi
from errorkit import fastapi, starlette
from errorkit.starlette import cover as covering
from fidelity.middlewares import Refuses


def _installed() -> Any:
    app = FastAPI()
    fastapi.install(app)
    return app


def _added() -> Any:
    app = FastAPI()
    app.add_middleware(fastapi.ErrorMiddleware)
    return app


def _starlette() -> Any:
    app = Starlette()
    starlette.install(app)
    return app


def _lifespan(app: Any) -> list[Any]:
    """What the application answers to `lifespan.startup`."""
    heard: list[Any] = []

    async def receive() -> Any:
        return {"type": "lifespan.startup" if not heard else "lifespan.shutdown"}

    async def send(message: Any) -> None:
        heard.append(message)

    asyncio.run(app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, receive, send))
    return heard


@pytest.mark.parametrize("build", [_installed, _added, _starlette])
def test_what_fails_while_errorkit_installs_itself_stops_the_start(
    build: Callable[[], Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """With its reason for the server, and a line at error level."""

    def unreadable(*_: Any) -> Any:
        raise TypeError("routes of an unknown kind")

    monkeypatch.setattr(covering, "mounted", unreadable)
    assert _lifespan(build()) == [{"type": "lifespan.startup.failed", "message": "errorkit: routes of an unknown kind"}]
    assert [record.levelname for record in caplog.records] == ["ERROR"]


@pytest.mark.parametrize("where", ["install", "outermost"])
def test_a_refusal_by_a_middleware_before_the_first_scope_is_covered(where: str) -> None:
    """Without a lifespan, in Starlette alone: by `install`, and where errorkit is the outermost middleware."""
    refuses = Middleware(Refuses, path="/", make=lambda: PlainTextResponse("Forbidden", 403))
    own = [Middleware(starlette.ErrorMiddleware)] if where == "outermost" else []
    app = Starlette(middleware=[*own, refuses])
    if where == "install":
        starlette.install(app)
    reply = asgi(app, lifespan=False)
    assert (reply.status, reply.json()["code"]) == (403, "forbidden")


@pytest.mark.parametrize("outside", [True, False])
@pytest.mark.parametrize("lifespan", [True, False])
def test_the_line_at_start_up_tells_what_is_out_of_reach(outside: bool, lifespan: bool) -> None:
    """Plain Starlette, a middleware outside of errorkit, and no lifespan."""
    own = Middleware(starlette.ErrorMiddleware)
    other = Middleware(Refuses, path="/", make=lambda: PlainTextResponse("Forbidden", 403))
    app = Starlette(middleware=[other, own] if outside else [own, other])
    with capture_logs() as events:
        assert asgi(app, path="/nope", lifespan=lifespan).status == 404
    (line,) = [each for each in events if each["event"] == "errorkit_installed"]
    assert ("uncovered" in line) is (outside and not lifespan)
    assert "errorkit.starlette.install" in line.get("uncovered", "errorkit.starlette.install")
