"""`errorkit diff` where little differs, or the schemas are unusual."""

from __future__ import annotations

from typing import Any

from errorkit import Catalog, NotFoundError
from errorkit.dialects import get_dialect
from errorkit.dialects.openai import OpenAI
from errorkit.publish import Options
from errorkit.publish.check.compatibility import Change, compare
from errorkit.publish.export import Exported, export


class InvoiceNotFound(NotFoundError):
    """There is no such invoice."""

    code, title = "invoice_not_found", "Invoice not found"


def exported(dialect: str = "openai", **settings: Any) -> Exported:
    return export(Catalog([InvoiceNotFound], **settings), get_dialect(dialect), Options())


def with_body(body: dict[str, Any]) -> Exported:
    found = exported()
    return {**found, "dialect": {**found["dialect"], "body": body}}


def breaking(old: Exported, new: Exported) -> list[Change]:
    return [change for change in compare(old, new) if change.breaking]


def test_another_dialect_is_a_breaking_change_of_its_own() -> None:
    """It is named before all that follows from it."""
    changes = breaking(exported("openai"), exported("korad"))
    assert Change(True, "dialect", "'openai' became 'korad'") in changes


def test_a_code_that_went_and_one_that_came_with_another_status_are_no_renaming() -> None:
    """Nothing says that they are one error."""

    class Late(InvoiceNotFound):
        code, status = "too_late", 410

    old, new = exported(), export(Catalog([Late]), OpenAI(), Options())
    assert breaking(old, new) == [Change(True, "invoice_not_found", "the code was removed")]


def test_what_stays_retired_and_keeps_its_field_codes_is_no_change() -> None:
    """Only what differs is told."""
    settings: dict[str, Any] = {"retired": ["paid_twice"], "field_codes": {"role": "invalid_role"}}
    assert compare(exported(**settings), exported(**settings)) == []


def test_a_field_that_gets_a_code_of_its_own_breaks_who_knew_the_general_one() -> None:
    """A client that looked for `invalid_value` no longer finds it."""
    changes = breaking(exported(), exported(field_codes={"role": "invalid_role"}))
    assert changes == [Change(True, "field role", "its own code changed: 'invalid_value' became 'invalid_role'")]


def test_a_schema_that_contains_itself_is_compared() -> None:
    """And to an end: what differs at the first turn is told at each, as deep as anybody looks."""
    body = {
        "$ref": "#/$defs/Node",
        "$defs": {"Node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}}}},
    }
    assert compare(with_body(body), with_body(body)) == []
    other = {"$ref": "#/$defs/Node", "$defs": {"Node": {"type": "object", "properties": {"next": {"type": "string"}}}}}
    assert breaking(with_body(body), with_body(other)) == [
        Change(True, "body.next", "another type: object became string")
    ]
