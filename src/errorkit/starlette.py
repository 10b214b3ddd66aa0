"""Starlette: where the framework hides its failures, and how each is reached.

Starlette answers errors in two layers of its own. A guard is put inside of both, around
the router, so that the user's middlewares apply to error responses; the middleware itself
is put outside of both, so that what the user's middlewares raise is caught, too. Where
nothing but Starlette's layers is between, those two are left out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import copy
from typing import TYPE_CHECKING, Any

from starlette._utils import is_async_callable
from starlette.applications import Starlette
from starlette.exceptions import HTTPException, WebSocketException
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse
from starlette.responses import Response as StarletteResponse
from starlette.routing import Router
from starlette.websockets import WebSocketDisconnect

from errorkit.asgi import ErrorMiddleware as GenericMiddleware
from errorkit.asgi.boundary import Boundary
from errorkit.asgi.messages import (
    SCOPE_KEY,
    ASGIApp,
    ASGIRequest,
    Flow,
    Message,
    Receive,
    Scope,
    Send,
    came_through,
    reason,
    respond,
)
from errorkit.asgi.websocket import serve
from errorkit.declaration import Operation
from errorkit.errors import APIError, MalformedJSONError
from errorkit.exchange import Response
from errorkit.failure import Public
from errorkit.normalisation import is_phrase

if TYPE_CHECKING:  # pragma: no cover - building a handler loads pydantic, importing this does not
    from errorkit.config import Config
    from errorkit.handler import ErrorHandler
    from errorkit.identification import Translator

HANDLERS_KEY = "starlette.exception_handlers"
_NO_HANDLERS: tuple[dict[Any, Any], dict[int, Any]] = ({}, {})
_CLIENT_GONE: tuple[type[BaseException], ...] = (ClientDisconnect, WebSocketDisconnect)


class StarletteRequest(ASGIRequest):
    """A request that Starlette routes."""

    @property
    def route(self) -> str | None:
        """The template of the matched route, mounts included."""
        template = getattr(self.scope.get("route"), "path_format", None)
        if template is None:
            return None
        root, base = self.scope.get("root_path", ""), self.scope.get("app_root_path", "")
        return f"{root.removeprefix(base).rstrip('/')}{template}"


class AtRouter(Boundary):
    """What the place next to the router knows of Starlette."""

    gone = _CLIENT_GONE
    own: Mapping[Any, Any] = _NO_HANDLERS[0]
    """Exception handlers that the user has registered: what they answer is left alone."""
    framework: Mapping[Any, Any] = _NO_HANDLERS[0]
    """All exception handlers of the application, the framework's own among them."""

    def spared(self, exception: Exception) -> bool:
        """Has the user registered a handler for it, or is it no error at all (a redirect)."""
        if isinstance(exception, HTTPException) and not 400 <= exception.status_code <= 599:
            return 100 <= exception.status_code < 400
        if not self.own:
            return False
        if isinstance(exception, HTTPException):
            if exception.status_code in self.own:
                return True
        elif 500 in self.own and not self.handler.identifier.handles(exception):
            return True
        return any(base in self.own for base in type(exception).__mro__)

    async def spare(self, request: ASGIRequest, exception: Exception, send: Send) -> bool:
        """The user's handler is further out; a redirect is made as the framework makes it."""
        if not self.own:
            await ExceptionMiddleware(_raising(exception), self.framework)(request.scope, _disconnected, send)
        return not self.own

    def refusal(self, request: ASGIRequest) -> int:
        """An unknown path is closed by the router before any endpoint is chosen."""
        return 403 if request.scope.get("endpoint") else 404

    def closing(self, request: ASGIRequest, exception: Exception, response: Response) -> Message:
        """A WebSocketException names its own close code and reason."""
        if isinstance(exception, WebSocketException):
            return {"type": "websocket.close", "code": exception.code, "reason": reason(exception.reason)}
        return super().closing(request, exception, response)


class Guard(AtRouter):
    """The inner place, around an application's router."""

    def __init__(
        self,
        app: ASGIApp,
        handler: ErrorHandler,
        own: Mapping[Any, Any],
        framework: Mapping[Any, Any],
        *,
        alone: bool = False,
    ) -> None:
        super().__init__(app, handler)
        self.own, self.framework = own, framework
        self.alone = alone
        """Nothing of the user's is between here and the outermost place: both see the same response."""
        self._seen: object = None
        self._tables = _NO_HANDLERS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one scope inside of the application's middlewares."""
        request: StarletteRequest | None = scope.get(SCOPE_KEY)
        if request is None or request.owner is not self.handler:
            await self.app(scope, receive, send)
            return
        if not self.own:
            scope[HANDLERS_KEY] = _NO_HANDLERS
        elif HANDLERS_KEY in scope:
            tables = scope[HANDLERS_KEY]
            scope[HANDLERS_KEY] = self._tables if tables[0] is self._seen else self._without_defaults(tables)
        if scope["type"] == "websocket":
            await serve(self, request, receive, send, None)
            return
        if self.alone:
            flow, outlet, send = request.flow, send, request.send
        else:
            flow = Flow()
            outlet = self.outlet(request, flow, send, None)
        try:
            await self.app(scope, receive, outlet)
        except Exception as exception:
            if not await self.caught(request, flow, exception, send, edge=self.alone and request.outer is None):
                if not request.deliberate:
                    request.exception = exception
                raise

    def _without_defaults(self, tables: tuple[dict[Any, Any], dict[int, Any]]) -> tuple[dict[Any, Any], dict[int, Any]]:
        by_class, by_status = tables
        own = {key: _deliberately(value) for key, value in by_class.items() if key in self.own}
        self._tables = own, {key: _deliberately(value) for key, value in by_status.items()}
        self._seen = by_class
        return self._tables


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

    gone = _CLIENT_GONE
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

        def http(exception: HTTPException) -> APIError:
            return from_http_exception(handler, exception.status_code, exception.detail, exception.headers)

        def websocket(exception: WebSocketException) -> APIError:
            status = 500 if exception.code in (1011, 1006) else 403
            return handler.catalog.by_status(status).cls()

        return {
            HTTPException: http,
            WebSocketException: websocket,
            json.JSONDecodeError: malformed_json,
            UnicodeDecodeError: malformed_json,
        }

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
        own = {key: value for key, value in app.exception_handlers.items() if value not in self.defaults}
        self._answer_for_middlewares(app, own)
        kept += [f"{path or '/'}: {getattr(key, '__name__', key)}" for key in own]
        alone = not path and app.max_body_size is None and all(_is_errorkit(m.cls) for m in app.user_middleware)
        framework = {key: value for key, value in app.exception_handlers.items() if key not in (500, Exception)}
        app.router.middleware_stack = Guard(app.router.middleware_stack, self.handler, own, framework, alone=alone)
        for prefix, mounted in _mounted(app.routes, path):
            if not any(_is_errorkit(middleware.cls) for middleware in mounted.user_middleware):
                covered.append(prefix)
                self._guard(mounted, prefix, covered, kept)

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
        scope[HANDLERS_KEY] = _NO_HANDLERS


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


