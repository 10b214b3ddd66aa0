"""The way of one failing request, in six steps: identify, stamp, conceal, advise, encode, record.

Synchronous and free of I/O (the log excepted): adapters carry failures here and bytes away.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from errorkit import telemetry
from errorkit.catalog import Catalog, ErrorSpec
from errorkit.config import Config, ConfigurationError
from errorkit.dialects import Dialect
from errorkit.encoding import safe, text_of
from errorkit.errors import APIError, ValidationError
from errorkit.events import EventLog, compact, last_resort
from errorkit.exchange import CLIENT_CLOSED_REQUEST, RawHeaders, Request, Response, legal, phrase, raw_header
from errorkit.failure import NOTHING, Detail, Failure, Private, Public, release
from errorkit.identification import Identified, Identifier
from errorkit.negotiation import prefers_problem, problem_beside, varying
from errorkit.normalisation import Default, surviving
from errorkit.rendering import Prepared, Renderer, bounded
from errorkit.request_id import RequestIdFormat, accept, is_safe, uuid7
from errorkit.retry import Advice, Wait, advise, clock, parse_retry_after
from errorkit.tenancy import shown_class
from errorkit.validation import as_error

_OWN_HEADERS = frozenset({b"content-type", b"content-length", b"retry-after", b"x-content-type-options"})
_WORDS = frozenset({"message"})
_OCCURRENCE = ("param", "details", "retry_after", "headers", "rate_limit", "extensions", "concealed", "concealable")
_RAISED_ON = frozenset({"aborted", "background"})


class Shown(NamedTuple):
    """Step 3's result: the spec that is shown; `error` is None where only its words may be."""

    spec: ErrorSpec
    error: APIError | None


