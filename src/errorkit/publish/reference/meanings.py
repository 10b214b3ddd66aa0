"""What the members of a body and the fields of a response are for."""

from __future__ import annotations

from collections.abc import Iterator

from errorkit.dialects import Dialect
from errorkit.publish.wire_example import Example

MEMBERS = {
    "code": "The stable name of the error. Decide by this, never by the message.",
    "status": "The HTTP status, repeated.",
    "type": "The coarse class of the error.",
    "title": "What this kind of error is called.",
    "message": "What happened, for people. The wording may change.",
    "param": "The one parameter at fault, where there is one.",
    "details": "Every finding, where several fields are at fault.",
    "request_id": "Identifies this request. Log it, and quote it to support.",
    "resume_at": "The instant at which another attempt makes sense (UTC).",
    "doc_url": "The page that describes the code.",
}
NOT_SHOWN = frozenset({"content-length"})
_HEADERS = {
    "retry-after": "Seconds to wait before the next attempt.",
    "retry-after-ms": "The same in milliseconds.",
    "x-should-retry": "Whether a client may try again by itself.",
    "www-authenticate": "How to authenticate.",
    "allow": "The methods that the resource has.",
    "cache-control": "An error is not stored.",
    "content-type": "The form of the body.",
    "x-content-type-options": "The body is what Content-Type says.",
    "vary": "The fields of the request that decide about the form of the answer.",
    "ratelimit": "What is left of the quota (r), and in how many seconds there is more (t), where the service tells.",
    "ratelimit-policy": "The quota (q) and its window in seconds (w), where the service tells.",
    "x-ratelimit-limit": "The quota, where the service tells.",
    "x-ratelimit-remaining": "What is left of it.",
    "x-ratelimit-reset": "Seconds until there is more.",
}


def described_headers(shown: Example, dialect: Dialect) -> Iterator[tuple[str, str, str]]:
    """Name, value and meaning of each field that is shown."""
    for name, value in shown.headers:
        lowered = name.lower()
        if lowered == dialect.request_id_header.lower():
            yield name, value, MEMBERS["request_id"]
        elif lowered == (dialect.code_header or "").lower():
            yield name, value, MEMBERS["code"]
        elif lowered not in NOT_SHOWN:
            yield name, value, _HEADERS.get(lowered, "")
