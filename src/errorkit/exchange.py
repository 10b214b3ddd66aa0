"""A request and a response as values, free of any server protocol (sans-IO)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from types import TracebackType
from typing import Any, NamedTuple

from errorkit.failure import Failure, RequestFacts
from errorkit.texts import clean, plain_text

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
    """One request, as far as the handler and a hook need it; `errorkit.lifecycle.Exchange` is one.

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
    traceback: TracebackType | None = None
    """Its frames when it was answered: a framework may take them away afterwards."""
    answered: BaseException | None = None
    """The exception that has got its answer: it may be raised once more."""
    span: Any = None
    """The span that was active when the failure was first seen."""
    status: int = 0
    """Status sent; 0 before that."""
    shaped_by: str = ""
    """Who has made the answer: `errorkit`, the name of a handler of the application's, or `application`."""
    left_alone: str = ""
    """Why an answer that other code has shaped was not put into the dialect."""
    replaced: Any = None
    """What an answer said that errorkit's has taken the place of, for the event."""
    recorded: bool = False
    reported: bool = False
    """An error reporter's own integration has been told already."""
    raises_on: bool = False
    """Somebody outside of every place of errorkit's listens for exceptions: what is answered is raised on, too."""
    integration: str = ""
    """What Sentry calls its integration of the framework that serves the request."""
    outcome: str = ""
    """Anything but a plain answer: stream_error, aborted, incomplete, client_gone, background."""

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

    active_trace: str | None = None
    """The id of the trace that was active when the failure was told."""

    @property
    def trace_id(self) -> str | None:
        """The active trace's, else that of a valid `traceparent` (W3C Trace Context 3.2), else None."""
        if self.active_trace is not None:
            return self.active_trace
        header = self.header(b"traceparent")
        match = header and _TRACEPARENT(header)
        return match[1] if match else None


def facts(request: Request) -> RequestFacts:
    """What a dialect may know of a request, bounded."""
    told = request.method, request.path, request.header(b"accept") or ""
    return RequestFacts(*(clean(text[:_MAX_FACT], _MAX_FACT) for text in told))


_MAX_FACT = 2048


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


def unsendable(fields: Mapping[str, object]) -> str | None:
    """The first name of a field that could not be sent for its name or its value; None where all could."""
    for name, value in fields.items():
        text = plain_text(value)
        if text is None or raw_header(name, text) is None:
            return str(name)
    return None


def phrase(status: int) -> str:
    """The reason phrase of a status (RFC 9110's, whatever Python's), also of one that no standard knows."""
    known = _PHRASES.get(status)
    if known is not None:
        return known
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Client Error" if status < 500 else "Server Error"
