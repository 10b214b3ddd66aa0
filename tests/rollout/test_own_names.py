"""Standard codes under the team's own names: in the catalogue, once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from errorkit import APIError, Catalog, NotFoundError
from errorkit.config import Config, ConfigurationError
from errorkit.dialects.problem import Problem
from errorkit.errors import InternalError
from errorkit.fastapi import install, raises
from errorkit.publish import Options
from errorkit.publish.export import export
from errorkit.publish.reference import markdown
from errorkit.testing import RecordedFailures

DOCS = "https://errors.example.com/{code}"


class Mine(InternalError):
    """A failure nobody declared."""

    code = "internal_error"


class NoRow(NotFoundError):
    """There is no such row."""

    code, answers_for_standard = "no_row", True


def ask(path: str, **settings: Any) -> tuple[int, str, str, str]:
    """Status, code and the last segment of type in the body, and the event's code."""
    app = FastAPI()
    failures = RecordedFailures()
    install(app, docs_url=DOCS, on_failure=failures, **settings)

    @app.get("/crash")
    def crash() -> None:
        raise ZeroDivisionError

    @app.get("/standard")
    @raises(InternalError, NotFoundError)
    def standard() -> None:
        raise InternalError

    client = TestClient(app, raise_server_exceptions=False)
    reply = client.get(path)
    body = reply.json()
    assert client.get("/openapi.json").json()["paths"]["/standard"]["get"]["responses"]["500"]
    return reply.status_code, body["code"], body["type"].rpartition("/")[2], failures.only().private.code


@pytest.mark.parametrize(
    "catalog",
    [
        Catalog(rename={"internal": "internal_error", "not_found": "no_row"}),
        [Mine, NoRow],
        Catalog([NoRow], rename={"internal": "internal_error"}),
    ],
)
def test_body_type_and_event_say_the_same(catalog: Any) -> None:
    """What a framework brings, a crash, and the standard class itself."""
    assert ask("/crash", catalog=catalog) == (500, *["internal_error"] * 3)
    assert ask("/standard", catalog=catalog) == (500, *["internal_error"] * 3)
    assert ask("/nowhere", catalog=catalog) == (404, *["no_row"] * 3)
    known = Config(catalog=catalog).catalog
    assert "internal" not in known
    assert "not_found" not in known
    assert known.by_status(500).code == "internal_error"


def test_a_dialects_own_name_is_in_the_link_too() -> None:
    """One spelling in the body, and a page under it."""
    dialect = Problem(renames={"internal": "internal_error"})
    assert ask("/crash", dialect=dialect)[1:3] == ("internal_error", "internal_error")
    files = markdown(Catalog(), dialect, Options())
    assert files["internal_error.md"] == files["internal.md"]


def test_what_is_published_follows() -> None:
    """The export and the reference have the one name."""
    catalog = Catalog(rename={"internal": "internal_error"})
    told = json.dumps(export(catalog, Problem(), Options(docs_url=DOCS)), default=str)
    assert '"internal_error"' in told
    assert '"internal"' not in told
    assert "internal_error.md" in markdown(catalog, Problem(), Options())


def test_a_subclass_with_words_of_its_own_is_no_crash() -> None:
    """Nor is one of several, nor one of another standard error: it says so itself, or it is an error beside."""

    class Broken(InternalError):
        code, message = "broken", "The index is broken."

    class Other(InternalError):
        code = "other"

    class Row(NotFoundError):
        code = "row"

    for listed in ([Broken], [Mine, Other], [Row]):
        known = Catalog(listed)
        assert known.by_status(500).code == "internal"
        assert known.by_status(404).code == "not_found"


@pytest.mark.parametrize(
    ("rename", "problem"),
    [
        ({"intrnal": "x"}, "did you mean 'internal'"),
        ({"internal": "Internal-Error"}, "a code is lower snake case"),
        ({"internal": "not_found"}, "declared by errorkit.errors.NotFoundError and by errorkit.errors.InternalError"),
        ({"not_found": "internal"}, "declared by"),
        ({"internal": 3}, "a code is lower snake case"),
    ],
)
def test_wrong_names_fail_at_once(rename: dict[str, Any], problem: str) -> None:
    """Unknown, unfit, taken."""
    with pytest.raises(ConfigurationError, match=problem):
        Catalog(rename=rename)


def test_two_that_answer_for_one_fail_at_once() -> None:
    """As does one of another status, and a name beside a class."""

    class Also(NotFoundError):
        code, answers_for_standard = "also", True

    class Nothing(APIError):
        code, status, answers_for_standard = "nothing", 404, True

    with pytest.raises(ConfigurationError, match="let one of them say so"):
        Catalog([NoRow, Also])
    with pytest.raises(ConfigurationError, match="derives from no standard error"):
        Catalog([Nothing])
    with pytest.raises(ConfigurationError, match="leave one of the two"):
        Catalog([NoRow], rename={"not_found": "absent"})
