"""Starlette: where the framework answers exceptions, and how errorkit comes to answer there.

What is declared (an APIError, a mapped class, an HTTPException, a rejected request) is
answered where Starlette answers: next to the route, inside of every middleware. What nobody
declared flies outward through all of them, as without errorkit, and is answered by the
outermost layer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any, Unpack

from starlette.applications import Starlette

from errorkit.applications import added_late, added_twice, wrong_application
from errorkit.asgi import ErrorMiddleware as GenericMiddleware
from errorkit.asgi import begin, websocket
from errorkit.asgi.exchange import ASGIExchange
from errorkit.asgi.messages import PYTHON_FUNCTIONS, SCOPE_KEY, ASGIApp, Receive, Scope, Send, in_python
from errorkit.configuration_error import ConfigurationError
from errorkit.declaration import Operation, raises
from errorkit.events import last_resort
from errorkit.handler import build_handler
from errorkit.lifecycle import HELD, WAITING, came_through
from errorkit.request_id import current
from errorkit.starlette import exceptions
from errorkit.starlette.cover import Cover, Outermost
from errorkit.starlette.exchange import StarletteExchange
from errorkit.starlette.routes import mounted, operations
from errorkit.starlette.table import STARLETTE_DEFAULTS, Defaults, Guard

if TYPE_CHECKING:  # pragma: no cover - types only
    from errorkit.config import Config
    from errorkit.handler import ErrorHandler
    from errorkit.identification import Translator
    from errorkit.settings import Settings

__all__ = ["ErrorMiddleware", "StarletteExchange", "install", "install_with", "operations", "raises"]


class ErrorMiddleware(GenericMiddleware):
    """`app.add_middleware(ErrorMiddleware, dialect="openai")`, at any position.

    It covers the application when the first scope reaches it (`lifespan` under every
    server), and lets everything pass from then on: the failures are answered where the
    framework answers them. Around an application, `ErrorMiddleware(app)`, it covers that one.
    Without a lifespan, what a middleware further out refuses before the first scope has come
    through is out of reach in plain Starlette: use `install`.

    Settings: see `errorkit.config.Config`.
    """

    exchange_class = StarletteExchange
    defaults: Defaults = STARLETTE_DEFAULTS
    """What the framework itself answers."""
    guarded: ASGIApp | None = None
    """What is inside, where that is not the same for a scope that is left alone."""
    looks_inside = False
    prevented: Exception | None = None
    """Why errorkit could not be put into the application."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        config: Config | None = None,
        handler: ErrorHandler | None = None,
        **settings: Unpack[Settings],
    ) -> None:
        self.settled = handler is not None
        super().__init__(app, config=config, handler=handler, **settings)
        if self.settled or self.refusal is not None:
            return
        if isinstance(app, Starlette):
            self.settled = True
            install_with(type(self), app, self.errors)
        else:
            owner = self.owner(app)
            if owner is not None:
                enter_before_others(self, owner)

    @classmethod
    def build(cls, config: Config | None, settings: Settings) -> ErrorHandler:
        """A handler that knows the framework's exceptions."""
        handler = build_handler(config, settings)
        handler.identifier.add(cls.translators(handler))
        return handler

    @classmethod
    def translators(cls, handler: ErrorHandler) -> dict[type[BaseException], Translator]:
        """The framework's exceptions and the errors that answer for them."""
        return exceptions.translators(handler)

    def owner(self, app: ASGIApp) -> Starlette | None:
        """The application whose stack is being built, where a layer further in knows it."""
        return None

    def describe(self, app: Starlette, path: str) -> None:
        """Called with each application that is covered, and the path that it is reached by.

        Raises ConfigurationError for a route that declares an error without a place in the catalogue.
        """
        self.check_declared(operations(app), path)

    def check_declared(self, operations: Iterable[Operation], path: str) -> None:
        """Look for codes that routes declare and no catalogue has: the OpenAPI document could not be made."""
        catalog = self.handler.catalog
        try:
            for operation in operations:
                served = path + operation.path
                unknown = [code for code in operation.declared if catalog.current(code) not in catalog]
                if unknown and self.handler.renderer_for(served) is not None:
                    raise ConfigurationError.of(
                        f"raises of {operation.method} {served}",
                        unknown[0],
                        "the catalogue has no such code; list its class in catalog=",
                    )
        except ConfigurationError:
            raise
        except Exception as own:
            last_resort("the declarations of routes could not be read", own)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a scope pass whose exchange has been begun further out."""
        if SCOPE_KEY in scope and self.settled:
            await self.app(scope, receive, send)
        else:
            await self.first(scope, receive, send)

    async def first(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A scope that no place further out has seen: the first one, a lifespan, or one that is left alone."""
        app = scope.get("app")
        within = isinstance(app, Starlette) and app.middleware_stack is not None and has_errorkit(app)
        if isinstance(app, Starlette) and within and self.prevented is None and self.refusal is None:
            self.settle(app, scope["type"])
        if self.refusal is not None:
            serve = self.refusal if SCOPE_KEY in scope else super().__call__
            await serve(scope, receive, send)
            return
        if self.prevented is not None and scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.failed", "message": f"errorkit: {self.prevented}"})
            return
        if self.prevented is None and not within:  # around a route, a mount, or an application of another kind
            await super().__call__(scope, receive, send)
            return
        exchange = None if self.prevented is not None else begin(scope, self.handler, StarletteExchange)
        if exchange is None:
            await self.app(scope, receive, send)
        else:
            await _pass(exchange, self.guarded or self.app, scope, receive, send)

    def settle(self, app: Starlette, first: str) -> None:
        """See that an application whose stack has been built is covered, in full from the next scope on.

        first: the type of the scope that has come.
        """
        stack = app.middleware_stack
        if stack is None or (self.settled and isinstance(stack, Outermost)):
            return
        try:
            if not self.settled:
                self.settled = True
                check_added_once(app)
                guard = app.router.middleware_stack
                if isinstance(guard, Guard) and getattr(app.state, "errorkit", None) is None:
                    self.errors = guard.handler  # its stack has been built before
                cover = self.cover(app)
                cover.last_answers(app)
                others: list[Any] = app.user_middleware
                first_in = not others or others[0].cls is type(self)
                early = first == "lifespan" or first_in or self.owner(self.app) is not None
                self.announce(cover, **({} if early else {"uncovered": _REFUSED_BEFORE}))
            app.middleware_stack = Outermost.of(stack, self.handler)
        except ConfigurationError as wrong:
            self.refuse(wrong)
        except Exception as own:
            self.prevented = own
            last_resort("errorkit could not be put into the application", own)

    def cover(self, app: Starlette) -> Cover:
        """Put the answers into an application and into all that are mounted in it."""
        if any(base.__module__ == _FASTAPI for each in _with_mounted(app) for base in type(each).__mro__):
            self._know_fastapi()
        cover = Cover(self.handler, self.defaults, has_errorkit, self.describe)
        cover.application(app)
        return cover

    def _know_fastapi(self) -> None:
        """A FastAPI application rejects requests by itself, and repeats what was submitted: its adapter knows how.

        By name, as this module stands beneath that one.
        """
        knowing = import_module("errorkit.fastapi").ErrorMiddleware
        if self.defaults != knowing.defaults:
            self.defaults = knowing.defaults
            self.handler.identifier.add(knowing.translators(self.handler))

    def announce(self, cover: Cover, **limits: str) -> None:
        """The line at start-up."""
        self.handler.announce(mounts=cover.covered, user_handlers=cover.kept, shadowed=cover.shadowed, **limits)


