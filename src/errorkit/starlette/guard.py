"""The inner place: next to Starlette's router, inside of the user's middlewares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from starlette._utils import is_async_callable
from starlette.exceptions import HTTPException, WebSocketException
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import ClientDisconnect, empty_receive
from starlette.websockets import WebSocketDisconnect

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
    legal_code,
    reason,
)
from errorkit.asgi.websocket import serve
from errorkit.exchange import Response

if TYPE_CHECKING:  # pragma: no cover - building a handler loads pydantic, importing this does not
    from errorkit.handler import ErrorHandler

HANDLERS_KEY = "starlette.exception_handlers"
NO_HANDLERS: tuple[dict[Any, Any], dict[int, Any]] = ({}, {})
CLIENT_GONE: tuple[type[BaseException], ...] = (ClientDisconnect, WebSocketDisconnect)


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

    gone = CLIENT_GONE
    own: Mapping[Any, Any] = NO_HANDLERS[0]
    """Exception handlers that the user has registered: what they answer is left alone."""
    framework: Mapping[Any, Any] = NO_HANDLERS[0]
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
            await ExceptionMiddleware(_raising(exception), self.framework)(request.scope, empty_receive, send)
        return not self.own

    def refusal(self, request: ASGIRequest) -> int:
        """An unknown path is closed by the router before any endpoint is chosen."""
        return 403 if request.scope.get("endpoint") else 404

    def closing(self, request: ASGIRequest, exception: Exception, response: Response) -> Message:
        """A WebSocketException names its own close code and reason."""
        if isinstance(exception, WebSocketException):
            return {"type": "websocket.close", "code": legal_code(exception.code), "reason": reason(exception.reason)}
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
        self._tables = NO_HANDLERS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one scope inside of the application's middlewares."""
        request: StarletteRequest | None = scope.get(SCOPE_KEY)
        if request is None or request.owner is not self.handler:
            await self.app(scope, receive, send)
            return
        if not self.own:
            scope[HANDLERS_KEY] = NO_HANDLERS
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


def _raising(exception: Exception) -> ASGIApp:
    """An application that does nothing but raise."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise exception

    return app
