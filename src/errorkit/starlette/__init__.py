"""Starlette: where the framework hides its failures, and how each is reached.

Starlette answers errors in two layers of its own. A guard is put inside of both, around
the router, so that the user's middlewares apply to error responses; the middleware itself
is put outside of both, so that what the user's middlewares raise is caught, too. Where
nothing but Starlette's layers is between, those two are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from importlib import import_module
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.responses import PlainTextResponse
from starlette.responses import Response as StarletteResponse
from starlette.routing import Router

from errorkit.asgi import ErrorMiddleware as GenericMiddleware
from errorkit.asgi.messages import SCOPE_KEY, ASGIApp, Flow, Receive, Scope, Send, respond
from errorkit.starlette import exceptions
from errorkit.starlette.guard import CLIENT_GONE, HANDLERS_KEY, NO_HANDLERS, AtRouter, Guard, StarletteRequest
from errorkit.starlette.routes import mounted, operations

if TYPE_CHECKING:  # pragma: no cover - building a handler loads pydantic, importing this does not
    from errorkit.config import Config
    from errorkit.handler import ErrorHandler
    from errorkit.identification import Translator

__all__ = ["ErrorMiddleware", "StarletteRequest", "install", "install_with", "operations"]


class LastAnswer(StarletteResponse):
    """The answer to what a user's middleware raised; made only when it is really sent."""

    def __init__(self, handler: ErrorHandler, request: StarletteRequest, exception: Exception) -> None:
        self.handler, self.request, self.exception = handler, request, exception

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, unless the client has left."""
        if self.request.outcome == "client_gone":
            return
        response = self.handler.respond(self.request, self.exception)
        self.request.claim()
        await respond(self.request, Flow(), response, send)


class ErrorMiddleware(GenericMiddleware):
    """`app.add_middleware(ErrorMiddleware, dialect="openai")`, at any position.

    It installs itself around the application at the first scope it sees (`lifespan` under
    every server). Settings: see `errorkit.config.Config`.
    """

    gone = CLIENT_GONE
    request_class = StarletteRequest
    defaults: frozenset[Any] = frozenset()
    """Exception handlers that the framework registers by itself."""

    def __init__(
        self, app: ASGIApp, *, config: Config | None = None, handler: ErrorHandler | None = None, **settings: Any
    ) -> None:
        super().__init__(app, handler=handler or self.build(config, settings))
        self.settled = handler is not None

    @classmethod
    def build(cls, config: Config | None, settings: dict[str, Any]) -> ErrorHandler:
        """A handler that knows the framework's exceptions."""
        from errorkit.handler import build_handler

        handler = build_handler(config, settings)
        handler.identifier.add(cls.translators(handler))
        return handler

    @classmethod
    def translators(cls, handler: ErrorHandler) -> dict[type[BaseException], Translator]:
        """The framework's exceptions and the errors that answer for them."""
        return exceptions.translators(handler)

    def settle(self, scope: Scope) -> None:
        """The first scope tells the application: cover it from outside and from within."""
        app = scope.get("app")
        if isinstance(app, Starlette) and app.middleware_stack is not None and SCOPE_KEY not in scope:
            self.cover(app)

    def cover(self, app: Starlette) -> None:
        """Put the guard into an application and into all that are mounted in it, and this around its stack."""
        covered: list[str] = []
        kept: list[str] = []
        self._guard(app, "", covered, kept)
        stack, guard = app.middleware_stack, app.router.middleware_stack
        assert stack is not None
        outermost = type(self)(stack, handler=self.handler)
        if isinstance(guard, Guard) and guard.alone and not (guard.own or self.reraise):
            inner = _lightened(stack, app.router, guard)
            if inner is guard:
                outermost = OnlyPlace(stack, guard)
            elif inner is not None:
                outermost.app = inner
        app.middleware_stack = outermost
        self.handler.announce(mounts=covered, user_handlers=kept)

    def _guard(self, app: Starlette, path: str, covered: list[str], kept: list[str]) -> None:
        if isinstance(app.router.middleware_stack, Guard):
            return
        if any(base.__module__ == _FASTAPI for base in type(app).__mro__):
            self._know_fastapi()
        own = {key: value for key, value in app.exception_handlers.items() if value not in self.defaults}
        self._answer_for_middlewares(app, own)
        kept += [f"{path or '/'}: {getattr(key, '__name__', key)}" for key in own]
        alone = not path and app.max_body_size is None and all(_is_errorkit(m.cls) for m in app.user_middleware)
        framework = {key: value for key, value in app.exception_handlers.items() if key not in (500, Exception)}
        app.router.middleware_stack = Guard(app.router.middleware_stack, self.handler, own, framework, alone=alone)
        for prefix, inner in mounted(app.routes, path):
            if not any(_is_errorkit(middleware.cls) for middleware in inner.user_middleware):
                covered.append(prefix)
                self._guard(inner, prefix, covered, kept)

    def _know_fastapi(self) -> None:
        """A FastAPI application rejects requests by itself, and repeats what was submitted: its adapter knows how.

        By name, as this module stands beneath that one.
        """
        knowing = import_module("errorkit.fastapi").ErrorMiddleware
        if not self.defaults >= knowing.defaults:
            self.defaults |= knowing.defaults
            self.handler.identifier.add(knowing.translators(self.handler))

    def _answer_for_middlewares(self, app: Starlette, own: Mapping[Any, Any]) -> None:
        """What a user's middleware raises reaches Starlette's outermost layer first."""
        if Exception in own or 500 in own:
            return
        if app.middleware_stack is None:
            app.add_exception_handler(Exception, self._server_error)
        elif isinstance(app.middleware_stack, ServerErrorMiddleware):
            app.middleware_stack.handler = self._server_error

    async def _server_error(self, connection: Any, exception: Exception) -> StarletteResponse:
        """What ServerErrorMiddleware sends, if nothing has been sent, before it raises again."""
        request: StarletteRequest | None = connection.scope.get(SCOPE_KEY)
        if request is None or request.owner is not self.handler:
            return PlainTextResponse("Internal Server Error", status_code=500)
        return LastAnswer(self.handler, request, exception)


