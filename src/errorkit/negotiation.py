"""What a client's Accept says about the form of an error (RFC 9110 section 12.5.1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from errorkit.accept import MediaRange, media_ranges, weight
from errorkit.dialects import Dialect
from errorkit.dialects.problem import Problem

HTML = "text/html"
_PROGRAMS = ("application/json", Problem.media_type)
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


class Forms(NamedTuple):
    """All forms that the errors of a path can have.

    dialects: the default's first. page: HTML, too. vary: the request's header fields that decide.
    """

    dialects: tuple[Dialect, ...]
    page: bool = False
    vary: tuple[str, ...] = ()


def problem_beside(dialect: Dialect) -> Problem | None:
    """The problem dialect for paths of another one; None where that is the form already."""
    if dialect.media_type == Problem.media_type:
        return None
    return Problem(**{name: getattr(dialect, name) for name in _KEPT})


def prefers_problem(accept: str, own: str) -> bool:
    """Does an Accept field name problem details, and no less than the dialect's own media type."""
    ranges = media_ranges(accept)
    asked = _named(ranges, Problem.media_type)
    return asked > 0 and asked >= weight(ranges, own)


def prefers_html(accept: str, own: str) -> bool:
    """Does an Accept field name HTML, and put it above the dialect's own media type and every other form of JSON."""
    ranges = media_ranges(accept)
    asked = _named(ranges, HTML)
    return asked > 0 and all(asked > weight(ranges, other) for other in (own, *_PROGRAMS))


def _named(ranges: Sequence[MediaRange], media_type: str) -> float:
    """The weight of a media type that a client names; 0 where it does not, or by a range alone."""
    if not any(f"{each.type}/{each.subtype}" == media_type for each in ranges):
        return 0.0
    return weight(ranges, media_type)
