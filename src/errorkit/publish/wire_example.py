"""One occurrence of each error, as the service's own handler answers it: for pages and schemas.

Request IDs and instants are fixed, so that generated files only change with the catalogue.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import cycle, islice
from typing import NamedTuple

from errorkit.catalog import Catalog, ErrorSpec
from errorkit.choosing import by_function
from errorkit.config import Config
from errorkit.dialects import Dialect
from errorkit.errors import APIError, MalformedJSONError, RateLimitError, ValidationError
from errorkit.exchange import Request, Response
from errorkit.failure import Detail, Public, undotted
from errorkit.finding_words import WORDS
from errorkit.handler import ErrorHandler
from errorkit.publish import Options
from errorkit.publish.pair_difference import difference, unacceptable
from errorkit.rendering import Renderer
from errorkit.request_id import RequestIdFormat
from errorkit.retry import RateLimit

NOW = datetime(2026, 1, 31, 12, 0, 0, tzinfo=UTC)
"""The instant at which every example happens."""

MISSING = Detail(("name",), WORDS["missing"], "missing_field", "body", "missing")
INVALID = Detail(("limit",), WORDS["int_parsing"], "invalid_value", "query", "int_parsing")
QUOTA = RateLimit(limit=100, remaining=0, reset=7, window=60)
"""A quota that is used up."""

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
    def media_type(self) -> str:
        """The content type, as it is sent."""
        return next(value.decode("latin-1") for name, value in self.response.headers if name == b"content-type")

    @property
    def body(self) -> str:
        """The body as text; of bytes what is none of it is replaced."""
        return self.response.body.decode("utf-8", "replace")


def request_id(dialect: Dialect) -> str:
    """An id in the dialect's format, the same every time."""
    form = dialect.request_id_format or RequestIdFormat()
    digits = [c for c in _DIGITS if c in form.alphabet] or list(form.alphabet)
    return form.prefix + "".join(islice(cycle(digits), form.length))


def example(
    catalog: Catalog,
    spec: ErrorSpec,
    dialect: Dialect,
    options: Options,
    *,
    finding: Detail | None = None,
    allow: str = "GET, POST",
    quota: RateLimit | None = None,
) -> Example:
    """One error as the service sends it, of an occurrence that brings nothing of its own.

    finding: of a validation failure; default: what is wrong in the spec's first example. allow: the methods that a
    resource has which does not have the request's. quota: that was exceeded, of an error about that.
    """
    error = spec.cls.__new__(spec.cls)
    if issubclass(spec.cls, ValidationError):
        return validation(catalog, dialect, options, finding or difference(spec) or MISSING, spec)
    if dialect.code_from_finding:
        fields = [field for field, code in catalog.field_codes.items() if code == spec.code]
        if fields or spec.code == "missing_field":
            found = finding or difference(spec) or (unacceptable(undotted(fields[0])) if fields else MISSING)
            return validation(catalog, dialect, options, found._replace(code=spec.code))
    if issubclass(spec.cls, RateLimitError):
        error.rate_limit = quota
    return _shown(catalog, dialect, options, error, allow)


def validation(
    catalog: Catalog, dialect: Dialect, options: Options, finding: Detail, spec: ErrorSpec | None = None
) -> Example:
    """A rejected request: code and status may differ by what is found.

    spec: of a class of ValidationError; default: the catalogue's own.
    """
    cls = (spec or catalog.by_class(ValidationError)).cls
    error = cls.__new__(cls)
    error.details = (finding,)
    return _shown(catalog, dialect, options, error)


def rejected_json(catalog: Catalog, dialect: Dialect, options: Options) -> Example:
    """A body that is no JSON where the framework rejects the request for it, as FastAPI does."""
    cls = catalog.by_class(MalformedJSONError).cls
    error = cls.__new__(cls)
    error.reason = "validation"
    return _shown(catalog, dialect, options, error)


def _shown(catalog: Catalog, dialect: Dialect, options: Options, error: APIError, allow: str = "GET, POST") -> Example:
    shown = answer(catalog, dialect, options, error, request_id=request_id(dialect), at=NOW)
    if shown.public.status == 405 and not any(name == b"allow" for name, _ in shown.response.headers):
        shown.response.headers.append((b"allow", allow.encode("ascii")))
    return shown


def answer(
    catalog: Catalog, dialect: Dialect, options: Options, error: APIError, *, request_id: str, at: datetime | None
) -> Example:
    """What the service's handler answers to an error that was made without its `__init__`.

    at: the instant at which it happens. None where nobody can know it: then no instant is told to come back at.
    """
    handler = _handler(catalog, dialect, options)
    request = _Request()
    request.renderer = handler.renderer_for("/")
    request.request_id = request_id
    status, headers, _ = handler.respond(request, error)
    assert request.failure is not None
    public = request.failure.public
    if public.retry_after is not None:
        public = public._replace(resume_at=None if at is None else at + timedelta(seconds=public.retry_after))
    body = Renderer(dialect).body(public)  # the handler's own has learnt that this error comes with an instant
    headers = [(name, b"%d" % len(body) if name == b"content-length" else value) for name, value in headers]
    known = (dialect.request_id_header, *dialect.headers(public), *error.default_headers, "WWW-Authenticate")
    return Example(public, Response(status, headers, body), {name.lower(): name for name in known})


@lru_cache(maxsize=64)
def _handler(catalog: Catalog, dialect: Dialect, options: Options) -> ErrorHandler:
    vary = options.vary or (("Accept",) if options.negotiate else ())
    return ErrorHandler(
        Config(
            catalog=catalog,
            dialect=by_function(_nothing, {"": dialect}, dialect, vary=vary) if vary else dialect,
            docs_url=options.docs_url,
            retry_after=options.retry_after,
            max_retry_wait=options.max_retry_wait,
            status_missing=options.status_missing,
            status_invalid=options.status_invalid,
            realm=options.realm,
        )
    )


def _nothing(_request: Request) -> None:
    """The default."""


class _Request(Request):
    """A request that asks for nothing but the service's own form."""

    @property
    def path(self) -> str:
        """An example is of any path."""
        return "/"

    def header(self, name: bytes) -> str | None:
        return None
