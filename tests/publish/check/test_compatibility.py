"""`errorkit diff`: a release that can break a client is told from one that cannot."""

from __future__ import annotations

import json
from typing import Any

import pytest

from errorkit import APIError, Catalog, ConflictError, NotFoundError, RateLimitError
from errorkit.dialects import Dialect, get_dialect
from errorkit.dialects.kaiko import Kaiko
from errorkit.dialects.openai import OpenAI
from errorkit.dialects.problem import Problem
from errorkit.publish import Options
from errorkit.publish.check.compatibility import Change, compare
from errorkit.publish.export import Exported, export, generate, load


class InvoiceNotFound(NotFoundError):
    """There is no such invoice."""

    code, title = "invoice_not_found", "Invoice not found"


class InvoiceSent(ConflictError):
    """It has been sent."""

    code, title, type = "invoice_sent", "Invoice sent", "invoice_error"


class QuotaUsed(RateLimitError):
    """The quota is used up."""

    code, title = "quota_used", "Quota used up"


ERRORS: tuple[type[APIError], ...] = (InvoiceNotFound, InvoiceSent, QuotaUsed)


def exported(*errors: type[APIError], dialect: Dialect | None = None, **settings: Any) -> Exported:
    options = {name: settings.pop(name) for name in ("retry_after", "status_invalid", "docs_url") if name in settings}
    catalog = Catalog(errors or ERRORS, **settings)
    return export(catalog, dialect or get_dialect("openai"), Options(**options))


def changed(cls: type[APIError], **attributes: Any) -> tuple[type[APIError], ...]:
    """ERRORS with one class declared otherwise."""
    other = type(cls.__name__, cls.__bases__, {**vars(cls), **attributes, "__qualname__": cls.__qualname__})
    return tuple(other if error is cls else error for error in ERRORS)


class Renamed(NotFoundError):
    """There is no such invoice."""

    code, title = "no_such_invoice", "Invoice not found"


def problem(change: Any) -> Exported:
    """Problem's export, its body schema changed."""
    found = exported(dialect=Problem())
    change(found["dialect"]["body"])
    return found


OLD = exported()
PROBLEM = exported(dialect=Problem())

BREAKING: list[tuple[str, Exported, Exported, Change]] = [
    (
        "a code removed",
        OLD,
        exported(InvoiceNotFound, InvoiceSent),
        Change(True, "quota_used", "the code was removed"),
    ),
    (
        "a code renamed",
        OLD,
        exported(Renamed, InvoiceSent, QuotaUsed),
        Change(True, "invoice_not_found", "the code was renamed to 'no_such_invoice'"),
    ),
    (
        "another status",
        OLD,
        exported(*changed(InvoiceSent, status=422)),
        Change(True, "invoice_sent", "has another status: 409 became 422"),
    ),
    (
        "another type",
        OLD,
        exported(*changed(InvoiceSent, type="conflict_error")),
        Change(True, "invoice_sent", "has another type: 'invoice_error' became 'conflict_error'"),
    ),
    (
        "no longer retryable",
        PROBLEM,
        exported(*changed(QuotaUsed, retryable=False), dialect=Problem()),
        Change(True, "quota_used", "has another retry verdict: yes became no"),
    ),
    (
        "no longer propagating",
        OLD,
        exported(*changed(QuotaUsed, propagate=False)),
        Change(True, "quota_used", "propagates otherwise: yes became no"),
    ),
    (
        "spelled otherwise",
        OLD,
        exported(dialect=OpenAI(renames={"quota_used": "insufficient_quota"})),
        Change(True, "quota_used", "is spelled otherwise: 'quota_used' became 'insufficient_quota'"),
    ),
    (
        "a header gone",
        PROBLEM,
        exported(*changed(QuotaUsed, default_retry_after=None), dialect=Problem()),
        Change(True, "quota_used", "the header Retry-After is no longer sent"),
    ),
    (
        "a retired code used again",
        exported(InvoiceSent, QuotaUsed, retired=["invoice_not_found"]),
        OLD,
        Change(True, "invoice_not_found", "a retired code is used again; clients may know its old meaning"),
    ),
    (
        "a retired code forgotten",
        exported(retired=["paid_twice"]),
        OLD,
        Change(True, "paid_twice", "a retired code was forgotten; keep it, or it will be used again"),
    ),
    (
        "another dialect's media type",
        PROBLEM,
        exported(dialect=Problem(media_type="application/json")),
        Change(True, "dialect", "the media type changed: 'application/problem+json' became 'application/json'"),
    ),
    (
        "another header for the request ID",
        PROBLEM,
        exported(dialect=Problem(request_id_header="X-Trace")),
        Change(True, "dialect", "the header of the request ID changed: 'X-Request-ID' became 'X-Trace'"),
    ),
    (
        "another status of validation",
        PROBLEM,
        exported(dialect=Problem(), status_invalid=400),
        Change(True, "dialect", "the status of an invalid field changed: 422 became 400"),
    ),
    (
        "a detail's member gone",
        PROBLEM,
        problem(lambda body: body["$defs"]["Finding"]["properties"].pop("pointer")),
        Change(True, "body.errors[].pointer", "the member is gone"),
    ),
    (
        "a detail's member of another type",
        PROBLEM,
        problem(lambda body: body["$defs"]["Finding"]["properties"].update(code={"type": "integer"})),
        Change(True, "body.errors[].code", "another type: string became integer"),
    ),
    (
        "a member that may be absent now",
        PROBLEM,
        problem(lambda body: body["required"].remove("detail")),
        Change(True, "body.detail", "the member may be absent now"),
    ),
    (
        "a member that may be null now",
        exported(dialect=Kaiko()),
        {
            **exported(dialect=Kaiko()),
            "dialect": {
                **exported(dialect=Kaiko())["dialect"],
                "body": json.loads(
                    json.dumps(exported(dialect=Kaiko())["dialect"]["body"]).replace(
                        '"param": {"title": "Param", "type": "string"}',
                        '"param": {"anyOf": [{"type": "string"}, {"type": "null"}]}',
                    )
                ),
            },
        },
        Change(True, "body.error.param", "another type: string became null/string"),
    ),
    (
        "a field's own code",
        exported(field_codes={"role": "invalid_role"}),
        OLD,
        Change(True, "field role", "its own code changed: 'invalid_role' became 'invalid_value'"),
    ),
]


