"""What to do next: declared, derived, and told wherever an error is."""

from __future__ import annotations

import json

import pytest
from fastapi import FastAPI

from described import openapi_of
from errorkit import APIError, Catalog, ConflictError
from errorkit.actions import ADVICE, derived
from errorkit.config import ConfigurationError
from errorkit.dialects import get_dialect
from errorkit.errors import STANDARD
from errorkit.fastapi import errors, install
from errorkit.publish import Options, generate


class Shelved(ConflictError):
    """The order is shelved until somebody looks at it."""

    code = "shelved"
    action = "escalate"


CATALOG = Catalog([Shelved])


def test_a_class_that_says_nothing_has_the_action_of_its_status() -> None:
    found = {spec.code: spec.action for spec in Catalog()}
    assert {code for code, action in found.items() if action == "retry"} == {
        cls.code for cls in STANDARD if cls.retryable
    }
    assert (found["unauthenticated"], found["payment_required"]) == ("authenticate", "pay")
    assert (found["forbidden"], found["not_implemented"]) == ("escalate", "escalate")
    assert (found["not_found"], found["validation_failed"]) == ("fix_request", "fix_request")


def test_every_status_has_one() -> None:
    assert {derived(status, retryable=False) for status in range(400, 600)} == set(ADVICE) - {"retry"}


def test_an_action_that_there_is_not_is_refused_where_it_is_declared() -> None:
    with pytest.raises(
        ConfigurationError, match=r"action.*'panic'.*use retry, fix_request, authenticate, pay, escalate"
    ):
        type("Panic", (APIError,), {"code": "panic", "action": "panic"})


@pytest.mark.parametrize("words", ["docs html", "docs markdown", "export", "agents"])
def test_what_is_published_tells_it(words: str) -> None:
    files = generate(words, CATALOG, get_dialect("problem"), Options(title="Shop"))
    page = next((text for name, text in files.items() if "shelved" in name), files[next(iter(files))])
    if words == "export":
        page = json.dumps(next(each for each in json.loads(page)["errors"] if each["code"] == "shelved"))
    assert "escalate" in page
    assert words == "export" or ADVICE["escalate"].words in page


def test_openapi_tells_it_by_code() -> None:
    app = FastAPI()
    install(app, dialect="problem", catalog=CATALOG)

    @app.get("/orders", responses=errors(Shelved, ConflictError))
    def orders() -> None:
        """Nothing."""

    response = openapi_of(app)["paths"]["/orders"]["get"]["responses"]["409"]
    assert response["x-errorkit-actions"] == {"shelved": "escalate", "conflict": "fix_request"}


def test_the_page_for_agents_is_the_same_as_its_json() -> None:
    files = generate("agents", CATALOG, get_dialect("openai"), Options(title="Shop | <b>"))
    document = json.loads(files["errors.json"])
    assert document["service"] == "Shop | <b>"
    (shelved,) = [each for each in document["errors"] if each["code"] == "shelved"]
    assert shelved == {
        "code": "shelved",
        "status": 409,
        "action": "escalate",
        "turn": "service",
        "meaning": "The order is shelved until somebody looks at it.",
        "resolution": shelved["resolution"],
        "retry_after": None,
    }
    lines = files["errors.md"].splitlines()
    assert lines[0] == "# Errors of Shop \\| &lt;b>"
    assert sum(line.startswith("| `") for line in lines) == len(ADVICE) + len(document["errors"])
