"""A websocket that fails: a response before the handshake is accepted, a close after it.

What the application closes by itself keeps its code and its reason. A crash is raised on
where somebody outside watches the connection.
"""

from __future__ import annotations

from collections.abc import Awaitable
from contextlib import suppress

from errorkit import telemetry
from errorkit.asgi.exchange import ASGIExchange
from errorkit.asgi.messages import (
    ASGIApp,
    Message,
    Scope,
    Send,
    listed_headers,
)
from errorkit.exchange import Response
from errorkit.lifecycle import ENDED, PASSING, RAISE, WAITING, came_through
from errorkit.texts import plain_text

_CLOSE_CODES = {429: 1013, 503: 1013}
_MAX_REASON = 123  # bytes, RFC 6455 section 5.5
REFUSED = 403
"""The status that servers give to a handshake that was closed before it was accepted."""


async def serve(exchange: ASGIExchange, app: ASGIApp, scope: Scope) -> None:
    """Serve one websocket at the outermost place."""
    exchange.answers_late = True
    exchange.raises_on = exchange.raises_on or telemetry.is_watched()
    await app(scope, exchange.server_receive, noting(exchange, exchange.onward))


def noting(exchange: ASGIExchange, send: Send) -> Send:
    """`send`, with a note on the exchange of how far the websocket has come, and the request ID in the handshake."""

    def noting_send(message: Message) -> Awaitable[None]:
        kind = message["type"]
        if kind == "websocket.accept":
            exchange.state = PASSING
            message = {**message, "headers": exchange.stamped(listed_headers(message))}
        elif kind == "websocket.close":
            if exchange.state is WAITING and not exchange.status:
                exchange.status = REFUSED
            exchange.state = ENDED
        elif kind == "websocket.http.response.start":
            exchange.status = message["status"]
            exchange.state = ENDED
            message = {**message, "headers": exchange.stamped(listed_headers(message))}
        return send(message)

    return noting_send


async def settle(exchange: ASGIExchange, exception: Exception) -> bool:
    """Do what is still possible about an exception. False: it must be raised on."""
    send = exchange.onward
    exchange.raises_on = exchange.raises_on or exchange.is_observed(exception)
    if came_through(exception, send):
        if isinstance(exception, OSError):
            exchange.left(exception)
            return True
        exchange.recorded = exchange.recorded or exchange.failure is None  # the server has said it
        return False
    fate = exchange.raised(exception)
    if not isinstance(fate, Response):
        return fate is not RAISE and not exchange.raises_on
    with suppress(OSError):  # the client may have left meanwhile
        await answer(exchange, fate, send)
    return not exchange.raises_on


async def answer(exchange: ASGIExchange, response: Response, send: Send, close: Message | None = None) -> None:
    """Refuse a handshake with errorkit's response, or close an accepted websocket.

    close: the message for a close, where the exception names it.
    """
    if exchange.state is WAITING and close is None and can_deny(exchange.scope):
        await send({"type": "websocket.http.response.start", "status": response.status, "headers": response.headers})
        await send({"type": "websocket.http.response.body", "body": response.body})
        return
    if close is None:
        refused = exchange.state is WAITING
        words = f"{exchange.handler.spelled(exchange)}: {exchange.handler.words(exchange)}"
        close = {
            "type": "websocket.close",
            "code": close_code(response.status),
            "reason": "" if refused else reason(words),
        }
    await send(close)


def close_code(status: int) -> int:
    """The close code for a status (RFC 6455 section 7.4.1)."""
    return _CLOSE_CODES.get(status, 1011 if status >= 500 else 1008)


def legal_code(code: int) -> int:
    """A close code that may be sent (RFC 6455 section 7.4): 1011 in place of one that is only for an API's own use."""
    return code if 1000 <= code < 5000 and code not in _UNSENDABLE else 1011


_UNSENDABLE = frozenset({1004, 1005, 1006, 1015})


def reason(text: object) -> str:
    """A close reason of at most 123 bytes; nothing of what is no text."""
    return (plain_text(text) or "").encode("utf-8", "replace")[:_MAX_REASON].decode("utf-8", "ignore")


def can_deny(scope: Scope) -> bool:
    """May a handshake be refused with a response (ASGI extension `websocket.http.response`)."""
    return "websocket.http.response" in (scope.get("extensions") or ())
