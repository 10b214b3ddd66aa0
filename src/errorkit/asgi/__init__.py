"""ASGI: carries failures of any ASGI application to the handler, and bytes to the server.

Messages and header lists of the application are copied, never changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

from errorkit.applications import check_protocol
from errorkit.asgi import websocket
from errorkit.asgi.exchange import ASGIExchange
from errorkit.asgi.messages import (
    PYTHON_FUNCTIONS,
    SCOPE_KEY,
    ASGIApp,
    Receive,
    Scope,
    Send,
    in_python,
    listed_headers,
    routed_path,
)
from errorkit.asgi.refusal import Refusal, made_by_stack
from errorkit.declaration import raises
from errorkit.lifecycle import ENDED
from errorkit.request_id import current

if TYPE_CHECKING:  # pragma: no cover - building a handler loads pydantic, importing this does not
    from errorkit.config import Config
    from errorkit.handler import ErrorHandler
    from errorkit.settings import Settings

__all__ = ["ASGIExchange", "ErrorMiddleware", "raises"]


class OutermostPlace:
    """Where an exchange begins: what fails inside is answered here, if it has not been."""

    app: Any
    """What is inside."""
    errors: ErrorHandler
    exchange_class: type[ASGIExchange] = ASGIExchange

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI scope."""
        exchange = begin(scope, self.errors, self.exchange_class)
        if exchange is None:
            await self.left_alone(scope, receive, send)
            return
        exchange.server_receive = receive
        exchange.onward = send if type(send) in PYTHON_FUNCTIONS else in_python(send)
        exchange.raises_on = self.stays_inside(scope)
        token = current.set(exchange.request_id)
        by_exit = True
        try:
            try:
                if scope["type"] == "http":
                    await self.inside(scope, exchange.receive, exchange.send)
                    if exchange.state is not ENDED:
                        await exchange.finish()
                else:
                    await websocket.serve(exchange, self.app, scope)
            except Exception as exception:
                by_exit = False
                settle = self.caught if scope["type"] == "http" else websocket.settle
                if not await settle(exchange, exception):
                    raise
            by_exit = False
        finally:
            if exchange.failure is not None or exchange.status >= 400:
                exchange.conclude(by_exit=by_exit)
            current.reset(token)
            scope.pop(SCOPE_KEY, None)  # else the two would hold each other

    @property
    def inside(self) -> ASGIApp:
        """What an HTTP request is handed on to."""
        inside: ASGIApp = self.app
        return inside

    async def left_alone(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a scope that is no exchange of this place's."""
        await self.app(scope, receive, send)

    def stays_inside(self, scope: Scope) -> bool:
        """Is somebody further out who waits for exceptions."""
        return False

    async def caught(self, exchange: ASGIExchange, exception: Exception) -> bool:
        """Do what is still possible about an exception. False: it must be raised on."""
        return await exchange.settle(exception)


class ErrorMiddleware(OutermostPlace):
    """The outermost place, for any ASGI 3 application.

    config: a `Config`; or its settings as keywords (`dialect="openai"`, ...).

    Raises ConfigurationError where these cannot be used; made by Starlette's stack, it keeps the service from starting.
    """

    looks_inside = True
    """Nothing is known of the application but what it shows."""
    refusal: Refusal | None = None
    """What has been put in the place of the application, where errorkit could not be configured."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        config: Config | None = None,
        handler: ErrorHandler | None = None,
        **settings: Unpack[Settings],
    ) -> None:
        if handler is None:
            try:
                check_protocol(app, 3)
                handler = self.build(config, settings)
                if self.looks_inside:
                    handler.look_inside(app)
            except Exception as error:
                if not made_by_stack():
                    raise
                self.refuse(error)
                return
        self.app = app
        self.errors = handler

    @classmethod
    def build(cls, config: Config | None, settings: Settings) -> ErrorHandler:
        """A handler of these settings. Raises ConfigurationError."""
        from errorkit.handler import build_handler

        return build_handler(config, settings)

    def refuse(self, reason: Exception) -> None:
        """Do not let the service start; without a lifespan, answer every request with the bare envelope of a crash."""
        from errorkit.config import Config
        from errorkit.handler import ErrorHandler

        self.app = self.refusal = Refusal(reason)
        self.errors = ErrorHandler(Config())

    @property
    def handler(self) -> ErrorHandler:
        """The configured centre that answers."""
        return self.errors


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
    request_id = handler.request_id(renderer, inbound)
    exchange = kind(handler, renderer, request_id)
    exchange.scope = scope
    if handler.holds_start is not None:
        exchange.holds_start = handler.holds_start(routed_path(scope)) and not renderer.observes
    scope[SCOPE_KEY] = exchange
    state = scope.get("state")
    if state is None:
        scope["state"] = {"request_id": request_id}
    else:
        state["request_id"] = request_id
    return exchange
