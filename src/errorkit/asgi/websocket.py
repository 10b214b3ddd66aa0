"""A websocket that fails: a response before the handshake is accepted, a close after it."""

from __future__ import annotations

from collections.abc import Awaitable
from contextlib import nullcontext, suppress

from errorkit.asgi.boundary import Boundary
from errorkit.asgi.messages import ASGIRequest, Message, Receive, Scope, Send, came_through, close_code, stamped
from errorkit.exchange import Response


async def serve(
    boundary: Boundary, request: ASGIRequest, receive: Receive, send: Send, id_header: bytes | None
) -> None:
    """Serve one websocket inside of a boundary.

    id_header: name under which the request ID is added to the handshake's response.
    """
    handler = boundary.handler
    accepted = closed = False

    def sender(message: Message) -> Awaitable[None]:
        nonlocal accepted, closed
        kind = message["type"]
        if kind == "websocket.accept":
            accepted = True
            if id_header is not None:
                message = stamped(message, id_header, request.request_id)
        elif kind == "websocket.close":
            closed = True
            if not accepted and not request.ours:
                request.claim()
                refusal = handler.refuse(request, boundary.refusal(request))
                if _can_deny(request.scope):
                    return _deny(refusal, send)
        elif kind == "websocket.http.response.start":
            closed = True
            if message["status"] >= 400 and request.failure is None:
                handler.observe(request, message["status"])
            if id_header is not None:
                message = stamped(message, id_header, request.request_id)
        return send(message)

    try:
        await boundary.app(request.scope, receive, sender)
    except Exception as exception:
        edge = id_header is not None
        if came_through(exception, send):
            if boundary.unsent(request, exception, edge=edge):
                return
            raise
        if isinstance(exception, boundary.gone):
            boundary.left(request, exception)
            return
        if closed:
            if not request.outcome:
                handler.broke(request, exception, "background")
            raise
        request.claim()
        response = handler.respond(request, exception)
        with suppress(OSError) if edge else nullcontext():  # the client may have left meanwhile
            if accepted:
                await send(boundary.closing(request, exception, response))
            elif _can_deny(request.scope):
                await _deny(response, send)
            else:
                await send({"type": "websocket.close", "code": close_code(response.status), "reason": ""})


async def _deny(response: Response, send: Send) -> None:
    """Refuse a handshake with a response (ASGI extension `websocket.http.response`)."""
    await send({"type": "websocket.http.response.start", "status": response.status, "headers": response.headers})
    await send({"type": "websocket.http.response.body", "body": response.body})


def _can_deny(scope: Scope) -> bool:
    return "websocket.http.response" in (scope.get("extensions") or ())
