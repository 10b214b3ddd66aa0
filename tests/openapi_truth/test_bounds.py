"""What no database can hold is refused as the document says, and does not crash the examples."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from errorkit.testing import assert_error
from examples.docstore.setup import load_config
from examples.fastapi_app import main as fastapi_app
from examples.flask_app import main as flask_app

ACME = {"Authorization": "Bearer acme-key"}


@pytest.fixture(name="client", scope="module", params=["fastapi", "flask"])
def _client(request: pytest.FixtureRequest) -> object:
    config = load_config(dialect="problem")
    if request.param == "fastapi":
        return TestClient(fastapi_app.create_app(config))
    return flask_app.create_app(config).test_client()


@pytest.mark.parametrize("number", [2**63, 10**30])
def test_a_number_beyond_the_databases_integers_is_no_document(client, number) -> None:  # type: ignore[no-untyped-def]
    """A finding about the path, not a crash."""
    response = client.get(f"/v1/documents/{number}", headers=ACME)
    told = assert_error(response, code="validation_failed", status=422)
    response.close()
    assert told.details[0].path == ("document_id",)


@pytest.mark.parametrize("cursor", ["p" + "9" * 30, "p\u0663"])
def test_a_cursor_beyond_them_was_not_given_out(client, cursor) -> None:  # type: ignore[no-untyped-def]
    """Too long, or of other digits than the service writes."""
    response = client.get(f"/v1/projects?cursor={cursor}", headers=ACME)
    assert_error(response, code="invalid_cursor", status=400)
    response.close()
