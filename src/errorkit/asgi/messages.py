"""ASGI's messages, and one exchange of an ASGI scope."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any, cast

from errorkit.lifecycle import Exchange

if TYPE_CHECKING:  # pragma: no cover - building a handler loads pydantic, importing this does not
    from errorkit.handler import ErrorHandler
    from errorkit.rendering import Renderer

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

SCOPE_KEY = "errorkit.exchange"
PYTHON_FUNCTIONS = frozenset({FunctionType, MethodType})


class ASGIExchange(Exchange):
    """The exchange of one ASGI scope."""

    alone = False
    """It began in the middle of a stack: there is no place of errorkit's at its outside."""

    def __init__(self, scope: Scope, handler: ErrorHandler, renderer: Renderer, request_id: str) -> None:
        super().__init__(handler, renderer, request_id)
        self.scope = scope

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


def routed_path(scope: Scope) -> str:
    """The path that the application routes: without `root_path`, by which the server or a mount has reached it."""
    path: str = scope.get("path", "")
    root: str = scope.get("root_path", "")
    if root and path.startswith(root):
        rest = path[len(root) :]
        if not rest or rest[0] == "/":
            return rest
    return path


def listed_headers(message: Message) -> list[tuple[bytes, bytes]]:
    """The header fields of a start or of a scope, which may be any iterable: read once, and put back as a list."""
    headers = message.get("headers", ())
    if not isinstance(headers, (list, tuple)):
        headers = message["headers"] = list(headers)
    return cast(list[tuple[bytes, bytes]], headers)


async def nothing() -> None:
    """Sent nothing: the message is held."""


def in_python(send: Send) -> Send:
    """A `send` that is not one of `PYTHON_FUNCTIONS`, with a frame by which it can be recognised."""

    async def python_send(message: Message) -> None:
        await send(message)

    return python_send
