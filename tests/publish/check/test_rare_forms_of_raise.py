"""`errorkit check` on what handlers do less often: each form is followed, or listed, and never guessed."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from cli.shops import shop
from errorkit.declaration import Operation
from errorkit.fastapi import operations
from errorkit.publish.check import check
from publish.check.test_check import report, texts

IMPORTS = """from contextlib import suppress
from flask import abort
from werkzeug.exceptions import Gone
from werkzeug.routing import RequestRedirect
"""
END = 'return {{"busy": False}}'


def health(tmp_path: Path, body: str, *more: tuple[str, str, str]) -> ModuleType:
    """The shop, whose `GET /health` ends in `body`."""
    return shop(tmp_path, ("main", END, body), ("main", "from typing", IMPORTS + "from typing"), *more)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("raise InvoiceSent() if ledger() else LedgerBusy()", "ledger_busy"),
        ("raise InvoiceSent() if ledger() else LedgerBusy()", "invoice_sent"),
        ("from errorkit import visible\n    return visible(None, tenant='t', caller='t')", "not_found"),
        ("abort(410)", "gone"),
        ("raise Gone()", "gone"),
        ("raise HTTPException(status_code=599)", "http_599"),
        ("try:\n        raise InvoiceSent()\n    except InvoiceSent as error:\n        raise error", "invoice_sent"),
        ("try:\n        raise HTTPException(409)\n    except InvoiceSent:\n        pass", "conflict"),
        (
            "try:\n        raise InvoiceSent\n    except InvoiceSent:\n        raise\n    except Exception: pass",
            "invoice_sent",
        ),
        ("from .errors import InvoiceSent as Sent\n    raise Sent()", "invoice_sent"),
        ("from . import errors\n    raise errors.InvoiceSent()", "invoice_sent"),
        ("def again(n):\n        again(n - 1)\n        raise InvoiceSent()\n    return again(3)", "invoice_sent"),
        (
            "from errorkit import ForbiddenError\n    raise ForbiddenError(resource_tenant='t', conceal_as=InvoiceSent)",
            "invoice_sent",
        ),
        (
            "from errorkit import ForbiddenError\n    raise ForbiddenError(resource_tenant='t', conceal_as=ledger)",
            "not_found",
        ),
        ("from errorkit import ForbiddenError\n    raise ForbiddenError('no')", "forbidden"),
        ("with suppress(InvoiceSent):\n        ledger().lock()", "ledger_busy"),
        ("try:\n        ledger().lock()\n    except absent.Error:\n        pass", "ledger_busy"),
    ],
)
def test_an_error_is_followed(tmp_path: Path, body: str, code: str) -> None:
    """It is told as undeclared, with its line."""
    found = texts(report(health(tmp_path, body)))
    assert [text for text in found if f"GET /health: raises {code!r} at shop_" in text], found


@pytest.mark.parametrize(
    "body",
    [
        "with suppress(LedgerBusy):\n        ledger().lock()",
        "try:\n        ledger().lock()\n    except:\n        pass",
        "try:\n        ledger().lock()\n        change(None)\n    except (LedgerBusy, InvoiceSent):\n        pass",
        "try:\n        raise HTTPException(409)\n    except HTTPException:\n        pass",
        "raise HTTPException(303, headers={{'Location': '/'}})",
        "raise RequestRedirect('/')",
        "raise HTTPException(status_code=600)",
    ],
)
def test_what_does_not_leave_as_an_error_is_no_fault(tmp_path: Path, body: str) -> None:
    """Suppressed, caught by whatever form of `except`, a redirect, or answered as `internal`."""
    found = report(health(tmp_path, body))
    assert (texts(found), found.unfollowed) == ([], ())


def test_the_raised_value_of_a_parameter_is_listed(tmp_path: Path) -> None:
    """Its class is the caller's secret."""
    change = ("main", "def health():\n", "def health(error: str = None):\n    if error:\n        raise error\n")
    (note,) = report(shop(tmp_path, change)).unfollowed
    assert note.text == "raises error, whose class is not known"


def test_an_object_that_is_called_is_read(tmp_path: Path) -> None:
    """As a dependency and by name: its `__call__` raises."""
    gate = (
        "main",
        "@raises(TooManyInvoices)\ndef quota():",
        "class Gate:\n    def __call__(self):\n        raise InvoiceSent()\n\ngate = Gate()\n\n@raises(TooManyInvoices)\ndef quota():",
    )
    route = ("main", '@app.get("/health")', '@app.get("/health", dependencies=[Depends(gate)])')
    for changes in ((gate, route), (gate, ("main", END, "return gate()"))):
        found = texts(report(shop(tmp_path, *changes)))
        assert len(found) == 1
        assert "GET /health: raises 'invoice_sent' at" in found[0]


