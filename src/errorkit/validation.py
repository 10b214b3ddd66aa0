"""Findings of pydantic and FastAPI as details. The submitted value is never looked at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from errorkit.errors import APIError, MalformedJSONError, ValidationError
from errorkit.failure import Detail, dotted, new_tuple

LOCATIONS = frozenset({"body", "query", "path", "header", "cookie"})
_MISSING = frozenset(
    {"missing", "missing_argument", "missing_keyword_only_argument", "missing_positional_only_argument"}
)

_SAFE_WORDS = {
    # pydantic puts parts of the submitted value into these messages
    "union_tag_invalid": "Input tag does not match any of the expected tags",
    "uuid_parsing": "Input should be a valid UUID",
    "url_parsing": "Input should be a valid URL",
    "url_syntax_violation": "Input should be a valid URL",
    "datetime_parsing": "Input should be a valid datetime",
    "datetime_from_date_parsing": "Input should be a valid datetime or date",
    "datetime_object_invalid": "Input should be a valid datetime",
    "date_parsing": "Input should be a valid date",
    "date_from_datetime_parsing": "Input should be a valid date or datetime",
    "time_parsing": "Input should be a valid time",
    "time_delta_parsing": "Input should be a valid timedelta",
    "complex_str_parsing": "Input should be a valid complex number",
    "get_attribute_error": "Input could not be read",
    "iteration_error": "Input could not be read",
    "mapping_type": "Input should be a valid mapping",
    "bytes_invalid_encoding": "Input should be correctly encoded",
    "unicode_error": "Input should be a valid string",
    "string_unicode": "Input should be a valid string",
}


def details_of(
    errors: Iterable[Mapping[str, Any]],
    *,
    field_codes: Mapping[str, str],
    location: str | None = None,
    limit: int = 100,
) -> tuple[Detail, ...]:
    """At most `limit` findings in pydantic's `errors()` form.

    field_codes: a field's own code, by dotted path or last member.
    location: where the data came from; None if each `loc` begins with it, as FastAPI's do.
    """
    details: list[Detail] = []
    for error in errors:
        if len(details) == limit:
            break
        details.append(_detail(error, field_codes, location))
    return tuple(details)


def _detail(error: Mapping[str, Any], field_codes: Mapping[str, str], location: str | None) -> Detail:
    loc = tuple([part if isinstance(part, (str, int)) else str(part) for part in error.get("loc", ())])
    if location is None:
        location = "body"
        if loc and loc[0] in LOCATIONS:
            location, loc = str(loc[0]), loc[1:]
    kind = str(error.get("type", ""))
    if kind in _MISSING:
        return Detail(loc, "Field required", "missing_field", location, "missing")
    code = _own_code(loc, field_codes) if field_codes else None
    message = _SAFE_WORDS.get(kind) or str(error.get("msg", ""))
    return new_tuple(Detail, (loc, message, code or "invalid_value", location, kind))


def _own_code(loc: tuple[str | int, ...], field_codes: Mapping[str, str]) -> str | None:
    return field_codes.get(dotted(loc)) or next(
        (field_codes[part] for part in reversed(loc) if isinstance(part, str) and part in field_codes), None
    )


def as_error(
    errors: Iterable[Mapping[str, Any]],
    *,
    field_codes: Mapping[str, str],
    location: str | None = None,
) -> APIError:
    """The error that a rejected request is answered with."""
    findings = list(errors)
    if findings and findings[0].get("type") == "json_invalid":
        return MalformedJSONError()
    return ValidationError(details=details_of(findings, field_codes=field_codes, location=location))
