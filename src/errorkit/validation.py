"""Findings of pydantic and FastAPI as details. What was submitted is never repeated."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any

from errorkit.errors import APIError, MalformedJSONError, ValidationError
from errorkit.failure import Detail, dotted, new_tuple
from errorkit.finding_paths import MISSING, UNKNOWN, client_path
from errorkit.finding_words import UNKNOWN_WORDS, words_of

LOCATIONS = frozenset({"body", "query", "path", "header", "cookie"})
MAX_FINDINGS = 100
"""Findings that are told; how many there are beyond them is."""


def details_of(
    errors: Iterable[Mapping[str, Any]],
    *,
    field_codes: Mapping[str, str],
    location: str | None = None,
    submitted: Any = UNKNOWN,
    declared: Container[str] | None = None,
    limit: int = MAX_FINDINGS,
) -> tuple[Detail, ...]:
    """At most `limit` findings in pydantic's `errors()` form.

    field_codes: a field's own code, by dotted path or last member.
    location: where the data came from; None if each `loc` begins with it, as FastAPI's do.
    submitted: the data itself (FastAPI's body), to tell the client's names from pydantic's.
    declared: every name that the schema knows, to tell them from those that the client has made up.
    """
    details: list[Detail] = []
    for error in errors:
        if len(details) == limit:
            break
        details.append(_detail(error, field_codes, location, submitted, declared))
    return tuple(details)


def _detail(
    error: object,
    field_codes: Mapping[str, str],
    location: str | None,
    submitted: Any,
    declared: Container[str] | None,
) -> Detail:
    if not isinstance(error, (dict, Mapping)):  # whoever raised it by hand
        return Detail((), UNKNOWN_WORDS, "invalid_value", location or "body")
    skip = 0
    if location is None:
        location = "body"
        loc = error.get("loc")
        if isinstance(loc, (tuple, list)) and loc and isinstance(loc[0], str) and loc[0] in LOCATIONS:
            location, skip = loc[0], 1
    in_body = location == "body"
    path = client_path(
        error, submitted=submitted if in_body else UNKNOWN, declared=declared if in_body else None, skip=skip
    )
    if not in_body and len(path) > 1:  # a parameter is one name: what follows it are indices, or pydantic's own names
        path = (path[0], *(part for part in path[1:] if type(part) is int))
    kind = error.get("type")
    kind = kind if isinstance(kind, str) else ""
    if kind in MISSING:
        return Detail(path, "Field required", "missing_field", location, "missing")
    code = _own_code(path, field_codes) if field_codes else None
    return new_tuple(Detail, (path, words_of(error), code or "invalid_value", location, kind))


def _own_code(loc: tuple[str | int, ...], field_codes: Mapping[str, str]) -> str | None:
    return field_codes.get(dotted(loc)) or next(
        (field_codes[part] for part in reversed(loc) if isinstance(part, str) and part in field_codes), None
    )


def as_error(
    errors: Iterable[Mapping[str, Any]],
    *,
    field_codes: Mapping[str, str],
    location: str | None = None,
    submitted: Any = UNKNOWN,
    declared: Container[str] | None = None,
) -> APIError:
    """The error that a rejected request is answered with. Parameters: see `details_of`."""
    findings: Sequence[Mapping[str, Any]] = errors if isinstance(errors, (list, tuple)) else list(errors)
    if findings and _body_is_no_json(findings[0], location):
        return MalformedJSONError()
    return invalid(findings, field_codes=field_codes, location=location, submitted=submitted, declared=declared)


def invalid(
    findings: Sequence[Mapping[str, Any]],
    *,
    field_codes: Mapping[str, str],
    location: str | None = None,
    submitted: Any = UNKNOWN,
    declared: Container[str] | None = None,
) -> ValidationError:
    """The error for findings about the fields of a request. Parameters: see `details_of`."""
    error = ValidationError(
        details=details_of(findings, field_codes=field_codes, location=location, submitted=submitted, declared=declared)
    )
    if len(findings) > MAX_FINDINGS:
        error.found = len(findings)
    return error


def _body_is_no_json(finding: object, location: str | None) -> bool:
    """Is it the body itself that could not be read, and not a field that holds JSON."""
    if not isinstance(finding, (dict, Mapping)) or finding.get("type") != "json_invalid":
        return False
    loc = finding.get("loc")
    if not isinstance(loc, (tuple, list)):
        return False
    if location is not None:
        return location == "body" and not loc
    if tuple(loc[:1]) != ("body",):
        return False
    return len(loc) == 1 or (len(loc) == 2 and type(loc[1]) is int and finding.get("msg") == _FASTAPIS_WORDS)


_FASTAPIS_WORDS = "JSON decode error"
"""With the offset in the body's text as the second part of `loc`."""
