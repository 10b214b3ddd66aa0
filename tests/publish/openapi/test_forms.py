"""A document describes every form that a path can give."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from openapi_spec_validator import validate
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from errorkit import APIError, Catalog
from errorkit.choosing import by_header
from errorkit.dialects.openai import OpenAI
from errorkit.fastapi import install, raises


class SeatTaken(APIError):
    code, status, message = "seat_taken", 409, "The seat is taken."


def service(**settings: Any) -> FastAPI:
    app = FastAPI()
    install(app, catalog=Catalog([SeatTaken]), **settings)

    @app.get("/seats/{number}")
    @raises(SeatTaken)
    def seat(number: int) -> None:
        raise SeatTaken

    return app


def described(app: FastAPI, status: str = "409") -> dict[str, Any]:
    document = app.openapi()
    validate(document)
    found: dict[str, Any] = document["paths"]["/seats/{number}"]["get"]["responses"][status]
    return found


def fits(app: FastAPI, schema: dict[str, Any], body: Any) -> None:
    document = app.openapi()
    registry = Registry().with_resource("urn:document", Resource(contents=document, specification=DRAFT202012))
    absolute = json.loads(json.dumps(schema).replace('"#/components', '"urn:document#/components'))
    jsonschema.Draft202012Validator(absolute, registry=registry).validate(body)


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("anthropic", "kubernetes", "oneOf"),
        ("openai", "jsonapi", None),
        ("openai", OpenAI(renames={"seat_taken": "seat_gone"}), "anyOf"),
        ("openai", "kaiko", "anyOf"),
    ],
)
def test_each_dialect_of_a_chooser_is_described(old: Any, new: Any, word: str | None) -> None:
    """By media type; where it is the same, as alternatives. What is sent fits, and `Vary` is there."""
    app = service(dialect=by_header("API-Version", {"2": new}, default=old))
    response = described(app)
    assert response["headers"]["Vary"]["example"] == "API-Version"
    content = response["content"]
    client = TestClient(app, raise_server_exceptions=False)
    for version in ("1", "2"):
        reply = client.get("/seats/7", headers={"API-Version": version})
        assert reply.headers["vary"] == "API-Version"
        schema = content[reply.headers["content-type"]]["schema"]
        assert (word in schema) == (word is not None)
        fits(app, schema, reply.json())
        assert reply.json() != {}
    assert len(content) == (2 if word is None else 1)


def test_statuses_that_only_one_dialect_gives_are_described() -> None:
    """A rejected request is 400 in the one and 422 in the other."""
    app = service(dialect=by_header("API-Version", {"2": "problem"}, default="stripe"))
    assert list(described(app, "400")["content"]) == ["application/json"]
    assert list(described(app, "422")["content"]) == ["application/problem+json"]


def test_a_chooser_and_negotiate_describe_problem_details_once() -> None:
    """Both of its dialects can be asked for as problem details of the same fields."""
    app = service(dialect=by_header("API-Version", {"2": "aws_rest"}, default="aws"), negotiate=True)
    names = [name for name in app.openapi()["components"]["schemas"] if name.startswith("Problem")]
    assert names.count("ProblemError") == 1
    assert "application/problem+json" in described(app)["content"]
