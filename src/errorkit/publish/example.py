"""One occurrence of each error, as the service would send it: for pages, schemas and gateways.

Request IDs and instants are fixed, so that generated files only change with the catalogue.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import cycle, islice
from typing import Any, NamedTuple

from errorkit.catalog import Catalog, ErrorSpec
from errorkit.dialects import Dialect
from errorkit.errors import ValidationError
from errorkit.exchange import Response, raw_header
from errorkit.failure import Detail, Public, undotted
from errorkit.publish import Options
from errorkit.rendering import Renderer
from errorkit.request_id import RequestIdFormat
from errorkit.retry import advise

NOW = datetime(2026, 1, 31, 12, 0, 0, tzinfo=UTC)
"""The instant at which every example happens."""

MISSING = Detail(("name",), "Field required", "missing_field", "body", "missing")
INVALID = Detail(("limit",), "Input should be a valid integer", "invalid_value", "query", "int_parsing")

_WORDS: Mapping[type, tuple[str, str]] = {
    str: ("string_type", "string"),
    list: ("list_type", "list"),
    dict: ("dict_type", "dictionary"),
    bool: ("bool_type", "boolean"),
    int: ("int_type", "integer"),
    float: ("float_type", "number"),
}

_DIGITS = "7f65ab21d13c4e908d2b6a0f5e94c7b8"


class Example(NamedTuple):
    """One error on the wire: what it means, and the response that says it."""

    public: Public
    response: Response
    names: Mapping[str, str]
    """Header names, lower case to as documented."""

    @property
    def headers(self) -> list[tuple[str, str]]:
        """Header fields as text, names as they are documented."""
        fields = [(name.decode("ascii"), value.decode("latin-1")) for name, value in self.response.headers]
        return [(self.names.get(name, name.title()), value) for name, value in fields]

    @property
    def body(self) -> str:
        """The body as text."""
        return self.response.body.decode("utf-8")


def request_id(dialect: Dialect) -> str:
    """An id in the dialect's format, the same every time."""
    form = dialect.request_id_format or RequestIdFormat()
    digits = [c for c in _DIGITS if c in form.alphabet] or list(form.alphabet)
    return form.prefix + "".join(islice(cycle(digits), form.length))


def public_of(catalog: Catalog, spec: ErrorSpec, dialect: Dialect, options: Options) -> Public:
    """What a client sees of an occurrence that brings nothing of its own.

    Of a validation failure it sees what is wrong in the spec's first example.
    """
    if issubclass(spec.cls, ValidationError):
        return validation(catalog, spec, dialect, options, (_finding(spec) or MISSING,))
    if dialect.code_from_finding:
        fields = [field for field, code in catalog.field_codes.items() if code == spec.code]
        if fields or spec.code == "missing_field":
            found = _finding(spec) or (_unacceptable(undotted(fields[0])) if fields else MISSING)
            whole = catalog.by_code("validation_failed")
            return validation(catalog, whole, dialect, options, (found._replace(code=spec.code),))
    return _public(spec, dialect, options, spec.status)


def validation(
    catalog: Catalog, spec: ErrorSpec, dialect: Dialect, options: Options, findings: tuple[Detail, ...]
) -> Public:
    """What a client sees of a rejected request with these findings: code and status may differ by kind."""
    finding = dialect.deciding(findings)
    missing = any(found.code == "missing_field" for found in findings)
    status = options.status_missing if missing else options.status_invalid
    if status is None:
        own = spec.status if spec.status != ValidationError.status else None
        status = own or (dialect.status_missing if missing else dialect.status_invalid)
    if dialect.code_from_finding and finding.code in catalog:
        spec = catalog.by_code(finding.code)
    return _public(spec, dialect, options, status)._replace(
        message=dialect.describe(findings),
        param=finding.field or None,
        details=tuple(dialect.translate(found) for found in findings),
    )


def example(catalog: Catalog, spec: ErrorSpec, dialect: Dialect, options: Options) -> Example:
    """One error as the service sends it."""
    return rendered(spec, dialect, public_of(catalog, spec, dialect, options))


def rendered(spec: ErrorSpec, dialect: Dialect, public: Public) -> Example:
    """The response for a public error, with its class's own headers."""
    pairs = (raw_header(name, value) for name, value in spec.default_headers.items())
    headers = [pair for pair in pairs if pair is not None]
    if spec.status == 405:
        headers.append((b"allow", b"GET, POST"))
    known = (dialect.request_id_header, *dialect.headers(public), *spec.default_headers)
    names = {name.lower(): name for name in known}
    return Example(public, Renderer(dialect).render(public, headers), names)


def _public(spec: ErrorSpec, dialect: Dialect, options: Options, status: int) -> Public:
    wait = options.retry_after.get(spec.code, spec.default_retry_after)
    advice = None if wait is None else advise(wait, NOW)
    return Public(
        code=spec.code,
        status=status,
        type=spec.type or dialect.type_for(status),
        title=spec.title,
        message=spec.message,
        request_id=request_id(dialect),
        retry_after=None if advice is None else advice.seconds,
        resume_at=None if advice is None else advice.resume_at,
        retryable=spec.retryable and (advice is None or advice.seconds <= options.max_retry_wait),
        doc_url=options.docs_url.replace("{code}", spec.code),
    )


def _finding(spec: ErrorSpec) -> Detail | None:
    """What differs between the bad and the fixed request of a spec's first example, if both are JSON."""
    if not spec.examples:
        return None
    try:
        bad, fixed = json.loads(spec.examples[0].bad), json.loads(spec.examples[0].fixed)
    except ValueError:
        return None
    return _difference(bad, fixed, ())


def _difference(bad: Any, fixed: Any, path: tuple[str | int, ...]) -> Detail | None:
    if isinstance(bad, dict) and isinstance(fixed, dict):
        for name, value in fixed.items():
            if name not in bad:
                return MISSING._replace(path=(*path, name))
            found = _difference(bad[name], value, (*path, name))
            if found is not None:
                return found
        return None
    if isinstance(bad, list) and isinstance(fixed, list):
        pairs = enumerate(zip(bad, fixed, strict=False))
        return next((found for n, (b, f) in pairs if (found := _difference(b, f, (*path, n)))), None)
    if bad == fixed:
        return None
    if type(bad) is type(fixed) or type(fixed) not in _WORDS:
        return _unacceptable(path)
    kind, words = _WORDS[type(fixed)]
    return Detail(path, f"Input should be a valid {words}", "invalid_value", "body", kind)


def _unacceptable(path: tuple[str | int, ...]) -> Detail:
    return Detail(path, "The value is not valid", "invalid_value", "body", "value_error")
