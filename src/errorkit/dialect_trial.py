"""What a dialect is tried with at start-up: all that it declares, and a public error that has everything.

The first rejected request, the first quota that is exceeded, must not be the first to show that
`write` cannot take it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from json import loads
from typing import Any

from pydantic_core import to_json

from errorkit.catalog import Catalog
from errorkit.configuration_error import ConfigurationError
from errorkit.dialects import Dialect
from errorkit.encoding import encode_body
from errorkit.exchange import raw_header
from errorkit.failure import Detail, Public, RequestFacts
from errorkit.retry import RateLimit
from errorkit.spelling import did_you_mean
from errorkit.written_body import form_of, from_bytes

FULL = Public(
    code="validation_failed",
    status=422,
    title="Validation Failed",
    message="2 fields are invalid.",
    param="items[0].name",
    details=(
        Detail(("items", 0, "name"), "Input should be a valid string", "invalid_value", "body", "string_type"),
        Detail(("page",), "Field required", "missing_field", "query", "missing"),
    ),
    request_id="01980f2a5c7e7b3c9d4e5f60718293a4",
    retry_after=7,
    resume_at=datetime(2026, 1, 31, 12, 0, 7, tzinfo=UTC),
    retryable=True,
    rate_limit=RateLimit(limit=100, remaining=0, reset=7, window=60),
    doc_url="https://docs.example.com/errors/validation_failed",
    extensions={"hint": "see the example", "attempts": 3, "limits": {"daily": [1, 2]}},
    request=RequestFacts("POST", "/items", "*/*"),
)
"""A public error that has everything."""

PARTS: Mapping[str, tuple[str, ...]] = {
    "nothing but its code and its words": (),
    "a documentation URL": ("doc_url",),
    "a parameter": ("param",),
    "findings": ("details",),
    "public members": ("extensions",),
    "a wait": ("retry_after", "resume_at", "retryable"),
    "a quota": ("rate_limit",),
    "all of these": Public._fields,
}
"""What each public error of the trial has, and the fields of `FULL` in it."""

COPIED = ("message", "request_id", "param", "retry_after", "resume_at")
"""The fields that `Dialect.copies` may name."""

_FIELDS = f"a Public has {', '.join(Public._fields)}; a Detail has {', '.join(Detail._fields)} and field"
_CARRIED = (*(name for name in Public._fields if name != "request"), *(f"details.{name}" for name in Detail._fields))
_HEADERS = ("request_id_header", "code_header", "retry_verdict_header", "retry_after_ms_header")
_OF_FINDINGS = ("missing_field", "invalid_value")


def try_dialect(dialect: Dialect, catalog: Catalog) -> None:
    """Try what a dialect declares and does. Raises ConfigurationError."""
    _check_attributes(dialect)
    _check_renames(dialect, catalog)
    for part, fields in PARTS.items():
        public = Public(FULL.code, FULL.status, "", FULL.title, FULL.message, request_id=FULL.request_id)
        public = public._replace(**{name: getattr(FULL, name) for name in fields})
        public = public._replace(request=FULL.request if dialect.sees_request else None)
        where = f"an error with {part}"
        try:
            status, coarse, message = dialect.settle(public.status, public.type, public.message)
        except Exception as error:
            raise failed(dialect, "settle", where, error) from error
        _try(dialect, public._replace(status=status, type=coarse, message=message), where)


def failed(dialect: Dialect, method: str, where: str, error: Exception) -> ConfigurationError:
    """What is said of a method that fails. where: the error that it cannot take."""
    fix = _FIELDS if isinstance(error, AttributeError) else "it must take every error of the catalogue"
    return ConfigurationError.of(
        "dialect", dialect, f"{method}() fails for {where}: {type(error).__name__}: {error}; {fix}"
    )


def _try(dialect: Dialect, public: Public, where: str) -> None:
    """Write one public error, derive its header fields and the last event of a stream, and read it again."""
    method = "write"
    try:
        body = _body(dialect, dialect.write(public))
        method = "headers"
        headers = dialect.headers(public)
        for name, value in headers.items():
            if raw_header(name, value) is None:
                raise ConfigurationError.of(
                    "dialect", dialect, f"headers() gives {name!r}: {value!r} for {where}, which cannot be sent; "
                    "a name is letters, digits and dashes, a value one line",
                )  # fmt: skip
        method = "stream_event"
        event: Any = dialect.stream_event(public)
        if event is not None:
            if not (isinstance(event, tuple) and len(event) == 2 and isinstance(event[0], (str, type(None)))):
                problem = f"stream_event() gives {type(event).__name__}; give a name and its data, or None"
                raise ConfigurationError.of("dialect", dialect, problem)
            _as_json(dialect, method, event[1])
        method = "read"
        lowered = {name.lower(): str(value) for name, value in headers.items()}
        read: Any = dialect.read(public.status, lowered, body)
    except ConfigurationError:
        raise
    except Exception as error:
        raise failed(dialect, method, where, error) from error
    if not isinstance(read, Public):
        raise ConfigurationError.of(
            "dialect", dialect, f"read() gives {type(read).__name__}; give a Public, for example by self.public(...)"
        )


def _as_json(dialect: Dialect, method: str, written: object) -> Any:
    """What a client would read."""
    try:
        body = loads(to_json(written, inf_nan_mode="null"))
    except Exception as error:
        problem = f"{method}() gives what JSON cannot say ({error}); give JSON values"
        raise ConfigurationError.of("dialect", dialect, problem) from None
    return body


def _body(dialect: Dialect, written: object) -> Any:
    """What `read` would be given. Raises ConfigurationError for a body that the media type does not say."""
    form = form_of(dialect.media_type)
    if form == "JSON":
        body = None if isinstance(written, (str, bytes)) else _as_json(dialect, "write", written)
        if not isinstance(body, (dict, list)):
            raise _mismatch(dialect, written, "give the body as JSON values, for example a dict")
        return body
    if not isinstance(written, str if form == "text" else bytes):
        raise _mismatch(dialect, written, f"give the body as {'a str' if form == 'text' else 'bytes'}")
    return from_bytes(form, encode_body(form, written))


def _mismatch(dialect: Dialect, written: object, fix: str) -> ConfigurationError:
    other = "JSON values, as of application/json"
    if isinstance(written, (str, bytes)):
        other = "text, as of application/xml" if isinstance(written, str) else "bytes, as of application/octet-stream"
    problem = f"write() gives {type(written).__name__} under media_type {dialect.media_type!r}; {fix}"
    return ConfigurationError.of("dialect", dialect, f"{problem}, or set the media type of {other}")


def _check_attributes(dialect: Dialect) -> None:
    kind = type(dialect)
    for method, parameters in (("write", "public"), ("read", "status, headers, body")):
        if getattr(kind, method) is getattr(Dialect, method):
            raise ConfigurationError.of(
                "dialect", dialect, f"it has no {method}(); define def {method}(self, {parameters})"
            )
    if not isinstance(dialect.name, str) or not dialect.name:
        raise _attribute(dialect, "name", f"a dialect has a name; write name = {kind.__name__.lower()!r}")
    for name in _HEADERS:
        value = getattr(dialect, name)
        if (value is not None or name == "request_id_header") and raw_header(value, "") is None:
            fix = "".join(c if c.isalnum() else "-" for c in str(value)).strip("-")
            raise _attribute(dialect, name, f"this is no name of a header field; use letters and dashes: {fix!r}")
    for name in ("status_missing", "status_invalid"):
        status: object = getattr(dialect, name)
        if not isinstance(status, int) or isinstance(status, bool) or not 400 <= status <= 499:
            raise _attribute(dialect, name, "this is no status of a client's error; use an int from 400 to 499")
    for name, known in (("carries", _CARRIED), ("copies", COPIED)):
        told: object = getattr(dialect, name)
        if isinstance(told, str) or not isinstance(told, Iterable):
            raise _attribute(dialect, name, f"use a tuple of names, for example ({told!r},)")
        for field in told:
            if field not in known:
                raise ConfigurationError.of(
                    f"{kind.__name__}.{name}", field, f"there is no such field{did_you_mean(str(field), known)}"
                )


def _check_renames(dialect: Dialect, catalog: Catalog) -> None:
    """Spellings that a team has chosen: of codes that there are, and each of one code alone."""
    presets = [base for base in type(dialect).__mro__ if base.__module__.startswith(f"{Dialect.__module__}.")]
    given = {pair for base in presets for pair in vars(base).get("renames", {}).items()}
    chosen = [pair for pair in dialect.renames.items() if pair not in given]
    codes = [spec.code for spec in catalog]
    for code, spelling in chosen:
        field = f"{type(dialect).__name__}.renames[{code!r}]"
        if not isinstance(spelling, str) or not spelling:
            raise ConfigurationError.of(field, spelling, "a spelling is a str, and not empty; give one")
        if code not in codes and code not in _named_by_status(catalog):
            known = [*codes, *_OF_FINDINGS, *catalog.field_codes.values()]
            if code not in known:
                raise ConfigurationError.of(
                    field, spelling, f"the catalogue has no such code{did_you_mean(code, known) or '; list its class'}"
                )
        alike = [other for other in codes if other != code and dialect.spell(other) == spelling]
        if alike and code in codes:
            raise ConfigurationError.of(
                field, spelling, f"clients could not tell it from {alike[0]!r}, which is spelled so; "
                "choose another spelling",
            )  # fmt: skip


def _named_by_status(catalog: Catalog) -> set[str]:
    """The codes of answers of which only the status is known."""
    return {catalog.by_status(status).code for status in HTTPStatus if status >= 400}


def _attribute(dialect: Dialect, name: str, why: str) -> ConfigurationError:
    return ConfigurationError.of(f"{type(dialect).__name__}.{name}", getattr(dialect, name), why)
