"""The comparison can fail: each thing that errorkit must not do to a service is seen. Needs no service."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from services.__main__ import NAMES, PAGE
from services.comparison import compare, unclaimed
from services.report import Result
from services.running import Reply, Run
from services.service import Ask, Service, Volatile, load

SERVICE = Service(
    "sample", ("sample==1",), "none", (), "asgi", "uvicorn", lambda folder: None,
    (Ask("read", "GET", "/"), Ask("unknown", "GET", "/nope"), Ask("refused", "GET", "/mine")),
    volatile=(Volatile("ticks", r"tick-\d+"),),
)  # fmt: skip
BARE = (
    Reply(200, (("date", "1"), ("content-type", "text/plain"), ("x-own", "a")), b"tick-1"),
    Reply(404, (("date", "1"), ("content-type", "text/plain"), ("vary", "Origin")), b"Not Found"),
    Reply(409, (("date", "1"), ("content-type", "application/json")), b'{"mine": 1}'),
)
PROBLEM = {
    "type": "about:blank", "title": "Not Found", "status": 404, "detail": "Not here.", "code": "not_found",
    "request_id": "b" * 32,
}  # fmt: skip
COVERED = (
    Reply(200, (*BARE[0].headers, ("x-request-id", "a" * 32)), b"tick-2"),
    Reply(
        404,
        (("content-type", "application/problem+json"), ("vary", "Origin"), ("x-request-id", "b" * 32)),
        json.dumps(PROBLEM).encode(),
    ),
    Reply(409, (*BARE[2].headers, ("x-request-id", "c" * 32)), BARE[2].body),
)
EVENTS = tuple({"event": "request_failed", "request_id": letter * 32, "code": "not_found"} for letter in "bc")


def faults(covered: tuple[Reply, ...] = COVERED, events: tuple[dict[str, Any], ...] = EVENTS) -> list[str]:
    """What the comparison says of a covered run."""
    run = Run(list(covered), [{"event": "errorkit_installed"}, *events])
    verdicts = compare(SERVICE, Run(list(BARE)), run)
    return Result("sample", SERVICE, {"sample": "1"}, tuple(verdicts), len(unclaimed(verdicts, run))).faults()


def test_what_may_differ_is_no_fault() -> None:
    """The date, the id, a volatile value, and the body of one error with the fields that describe it."""
    assert faults() == []


def without(reply: Reply, name: str) -> Reply:
    """The reply without one field."""
    return replace(reply, headers=tuple(pair for pair in reply.headers if pair[0] != name))


@pytest.mark.parametrize(
    ("place", "reply", "told"),
    [
        (0, replace(COVERED[0], status=500), "read: 200 became 500"),
        (0, replace(COVERED[0], body=b"tack-2"), "read: the body differs"),
        (0, without(COVERED[0], "x-own"), "read: `x-own: a` is missing"),
        (0, replace(COVERED[0], headers=(*COVERED[0].headers, ("vary", "*"))), "read: `vary: *` is added"),
        (1, replace(COVERED[1], status=400), "unknown: 404 became 400"),
        (1, without(COVERED[1], "vary"), "unknown: `vary: Origin` is missing"),
        (1, without(COVERED[1], "x-request-id"), "unknown: 0 events"),
        (1, replace(COVERED[1], body=COVERED[1].body.replace(b"bb", b"dd")), "unknown: the ids of header"),
        (1, replace(COVERED[1], body=b'{"code": "not_found"}'), "unknown: `content-type: text/plain` became"),
        (2, replace(COVERED[2], body=b'{"mine": 2}'), "refused: the body differs"),
        (2, replace(COVERED[2], headers=(*COVERED[2].headers, COVERED[2].headers[-1])), "refused: the ids"),
    ],
)  # fmt: skip
def test_what_must_not_differ_is_told(place: int, reply: Reply, told: str) -> None:
    """One thing changed at a time."""
    covered = list(COVERED)
    covered[place] = reply
    assert any(fault.startswith(told) for fault in faults(tuple(covered))), faults(tuple(covered))


@pytest.mark.parametrize(
    ("events", "told"),
    [
        (EVENTS[:1], "refused: 0 events; the ids of header, body and event are not equal"),
        ((*EVENTS, EVENTS[1]), "refused: 2 events"),
        ((*EVENTS, {**EVENTS[0], "request_id": "a" * 32}), "read: an event of a success"),
        ((*EVENTS, {**EVENTS[0], "request_id": "e" * 32}), "1 events that belong to no answer"),
    ],
)
def test_an_event_too_few_or_too_many_is_told(events: tuple[dict[str, Any], ...], told: str) -> None:
    """Of failures, of successes and of nobody."""
    assert faults(events=events) == [told]


@pytest.mark.parametrize("name", NAMES)
def test_the_page_is_of_these_descriptions(name: str) -> None:
    """Each request of each service has its row; a change needs a new run."""
    service = load(name)
    page = Path(PAGE).read_text()
    section = page.partition(f"\n## {service.title}\n")[2].partition("\n## ")[0]
    rows = [line.split(" | ")[0].removeprefix("| ") for line in section.splitlines() if line.startswith("| ")]
    assert rows == ["request", "---", *(ask.what for ask in service.asks)]
