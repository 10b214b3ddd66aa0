"""JSON:API clients, unmodified, believe the dialect `jsonapi`."""

from __future__ import annotations

import json
from typing import Any

import pytest

from clients.failing_service import CASES, FINAL, RATE_LIMITED, Run, Service
from requirements import require_module

jsonapi_client = require_module("jsonapi_client")
jsonapi_requests = require_module("jsonapi_requests")
factory = require_module("jsonapi_requests.request_factory")
documents = require_module("jsonapi_pydantic.v1_0")

SDK = ("jsonapi", "jsonapi-requests")


def ask(run: Run, retries: int = 3) -> Any:
    """Fetch one resource."""
    api = jsonapi_requests.Api.config({"API_ROOT": run.url, "TIMEOUT": 10, "RETRIES": retries})
    return api.endpoint("widgets/1").get()


@pytest.mark.parametrize("case", CASES)
def test_the_client_raises_with_the_document(service: Service, case: str) -> None:
    """Class and status; the document is one that JSON:API's model takes; a final error is asked for once."""
    run, expected = service.run("jsonapi", case), CASES[case]
    with pytest.raises((factory.ApiClientError, factory.ApiInternalServerError)) as caught:
        ask(run, retries=3 if case in FINAL else 2)
    error = caught.value
    kind = factory.ApiClientError if expected.status < 500 else factory.ApiInternalServerError
    assert type(error) is kind
    assert error.status_code == expected.status
    assert len(run.seen) == (1 if expected.status < 500 else 2)
    document = documents.TopLevel.model_validate(json.loads(error.content))
    assert {found.status for found in document.errors} == {str(expected.status)}
    assert document.meta["code"] == expected.code
    assert document.meta["message"] == expected.message
    assert document.meta["request_id"] == run.request_id
    if case == "validation":
        assert [(found.code, found.source.pointer, found.detail) for found in document.errors] == [
            ("invalid_format", "/email", "must be a valid email address"),
            ("out_of_range", "/items/0/quantity", "must be at least 1"),
        ]
        assert len({found.id for found in document.errors}) == 2
    else:
        (only,) = document.errors
        assert (only.code, only.detail) == (expected.code, expected.message)


@pytest.mark.parametrize("client_name", ["jsonapi-client"])
@pytest.mark.parametrize("case", CASES)
def test_the_other_client_shows_the_title(service: Service, case: str, client_name: str) -> None:
    """jsonapi-client shows the first error's title, and the status."""
    run, expected = service.run("jsonapi", case), CASES[case]
    session = jsonapi_client.Session(run.url)
    with pytest.raises(jsonapi_client.exceptions.DocumentError) as caught:
        session.get("widgets", 1)
    assert caught.value.errors["status_code"] == expected.status
    assert "?" not in str(caught.value).partition(": ")[2]
    assert len(run.seen) == 1


@pytest.mark.case("rate_limited")
def test_the_second_call_succeeds(service: Service) -> None:
    """The client does not retry a 429 by itself: the caller does."""
    service.successes["jsonapi"] = {"data": {"type": "widgets", "id": "1", "attributes": {}}}
    run = service.run("jsonapi", "rate_limited")
    with pytest.raises(factory.ApiClientError) as caught:
        ask(run)
    assert json.loads(caught.value.content)["meta"]["code"] == RATE_LIMITED.code
    assert ask(run).data.id == "1"
    assert len(run.seen) == 2
