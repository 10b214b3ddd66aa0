"""ASGI: carries failures of any ASGI application to the handler, and bytes to the server.

Messages and header lists of the application are copied, never changed.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from errorkit.asgi import http, websocket
from errorkit.asgi.messages import SCOPE_KEY, ASGIApp, ASGIExchange, Receive, Scope, Send, listed_headers, routed_path

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


def serve(
    exchange: ASGIExchange, app: ASGIApp, scope: Scope, receive: Receive, send: Send
) -> Coroutine[Any, Any, None]:
    """Serve one HTTP request or websocket at the outermost place."""
    if scope["type"] == "http":
        return http.serve(exchange, app, scope, receive, send)
    return websocket.serve(exchange, app, scope, receive, send)


def begin(scope: Scope, handler: ErrorHandler, kind: type[ASGIExchange]) -> ASGIExchange | None:
    """A scope's exchange, begun here. None: the scope is left alone, or its exchange has been begun further out.

    Where another errorkit has begun it, this one takes it over for what is inside.
    """
    kind_of_scope = scope["type"]
    if kind_of_scope != "http" and kind_of_scope != "websocket":
        return None
    renderer = handler.only_renderer or handler.renderer_for(routed_path(scope))
    if renderer is None:
        return None
    if SCOPE_KEY in scope:
        scope[SCOPE_KEY].taken_over(handler, renderer)
        return None
    id_header = renderer.id_header
    inbound = None
    headers = scope.get("headers", ())
    for name, value in headers if type(headers) is list else listed_headers(scope):
        if name == id_header:
            inbound = value if inbound is None else b""  # of two, nobody knows which to believe
    exchange = kind(scope, handler, renderer, handler.request_id(renderer, inbound))
    if handler.holds_start is not None:
        exchange.holds_start = handler.holds_start(routed_path(scope))
    scope[SCOPE_KEY] = exchange
    if "state" in scope:
        scope["state"]["request_id"] = exchange.request_id
    else:
        scope["state"] = {"request_id": exchange.request_id}
    return exchange