class OnlyRequest(StarletteRequest):
    """A request for which Starlette's own layers have not run."""

    def __init__(self, scope: Scope, owner: Any) -> None:
        super().__init__(scope, owner)
        scope[HANDLERS_KEY] = NO_HANDLERS


class OnlyPlace(AtRouter, ErrorMiddleware):
    """The outermost place where it is the innermost as well: nothing but the router is inside.

    stack: the application's, for what errorkit leaves alone.
    """

    request_class = OnlyRequest

    def __init__(self, stack: ASGIApp, guard: Guard) -> None:
        super().__init__(stack, handler=guard.handler)
        self.app = guard.app
        self.framework = guard.framework


def install(app: Starlette, *, config: Config | None = None, **settings: Any) -> ErrorHandler:
    """Cover an application from an app factory; the same as `add_middleware(ErrorMiddleware)`.

    Returns the handler. Raises ConfigurationError; RuntimeError if the application has started.
    """
    return install_with(ErrorMiddleware, app, config, settings)


def install_with(
    middleware: type[ErrorMiddleware], app: Starlette, config: Config | None, settings: dict[str, Any]
) -> ErrorHandler:
    """Cover an application with a given middleware class as soon as its stack is built."""
    if app.middleware_stack is not None:
        raise RuntimeError("errorkit must be installed before the application serves its first request")
    handler = middleware.build(config, settings)
    build: Callable[[], ASGIApp] = app.build_middleware_stack

    def build_covered() -> ASGIApp:
        app.middleware_stack = build()
        middleware(app.middleware_stack, handler=handler).cover(app)
        return app.middleware_stack

    app.build_middleware_stack = build_covered  # type: ignore[method-assign]
    app.state.errorkit = handler
    return handler


def _lightened(layer: Any, router: Router, guard: Guard) -> Any:
    """A stack without the layers that no exception reaches any more; None if a stranger is in it.

    What the guard answers neither ExceptionMiddleware nor ServerErrorMiddleware would see, and
    each of them costs every message of every response a call. The stack itself is left as it
    is, for what errorkit leaves alone.
    """
    if layer is router:
        return guard if type(layer).__call__ is Router.__call__ else layer
    ours = isinstance(layer, GenericMiddleware)
    if type(layer).__module__.partition(".")[0] not in _KNOWN or (ours and layer.handler is not guard.handler):
        return None
    inner = _lightened(getattr(layer, "app", None), router, guard)
    if inner is None or ours or isinstance(layer, (ServerErrorMiddleware, ExceptionMiddleware)):
        return inner
    layer = copy(layer)
    layer.app = inner
    return layer


_FASTAPI = "fastapi.applications"
_KNOWN = frozenset({"starlette", "fastapi", "errorkit"})


def _is_errorkit(factory: object) -> bool:
    return isinstance(factory, type) and issubclass(factory, GenericMiddleware)
