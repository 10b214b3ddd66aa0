"""`errorkit check`: what handlers raise is what they declare, what the catalogue has, what OpenAPI says."""

from __future__ import annotations

import copy
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from cli.shops import shop
from errorkit.dialects import PRESETS
from errorkit.fastapi import operations
from errorkit.publish.check import Report, check


def report(main: ModuleType, document: dict[str, Any] | None = None) -> Report:
    package = main.__name__.partition(".")[0]
    return check(
        operations(main.app),
        main.app.state.errorkit.catalog,
        lambda path: main.app.state.errorkit.renderer_for(path).dialect,
        package,
        document=main.app.openapi() if document is None else document,
        config=main.app.state.errorkit.config,
    )


def texts(found: Report) -> list[str]:
    return [f"{fault.place}: {fault.text}" for fault in found.faults]


def test_a_service_whose_declarations_are_right_has_no_fault(tmp_path: Path) -> None:
    """Dependencies, methods of annotated parameters, `visible` and caught errors are followed."""
    found = report(shop(tmp_path))
    assert texts(found) == []
    assert found.unfollowed == ()
    assert found.operations == 3


MAPPED = ("main", "catalog=catalog)", "catalog=catalog, exceptions={{KeyError: InvoiceSent, OSError: lambda e: None}})")


def test_a_foreign_exception_counts_as_the_error_that_answers_for_it(tmp_path: Path) -> None:
    """`exceptions={KeyError: InvoiceSent}`: a raised KeyError, caught or not, is followed as such."""
    raising = ("main", 'return {{"busy": False}}', "raise KeyError('x')")
    found = texts(report(shop(tmp_path, MAPPED, raising)))
    assert len(found) == 1
    assert "GET /health: raises 'invoice_sent' at" in found[0]
    caught = ("main", 'return {{"busy": False}}', "try:\n        raise KeyError('x')\n    except LookupError: pass")
    assert texts(report(shop(tmp_path, MAPPED, caught))) == []
    function = ("main", 'return {{"busy": False}}', "raise FileNotFoundError()")
    (note,) = report(shop(tmp_path, MAPPED, function)).unfollowed
    assert note.text == "raises FileNotFoundError, which a function of the configuration answers for"


@pytest.mark.parametrize("dialect", PRESETS)
def test_a_dialect_of_its_own_spelling_and_statuses_makes_no_fault(tmp_path: Path, dialect: str) -> None:
    """What a dialect renames, or sends under another status, is found in OpenAPI all the same."""
    found = report(shop(tmp_path, ("main", 'dialect="openai"', f'dialect="{dialect}"')))
    assert texts(found) == []


FAULTS: list[tuple[str, tuple[str, str, str], str]] = [
    (
        "raised in a called function, not declared",
        ("main", "@raises(InvoiceNotFound, InvoiceSent, LedgerBusy)", "@raises(InvoiceNotFound, LedgerBusy)"),
        "POST /invoices/{number}: raises 'invoice_sent' at",
    ),
    (
        "raised in a method of a method, not declared",
        ("main", "@raises(InvoiceNotFound, InvoiceSent, LedgerBusy)", "@raises(InvoiceNotFound, InvoiceSent)"),
        "POST /invoices/{number}: raises 'ledger_busy' at",
    ),
    (
        "raised by `visible`, not declared",
        ("main", ", responses=errors(InvoiceNotFound)", ""),
        "GET /invoices/{number}: raises 'invoice_not_found' at",
    ),
    (
        "raised in a dependency, not declared",
        ("main", "@raises(TooManyInvoices)\n", ""),
        "POST /invoices/{number}: raises 'too_many_invoices' at",
    ),
    (
        "no longer caught",
        ("main", "except LedgerBusy:", "except InvoiceSent:"),
        "GET /health: raises 'ledger_busy' at",
    ),
    (
        "caught and raised again",
        ("main", 'except LedgerBusy:\n        return {{"busy": True}}', "except LedgerBusy:\n        raise"),
        "GET /health: raises 'ledger_busy' at",
    ),
    (
        "declared by the route, never raised",
        ("main", "errors(InvoiceNotFound)", "errors(InvoiceNotFound, LedgerBusy)"),
        "GET /invoices/{number}: declares 'ledger_busy' and never raises it",
    ),
    (
        "a framework's exception with a status",
        ("main", 'return {{"busy": True}}', 'raise HTTPException(409, "busy")'),
        "GET /health: raises 'conflict' at",
    ),
    (
        "two classes with one code",
        (
            "ledger",
            "def change(invoice):",
            'class Other(InvoiceNotFound):\n    code = "invoice_sent"\n\ndef change(invoice):\n    if not invoice: raise Other()',
        ),
        "but 'invoice_sent' means InvoiceSent",
    ),
    (
        "in the catalogue, mentioned nowhere",
        (
            "errors",
            "catalog = Catalog([",
            'class Forgotten(ConflictError):\n    code = "forgotten"\n\ncatalog = Catalog([Forgotten, ',
        ),
        ".errors.Forgotten: 'forgotten' is never raised",
    ),
    (
        "a foreign tenant's resource is a 404",
        (
            "main",
            "    book.lock()\n",
            "    from errorkit import ForbiddenError\n    if number < 0:\n        raise ForbiddenError(resource_tenant='t')\n    book.lock()\n",
        ),
        "POST /invoices/{number}: raises 'not_found' at",
    ),
    (
        "raised through a variable",
        ("main", 'return {{"busy": False}}', "error = InvoiceSent()\n    raise error"),
        "GET /health: raises 'invoice_sent' at",
    ),
    (
        "raised under a name imported in the function",
        (
            "main",
            'return {{"busy": False}}',
            "from {package}.errors import InvoiceSent as Sent\n    raise Sent()",
        ),
        "GET /health: raises 'invoice_sent' at",
    ),
    (
        "raised by a nested function",
        (
            "main",
            'return {{"busy": False}}',
            "def fail():\n        raise InvoiceSent()\n    return fail()",
        ),
        "GET /health: raises 'invoice_sent' at",
    ),
]


