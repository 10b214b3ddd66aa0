"""How errorkit comes into an application: which layers of its stack get which answer.

    ServerErrorMiddleware   becomes Outermost, the same layer with errorkit's outermost place in it; its handler is
                            errorkit's: what nobody declared flies to it through every middleware
    the user's middlewares
    ExceptionMiddleware     is left as it is
    Guard                   around the router: gives the request its table of answers

Nothing is taken out of a stack. A layer that is not the framework's own always gets every request;
where there is none, an HTTP request goes a shorter way (`shortcut`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from errorkit.applications import inside
from errorkit.asgi import ASGIExchange, OutermostPlace
from errorkit.asgi.messages import SCOPE_KEY, ASGIApp, Receive, Scope, Send
from errorkit.lifecycle import WAITING
from errorkit.starlette.exchange import StarletteExchange
from errorkit.starlette.routes import layers, mounted, of_others
from errorkit.starlette.shortcut import is_bare, is_of_framework, shortened
from errorkit.starlette.table import (
    HANDLERS_KEY,
    Answer,
    Answers,
    Defaults,
    ExceptionHandler,
    Guard,
    called,
    is_frameworks,
)

if TYPE_CHECKING:  # pragma: no cover - types only
    from errorkit.handler import ErrorHandler

_BARE_CALL = ServerErrorMiddleware.__call__
_BARE_EXCEPTIONS = ExceptionMiddleware.__call__
_IS_BARE = is_bare(ServerErrorMiddleware, "__call__")


class Short(NamedTuple):
    """A shorter way, and what must still be as it was when it was found."""

    way: ASGIApp
    first: ASGIApp
    router: Any
    guard: Guard


class Outermost(OutermostPlace, ServerErrorMiddleware):
    """Starlette's outermost layer with errorkit's outermost place in it.

    What ServerErrorMiddleware does is done once an exception has come, and not by a layer of its
    own around every message; where somebody has put something around its `__call__`, as some
    instrumentations do, and for a debug page, it is asked as it is.
    """

    exchange_class = StarletteExchange
    short: Short | None = None
    looked = False
    """Has a shorter way been looked for."""
    own_call: bool | None = None
    """Has the application's class a `__call__` of its own, which sees what is raised."""

    def __init__(self, app: ASGIApp, handler: Any, debug: bool, errors: ErrorHandler) -> None:
        super().__init__(app, handler=handler, debug=debug)
        self.errors = errors
        self.plain = _IS_BARE and handler is not None and not debug
        """Nothing but its handler is asked."""

    async def left_alone(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Starlette's own layer."""
        if scope["type"] == "lifespan":
            self.stays_inside(scope)
        await ServerErrorMiddleware.__call__(self, scope, receive, send)

    def stays_inside(self, scope: Scope) -> bool:
        """Is somebody further out who sees what is raised.

        If that is a layer that was put around this one: be outside of it with the next scope.
        """
        app: Any = scope.get("app")
        if app is None:
            return False
        stack = app.middleware_stack
        if not (stack is self or isinstance(stack, Outermost)):
            app.middleware_stack = Outermost.of(stack, self.errors)
            return True
        if self.own_call is None:
            defining = next((cls for cls in type(app).__mro__ if "__call__" in vars(cls)), Starlette)
            self.own_call = not is_of_framework(defining)
        if not self.looked:
            self._look_for_short_way(app.router)
        return self.own_call or HANDLERS_KEY in scope

    @property
    def stands_in(self) -> bool:
        """Is Starlette's own `__call__` not to be asked."""
        return self.plain and ServerErrorMiddleware.__call__ is _BARE_CALL

    @property
    def inside(self) -> ASGIApp:
        """The next layer; or the whole of Starlette's own layer, where that has to be asked."""
        if not self.stands_in:
            return partial(ServerErrorMiddleware.__call__, self)
        short = self.short
        if (
            short is not None
            and short.first is self.app
            and short.router.middleware_stack is short.guard
            and ExceptionMiddleware.__call__ is _BARE_EXCEPTIONS
        ):
            return short.way
        inside: ASGIApp = self.app
        return inside

    def _look_for_short_way(self, router: Any) -> None:
        guard = router.middleware_stack
        if not isinstance(guard, Guard) or guard.handler is not self.errors:
            self.looked = True
        elif guard.known is not None:  # the first request has shown the framework's tables
            self.looked = True
            way = shortened(self.app, guard)
            self.short = None if way is None else Short(way, self.app, router, guard)

    async def caught(self, exchange: ASGIExchange, exception: Exception) -> bool:
        """As ServerErrorMiddleware does it: its handler is asked, and answers unless a response has begun."""
        if not self.stands_in:
            return await exchange.settle(exception)
        begun = exchange.state is not WAITING
        request = Request(exchange.scope)
        try:
            answers: Any = self.handler
            own = type(answers) is LastAnswers  # is known to be a coroutine's
            response = await (answers if own else partial(called, answers))(request, exception)
            if not begun:
                await response(exchange.scope, exchange.receive, exchange.send)
        except Exception as again:
            if await exchange.settle(again):
                return True
            raise
        return await exchange.settle(exception)

    @classmethod
    def of(cls, stack: ASGIApp, errors: ErrorHandler) -> Outermost:
        """A stack with this as its first layer: in place of Starlette's own, if that is the first one."""
        if isinstance(stack, cls):
            return stack
        if type(stack) is ServerErrorMiddleware:
            return cls(stack.app, stack.handler, stack.debug, errors)
        return cls(stack, None, False, errors)


class LastAnswers:
    """What ServerErrorMiddleware answers for one application, and with which fields.

    user: the handler for Exception or 500 that the user has registered: it is for what nobody declared.
    """

    def __init__(self, app: Starlette, errors: ErrorHandler, defaults: Defaults, user: ExceptionHandler | None) -> None:
        self.app = app
        self.errors = errors
        self.answers = Answers(errors, defaults, ({}, {}), {})
        self.user = None if user is None else self.answers.of_user(user)

    async def __call__(self, request: Any, exception: Exception) -> Any:
        """The response to an exception that has come through every middleware."""
        exchange: ASGIExchange | None = request.scope.get(SCOPE_KEY)
        ours = exchange is not None and exchange.handler is self.errors
        observed = exchange is not None and ours and exchange.is_observed(exception)
        if self.user is not None and (observed or not (ours and self.errors.identifier.handles(exception))):
            if exchange is None or exchange.alone is not self.app:
                return await self.user(request, exception)
            try:
                return Alone(exchange, await self.user(request, exception))
            except Exception as again:  # there is no place of errorkit's further out to answer it
                if observed:
                    exchange.crashed(again)
                    exchange.conclude()
                    raise
                return Last(self.app, exchange, again, raised_on=again)
        if exchange is None or not ours:
            return PlainTextResponse("Internal Server Error", status_code=500)
        if observed:
            if exchange.state is WAITING:
                exchange.crashed(exception)
            bare = ServerErrorMiddleware(self.app, debug=self.app.debug)
            response = (bare.debug_response if bare.debug else bare.error_response)(request, exception)
            return Alone(exchange, response) if exchange.alone is self.app else response
        return Last(self.app, exchange, exception)


class Alone:
    """A response of the user's where no place of errorkit's is at the outside: it gets its id and its event here."""

    def __init__(self, exchange: ASGIExchange, response: ASGIApp) -> None:
        self.exchange = exchange
        self.response = response

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        self.exchange.onward = send
        await self.response(scope, receive, self.exchange.send)
        self.exchange.conclude()


class Last:
    """errorkit's answer to what has come through every middleware, made only when it is sent.

    It has passed the application's CORS middleware as an exception: its fields are added here,
    so that a browser can read the answer.
    """

    def __init__(
        self, app: Starlette, exchange: ASGIExchange, exception: Exception, raised_on: Exception | None = None
    ) -> None:
        self.app = app
        self.exchange = exchange
        self.exception = exception
        self.raised_on = raised_on

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, unless the client has left or the exception shall reach the server."""
        exchange = self.exchange
        if exchange.says_departed(self.exception):
            return
        answer: ASGIApp = Answer(exchange, exchange.answer(self.exception))
        for middleware in self.app.user_middleware:
            if isinstance(middleware.cls, type) and issubclass(middleware.cls, CORSMiddleware):
                layer: Any = middleware.cls
                answer = layer(answer, *middleware.args, **middleware.kwargs)
        await answer(scope, receive, send)
        if exchange.alone is self.app:
            exchange.status = exchange.status or 500
            exchange.conclude()
        if self.raised_on is not None:
            raise self.raised_on


class Cover:
    """Puts errorkit into an application and into all that are mounted in it."""

    def __init__(
        self,
        errors: ErrorHandler,
        defaults: Defaults,
        spares: Callable[[Starlette], bool],
        describe: Callable[[Starlette, str], None],
    ) -> None:
        self.errors = errors
        self.defaults = defaults
        self.spares = spares
        """Which mounted applications have an errorkit of their own."""
        self.describe = describe
        """Called with each application and the path that it is reached by."""
        self.covered: list[str] = []
        self.kept: list[str] = []
        self.shadowed: list[str] = []

    def application(self, app: Starlette, path: str = "") -> None:
        """Cover one, and what is mounted in it."""
        router = app.router
        if not isinstance(router.middleware_stack, Guard):
            router.middleware_stack = Guard(router.middleware_stack, self.errors, self.defaults)
        router.middleware_stack.watch(router, lambda: self._inside(app, path))
        self.describe(app, path)
        own = [key for key, value in app.exception_handlers.items() if not is_frameworks(value, self.defaults)]
        self.shadowed += self.errors.shadowed(own)
        self.kept += [f"{path or '/'}: {getattr(key, '__name__', key)}" for key in own]
        self._inside(app, path)

    def _inside(self, app: Starlette, path: str) -> None:
        """Cover what is mounted in an application by now."""
        for foreign in of_others(app.routes):
            self.errors.judge.serves_too(inside(foreign))
        for prefix, inner in mounted(app.routes, path):
            if not (self.spares(inner) or isinstance(inner.router.middleware_stack, Guard)):
                self.covered.append(prefix)
                self.mounted(inner, prefix)

    def mounted(self, app: Starlette, path: str) -> None:
        """Cover an application that another one reaches."""
        self.application(app, path)
        if app.middleware_stack is not None:
            self.last_answers(app)
            return
        build = app.build_middleware_stack

        def build_covered() -> ASGIApp:
            with self.answering(app):
                return build()

        app.build_middleware_stack = build_covered  # type: ignore[method-assign]

    def last_answers(self, app: Starlette) -> None:
        """Give the layers of a stack that has been built their last answer."""
        for layer in layers(app.middleware_stack):
            if isinstance(layer, ServerErrorMiddleware) and not isinstance(layer.handler, LastAnswers):
                layer.handler = LastAnswers(app, self.errors, self.defaults, layer.handler)
                layer.debug = layer.debug and self.errors.config.reraise

    @contextmanager
    def answering(self, app: Starlette) -> Iterator[None]:
        """For the time of building a stack, errorkit's last answer stands in place of the user's, which it asks."""
        own = app.exception_handlers
        user = None
        for key in own:
            if key in (500, Exception):
                user = own[key]  # the last one counts, as in Starlette
        last: Any = user if isinstance(user, LastAnswers) else LastAnswers(app, self.errors, self.defaults, user)
        others = {key: value for key, value in own.items() if key not in (500, Exception)}
        debug = app.debug
        app.exception_handlers = {**others, Exception: last}
        app.debug = debug and self.errors.config.reraise  # a page of source code and values is for who asks for it
        try:
            yield
        finally:
            app.exception_handlers, app.debug = own, debug
