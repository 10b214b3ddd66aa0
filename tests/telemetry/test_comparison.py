"""The comparison of twins can fail: each of these faults in what a covered application records is found."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any, NamedTuple

import pytest

from telemetry.comparing import Twins, differences
from telemetry.driven_requests import REQUESTS
from telemetry.instrumentations import INSTRUMENTATIONS
from telemetry.observing import Record


class Place(NamedTuple):
    """Where in the records: the instrumentation's process, name and order, the framework, the request."""

    process: str
    case: str
    request: str


NATIVE = Place("opentelemetry", "native/once/fastapi", "crash")
NATIVE_503 = NATIVE._replace(request="unavailable")
CONTRIB = Place("opentelemetry", "contrib-fastapi/before/fastapi", "crash")
CONTRIB_502 = CONTRIB._replace(request="gateway")
CONTRIB_503 = CONTRIB._replace(request="unavailable")
CONTRIB_409 = CONTRIB._replace(request="conflict")
INSIDE = Place("opentelemetry", "contrib-starlette/before/starlette", "crash")
AROUND = Place("opentelemetry", "starlettes-own-around/once/starlette", "crash")
SENTRY = Place("sentry", "sentry/once/starlette", "crash")
SENTRY_503 = SENTRY._replace(request="unavailable")
SENTRY_FLASK = Place("sentry", "sentry/once/flask", "crash")
PROMETHEUS = Place("prometheus", "prometheus/before/fastapi", "crash")

EVENT = {"name": "exception", "attributes": {"exception.type": "RuntimeError"}}


def server(record: Record) -> Record:
    """The span of the server."""
    return next(span for span in record["spans"] if span["kind"] == "SERVER")


def value(record: Record) -> Record:
    """The exception of the one report."""
    found: Record = record["reports"][0]["exceptions"][-1]
    return found


def with_error_type(told: str) -> Callable[[Record], Any]:
    return lambda record: server(record)["attributes"].update({"error.type": told})


