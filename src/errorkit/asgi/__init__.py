"""ASGI: carries failures of any ASGI application to the handler, and bytes to the server.

Messages and header lists of the application are copied, never changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from errorkit.asgi.boundary import Boundary
from errorkit.asgi.messages import (
    PYTHON_FUNCTIONS,
    SCOPE_KEY,
    ASGIApp,
    ASGIRequest,
    Flow,
    Receive,
    Scope,
    Send,
    in_python,
)
from errorkit.asgi.websocket import serve
from errorkit.request_id import current

if TYPE_CHECKING:
    from errorkit.config import Config
    from errorkit.handler import ErrorHandler

__all__ = ["ASGIRequest", "ErrorMiddleware"]


class ErrorMiddleware(Boundary):
    """The outermost place, for any ASGI 3 application.

    config: a `Config`; or its settings as keywords (`dialect="openai"`, ...).

    Raises ConfigurationError where these cannot be used.
    """

    request_class: type[ASGIRequest] = ASGIRequest
    settled: bool = True
    """There is nothing to be found out from the first scope."""

    def __init__(
        self, app: ASGIApp, *, config: Config | None = None, handler: ErrorHandler | None = None, **settings: Any
    ) -> None:
        if handler is None:
            from errorkit.handler import build_handler

            handler = build_handler(config, settings)
        super().__init__(app, handler)
        self.untouched = app
        """What serves the scopes that are left alone."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI scope."""
        if not self.settled:
            self.settled = True
            self.settle(scope)
        kind = scope["type"]
        handler = self.handler
        outer: ASGIRequest | None = scope.get(SCOPE_KEY)
        renderer = None
        if (kind == "http" or kind == "websocket") and (outer is None or outer.owner is not handler):
            renderer = handler.renderer_for(scope["path"])
        if renderer is None:
            await self.untouched(scope, receive, send)
            return
        request = self.request_class(scope, handler)
        request.renderer = renderer
        id_header: bytes | None = renderer.id_header
        if outer is None:
            inbound = None
            for name, value in scope["headers"]:
                if name == id_header:
                    inbound = value if inbound is None else b""  # of two, nobody knows which to believe
            request_id = handler.request_id(renderer, inbound)
        else:
            request_id, request.outer, id_header = outer.request_id, outer, None
        request.request_id = request_id
        scope[SCOPE_KEY] = request
        scope.setdefault("state", {})["request_id"] = request_id
        if type(send) not in PYTHON_FUNCTIONS:
            send = in_python(send)
        request.send = send
        token = current.set(request_id)
        flow = request.flow
        left = True  # by cancellation or exit, which is no failure of the request
        try:
            if kind == "http":
                try:
                    await self.app(scope, receive, self.outlet(request, flow, send, id_header))
                    if not flow.complete:
                        await self.finish(request, flow, send, id_header)
                except Exception as exception:
                    if not await self.caught(request, flow, exception, send, edge=outer is None):
                        raise
            else:
                await serve(self, request, receive, send, id_header)
            left = False
        finally:
            if request.failure is not None or (not left and flow.start is not None and flow.start["status"] >= 400):
                self.record(request, flow, outer)
            current.reset(token)
            if outer is not None:
                scope[SCOPE_KEY] = outer
            else:
                scope.pop(SCOPE_KEY, None)  # else the two would hold each other

    def settle(self, scope: Scope) -> None:
        """Called with the first scope, unless `settled`."""

    def record(self, request: ASGIRequest, flow: Flow, outer: ASGIRequest | None) -> None:
        """One event, here or nowhere further out."""
        if request.failure is None:
            if flow.start is not None and flow.start["status"] >= 400 and not request.recorded:
                self.handler.observe(request, flow.start["status"])
        elif request.exception is not None:
            self.handler.explain(request, request.exception)
        self.handler.record(request)
        if outer is not None:
            outer.recorded = True
