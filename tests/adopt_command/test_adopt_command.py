"""The command itself: what it takes, says and refuses."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from errorkit.cli import app


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2] / "src"))  # of processes of its own
    monkeypatch.chdir(tmp_path)


def service(folder: Path) -> Path:
    package = folder / "seats"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "main.py").write_text(
        'from fastapi import FastAPI, HTTPException\n\napp = FastAPI()\n\n\n@app.get("/")\ndef run():\n'
        '    raise HTTPException(404, "No seat")\n'
    )
    return package


def adopt(*words: str, code: int = 0) -> Result:
    result = CliRunner().invoke(app, ["adopt", *words])
    assert result.exit_code == code, result.output
    return result


@pytest.mark.parametrize("where", ["seats", "./seats", "seats.main", "seats/main.py"])
def test_a_package_a_folder_and_a_file(tmp_path: Path, where: str) -> None:
    """All the same code base here; the errors module lies in the package."""
    service(tmp_path)
    result = adopt(where)
    assert result.stdout.startswith("--- /dev/null\n+++ b/seats/errors.py\n")
    assert "+++ b/seats/main.py\n" in result.stdout
    assert '-    raise HTTPException(404, "No seat")\n+    raise NoSeat()\n' in result.stdout
    assert result.stderr.endswith(
        "1 raise rewritten, 0 handlers mapped, 1 new class, 2 files would change, 0 not sure\n"
    )


def test_the_errors_module_and_the_dialect_can_be_named(tmp_path: Path) -> None:
    package = service(tmp_path)
    adopt("seats", "--write", "--errors", "seats.faults", "--dialect", "openai")
    assert 'install(app, dialect="openai", catalog=[faults])\n' in (package / "main.py").read_text()
    assert "class NoSeat(NotFoundError):" in (package / "faults.py").read_text()
    assert adopt("seats", "--errors", "seats.faults").stdout == ""


def test_what_cannot_be_read_or_checked(tmp_path: Path) -> None:
    """With 2, and nothing is written."""
    package = service(tmp_path)
    before = (package / "main.py").read_text()
    assert "there is no 'chairs'; looked in" in adopt("chairs", code=2).output
    (tmp_path / "empty").mkdir()
    assert "empty holds no Python file" in adopt("empty", code=2).output
    assert "unknown dialect 'klingon'" in adopt("seats", "--dialect", "klingon", code=2).output
    broken = adopt("seats", "--write", "--app", "seats.main:application", code=2)
    assert "module 'seats.main' has no 'application'" in broken.output
    assert "@raises could not be filled in" in broken.output
    assert (package / "main.py").read_text() == before
    for name in ("errors.py", "api_errors.py"):
        (package / name).write_text("class Broken(Exception): ...\n")
    assert "name a module with --errors" in adopt("seats", code=2).output


def test_without_the_extra_it_says_what_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """libcst is imported when it is asked for, and not before."""
    service(tmp_path)
    monkeypatch.setitem(sys.modules, "libcst", None)
    for name in [
        name for name in sys.modules if name.startswith(("errorkit.publish.adopt", "errorkit.publish.source"))
    ]:
        monkeypatch.delitem(sys.modules, name)
    assert "this command needs 'libcst', which is not installed" in adopt("seats", code=2).output
