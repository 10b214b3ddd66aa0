"""A document written by hand for a Flask application is completed with what its views declare."""

from __future__ import annotations

import json
from typing import Any

import flask
import pytest
from openapi_spec_validator import validate
from typer.testing import CliRunner

from described import FLASK_SOURCE, openapi_of
from errorkit import Catalog, ConflictError
from errorkit.cli import app as command_line
from errorkit.declaration import raises
from errorkit.dialects import get_dialect
from errorkit.flask import operations
from errorkit.publish import Options
from errorkit.publish.openapi import document
from examples.docstore.setup import load_config
from examples.flask_app.main import create_app

FLASK = "examples.flask_app.main:create_app"
STATUSES = {"400", "401", "403", "404", "410", "412", "413", "415", "422", "423", "429", "451", "500"}
"""What replacing a document can come to."""


def run(*arguments: object) -> str:
    result = CliRunner().invoke(command_line, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        ("/a/<name>", "/a/{name}"),
        ("/a/<int:number>/b", "/a/{number}/b"),
        ("/a/<string(length=2):language>", "/a/{language}"),
        ("/a/<any('x', 'y'):kind>/<path:rest>", "/a/{kind}/{rest}"),
    ],
)
def test_a_flask_rule_is_listed_as_the_path_that_openapi_writes(rule: str, path: str) -> None:
    """So that `check` and `openapi` find the operation in a document."""
    app = flask.Flask(__name__)
    app.add_url_rule(rule, view_func=raises(ConflictError)(lambda **_: ""), endpoint="it")
    assert [(one.method, one.declared) for one in operations(app) if one.path == path] == [("GET", ("conflict",))]


def test_the_command_completes_a_file_with_what_the_application_declares() -> None:
    """`errorkit openapi APP FILE`: a valid document, the same that the library gives."""
    found = json.loads(run("openapi", FLASK, FLASK_SOURCE))
    validate(found)
    responses = found["paths"]["/v1/documents/{ref}"]["put"]["responses"]
    assert set(responses) == {"200", *STATUSES}
    (media,) = responses["404"]["content"]
    assert sorted(responses["404"]["content"][media]["examples"]) == ["document_not_found"]
    assert found["paths"] == openapi_of(create_app(load_config(dialect="problem")))["paths"]


def test_check_finds_the_example_to_agree_with_its_document(tmp_path: Any) -> None:
    """What the views raise and declare is what the completed document describes."""
    described = tmp_path / "described.json"
    described.write_text(run("openapi", FLASK, FLASK_SOURCE))
    assert "14 operations: 0 faults" in run("check", FLASK, "--openapi", described)


def test_a_shared_request_body_and_a_shared_response_are_followed() -> None:
    """By reference they imply malformed JSON, and keep their words, as if they stood there."""
    written = {
        "openapi": "3.1.0",
        "info": {"title": "T", "version": "1"},
        "paths": {
            "/things": {
                "post": {
                    "x-errorkit-codes": ["conflict"],
                    "requestBody": {"$ref": "#/components/requestBodies/Thing"},
                    "responses": {"409": {"$ref": "#/components/responses/Taken"}},
                }
            }
        },
        "components": {
            "requestBodies": {"Thing": {"content": {"application/json": {"schema": {"type": "object"}}}}},
            "responses": {"Taken": {"description": "The name is taken."}},
        },
    }
    problem = get_dialect("problem")
    found = document(written, Catalog(), lambda _path: problem, Options())
    validate(found)
    responses = found["paths"]["/things"]["post"]["responses"]
    assert sorted(responses["400"]["content"]["application/problem+json"]["examples"]) == ["malformed_json"]
    assert responses["409"]["description"].startswith("The name is taken.\n\n`conflict`: ")
    assert "$ref" not in responses["409"]
