"""The failures of the demonstration, in every dialect, are ones that the documents describe."""

from __future__ import annotations

from typing import Any

import pytest
from openapi_spec_validator import validate

from described import openapi_of
from driving import asgi, wsgi
from errorkit.dialects import PRESETS
from errorkit.testing import Traffic
from examples.demo.steps import STEPS
from examples.docstore.setup import load_config
from examples.fastapi_app import main as fastapi_app
from examples.flask_app import main as flask_app

FAILING = [step for step in STEPS if step.status >= 400]


@pytest.mark.parametrize("dialect", PRESETS)
@pytest.mark.parametrize("kind", ["fastapi", "flask"])
def test_what_is_sent_is_what_is_described(kind: str, dialect: str) -> None:
    """The document is valid, and no status, header field or body of a failure is outside of it."""
    config = load_config(dialect=dialect)
    app: Any = fastapi_app.create_app(config) if kind == "fastapi" else flask_app.create_app(config)
    document = openapi_of(app)
    validate(document)
    traffic = Traffic(document)
    for step in FAILING:
        for _ in range(step.repeat):
            body = (step.body or "").encode()
            if kind == "fastapi":
                asgi(traffic.asgi(app), step.method, step.path, step.fields.items(), body=body)
            else:
                wsgi(traffic.wsgi(app), step.method, step.path, step.fields.items(), body)
    assert len(traffic.exchanges) == len(FAILING)
    assert traffic.faults() == []
