"""The set-ups of docs/how-to/logging.md, each with a real server: one 404 and one crash, covered and bare."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from logging_setups.running import PAGE, ROOT, Written, block, serve

TRACEBACK = "planted_function"
"""Stands once in each traceback."""


class Setup(NamedTuple):
    """section: of the page. file: what its block is. written: where the events are to be. form: json, or lines."""

    section: str
    server: str
    written: str
    form: str = "line"
    file: str = "log_setup.py"


SETUPS = [
    Setup("Without doing anything", "uvicorn", "stderr", file=""),
    Setup("Without doing anything", "gunicorn", "stderr", file=""),
    Setup("Without doing anything", "flask", "stderr", file=""),
    Setup("`basicConfig`", "uvicorn", "service.log"),
    Setup("JSON by `dictConfig`", "uvicorn", "service.log", "json"),
    Setup("uvicorn", "uvicorn with a file", "service.log", file="logging.json"),
    Setup("gunicorn", "gunicorn", "service.log", file="gunicorn.conf.py"),
    Setup("Flask", "flask", "stderr"),
    Setup("loguru", "uvicorn", "stderr"),
    Setup("Rich", "uvicorn", "stdout"),
    Setup("structlog: JSON lines", "uvicorn", "stdout", "json"),
    Setup("structlog: your own processors", "uvicorn", "stdout", "json"),
    Setup("structlog: its console", "uvicorn", "stdout"),
    Setup("structlog: everything through one formatter", "uvicorn", "service.log", "json"),
    Setup("structlog: fields as `extra`", "uvicorn", "service.log", "json"),
]


def run(setup: Setup, folder: Path, **environment: str) -> Written:
    """The service with the page's configuration."""
    folder.mkdir()
    if setup.file:
        (folder / setup.file).write_text(block(setup.section))
    return serve(setup.server, folder, **environment)


def events(text: str, form: str) -> list[dict[str, Any]]:
    """The failures that were logged, by what stands in their lines: JSON, or `name=value` pairs."""
    lines = [line for line in text.splitlines() if "request_failed" in line]
    if form == "json":
        return [json.loads(line) for line in lines]
    return [dict(re.findall(r"(\w+)=(\S+)", line)) for line in lines]


@pytest.mark.parametrize("setup", SETUPS, ids=lambda setup: f"{setup.section} ({setup.server})")
def test_events_arrive_once_with_their_fields_and_nothing_else_changes(setup: Setup, tmp_path: Path) -> None:
    """The traceback is there once, no secret is, and the access log and standard output are those of the bare service."""
    covered = run(setup, tmp_path / "covered")
    bare = run(setup, tmp_path / "bare", BARE="1")
    missing, crash = events(covered.at(setup.written), setup.form)
    for event, code, status in ((missing, "not_found", 404), (crash, "internal", 500)):
        assert (event["code"], str(event["status"]), event["request_id"]) == (code, str(status), f"r-{status}")
        assert (event["method"], event["path"]) == ("GET", "/nope" if status == 404 else "/crash")
        assert float(event["duration_ms"]) > 0
    assert (crash["reason"], crash["route"]) == ("unhandled", "/crash")
    assert covered.at(setup.written).count(TRACEBACK) == 1
    assert covered.everything.count(TRACEBACK) == 1
    assert covered.everything.count("request_failed") == 2
    assert covered.everything.count("errorkit_installed") == 1
    assert "[redacted]" in covered.at(setup.written)
    assert "canary" not in covered.everything
    assert covered.access_log == bare.access_log
    if setup.written != "stdout":
        assert covered.settled_stdout == bare.settled_stdout


def test_every_set_up_of_the_page_is_served() -> None:
    """A section with code is one of these, or has a test of its own."""
    found = {
        section.partition("\n")[0] for section in PAGE.split("\n## ")[1:] if re.search(r"^```[a-su-z]", section, re.M)
    }
    assert found == {setup.section for setup in SETUPS if setup.file} | {"pytest"}


def test_pytests_caplog_has_the_records(tmp_path: Path) -> None:
    """The page's test passes; what it captured is shown where it fails."""
    (tmp_path / "service.py").write_text("from logging_setups.served import app\n")
    (tmp_path / "test_page.py").write_text(block("pytest") + "    raise SystemError('shown')\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null", "test_page.py"],
        cwd=tmp_path,
        env={"PYTHONPATH": f"{tmp_path}:{ROOT / 'src'}:{ROOT / 'tests'}"},
        capture_output=True,
        text=True,
    )
    assert "SystemError: shown" in done.stdout, done.stdout
    assert "1 failed" in done.stdout
    assert "Captured stdout" not in done.stdout
    assert "Captured stderr" not in done.stdout
    assert done.stdout.count(TRACEBACK) == 1
    assert "canary" not in done.stdout
