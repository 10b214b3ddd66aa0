"""Problem details for those who ask for them (RFC 9110 section 12.5.1, RFC 9457 section 3)."""

from __future__ import annotations

from collections.abc import Iterable

from errorkit.dialects import Dialect
from errorkit.dialects.problem import Problem
from errorkit.exchange import RawHeaders

_KEPT = (
    "request_id_header",
    "retry_verdict_header",
    "retry_after_ms_header",
    "status_missing",
    "status_invalid",
    "code_from_finding",
    "types",
    "known_types",
    "status_of_type",
)
"""What a path's dialect decides about status and headers, whatever the body's form."""

MAX_ACCEPT = 1024
"""Characters of an Accept field that are read: what a client really prefers stands there."""


def problem_beside(dialect: Dialect) -> Problem | None:
    """The problem dialect for paths of another one; None where that is the form already."""
    if dialect.media_type == Problem.media_type:
        return None
    return Problem(**{name: getattr(dialect, name) for name in _KEPT})


def prefers_problem(accept: str, own: str) -> bool:
    """Does an Accept field name problem details, and no less than the dialect's own media type.

    Total: what cannot be understood in the field asks for nothing. What begins beyond
    `MAX_ACCEPT` characters is not read.
    """
    if len(accept) > MAX_ACCEPT:
        accept = accept[:MAX_ACCEPT].rpartition(",")[0]
    qualities = dict([_quality(item) for item in accept.split(",") if item and not item.isspace()])
    asked = qualities.get(Problem.media_type, 0.0)
    if asked <= 0:
        return False
    own = own.partition(";")[0]
    ranges = (own, own.partition("/")[0] + "/*", "*/*")
    return asked >= next((qualities[name] for name in ranges if name in qualities), 0.0)


def _quality(item: str) -> tuple[str, float]:
    """A media range and its weight, 0..1."""
    name, *parameters = (part.strip().lower() for part in item.split(";"))
    quality = 1.0
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                quality = min(float(parameter[2:]), 1.0)
            except ValueError:
                quality = 0.0
    return name, quality


def varying(headers: Iterable[tuple[bytes, bytes]]) -> RawHeaders:
    """Header fields (lower-case names) that say, too, that the response depends on Accept."""
    headers = list(headers)
    named = [value for name, value in headers if name == b"vary"]
    words = {word.strip().lower() for value in named for word in value.split(b",")}
    if words & {b"*", b"accept"}:
        return headers
    rest = [pair for pair in headers if pair[0] != b"vary"]
    return [*rest, (b"vary", b", ".join([*filter(None, named), b"Accept"]))]
