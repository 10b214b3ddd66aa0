"""The stack stays what the framework builds, and its table of handlers is what it was found to be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import structlog
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from driving import asgi
from errorkit import ConflictError, errors
from errorkit import fastapi as for_fastapi
from errorkit import starlette as for_starlette
from errorkit.asgi import ErrorMiddleware as GenericMiddleware
from errorkit.config import Config
from errorkit.events import EventLog
from errorkit.handler import ErrorHandler

Settings = dict[str, Any]


async def fine(request: Request) -> Response:
    return JSONResponse({"ok": True})


async def elsewhere(request: Request) -> Response:
    raise HTTPException(307, "look there", headers={"Location": "/fine"})


async def unchanged(request: Request) -> Response:
    raise HTTPException(304)


async def conflict(request: Request) -> Response:
    raise ConflictError("taken")


async def crash(request: Request) -> Response:
    raise RuntimeError("private words")


async def raw(scope: Any, receive: Any, send: Any) -> None:
    raise HTTPException(303, headers={"Location": "/raw"})


ROUTES = {"/fine": fine, "/elsewhere": elsewhere, "/unchanged": unchanged, "/conflict": conflict, "/crash": crash}


def app(framework: type[Starlette], **settings: Any) -> Starlette:
    """The same routes in each framework."""
    routes = [Route(path, endpoint) for path, endpoint in ROUTES.items()]
    return framework(routes=[*routes, Mount("/raw", app=raw)], **settings)


def installed(framework: type[Starlette], settings: Settings, **of_app: Any) -> Starlette:
    covered = app(framework, **of_app)
    install: Callable[..., ErrorHandler] = for_fastapi.install if framework is FastAPI else for_starlette.install
    install(covered, **settings)
    return covered


def added(framework: type[Starlette], settings: Settings, **of_app: Any) -> Starlette:
    covered = app(framework, **of_app)
    module = for_fastapi if framework is FastAPI else for_starlette
    covered.add_middleware(module.ErrorMiddleware, **settings)
    return covered


covering = pytest.mark.parametrize("cover", [installed, added])
in_each = pytest.mark.parametrize("framework", [Starlette, FastAPI])


def layers(stack: Any) -> list[type]:
    """The layers that a covered request passes, from the outside in."""
    found = []
    while stack is not None and hasattr(stack, "__dict__"):
        found.append(type(stack))
        stack = getattr(stack, "app", None)
    return found


@covering
@in_each
def test_the_stack_is_what_the_framework_builds(framework: type[Starlette], cover: Any) -> None:
    """Its first layer is a ServerErrorMiddleware, for which instrumentations look; none is missing."""
    covered = cover(framework, {"dialect": "problem"})
    assert asgi(covered, path="/fine").status == 200
    assert asgi(covered, path="/conflict").json()["code"] == "conflict"
    assert isinstance(covered.middleware_stack, ServerErrorMiddleware)
    bare = [layer for layer in layers(app(framework).build_middleware_stack()) if layer is not ServerErrorMiddleware]
    assert [layer for layer in layers(covered.middleware_stack) if layer in bare] == bare


@in_each
def test_the_frameworks_table_of_handlers_is_as_it_was_found(framework: type[Starlette]) -> None:
    """A pair of mappings, by class and by status, that ExceptionMiddleware puts into the scope and routes read."""
    seen: list[Any] = []

    async def look(request: Request) -> Response:
        seen.append(request.scope["starlette.exception_handlers"])
        raise HTTPException(404)

    async def mine(request: Request, exception: Exception) -> Response:
        return JSONResponse({"mine": True}, 404)

    bare = framework(routes=[Route("/look", look)], exception_handlers={404: mine, KeyError: mine})
    assert asgi(bare, path="/look").json() == {"mine": True}
    covered = installed(framework, {"dialect": "problem"}, exception_handlers={404: mine, KeyError: mine})
    covered.router.routes.append(Route("/look", look))
    assert asgi(covered, path="/look").json() == {"mine": True}
    (by_class, by_status), (our_classes, our_statuses) = seen
    assert (by_class[KeyError], by_status[404]) == (mine, mine)
    assert HTTPException in by_class
    assert set(by_class) <= set(our_classes)
    assert set(by_status) == set(our_statuses)
    assert len(our_classes) == len(list(our_classes))
    assert KeyError in our_classes


@pytest.mark.parametrize("path", ["/elsewhere", "/unchanged", "/raw/x"])
@covering
@in_each
def test_a_redirect_by_exception_is_the_frameworks(
    framework: type[Starlette], cover: Any, path: str, log: list[Any]
) -> None:
    """As without errorkit, but for the request ID; it is no failure."""
    bare = asgi(app(framework), path=path)
    reply = asgi(cover(framework, {"dialect": "problem"}), path=path)
    assert (reply.status, reply.body) == (bare.status, bare.body)
    assert [pair for pair in reply.headers if pair[0] != "x-request-id"] == bare.headers
    assert reply.header("x-request-id")
    assert [event for event in log if event["event"] == "request_failed"] == []


@covering
@in_each
def test_debug_mode_shows_nothing_by_itself(framework: type[Starlette], cover: Any) -> None:
    """The envelope answers; the framework's page with source and variables does not."""
    reply = asgi(cover(framework, {"dialect": "problem"}, debug=True), path="/crash")
    assert reply.json()["code"] == "internal"
    assert b"private words" not in reply.body


