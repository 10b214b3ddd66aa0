"""Problem details for those who ask for them (RFC 9110 section 12.5.1, RFC 9457 section 3)."""

from __future__ import annotations

from collections.abc import Iterable

from errorkit.accept import media_ranges, weight
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


def problem_beside(dialect: Dialect) -> Problem | None:
    """The problem dialect for paths of another one; None where that is the form already."""
    if dialect.media_type == Problem.media_type:
        return None
    return Problem(**{name: getattr(dialect, name) for name in _KEPT})


def prefers_problem(accept: str, own: str) -> bool:
    """Does an Accept field name problem details, and no less than the dialect's own media type."""
    ranges = media_ranges(accept)
    if not any(f"{each.type}/{each.subtype}" == Problem.media_type for each in ranges):
        return False
    asked = weight(ranges, Problem.media_type)
    return asked > 0 and asked >= weight(ranges, own)


def varying(headers: Iterable[tuple[bytes, bytes]]) -> RawHeaders:
    """Header fields (lower-case names) that say, too, that the response depends on Accept."""
    headers = list(headers)
    named = [value for name, value in headers if name == b"vary"]
    words = {word.strip().lower() for value in named for word in value.split(b",")}
    if words & {b"*", b"accept"}:
        return headers
    rest = [pair for pair in headers if pair[0] != b"vary"]
    return [*rest, (b"vary", b", ".join([*filter(None, named), b"Accept"]))]
