"""The way of one failing request, in six steps: identify, stamp, conceal, advise, encode, record.

Synchronous and free of I/O (the log excepted): adapters carry failures here and bytes away.
"""

from __future__ import annotations

from typing import Any

from errorkit import telemetry
from errorkit.catalog import Catalog
from errorkit.config import Config, ConfigurationError
from errorkit.errors import APIError
from errorkit.events import EventLog, compact, last_resort
from errorkit.exchange import CLIENT_CLOSED_REQUEST, RawHeaders, Request, Response, phrase, raw_header
from errorkit.failure import Failure, Private, Public, new_tuple, release
from errorkit.identification import Identified, Identifier
from errorkit.normalisation import Default, surviving
from errorkit.presentation import Presenter, Shown, declares_only, in_common
from errorkit.rendering import Renderer
from errorkit.selection import Selection
from errorkit.validation import as_error

_RAISED_ON = frozenset({"aborted", "background"})


class ErrorHandler:
    """The configured, framework-free centre."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.catalog: Catalog = config.catalog
        self.events = EventLog(
            levels=config.levels, redact=config.redact, redact_exception_text=config.redact_exception_text
        )
        self.identifier = Identifier(config.catalog, config.exceptions)
        self.presenter = Presenter(config, self.identifier)
        self.selection = Selection(config)
        self.renderers = self.selection.renderers
        self.renderer_for = self.selection.renderer_for
        self.request_id = self.selection.request_id
        self._development = config.development
        self._negotiates = bool(self.selection.problems)
        self._on_failure = config.on_failure

    def announce(self, **covered: Any) -> None:
        """One line at start-up: what is covered, by which dialects; and whether bodies carry tracebacks, and why."""
        if self._development:
            covered["development"] = f"bodies carry tracebacks: turned on by {self.config.source_of('development')}"
        dialects = {prefix or "/": renderer.dialect.name if renderer else None for prefix, renderer in self.renderers}
        try:
            self.events.announce("errorkit_installed", dialects=dialects, codes=len(self.catalog), **covered)
        except Exception as own:
            last_resort("the start-up line was lost", own)

    # -- one failing request

    def respond(self, request: Request, exception: BaseException) -> Response:
        """The response for an exception. Never raises; the failure is left on the request."""
        try:
            if self._negotiates and not request.outcome:
                self.selection.negotiate(request)
            identified = self.identifier.identify(exception)
            error = identified[0]
            renderer: Renderer = request.renderer
            kind = in_common(error)
            prepared = renderer.prepared.get(kind)
            if prepared is None:
                return self._answer(request, identified, [], kind=kind)
            message = error.message if "message" in error.__dict__ else None
            public, response = renderer.again(prepared, message, request.request_id)
            request.failure = new_tuple(Failure, (public, self._private(identified)))
            return response
        except Exception as own:
            return self._degrade(request, own, exception)

    def renormalise(self, request: Request, status: int, headers: RawHeaders, default: Default) -> Response:
        """The response in the dialect for a framework's default body."""
        try:
            if self._negotiates and not request.outcome:
                self.selection.negotiate(request)
            spec = self.catalog.by_status(status)
            error: APIError
            if default.findings:
                error = as_error(default.findings, field_codes=self.catalog.field_codes)
                spec = self.identifier.spec(type(error))
            else:
                error = spec.occurrence(default.message if status < 500 else None)
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
        request.failure = Failure(
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
        """Step 6: the one event of this request's failure; its frames are let go of afterwards. Never raises."""
        failure = request.failure
        if failure is None:
            return
        if not request.recorded:
            request.recorded = True
            self._tell(request, failure)
        request.failure = request.exception = None
        exception = failure.private.exception
        if exception is not None and request.outcome not in _RAISED_ON:
            release(exception)

    def _tell(self, request: Request, failure: Failure) -> None:
        if failure.public.status >= 500 and telemetry.present():
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
        if self._on_failure is not None:
            try:
                self._on_failure(failure, request)
            except Exception as own:
                last_resort("the on_failure hook failed", own)

    def annotate(self, request: Request) -> None:
        """Tell the current span: adapters do it before the last byte, with which instrumentations end it.

        What is raised on is recorded by the instrumentation itself. Never raises.
        """
        failure = request.failure
        if failure is None or not telemetry.present():
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

    # -- the steps

    def _answer(
        self,
        request: Request,
        identified: Identified,
        headers: RawHeaders,
        status: int | None = None,
        *,
        kind: object = None,
    ) -> Response:
        """Steps 3 to 5. kind: under which the answer may be prepared for the next time."""
        renderer: Renderer = request.renderer
        shown = self.presenter.conceal(identified)
        advice = self.presenter.advise(shown, headers)
        public = self.presenter.public(renderer.dialect, request.request_id, shown, advice, status)
        request.failure = Failure(public, self._private(identified))
        own, cacheable = self.presenter.fields(renderer, shown, headers)
        error = shown.error
        if not (kind is None or error is None or self._development) and declares_only(type(error)):
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
        spec = self.catalog.by_code("internal")
        try:
            spec = self.presenter.conceal(self.identifier.identify(exception)).spec if exception is not None else spec
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
        public, body, vendor = self.selection.stand_in(renderer, spec, request.request_id)
        request.failure = Failure(public, Private(exception=exception, code=spec.code, reason="degraded"))
        return Response(
            public.status,
            [
                (b"content-type", renderer.dialect.media_type.encode("ascii")),
                (b"content-length", b"%d" % len(body)),
                (renderer.id_header, request.request_id.encode("ascii")),
                (b"cache-control", b"no-store"),
                *vendor,
                *declared,
                *([(b"vary", b"Accept")] if self.config.negotiate else ()),
            ],
            body,
        )


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
