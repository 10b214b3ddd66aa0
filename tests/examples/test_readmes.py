"""The examples' READMEs promise what the tests hold."""

from __future__ import annotations

import re
from pathlib import Path

from test_every_failure import CASES

from examples.demo.server import GUNICORN, UVICORN

EXAMPLES = Path(__file__).parents[2] / "examples"
ROW = re.compile(r"^\| `(?P<method>[A-Z]+) (?P<path>\S+)`[^|]*\| (?P<status>\d{3})?", re.MULTILINE)
ELSEWHERE = {
    ("GET", "/v1/projects", "429"),
    ("GET", "/v1/documents/1/translation?to=eo", "503"),
    ("GET", "/v1/projects/handbook/export", None),
    ("GET", "/v1/documents/6/narration", None),
}
"""Failures with a test of their own."""


def test_every_row_of_the_table_is_a_tested_failure() -> None:
    """Method, path and status as they are tested, and no status is left out."""
    rows = {
        match.group("method", "path", "status")
        for match in ROW.finditer((EXAMPLES / "fastapi_app/README.md").read_text())
    }
    tested = {(case.method, case.path, str(case.status)) for case in CASES} | ELSEWHERE
    assert len(rows) > 20
    assert rows - tested == set()
    assert {status for _, _, status in tested} == {status for _, _, status in rows}


def test_the_commands_are_those_that_the_tests_start() -> None:
    """One command for each service, the same as in its README."""
    assert f"\n{UVICORN[0]} {UVICORN[1]}\n" in (EXAMPLES / "fastapi_app/README.md").read_text()
    assert f"\n{GUNICORN[0]} '{GUNICORN[1]}'\n" in (EXAMPLES / "flask_app/README.md").read_text()
