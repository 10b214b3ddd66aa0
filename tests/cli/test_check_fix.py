"""`errorkit check --fix`: what @raises lacks is added, nothing else is touched, and the check is clean afterwards."""

from __future__ import annotations

import difflib
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.shops import ERRORS, LEDGER, MAIN
from errorkit.cli import app

FIXED_MAIN = MAIN.format(package="my_service")


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2] / "src"))  # of processes of its own


@pytest.fixture(name="place")
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a package my_service, in a process that has not seen it yet."""
    package = tmp_path / "my_service"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "errors.py").write_text(ERRORS)
    (package / "ledger.py").write_text(LEDGER.format(package="my_service"))
    (package / "main.py").write_text(FIXED_MAIN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return package


def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "my_service"]:
        monkeypatch.delitem(sys.modules, name)


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> Result:
    forget(monkeypatch)
    return CliRunner().invoke(app, ["check", "my_service.main:app", *words])


def without(text: str, *changes: tuple[str, str]) -> str:
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text


def added(before: str, after: str) -> list[str]:
    """The lines of a change; those that are gone begin with a minus."""
    return [row for row in difflib.ndiff(before.splitlines(), after.splitlines()) if row[0] in "+-"]


def test_decorators_names_and_imports_are_added_and_nothing_else(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list is extended, an absent decorator made, on the dependency for what the dependency raises."""
    before = without(
        FIXED_MAIN,
        ("@raises(InvoiceNotFound, InvoiceSent, LedgerBusy)", "@raises(InvoiceNotFound)  # what a client may do wrong"),
        ("@raises(TooManyInvoices)\n", ""),
        ("InvoiceNotFound, InvoiceSent, LedgerBusy, TooMany", "InvoiceNotFound, LedgerBusy, TooMany"),
    )
    (place / "main.py").write_text(before)
    shown = run(monkeypatch, "--diff")
    assert shown.exit_code == 1
    assert (place / "main.py").read_text() == before
    fixed = run(monkeypatch, "--fix")
    assert fixed.exit_code == 0, fixed.output
    assert "3 operations: 0 faults, 0 not followed" in fixed.output
    after = (place / "main.py").read_text()
    assert added(before, after) == [
        "- from my_service.errors import InvoiceNotFound, LedgerBusy, TooManyInvoices, catalog",
        "+ from my_service.errors import InvoiceNotFound, InvoiceSent, LedgerBusy, TooManyInvoices, catalog",
        "+ @raises(TooManyInvoices)",
        "- @raises(InvoiceNotFound)  # what a client may do wrong",
        "+ @raises(InvoiceNotFound, LedgerBusy, InvoiceSent)  # what a client may do wrong",
    ]
    (place / "main.py").write_text(before)
    subprocess.run(["git", "init", "-q", "."], check=True)  # the diff is one that git can apply
    subprocess.run(["git", "apply", "-"], input=shown.stdout, text=True, check=True)
    assert (place / "main.py").read_text() == after
    again = run(monkeypatch, "--fix")
    assert (again.exit_code, (place / "main.py").read_text()) == (0, after)
    assert run(monkeypatch, "--diff").exit_code == 0


FORMS = {
    "several lines": (
        "@raises(\n    InvoiceNotFound,  # 404\n    InvoiceSent,\n)",
        "@raises(\n    InvoiceNotFound,  # 404\n    InvoiceSent,\n    LedgerBusy,\n)",
    ),
    "no names": ("@raises()", "@raises(LedgerBusy, InvoiceSent, InvoiceNotFound)"),
    "a list of its own": ("@raises(*[InvoiceNotFound, InvoiceSent])", "@raises(*[InvoiceNotFound, InvoiceSent], LedgerBusy)"),
    "in parentheses": ("@raises(InvoiceSent, (InvoiceNotFound))", "@raises(InvoiceSent, (InvoiceNotFound), LedgerBusy)"),
}  # fmt: skip


