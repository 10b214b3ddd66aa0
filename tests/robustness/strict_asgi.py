"""A server's side of ASGI 3 that refuses every illegal message, and a driver for one exchange.

The rules are those of the ASGI HTTP and WebSocket specifications (message order, types,
one end), of RFC 9110 for header fields (token names, no control characters), and of
RFC 9112 for the length that was declared.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+").fullmatch
CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]").search
BODILESS = frozenset({204, 304})
OPTIONAL = frozenset({"http.response.push", "http.response.early_hint", "http.response.debug"})


class Violation(AssertionError):
    """The application sent what no server may accept."""


class StrictHTTP:
    """What one HTTP response has sent, checked message by message."""

    def __init__(self, scope: MutableMapping[str, Any]) -> None:
        self.head = scope.get("method") == "HEAD"
        self.extensions = set(scope.get("extensions") or ())
        self.start: dict[str, Any] | None = None
        self.body = b""
        self.ended = False
        self.trailers_due = False
        self.declared: int | None = None
        self.messages: list[dict[str, Any]] = []

    def take(self, message: Any) -> None:
        """Accept one message, or raise Violation."""
        if not isinstance(message, MutableMapping) or not isinstance(message.get("type"), str):
            raise Violation(f"no message: {message!r}")
        kind = message["type"]
        if kind == "http.response.start":
            self._start(message)
        elif kind == "http.response.body":
            self._body(message)
        elif kind in ("http.response.pathsend", "http.response.zerocopysend"):
            self._file(message)
        elif kind == "http.response.trailers":
            self._trailers(message)
        elif kind in OPTIONAL:
            if self.start is not None:
                raise Violation(f"{kind} after the start")
        else:
            raise Violation(f"unknown message {kind!r}")
        self.messages.append(dict(message))

    def _start(self, message: Any) -> None:
        if self.start is not None:
            raise Violation("a second start")
        status = message.get("status")
        if type(status) is not int or not 100 <= status <= 999:
            raise Violation(f"status {status!r}")
        for pair in message.get("headers", ()):
            name, value = pair
            if type(name) is not bytes or type(value) is not bytes:
                raise Violation(f"header {pair!r} is not bytes")
            if not TOKEN(name) or name != name.lower() or CONTROL(value) or value != value.strip():
                raise Violation(f"header {pair!r}")
            if name == b"content-length":
                if self.declared is not None or not value.isdigit():
                    raise Violation(f"content-length {value!r}")
                self.declared = int(value)
        self.start = dict(message)
        self.trailers_due = bool(message.get("trailers"))

    def _body(self, message: Any) -> None:
        body, more = message.get("body", b""), message.get("more_body", False)
        if type(body) is not bytes or type(more) is not bool:
            raise Violation(f"body {type(body).__name__}, more_body {more!r}")
        if self.start is None:
            raise Violation("a body before the start")
        if self.ended:
            raise Violation("a body after the end")
        if body and self.start["status"] in BODILESS:
            raise Violation("a body where none may be")
        self.body += body  # an application may send one for HEAD: servers drop it
        if self.declared is not None and len(self.body) > self.declared and not self.head:
            raise Violation("more than was declared")
        if not more:
            if self.declared is not None and len(self.body) != self.declared and not self.head:
                raise Violation(f"declared {self.declared}, sent {len(self.body)}")
            self.ended = True

    def _file(self, message: Any) -> None:
        if message["type"] not in self.extensions:
            raise Violation(f"{message['type']} was not offered")
        if self.start is None or self.ended:
            raise Violation(f"{message['type']} out of order")
        self.ended = not message.get("more_body", False)

    def _trailers(self, message: Any) -> None:
        if not self.trailers_due or not self.ended:
            raise Violation("trailers out of order")
        self.trailers_due = bool(message.get("more_trailers"))

    @property
    def complete(self) -> bool:
        """Was the whole of a response sent."""
        return self.start is not None and self.ended and not self.trailers_due

    @property
    def status(self) -> int:
        """The status that was sent, 0 if none was."""
        return self.start["status"] if self.start is not None else 0

    @property
    def headers(self) -> dict[str, str]:
        """The fields that were sent; several of one name are joined."""
        fields: dict[str, str] = {}
        for name, value in (self.start or {}).get("headers", ()):
            key, text = name.decode("ascii"), value.decode("latin-1")
            fields[key] = f"{fields[key]}, {text}" if key in fields else text
        return fields


class StrictWebSocket:
    """What one websocket has sent, checked message by message."""

    def __init__(self, scope: MutableMapping[str, Any]) -> None:
        self.deniable = "websocket.http.response" in (scope.get("extensions") or ())
        self.state = "connecting"
        self.messages: list[dict[str, Any]] = []

    def take(self, message: Any) -> None:
        """Accept one message, or raise Violation."""
        kind = message["type"]
        allowed = {
            "connecting": {"websocket.accept", "websocket.close", "websocket.http.response.start"},
            "open": {"websocket.send", "websocket.close"},
            "denying": {"websocket.http.response.body"},
            "closed": set(),
        }[self.state]
        if kind not in allowed or (kind == "websocket.http.response.start" and not self.deniable):
            raise Violation(f"{kind} while {self.state}")
        if kind == "websocket.close":
            code, reason = message.get("code", 1000), message.get("reason") or ""
            if type(code) is not int or not (code in range(1000, 1015) or code in range(3000, 5000)):
                raise Violation(f"close code {code!r}")
            if len(reason.encode()) > 123:
                raise Violation("a reason of more than 123 bytes")
        following = {
            "websocket.accept": "open",
            "websocket.send": "open",
            "websocket.close": "closed",
            "websocket.http.response.start": "denying",
        }
        if kind == "websocket.http.response.body":
            self.state = "denying" if message.get("more_body") else "closed"
        else:
            self.state = following[kind]
        self.messages.append(dict(message))


class Exchange:
    """One scope served: what was sent, what came out."""

    def __init__(self, strict: Any, escaped: BaseException | None, refused: list[Exception]) -> None:
        self.sent = strict
        self.escaped = escaped
        self.refused = refused


def http_scope(path: str = "/", method: str = "GET", headers: Any = (), **more: Any) -> dict[str, Any]:
    """An HTTP scope as uvicorn makes it."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode("utf-8", "replace"),
        "query_string": b"",
        "root_path": "",
        "headers": list(headers),
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 80),
        **more,
    }


