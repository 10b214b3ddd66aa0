"""What errorkit tells spans and Sentry of one failure, and what it leaves to those who know better."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest
import sentry_sdk
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import SpanKind, StatusCode
from sentry_sdk.integrations.flask import FlaskIntegration
from sentry_sdk.integrations.starlette import StarletteIntegration
from sentry_sdk.transport import Transport
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Route

from driving import scope
from errorkit import APIError, ConflictError, ServiceUnavailableError, telemetry
from errorkit.failure import Failure, Private, Public
from errorkit.starlette import install
from robustness.strict_asgi import run

INBOUND = "0af7651916cd43dd8448eb211c80319c"


class Words(Exception):
    """Its words cannot be had."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


def failed(exception: BaseException | None, status: int = 500, *, reason: str = "", by: str = "errorkit") -> Failure:
    code = exception.code if isinstance(exception, APIError) else "internal"
    return Failure(Public(code=code, status=status), Private(exception, code, reason, answered_by=by))


UNAVAILABLE = failed(ServiceUnavailableError("later"), 503)
CRASH = failed(RuntimeError("crash"), reason="unhandled")


# -- OpenTelemetry


@pytest.fixture
def provider() -> Iterator[TracerProvider]:
    provider = TracerProvider()
    yield provider
    provider.shutdown()


@pytest.fixture
def tracer(provider: TracerProvider) -> Any:
    return provider.get_tracer("instrumentation")


def events(span: Any) -> list[Any]:
    return [event.attributes["exception.type"] for event in span.events if event.name == "exception"]


def test_the_servers_span_is_told_the_code_and_the_exception_once(tracer: Any) -> None:
    """However often it is told; its status is its instrumentation's business."""
    with tracer.start_as_current_span("GET", kind=SpanKind.SERVER) as span:
        telemetry.annotate(UNAVAILABLE)
        telemetry.annotate(UNAVAILABLE)
    assert span.attributes == {"error.type": "service_unavailable"}
    assert events(span) == ["errorkit.errors.ServiceUnavailableError"]
    assert span.status.status_code is StatusCode.UNSET


def test_what_somebody_else_has_set_stays(tracer: Any) -> None:
    """An `error.type`, and an exception that is there already."""
    with tracer.start_as_current_span("GET", kind=SpanKind.SERVER, attributes={"error.type": "RuntimeError"}) as span:
        span.record_exception(CRASH.private.exception)
        span.set_status(StatusCode.ERROR, "RuntimeError: crash")
        telemetry.annotate(CRASH)
    assert span.attributes == {"error.type": "RuntimeError"}
    assert events(span) == ["RuntimeError"]
    assert span.status.description == "RuntimeError: crash"


def test_another_exception_on_the_span_is_not_this_one(tracer: Any) -> None:
    """The application may record exceptions that it gets over: of another class, or in other words."""
    with tracer.start_as_current_span("GET", kind=SpanKind.SERVER) as span:
        span.record_exception(ServiceUnavailableError("sooner"))
        span.record_exception(KeyError("later"))
        telemetry.annotate(UNAVAILABLE)
    assert len(events(span)) == 3


@pytest.mark.parametrize(
    ("failure", "record", "told"),
    [
        (failed(ConflictError("taken"), 409), True, ({}, 0)),
        (failed(None, 503, by="application"), True, ({}, 0)),
        (failed(None, 500), True, ({"error.type": "internal"}, 0)),
        (CRASH, False, ({"error.type": "internal"}, 0)),
        (CRASH, True, ({"error.type": "internal"}, 1)),
    ],
    ids=["below 500", "answered by others", "no exception", "the framework's", "crash"],
)
def test_who_is_told_what(tracer: Any, failure: Failure, record: bool, told: Any) -> None:
    """Only of answers of errorkit's own, >= 500; the exception not where the framework answers it by itself."""
    with tracer.start_as_current_span("GET", kind=SpanKind.SERVER) as span:
        telemetry.annotate(failure, record=record)
    assert (dict(span.attributes), len(span.events)) == told


@pytest.mark.parametrize("scope", ["fastapi", "opentelemetry.instrumentation.flask"])
def test_instrumentations_that_record_a_crash_themselves(provider: TracerProvider, scope: str) -> None:
    """By a log record, or when the request is torn down; a declared error they do not see."""
    tracer = provider.get_tracer(scope)
    with tracer.start_as_current_span("GET", kind=SpanKind.SERVER) as span:
        telemetry.annotate(CRASH)
    assert events(span) == []
    with tracer.start_as_current_span("GET", kind=SpanKind.SERVER) as span:
        telemetry.annotate(UNAVAILABLE)
    assert len(events(span)) == 1


class PoolTimeout(Exception):
    """Of a driver, say; the configuration maps it."""


