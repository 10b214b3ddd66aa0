"""Every command in docs/ is run, in order, against a service in a fresh directory."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.shops import ERRORS, LEDGER, MAIN
from errorkit.cli import app

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = ("cli", "compatibility", "openapi", "reference-page")


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_of_a_page_work_as_written(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each ends with 0, in the order of the page, on a service named as there."""
    package = tmp_path / "my_service"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "errors.py").write_text(ERRORS)
    (package / "ledger.py").write_text(LEDGER.format(package="my_service"))
    (package / "main.py").write_text(MAIN.format(package="my_service"))
    (tmp_path / "openapi.yaml").write_text("openapi: 3.1.0\ninfo: {title: T, version: '1'}\npaths: {}\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in [name for name in sys.modules if name.partition(".")[0] == "my_service"]:
        monkeypatch.delitem(sys.modules, name)
    commands = re.findall(r"^\$ errorkit (.*)$", (DOCS / f"{page}.md").read_text(), re.MULTILINE)
    assert commands
    for command in commands:
        result = CliRunner().invoke(app, shlex.split(command))
        assert result.exit_code == 0, f"{command}: {result.output}"
