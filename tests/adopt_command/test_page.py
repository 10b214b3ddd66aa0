"""The page shows what the command shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from errorkit.cli import app

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "rewrite-raises.md"


def test_the_example_is_what_the_command_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(tmp_path)
    page = PAGE.read_text()
    (source,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (diff,) = re.findall(r"```diff\n(.*?)```", page, re.DOTALL)
    (said,) = re.findall(r"and says:\n\n```text\n(.*?)```", page, re.DOTALL)
    (tmp_path / "seats").mkdir()
    (tmp_path / "seats" / "__init__.py").write_text("")
    (tmp_path / "seats" / "main.py").write_text(source)
    result = CliRunner().invoke(app, ["adopt", "seats"])
    assert (result.exit_code, result.stdout, result.stderr) == (0, diff, said)