@pytest.mark.parametrize(
    ("exception", "settings", "recorded"),
    [
        (HTTPException(503, "pool db-7 is full"), {}, []),
        (ServiceUnavailableError("later"), {}, ["errorkit.errors.ServiceUnavailableError"]),
        (
            PoolTimeout("db-7"),
            {"exceptions": {PoolTimeout: ServiceUnavailableError}},
            [f"{__name__}.PoolTimeout"],
        ),
        (
            HTTPException(503, "pool db-7 is full"),
            {"exceptions": {HTTPException: ServiceUnavailableError}},
            ["starlette.exceptions.HTTPException"],
        ),
    ],
    ids=["the framework's", "declared", "mapped", "the framework's, mapped"],
)
def test_the_words_of_the_frameworks_own_exceptions_are_not_exported(
    tracer: Any, exception: Exception, settings: dict[str, Any], recorded: list[str]
) -> None:
    """An HTTPException's detail is on no span without errorkit; who maps its class has declared it."""

    async def endpoint(request: Any) -> None:
        raise exception

    app = Starlette(routes=[Route("/", endpoint)])
    install(app, dialect="problem", **settings)
    with tracer.start_as_current_span("GET", kind=SpanKind.SERVER) as span:
        run(app, scope(path="/"))
    assert span.attributes == {"error.type": "service_unavailable"}
    assert events(span) == recorded
    assert ("db-7" in span.to_json()) is bool(settings)


def test_a_span_of_the_applications_own_is_left_alone(tracer: Any) -> None:
    """The noted one is the server's; one that has ended is told nothing."""
    with tracer.start_as_current_span("GET", kind=SpanKind.SERVER) as server:
        noted = telemetry.noted()
        with tracer.start_as_current_span("own") as own:
            telemetry.annotate(UNAVAILABLE)
            assert (own.attributes, own.events, dict(server.attributes)) == ({}, (), {})
            telemetry.annotate(UNAVAILABLE, noted)
    assert dict(own.attributes) == {}
    assert server.attributes["error.type"] == "service_unavailable"
    telemetry.annotate(CRASH, own)
    assert dict(own.attributes) == {}


@pytest.mark.parametrize(
    "broken", [trace.NonRecordingSpan(trace.INVALID_SPAN_CONTEXT), object(), None], ids=["invalid", "foreign", "none"]
)
def test_spans_that_cannot_be_read_are_left_alone(broken: Any) -> None:
    """Nothing is raised for them, nothing is said."""
    telemetry.annotate(UNAVAILABLE, broken)
    assert telemetry.trace_id(broken) in (None, "0" * 32)
    assert telemetry.noted() is None
    assert telemetry.is_open() is False


def test_the_trace_of_the_active_span_comes_first(tracer: Any) -> None:
    """The noted one's where none is active, also when it has ended."""
    assert telemetry.trace_id() is None
    with tracer.start_as_current_span("first") as first:
        assert telemetry.trace_id() == f"{first.get_span_context().trace_id:032x}"
        assert telemetry.is_open()
    with tracer.start_as_current_span("second") as second:
        assert telemetry.trace_id(first) == f"{second.get_span_context().trace_id:032x}"
    assert telemetry.trace_id(first) == f"{first.get_span_context().trace_id:032x}"
    assert not telemetry.is_open()


def test_within_makes_the_noted_span_current_where_there_is_none(tracer: Any) -> None:
    """And records nothing of what is raised meanwhile."""
    with tracer.start_as_current_span("GET", kind=SpanKind.SERVER) as span:
        noted = telemetry.noted()
        with tracer.start_as_current_span("other") as other:
            assert active_within(noted) == [other]
    assert active_within(noted) == [span]
    with tracer.start_as_current_span("detached") as later:
        pass
    with pytest.raises(KeyError):
        telemetry.within(later, {}.__getitem__, "absent")  # type: ignore[arg-type]
    assert later.events == ()
    assert active_within(None) == [trace.INVALID_SPAN]


def active_within(span: Any) -> list[Any]:
    """The span that was active while something was told within another one."""
    seen: list[Any] = []
    telemetry.within(span, lambda where: where.append(trace.get_current_span()), seen)
    return seen


