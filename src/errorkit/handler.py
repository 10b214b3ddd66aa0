"""The way of one failing request, in six steps: identify, stamp, conceal, advise, encode, record.

Synchronous and free of I/O (the log excepted): adapters carry failures here and bytes away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from errorkit import telemetry
from errorkit.adoption import Adopted, as_read_by
from errorkit.applications import ANSWER_THEMSELVES, inside
from errorkit.catalog import Catalog
from errorkit.choosing import told
from errorkit.config import Config
from errorkit.configuration_error import ConfigurationError, shown
from errorkit.errors import APIError, InternalError
from errorkit.events import EventLog, compact, last_resort
from errorkit.exchange import CLIENT_CLOSED_REQUEST, RawHeaders, Request, Response, facts, phrase
from errorkit.failure import NOTHING, Failure, Private, Public, new_tuple, release, traceback_of
from errorkit.header_fields import varying
from errorkit.identification import Identified, Identifier
from errorkit.judgement import Judge
from errorkit.normalisation import surviving
from errorkit.presentation import Presenter, Shown, declares_only, in_common, quotes_message
from errorkit.rendering import Renderer
from errorkit.request_id import accept
from errorkit.retry import clock, parse_retry_after
from errorkit.selection import Selection
from errorkit.settings import Settings

Headers = Iterable[tuple[bytes, bytes]]
_RAISED_ON = frozenset({"aborted", "background"})


class ErrorHandler:
    """The configured, framework-free centre."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.catalog: Catalog = config.catalog
        self.events = EventLog(
            levels=config.levels,
            redact=config.redact,
            redact_exception_text=config.redact_exception_text,
            development=config.development,
        )
        self.identifier = Identifier(config.catalog, config.exceptions)
        self.presenter = Presenter(config, self.identifier)
        self.judge = Judge(config, self.identifier)
        self.selection = Selection(config)
        self.renderers = self.selection.renderers
        self.renderer_for = self.selection.renderer_for
        self.only_renderer = self.selection.only
        self.holds_start = self.selection.holds_start if config.hold_start else None
        self.request_id = self.selection.request_id
        self.set_before: Callable[[Request, APIError], RawHeaders] | None = None
        """Finds the header fields that a handler had set when it raised, where a framework has a place for these."""
        self._development = config.development
        self.observes = self.selection.observes
        self._negotiates = self.selection.negotiates
        self._on_failure = config.on_failure

    def shadowed(self, handled: Iterable[object]) -> list[str]:
        """The classes of `exceptions=` that handlers of the application's own answer: the setting is never asked."""
        keys = set(handled)
        return [cls.__name__ for cls in self.config.exceptions if cls in keys]

    def announce(self, *, shadowed: Iterable[str] = (), **covered: Any) -> None:
        """One line at start-up: what is covered, by which dialects; and whether bodies carry tracebacks, and why.

        shadowed: exceptions of the configuration that a handler of the application's own answers.
        """
        if shadowed:
            names = ", ".join(shadowed)
            covered["shadowed"] = (
                f"exceptions= has no effect on {names}: the application's own handlers answer; take these out"
            )
        if self._development:
            covered["development"] = f"bodies carry tracebacks: turned on by {self.config.source_of('development')}"
        dialects = {prefix or "/": told(spoken) for prefix, spoken in self.config.spoken}
        try:
            self.events.announce("errorkit_installed", dialects=dialects, codes=len(self.catalog), **covered)
        except Exception as own:
            last_resort("the start-up line was lost", own)

    def look_inside(self, app: Any) -> None:
        """Find out which framework an application is of; one line tells it, and what it keeps to itself."""
        found = inside(app)
        self.judge.serves(found)
        if found.frameworks:
            covered: dict[str, Any] = {"inside": sorted(found.frameworks)}
            silent = sorted(found.frameworks & ANSWER_THEMSELVES)
            if silent:
                covered["unseen"] = (
                    f"{', '.join(silent)} answers every exception itself: errors raised inside are its own crashes "
                    "unless it lets them out (docs/frameworks.md, any other application)"
                )
            self.announce(**covered)

    # -- one failing request

    def respond(self, request: Request, exception: BaseException, kept: RawHeaders | None = None) -> Response:
        """The response for an exception. Never raises; the failure is left on the request.

        kept: header fields of an answer that it takes the place of.
        """
        try:
            request.span = telemetry.noted() or request.span
            if self._negotiates:
                self.selection.negotiate(request)
            identified = self.identifier.identify(exception)
            error = identified[0]
            if self.set_before is not None and not kept and isinstance(exception, APIError):
                hides = error.concealed or error.concealable  # the fields would tell what that is
                kept = None if hides else self.set_before(request, exception)
            renderer: Renderer = request.renderer
            kind = in_common(error)
            prepared = renderer.prepared.get(kind)
            if prepared is None or kept:
                fields = surviving(identified.spec.status, kept or ())
                return self._answer(request, identified, fields, kind=None if kept else kind)
            message = error.message if "message" in error.__dict__ else None
            public, response = renderer.again(prepared, message, request.request_id)
            request.failure = new_tuple(Failure, (public, self._private(identified)))
            return response
        except Exception as own:
            return self._degrade(request, own, exception)

    def take_over(self, request: Request, status: int, headers: Headers, adopted: Adopted) -> Response:
        """The response in the dialect in the place of an answer of other code. Its status stays, and what it said."""
        try:
            request.span = telemetry.noted() or request.span
            if self._negotiates:
                self.selection.negotiate(request)
            error, spec, as_read = adopted
            stamp = (request.renderer.id_header, request.request_id.encode("ascii"))
            headers = [pair for pair in headers if pair != stamp]  # the answer's own id may be another one
            request.request_id = accept(as_read.get("request_id", "").encode()) or request.request_id
            reason = error.reason or ("absent" if error.concealable else "")
            identified = Identified(error, spec, request.exception, reason)
            return self._answer(request, identified, surviving(status, headers), status, as_read=as_read)
        except Exception as own:
            return self._degrade(request, own, request.exception, status)

    def reissue(self, request: Request, headers: Iterable[tuple[bytes, bytes]]) -> tuple[RawHeaders, bytes] | None:
        """The answer once more, under the request ID and with the wait that its header fields tell by now.

        Its fields, and its body. None: these are the same already, or it cannot be made.
        """
        assert request.failure is not None
        public, private = request.failure
        try:
            wait = next((v.decode("latin-1") for k, v in headers if k.lower() == b"retry-after"), None)
            seconds = None if wait is None else parse_retry_after(wait, clock())
            if public.request_id == request.request_id and seconds in (None, public.retry_after):
                return None
            public = public._replace(request_id=request.request_id)
            if seconds is not None and seconds != public.retry_after:
                public = self.presenter.waiting(public, seconds)
            renderer = self._renderer(request)
            old = {name for name, _ in renderer.vendor(request.failure.public)}
            debug = self._debug(private.exception) if self._development else None
            body = renderer.render(public, [], debug=debug).body
            own = [*renderer.vendor(public), (b"content-length", b"%d" % len(body))]
        except Exception as problem:
            last_resort("an answer could not take over a request id or a wait", problem)
            return None
        request.failure = Failure(public, private)
        names = old.union(name for name, _ in own)
        return [*(pair for pair in headers if pair[0].lower() not in names), *own], body

    def spelled(self, request: Request) -> str:
        """The shown code in the dialect's spelling."""
        assert request.failure is not None
        return self._renderer(request).dialect.spell(request.failure.public.code)

    def words(self, request: Request) -> str:
        """The shown message."""
        assert request.failure is not None
        return request.failure.public.message

    def observe(self, request: Request, status: int, reason: str = "") -> None:
        """Somebody else's answer, for the record.

        reason: `unhandled` where it is the framework's own to an exception that nobody answers.
        """
        code, title = "internal", ""
        try:
            spec = self.catalog.by_status(status)
            code, title = spec.code, spec.title
        except Exception as own:
            last_resort(f"an answer of status {status} could not be named", own)
        request.failure = Failure(
            Public(code=code, status=status, title=title, request_id=request.request_id),
            Private(
                code=code, exception=request.exception, reason=reason, answered_by=request.shaped_by or "application"
            ),
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
            request.failure = Failure(public, Private(code=code, exception=exception))
            return
        try:
            assert exception is not None
            identified = self.identifier.identify(exception)
            public = self.presenter.public(
                self._renderer(request).dialect, request.request_id, Shown(identified.spec, None), None
            )
            request.failure = Failure(public, self._private(identified))
        except Exception as own:
            last_resort("a broken response could not be described", own)
            request.failure = Failure(Public(request_id=request.request_id), Private(exception=exception))

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
        exception = failure.private.exception
        try:
            if exception is not None and request.traceback is not None and exception is request.exception:
                BaseException.with_traceback(exception, traceback_of(exception) or request.traceback)
        except Exception as own:
            last_resort("a traceback was lost", own)
        if telemetry.present(request.span):
            request.active_trace = telemetry.trace_id(request.span)
            self._tell_reporters(request, failure)
        try:
            telemetry.within(request.span, self.events.record, request, failure)
        except Exception as own:
            last_resort(f"the event of request {request.request_id} (code {failure.private.code}) was lost", own)
        if self._on_failure is not None:
            try:
                self._on_failure(failure, request)
            except Exception as own:
                last_resort("the on_failure hook failed", own)

    def release(self, request: Request) -> None:
        """Everything is over: let go of the frames that the failure's exception holds."""
        failure, request.failure, request.exception = request.failure, None, None
        request.traceback = request.span = request.answered = None
        exception = None if failure is None else failure.private.exception
        if exception is not None and request.outcome not in _RAISED_ON and not request.raises_on:
            release(exception)

    def _tell_reporters(self, request: Request, failure: Failure) -> None:
        leaves = request.outcome in _RAISED_ON or request.raises_on
        try:
            if failure.public.status >= 500 or self.events.level_of(failure) in ("error", "critical"):
                telemetry.hush()
            if not request.reported:
                unhandled = failure.private.reason == "unhandled"
                telemetry.report(failure, unhandled=unhandled, integration=request.integration, seen=leaves)
        except Exception as own:
            last_resort("a reporter failed", own)
        try:
            if failure.public.status >= 500 and not leaves:
                exception = failure.private.exception
                kept_off = exception is not None and self.identifier.is_frameworks(exception)
                telemetry.annotate(failure, request.span, record=not kept_off)
        except Exception as own:
            last_resort("a span could not be annotated", own)

    def explain(self, request: Request, exception: BaseException) -> None:
        """Add to a recorded-to-be failure the exception that turned out to be its cause."""
        failure = request.failure
        if failure is not None and failure.private.exception is None:
            request.failure = failure._replace(private=failure.private._replace(exception=exception))

    # -- the steps

    def _answer(
        self,
        request: Request,
        identified: Identified,
        headers: RawHeaders,
        status: int | None = None,
        *,
        kind: object = None,
        as_read: Mapping[str, Any] = NOTHING,
    ) -> Response:
        """Steps 3 to 5.

        kind: under which the answer may be prepared for the next time. as_read: see `Adopted`.
        """
        renderer: Renderer = request.renderer
        shown = self.presenter.conceal(identified)
        request.request_id = self.presenter.sent_id(renderer.id_header, shown, headers) or request.request_id
        advice = self.presenter.advise(shown, headers)
        public = self.presenter.public(renderer.dialect, request.request_id, shown, advice, status)
        if as_read and shown.error is not None:
            public = as_read_by(renderer.dialect, public, {**as_read, "request_id": request.request_id})
        if renderer.dialect.sees_request:
            public = public._replace(request=facts(request))
        private = self._private(identified)
        if public.code == as_read.get("code"):
            private = private._replace(code=public.code)
        request.failure = Failure(public, private)
        own, cacheable = self.presenter.fields(renderer, shown, headers, public)
        if headers:  # of an answer that this one takes the place of
            derived = {name for name, _ in renderer.vendor(public)}
            own = [pair for pair in own if pair[0] not in derived]
        error = shown.error
        fixed = not (kind is None or error is None or self._development or quotes_message(error.challenge))
        if fixed and error is not None and declares_only(type(error)):
            renderer.prepare(kind, public._replace(message=shown.spec.message), own, cache_control=cacheable)
        debug = self._debug(identified.exception) if self._development and error is not None else None
        return renderer.render(public, own, cache_control=cacheable, debug=debug)

    def _private(self, identified: Identified) -> Private:
        error, spec, exception, reason = identified
        known = (exception, spec.code, reason, error.owner, error.caller, error.context, "errorkit")
        return new_tuple(Private, known)

    def _debug(self, exception: BaseException | None) -> dict[str, Any] | None:
        if exception is None:
            return None
        return {"exception": type(exception).__qualname__, "traceback": compact(exception).split("\n")}

    # -- parts of the steps

    def _renderer(self, request: Request) -> Renderer:
        renderer: Renderer = request.renderer
        return renderer

    def _degrade(
        self, request: Request, own: Exception, exception: BaseException | None, status: int | None = None
    ) -> Response:
        """errorkit itself failed: a body prepared at start-up, the right status, and a trace."""
        if own is not exception:
            last_resort(f"an answer had to be simplified (request {request.request_id})", own)
        spec = self.catalog.by_class(InternalError)
        try:
            spec = self.presenter.conceal(self.identifier.identify(exception)).spec if exception is not None else spec
            if status is not None:
                spec = self.catalog.by_status(status)
        except Exception:
            spec = self.catalog.by_class(InternalError)
        renderer = self._renderer(request)
        public, body, vendor = self.selection.stand_in(renderer, spec, request.request_id)
        try:
            names = {name for name, _ in vendor}
            said = self.presenter.declared(renderer, spec, spec.challenge, public)
            declared = [pair for pair in said if pair[0] not in names]
        except Exception:
            declared = []
        request.failure = Failure(public, Private(exception=exception, code=spec.code, reason="degraded"))
        return Response(
            public.status,
            [
                renderer.content_type,
                (b"content-length", b"%d" % len(body)),
                (renderer.id_header, request.request_id.encode("ascii")),
                (b"cache-control", b"no-store"),
                *vendor,
                *declared,
                *varying((), renderer.vary),
            ],
            body,
        )


def build_handler(config: Config | None, settings: Settings) -> ErrorHandler:
    """The handler for a configuration, or for its settings. Raises ConfigurationError."""
    if config is None:
        config = Config.load(**settings)
    elif not isinstance(config, Config):
        raise ConfigurationError.of(
            "config", config, f"this is no Config; give settings as keywords, or config=Config({_as_keywords(config)})"
        )
    elif settings:
        raise ConfigurationError.of(
            "config", config, f"{', '.join(sorted(settings))}= is given, too; put all settings into the Config"
        )
    return ErrorHandler(config)


def _as_keywords(settings: object) -> str:
    return ", ".join(f"{k}={shown(v)}" for k, v in settings.items()) if isinstance(settings, dict) else "..."
