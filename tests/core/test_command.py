"""`errorkit` as a program: it runs, and it says what to install where it cannot."""

from __future__ import annotations

import io
import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from errorkit.__main__ import main


def test_the_command_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """As the installed script and as `python -m errorkit`."""
    monkeypatch.setattr(sys, "argv", ["errorkit", "schema"])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert not stopped.value.code
    printed = capsys.readouterr().out
    assert '"$id": "urn:errorkit:catalog:1"' in printed
    monkeypatch.delitem(sys.modules, "errorkit.__main__")
    with pytest.raises(SystemExit):
        runpy.run_module("errorkit", run_name="__main__")
    assert capsys.readouterr().out == printed


@pytest.mark.parametrize("missing", ["typer", "rich.console"])
def test_the_command_names_the_extra_that_it_needs(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    """The library is installed without its command line; no traceback."""
    for name in [name for name in sys.modules if name.startswith("errorkit.cli")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(SystemExit, match=f"errorkit's command line needs '{missing}': install errorkit\\[cli\\]"):
        main()


@pytest.mark.parametrize("command", [["explain", "odd:catalog", "odd"], ["export", "odd:catalog"]])
def test_what_is_printed_is_utf_8_wherever_it_runs(tmp_path: Path, command: list[str]) -> None:
    """As files are written: also where the environment knows ASCII alone, as on some build machines."""
    (tmp_path / "odd.py").write_text(
        "from errorkit import Catalog, ConflictError\nclass Odd(ConflictError):\n    code, title = 'odd', 'Größe 漢字 🎉'\n"
        "    causes = ('ß',)\ncatalog = Catalog([Odd])\n"
    )
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-m", "errorkit", *command], cwd=tmp_path, env=environment, capture_output=True, check=True
    )
    assert "Größe 漢字 🎉" in done.stdout.decode("utf-8")


def test_a_stream_that_somebody_put_in_the_place_of_the_terminal_is_written_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """A notebook's, or a caller's own: it has no encoding to set."""
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(sys, "argv", ["errorkit", "schema"])
    with pytest.raises(SystemExit):
        main()
    assert '"$id": "urn:errorkit:catalog:1"' in stream.getvalue()