def _with_mounted(app: Starlette) -> Iterator[Starlette]:
    yield app
    for _, inner in mounted(app.routes, ""):
        yield from _with_mounted(inner)


_FASTAPI = "fastapi.applications"
_REFUSED_BEFORE = (
    "what a middleware outside of errorkit has refused before this request: use errorkit.starlette.install"
)


def has_errorkit(app: Starlette) -> bool:
    """Does an application have an errorkit of its own."""
    if getattr(app.state, "errorkit", None) is not None:
        return True
    return any(isinstance(each.cls, type) and issubclass(each.cls, ErrorMiddleware) for each in app.user_middleware)


def check_added_once(app: Starlette) -> None:
    """Refuse an application that errorkit was added to twice, or as an object. Raises ConfigurationError."""
    times = int(getattr(app.state, "errorkit", None) is not None)
    for each in app.user_middleware:
        made: Any = each.cls
        if isinstance(made, GenericMiddleware):
            why = "add_middleware was given one that is made already; use app.add_middleware(ErrorMiddleware, ...)"
            raise ConfigurationError.of("app", app, why)
        times += isinstance(made, type) and issubclass(made, GenericMiddleware)
    if times > 1:
        raise added_twice(app)


def enter_before_others(kit: ErrorMiddleware, app: Starlette) -> None:
    """While a stack is built, let errorkit be around the outermost of the user's middlewares, too.

    What that one refuses never reaches the place that errorkit was added at, and before the
    first scope has reached it the rest of the stack cannot be covered.
    """
    others: list[Any] = app.user_middleware  # its factories are callables of any kind
    if app.middleware_stack is not None or not has_errorkit(app) or others[0].cls is type(kit):
        return
    outermost, factory = others[0], others[0].cls

    def entered(inner: ASGIApp, *args: Any, **kwargs: Any) -> ErrorMiddleware:
        outermost.cls = factory
        entry = type(kit)(factory(inner, *args, **kwargs), handler=kit.handler)
        entry.settled = False
        return entry

    outermost.cls = entered