@pytest.mark.parametrize(("old", "new", "change"), [pytest.param(*case[1:], id=case[0]) for case in BREAKING])
def test_a_change_that_can_break_a_client_is_breaking(old: Exported, new: Exported, change: Change) -> None:
    """Each seeded change is the only breaking one, and is described by both its ends."""
    breaking = [found for found in compare(old, new) if found.breaking]
    assert breaking == [change]


FINE: list[tuple[str, Exported, Exported, str]] = [
    ("a new code", exported(InvoiceNotFound), exported(InvoiceNotFound, InvoiceSent), "new code, status 409"),
    ("new words", OLD, exported(*changed(InvoiceSent, title="Sent", message="No.")), "new wording: title, message"),
    ("a retired code", OLD, exported(retired=["paid_twice"]), "the code is retired"),
    ("a longer wait", OLD, exported(retry_after={"quota_used": 9}), "new wording: retry_after"),
    (
        "a new header",
        exported(*changed(QuotaUsed, default_retry_after=None)),
        OLD,
        "the header Retry-After is sent now",
    ),
    (
        "a new member",
        problem(lambda body: body["$defs"]["Finding"]["properties"].pop("pointer")),
        PROBLEM,
        "new member",
    ),
    ("concealed now", OLD, exported(*changed(InvoiceNotFound, concealable=True)), "is concealed now"),
]


@pytest.mark.parametrize(("old", "new", "words"), [pytest.param(*case[1:], id=case[0]) for case in FINE])
def test_additions_and_wording_break_nobody(old: Exported, new: Exported, words: str) -> None:
    """They are told, and they are fine."""
    changes = compare(old, new)
    assert not [change for change in changes if change.breaking]
    assert words in [change.text for change in changes]


def test_the_same_catalogue_has_no_changes() -> None:
    """What is exported twice is equal, and survives its file."""
    text = generate(Catalog(ERRORS), get_dialect("openai"), Options())["catalog.json"]
    assert compare(load(text), OLD) == []


def test_a_retired_code_cannot_be_declared() -> None:
    """The catalogue itself refuses it at start-up and names the class."""
    with pytest.raises(ValueError, match=r"code 'invoice_sent' is retired and declared by .*InvoiceSent"):
        Catalog(ERRORS, retired=["invoice_sent"])
