"""Documents and dialects that are unusual: described all the same, or refused in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import jsonschema
import pytest
from openapi_spec_validator import validate
from typing_extensions import TypedDict

from errorkit import Catalog, Dialect, NotFoundError
from errorkit.cli.openapi_file import read
from errorkit.dialects import get_dialect
from errorkit.failure import Public
from errorkit.publish import Options
from errorkit.publish.openapi import document


class InvoiceNotFound(NotFoundError):
    """There is no such invoice."""

    code, title = "invoice_not_found", "Invoice not found"


CATALOG = Catalog([InvoiceNotFound])


def described(version: str, dialect: Dialect, operation: dict[str, Any], **more: Any) -> dict[str, Any]:
    plain = {"openapi": version, "info": {"title": "T", "version": "1"}, "paths": {"/x": {"get": operation}}, **more}
    found = document(plain, CATALOG, lambda _path: dialect, Options())
    validate(found)
    return found


def test_a_response_that_names_codes_and_says_more_is_kept() -> None:
    """Its words and header fields stay; the codes are sent with their own status all the same."""
    given = {
        "410": {"description": "Gone for good.", "headers": {"X-Since": {"schema": {"type": "string"}}}},
        "404": {
            "description": "No such thing.",
            "headers": {"X-Hint": {"schema": {"type": "string"}}},
            "x-errorkit-codes": ["invoice_not_found"],
        },
    }
    responses = described("3.1.0", get_dialect("problem"), {"responses": given})["paths"]["/x"]["get"]["responses"]
    assert responses["404"]["description"].startswith("No such thing.\n\n`invoice_not_found`: ")
    assert {"X-Hint", "X-Request-ID"} <= set(responses["404"]["headers"])
    assert responses["410"]["description"] == "Gone for good."
    assert "content" not in responses["410"]


class Loose(Dialect):
    """Its body's schema does not say what is in the object that holds the code."""

    name = "loose"

    class Body(TypedDict):
        version: Literal["1"]
        weight: int | str | None
        error: dict[str, str]

    def write(self, public: Public) -> dict[str, Any]:
        return {"version": "1", "weight": None, "error": {"code": self.spell(public.code), "text": public.message}}

    def read(self, status: int, headers: Any, body: Any) -> Public:
        return Public(status=status)


@pytest.mark.parametrize("version", ["3.0.3", "3.1.0"])
def test_codes_are_told_apart_where_the_body_is_loosely_described(version: str) -> None:
    """By the code alone; constants and null are spelled as the document's version has them."""
    found = described(version, Loose(), {"x-errorkit-codes": ["invoice_not_found"], "responses": {}})
    content = found["paths"]["/x"]["get"]["responses"]["404"]["content"]["application/json"]
    schemas = found["components"]["schemas"]
    assert schemas["LooseError.invoice_not_found"] == {
        "type": "object",
        "required": ["code"],
        "properties": {"code": {"type": "string", "enum": ["invoice_not_found"]}},
    }
    properties = schemas["LooseError"]["properties"]
    if version == "3.0.3":
        assert properties["version"]["enum"] == ["1"]
        assert properties["weight"]["anyOf"] == [{"type": "integer"}, {"type": "string"}]
        assert properties["weight"]["nullable"] is True
    else:
        assert properties["version"]["const"] == "1"
        assert {"type": "null"} in properties["weight"]["anyOf"]
    if version == "3.1.0":
        schema = {**content["schema"], "components": found["components"]}
        (sent,) = (example["value"] for example in content["examples"].values())
        jsonschema.validate(sent, schema)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**sent, "error": {"code": "other"}}, schema)


@pytest.mark.parametrize("nothing", [{"paths": None}, {"paths": {"/x": None}}, {"paths": {"/x": {"get": None}}}])
def test_what_is_left_empty_is_passed_over(nothing: dict[str, Any]) -> None:
    """A YAML key without a value is null."""
    plain = {"openapi": "3.1.0", "info": {"title": "T", "version": "1"}, **nothing}
    problem = get_dialect("problem")
    assert document(plain, CATALOG, lambda _path: problem, Options()) == plain


def test_empty_members_of_an_operation_are_passed_over() -> None:
    """Responses, parameters, a body, components without a value."""
    operation = {"responses": None, "parameters": None, "requestBody": None}
    plain = {"openapi": "3.1.0", "paths": {"/x": {"parameters": None, "get": operation}}, "components": None}
    problem = get_dialect("problem")
    found = document(plain, CATALOG, lambda _path: problem, Options())
    assert list(found["paths"]["/x"]["get"]["responses"]) == ["500"]


def test_yaml_is_read_as_the_json_that_it_means(tmp_path: Path) -> None:
    """Statuses without quotes, and dates, are texts."""
    (tmp_path / "api.yaml").write_text(
        "openapi: 3.1.0\ninfo: {title: T, version: 2026-01-31}\npaths:\n  /x:\n    get:\n      responses:\n"
        "        200: {description: OK}\n        404: {description: No., x-errorkit-codes: [invoice_not_found]}\n"
    )
    plain = read(tmp_path / "api.yaml")
    assert plain["info"]["version"] == "2026-01-31"
    problem = get_dialect("problem")
    found = document(plain, CATALOG, lambda _path: problem, Options())
    validate(found)
    assert list(found["paths"]["/x"]["get"]["responses"]) == ["200", "404", "500"]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("api.json", b"{", "api.json cannot be read: Expecting property name"),
        ("api.json", b"[]", "api.json holds no OpenAPI document"),
        ("api.yaml", b"a: [", "api.yaml cannot be read: while parsing a flow node"),
        ("api.yml", b"just words", "api.yml holds no OpenAPI document"),
        ("api.yml", b"a: &a [*a]", "api.yml cannot be read: Circular reference"),
        ("api.yml", b"a: !!binary aGk=", "api.yml cannot be read: Object of type bytes is not JSON serializable"),
        ("api.yml", b"title: \xff", "api.yml cannot be read: 'utf-8' codec can't decode byte 0xff"),
    ],
)
def test_a_file_that_is_no_document_is_refused(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    """With its name and the reason."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=words):
        read(tmp_path / name)