class ErrorHandler:
    """The configured, framework-free centre."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.catalog: Catalog = config.catalog
        self.events = EventLog(
            levels=config.levels, redact=config.redact, redact_exception_text=config.redact_exception_text
        )
        self.identifier = Identifier(config.catalog, config.exceptions)
        self._retry_after = dict(config.retry_after)  # pydantic's attributes are dear to read
        self._max_retry_wait = config.max_retry_wait
        self._docs_url = config.docs_url
        self._development = config.development
        self._trust_inbound = config.trust_inbound
        self._not_found = self.catalog.by_code("not_found").cls
        self._forbidden = self.catalog.by_code("forbidden").cls
        self.renderers = tuple((prefix, Renderer(d) if d else None) for prefix, d in config.dialects)
        self._only = self.renderers[0][1] if len(self.renderers) == 1 and not self.renderers[0][0] else None
        self._id_formats = {
            renderer: _id_maker(config.request_id or renderer.dialect.request_id_format or RequestIdFormat())
            for _, renderer in self.renderers
            if renderer is not None
        }
        self._problems: dict[Renderer, Renderer] = {}
        for renderer in self._id_formats if config.negotiate else ():
            beside = problem_beside(renderer.dialect)
            if beside is not None:
                self._problems[renderer] = Renderer(beside)
        self._fallbacks = {
            renderer: {spec.code: self._rehearse(renderer, spec) for spec in self.catalog}
            for renderer in (*self._id_formats, *self._problems.values())
        }
        self._declared: dict[tuple[type[APIError], Renderer, bool], tuple[RawHeaders, bool]] = {}
        self._prepared: dict[tuple[type[APIError], Renderer], Prepared] = {}

    # -- before anything fails

    def renderer_for(self, path: str) -> Renderer | None:
        """The renderer of the longest prefix that `path` lies under; None: leave it alone."""
        if self._only is not None:
            return self._only
        for prefix, renderer in self.renderers:
            if not prefix or path == prefix or path.startswith(prefix + "/"):
                return renderer
        return None

    def request_id(self, renderer: Renderer, inbound: bytes | None) -> str:
        """A believable inbound id, or a new one."""
        if inbound is not None and self._trust_inbound:
            accepted = accept(inbound)
            if accepted is not None:
                return accepted
        return self._id_formats[renderer]()

    def announce(self, **covered: list[str]) -> None:
        """One line at start-up: what is covered, by which dialects."""
        dialects = {prefix or "/": renderer.dialect.name if renderer else None for prefix, renderer in self.renderers}
        try:
            self.events.announce("errorkit_installed", dialects=dialects, codes=len(self.catalog), **covered)
        except Exception as own:
            last_resort("the start-up line was lost", own)

    # -- one failing request

    def respond(self, request: Request, exception: BaseException) -> Response:
        """The response for an exception. Never raises; the failure is left on the request."""
        try:
            identified = self.identifier.identify(exception)
            return self._answer(request, identified, [])
        except Exception as own:
            return self._degrade(request, own, exception)

    def renormalise(self, request: Request, status: int, headers: RawHeaders, default: Default) -> Response:
        """The response in the dialect for a framework's default body."""
        try:
            spec = self.catalog.by_status(status)
            error: APIError
            if default.findings:
                error = as_error(default.findings, field_codes=self.catalog.field_codes)
                spec = self.identifier.spec(type(error))
            else:
                error = spec.cls(default.message if status < 500 else None)
            identified = Identified(error, spec, request.exception, "")
            return self._answer(request, identified, surviving(status, headers), status)
        except Exception as own:
            return self._degrade(request, own, request.exception, status)

    def refuse(self, request: Request, status: int) -> Response:
        """The response for a refusal of which only the status is known."""
        return self.renormalise(request, status, [], Default())

    def spelled(self, request: Request) -> str:
        """The shown code in the dialect's spelling."""
        assert request.failure is not None
        return self._renderer(request).dialect.spell(request.failure.public.code)

    def words(self, request: Request) -> str:
        """The shown message."""
        assert request.failure is not None
        return request.failure.public.message

    def observe(self, request: Request, status: int) -> None:
        """Somebody else's answer, for the record."""
        code, title = "internal", ""
        try:
            spec = self.catalog.by_status(status)
            code, title = spec.code, spec.title
        except Exception as own:
            last_resort(f"an answer of status {status} could not be named", own)
        self._note(
            request,
            Public(code=code, status=status, title=title, request_id=request.request_id),
            Private(code=code, exception=request.exception, answered_by="application"),
        )

    def broke(self, request: Request, exception: BaseException | None, outcome: str) -> None:
        """A failure that no response tells of any more.

        outcome: aborted, background, incomplete or client_gone.
        """
        request.outcome = outcome
        if outcome in ("client_gone", "incomplete"):
            status = CLIENT_CLOSED_REQUEST if outcome == "client_gone" else request.status
            code = "client_closed_request" if outcome == "client_gone" else "incomplete_response"
            public = Public(code=code, status=status, title=phrase(status), request_id=request.request_id)
            self._note(request, public, Private(code=code, exception=exception))
            return
        try:
            assert exception is not None
            identified = self.identifier.identify(exception)
            public = self._public(request, identified, Shown(identified.spec, None), None)
            self._note(request, public, self._private(identified))
        except Exception as own:
            last_resort("a broken response could not be described", own)
            self._note(request, Public(request_id=request.request_id), Private(exception=exception))

    def stream_event(self, request: Request, exception: BaseException) -> bytes | None:
        """The dialect's last event for a server-sent stream that fails; None if it has none."""
        try:
            request.outcome = "stream_error"
            self.respond(request, exception)
            assert request.failure is not None
            frame = self._renderer(request).frame(request.failure.public)
            request.outcome = "stream_error" if frame is not None else ""
            return frame
        except Exception as own:
            last_resort("a stream event could not be written", own)
            request.outcome = ""
            return None

    def record(self, request: Request) -> None:
        """Step 6: the one event of this request's failure. Never raises."""
        failure = request.failure
        if failure is None or request.recorded:
            return
        request.recorded = True
        try:
            telemetry.hush(failure)
            if not request.reported:
                telemetry.report(failure, unhandled=failure.private.reason == "unhandled")
        except Exception as own:
            last_resort("a reporter failed", own)
        self.annotate(request)
        try:
            self.events.record(request, failure)
        except Exception as own:
            last_resort(f"the event of request {request.request_id} (code {failure.private.code}) was lost", own)
        try:
            if self.config.on_failure is not None:
                self.config.on_failure(failure, request)
        except Exception as own:
            last_resort("the on_failure hook failed", own)

    def annotate(self, request: Request) -> None:
        """Tell the current span: adapters do it before the last byte, with which instrumentations end it.

        What is raised on is recorded by the instrumentation itself. Never raises.
        """
        failure = request.failure
        if failure is None:
            return
        try:
            telemetry.annotate(failure, record=not request.annotated and request.outcome not in _RAISED_ON)
        except Exception as own:
            last_resort("a span could not be annotated", own)
        request.annotated = True

    def explain(self, request: Request, exception: BaseException) -> None:
        """Add to a recorded-to-be failure the exception that turned out to be its cause."""
        failure = request.failure
        if failure is not None and failure.private.exception is None:
            request.failure = failure._replace(private=failure.private._replace(exception=exception))

    def let_go(self, request: Request) -> None:
        """After the event: keep no frame alive by an exception that goes no further."""
        failure, request.failure = request.failure, None
        request.exception = None
        if failure is not None and failure.private.exception is not None and request.outcome not in _RAISED_ON:
            release(failure.private.exception)

    # -- the steps

    def _answer(
        self, request: Request, identified: Identified, headers: RawHeaders, status: int | None = None
    ) -> Response:
        if self._problems and not request.outcome:
            self._negotiate(request)
        renderer: Renderer = request.renderer
        error = identified.error
        only_words = not (headers or status or self._development) and error.__dict__.keys() <= _WORDS
        if only_words:
            prepared = self._prepared.get((type(error), renderer))
            if prepared is not None:
                message = text_of(error.message) if error.__dict__ else prepared.public.message
                public, response = renderer.again(prepared, message, request.request_id)
                request.failure = Failure(public, self._private(identified))
                return response
        shown = self._conceal(identified)
        advice = self._advise(shown, headers)
        public = self._public(request, identified, shown, advice, status)
        request.failure = Failure(public, self._private(identified))
        own, cacheable = self._declared_or_own(renderer, shown, headers)
        if only_words and shown.error is not None and advice is None and _declares_only(type(error)):
            prepared = renderer.prepare(public._replace(message=shown.spec.message), own, cache_control=cacheable)
            if prepared is not None:
                bounded(self._prepared)[type(error), renderer] = prepared
        debug = self._debug(identified.exception) if self._development else None
        return renderer.render(public, own, cache_control=cacheable, debug=debug)

    def _negotiate(self, request: Request) -> None:
        """The renderer of problem details, where the client prefers these."""
        beside = self._problems.get(request.renderer)
        accept = request.header(b"accept") if beside is not None else None
        if accept and prefers_problem(accept, request.renderer.dialect.media_type):
            request.renderer = beside

    def _conceal(self, identified: Identified) -> Shown:
        error = identified.error
        if not (error.concealed or error.concealable):
            return Shown(identified.spec, error)
        cls = shown_class(error, self.config.tenant_status, self._not_found, self._forbidden)
        return Shown(identified.spec, error) if cls is None else Shown(self.identifier.spec(cls), None)

    def _advise(self, shown: Shown, headers: RawHeaders) -> Advice | None:
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

    def _public(
        self,
        request: Request,
        identified: Identified,
        shown: Shown,
        advice: Advice | None,
        status: int | None = None,
    ) -> Public:
        spec, error = shown
        dialect = self._renderer(request).dialect
        message, param = spec.message, None
        details: tuple[Detail, ...] = ()
        extensions: Mapping[str, Any] = NOTHING
        if error is not None:
            if "message" in error.__dict__:
                message = text_of(error.message)
            if error.param is not None:
                param = text_of(error.param, 512)
            if error.extensions:
                extensions = {text_of(name, 200): safe(value) for name, value in error.extensions.items()}
            findings = tuple(map(_clean, error.details))
            if findings:
                details = tuple(
                    detail if (detail := dialect.translate(finding)) is finding else _clean(detail)
                    for finding in findings
                )
            if isinstance(error, ValidationError):
                status = self._status_of(error, spec, dialect)
                if findings:
                    finding = dialect.deciding(findings)
                    param = param or finding.field or None
                    if "message" not in error.__dict__:
                        message = text_of(dialect.describe(findings))
                    if dialect.code_from_finding and finding.code in self.catalog:
                        spec = self.catalog.by_code(finding.code)
        status, coarse, message = dialect.settle(status or spec.status, spec.type, message)
        retryable = spec.retryable
        if advice is not None and advice.seconds > self._max_retry_wait:
            retryable = False
        return Public(
            spec.code,
            status,
            coarse,
            spec.title,
            message,
            param,
            details,
            request.request_id,
            None if advice is None else advice.seconds,
            None if advice is None else advice.resume_at,
            retryable,
            None if error is None else error.rate_limit,
            self._docs_url and self._docs_url.replace("{code}", spec.code),
            extensions,
        )

    def _status_of(self, error: ValidationError, spec: ErrorSpec, dialect: Dialect) -> int:
        """A validation failure's status: configured, or the catalogue's own, or the dialect's."""
        missing = any(detail.code == "missing_field" for detail in error.details)
        configured = self.config.status_missing if missing else self.config.status_invalid
        if configured is not None:
            return configured
        if spec.status != ValidationError.status:
            return spec.status
        return dialect.status_missing if missing else dialect.status_invalid

    def _private(self, identified: Identified) -> Private:
        error = identified.error
        return Private(
            identified.exception,
            identified.spec.code,
            identified.reason,
            error.owner,
            error.caller,
            error.context,
        )

    def _declared_or_own(self, renderer: Renderer, shown: Shown, kept: RawHeaders) -> tuple[RawHeaders, bool]:
        """`_fields`, remembered where there are none but those that the class declares."""
        spec, error = shown
        if kept or (error is not None and error.headers):
            return self._fields(renderer, shown, kept)
        key = (spec.cls, renderer, error is None)
        if key not in self._declared:
            bounded(self._declared)[key] = self._fields(renderer, shown, kept)
        return self._declared[key]

    def _fields(self, renderer: Renderer, shown: Shown, kept: RawHeaders) -> tuple[RawHeaders, bool]:
        """The error's own header fields, and whether a Cache-Control among them shall stand."""
        spec, error = shown
        fields: dict[str, object] = dict(spec.default_headers)
        if error is not None and error.headers:
            lowered = {str(name).lower() for name in error.headers}
            fields = {name: value for name, value in fields.items() if name.lower() not in lowered}
            fields.update(error.headers)
        headers = [pair for pair in (raw_header(name, value) for name, value in fields.items()) if pair is not None]
        present = {name for name, _ in headers}
        headers += [(name.lower(), v) for name, v in kept if name.lower() not in present and legal(name, v)]
        own_names = {*_OWN_HEADERS, renderer.id_header}
        headers = [pair for pair in headers if pair[0] not in own_names]
        cacheable = error is not None and any(name == b"cache-control" for name, _ in headers)
        if not cacheable:
            headers = [pair for pair in headers if pair[0] != b"cache-control"]
        if self.config.negotiate:
            headers = varying(headers)
        return headers, cacheable

    def _debug(self, exception: BaseException | None) -> dict[str, Any] | None:
        if exception is None:
            return None
        return {"exception": type(exception).__qualname__, "traceback": compact(exception).split("\n")}

    # -- parts of the steps

    def _renderer(self, request: Request) -> Renderer:
        renderer: Renderer = request.renderer
        return renderer

    def _note(self, request: Request, public: Public, private: Private) -> None:
        request.failure = Failure(public, private)

    def _rehearse(self, renderer: Renderer, spec: ErrorSpec) -> tuple[Public, bytes]:
        """A spec's body without an occurrence: proof at start-up that the dialect can write it."""
        try:
            status, coarse, message = renderer.dialect.settle(spec.status, spec.type, spec.message)
            public = Public(spec.code, status, coarse, spec.title, message)
            return public, renderer.body(public)
        except Exception as error:
            name = renderer.dialect.name or type(renderer.dialect).__name__
            raise ValueError(
                f"dialect {name!r} cannot write the error {spec.code!r}: {type(error).__name__}: {error}; "
                f"its write() must take every error of the catalogue"
            ) from error

    def _degrade(
        self, request: Request, own: Exception, exception: BaseException | None, status: int | None = None
    ) -> Response:
        """errorkit itself failed: a body prepared at start-up, the right status, and a trace."""
        if own is not exception:
            last_resort(f"an answer had to be simplified (request {request.request_id})", own)
        spec = self.catalog.by_code("internal")
        try:
            spec = self._conceal(self.identifier.identify(exception)).spec if exception is not None else spec
            if status is not None:
                spec = self.catalog.by_status(status)
        except Exception:
            spec = self.catalog.by_code("internal")
        try:
            pairs = [raw_header(name, value) for name, value in spec.default_headers.items()]
            declared = [pair for pair in pairs if pair is not None]
        except Exception:
            declared = []
        renderer = self._renderer(request)
        rehearsed = self._fallbacks[renderer]
        listed = rehearsed.get(spec.code) or rehearsed.get(self.catalog.by_status(spec.status).code)
        public, body = listed or rehearsed["internal"]
        public = public._replace(request_id=request.request_id, status=public.status if listed else spec.status)
        self._note(request, public, Private(exception=exception, code=spec.code, reason="degraded"))
        return Response(
            public.status,
            [
                (b"content-type", renderer.dialect.media_type.encode("ascii")),
                (b"content-length", b"%d" % len(body)),
                (renderer.id_header, request.request_id.encode("ascii")),
                (b"cache-control", b"no-store"),
                (b"x-content-type-options", b"nosniff"),
                *declared,
                *([(b"vary", b"Accept")] if self.config.negotiate else ()),
            ],
            body,
        )