@pytest.mark.parametrize(
    ("change", "expected"),
    [pytest.param(change, expected, id=name) for name, change, expected in FAULTS],
)
def test_a_seeded_fault_is_found(tmp_path: Path, change: tuple[str, str, str], expected: str) -> None:
    """Each fault is reported, with the operation or class and the line, and nothing else is."""
    found = texts(report(shop(tmp_path, change)))
    assert [text for text in found if expected in text], found
    assert len(found) == 1, found


def test_an_error_that_the_catalogue_lacks_is_found_before_openapi_is_made(tmp_path: Path) -> None:
    """A declared and raised class outside the catalogue is two faults of the operation."""
    main = shop(
        tmp_path,
        ("errors", "catalog = Catalog([InvoiceNotFound, InvoiceSent, ", "catalog = Catalog([InvoiceNotFound, "),
    )
    found = texts(report(main, {"paths": {}}))
    assert any("raises InvoiceSent at" in text and "which the catalogue does not have" in text for text in found)
    assert any("declares 'invoice_sent', which the catalogue does not have" in text for text in found)
    with pytest.raises(ValueError, match=r"POST /invoices/\{number\} declares a code that the catalogue does not have"):
        main.app.openapi()


OPENAPI_FAULTS: list[tuple[str, Any, str]] = [
    ("a response is gone", lambda op: op["responses"].pop("409"), "OpenAPI has no response 409"),
    (
        "a code is gone",
        lambda op: op["responses"]["503"]["content"]["application/json"]["examples"].update(
            bad_gateway=op["responses"]["503"]["content"]["application/json"]["examples"].pop("ledger_busy")
        ),
        "OpenAPI does not name 'ledger_busy' among the errors of its response 503",
    ),
    (
        "a code too many",
        lambda op: op["responses"]["404"]["content"]["application/json"]["examples"].update(not_found={}),
        "OpenAPI names 'not_found' for 404, which is neither declared nor raised",
    ),
    (
        "the framework's own schema is back",
        lambda op: op["responses"].update(
            {"422": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/HTTPValidationError"}}}}}
        ),
        "OpenAPI describes 422 as FastAPI's own HTTPValidationError",
    ),
]


@pytest.mark.parametrize(("put_wrong", "expected"), [pytest.param(*fault[1:], id=fault[0]) for fault in OPENAPI_FAULTS])
def test_an_openapi_document_that_tells_something_else_is_found(tmp_path: Path, put_wrong: Any, expected: str) -> None:
    """The document is compared code by code."""
    main = shop(tmp_path)
    document = copy.deepcopy(main.app.openapi())
    put_wrong(document["paths"]["/invoices/{number}"]["post"])
    assert any(expected in text for text in texts(report(main, document)))


def test_an_operation_that_openapi_does_not_have_is_found(tmp_path: Path) -> None:
    """A route hidden from the schema is told."""
    found = texts(report(shop(tmp_path), {"paths": {}}))
    assert "GET /health: is not in the OpenAPI document" in found


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("what = {{'a': LedgerBusy}}\n    raise what['a']()", "whose class is not known"),
        ("book = globals()['ledger']()\n    return book.lock()", "calls book.lock(), which cannot be followed"),
        ("import asyncio\n    return asyncio.to_thread(change, None)", "hands over change, which raises"),
        ("raise HTTPException(int('404'))", "whose status is not a literal"),
    ],
)
def test_what_cannot_be_followed_is_listed_and_not_guessed(tmp_path: Path, body: str, expected: str) -> None:
    """Each place that may raise and is not understood is named with its line; it is no fault."""
    found = report(shop(tmp_path, ("main", 'return {{"busy": False}}', body)))
    assert texts(found) == []
    assert [note for note in found.unfollowed if expected in note.text], found.unfollowed
    assert all(":" in note.place for note in found.unfollowed)


