"""ASGI: carries failures of any ASGI application to the handler, and bytes to the server.

Messages and header lists of the application are copied, never changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from errorkit.asgi import http, websocket
from errorkit.asgi.messages import SCOPE_KEY, ASGIApp, ASGIExchange, Receive, Scope, Send, listed_headers, routed_path
from errorkit.request_id import current

if TYPE_CHECKING:  # pragma: no cover - building a handler loads pydantic, importing this does not
    from errorkit.config import Config
    from errorkit.handler import ErrorHandler

__all__ = ["ASGIExchange", "ErrorMiddleware"]


class ErrorMiddleware:
    """The outermost place, for any ASGI 3 application.

    config: a `Config`; or its settings as keywords (`dialect="openai"`, ...).

    Raises ConfigurationError where these cannot be used.
    """

    def __init__(
        self, app: ASGIApp, *, config: Config | None = None, handler: ErrorHandler | None = None, **settings: Any
    ) -> None:
        if handler is None:
            from errorkit.handler import build_handler

            handler = build_handler(config, settings)
        self.app = app
        self.handler = handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI scope."""
        exchange = begin(scope, self.handler, ASGIExchange)
        if exchange is None:
            await self.app(scope, receive, send)
        else:
            await serve(exchange, self.app, scope, receive, send)


async def serve(exchange: ASGIExchange, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one HTTP request or websocket at the outermost place."""
    token = current.set(exchange.request_id)
    try:
        if scope["type"] == "http":
            await http.serve(exchange, app, scope, receive, send)
        else:
            await websocket.serve(exchange, app, scope, receive, send)
    finally:
        current.reset(token)
        scope.pop(SCOPE_KEY, None)  # else the two would hold each other


def begin(scope: Scope, handler: ErrorHandler, kind: type[ASGIExchange]) -> ASGIExchange | None:
    """A scope's exchange, begun here. None: the scope is left alone, or its exchange has been begun further out.

    Where another errorkit has begun it, this one takes it over for what is inside.
    """
    if scope["type"] != "http" and scope["type"] != "websocket":
        return None
    renderer = handler.renderer_for(routed_path(scope))
    if renderer is None:
        return None
    begun: ASGIExchange | None = scope.get(SCOPE_KEY)
    if begun is not None:
        begun.handler, begun.renderer = handler, renderer
        return None
    id_header = renderer.id_header
    inbound = None
    for name, value in listed_headers(scope):
        if name == id_header:
            inbound = value if inbound is None else b""  # of two, nobody knows which to believe
    exchange = kind(scope, handler, renderer, handler.request_id(renderer, inbound))
    if handler.holds_start is not None:
        exchange.holds_start = handler.holds_start(routed_path(scope))
    scope[SCOPE_KEY] = exchange
    scope.setdefault("state", {})["request_id"] = exchange.request_id
    return exchange