@pytest.mark.parametrize(
    "source",
    [
        "fail = lambda: change(None)",
        "exec(compile('def fail(): raise InvoiceSent()', 'generated.py', 'exec'), globals())",
    ],
)
def test_a_function_whose_source_cannot_be_read_is_listed(tmp_path: Path, source: str) -> None:
    """By its name; what it raises is not known."""
    found = report(health(tmp_path, f"return fail()\n\n{source}"))
    assert texts(found) == []
    (note,) = found.unfollowed
    assert note.text == "its source cannot be read"
    assert note.place.startswith("shop_")


def test_a_handler_of_a_class_that_a_function_made_is_read(tmp_path: Path) -> None:
    """`self` has no class that a module knows; the rest is followed all the same."""
    source = (
        "return {{'busy': False}}\n\n"
        "def desk():\n    class Desk:\n        def read(self):\n            self.help()\n            raise InvoiceSent()\n"
        "    return Desk()\n\napp.get('/desk')(desk().read)"
    )
    found = texts(report(health(tmp_path, source)))
    assert len(found) == 1
    assert "GET /desk: raises 'invoice_sent' at" in found[0]


def test_an_own_object_that_answers_for_exceptions_is_no_fault(tmp_path: Path) -> None:
    """`exceptions` takes anything that can be called; an object's errors are looked for nowhere else."""
    answers = (
        "main",
        "app = FastAPI",
        "class Answers:\n    def __call__(self, exception):\n        return None\n\napp = FastAPI",
    )
    mapped = ("main", "catalog=catalog)", "catalog=catalog, exceptions={{KeyError: Answers()}})")
    assert texts(report(shop(tmp_path, answers, mapped))) == []


def test_errors_that_others_raise_for_the_service_need_no_mention(tmp_path: Path) -> None:
    """An override of a standard code, which the framework raises, and errorkit's own module of errors."""
    not_json = 'class NotJSON(errors.MalformedJSONError):\n    code = "malformed_json"\n    message = "No."\n\n'
    listed = (
        "import errorkit.upstream\nfrom errorkit import errors\n"
        + not_json
        + "catalog = Catalog([errorkit.upstream, NotJSON, "
    )
    others = ("errors", "catalog = Catalog([", listed)
    assert texts(report(shop(tmp_path, others))) == []


def test_a_method_that_openapi_cannot_describe_is_not_missed_there(tmp_path: Path) -> None:
    """OpenAPI knows eight methods; WebDAV's are checked against declarations and catalogue alone."""
    main = shop(tmp_path)
    state = main.app.state.errorkit
    found = check(
        [
            Operation("LOCK", "/invoices/{number}", (main.change,)),
            *operations(main.app),
        ],
        state.catalog,
        lambda path: state.renderer_for(path).dialect,
        main.__name__.partition(".")[0],
        document=main.app.openapi(),
    )
    (fault,) = texts(found)
    assert fault.startswith("LOCK /invoices/{number}: raises 'invoice_sent' at")


@pytest.mark.parametrize("source", [None, b"\0ELF"], ids=["gone", "compiled"])
def test_a_module_that_cannot_be_read_is_listed_and_nothing_is_concluded_from_it(
    tmp_path: Path, source: bytes | None
) -> None:
    """Its functions may raise anything, so no error is called unused, and no declaration idle."""
    main = shop(tmp_path)
    package = main.__name__.partition(".")[0]
    file = tmp_path / package / "ledger.py"
    file.unlink()
    if source:
        file.write_bytes(source)
    found = report(main)
    assert texts(found) == []
    assert f"{package}.ledger: its source cannot be read" in {f"{note.place}: {note.text}" for note in found.unfollowed}


def test_generated_code_is_not_taken_for_the_line_that_stands_in_its_place(tmp_path: Path) -> None:
    """Python itself shows the module's source for it."""
    source = "return made()\n\nexec(compile('def made(): pass', 'generated.py', 'exec'), globals())\n"
    main = health(tmp_path, source)
    line = (tmp_path / main.__name__.replace(".", "/")).with_suffix(".py").read_text().split("def quota")[0].count("\n")
    exec(compile("\n" * line + "def made(): pass", "generated.py", "exec"), vars(main))
    (note,) = report(main).unfollowed
    assert (note.place, note.text) == (f"{main.__name__}.made", "its source cannot be read")