def test_a_declared_error_may_come_from_what_could_not_be_followed(tmp_path: Path) -> None:
    """Where a call is not understood, a declared error that was not found is no fault."""
    change = (
        "main",
        '@app.get("/health")\ndef health():\n',
        '@app.get("/health")\n@raises(LedgerBusy)\ndef health():\n    globals()["ledger"]().lock()\n',
    )
    assert texts(report(shop(tmp_path, change))) == []


def test_mutual_recursion_is_read_whole(tmp_path: Path) -> None:
    """Two functions that call each other both raise what either raises."""
    main = shop(
        tmp_path,
        (
            "ledger",
            "def change(invoice):",
            "def ping(n):\n    return pong(n)\n\ndef pong(n):\n    ping(n)\n    raise InvoiceSent()\n\ndef change(invoice):",
        ),
        ("main", "import Ledger, change", "import Ledger, change, ping, pong"),
        ("main", 'return {{"busy": False}}', "return ping(1)"),
        ("main", "def quota():\n", "def quota():\n    pong(1)\n"),
    )
    found = texts(report(main))
    assert [text for text in found if "GET /health: raises 'invoice_sent'" in text], found


def test_a_parameter_is_not_taken_for_what_the_module_calls_so(tmp_path: Path) -> None:
    """A name that the function itself sets is followed by its own value or not at all; never a guess, never a loop."""
    change = (
        "main",
        'return {{"busy": False}}',
        "def inner(change, text):\n        text = text.strip()\n        change(text)\n        raise text.error()\n    return inner",
    )
    called = (
        "main",
        "def health():\n",
        "def health(change=None, quota=None):\n    change = change.strip()\n    change()\n    quota()\n",
    )
    found = report(shop(tmp_path, change, called))
    assert texts(found) == []
    assert [note.text for note in found.unfollowed] == [
        "calls change(), which cannot be followed",
        "calls quota(), which cannot be followed",
    ]


def test_attributes_set_by_a_constructor_are_followed(tmp_path: Path) -> None:
    """`self._book = book` with an annotated parameter, an annotated attribute, a variable with a type."""
    clerk = (
        "ledger",
        "def ledger()",
        """class Clerk:
    spare: Ledger
    def __init__(self, book: Ledger):
        self._book = book
    def lock(self):
        self._book.lock()
    def other(self):
        self.spare.lock()

def ledger()""",
    )
    for call in ("Clerk(ledger()).lock()", "Clerk(ledger()).other()", "clerk: Clerk = 1\n    clerk.lock()"):
        main = shop(
            tmp_path,
            clerk,
            ("main", "import Ledger, ", "import Clerk, Ledger, "),
            ("main", 'return {{"busy": False}}', call),
        )
        found = report(main)
        assert found.unfollowed == ()
        assert [text for text in texts(found) if "GET /health: raises 'ledger_busy'" in text], call


def test_an_error_that_only_the_configuration_names_is_in_use(tmp_path: Path) -> None:
    """`exceptions={KeyError: Mapped}` is a mention."""
    declare = (
        "errors",
        "catalog = Catalog([",
        'class Mapped(ConflictError):\n    code = "mapped"\n\ncatalog = Catalog([Mapped, ',
    )
    mapped = ("main", "catalog=catalog)", "catalog=catalog, exceptions={{KeyError: 'mapped'}})")
    assert texts(report(shop(tmp_path, declare, mapped))) == []


def test_a_generated_constructor_is_nothing_to_note(tmp_path: Path) -> None:
    """A dataclass is made by code that has no source and raises none of the service's errors."""
    change = (
        "main",
        'return {{"busy": False}}',
        "return Point(1)\n\nfrom dataclasses import dataclass\n@dataclass\nclass Point:\n    x: int",
    )
    assert report(shop(tmp_path, change)).unfollowed == ()


def test_a_keyword_that_is_nearly_a_parameter_is_found_wherever_it_stands(tmp_path: Path) -> None:
    """By the names that a module has for the class; a parameter of one's own and a public member are none."""
    source = """import errorkit

class Priced(InvoiceSent):
    code = "priced"
    def __init__(self, message=None, *, header="", **further):
        super().__init__(message, **further)

def of_nobody(row):
    other = errorkit.ConflictError("x", parm="y", seats=3)
    print(other, dict(parm=1), errorkit.ForbiddenError("x", resource_tenant=1), len(parm=1))
    raise Priced(header="x", contex={{}}, **row)

def change(invoice):"""
    found = texts(report(shop(tmp_path, ("ledger", "def change(invoice):", source))))
    assert [text.partition(".ledger:")[2].partition("?")[0] for text in found] == [
        "29: ConflictError(parm=...): did you mean param=",
        "31: Priced(contex=...): did you mean context=",
    ]