def websocket_scope(path: str = "/", *, deniable: bool = True, headers: Any = ()) -> dict[str, Any]:
    """A websocket scope as uvicorn makes it."""
    scope = http_scope(path, headers=headers)
    del scope["method"]
    extensions = {"websocket.http.response": {}} if deniable else {}
    return {**scope, "type": "websocket", "scheme": "ws", "subprotocols": [], "extensions": extensions}


async def exchange(
    app: Callable[..., Awaitable[None]],
    scope: dict[str, Any],
    received: list[dict[str, Any]] | None = None,
    failing: Callable[[int, Any], BaseException | None] | None = None,
) -> Exchange:
    """Serve one scope strictly.

    received: what the client sends, then it is silent. failing: given the number and the
    message of a `send`, the exception that the server raises instead.
    """
    if received is None:
        first = "http.request" if scope["type"] == "http" else "websocket.connect"
        received = [{"type": first, "body": b"", "more_body": False}]
    queue = list(received)
    strict = StrictHTTP(scope) if scope["type"] == "http" else StrictWebSocket(scope)
    count = 0
    refused: list[Exception] = []

    async def receive() -> dict[str, Any]:
        if queue:
            return queue.pop(0)
        await asyncio.sleep(3600)
        raise AssertionError("unreachable")

    async def send(message: Any) -> None:
        nonlocal count
        count += 1
        if failing is not None:
            exception = failing(count, message)
            if exception is not None:
                raise exception
        try:
            strict.take(message)
        except Exception as exception:
            refused.append(exception)
            raise

    escaped: BaseException | None = None
    try:
        await app(scope, receive, send)
    except BaseException as exception:
        escaped = exception
    return Exchange(strict, escaped, refused)


def run(app: Callable[..., Awaitable[None]], scope: dict[str, Any] | None = None, **arguments: Any) -> Exchange:
    """`exchange` in an event loop of its own, bounded."""
    return asyncio.run(asyncio.wait_for(exchange(app, scope or http_scope(), **arguments), 30))


def start_up(app: Callable[..., Awaitable[None]]) -> None:
    """Serve the lifespan scope, as every server does first."""
    queue: list[dict[str, Any]] = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    sent: list[str] = []

    async def receive() -> dict[str, Any]:
        return queue.pop(0)

    async def send(message: Any) -> None:
        sent.append(message["type"])

    asyncio.run(app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, receive, send))  # type: ignore[arg-type]
    if sent != ["lifespan.startup.complete", "lifespan.shutdown.complete"]:
        raise Violation(f"the lifespan went {sent}")