@covering
@in_each
def test_reraise_gives_the_frameworks_debug_page(framework: type[Starlette], cover: Any) -> None:
    """And only for what nobody declared."""
    covered = cover(framework, {"dialect": "problem", "reraise": True}, debug=True)
    reply = asgi(covered, path="/crash")
    assert isinstance(reply.raised, RuntimeError)
    assert b"Traceback" in reply.body
    assert asgi(covered, path="/conflict").status == 409


@in_each
def test_two_errorkits_answer_once(framework: type[Starlette], log: list[Any]) -> None:
    """One around the other, with other settings: one envelope, one ID, one event."""
    covered = GenericMiddleware(added(framework, {"dialect": "problem"}), dialect="openai")
    for path, status in (("/conflict", 409), ("/nowhere", 404), ("/crash", 500)):
        log.clear()
        reply = asgi(covered, path=path)
        assert reply.status == status
        assert reply.raised is None
        (event,) = [event for event in log if event["event"] == "request_failed"]
        assert event["request_id"] == reply.header("x-request-id")


@in_each
def test_a_handler_of_the_users_keeps_the_layers(framework: type[Starlette]) -> None:
    """What it answers is what is sent."""

    async def teapot(request: Request, exception: Exception) -> Response:
        return JSONResponse({"mine": True}, 418)

    covered = installed(framework, {"dialect": "problem"}, exception_handlers={KeyError: teapot})

    async def missing(request: Request) -> Response:
        raise KeyError("x")

    covered.router.routes.append(Route("/missing", missing))
    reply = asgi(covered, path="/missing")
    assert (reply.status, reply.json()) == (418, {"mine": True})
    assert ExceptionMiddleware in layers(covered.middleware_stack)


def test_a_level_that_is_part_of_a_loggers_class_is_known_without_a_logger() -> None:
    """Another class's own idea of its level is asked of a logger, each time."""

    class Quiet(structlog.BoundLogger):
        def get_effective_level(self) -> int:
            raise AssertionError("asked without a logger")

        def is_enabled_for(self, level: int) -> bool:
            return level >= 40

    written: list[str] = []

    def keep(logger: Any, method: str, event: Any) -> Any:
        written.append(event["code"])
        raise structlog.DropEvent

    events = EventLog()
    handler = ErrorHandler(Config(dialect="problem"))
    try:
        for wrapper in (Quiet, structlog.make_filtering_bound_logger("error"), Quiet):
            structlog.configure(processors=[keep], wrapper_class=wrapper)
            for error in (errors.ConflictError(), errors.InternalError()):
                scope = {"type": "http", "path": "/", "headers": []}
                renderer = handler.renderer_for("/")
                assert renderer is not None
                request = for_starlette.StarletteExchange(handler, renderer, "r1")
                request.scope = scope
                handler.respond(request, error)
                assert request.failure is not None
                events.record(request, request.failure)
    finally:
        structlog.reset_defaults()
    assert written == ["internal"] * 3
