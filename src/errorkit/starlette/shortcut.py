"""A shorter way for requests where nothing but the framework's own layers is between errorkit and the router.

ExceptionMiddleware costs each message of each response a coroutine of its own, and Guard, next
to it, does what it does. So where the stack as it was really built holds no layer of anybody
else's, and nobody has put anything around the framework's classes or around the router since,
an HTTP request is handed from the outermost layer to `Ground`, which is both. It gives the same
bytes (`tests/fidelity`: every twin with and without a middleware of the user's) and the same
exceptions; whatever is not known for sure takes the long way.
"""

from __future__ import annotations

import sys
from copy import copy
from types import FunctionType
from typing import Any

from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.routing import Router

from errorkit.asgi import ErrorMiddleware
from errorkit.asgi.exchange import ASGIExchange
from errorkit.asgi.messages import SCOPE_KEY, ASGIApp, Receive, Scope, Send
from errorkit.lifecycle import WAITING
from errorkit.starlette.exchange import LATE
from errorkit.starlette.table import HANDLERS_KEY, Answers, Guard, Table

_FRAMEWORKS = ("starlette", "fastapi")


class Ground:
    """ExceptionMiddleware and Guard in one, for an application without middlewares of the user's."""

    def __init__(self, guard: Guard, tables: tuple[Any, Any], answers: Answers) -> None:
        self.guard = guard
        self.app = guard.app
        self.tables = tables
        self.answers = answers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one HTTP request."""
        exchange: ASGIExchange = scope[SCOPE_KEY]
        guard, answers = self.guard, self.answers
        guard.see_routes()
        scope[HANDLERS_KEY] = (Table(answers, exchange), answers.by_status)
        try:
            await self.app(scope, receive, send)
        except Exception as exception:
            begun = exchange.state is not WAITING
            if not await guard.answered(scope, receive, send, exception, exchange, answers, begun=begun):
                if begun and _is_handled(exception, self.tables):
                    raise RuntimeError(LATE) from exception  # as ExceptionMiddleware does
                raise
        finally:
            scope[HANDLERS_KEY] = self.tables  # else the scope and the exchange would hold each other


def shortened(first: Any, guard: Guard) -> ASGIApp | None:
    """What is inside of the outermost layer, without the layers that `Ground` stands for; None: the long way.

    first: the layer inside of the outermost one.
    """
    if guard.known is None:
        return None
    if isinstance(first, Router):
        return Ground(guard, *guard.known) if first is guard.router and is_bare(type(first), "__call__") else None
    if isinstance(first, ErrorMiddleware) and first.errors is guard.handler:
        return shortened(first.app, guard)
    if not (is_of_framework(type(first)) and is_bare(type(first), "__call__")):
        return None
    inner = shortened(getattr(first, "app", None), guard)
    if inner is None or type(first) is ExceptionMiddleware:
        return inner
    layer = copy(first)
    layer.app = inner
    return layer  # type: ignore[no-any-return]


def is_of_framework(cls: type) -> bool:
    """Is a class Starlette's or FastAPI's own."""
    return cls.__module__.partition(".")[0] in _FRAMEWORKS


def is_bare(cls: type, name: str) -> bool:
    """Is a method as its framework has defined it, and not somebody else's in its place."""
    method = getattr(cls, name)
    defining = next(base for base in cls.__mro__ if name in vars(base))
    module = sys.modules.get(defining.__module__)
    return type(method) is FunctionType and method.__code__.co_filename == getattr(module, "__file__", None)


def _is_handled(exception: Exception, tables: tuple[Any, Any]) -> bool:
    by_class, by_status = tables
    if getattr(exception, "status_code", None) in by_status:
        return True
    return any(cls in by_class for cls in type(exception).__mro__)
