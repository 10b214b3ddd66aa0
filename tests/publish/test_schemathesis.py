"""Schemathesis, as a stranger to errorkit, finds no response of the example outside its document."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

schemathesis = pytest.importorskip("schemathesis")

from schemathesis.specs.openapi.checks import (  # noqa: E402
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from examples.docstore.setup import load_config  # noqa: E402
from examples.fastapi_app.main import create_app  # noqa: E402

CHECKS = (
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)
DOCUMENT = schemathesis.openapi.from_asgi("/openapi.json", create_app(load_config()))
OPERATIONS = [found.ok() for found in DOCUMENT.get_all_operations()]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_every_response_is_in_the_document(operation: Any) -> None:
    """Status, media type, headers and body of whatever generated requests get, with and without a key."""

    @settings(max_examples=15, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(
        case=operation.as_strategy(), key=st.sampled_from(["Bearer acme-key", "Bearer globex-key", "Bearer x", None])
    )
    def hold(case: Any, key: str | None) -> None:
        if key is not None:
            case.headers = {**(case.headers or {}), "Authorization": key}
        case.validate_response(case.call(), checks=CHECKS)

    hold()
