"""Steps 3 and 4, and what comes of them: what the outside may see of an error, and when to come back."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any, NamedTuple

from errorkit.catalog import Catalog, ErrorSpec
from errorkit.challenge import Challenge
from errorkit.config import Config
from errorkit.dialects import Dialect
from errorkit.envelope_members import members_beside
from errorkit.errors import APIError, ForbiddenError, MalformedJSONError, NotFoundError, ValidationError
from errorkit.exchange import RawHeaders, legal
from errorkit.failure import NOTHING, Detail, Public
from errorkit.header_fields import belongs, sendable, varying
from errorkit.identification import Identified, Identifier
from errorkit.rendering import Renderer, bounded
from errorkit.request_id import accept
from errorkit.retry import Advice, Wait, advise, clock, end_of, read_retry_after
from errorkit.tenancy import shown_class
from errorkit.texts import CUT, MAX_TEXT, plain_text
from errorkit.values import MAX_ITEMS, safe

_OWN_HEADERS = frozenset({b"content-type", b"content-length", b"retry-after", b"x-content-type-options"})
CHALLENGE = b"www-authenticate"
_OCCURRENCE = (
    "param",
    "details",
    "retry_after",
    "headers",
    "rate_limit",
    "extensions",
    "concealed",
    "concealable",
    "found",
)


class Shown(NamedTuple):
    """Step 3's result: the spec that is shown; `error` is None where only its words may be."""

    spec: ErrorSpec
    error: APIError | None