def test_without_opentelemetry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody asks for what is not loaded."""
    monkeypatch.delitem(sys.modules, "opentelemetry.trace")
    monkeypatch.delitem(sys.modules, "sentry_sdk")
    assert not telemetry.present()
    assert (telemetry.noted(), telemetry.trace_id(), telemetry.is_open()) == (None, None, False)
    telemetry.annotate(CRASH)
    telemetry.report(CRASH, unhandled=True)
    told: list[str] = []
    telemetry.within(None, told.append, "an event")
    assert told == ["an event"]


def test_the_events_trace_is_the_active_spans_before_the_inbound_one(tracer: Any, log: list[dict[str, Any]]) -> None:
    """A service that begins a trace of its own for each request; without a span, the caller's."""

    async def conflict(request: Any) -> None:
        raise ConflictError("taken")

    class Traced:
        """A middleware that traces what comes to one of the paths."""

        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            if scope["path"] != "/traced":
                await self.app(scope, receive, send)
                return
            with tracer.start_as_current_span("GET", kind=SpanKind.SERVER) as span:
                seen.append(f"{span.get_span_context().trace_id:032x}")
                await self.app(scope, receive, send)

    seen: list[str] = []
    app = Starlette(routes=[Route("/traced", conflict), Route("/untraced", conflict)], middleware=[Middleware(Traced)])
    install(app, dialect="problem")
    for path in ("/traced", "/untraced"):
        run(app, scope(path=path, headers=[("traceparent", f"00-{INBOUND}-b7ad6b7169203331-01")]))
    told = [event.get("trace_id") for event in log if event["event"] == "request_failed"]
    assert told == [*seen, INBOUND]


# -- Sentry


@pytest.fixture
def sentry() -> Iterator[Any]:
    """Starts a client; returns the list of what it would have sent."""
    sent: list[dict[str, Any]] = []

    class Memory(Transport):
        def capture_envelope(self, envelope: Any) -> None:
            sent.append(envelope.get_event())

    def start(**options: Any) -> list[dict[str, Any]]:
        sentry_sdk.init(dsn="http://key@127.0.0.1/1", transport=Memory, auto_session_tracking=False, **options)
        return sent

    yield start
    sentry_sdk.get_client().close(timeout=0)
    sentry_sdk.init()
    sentry_sdk.get_global_scope().set_client(None)


def told(sent: list[dict[str, Any]]) -> list[tuple[str, bool]]:
    values = [event["exception"]["values"][-1] for event in sent]
    return [(value["type"], value["mechanism"]["handled"]) for value in values]


def test_sentry_is_told_of_failures_of_the_server(sentry: Any) -> None:
    """A stranger as unhandled; nothing below 500, and nothing without an exception."""
    sent = sentry()
    telemetry.report(CRASH, unhandled=True, integration="starlette")
    telemetry.report(UNAVAILABLE, unhandled=False, integration="starlette")
    telemetry.report(failed(ConflictError("taken"), 409), unhandled=False, integration="starlette")
    telemetry.report(failed(None, 500), unhandled=False, integration="starlette")
    assert told(sent) == [("RuntimeError", False), ("ServiceUnavailableError", True)]


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ({403, 409}, [("ConflictError", True), ("RuntimeError", False)]),
        (set(), [("RuntimeError", False)]),
        (set(range(400, 600)), [("ConflictError", True), ("HTTPException", True), ("RuntimeError", False)]),
    ],
    ids=["some", "none", "all"],
)
def test_the_integrations_statuses_are_obeyed(sentry: Any, statuses: set[int], expected: Any) -> None:
    """`failed_request_status_codes` is about what is handled: a crash is always told."""
    sent = sentry(integrations=[StarletteIntegration(failed_request_status_codes=statuses)])
    telemetry.report(failed(ConflictError("taken"), 409), unhandled=False, integration="starlette")
    telemetry.report(failed(HTTPException(503), 503), unhandled=False, integration="starlette")
    telemetry.report(CRASH, unhandled=True, integration="starlette")
    assert told(sent) == expected


def test_a_concealed_error_counts_by_what_it_is(sentry: Any) -> None:
    """The integration asks the exception, not what is shown of it."""
    sent = sentry(integrations=[StarletteIntegration(failed_request_status_codes={409})])
    telemetry.report(failed(ConflictError("taken"), 404), unhandled=False, integration="starlette")
    assert told(sent) == [("ConflictError", True)]


def test_what_the_integration_sees_is_its_own(sentry: Any) -> None:
    """If it is active; else nobody would tell."""
    sent = sentry(integrations=[FlaskIntegration()], auto_enabling_integrations=False)
    telemetry.report(CRASH, unhandled=True, integration="flask", seen=True)
    assert told(sent) == []
    telemetry.report(CRASH, unhandled=True, integration="starlette", seen=True)
    assert told(sent) == [("RuntimeError", False)]


def test_an_exception_without_words_is_told_all_the_same(sentry: Any, tracer: Any) -> None:
    """What an exception of the application's does when it is looked at is no reason to be silent."""
    sent = sentry()
    telemetry.report(failed(Words(), reason="unhandled"), unhandled=True)
    assert [kind for kind, _ in told(sent)] == ["Words"]
