"""Side by side with real OpenTelemetry instrumentation: status, `error.type` and one exception on the server's span."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

from errorkit import ConflictError, ServiceUnavailableError
from errorkit.starlette import ErrorMiddleware
from robustness.strict_asgi import http_scope, run, start_up


@pytest.fixture
def spans() -> Iterator[Any]:
    """An exporter in memory, behind a provider of this test's own."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield provider, exporter
    provider.shutdown()


async def crash(request: Any) -> Any:
    raise ValueError("crash")


async def declared(request: Any) -> Any:
    raise ServiceUnavailableError("declared")


async def conflict(request: Any) -> Any:
    raise ConflictError("conflict")


async def missing(request: Any) -> Any:
    raise HTTPException(404)


async def fine(request: Any) -> Any:
    return PlainTextResponse("fine")


async def torn(request: Any) -> Any:
    async def body() -> Any:
        yield b"half"
        raise ValueError("torn")

    return StreamingResponse(body())


async def child(request: Any) -> Any:
    with trace.get_tracer("app").start_as_current_span("inner"):
        raise ValueError("inner")


ROUTES = [
    Route(f"/{endpoint.__name__}", endpoint) for endpoint in (crash, declared, conflict, missing, fine, torn, child)
]


def served(spans: Any, path: str, outside: bool) -> tuple[Any, Any, list[Any]]:
    """The exchange, the server's span, and all spans; instrumented from outside or as the first middleware."""
    provider, exporter = spans
    instrumented = Middleware(OpenTelemetryMiddleware, tracer_provider=provider)
    errors = Middleware(ErrorMiddleware, dialect="problem")
    app: Any = Starlette(routes=ROUTES, middleware=[errors] if outside else [instrumented, errors])
    if outside:
        app = OpenTelemetryMiddleware(app, tracer_provider=provider)
    start_up(app)
    result = run(app, http_scope(path))
    every = exporter.get_finished_spans()
    return result, next(span for span in every if span.kind is SpanKind.SERVER), every


@pytest.mark.parametrize(
    ("path", "outside", "status", "code"),
    [
        ("/crash", True, 500, "internal"),
        ("/declared", True, 503, "service_unavailable"),
        ("/declared", False, 503, "service_unavailable"),
    ],
)
def test_a_failure_of_the_server_is_on_its_span_once(
    spans: Any, path: str, outside: bool, status: int, code: str
) -> None:
    """Semantic conventions: status ERROR, `error.type` low in cardinality (our code), one exception event."""
    result, span, every = served(spans, path, outside)
    assert (result.sent.status, result.escaped) == (status, None)
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes["error.type"] == code
    recorded = [event for each in every for event in each.events if event.name == "exception"]
    assert len(recorded) == 1
    assert recorded[0].attributes["exception.type"].endswith(("ValueError", "ServiceUnavailableError"))


def test_a_crash_ends_the_span_of_a_middleware_as_without_errorkit(spans: Any) -> None:
    """It flies through the middleware, and what is answered further out is not on its span."""
    result, span, _ = served(spans, "/crash", False)
    assert (result.sent.status, result.escaped) == (500, None)
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "ValueError: crash")
    assert "http.status_code" not in span.attributes
    assert "error.type" not in span.attributes
    assert [event.attributes["exception.type"] for event in span.events] == ["ValueError"]


@pytest.mark.parametrize("path", ["/conflict", "/missing", "/fine", "/nowhere"])
def test_a_4xx_is_no_error_of_the_servers_span(spans: Any, path: str) -> None:
    """For a server span, 4xx leaves the status unset."""
    _, span, every = served(spans, path, True)
    assert span.status.status_code is StatusCode.UNSET
    assert "error.type" not in span.attributes
    assert not [event for each in every for event in each.events if event.name == "exception"]


def test_a_torn_stream_is_an_error_of_the_span(spans: Any) -> None:
    """Raised on: the instrumentation sees it; the exception is there once."""
    result, span, _ = served(spans, "/torn", True)
    assert isinstance(result.escaped, ValueError)
    assert span.status.status_code is StatusCode.ERROR
    assert len([event for event in span.events if event.name == "exception"]) == 1


def test_the_trace_id_is_in_the_event(events: list[dict[str, Any]]) -> None:
    """From a valid `traceparent`; anything else is not believed."""
    good = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    app = Starlette(routes=ROUTES, middleware=[Middleware(ErrorMiddleware, dialect="problem")])
    start_up(app)
    for value in (good, b"00-0af7\n", b"ff-" + good[3:], b"00-" + b"0" * 32 + good[35:]):
        run(app, http_scope("/crash", headers=[(b"traceparent", value)]))
    assert [event.get("trace_id") for event in events] == ["0af7651916cd43dd8448eb211c80319c", None, None, None]