async def _pass(exchange: ASGIExchange, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Serve a scope in the middle of the stack: its exchange begins here, what is raised flies on to be answered."""
    exchange.alone = scope["app"]
    exchange.server_receive = receive
    exchange.onward = send if type(send) in PYTHON_FUNCTIONS else in_python(send)
    token = current.set(exchange.request_id)
    try:
        if scope["type"] == "http":
            await app(scope, exchange.receive, exchange.send)
            await exchange.send_held()
        else:
            await app(scope, receive, websocket.noting(exchange, exchange.onward))
        exchange.conclude()
    except Exception as exception:
        if scope["type"] == "websocket":  # Starlette's outermost layer answers none
            await websocket.settle(exchange, exception)
            exchange.conclude()
        elif isinstance(exception, OSError) and came_through(exception, exchange.onward):
            exchange.left(exception)
            exchange.conclude()
        elif exchange.state is HELD:
            exchange.broke(exception, "aborted")
            exchange.conclude()
        elif exchange.state is not WAITING:
            await exchange.carry_out(exchange.raised(exception))  # the last event of a stream of events
            exchange.conclude()
        raise
    finally:
        current.reset(token)


def install(app: Starlette, *, config: Config | None = None, **settings: Unpack[Settings]) -> ErrorHandler:
    """Cover an application from an app factory, from its first request on, with or without a lifespan.

    Returns the handler. Raises ConfigurationError, also for an application that has started.
    """
    return install_with(ErrorMiddleware, app, ErrorMiddleware.build(config, settings))


def install_with(middleware: type[ErrorMiddleware], app: Starlette, handler: ErrorHandler) -> ErrorHandler:
    """Cover an application with a given middleware class as soon as its stack is built."""
    if not isinstance(app, Starlette):
        raise wrong_application(app, "a Starlette application")
    if has_errorkit(app):
        raise added_twice(app)
    if app.middleware_stack is not None:
        raise added_late(app)
    build: Callable[[], ASGIApp] = app.build_middleware_stack

    def build_covered() -> ASGIApp:
        entry = middleware(app.router, handler=handler)
        try:
            check_added_once(app)
            cover = entry.cover(app)
        except ConfigurationError as wrong:
            entry.refuse(wrong)
            return entry
        except Exception as own:
            last_resort("errorkit could not be put into the application", own)
            entry.prevented = own
            stack: Any = build()
            entry.app, stack.app = stack.app, entry
            return stack  # type: ignore[no-any-return]
        guard = app.router.middleware_stack
        assert isinstance(guard, Guard)
        entry.app, entry.guarded, guard.entry = guard.app, guard, entry
        with cover.answering(app):
            stack = Outermost.of(build(), handler)
        entry.announce(cover)
        return stack  # type: ignore[no-any-return]

    app.build_middleware_stack = build_covered  # type: ignore[method-assign]
    app.state.errorkit = handler
    return handler
