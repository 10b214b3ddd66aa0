"""The example services declare what they raise, and their document tells it."""

from __future__ import annotations

import pytest
from openapi_spec_validator import validate
from typer.testing import CliRunner

from errorkit.cli import app
from requirements import since

since("starlette", "1.6")  # the FastAPI example limits bodies by Starlette's own middleware


@pytest.mark.parametrize(
    ("target", "operations"), [("examples.fastapi_app.main:app", 15), ("examples.flask_app.main:create_app", 14)]
)
def test_an_example_has_no_fault_and_nothing_that_could_not_be_followed(target: str, operations: int) -> None:
    """The same domain behind both frameworks, through its store, its limiter and its upstream."""
    result = CliRunner().invoke(app, ["check", target, "--package", "examples", "--strict"], env={"COLUMNS": "200"})
    assert f"{operations} operations: 0 faults, 0 not followed" in result.output
    assert result.exit_code == 0


def test_the_fastapi_example_describes_every_error_of_its_domain() -> None:
    """Each of its own codes is named by an operation, in a valid document."""
    from examples.docstore.errors import CATALOG
    from examples.fastapi_app.main import app as service

    document = service.openapi()
    validate(document)
    named = {
        code
        for operations in document["paths"].values()
        for operation in operations.values()
        for response in operation["responses"].values()
        for media in response.get("content", {}).values()
        for code in media.get("examples", {})
    }
    assert {spec.code for spec in CATALOG if spec.cls.__module__ == "examples.docstore.errors"} <= named