FAULTS: dict[str, tuple[Place, Callable[[Record], Any]]] = {
    "the words of a framework's exception are exported": (
        CONTRIB_502,
        lambda record: server(record)["events"].append(EVENT),
    ),
    "a websocket is closed twice": (
        Place("opentelemetry", "contrib-asgi-around/once/starlette", "ws-crash"),
        lambda record: record["spans"].extend(
            span for span in list(record["spans"]) if "asgi.event.type" in span["attributes"]
        ),
    ),
    "a span is lost": (CONTRIB, lambda record: record["spans"].pop()),
    "a span is there twice": (CONTRIB, lambda record: record["spans"].append(record["spans"][0])),
    "a span has another parent": (CONTRIB, lambda record: record["spans"][0].update(parent="unknown")),
    "the server's span has no status code": (
        CONTRIB,
        lambda record: server(record)["attributes"].pop("http.status_code"),
    ),
    "a span is no error any more": (CONTRIB, lambda record: server(record).update(status="UNSET")),
    "the words of an error are lost": (INSIDE, lambda record: server(record).update(description=None)),
    "error.type of somebody else is overwritten": (NATIVE, with_error_type("internal")),
    "error.type of somebody else is overwritten, on a declared error": (
        NATIVE_503,
        with_error_type("service_unavailable"),
    ),
    "error.type is another code": (CONTRIB_503, with_error_type("internal")),
    "error.type is on an answer below 500": (CONTRIB_409, with_error_type("conflict")),
    "the exception is lost": (CONTRIB, lambda record: server(record)["events"].clear()),
    "the exception is there twice": (CONTRIB, lambda record: server(record)["events"].append(EVENT)),
    "the exception is on a span and in a log record": (NATIVE, lambda record: server(record)["events"].append(EVENT)),
    "an exception is on an answer below 500": (CONTRIB_409, lambda record: server(record)["events"].append(EVENT)),
    "a declared exception is there twice": (
        CONTRIB_503,
        lambda record: server(record)["events"].extend([EVENT, EVENT]),
    ),
    "an event that is no exception is added": (
        CONTRIB_503,
        lambda record: server(record)["events"].append({"name": "failed", "attributes": {}}),
    ),
    "an answered crash is not even a status": (
        AROUND,
        lambda record: server(record)["attributes"].update({"error.type": "internal"}),
    ),
    "a log record is lost": (NATIVE, lambda record: record["logs"].clear()),
    "a log record is there twice": (NATIVE, lambda record: record["logs"].append(record["logs"][0])),
    "a log record is outside of its span": (NATIVE, lambda record: record["logs"][0].update(span=None)),
    "a point of a metric is lost": (NATIVE, lambda record: record["metrics"].pop()),
    "a metric says the status alone": (
        NATIVE,
        lambda record: record["metrics"][-1]["attributes"].update({"error.type": "500"}),
    ),
    "a metric counts twice": (NATIVE, lambda record: record["metrics"][-1].update(count=2)),
    "a counter has another status": (PROMETHEUS, lambda record: record["counters"][-2]["labels"].update(status="2xx")),
    "a counter stands still": (PROMETHEUS, lambda record: record["counters"].pop()),
    "a report is lost": (SENTRY, lambda record: record["reports"].clear()),
    "a report is there twice": (SENTRY, lambda record: record["reports"].append(record["reports"][0])),
    "a crash is called handled": (SENTRY, lambda record: value(record).update(handled=True)),
    "a declared error is called unhandled": (SENTRY_503, lambda record: value(record).update(handled=False)),
    "somebody unknown reports": (SENTRY, lambda record: value(record).update(mechanism="logging")),
    "another exception is reported": (SENTRY, lambda record: value(record).update(mechanism="errorkit", type="Other")),
    "a report is outside of its request": (SENTRY, lambda record: record["reports"][0].update(url=None)),
    "the log line is reported": (
        SENTRY,
        lambda record: record["reports"].append({**record["reports"][0], "words": "request_failed", "exceptions": []}),
    ),
    "a crash of Flask is called handled": (SENTRY_FLASK, lambda record: value(record).update(handled=True)),
    "a transaction is fine": (SENTRY, lambda record: record["transactions"][0].update(status="ok")),
}

ALLOWED: dict[str, tuple[Place, Callable[[Record], Any]]] = {
    "the code where nobody has an error.type": (CONTRIB_503, with_error_type("service_unavailable")),
    "the exception where nobody has recorded it": (CONTRIB_503, lambda record: server(record)["events"].append(EVENT)),
    "errorkit reports": (SENTRY, lambda record: value(record).update(mechanism="errorkit")),
    "what stands around is told of the status alone": (
        AROUND,
        lambda record: server(record)["attributes"].update({"error.type": "500"}),
    ),
    "errorkit reports a declared error of Flask": (
        SENTRY_FLASK._replace(request="gateway"),
        lambda record: record["reports"].append(
            {"exceptions": [{"type": "BadGateway", "value": "", "mechanism": "errorkit", "handled": True}]}
        ),
    ),
}


def twins(recorded: Any, place: Place) -> Twins:
    """Two times the same records."""
    name, _, framework = place.case.split("/")
    instrumentation = next(each for each in INSTRUMENTATIONS if (each.process, each.name) == (place.process, name))
    request = next(each for each in REQUESTS if each.name == place.request)
    bare = recorded(place.process)[place.case]["bare"][place.request]
    return Twins(instrumentation, framework, request, bare, deepcopy(bare))


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found(recorded: Any, fault: str) -> None:
    """Equal records have no differences, these have."""
    place, seed = FAULTS[fault]
    same = twins(recorded, place)
    assert differences(same) == []
    seed(same.covered)
    assert differences(same)


@pytest.mark.parametrize("difference", ALLOWED)
def test_what_is_allowed_is_forgiven(recorded: Any, difference: str) -> None:
    """Each entry of the list forgives what it says."""
    place, differ = ALLOWED[difference]
    same = twins(recorded, place)
    differ(same.covered)
    assert same.covered != same.bare
    assert differences(same) == []
