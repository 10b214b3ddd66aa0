"""The answers to exceptions where Starlette answers them: in its table of exception handlers.

`ExceptionMiddleware` puts the table into the scope (`starlette.exception_handlers`), and
each route answers from it. For the time of a request another one takes its place, which
has the user's handlers as they are, and errorkit for what is declared. It is Starlette's
own name, not a promise: `tests/adapters/test_stacks.py` holds it at both ends of the
supported versions.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from starlette._utils import is_async_callable
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException, WebSocketException
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.websockets import WebSocket

from errorkit.asgi import websocket
from errorkit.asgi.exchange import ASGIExchange, respond
from errorkit.asgi.messages import SCOPE_KEY, ASGIApp, Message, Receive, Scope, Send
from errorkit.events import last_resort
from errorkit.exchange import Response
from errorkit.lifecycle import PASSING, WAITING, State

if TYPE_CHECKING:  # pragma: no cover - types only
    from errorkit.handler import ErrorHandler

HANDLERS_KEY = "starlette.exception_handlers"
ExceptionHandler = Callable[[Any, Any], Any]
Defaults = Mapping[type[Exception], ExceptionHandler]
"""What the framework itself answers to an exception, by class."""

_BARE = ExceptionMiddleware(PlainTextResponse(""))
STARLETTE_DEFAULTS: Defaults = {
    HTTPException: _BARE.http_exception,
    WebSocketException: _BARE.websocket_exception,
}


class Answer:
    """errorkit's answer as an ASGI application, as Starlette's responses are.

    background: of the response that it takes the place of.
    """

    def __init__(self, exchange: ASGIExchange, response: Response, background: BackgroundTask | None = None) -> None:
        self.exchange = exchange
        self.response = response
        self.background = background

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        if scope["type"] == "http":
            await respond(self.exchange, self.response, send)
        else:
            await websocket.answer(self.exchange, self.response, send, _chosen_close(self.exchange))
        if self.background is not None:
            await self.background()


class Answers:
    """All answers of one application: the user's handlers, and errorkit for what is declared.

    table: Starlette's own, by class and by status. defaults: the framework's own answers.
    registered: the application's own table, which Starlette's was made of.
    """

    def __init__(
        self,
        handler: ErrorHandler,
        defaults: Defaults,
        table: tuple[Mapping[Any, Any], Mapping[int, Any]],
        registered: Mapping[Any, Any],
    ) -> None:
        self.handler = handler
        self.defaults = defaults
        known = set(self._declared())
        answers: dict[Any, ExceptionHandler] = dict.fromkeys(known, self.declared)
        self.own: dict[Any, ExceptionHandler] = {}
        self.bare: dict[Any, ExceptionHandler] = {}
        """What this application's framework answers without errorkit."""
        for key, value in table[0].items():
            if is_frameworks(value, defaults):
                self.bare[key] = value
                if key not in known and key not in defaults:  # its answer is recognised by its form
                    self.own[key] = value
            elif key in defaults and is_frameworks(registered.get(key, defaults[key]), defaults):
                answers[key] = self.of_framework(value)
            else:
                self.own[key] = self.of_user(value)
        self.by_status = {status: self.of_user(value) for status, value in table[1].items()}
        self.by_class: dict[Any, ExceptionHandler] = {**answers, **self.own}

    def _declared(self) -> Iterable[type[BaseException]]:
        # a handler for Exception is for what nobody has declared: it answers further out, as in Starlette
        return (cls for cls in self.handler.identifier.declared if cls not in (Exception, BaseException))

    def find(self, exception: Exception) -> ExceptionHandler | None:
        """The answer for an exception, as Starlette looks it up."""
        if isinstance(exception, HTTPException):
            by_status = self.by_status.get(exception.status_code)
            if by_status is not None:
                return by_status
        for cls in type(exception).__mro__:
            if cls in self.by_class:
                return self.by_class[cls]
        return None

    async def declared(self, connection: Any, exception: Exception) -> Any:
        """errorkit's answer. What turns out to be declared by nobody flies on."""
        exchange: ASGIExchange = connection.scope[SCOPE_KEY]
        if isinstance(exception, HTTPException) and 100 <= exception.status_code < 400:  # a redirect is no error
            return await called(self.defaults[HTTPException], connection, exception)
        if exchange.is_observed(exception):
            return await self.observed(exchange, connection, exception)
        response = exchange.answer(exception)
        if exchange.failure is not None and exchange.failure.private.reason == "unhandled":
            exchange.withdraw()
            raise exception
        return Answer(exchange, response)

    async def observed(self, exchange: ASGIExchange, connection: Any, exception: Exception) -> Any:
        """What is answered without errorkit: the nearest handler's own answer. What has none flies on."""
        for cls in type(exception).__mro__:
            if cls in self.own:
                return await called(self.own[cls], connection, exception)
            if cls in self.bare:
                default = self.bare[cls]
                response = await called(default, connection, exception)
                exchange.answered_by(getattr(default, "__qualname__", type(default).__qualname__), exception)
                if connection.scope["type"] != "http" and exchange.failure is None:  # it has been closed by now
                    self.handler.observe(exchange, exchange.handler.identifier.identify(exception).spec.status)
                return response
        raise exception

    def of_framework(self, handler: ExceptionHandler) -> ExceptionHandler:
        """The framework's own, in which an instrumentation has put its (Sentry's): it is still to be called.

        A websocket's answer is sent by the handler itself, and cannot be looked at before.
        """
        called_first = self.of_user(handler)

        async def answer(connection: Any, exception: Exception) -> Any:
            exchange: ASGIExchange | None = connection.scope.get(SCOPE_KEY)
            observed = exchange is not None and exchange.is_observed(exception)
            first = observed or connection.scope["type"] == "http"
            return await (called_first if first else self.declared)(connection, exception)

        return answer

    def of_user(self, handler: ExceptionHandler) -> ExceptionHandler:
        """A user's handler: what it answers is deliberate, unless it is what the framework would have answered."""

        async def answer(connection: Any, exception: Exception) -> Any:
            exchange: ASGIExchange | None = connection.scope.get(SCOPE_KEY)
            response = await called(handler, connection, exception)
            if exchange is None or exchange.handler is not self.handler:
                return response
            observed = exchange.is_observed(exception)
            if not observed and await self._is_framework_answer(connection, exception, response):
                kept = list(response.raw_headers)
                return Answer(exchange, exchange.answer(exception, kept), response.background)
            exchange.answered_by(getattr(handler, "__qualname__", type(handler).__qualname__), exception)
            return response

        return answer

    async def _is_framework_answer(self, connection: Any, exception: Exception, response: Any) -> bool:
        if connection.scope["type"] != "http" or not hasattr(response, "body"):
            return False
        default = next((self.defaults[cls] for cls in type(exception).__mro__ if cls in self.defaults), _crash)
        try:
            expected = await called(default, connection, exception)
        except Exception:
            return False
        return bool(
            400 <= response.status_code == expected.status_code
            and response.body == expected.body
            and response.headers.get("content-type") == expected.headers.get("content-type")
        )


