"""`errorkit.testing.Traffic`: values of header fields, and the fixture that docs/testing.md shows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from errorkit import ServiceUnavailableError
from errorkit.fastapi import install, raises
from errorkit.publish.recorded_traffic import Exchange
from errorkit.testing import Traffic

pytest_plugins = ["pytester"]

PAGE = Path(__file__).parents[2] / "docs" / "testing.md"
SERVICE = """
from fastapi import FastAPI
from fastapi.testclient import TestClient
from errorkit import ConflictError
from errorkit.fastapi import install, raises

app = FastAPI()
install(app)

@app.get("/declared")
@raises(ConflictError)
def declared():
    raise ConflictError

@app.get("/undeclared")
def undeclared():
    raise ConflictError
"""


def faults(schema: dict[str, Any], sent: str) -> list[str]:
    """Of a service whose document describes X-Wait by this schema."""
    app = FastAPI()
    install(app)

    @app.get("/")
    @raises(ServiceUnavailableError)
    def busy() -> None:
        raise ServiceUnavailableError(headers={"X-Wait": sent})

    document = app.openapi()
    document["paths"]["/"]["get"]["responses"]["503"]["headers"]["X-Wait"] = {"schema": schema}
    traffic = Traffic(document)
    TestClient(traffic.asgi(app)).get("/")
    assert [exchange.status for exchange in traffic.exchanges] == [503]
    return traffic.faults()


@pytest.mark.parametrize(
    ("schema", "sent", "words"),
    [
        ({"type": "integer"}, "12", None),
        ({"type": "integer", "maximum": 10}, "12", "12 is greater than the maximum of 10"),
        ({"type": "integer"}, "Fri, 31 Jan 2031 12:00:00 GMT", "is not of type 'integer'"),
        ({"type": "string", "pattern": "^[0-9]+$"}, "12", None),
        ({"type": "string", "pattern": "^[0-9]+$"}, "soon", "'soon' does not match"),
    ],
)
def test_a_header_field_is_held_against_its_schema(schema: dict[str, Any], sent: str, words: str | None) -> None:
    """As text, or as the number that the document promises."""
    found = faults(schema, sent)
    if words is None:
        assert found == []
    else:
        (fault,) = found
        assert fault.startswith("GET /: 503: header X-Wait: ")
        assert words in fault


def test_an_answer_before_an_exception_is_recorded() -> None:
    """Starlette answers a crash itself and lets the exception go on to the server."""
    app = FastAPI()

    @app.get("/")
    def crash() -> None:
        raise ZeroDivisionError

    traffic = Traffic(app.openapi)
    assert TestClient(traffic.asgi(app), raise_server_exceptions=False).get("/").status_code == 500
    assert traffic.faults() == ["GET /: no response 500 is described; it was 'Internal Server Error'"]


@pytest.mark.parametrize(
    ("described", "fault"),
    [
        ("application/problem+json", None),
        ("Application/Problem+JSON; charset=utf-8", None),
        ("application/*", None),
        ("*/*", None),
        ("application/json", "GET /: 503 is application/problem+json; described are application/json"),
        ("text/*", "GET /: 503 is application/problem+json; described are text/*"),
    ],
)
def test_a_media_type_is_compared_as_openapi_means_it(described: str, fault: str | None) -> None:
    """Ranges hold; letter case and parameters do not count."""
    document = {"paths": {"/": {"get": {"responses": {"503": {"content": {described: {}}}}}}}}
    traffic = Traffic(document)
    traffic.exchanges.append(Exchange("GET", "/", 503, {"content-type": "application/problem+json"}, b"{}"))
    assert traffic.faults() == ([] if fault is None else [fault])


@pytest.mark.parametrize(
    ("path", "outcome", "words"),
    [
        ("/declared", {"passed": 1, "errors": 0}, ""),
        ("/undeclared", {"passed": 1, "errors": 1}, "*GET /undeclared: no response 409 is described*"),
    ],
)
def test_the_fixtures_of_the_page_judge_a_whole_suite(
    pytester: pytest.Pytester, path: str, outcome: dict[str, int], words: str
) -> None:
    """Copied as they stand into a conftest.py; the suite ends with an error where something is undeclared."""
    (fixtures,) = re.findall(r"^```python\n(import pytest\n.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    pytester.makeconftest(SERVICE + fixtures)
    pytester.makepyfile(f"def test_it(client):\n    assert client.get({path!r}).status_code == 409\n")
    result = pytester.runpytest("-p", "no:cacheprovider")
    result.assert_outcomes(**outcome)
    result.stdout.fnmatch_lines([words] if words else ["*1 passed*"])
