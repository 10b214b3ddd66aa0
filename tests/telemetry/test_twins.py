"""Everything that an instrumentation records of a bare application it records of a covered one."""

from __future__ import annotations

from typing import Any

import pytest

from telemetry.applications import COVERS
from telemetry.comparing import Twins, differences
from telemetry.driven_requests import REQUESTS, Request
from telemetry.instrumentations import ENVIRONMENTS, INSTRUMENTATIONS, Instrumentation

CASES = [
    pytest.param(
        instrumentation, order, framework, way,
        id=f"{instrumentation.process}-{instrumentation.name}-{order}-{framework}-{way}",
    )
    for instrumentation in INSTRUMENTATIONS
    for order in instrumentation.orders
    for framework, way in COVERS
    if framework in instrumentation.frameworks
]  # fmt: skip

SPANS = [case for case in CASES if case.values[0].process in ("opentelemetry", "stable-names")]


def requests(framework: str) -> list[Request]:
    """Those that its application serves."""
    return [request for request in REQUESTS if framework in request.frameworks]


@pytest.mark.parametrize(("instrumentation", "order", "framework", "way"), CASES)
def test_covered_is_recorded_as_bare(
    recorded: Any, instrumentation: Instrumentation, order: str, framework: str, way: str
) -> None:
    """Spans, metrics, log records, counters, reports and transactions; the statuses, too."""
    twins = recorded(instrumentation.process)[f"{instrumentation.name}/{order}/{framework}"]
    found = []
    for request in requests(framework):
        bare, covered = twins["bare"][request.name], twins[way][request.name]
        assert bare["status"] == request.status, f"{request.name}: the application is not what it should be"
        found += [
            f"{request.name}: {line}" for line in differences(Twins(instrumentation, framework, request, bare, covered))
        ]
        if covered["status"] != request.status:
            found.append(f"{request.name}: status {covered['status']}")
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize(("instrumentation", "order", "framework", "way"), SPANS)
def test_a_failure_of_the_server_has_its_code_and_its_exception(
    recorded: Any, instrumentation: Instrumentation, order: str, framework: str, way: str
) -> None:
    """The innermost server span: `error.type`, its owner's word first; the exception once, as an event or a log record.

    But where the span has ended before anything is answered, or is told of the status alone. No exception where the
    framework answers its own.
    """
    twins = recorded(instrumentation.process)[f"{instrumentation.name}/{order}/{framework}"]
    wrong = []
    for request in requests(framework):
        unreached = instrumentation.inside or instrumentation.name == "starlettes-own-around"
        if request.status < 500 or (request.stranger and unreached):
            continue
        bare, covered = twins["bare"][request.name], twins[way][request.name]
        told, exceptions = [], len([log for log in covered["logs"] if "exception.type" in log["attributes"]])
        for span in covered["spans"]:
            if span["kind"] == "SERVER":
                told += [span["attributes"]["error.type"]] if "error.type" in span["attributes"] else []
                exceptions += len([event for event in span["events"] if event["name"] == "exception"])
        known = [span["attributes"].get("error.type") for span in bare["spans"] if span["kind"] == "SERVER"]
        if told != ([each for each in known if each] or [request.code]):
            wrong.append(f"{request.name}: error.type is {told}")
        if exceptions != (0 if request.frameworks_own else 1):
            wrong.append(f"{request.name}: the exception was recorded {exceptions} times")
    assert not wrong, "\n" + "\n".join(wrong)


@pytest.mark.parametrize(("instrumentation", "order", "framework", "way"), SPANS)
def test_the_event_belongs_to_the_servers_span(
    recorded: Any, instrumentation: Instrumentation, order: str, framework: str, way: str
) -> None:
    """One event of a failure: its trace is the span's, also for a processor that asks for the current span.

    The span is still open, but where bare, too, it ends before there is anything to tell. What fails between an
    instrumentation and the innermost place of errorkit's has left both when it is answered.
    """
    twins = recorded(instrumentation.process)[f"{instrumentation.name}/{order}/{framework}"]
    wrong = []
    for request in requests(framework):
        record = twins[way][request.name]
        events = record["events"]
        ended = instrumentation.inside and request.stranger
        if not request.code or not record["trace_ids"] or (ended and request.name == "middleware"):
            continue
        if len(events) != 1 or events[0]["code"] != request.code:
            wrong.append(f"{request.name}: {events}")
            continue
        event = events[0]
        wrong += [
            f"{request.name}: {name} is {event[name]}"
            for name in ("trace_id", "span_trace_id")
            if event[name] not in record["trace_ids"]
        ]
        over = (
            ended
            or request.name == "background"
            or (request.name == "torn" and framework == "flask")
            or (request.name == "ws-crash" and instrumentation.name == "contrib-fastapi")  # no layer inside answers it
        )
        if not event["span_open"] and not over:
            wrong.append(f"{request.name}: the span had ended")
    assert not wrong, "\n" + "\n".join(wrong)


@pytest.mark.parametrize("process", ENVIRONMENTS)
def test_bare_is_recorded_as_bare(recorded: Any, process: str) -> None:
    """Two applications without errorkit do not differ: what differs with it is its own."""
    cases = recorded(process)
    assert cases
    for case, twins in cases.items():
        for name, bare in twins["bare"].items():
            again = {**twins["again"][name], "trace_ids": bare.get("trace_ids")}
            assert {"trace_ids": None, **bare} == again, f"{case} {name}"
            recorded_something = any(bare[what] for what in bare if what not in ("status", "events"))
            assert recorded_something or name.startswith("ws-"), f"{case} {name}: nothing was recorded"