class Table(Mapping[Any, ExceptionHandler]):
    """The answers by class for one request: errorkit has none once the response has begun.

    Starlette would raise another exception in place of the one that was raised.
    """

    __slots__ = ("answers", "response")

    def __init__(self, answers: Answers, response: Begun | ASGIExchange) -> None:
        self.answers = answers
        self.response = response

    def __contains__(self, key: object) -> bool:
        answers = self.answers
        return key in (answers.by_class if self.response.state is WAITING else answers.own)

    def __getitem__(self, key: Any) -> ExceptionHandler:
        answers = self.answers
        return (answers.by_class if self.response.state is WAITING else answers.own)[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.answers.by_class)

    def __len__(self) -> int:
        return len(self.answers.by_class)


class Begun:
    """How far a response has come as seen from inside of the middlewares, which may keep it back."""

    __slots__ = ("state",)

    def __init__(self) -> None:
        self.state: State = WAITING


class Guard:
    """Around an application's router: gives each request its table, and answers what the router itself raises."""

    def __init__(self, app: ASGIApp, handler: ErrorHandler, defaults: Defaults) -> None:
        self.app = app
        self.handler = handler
        self.defaults = defaults
        self.entry: Any = None
        """Serves a scope that no place further out has seen: a lifespan, or where somebody took Outermost away."""
        self.known: tuple[tuple[Any, Any], Answers] | None = None
        """The framework's tables, and the answers that were made of them."""

    def watch(self, router: Any, grown: Callable[[], None]) -> None:
        """Call `grown` when the router has got further routes: applications may be mounted after the start."""
        self.router = router
        self.grown = grown
        self._seen = len(router.routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one scope."""
        exchange: ASGIExchange | None = scope.get(SCOPE_KEY)
        tables = scope.get(HANDLERS_KEY)
        if exchange is None or tables is None or exchange.handler is not self.handler:
            if exchange is None and self.entry is not None:
                await self.entry.first(scope, receive, send)
            else:
                await self.app(scope, receive, send)
            return
        self.see_routes()
        known = self.known
        if known is None or known[0][0] is not tables[0]:
            known = self.known = (tables, Answers(self.handler, self.defaults, tables, scope["app"].exception_handlers))
        answers, begun = known[1], Begun()
        scope[HANDLERS_KEY] = (Table(answers, begun), answers.by_status)

        def noting_send(message: Message) -> Any:
            if message["type"] == "http.response.start":
                begun.state = PASSING
            return send(message)

        try:
            await self.app(scope, receive, noting_send)
        except Exception as exception:
            started = begun.state is not WAITING
            if not await self.answered(scope, receive, send, exception, exchange, answers, begun=started):
                raise

    async def answered(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        exception: Exception,
        exchange: ASGIExchange,
        answers: Answers,
        *,
        begun: bool,
    ) -> bool:
        """Answer what the router itself has raised. False: it flies on."""
        answer = None if begun else answers.find(exception)
        if answer is None:
            exchange.flies(exception, begun=begun)
            return False
        response = await answer(_connection(scope, receive, send), exception)
        if response is not None:
            await response(scope, receive, send)
        return True

    def see_routes(self) -> None:
        """Cover what has been mounted since."""
        if len(self.router.routes) != self._seen:
            self._grow()

    def _grow(self) -> None:
        self._seen = len(self.router.routes)
        try:
            self.grown()
        except Exception as own:
            last_resort("errorkit could not be put into what was mounted", own)


def _connection(scope: Scope, receive: Receive, send: Send) -> Any:
    """What an exception handler is given for a scope."""
    return Request(scope, receive, send) if scope["type"] == "http" else WebSocket(scope, receive, send)


async def called(handler: ExceptionHandler, connection: Any, exception: Exception) -> Any:
    """What an exception handler answers, called as Starlette calls it."""
    if is_async_callable(handler):
        return await handler(connection, exception)
    answer = await run_in_threadpool(handler, connection, exception)
    return await answer if inspect.isawaitable(answer) else answer


async def _crash(_connection: Any, _exception: Exception) -> PlainTextResponse:
    """What ServerErrorMiddleware answers."""
    return PlainTextResponse("Internal Server Error", status_code=500)


def is_frameworks(handler: Any, defaults: Defaults) -> bool:
    """Is a handler the framework's own, or FastAPI's in an application of its that is mounted in another one."""
    if isinstance(getattr(handler, "__self__", None), ExceptionMiddleware) or handler in defaults.values():
        return True
    return getattr(handler, "__module__", None) == "fastapi.exception_handlers"


def _chosen_close(exchange: ASGIExchange) -> Message | None:
    """A WebSocketException names its own close; a refused request is closed as the framework closes it."""
    exception = exchange.answered
    if isinstance(exception, WebSocketException):
        code, words = websocket.legal_code(exception.code), websocket.reason(exception.reason)
        return {"type": "websocket.close", "code": code, "reason": words}
    if exchange.failure is not None and exchange.failure.private.reason == "validation" and exchange.state is WAITING:
        return {"type": "websocket.close", "code": 1008, "reason": websocket.reason(exchange.handler.words(exchange))}
    return None
