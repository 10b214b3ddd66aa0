"""Instructions per request, counted by valgrind: they repeat where times do not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import event, instructions
from requirements import require

KEPT = json.loads(Path(__file__).with_name("instructions.json").read_text())
"""Scenario of Starlette to errorkit's instructions per request, divided by the bare framework's."""
REGRESSION = 1.1


@pytest.mark.timeout(300)  # valgrind is fifty times slower than the machine
def test_a_request_costs_no_more_instructions_than_it_did() -> None:
    """Against the bare framework in the same run, so that another Python changes both.

    After a change that is meant to cost or to save: copy the ratios that this test prints.
    """
    require("valgrind")
    cells = [("starlette", name, scenario) for scenario in KEPT for name in ("bare", "errorkit")]
    counts = instructions.count(cells)
    found = {name: round(counts["starlette", "errorkit", name] / counts["starlette", "bare", name], 3) for name in KEPT}
    print(json.dumps(found, indent=1))
    assert {name: ratio for name, ratio in found.items() if ratio > KEPT[name] * REGRESSION} == {}


@pytest.mark.timeout(300)
def test_an_event_costs_at_most_half_more_than_its_fields_do_in_the_usual_chain() -> None:
    require("valgrind")
    ((bare, own),) = event.counts(event.CHAINS[0]).values()
    assert own <= 1.5 * bare
