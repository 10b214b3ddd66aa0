"""What examples and pages make of a catalogue's rarer declarations."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from errorkit import APIError, Catalog, ServiceUnavailableError, ValidationError
from errorkit.dialects import get_dialect
from errorkit.errors import Example
from errorkit.publish import Options
from errorkit.publish.reference import html, markdown
from errorkit.publish.reference.mount import ReferenceASGI
from errorkit.publish.reference.sample_request import sample
from errorkit.publish.wire_example import example

PROBLEM = get_dialect("problem")


def finding(bad: str, fixed: str) -> dict[str, Any] | None:
    """The one finding in the example of a validation error whose author shows this pair."""
    pair = Example("A pair", bad, fixed)
    cls = type("Refused", (ValidationError,), {"code": "refused", "examples": (pair,)})
    catalog = Catalog([cls])
    body = json.loads(example(catalog, catalog.by_code("refused"), PROBLEM, Options()).body)
    (found,) = body["errors"]
    return {"pointer": found["pointer"], "code": found["code"], "detail": found["detail"]}


@pytest.mark.parametrize(
    ("bad", "fixed", "pointer", "code", "detail"),
    [
        ('{"a": 1}', '{"a": 1, "b": 2}', "#/b", "missing_field", "Field required"),
        ('{"a": {"b": 1}}', '{"a": {"b": 2}}', "#/a/b", "invalid_value", "Input is invalid"),
        ('{"a": "x"}', '{"a": 1}', "#/a", "invalid_value", "Input should be a valid integer"),
        ('{"a": 1}', '{"a": true}', "#/a", "invalid_value", "Input should be a valid boolean"),
        ('{"a": 1}', '{"a": null}', "#/a", "invalid_value", "Input is invalid"),
        ('{"a": [1, "x", 3]}', '{"a": [1, 2, 4]}', "#/a/1", "invalid_value", "Input should be a valid integer"),
        ('{"a": {"b": 1}, "c": 1}', '{"a": {"b": 1}, "c": 2}', "#/c", "invalid_value", "Input is invalid"),
        ("[1]", "[2]", "#/0", "invalid_value", "Input is invalid"),
        ('{"a": [1]}', '{"a": [1, 2]}', "#/a", "invalid_value", "Input is invalid"),
        ('{"a": 1, "b": 2}', '{"a": 1}', "#/b", "invalid_value", "Extra inputs are not permitted"),
        ('{"a": [1]}', '{"a": [1]}', "#/name", "missing_field", "Field required"),
        ("name=", "name=x", "#/name", "missing_field", "Field required"),
    ],
)
def test_the_example_of_a_validation_error_says_what_its_pair_differs_in(
    bad: str, fixed: str, pointer: str, code: str, detail: str
) -> None:
    """The first difference, in pydantic's words; a plausible one where the pair tells none or is no JSON."""
    assert finding(bad, fixed) == {"pointer": pointer, "code": code, "detail": detail}


@pytest.mark.parametrize(
    ("bad", "line"),
    [
        ("DELETE /jobs/7", "DELETE /jobs/7 HTTP/1.1"),
        ("GET /jobs?limit=ten", "GET /jobs?limit=ten HTTP/1.1"),
        ('{"state": "gone"}', "PATCH /jobs/1 HTTP/1.1"),
    ],
)
def test_the_request_of_an_example_is_the_one_that_its_author_shows(bad: str, line: str) -> None:
    """A request line, or a body sent to the operation that declares the error, by its own method."""

    class Stuck(APIError):
        code, status, examples = "stuck", 409, (Example("Stuck", bad, bad),)

    catalog = Catalog([Stuck])
    options = Options(operations={"stuck": [("PATCH", "/jobs/{id}")]})
    assert sample(catalog, catalog.by_code("stuck"), PROBLEM, options).text("host").startswith(line)


def retry_words(**declared: Any) -> tuple[str, str]:
    """What the page and the Markdown of an error say about another attempt."""
    cls = type("Busy", (ServiceUnavailableError,), {"code": "busy", "default_retry_after": None, **declared})
    catalog, options = Catalog([cls]), Options(max_retry_wait=30)
    page = re.sub(r"<[^>]+>", "", html(catalog, PROBLEM, options)["busy/index.html"])
    return page, markdown(catalog, PROBLEM, options)["busy.md"]


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        ({}, "Yes, with pauses that grow from one attempt to the next."),
        ({"default_retry_after": 1}, "Yes, after the time that Retry-After gives (by default 1 second)."),
        ({"default_retry_after": 9}, "Yes, after the time that Retry-After gives (by default 9 seconds)."),
        ({"default_retry_after": 90}, "Not by itself: the wait is longer than 30 seconds."),
        ({"retryable": False}, "No. The same request fails again; change it first."),
    ],
)
def test_a_page_says_whether_and_when_to_try_again(declared: dict[str, Any], words: str) -> None:
    """By verdict, wait and the longest wait that is advised."""
    for text in retry_words(**declared):
        assert words in text


def test_the_headers_of_a_dialect_are_explained_on_the_page() -> None:
    """Its header for the code, too."""
    page = html(Catalog(), get_dialect("azure"), Options())["not_found/index.html"]
    described = dict(re.findall(r"<dt><code>([\w-]+)[^<]*</code></dt>\s*<dd>([^<]*)", page))
    assert described.get("x-ms-error-code", "").startswith("The stable name of the error."), described


def test_the_reference_refuses_websockets_and_leaves_the_lifespan_alone() -> None:
    """It serves pages; whoever opens a WebSocket is told at once."""
    client = TestClient(Starlette(routes=[Mount("/errors", ReferenceASGI())]))
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/errors/not_found"):
        pass

    async def send(message: dict[str, Any]) -> None:
        raise AssertionError(message)

    asyncio.run(ReferenceASGI()({"type": "lifespan"}, None, send))  # type: ignore[arg-type]


def test_a_code_called_index_does_not_hide_the_index() -> None:
    """HTML has a place for both, Markdown does not and says so."""

    class Index(APIError):
        code, status = "index", 409

    catalog = Catalog([Index])
    files = html(catalog, PROBLEM, Options())
    assert {"index.html", "index/index.html"} <= files.keys()
    with pytest.raises(ValueError, match=r"the code 'index' would be index\.md"):
        markdown(catalog, PROBLEM, Options())


def test_an_example_of_a_service_that_negotiates_is_in_the_services_own_form() -> None:
    """Its header says that the answer varies; the page of a code shows it as it is sent."""
    catalog, openai = Catalog(), get_dialect("openai")
    shown = example(catalog, catalog.by_code("conflict"), openai, Options(negotiate=True))
    assert ("Vary", "Accept") in shown.headers
    assert json.loads(shown.body)["error"]["code"] == "conflict"
