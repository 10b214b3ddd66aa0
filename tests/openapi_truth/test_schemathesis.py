"""Requests made up from the OpenAPI documents of both examples get no answer outside of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from described import openapi_of
from errorkit.testing import Traffic
from examples.docstore.setup import load_config
from examples.fastapi_app import main as fastapi_app
from examples.flask_app import main as flask_app
from requirements import require_module

schemathesis = require_module("schemathesis")
checks = require_module("schemathesis.specs.openapi.checks")
failures = require_module("schemathesis.core.failures")

WITHIN_THE_DOCUMENT = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
KEYS = ("acme-key", "acme-key", "acme-key", "globex-key", "acme-read-key", "hooli-key", "initech-key", "guess")
KNOWN = {"slug": ("handbook", "empty", "plans", "only"), "ref": range(1, 8), "document_id": range(1, 8)}
"""Values of path parameters that exist, so that more is answered than 404."""
KNOWN_OR_NOT = st.fixed_dictionaries({name: st.none() | st.sampled_from(values) for name, values in KNOWN.items()})
BOUNDED = settings(
    max_examples=8,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
OFTEN = {200, 401, 403, 404, 410, 422, 429}
"""Statuses that a run cannot fail to meet."""


class Example:
    """One service in process, its error traffic recorded, and its document as schemathesis reads it."""

    def __init__(self, kind: str, without: str = "") -> None:
        config = load_config(dialect="problem")
        app: Any = fastapi_app.create_app(config) if kind == "fastapi" else flask_app.create_app(config)
        document = openapi_of(app)
        for operation in document["paths"]["/v1/documents/{ref}"].values() if without else ():
            if isinstance(operation, dict):
                operation["responses"].pop(without)
        self.traffic = Traffic(document)
        self.schema = schemathesis.openapi.from_dict(document)
        self.schema.app = self.traffic.asgi(app) if kind == "fastapi" else self.traffic.wsgi(app)
        self.met: set[int] = set()

    def operations(self) -> Iterator[Any]:
        for result in self.schema.get_all_operations():
            yield result.ok()

    def send(self, case: Any, key: str, known: dict[str, Any]) -> None:
        """One made-up request of a known caller, often for something that exists."""
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {key}"}
        case.path_parameters = {name: known.get(name) or value for name, value in (case.path_parameters or {}).items()}
        if case.operation.path.endswith("/export") and case.path_parameters["slug"] == "handbook":
            return  # cut off half way on purpose, see test_a_plain_stream_that_dies_is_visibly_cut
        response = case.call()
        self.met.add(response.status_code)
        case.validate_response(response, checks=WITHIN_THE_DOCUMENT)


def modes(operation: Any) -> list[Any]:
    """What fits the document; also what does not, where anything does not."""
    plain = operation.path.startswith("/v1/projects/{slug}") and operation.method == "get"
    wanted = schemathesis.GenerationMode
    return [wanted.POSITIVE] if plain else [wanted.POSITIVE, wanted.NEGATIVE]


def explore(example: Example, operation: Any) -> None:
    """A bounded number of requests to one operation, the same in every run."""
    for mode in modes(operation):
        cases = operation.as_strategy(generation_mode=mode)
        check = given(case=cases, key=st.sampled_from(KEYS), known=KNOWN_OR_NOT)(example.send)
        seed(6)(BOUNDED(check))()


@pytest.mark.parametrize("kind", ["fastapi", "flask"])
def test_no_response_is_outside_the_document(kind: str) -> None:
    """Status, media type, headers and schema of every answer, by schemathesis' judgement and by `Traffic`'s."""
    example = Example(kind)
    for operation in example.operations():
        explore(example, operation)
    example.traffic.assert_described()
    assert example.met >= OFTEN


def test_a_response_outside_the_document_is_found() -> None:
    """The same requests, held against a document that lacks what a route declares."""
    example = Example("flask", without="404")
    operation = next(one for one in example.operations() if one.label == "GET /v1/documents/{ref}")
    with pytest.raises(failures.FailureGroup, match="Received: 404"):
        explore(example, operation)
    assert any("no response 404 is described" in fault for fault in example.traffic.faults())
