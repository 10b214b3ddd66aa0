"""What twins are driven with, and what is seen of them."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Fields = tuple[tuple[str, str], ...]
Check = Callable[["Answer", "Answer"], Iterable[str]]


@dataclass(frozen=True)
class Call:
    """One request, and the little that is said of its answer beside "as without errorkit".

    dialect: that of the path; None where errorkit was told to leave it alone.
    shaped: somebody shaped the body of this error on purpose; None: either is right.
    status: of the covered answer, where a declared error has no counterpart without errorkit or where the
        dialect's documented table has another one.
    propagates: what failed is raised to the server on purpose (a test's or debug configuration).
    leaves: the client leaves: "disconnect" (the request is followed by http.disconnect), "send"
        (every send after the first message raises OSError), "cancel" (the server cancels the request
        when the application reaches `Twin.stall`).
    extra: members of the ASGI scope or WSGI environ; a value of None takes a member away.
    check: more differences, by both answers.
    """

    path: str = "/"
    method: str = "GET"
    headers: Fields = ()
    body: bytes = b""
    dialect: str | None = "problem"
    shaped: bool | None = False
    status: int | None = None
    propagates: bool = False
    leaves: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)
    check: Check | None = None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class Socket:
    """One websocket.

    says: what the client sends after the handshake; then it closes.
    denial: the server has the extension `websocket.http.response`.
    chosen: the application chose how the handshake was refused or the socket was closed.
    status: of the covered denial, and code: of the covered close, where they differ from bare by a declaration.
    """

    path: str = "/"
    says: tuple[str, ...] = ()
    denial: bool = True
    chosen: bool = False
    status: int | None = None
    code: int | None = None
    dialect: str | None = "problem"
    shaped: bool = False
    extra: Mapping[str, Any] = field(default_factory=dict)
    check: Check | None = None

    def __str__(self) -> str:
        return f"WEBSOCKET {self.path}"


@dataclass
class Answer:
    """What a client and the server saw of one request.

    complete: the last byte was sent. by_server: the application answered nothing, so the server did.
    raised: what came out of the application, by its label. others: types of further messages, in order.
    close: code and reason of a websocket's end. said: what a websocket sent.
    """

    status: int = 0
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    complete: bool = False
    by_server: bool = False
    raised: str = ""
    others: list[str] = field(default_factory=list)
    accepted: bool = False
    close: tuple[int, str] | None = None
    said: list[str] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)

    def values(self, name: str) -> list[str]:
        """Every value of a header field, in order."""
        return [value for key, value in self.headers if key == name]

    def value(self, name: str) -> str | None:
        """The first of them."""
        return next(iter(self.values(name)), None)

    def take_headers(self, pairs: Iterable[tuple[Any, Any]]) -> None:
        """Header fields, in lower case."""
        self.headers = [(_text(name).lower(), _text(value)) for name, value in pairs]

    @property
    def plain_body(self) -> bytes:
        """The body, uncompressed: gzip has a time in it."""
        if self.value("content-encoding") == "gzip" and self.complete and self.body.startswith(b"\x1f\x8b"):
            return gzip.decompress(self.body)
        return self.body


@dataclass
class Observation:
    """What was seen of one twin."""

    answers: list[Answer] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    records: list[str] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    """Those that no answer has: of exchanges in a server, and of none."""


def _text(value: Any) -> str:
    return value if isinstance(value, str) else bytes(value).decode("latin-1")
