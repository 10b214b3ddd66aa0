"""Type checkers accept the right uses and the pages' own, and refuse the wrong ones line by line."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from requirements import node_tool

pytestmark = pytest.mark.timeout(300)  # the first run installs programs from npm

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^( *)```python\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
ABOUT_SETTINGS = re.compile(r"install|ErrorMiddleware|ErrorKit|Config|Settings|Reference").search
"""What is asked of a page: its other lines annotate little."""
OF_PAGES = re.compile(r"reportUnknown\w+|no-redef|assignment|method-assign|import-untyped").fullmatch
"""Rules that a page breaks by that, by a name that a later block uses anew, by Flask's own `app.wsgi_app = ...`, and
by libraries that have no types."""


class Finding(NamedTuple):
    """One error of a checker's."""

    file: str
    line: int
    rule: str
    text: str


def run(root: Path, *command: str) -> str:
    """A checker's standard output; errorkit is this one, whichever is installed."""
    paths = os.pathsep.join((str(ROOT / "src"), str(ROOT)))
    environment = {**os.environ, "PYTHONPATH": paths, "MYPYPATH": paths}
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False).stdout


def lines(output: str, pattern: str) -> Iterator[Finding]:
    """Findings written one a line."""
    for match in re.finditer(pattern, output, re.MULTILINE):
        yield Finding(match["file"], int(match["line"]), match["rule"], match[0])


def mypy(root: Path) -> list[Finding]:
    output = run(root, sys.executable, "-m", "mypy", "--strict", "--config-file=", ".")
    assert re.search(r"^(Found|Success)", output, re.MULTILINE), output
    return list(lines(output, r"^(?P<file>\w+)\.py:(?P<line>\d+): error: .*\[(?P<rule>[\w-]+)\]$"))


def pyright(root: Path) -> list[Finding]:
    (root / "pyrightconfig.json").write_text(json.dumps({"typeCheckingMode": "strict"}))
    report = json.loads(run(root, node_tool("pyright"), "--outputjson", "--pythonpath", sys.executable))
    assert report["summary"]["filesAnalyzed"]
    return [
        Finding(Path(item["file"]).stem, item["range"]["start"]["line"] + 1, item.get("rule", ""), item["message"])
        for item in report["generalDiagnostics"]
        if item["severity"] == "error"
    ]


def ty(root: Path) -> list[Finding]:
    program = str(Path(sys.executable).with_name("ty"))
    known = ("--python", sys.prefix, "--extra-search-path", str(ROOT / "src"), "--extra-search-path", str(ROOT))
    # a nested class is a class variable (typing specification); ty takes it for one of instances
    output = run(root, program, "check", *known, "--ignore", "incompatible-attribute-override",
                 "--output-format", "concise", ".")  # fmt: skip
    assert re.search(r"^(Found|All checks)", output, re.MULTILINE), output
    return list(lines(output, r"^(?P<file>\w+)\.py:(?P<line>\d+):\d+: error\[(?P<rule>[\w-]+)\] .*$"))


def pyrefly(root: Path) -> list[Finding]:
    program = str(Path(sys.executable).with_name("pyrefly"))
    known = (
        "--python-interpreter-path",
        sys.executable,
        "--search-path",
        str(ROOT / "src"),
        "--search-path",
        str(ROOT),
    )
    files = sorted(path.name for path in root.glob("*.py"))
    output = run(root, program, "check", "--preset", "default", *known, "--output-format", "min-text", *files)
    return list(lines(output, r"^ERROR (?P<file>\w+)\.py:(?P<line>\d+):.* \[(?P<rule>[\w-]+)\]$"))


CHECKERS: list[Callable[[Path], list[Finding]]] = [mypy, pyright, ty, pyrefly]


def module_of(page: Path) -> str:
    """The name that a page's code has as a module."""
    return "page_" + re.sub(r"\W", "_", str(page.relative_to(ROOT).with_suffix("")))


def code_of(page: Path) -> str:
    """The Python of a page, each line where it stands in the page."""
    text = page.read_text()
    code = [""] * (text.count("\n") + 1)
    for match in BLOCK.finditer(text):
        if not match[2].startswith("raise "):  # what a handler does
            first = text.count("\n", 0, match.start(2))
            block = textwrap.dedent(match[2]).splitlines()
            code[first : first + len(block)] = block
    return "\n".join(code)


@pytest.fixture(name="found", scope="module", params=CHECKERS, ids=lambda checker: checker.__name__)
def _found(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[Finding]]:
    """A checker's name and what it finds in the two files and the pages, without the project's own configuration."""
    root = tmp_path_factory.mktemp("uses")
    for name in ("right_uses", "wrong_uses"):
        (root / f"{name}.py").write_text((HERE / f"{name}.py").read_text())
    for page in PAGES:
        if code_of(page).strip():
            (root / f"{module_of(page)}.py").write_text(code_of(page))
    return request.param.__name__, request.param(root)


def test_right_uses_are_accepted(found: tuple[str, list[Finding]]) -> None:
    """Each form of each setting, at each entrance."""
    assert [finding for finding in found[1] if finding.file == "right_uses"] == []


def test_wrong_uses_are_refused(found: tuple[str, list[Finding]]) -> None:
    """At the lines that are marked, and at no other."""
    checker, findings = found
    marked = re.compile(r"# refused(?:, not yet by (\w+))?$")
    written = (HERE / "wrong_uses.py").read_text().splitlines()
    marks = ((number, marked.search(line)) for number, line in enumerate(written, 1))
    refused = {number: mark[1] == checker for number, mark in marks if mark}
    found_at = {finding.line for finding in findings if finding.file == "wrong_uses"}
    assert found_at <= set(refused)
    assert {number for number, not_yet in refused.items() if not not_yet} <= found_at


def test_the_pages_are_accepted(found: tuple[str, list[Finding]]) -> None:
    """README's and the docs' own lines give no settings that a checker refuses, but for the mistake that one shows."""
    pages = {module_of(page): page.read_text().splitlines() for page in PAGES}
    refused = {
        (finding.file, pages[finding.file][finding.line - 1].strip()): finding
        for finding in found[1]
        if finding.file in pages
        and ABOUT_SETTINGS(pages[finding.file][finding.line - 1] + finding.text)
        and not OF_PAGES(finding.rule)
    }
    assert set(refused) == {("page_docs_configuration", 'Config(dialect="opnai")')}, refused
