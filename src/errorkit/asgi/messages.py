"""ASGI's messages, and one request of an ASGI scope."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from time import perf_counter
from types import FunctionType, MethodType
from typing import Any

from errorkit.exchange import RawHeaders, Request, Response
from errorkit.texts import plain_text

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

SCOPE_KEY = "errorkit.request"
_CLOSE_CODES = {429: 1013, 503: 1013}
_MAX_REASON = 123  # bytes, RFC 6455 section 5.5
_traceback_of = BaseException.__dict__["__traceback__"].__get__  # an exception may override attribute access
PYTHON_FUNCTIONS = frozenset({FunctionType, MethodType})


class ASGIRequest(Request):
    """A request of one ASGI scope."""

    send: Send
    """The server's own, or that of an errorkit further out."""
    rendered: RawHeaders | None = None
    """The header list of the response that errorkit made, by which its start is known again."""

    def __init__(self, scope: Scope, owner: Any) -> None:
        self.scope = scope
        self.owner = owner
        """The handler that answers for it."""
        self.flow = Flow()
        """The response as the outermost place sees it."""
        self.started = perf_counter()

    @property
    def method(self) -> str:  # type: ignore[override]
        """The HTTP method; WEBSOCKET for a websocket."""
        return str(self.scope.get("method", "WEBSOCKET"))

    @property
    def path(self) -> str:
        """The path without its query."""
        return str(self.scope.get("path", ""))

    def header(self, name: bytes) -> str | None:
        """A request header's value; of several lines one list (RFC 9110 section 5.3)."""
        found = [str(value, "latin-1") for key, value in self.scope.get("headers", ()) if key == name]
        return ", ".join(found) if found else None


class Flow:
    """How far one response has come, seen from one place."""

    start: Message | None = None
    held: list[Message] | None = None
    """Messages that are not sent on until the whole error is known."""
    last: Message | None = None
    """The latest part of the body."""
    used: bool = False
    """Something that belongs to no response was sent: `send` may have failed all the same."""
    complete: bool = False


async def respond(request: ASGIRequest, flow: Flow, response: Response, send: Send) -> None:
    """Send a rendered response."""
    status, headers, body = response
    request.rendered = headers
    flow.start = start = {"type": "http.response.start", "status": status, "headers": headers}
    await send(start)
    if status >= 500:
        request.owner.annotate(request)
    await send({"type": "http.response.body", "body": b"" if request.scope["method"] == "HEAD" else body})
    flow.complete = True


def stamped(message: Message, id_header: bytes, request_id: str) -> Message:
    """A copy of a message with the request ID among its headers, once."""
    headers = message.get("headers", ())
    for pair in headers:
        if pair[0] == id_header:
            headers = [pair for pair in headers if pair[0] != id_header]
            break
    return {**message, "headers": [*headers, (id_header, request_id.encode("ascii"))]}


def carries(message: Message, request_id: str) -> bool:
    """Is the request ID among a start's headers: only what errorkit rendered has it there already."""
    wanted = request_id.encode("ascii")
    for _, value in message.get("headers", ()):  # noqa: SIM110 - a generator costs more than the search
        if value == wanted:
            return True
    return False


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


async def nothing() -> None:
    """Sent nothing: the message is held."""


def in_python(send: Send) -> Send:
    """A `send` that is not written in Python, with a frame by which it can be recognised."""

    async def python_send(message: Message) -> None:
        await send(message)

    return python_send


def came_through(exception: BaseException, function: Callable[..., object]) -> bool:
    """Did the exception come out of a function: is there a frame of its code."""
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    traceback = _traceback_of(exception)
    while traceback is not None:
        if traceback.tb_frame.f_code is code:
            return True
        traceback = traceback.tb_next
    return False
