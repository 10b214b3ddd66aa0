"""The tables of docs/frameworks.md: each row is a small application, driven bare and covered."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from docs.failures import TABLES
from fidelity import allowed
from fidelity.observed import Answer, Call, Observation
from fidelity.twins import Scenario, Way, observe

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "frameworks.md").read_text()
ROWS = [pytest.param(each, way, id=f"{each.name}-{way}") for table in TABLES for each in table for way in each.ways]
_FORMS = {"application/json": "JSON", "text/plain": "text", "text/html": "HTML", "text/event-stream": "events"}


def seen_by(observation: Observation) -> str:
    """Who has seen the exception, in the order in which it came by."""
    seen = [step.partition(" saw ")[0] for step in observation.steps if " saw " in step]
    seen += ["the server"] if observation.answers[0].raised else []
    return ", ".join(dict.fromkeys(seen)) or "nobody"


def answered(call: Any, answer: Answer) -> str:
    """What was sent, in a few words."""
    if not isinstance(call, Call):
        return _end_of_socket(answer)
    if answer.by_server:
        return "500 by the server"
    kind = (answer.value("content-type") or "").partition(";")[0]
    form = _FORMS.get(kind, kind)
    if answer.status >= 400 and not allowed.in_dialect(answer, "problem", head=False):
        form = "in the dialect"
    text = f"{answer.status} {form}"
    if b"internal" in answer.body and kind == "text/event-stream":
        text += " with the dialect's last one"
    return text if answer.complete else f"{text}, cut"


def _end_of_socket(answer: Answer) -> str:
    if answer.by_server:
        return f"closed {answer.close[0]} by the server" if answer.close else "500 by the server"
    if answer.close is not None:
        return f"closed {answer.close[0]}" + (" with a reason" if answer.close[1] else "")
    form = "in the dialect" if not allowed.in_dialect(answer, "problem", head=False) else "text"
    return f"refused {answer.status} {form}"


def row(scenario: Scenario, way: Way) -> str:
    """The row as it is."""
    bare, covered = observe(scenario, way.bare), observe(scenario, way)
    call = scenario.calls[0]
    words = scenario.name.removeprefix(f"{_prefix(scenario)}-")
    cells = [words]
    for seen in (bare, covered):
        cells += [seen_by(seen), answered(call, seen.answers[0])]
    return f"| {' | '.join(cells)} |"


def _prefix(scenario: Scenario) -> str:
    return next(table.prefix for table in TABLES if scenario in table)


@pytest.mark.parametrize(("scenario", "way"), ROWS)
def test_the_table_says_what_is(scenario: Scenario, way: Way) -> None:
    """The row on the page, but for its emphasis."""
    section = PAGE.partition(f"### {_prefix(scenario)}\n")[2].partition("\n##")[0]
    assert row(scenario, way) in section.replace("**", "")


def test_the_tables_have_no_other_rows() -> None:
    """What is on the page is tried."""
    section = PAGE.partition("## Who sees what\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (?!failure|---)[^|]+\|", section, re.MULTILINE)
    assert len(rows) == sum(len(table) for table in TABLES)
