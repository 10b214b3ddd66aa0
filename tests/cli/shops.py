"""A small service as source, to be put wrong in one place by a test."""

from __future__ import annotations

import importlib
import itertools
import sys
from pathlib import Path
from types import ModuleType

_numbers = itertools.count(1)

ERRORS = '''
from errorkit import Catalog, ConflictError, NotFoundError, RateLimitError, ServiceUnavailableError

class InvoiceNotFound(NotFoundError):
    """There is no such invoice."""
    code, title = "invoice_not_found", "Invoice not found"
    message = "The invoice was not found."

class InvoiceSent(ConflictError):
    """The invoice has been sent and cannot be changed."""
    code, title = "invoice_sent", "Invoice already sent"

class LedgerBusy(ServiceUnavailableError):
    """The ledger is busy."""
    code, title = "ledger_busy", "Ledger busy"

class TooManyInvoices(RateLimitError):
    """The month's quota is used up."""
    code, title = "too_many_invoices", "Too many invoices"

catalog = Catalog([InvoiceNotFound, InvoiceSent, LedgerBusy, TooManyInvoices])
'''

LEDGER = """
from errorkit import visible
from {package}.errors import InvoiceNotFound, InvoiceSent, LedgerBusy

INVOICES = {{}}

class Ledger:
    def invoice(self, number, tenant):
        return visible(INVOICES.get(number), tenant="tenant", caller=tenant, error=InvoiceNotFound)

    def lock(self):
        self._check()

    def _check(self):
        if len(INVOICES) > 1000:
            raise LedgerBusy(retry_after=3)

def ledger() -> Ledger:
    return Ledger()

def change(invoice):
    if invoice.sent:
        raise InvoiceSent("Invoice is sent.")
    return invoice
"""

MAIN = """
from typing import Annotated
from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel
from errorkit.fastapi import errors, install, raises
from {package}.errors import InvoiceNotFound, InvoiceSent, LedgerBusy, TooManyInvoices, catalog
from {package}.ledger import Ledger, change, ledger

app = FastAPI(title="Invoices")
install(app, dialect="openai", catalog=catalog)

class Invoice(BaseModel):
    role: str

@raises(TooManyInvoices)
def quota():
    raise TooManyInvoices(retry_after=60)

@app.get("/invoices/{{number}}", responses=errors(InvoiceNotFound))
def read(number: int, book: Annotated[Ledger, Depends(ledger)]):
    return book.invoice(number, "t")

@app.post("/invoices/{{number}}", dependencies=[Depends(quota)])
@raises(InvoiceNotFound, InvoiceSent, LedgerBusy)
def write(number: int, body: Invoice, book: Annotated[Ledger, Depends(ledger)]):
    book.lock()
    return change(book.invoice(number, "t"))

@app.get("/health")
def health():
    try:
        ledger().lock()
    except LedgerBusy:
        return {{"busy": True}}
    return {{"busy": False}}
"""


def shop(root: Path, *changes: tuple[str, str, str]) -> ModuleType:
    """The service's `main` module after `changes`: (file, old text, new text); each must apply."""
    package = f"shop_{next(_numbers)}"
    files = {"__init__": "", "errors": ERRORS, "ledger": LEDGER, "main": MAIN}
    for file, old, new in changes:
        assert old in files[file], f"{old!r} is not in {file}"
        files[file] = files[file].replace(old, new)
    (root / package).mkdir()
    for name, text in files.items():
        source = text.format(package=package) if name != "errors" else text
        (root / package / f"{name}.py").write_text(source)
    sys.path.insert(0, str(root))
    try:
        importlib.invalidate_caches()
        return importlib.import_module(f"{package}.main")
    finally:
        sys.path.remove(str(root))