def _id_maker(form: RequestIdFormat) -> Callable[[], str]:
    """What makes ids; where the user's own function fails or gives an unsafe one, ours takes its place."""
    if form.generate is None:
        return form.new

    def make() -> str:
        try:
            made = form.new()
            if not is_safe(made):
                raise ValueError(f"generate gave {text_of(made, 40)!r}; use 1 to 128 of letters, digits and ._:-")
        except Exception as own:
            last_resort("a request id could not be generated", own)
            return uuid7()
        return made

    return make


def build_handler(config: Config | None, settings: dict[str, Any]) -> ErrorHandler:
    """The handler for a configuration, or for its settings. Raises ConfigurationError."""
    if config is None:
        config = Config.load(**settings)
    elif settings:
        raise ConfigurationError(
            f"errorkit configuration: config= and {', '.join(sorted(settings))}= are both given; "
            "put all settings into the Config"
        )
    return ErrorHandler(config)


def _declares_only(cls: type[APIError]) -> bool:
    """Does nothing but its message tell two occurrences of a class apart, if they set nothing else.

    A class may have made a property of what an instance sets.
    """
    return all(getattr(cls, name) is getattr(APIError, name) for name in _OCCURRENCE)


def _sent_wait(error: APIError, headers: RawHeaders) -> Wait | None:
    """The wait in a Retry-After field that the error brought, or that the old answer had."""
    given = [value for name, value in error.headers.items() if name.lower() == "retry-after"]
    given += [value.decode("latin-1") for name, value in headers if name.lower() == b"retry-after"]
    return parse_retry_after(str(given[0]), clock()) if given else None


def _clean(detail: Detail) -> Detail:
    return Detail(
        tuple([part if isinstance(part, int) else text_of(part, 256) for part in detail.path[:32]]),
        text_of(detail.message, 1024),
        text_of(detail.code, 64),
        text_of(detail.location, 16),
        detail.kind,
    )
