"""What may differ between twins. This is the whole list; everything else is a difference.

1. The body of an error that nobody shaped on purpose, and the fields that describe it.
2. One request-ID header, where the application set none.
3. Who writes a failure's log line.

And what follows from these: an exception that was answered is not raised to the server again; a broken
event stream ends with the dialect's own event; a browser may read a crash's answer (CORS).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from errorkit.retry import LONGEST
from fidelity.observed import Answer

ID = "x-request-id"

DESCRIBE_THE_BODY = frozenset(
    {
        "content-type", "content-length", "content-encoding", "etag", "last-modified", "accept-ranges",
        "content-range", "digest", "content-digest", "repr-digest",
    }
)  # fmt: skip
"""Fields of the old body go, those of the new one come."""

OF_THE_OLD_BODY = frozenset({"etag", "last-modified", "digest", "content-digest", "repr-digest"})
"""What an answer in its place must not have."""

ADDED: dict[str, Callable[[int, str], bool]] = {
    "cache-control": lambda status, value: value == "no-store",
    "x-content-type-options": lambda status, value: value == "nosniff",
    "www-authenticate": lambda status, value: status == 401,
    "retry-after": lambda status, value: value.isdecimal() and status in (408, 409, 425, 429, 500, 502, 503, 504),
    "retry-after-ms": lambda status, value: value.isdecimal(),  # OpenAI's
    "x-should-retry": lambda status, value: value in ("true", "false"),  # OpenAI's
    "vary": lambda status, value: value.lower() in ("accept", "accept-encoding"),  # negotiation, compression
}
"""Fields that the new body may bring, where the application had none of that name."""

CORS = frozenset({"access-control-allow-origin", "access-control-allow-credentials", "access-control-expose-headers"})
"""Fields that a crash may bring from the application's own CORS settings, with `Vary: Origin`."""

SERVERS_OWN = frozenset({"date", "server", "connection", "transfer-encoding"})
"""Fields of the server: of the moment, or of how it frames a body."""


def is_failures_line(record: str) -> bool:
    """Flask's own log line of a crash, which the event may stand for."""
    return record.startswith("site ERROR: Exception on ")


def is_event_stream(answer: Answer) -> bool:
    """May it end with the dialect's own event."""
    kind = (answer.value("content-type") or "").partition(";")[0]
    return kind == "text/event-stream" and not answer.values("content-length") and not answer.values("content-encoding")


def not_raised_again(bare: Answer, covered: Answer) -> bool:
    """An exception that has its answer, before the first byte or as the last event, does not go to the server."""
    if not bare.raised or covered.raised:
        return False
    if is_event_stream(bare) and bare.status < 400:
        return covered.complete
    return covered.complete and covered.status >= 400 and (bare.by_server or bare.status >= 400)


def cut_instead_of_whole(bare: Answer, covered: Answer) -> bool:
    """BaseHTTPMiddleware ends a torn stream as if it were whole, and raises; covered it is visibly cut."""
    return bool(bare.raised) and bare.complete and bare.status < 400 and not covered.complete


def same_wait(bare: list[str], covered: list[str]) -> bool:
    """An instant as the whole number of seconds until then, at most errorkit's longest wait (RFC 9110 10.2.3)."""
    if len(bare) != 1 or len(covered) != 1 or not covered[0].isdecimal():
        return False
    try:
        ahead = (parsedate_to_datetime(bare[0]) - datetime.now(UTC)).total_seconds()
    except ValueError:
        return False
    return abs(int(covered[0]) - max(0, min(ahead, LONGEST))) <= 60


def same_refusal(bare: Any, covered: Any) -> bool:
    """A close before accept, in other words where FastAPI's own are its findings with what was submitted."""
    if bare and covered and not isinstance(bare[1], str):
        return bool(bare[0] == covered[0]) and isinstance(covered[1], str)
    return bool(bare == covered)


def refuses(bare: Answer, covered: Answer) -> bool:
    """A handshake that a router or FastAPI's validation refuses: a close before accept is a 403 (ASGI); nobody chose.

    Covered it may be that close, or the error response that the refusal is.
    """
    return 400 <= covered.status < 500


def _problem(answer: Answer, body: Any) -> bool:
    return body["status"] == answer.status and bool(body["code"]) and bool(body["title"])


def _openai(answer: Answer, body: Any) -> bool:
    return {"message", "type", "param", "code"} <= set(body["error"])


_MEDIA_TYPES = {"problem": "application/problem+json", "openai": "application/json"}
_FORMS = {"problem": _problem, "openai": _openai}


def in_dialect(answer: Answer, dialect: str, *, head: bool) -> str:
    """What is not as the dialect says; empty if all is."""
    kind = answer.value("content-type")
    if kind is None or kind.partition(";")[0] != _MEDIA_TYPES[dialect]:
        return f"its content type is {kind}, its body {answer.plain_body[:120]!r}"
    if head:
        return f"HEAD has the body {answer.body!r}" if answer.body else ""
    try:
        body = json.loads(answer.plain_body)
        return "" if _FORMS[dialect](answer, body) else f"its body is {body!r}"
    except (ValueError, KeyError, TypeError):
        return f"its body is {answer.plain_body[:120]!r}"
