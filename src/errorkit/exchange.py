"""A request and a response as values, free of any server protocol (sans-IO)."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any, NamedTuple

from errorkit.failure import Failure

CLIENT_CLOSED_REQUEST = 499
"""nginx's status for a client that left; no standard knows it."""

RawHeaders = list[tuple[bytes, bytes]]

_PHRASES = {
    413: "Content Too Large",
    414: "URI Too Long",
    416: "Range Not Satisfiable",
    422: "Unprocessable Content",
    CLIENT_CLOSED_REQUEST: "Client Closed Request",
}

_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+").fullmatch
_FORBIDDEN = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]").search
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}").match


class Response(NamedTuple):
    """What leaves: status, header fields as bytes, body."""

    status: int
    headers: RawHeaders
    body: bytes


class Request:
    """One request, as far as the handler needs it; adapters subclass it.

    A class attribute is the value until the instance's is set: a request that
    succeeds pays for nothing but its id and its start.
    """

    method: str = "GET"
    request_id: str = ""
    renderer: Any
    """The handler's renderer of the dialect that the path is served in."""
    started: float = 0.0
    """`time.perf_counter()` when it arrived."""

    failure: Failure | None = None
    """What has been answered, or what broke the response."""
    exception: BaseException | None = None
    """An exception that belongs to this exchange, for the event."""
    status: int = 0
    """Status sent; 0 before that."""
    ours: bool = False
    """The response being sent was rendered by errorkit."""
    deliberate: bool = False
    """The application's own error handler shapes the answer: leave it alone."""
    recorded: bool = False
    reported: bool = False
    """An error reporter's own integration has been told already."""
    annotated: bool = False
    """The current span has been told already."""
    outcome: str = ""
    """Anything but a plain answer: stream_error, aborted, incomplete, client_gone, background."""

    outer: Request | None = None
    """The same request as an errorkit further out sees it."""

    def claim(self) -> None:
        """Errorkit renders the response: no place further out shall put it into another form."""
        self.ours = True
        if self.outer is not None:
            self.outer.claim()

    @property
    def path(self) -> str:
        """The path without its query."""
        raise NotImplementedError

    @property
    def route(self) -> str | None:
        """The route's template, where the framework knows it."""
        return None

    def header(self, name: bytes) -> str | None:
        """A request header's first value; `name` in lower case."""
        raise NotImplementedError

    @property
    def trace_id(self) -> str | None:
        """From a valid `traceparent` (W3C Trace Context 3.2), else None."""
        header = self.header(b"traceparent")
        match = header and _TRACEPARENT(header)
        return match[1] if match else None


def legal(name: bytes, value: bytes) -> bool:
    """May this header field be sent (RFC 9110 section 5): no split, no control characters."""
    return bool(_TOKEN(name)) and not _FORBIDDEN(value)


def raw_header(name: str, value: object) -> tuple[bytes, bytes] | None:
    """A header as an ASGI pair in lower case, or None if it could not be sent safely."""
    try:
        pair = (name.lower().encode("ascii"), str(value).strip().encode("latin-1"))
    except Exception:  # a foreign value may raise anything from __str__
        return None
    return pair if legal(*pair) else None


def phrase(status: int) -> str:
    """The reason phrase of a status (RFC 9110's, whatever Python's), also of one that no standard knows."""
    known = _PHRASES.get(status)
    if known is not None:
        return known
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Client Error" if status < 500 else "Server Error"
