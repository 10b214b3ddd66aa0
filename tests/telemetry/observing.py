"""What is exported during one request, as plain comparable values.

Times, identifiers, stack traces and sizes are left out: two runs of one application never agree on them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Record = dict[str, Any]

DROPPED = frozenset({"exception.stacktrace"})
SUMMED = frozenset({"_count", "_total"})
"""Endings of the Prometheus samples that count; the others measure time and size."""


class OpenTelemetry:
    """Global providers that keep everything in memory."""

    def __init__(self) -> None:
        from opentelemetry import _logs, metrics, trace
        from opentelemetry.sdk._logs import LoggerProvider
        from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
        from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider, UpDownCounter
        from opentelemetry.sdk.metrics.export import AggregationTemporality, InMemoryMetricReader
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

        self.spans, self.logs = InMemorySpanExporter(), InMemoryLogRecordExporter()
        self.reader = InMemoryMetricReader(
            preferred_temporality=dict.fromkeys((Counter, Histogram, UpDownCounter), AggregationTemporality.DELTA)
        )
        tracers, loggers = TracerProvider(), LoggerProvider()
        tracers.add_span_processor(SimpleSpanProcessor(self.spans))
        loggers.add_log_record_processor(SimpleLogRecordProcessor(self.logs))
        trace.set_tracer_provider(tracers)
        _logs.set_logger_provider(loggers)
        metrics.set_meter_provider(MeterProvider([self.reader]))

    def taken(self, app: Any) -> Record:
        """All that was exported since the last call."""
        spans, logs = self.spans.get_finished_spans(), self.logs.get_finished_logs()
        data = self.reader.get_metrics_data()
        self.spans.clear()
        self.logs.clear()
        names = {span.context.span_id: span.name for span in spans}
        return {
            "spans": _in_order(_span(span, names) for span in spans),
            "logs": _in_order(_log(each.log_record, names) for each in logs),
            "metrics": _in_order(_points(data)),
            "trace_ids": sorted({f"{span.context.trace_id:032x}" for span in spans if span.kind.name == "SERVER"}),
        }


def _span(span: Any, names: dict[int, str]) -> Record:
    parent = span.parent
    return {
        "scope": span.instrumentation_scope.name,
        "name": span.name,
        "kind": span.kind.name,
        "status": span.status.status_code.name,
        "description": span.status.description,
        "attributes": _attributes(span.attributes),
        "events": [{"name": event.name, "attributes": _attributes(event.attributes)} for event in span.events],
        "parent": None if parent is None else names.get(parent.span_id, "remote" if parent.is_remote else "unknown"),
        "links": len(span.links),
    }


def _log(record: Any, names: dict[int, str]) -> Record:
    return {
        "event": record.event_name,
        "severity": record.severity_text,
        "body": record.body,
        "attributes": _attributes(record.attributes),
        "span": names.get(record.span_id, "unknown") if record.span_id else None,
    }


def _points(data: Any) -> Any:
    for resource in () if data is None else data.resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                for point in metric.data.data_points:
                    count = getattr(point, "count", None)
                    yield {
                        "scope": scope.scope.name,
                        "name": metric.name,
                        "unit": metric.unit,
                        "attributes": _attributes(point.attributes),
                        "count": point.value if count is None else count,
                    }


def _attributes(attributes: Any) -> Record:
    return {key: _plain(value) for key, value in (attributes or {}).items() if key not in DROPPED}


def _plain(value: Any) -> Any:
    return list(map(_plain, value)) if isinstance(value, (tuple, list)) else value


class Prometheus:
    """The registry that the instrumentator of this application writes to."""

    def taken(self, app: Any) -> Record:
        """What has been counted since the last call."""
        if not hasattr(app.state, "counted"):
            app.state.counted = {}
        known: dict[Any, float] = app.state.counted
        counted = []
        for family in app.state.registry.collect():
            for sample in family.samples:
                key = (sample.name, *sorted(sample.labels.items()))
                grown = sample.value - known.get(key, 0.0)
                known[key] = sample.value
                if grown and sample.name.endswith(tuple(SUMMED)):
                    counted.append({"name": sample.name, "labels": dict(sample.labels), "count": grown})
        return {"counters": _in_order(counted)}


class Sentry:
    """A client of Sentry with its default integrations and the frameworks', whose envelopes stay here.

    statuses: of handled exceptions that it is set to report, if not each 5xx.
    """

    def __init__(self, statuses: set[int] | None = None) -> None:
        import sentry_sdk
        from sentry_sdk.integrations.fastapi import FastApiIntegration
        from sentry_sdk.integrations.flask import FlaskIntegration
        from sentry_sdk.integrations.starlette import StarletteIntegration
        from sentry_sdk.transport import Transport

        sent: list[Any] = []

        class Memory(Transport):
            def capture_envelope(self, envelope: Any) -> None:
                sent.extend(item.payload.json for item in envelope.items if item.payload.json is not None)

        sentry_sdk.init(
            dsn="http://key@127.0.0.1/1",
            transport=Memory,
            traces_sample_rate=1.0,
            auto_session_tracking=False,
            auto_enabling_integrations=False,  # it would import each library that it knows
            include_local_variables=False,
            include_source_context=False,
            integrations=[
                StarletteIntegration(**({} if statuses is None else {"failed_request_status_codes": statuses})),
                FastApiIntegration(),
                FlaskIntegration(),
            ],
        )
        self.sent = sent

    def taken(self, app: Any) -> Record:
        """All that was sent since the last call."""
        sent, self.sent[:] = list(self.sent), []
        return {
            "reports": _in_order(_report(each) for each in sent if each.get("type") != "transaction"),
            "transactions": _in_order(_transaction(each) for each in sent if each.get("type") == "transaction"),
        }


def _report(event: Record) -> Record:
    return {
        "level": event.get("level"),
        "transaction": event.get("transaction"),
        "url": (event.get("request") or {}).get("url"),
        "words": (event.get("logentry") or {}).get("message"),
        "exceptions": [
            {
                "type": value["type"],
                "value": value["value"],
                "mechanism": value["mechanism"]["type"],
                "handled": value["mechanism"].get("handled"),
            }
            for value in (event.get("exception") or {}).get("values", ())
        ],
    }


def _transaction(event: Record) -> Record:
    trace = event["contexts"]["trace"]
    return {
        "name": event["transaction"],
        "status": trace.get("status"),
        "op": trace.get("op"),
        "tags": event.get("tags"),
        "spans": sorted((span["op"], span.get("description"), span.get("status")) for span in event["spans"]),
    }


def _in_order(records: Any) -> list[Record]:
    return sorted(records, key=repr)


OBSERVERS: dict[str, Callable[[], Any]] = {
    "opentelemetry": OpenTelemetry,
    "stable-names": OpenTelemetry,
    "prometheus": Prometheus,
    "sentry": Sentry,
    "sentry-asked": lambda: Sentry({404, 409, 502}),
}
