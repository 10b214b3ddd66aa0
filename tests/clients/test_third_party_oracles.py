"""Judges of the form alone: schemas and models that others publish, for every case."""

from __future__ import annotations

import json
from typing import Any

import httpx
import jsonschema
import pytest

from clients.failing_service import CASES, Service
from requirements import require_module

CLIENT = httpx.Client()
EVERY = [*CASES, "rate_limited", "long_wait", "param"]

PROBLEM_SCHEMA = {
    # RFC 9457 section 3.1, in JSON Schema: no member is required, each has its type
    "type": "object",
    "properties": {
        "type": {"type": "string", "format": "uri-reference", "default": "about:blank"},
        "status": {"type": "integer", "minimum": 100, "maximum": 599},
        "title": {"type": "string"},
        "detail": {"type": "string"},
        "instance": {"type": "string", "format": "uri-reference"},
    },
    # section 3.2: an extension's name, so that it fits into other formats
    "propertyNames": {"pattern": "^[A-Za-z][A-Za-z0-9_]{2,}$"},
}


def answer(service: Service, dialect: str, case: str) -> httpx.Response:
    """The answer to a case."""
    return CLIENT.get(service.run(dialect, case).url)


@pytest.mark.parametrize("case", EVERY)
def test_a_problem_is_one_by_rfc_9457(service: Service, case: str) -> None:
    """Types, formats, the status of the response, a title that is not the detail, a type that names the problem."""
    require_module("rfc3986_validator")  # without it, uri-reference is not checked
    response = answer(service, "problem", case)
    body = response.json()
    checker = jsonschema.FormatChecker()
    assert "uri-reference" in checker.checkers
    jsonschema.validate(body, PROBLEM_SCHEMA, format_checker=checker)
    assert response.headers["content-type"] == "application/problem+json"
    assert body["status"] == response.status_code
    assert body["title"] != body["detail"]
    assert body["type"].rpartition("/")[2] == body["code"]


def test_the_problem_schema_can_say_no() -> None:
    """A wrong type and a bad reference are found."""
    checker = jsonschema.FormatChecker()
    for wrong in ({"status": "404"}, {"type": "not a reference"}, {"x-y": 1}, {"detail": None}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, PROBLEM_SCHEMA, format_checker=checker)


@pytest.mark.parametrize("case", EVERY)
def test_a_google_error_is_a_google_rpc_status(service: Service, case: str) -> None:
    """protobuf's own JSON reader takes it with its details, each at most once and an ErrorInfo among them."""
    json_format = require_module("google.protobuf.json_format")
    status_pb2 = require_module("google.rpc.status_pb2")
    code_pb2 = require_module("google.rpc.code_pb2")
    details_pb2 = require_module("google.rpc.error_details_pb2")
    error = answer(service, "google", case).json()["error"]
    code_pb2.Code.Value(error.pop("status"))
    status = json_format.ParseDict(error, status_pb2.Status())
    names = [any_.type_url.rpartition(".")[2] for any_ in status.details]
    assert len(set(names)) == len(names)
    info = details_pb2.ErrorInfo()
    assert status.details[names.index("ErrorInfo")].Unpack(info)
    assert len(info.reason) <= 63
    assert info.reason.isascii()
    assert info.reason == info.reason.upper()


@pytest.mark.parametrize("case", EVERY)
def test_a_jsonapi_document_is_one(service: Service, case: str) -> None:
    """jsonapi-pydantic's model of JSON:API takes it; ids differ; the media type has no parameter."""
    documents = require_module("jsonapi_pydantic.v1_0")
    response = answer(service, "jsonapi", case)
    document = documents.TopLevel.model_validate(response.json())
    assert response.headers["content-type"] == "application/vnd.api+json"
    assert {error.status for error in document.errors} == {str(response.status_code)}
    assert len({error.id for error in document.errors}) == len(document.errors)


@pytest.mark.parametrize("case", EVERY)
def test_a_kubernetes_error_is_a_status(service: Service, case: str) -> None:
    """The client's strict model of v1.Status takes it, and gives it back unchanged."""
    kubernetes = require_module("kubernetes")
    response = answer(service, "kubernetes", case)
    status = kubernetes.client.V1Status.from_json(response.text)
    assert status.code == response.status_code
    back = json.loads(status.to_json())
    assert back == response.json()


@pytest.mark.parametrize("case", EVERY)
def test_the_sdks_own_models_take_the_errors(service: Service, case: str) -> None:
    """OpenAI's ErrorObject in strict mode with all four members, and azure-core's ODataV4Format."""
    openai_types = require_module("openai.types.shared")
    azure = require_module("azure.core.exceptions")
    error = answer(service, "openai", case).json()["error"]
    assert {"message", "type", "param", "code"} <= set(error)
    openai_types.ErrorObject.model_validate(error, strict=True)
    odata: Any = azure.ODataV4Format(answer(service, "azure", case).json()["error"])
    assert odata.code
    assert odata.message
    assert len(odata.details) == (2 if case == "validation" else 0)