def from_http_exception(handler: ErrorHandler, status: int, detail: Any, headers: Mapping[str, str] | None) -> APIError:
    """The error for a framework's HTTP exception: status and headers kept, 5xx words not shown.

    detail: text, or a mapping whose `message` is the text and whose other members are public.
    """
    if not 400 <= status <= 599:
        return handler.catalog.by_code("internal").cls(context={"http_exception_status": status})
    error = handler.catalog.by_status(status).cls(headers=headers)
    if status >= 500:
        error.context = {"detail": detail}
    elif isinstance(detail, str):
        if not is_phrase(status, detail):
            error.message = detail
    elif isinstance(detail, Mapping):
        members = dict(detail)
        message = members.pop("message", None)
        if isinstance(message, str):
            error.message = message
        error.extensions = {str(name): value for name, value in members.items() if str(name) not in _PROTECTED}
    elif detail is not None:
        error.extensions = {"detail_value": detail}
    return error


def malformed_json(exception: Exception) -> APIError | None:
    """The error for a body that `Request.json` could not read; other JSON is not the client's."""
    return MalformedJSONError() if came_through(exception, Request.json) else None


_PROTECTED = frozenset(Public._fields) | {"detail", "errors"}


def _deliberately(handler: Callable[..., Any]) -> Callable[..., Any]:
    """A user's exception handler, with a note on the request that its answer is deliberate."""

    def note(connection: Any) -> None:
        connection.scope[SCOPE_KEY].deliberate = True  # the guard put this table there, for this request

    if is_async_callable(handler):

        async def run(connection: Any, exception: Exception) -> Any:
            note(connection)
            return await handler(connection, exception)

        return run

    def run_in_thread(connection: Any, exception: Exception) -> Any:
        note(connection)
        return handler(connection, exception)

    return run_in_thread


async def _disconnected() -> Message:
    """There is no more to be read of a request that is answered without an endpoint."""
    return {"type": "http.disconnect"}


def _raising(exception: Exception) -> ASGIApp:
    """An application that does nothing but raise."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise exception

    return app


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


_KNOWN = frozenset({"starlette", "fastapi", "errorkit"})


def _mounted(routes: Iterable[Any], path: str) -> Iterable[tuple[str, Starlette]]:
    for route in routes:
        prefix = path + getattr(route, "path", "")
        app = getattr(route, "_base_app", None) or getattr(route, "app", None)
        if isinstance(app, Starlette):
            yield prefix or getattr(route, "host", "/"), app
            continue
        router = getattr(route, "original_router", None) or route
        inner = getattr(router, "routes", None)
        if inner:
            yield from _mounted(inner, prefix)


def operations(app: Starlette) -> Iterator[Operation]:
    """Every route that a function serves, those of mounted applications too."""
    yield from _operations(app.routes, "")


def _operations(routes: Iterable[Any], prefix: str) -> Iterator[Operation]:
    for route in routes:
        endpoint = getattr(route, "endpoint", None)
        if endpoint is None:
            yield from _operations(getattr(route, "routes", None) or (), prefix + getattr(route, "path", ""))
            continue
        path = prefix + getattr(route, "path_format", route.path)
        for method in sorted(getattr(route, "methods", None) or ("*",)):
            if method != "HEAD" or "GET" not in route.methods:
                yield from _operation(method, path, endpoint)


def _operation(method: str, path: str, endpoint: Any) -> Iterator[Operation]:
    """One of a function; of an `HTTPEndpoint` one for each of its methods."""
    own = [name for name in _METHODS if hasattr(endpoint, name)] if isinstance(endpoint, type) else []
    for name in own:
        yield Operation(name.upper(), path, (getattr(endpoint, name),))
    if not own:
        yield Operation(method, path, (endpoint,))


_METHODS = ("delete", "get", "head", "options", "patch", "post", "put")


def _is_errorkit(factory: object) -> bool:
    return isinstance(factory, type) and issubclass(factory, GenericMiddleware)
