"""ASGI's messages: their types, and what is read out of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from types import FunctionType, MethodType
from typing import Any, cast

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

SCOPE_KEY = "errorkit.exchange"
PYTHON_FUNCTIONS = frozenset({FunctionType, MethodType})


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