@pytest.mark.parametrize(("written", "wanted"), FORMS.values(), ids=FORMS)
def test_a_decorator_keeps_its_form(place: Path, monkeypatch: pytest.MonkeyPatch, written: str, wanted: str) -> None:
    (place / "main.py").write_text(without(FIXED_MAIN, ("@raises(InvoiceNotFound, InvoiceSent, LedgerBusy)", written)))
    assert run(monkeypatch, "--fix").exit_code == 0
    assert wanted in (place / "main.py").read_text()


def test_windows_line_ends_stay(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = without(FIXED_MAIN, ("@raises(TooManyInvoices)\n", "")).replace("\n", "\r\n")
    (place / "main.py").write_bytes(before.encode())
    assert run(monkeypatch, "--fix").exit_code == 0
    assert (place / "main.py").read_bytes() == before.replace(
        "def quota", "@raises(TooManyInvoices)\r\ndef quota"
    ).encode()


def test_methods_factories_and_modules_that_are_imported_whole(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A handler inside of a function; an error by its module's name; `raises` under another name."""
    (place / "main.py").write_text(
        '''"""A factory."""

from fastapi import FastAPI

from my_service import errors


def app() -> FastAPI:
    from errorkit.fastapi import install

    made = FastAPI()
    install(made, catalog=[errors])
    raises = "a name of its own"

    @made.get("/sent")
    async def sent() -> str:
        raise errors.InvoiceSent(raises)

    return made
'''
    )
    assert "unused" not in run(monkeypatch, "--fix").output
    text = (place / "main.py").read_text()
    assert "from errorkit.fastapi import raises as api_raises\nfrom fastapi import FastAPI" in text
    assert '    @made.get("/sent")\n    @api_raises(errors.InvoiceSent)\n    async def sent()' in text
    assert "'invoice_sent'" not in run(monkeypatch).output


def test_what_cannot_be_declared_is_told_and_left(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A status without a class, a class that is defined later, a module that would import in a circle."""
    source = without(
        FIXED_MAIN,
        ("@raises(TooManyInvoices)\n", ""),
        ("from my_service.errors import", "from my_service import late\nfrom my_service.errors import"),
        ("raise TooManyInvoices(retry_after=60)", "late.fail(); own(); raise HTTPException(418)"),
        ("LedgerBusy, TooManyInvoices, catalog", "LedgerBusy, catalog"),
    )
    source += """
from errorkit import ConflictError
class Later(ConflictError):
    code = "later"
def own():
    raise Later
"""
    (place / "late.py").write_text(
        "import my_service.main as main\nfrom errorkit import ConflictError\n"
        'class Circle(ConflictError):\n    code = "circle"\ndef fail():\n    raise Circle\n'
    )
    (place / "main.py").write_text(source)
    result = run(monkeypatch, "--fix")
    assert result.exit_code == 1
    assert (place / "main.py").read_text() == source
    assert "my_service.main.quota  Later: Later is defined after it in the same module" in result.output
    assert "my_service.main.quota  Circle: my_service.late imports this module; declare it by hand" in result.output
    assert "my_service.main.quota  HTTP418Error: a status 418 has no class of its own; make one" in result.output


def test_flask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`raises` comes from the adapter of the application's framework."""
    package = tmp_path / "my_service"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "main.py").write_text(
        "import flask\nfrom errorkit.flask import ErrorKit\n\napp = flask.Flask('shop')\nErrorKit(app)\n\n\n"
        "@app.get('/x')\ndef x():\n    flask.abort(404)\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    assert run(monkeypatch, "--fix").exit_code == 0
    text = (package / "main.py").read_text()
    assert "from errorkit.flask import ErrorKit, raises\n" in text
    assert "from errorkit import NotFoundError\n" in text
    assert "@app.get('/x')\n@raises(NotFoundError)\ndef x()" in text
