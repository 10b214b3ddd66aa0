"""The command line as a newcomer and a build server meet it: help, version, completion, reports for programs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any, get_args

import pytest
from typer.testing import CliRunner, Result

from cli.shops import shop
from errorkit.cli import app
from errorkit.publish.check import Kind
from requirements import LOWEST

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == code, result.output
    return result


def program(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "errorkit", *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


# -- help, version, completion


LOADED = """
import json, sys
from errorkit.__main__ import main
sys.argv = ["errorkit", *sys.argv[1:]]
try:
    main()
except SystemExit:
    pass
print(json.dumps(sorted(sys.modules)))
"""
HEAVY = {"structlog", "yaml", "jinja2", "fastapi", "flask", "starlette", "asyncio"}
TYPERS_OWN = set() if LOWEST else {"pygments", "rich.markdown"}
"""What typer loads only for help that we do not ask for; old ones load it always."""


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["check", "--help"], []], ids=" ".join)
def test_help_loads_nothing_that_a_command_works_with(arguments: list[str]) -> None:
    """No generator, no configuration and no library but the command line's own (of a command, typer asks pydantic)."""
    done = subprocess.run([sys.executable, "-c", LOADED, *arguments], capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert sorted(loaded & (HEAVY | TYPERS_OWN)) == []
    assert "errorkit.config" not in loaded
    assert [name for name in loaded if name.startswith("errorkit.publish")] == []


def test_the_commands_import_what_they_work_with() -> None:
    """So that the test above cannot pass because nothing is ever loaded."""
    done = subprocess.run([sys.executable, "-c", LOADED, "schema"], capture_output=True, text=True, check=True)
    assert "errorkit.publish.export" in json.loads(done.stdout.splitlines()[-1])


def test_the_version_is_the_packages() -> None:
    assert program("--version").stdout == f"errorkit {version('errorkit')}\n"


def test_a_checkout_that_is_not_installed_says_that_it_knows_no_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """No traceback, and no made-up version."""
    import importlib.metadata

    def absent(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", absent)
    assert "errorkit is not installed as a package" in run("--version", code=2).stderr


@pytest.mark.parametrize(
    ("shell", "environment", "words"),
    [
        ("bash", {"COMP_WORDS": "errorkit che", "COMP_CWORD": "1"}, ["check"]),
        ("bash", {"COMP_WORDS": "errorkit check app --form", "COMP_CWORD": "3"}, ["--format"]),
        ("bash", {"COMP_WORDS": "errorkit check app --format g", "COMP_CWORD": "4"}, ["github"]),
    ],
)
def test_a_shell_completes_commands_and_options(shell: str, environment: dict[str, str], words: list[str]) -> None:
    """As the script of `--show-completion` asks."""
    code = "from errorkit.cli import app; app(prog_name='errorkit')"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "_ERRORKIT_COMPLETE": f"complete_{shell}", **environment},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.split() == words, done.stderr


# -- reports


@pytest.fixture(name="wrong")
def _wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, Path]:
    """A service that raises what it does not declare and declares what it does not raise; it prints at its import."""
    main = shop(
        tmp_path,
        ("main", "@raises(InvoiceNotFound, InvoiceSent, LedgerBusy)", "@raises(InvoiceNotFound, LedgerBusy)"),
        ("main", "@raises(TooManyInvoices)\n", "print('a warning, 100%: at import')\n\n@raises(TooManyInvoices)\n"),
        ("main", '@app.get("/health")', '@app.get("/health", responses=errors(InvoiceSent))'),
    )
    monkeypatch.chdir(tmp_path)
    return main.__name__, tmp_path


def line_of(file: Path, text: str) -> int:
    return next(number for number, row in enumerate(file.read_text().splitlines(), 1) if text in row)


def test_a_report_for_programs_names_every_line(wrong: tuple[str, Path]) -> None:
    """Nothing but the object on standard output; file and line of the raise, or of the handler."""
    name, home = wrong
    package = name.partition(".")[0]
    done = program("check", f"{name}:app", "--format", "json", PYTHONPATH=f"{home}{os.pathsep}{ROOT / 'src'}")
    assert done.returncode == 1
    assert "a warning, 100%: at import" in done.stderr
    told = json.loads(done.stdout)
    ledger, main = home / package / "ledger.py", home / package / "main.py"
    assert told == {
        "version": 1,
        "operations": 3,
        "faults": [
            {
                "kind": "undeclared",
                "place": "POST /invoices/{number}",
                "text": f"raises 'invoice_sent' at {package}.ledger:{line_of(ledger, 'raise InvoiceSent')}"
                " and does not declare it",
                "file": f"{package}/ledger.py",
                "line": line_of(ledger, "raise InvoiceSent"),
            },
            {
                "kind": "unraised",
                "place": "GET /health",
                "text": "declares 'invoice_sent' and never raises it",
                "file": f"{package}/main.py",
                "line": line_of(main, '@app.get("/health"'),
            },
        ],
        "unfollowed": [],
    }


def test_annotations_stand_at_their_lines(wrong: tuple[str, Path]) -> None:
    """GitHub's form; the service's own words cannot end a command or begin another."""
    name, home = wrong
    package = name.partition(".")[0]
    rows = run("check", f"{name}:app", "--format", "github", code=1).stdout.splitlines()
    line = line_of(home / package / "ledger.py", "raise InvoiceSent")
    assert rows[0] == (
        f"::error file={package}/ledger.py,line={line},title=errorkit undeclared::"
        f"POST /invoices/{{number}} raises 'invoice_sent' at {package}.ledger:{line} and does not declare it"
    )
    assert rows[-1] == "3 operations: 2 faults, 0 not followed"
    assert len(rows) == 3


@pytest.mark.parametrize(("strict", "level", "code"), [((), "notice", 0), (("--strict",), "error", 1)])
def test_what_was_not_followed_is_a_notice_unless_strict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, strict: tuple[str, ...], level: str, code: int
) -> None:
    """At its line, with the exit code of the text."""
    main = shop(tmp_path, ("main", 'return {{"busy": False}}', "raise globals()['x:%']"))
    monkeypatch.chdir(tmp_path)
    row, _ = run("check", f"{main.__name__}:app", "--format", "github", *strict, code=code).stdout.splitlines()
    file = tmp_path / main.__name__.partition(".")[0] / "main.py"
    line = line_of(file, "raise globals()")
    assert row.startswith(f"::{level} file={file.parent.name}/main.py,line={line},title=errorkit not followed::")
    assert row.endswith("raises globals()['x:%25'], whose class is not known")


def test_the_page_describes_every_member_and_every_kind(wrong: tuple[str, Path]) -> None:
    """docs/cli.md cannot drift from what is written."""
    page = (ROOT / "docs" / "cli.md").read_text().partition("### For programs\n")[2]
    told: dict[str, Any] = json.loads(run("check", f"{wrong[0]}:app", "--format", "json", code=1).stdout)
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", page, re.MULTILINE))
    assert set(rows) == {*told, *get_args(Kind)}
    assert re.findall(r"`(\w+)`", rows["faults"]) == list(told["faults"][0])
    assert re.findall(r"`(\w+)`", rows["unfollowed"]) == ["place", "text", "file", "line"]
