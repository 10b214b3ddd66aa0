"""Errors that other code has shaped, read so that this service can say them in its own dialect.

A reader is a dialect, which recognises what is its own, or a function that makes an error of
this service of a response. Code, words, findings, ids and waits that were there stay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, NamedTuple

from errorkit.catalog import Catalog, ErrorSpec
from errorkit.default_bodies import Default
from errorkit.dialects import Dialect
from errorkit.errors import APIError, ValidationError
from errorkit.failure import NOTHING, Public
from errorkit.texts import plain_text
from errorkit.validation import as_error

ReaderFunction = Callable[[int, Mapping[str, str], Any], APIError | None]
"""(status, header fields by names in lower case, body) -> the error that it is, or None. The body is what JSON says
where the media type is JSON, else bytes."""

Reader = Dialect | ReaderFunction

UnknownCodes = Literal["keep", "status"]

_AS_READ = ("title", "doc_url", "resume_at", "retryable")
_MAX_CODE = 100


class Adopted(NamedTuple):
    """An answer of other code's as an error of this service.

    as_read: fields of `Public` that stand as they were, whatever the catalogue says.
    """

    error: APIError
    spec: ErrorSpec
    as_read: Mapping[str, Any] = NOTHING


def read_by_dialect(
    dialect: Dialect, catalog: Catalog, unknown_codes: UnknownCodes, status: int, fields: Mapping[str, str], body: Any
) -> Adopted | None:
    """What a dialect makes of a response; None where it does not recognise it."""
    if not dialect.recognises(status, fields, body):
        return None
    read = dialect.read(status, fields, body)
    spec, kept, unknown = _spec(catalog, status, plain_text(read.code, _MAX_CODE) or "", unknown_codes)
    error = spec.occurrence(read.message or None)
    if read.param is not None:
        error.param = read.param
    if read.details:
        error.details = read.details
    if read.extensions:
        error.extensions = read.extensions
    if read.retry_after is not None:
        error.retry_after = read.retry_after
    if read.rate_limit is not None:
        error.rate_limit = read.rate_limit
    if unknown:
        error.context = {"unknown_code": unknown}
    as_read: dict[str, Any] = {name: getattr(read, name) for name in _AS_READ if name in dialect.carries}
    if "retryable" in as_read and (dialect.retry_verdict_header or "").lower() not in fields:
        del as_read["retryable"]  # the body has no place for it, and the header is not there
    as_read = {name: value for name, value in as_read.items() if value not in (None, "")}
    as_read["status"] = status
    if read.type:
        as_read["type"] = plain_text(read.type, _MAX_CODE)
    if kept:
        as_read["code"] = kept
    if read.request_id:
        as_read["request_id"] = read.request_id
    return Adopted(error, spec, as_read)


def of_default(
    default: Default, catalog: Catalog, spec_of: Callable[[type[APIError]], ErrorSpec], status: int
) -> Adopted:
    """What a framework's default body says. Of a 5xx nothing: its words were not meant for clients."""
    if default.findings:
        error = as_error(default.findings, field_codes=catalog.field_codes, location=default.location)
        return Adopted(error, spec_of(type(error)))
    if default.details:
        rejected = ValidationError(default.message, details=default.details)
        return Adopted(rejected, spec_of(ValidationError))
    spec = catalog.by_status(status)
    if status >= 500:
        return Adopted(spec.occurrence(), spec)
    error = spec.occurrence(default.message)
    if default.extensions:
        error.extensions = default.extensions
    return Adopted(error, spec, {"doc_url": default.doc_url} if default.doc_url else NOTHING)


def _spec(catalog: Catalog, status: int, code: str, unknown: UnknownCodes) -> tuple[ErrorSpec, str, str]:
    """The error of the catalogue that stands for a code, the code that is shown instead, the code that nobody knows."""
    if code in catalog:
        spec = catalog.by_code(code)
        if spec.status == status or code not in _OF_STATUS:
            return spec, code, ""
        return catalog.by_status(status), "", ""  # no code was there: it is that of the status, as a dialect reads it
    spec = catalog.by_status(status)
    return (spec, code, code) if unknown == "keep" else (spec, "", code)


_OF_STATUS = frozenset({"bad_request", "internal"})
"""What a dialect reads where a body names no code and the status has none of its own."""


def read_by_function(
    function: ReaderFunction,
    spec_of: Callable[[type[APIError]], ErrorSpec],
    status: int,
    fields: Mapping[str, str],
    body: Any,
) -> Adopted | None:
    """What a function makes of a response. Raises TypeError where it gives something else than an APIError."""
    error = function(status, fields, body)
    if error is None:
        return None
    if not isinstance(error, APIError):
        raise TypeError(f"{function!r} gave {type(error).__name__} for a response; it must give an APIError or None")
    return Adopted(error, spec_of(type(error)), {"status": status})


def as_read_by(dialect: Dialect, public: Public, as_read: Mapping[str, Any]) -> Public:
    """A public error with what was read in its places, as far as the dialect that it is said in knows it."""
    told = dict(as_read)
    if "type" in told and dialect.known_types and told["type"] not in dialect.known_types:
        del told["type"]
    code = told.get("code")
    if code is not None and code != public.code and "doc_url" not in told:
        told["doc_url"] = ""  # no page of the catalogue describes it
    return public._replace(**told)


def field_map(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Header fields by names in lower case; of several of a name the first."""
    fields: dict[str, str] = {}
    for name, value in headers:
        fields.setdefault(name.decode("latin-1").lower(), value.decode("latin-1"))
    return fields