class Presenter:
    """Makes the public part of failures, by configuration and catalogue."""

    def __init__(self, config: Config, identifier: Identifier) -> None:
        self.config = config
        self.catalog: Catalog = config.catalog
        self.identifier = identifier
        self._retry_after = dict(config.retry_after)  # pydantic's attributes are dear to read
        self._max_retry_wait = config.max_retry_wait
        self._docs_url = config.docs_url
        self._realm = config.realm
        self._status_missing, self._status_invalid = config.status_missing, config.status_invalid
        self._not_found = self.catalog.by_class(NotFoundError).cls
        self._forbidden = self.catalog.by_class(ForbiddenError).cls
        self._declared: dict[tuple[type[APIError], Renderer, bool], tuple[RawHeaders, bool]] = {}

    def conceal(self, identified: Identified) -> Shown:
        """Step 3: the error as it may be seen, 404 and never 403."""
        error = identified.error
        if not (error.concealed or error.concealable):
            return Shown(identified.spec, error)
        cls = shown_class(error, self.config.tenant_status, self._not_found, self._forbidden)
        return Shown(identified.spec, error) if cls is None else Shown(self.identifier.spec(cls), None)

    def advise(self, shown: Shown, headers: RawHeaders) -> Advice | None:
        """Step 4: when to come back, if that is known.

        headers: of the answer that is replaced, where there was one.
        """
        spec, error = shown
        wait: Wait | None = None
        if error is not None:
            wait = error.retry_after
            if wait is None and (headers or error.headers):
                wait = _sent_wait(error, headers)
            if wait is None and error.rate_limit is not None and error.rate_limit.remaining <= 0:
                wait = error.rate_limit.reset or None
        if wait is None:
            wait = self._retry_after.get(spec.code, spec.default_retry_after)
        return None if wait is None else advise(wait, clock())

    def public(
        self, dialect: Dialect, request_id: str, shown: Shown, advice: Advice | None, status: int | None = None
    ) -> Public:
        """All that the client may see.

        status: of the answer that is replaced, where there was one.
        """
        spec, error = shown
        message, param = spec.message, None
        details: tuple[Detail, ...] = ()
        extensions: Mapping[str, Any] = NOTHING
        if error is not None:
            if "message" in error.__dict__:
                message = _words(error.message, spec.message)
            if error.param is not None:
                param = plain_text(error.param, 512)
            if error.extensions:
                extensions = self._extensions(dialect, error.extensions)
            findings = tuple(map(_clean, error.details))
            if findings:
                details = tuple(
                    [new if (new := dialect.translate(finding)) is finding else _clean(new) for finding in findings]
                )
            if isinstance(error, ValidationError) and status in (None, ValidationError.status):
                status = self._status_of(error, spec, dialect)
            elif isinstance(error, MalformedJSONError) and error.reason == "validation":
                status = self._status_of(error, spec, dialect)  # the framework has rejected the request with it
            if isinstance(error, ValidationError) and findings:
                finding = dialect.deciding(findings)
                param = param or finding.field or None
                if "message" not in error.__dict__:
                    message = _words(self._of_findings(dialect, findings, error.found), spec.message)
                if dialect.code_from_finding and finding.code in self.catalog:
                    spec = self.catalog.by_code(finding.code)
        status, coarse, message = dialect.settle(status or spec.status, spec.type, message)
        retryable = spec.retryable
        if advice is not None and advice.seconds > self._max_retry_wait:
            retryable = False
        seconds, resume_at = (None, None) if advice is None else advice
        rate_limit = None if error is None else error.rate_limit
        doc_url = self._docs_url and self._docs_url.replace("{code}", dialect.page_of(spec.code))
        return Public(
            spec.code, status, coarse, spec.title, message, param, details, request_id,
            seconds, resume_at, retryable, rate_limit, doc_url, extensions,
        )  # fmt: skip

    def sent_id(self, id_header: bytes, shown: Shown, kept: RawHeaders) -> str | None:
        """The request ID that the author, or another library, has put among the answer's fields: it stands."""
        error = shown.error
        given = [value for name, value in kept if name.lower() == id_header]
        if error is not None and error.headers:
            given = [*(value.encode("utf-8", "replace") for value in _of_name(error, id_header)), *given]
        return accept(given[0]) if given else None

    def waiting(self, public: Public, seconds: int) -> Public:
        """The same error, with the wait that somebody else has set."""
        retryable = self.catalog.by_code(public.code).retryable and seconds <= self._max_retry_wait
        return public._replace(retry_after=seconds, resume_at=end_of(seconds), retryable=retryable)

    def fields(self, renderer: Renderer, shown: Shown, kept: RawHeaders, public: Public) -> tuple[RawHeaders, bool]:
        """`_fields`, remembered where there are none but those that the class declares."""
        spec, error = shown
        given = error is not None and (error.headers or "challenge" in error.__dict__)
        if kept or given or quotes_message(spec.challenge) or renderer.derives:
            return self._fields(renderer, shown, kept, public)
        key = (spec.cls, renderer, error is None)
        if key not in self._declared:
            bounded(self._declared)[key] = self._fields(renderer, shown, kept, public)
        return self._declared[key]

    def declared(self, renderer: Renderer, spec: ErrorSpec, challenge: Challenge | None, public: Public) -> RawHeaders:
        """The fields that a class declares, the challenge among them, but for those that the dialect says itself."""
        headers = sendable(spec.default_headers, spec.status, spec.cls.__name__) if spec.default_headers else []
        if challenge is not None and not any(name == CHALLENGE for name, _ in headers):
            headers = [*headers, (CHALLENGE, challenge.field(self._realm, public.message).encode("ascii"))]
        if not headers:
            return headers
        derived = {name for name, _ in renderer.vendor(public)}
        return [pair for pair in headers if pair[0] not in derived]

    def _extensions(self, dialect: Dialect, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Members for beside the envelope's own: one that has the name of such a member gets another."""
        own = members_beside(dialect)
        members: dict[str, Any] = {}
        for name, value in islice(given.items(), MAX_ITEMS + 1):
            if len(members) == MAX_ITEMS:
                members[CUT] = True
                break
            told = plain_text(name, 200)
            if told is not None:
                taken = told in own or told.lower() in dialect.reserved
                members[f"detail_{told}" if taken else told] = safe(value)
        return members

    def _of_findings(self, dialect: Dialect, findings: tuple[Detail, ...], found: int | None) -> str:
        if found is not None and found > len(findings):
            return dialect.describe_many(findings, found)
        return dialect.describe(findings)

    def _status_of(self, error: APIError, spec: ErrorSpec, dialect: Dialect) -> int:
        """A rejected request's status: configured, or the catalogue's own, or the dialect's."""
        missing = "missing_field" in [detail.code for detail in error.details]
        configured = self._status_missing if missing else self._status_invalid
        if configured is not None:
            return configured
        if spec.status != (MalformedJSONError if isinstance(error, MalformedJSONError) else ValidationError).status:
            return spec.status
        return dialect.status_missing if missing else dialect.status_invalid

    def _fields(self, renderer: Renderer, shown: Shown, kept: RawHeaders, public: Public) -> tuple[RawHeaders, bool]:
        """The error's own header fields, and whether a Cache-Control among them shall stand."""
        spec, error = shown
        headers: RawHeaders = []
        if error is not None and error.headers:
            headers = sendable(error.headers, spec.status, type(error).__name__)
        present = {name for name, _ in headers}
        kept = [(name.lower(), value) for name, value in kept if legal(name, value)]
        headers += [pair for pair in kept if pair[0] not in present and belongs(pair[0], spec.status)]
        present = {name for name, _ in headers}
        challenge = spec.challenge if error is None else error.challenge
        declared = self.declared(renderer, spec, challenge, public)
        headers = [*(pair for pair in declared if pair[0] not in present), *headers]
        own_names = {*_OWN_HEADERS, renderer.id_header}  # of another library's id the answer has been told already
        headers = [pair for pair in headers if pair[0] not in own_names]
        cacheable = error is not None and any(name == b"cache-control" for name, _ in headers)
        if not cacheable:
            headers = [pair for pair in headers if pair[0] != b"cache-control"]
        if renderer.vary:
            headers = varying(headers, renderer.vary)
        return headers, cacheable


def _of_name(error: APIError, name: bytes) -> list[str]:
    """The values of an error's own header fields of a name, in lower case."""
    wanted = name.decode("ascii")
    return [str(v) for k, v in error.headers.items() if isinstance(k, str) and k.lower() == wanted]


def in_common(error: APIError) -> object:
    """What an occurrence shares with others that differ from it in their words alone; None if it says more.

    Can be the key of a dict.
    """
    told = error.__dict__
    if "message" in told:
        if type(told["message"]) is not str:
            return None
        public = len(told) - 1 - ("context" in told)
    else:
        public = len(told) - ("context" in told)
    if not public:
        return type(error)
    if public == 1 and "retry_after" in told:
        wait = told["retry_after"]
        return (type(error), wait) if type(wait) is int else None
    return None


def quotes_message(challenge: Challenge | None) -> bool:
    """Does a challenge tell what the occurrence tells."""
    return challenge is not None and bool(challenge.error) and not challenge.description


def declares_only(cls: type[APIError]) -> bool:
    """Does nothing but its message and its wait tell two occurrences of a class apart, if they set nothing else.

    A class may have made a property of what an instance sets.
    """
    return all(getattr(cls, name) is getattr(APIError, name) for name in _OCCURRENCE)


def _sent_wait(error: APIError, headers: RawHeaders) -> Wait | None:
    """The wait in a Retry-After field that the error brought, or that the old answer had."""
    given = [value for name, value in error.headers.items() if isinstance(name, str) and name.lower() == "retry-after"]
    given += [value.decode("latin-1") for name, value in headers if name.lower() == b"retry-after"]
    return read_retry_after(plain_text(given[0]) or "") if given else None


def _clean(detail: Detail) -> Detail:
    path, message, code, location, kind = detail
    plain = type(message) is type(code) is type(location) is str and (code + location + message).isascii()
    if plain and len(message) <= 1024 and len(code) <= 64 and len(location) <= 16 and len(path) <= 32:
        for part in path:
            if not (type(part) is int or (type(part) is str and len(part) <= 256 and part.isascii())):
                break
        else:
            return detail  # `plain_text` would give the same of each
    return Detail(
        tuple([part if isinstance(part, int) else plain_text(part, 256) or "" for part in path[:32]]),
        _words(message, "", 1024),
        _words(code, "invalid_value", 64),
        _words(location, "body", 16),
        kind,
    )


def _words(said: object, otherwise: str, limit: int = MAX_TEXT) -> str:
    """What an author has said, if it is a text; other objects' own words are not meant for clients."""
    words = plain_text(said, limit)
    return otherwise if words is None else words
