"""Clients generated from the examples' catalogue, against the examples behind their usual servers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from serving import Contract, compiled, importable, module, run_in_node, write

from examples.demo.server import GUNICORN, UVICORN
from examples.demo.server import Server as ExampleServer
from examples.demo.steps import ACME, ACME_JSON, STEPS, Step
from examples.docstore.errors import CATALOG
from examples.fastapi_app.main import app

pytestmark = pytest.mark.timeout(300)  # the first run installs programs from npm


class Example(NamedTuple):
    """A running example and its client."""

    url: str
    contract: Contract
    root: Path


EVERY_STEP = (
    *(step for step in STEPS if step.status >= 400),
    Step("A cursor made up", "GET", "/v1/projects?cursor=7", 400, "invalid_cursor"),
    Step("Another tenant's project", "GET", "/v1/projects/plans", 404, "project_not_found"),
    Step("Published before", "POST", "/v1/documents/2/publication", 409, "already_published"),
    Step("Deleted", "GET", "/v1/documents/5", 410, "document_deleted"),
    Step("Locked", "DELETE", "/v1/documents/3", 423, "document_locked"),
    Step("Withheld", "GET", "/v1/documents/4", 451, "document_withheld"),
    Step("A translator that is silent", "GET", "/v1/documents/1/translation?to=tlh", 504, "translator_timeout"),
    Step("Not a text", "PUT", "/v1/documents/1/text", 415, "unsupported_media_type", ACME_JSON, "{}"),
    Step("No such route", "GET", "/v2/projects", 404, "not_found", ACME),
)


@pytest.fixture(
    name="example", scope="module", params=[(UVICORN, "problem"), (GUNICORN, "openai")], ids=lambda p: p[0][0]
)
def _example(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    command, dialect = request.param
    contract = Contract(dialect, CATALOG, {"prefix": "Docstore", "directory": f"docstore_{dialect}"})
    root = tmp_path_factory.mktemp("example")
    write(contract.files, root)
    with importable(root), ExampleServer(command, ERRORKIT_DIALECT=dialect, HOME=str(root)) as server:
        yield Example(server.url(), contract, root)


def test_the_steps_cover_the_catalogue() -> None:
    """Every error that the examples declare is provoked by a request."""
    own = {spec.code for spec in CATALOG if spec.cls.__module__ == "examples.docstore.errors"}
    assert own <= {step.code for step in EVERY_STEP}


def test_the_steps_cover_what_the_document_promises() -> None:
    """Also of the standard errors: every code that the OpenAPI document of the application names."""
    operations = [one for path in app.openapi()["paths"].values() for one in path.values()]
    contents = [r.get("content", {}) for one in operations for r in one["responses"].values()]
    codes = {code for content in contents for media in content.values() for code in media.get("examples", ())}
    assert {"internal", "rate_limited", "version_mismatch"} <= codes
    assert codes <= {step.code for step in EVERY_STEP}


def test_python_catches_every_failure_by_its_class(example: Example) -> None:
    """Class, code and status of the last request of each step."""
    transport = module(example.contract, "transport")
    errors = module(example.contract, "errors")
    once = transport.Transport(httpx.HTTPTransport(verify=False), retry=transport.RetryPolicy(attempts=1))
    with httpx.Client(base_url=example.url, transport=once, timeout=30) as client:
        for step in EVERY_STEP:
            caught = None
            for _ in range(step.repeat):
                try:
                    client.request(step.method, step.path, headers=dict(step.fields), content=step.body)
                except errors.DOCUMENTED as error:
                    caught = error
            assert caught is not None, step.title
            assert type(caught).__name__ == example.contract.classes[step.code], step.title
            assert caught.code == step.code
            assert caught.request_id == caught.headers["x-request-id"]


def test_typescript_catches_every_failure_by_its_class(example: Example, tmp_path: Path) -> None:
    """The same in Node."""
    steps = [step for step in EVERY_STEP for _ in range(step.repeat)]
    cases = [
        {
            "package": example.contract.package,
            "url": example.url + step.path,
            "options": {"retry": {"attempts": 1}},
            "init": {"method": step.method, "headers": dict(step.fields)} | ({"body": step.body} if step.body else {}),
        }
        for step in steps
    ]
    results = run_in_node(compiled(example.root), cases, tmp_path)
    last = {step.title: (step, result) for step, result in zip(steps, results, strict=True)}
    for step, result in last.values():
        assert (result["raised"], result["code"]) == (example.contract.classes[step.code], step.code), step.title
        assert result["documented"] is True
