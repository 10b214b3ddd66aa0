"""`errorkit export`: the catalogue as JSON, valid by its published schema."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from errorkit import Catalog
from errorkit.dialects import PRESETS, get_dialect
from errorkit.publish import Options
from errorkit.publish.export import generate, load, schema
from requirements import since

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("dialect", PRESETS)
def test_an_export_is_valid_by_the_published_schema(dialect: str) -> None:
    """In every dialect, and with every standard error in it."""
    files = generate(Catalog(), get_dialect(dialect), Options(docs_url="https://docs.example.com/{code}"))
    assert list(files) == ["catalog.json"]
    exported = json.loads(files["catalog.json"])
    jsonschema.Draft202012Validator.check_schema(schema())
    jsonschema.Draft202012Validator(schema()).validate(exported)
    assert [error["code"] for error in exported["errors"]] == [spec.code for spec in Catalog()]
    assert exported["errors"][0]["doc_url"] == "https://docs.example.com/bad_request"


def test_the_published_schema_is_the_generated_one() -> None:
    """`docs/catalog.schema.json` cannot drift."""
    since("pydantic", "2.11")  # names its definitions otherwise before
    assert json.loads((ROOT / "docs" / "catalog.schema.json").read_text()) == schema()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[]", "the document"),
        ("{", "the document: Invalid JSON"),
        ('{"errorkit": 2, "title": "", "dialect": {}, "errors": [], "field_codes": {}, "retired": []}', "errorkit: "),
    ],
)
def test_a_file_of_another_form_is_refused_in_words(text: str, words: str) -> None:
    """The error says that it is no export, and where."""
    with pytest.raises(ValueError, match="not a catalogue exported by errorkit: " + words):
        load(text)
