"""Every scenario, bare and observed in every way: nothing differs but one request ID, and who writes a crash's log line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import fields
from typing import Any
from unittest.mock import patch

import pytest

from fidelity import allowed
from fidelity.observed import Answer, Call, Observation, Socket
from fidelity.test_twins import SCENARIOS
from fidelity.twins import Scenario, Twin, Way, observe

SAME = ("status", "plain_body", "complete", "raised", "others", "close", "said")


class Observed(Scenario):
    """A scenario under `dialect="observe"`; what would be an error of errorkit's is raised as it is without."""

    def made(self, way: Way) -> tuple[Twin, Any]:
        twin = Twin(way, {**self.settings, "dialect": "observe"})
        twin._stands_in = True
        with patch.dict("os.environ", self.environ):
            return twin, twin.finished(self.build(twin), self.kind)


def _observed(scenario: Scenario) -> Observed:
    return Observed(**{each.name: getattr(scenario, each.name) for each in fields(Scenario)})


def _pairs() -> list[object]:
    return [pytest.param(scenario, way, id=f"{scenario.name}-{way}") for scenario in SCENARIOS for way in scenario.ways]


@pytest.mark.parametrize(("scenario", "way"), _pairs())
def test_observed_is_as_bare(scenario: Scenario, way: Way) -> None:
    observed = _observed(scenario)
    bare, seen = observe(observed, way.bare), observe(observed, way)
    found = [
        f"[{number}] {call}: {text}"
        for number, (call, one, other) in enumerate(zip(scenario.calls, bare.answers, seen.answers, strict=False))
        if not _is_own(other)
        for text in _differences(call, one, other)
    ]
    assert len(bare.answers) == len(seen.answers)
    if seen.steps != bare.steps:
        found.append(f"steps {seen.steps}, bare {bare.steps}")
    found += _records(bare, seen)
    assert not found, "\n".join(found)


def _is_own(seen: Answer) -> bool:
    """Some scenarios raise errors of errorkit's, which have no bare form, where bare they are crashes."""
    return any(event["code"] in ("conflict", "rate_limited") and "answered_by" not in event for event in seen.events)


def _differences(call: Call | Socket, bare: Answer, seen: Answer) -> Iterator[str]:
    for name in SAME:
        one, other = getattr(bare, name), getattr(seen, name)
        if one != other:
            yield f"{name} {other!r}, bare {one!r}"
    ignored = {*allowed.SERVERS_OWN, *(() if bare.values(allowed.ID) else (allowed.ID,))}
    one, other = ([field for field in answer.headers if field[0] not in ignored] for answer in (bare, seen))
    if one != other:
        yield f"fields {other!r}, bare {one!r}"
    exits = getattr(call, "leaves", "") == "cancel" or seen.raised.startswith("CancelledError")
    failed = (seen.status >= 400 or bool(seen.raised)) and not exits
    if len(seen.events) > 1 or (failed and not seen.events):
        yield f"{len(seen.events)} events"


def _records(bare: Observation, seen: Observation) -> Iterator[str]:
    lost = Counter(filter(allowed.is_failures_line, bare.records)) - Counter(seen.records)
    kept = [record for record in bare.records if not lost[record]]
    if seen.records != kept:
        yield f"log records {seen.records}, bare {kept}"
