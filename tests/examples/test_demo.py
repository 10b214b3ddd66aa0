"""The demonstration: what a newcomer runs first."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from errorkit.dialects import PRESETS
from examples.demo import __main__ as demo
from examples.demo.screen import Screen
from examples.demo.steps import SAME, STEPS

ROOT = Path(__file__).parents[2]
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def run(**environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ERRORKIT_")}
    return subprocess.run(
        [sys.executable, "-m", "examples.demo"],
        cwd=ROOT, env={**kept, "PYTHONPATH": f"{ROOT}/src", "PYTHONUTF8": "1", **environment},
        capture_output=True, text=True, encoding="utf-8", timeout=120, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def shown() -> subprocess.CompletedProcess[str]:
    return run(COLUMNS="80")


def test_the_demonstration_succeeds(shown: subprocess.CompletedProcess[str]) -> None:
    """It ends with 0, says nothing on standard error, and nothing went otherwise than announced."""
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "UNEXPECTED" not in shown.stdout


def test_the_demonstration_shows_every_step_and_every_dialect(shown: subprocess.CompletedProcess[str]) -> None:
    """A heading for each request, an event for each, and the last failure once for each preset."""
    for number, step in enumerate(STEPS, 1):
        assert f"── {number} · {step.title} ──" in shown.stdout
        assert f"\n  {step.method} {step.path}\n" in shown.stdout
    assert len(re.findall(r"^  log \w+ request_failed$", shown.stdout, re.MULTILINE)) == len(STEPS)
    for name in PRESETS:
        assert f'dialect = "{name}"' in shown.stdout


def test_nothing_is_wider_than_the_terminal_unless_it_is_one_word(shown: subprocess.CompletedProcess[str]) -> None:
    """At 80 columns a line breaks between words; what has no place to break is not cut."""
    wide = [line for line in shown.stdout.splitlines() if len(line) > 80]
    assert [line for line in wide if len(line.split()) > 1] == []
    assert "…" not in shown.stdout


def test_colours_add_nothing_to_the_text() -> None:
    """With colours switched on the words are the same, so that none of them is only in the colour."""
    coloured = run(COLUMNS="80", FORCE_COLOR="1")
    assert coloured.returncode == 0
    assert "\x1b[" in coloured.stdout
    plain = COLOUR.sub("", coloured.stdout)
    for step in STEPS:
        assert step.title in plain
    assert f"{len(STEPS)} failures, {len(STEPS)} events" in plain


def test_the_readme_counts_them_right() -> None:
    """What a newcomer is promised before the first command."""
    assert f"the example service, {len(STEPS)} failures," in (ROOT / "README.md").read_text()


class Wrong:
    """A server that logs something else than what was answered."""

    def next_event(self) -> dict[str, object]:
        return {"event": "request_failed", "level": "info", "timestamp": "", "code": "bad_request", "request_id": "b"}


def test_a_step_that_goes_otherwise_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another status, another code or another request ID is each noticed."""
    import httpx

    answer = httpx.Response(400, headers={"X-Request-ID": "a", "Content-Type": "text/plain"})
    monkeypatch.setattr(demo, "send", lambda client, step: (answer, "", ""))
    found = list(demo.show(Screen(), None, Wrong(), SAME))  # type: ignore[arg-type]
    assert [text.partition(":")[2] for text in found] == [
        " 400 bad_request, not 422 validation_failed",
        " header and event have different request IDs",
    ]
