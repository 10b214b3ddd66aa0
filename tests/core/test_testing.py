"""`errorkit.testing`: what a service's own tests are told when an expectation fails."""

from __future__ import annotations

import json
from itertools import count
from random import Random
from typing import Any

import httpx
import pytest
from flask import Flask
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from errorkit import ConflictError, NotFoundError
from errorkit.dialects import get_dialect
from errorkit.failure import Public
from errorkit.flask import ErrorKit
from errorkit.starlette import install
from errorkit.testing import RecordedFailures, assert_error, compare_timing


def response(dialect: str = "problem", body: bytes | None = None, **headers: str | None) -> httpx.Response:
    """A good answer, some of its parts replaced; a header that is None is left out."""
    chosen = get_dialect(dialect)
    public = Public("conflict", 409, title="Conflict", message="Changed meanwhile.", request_id="req-1")
    fields: dict[str, str | None] = {
        "content_type": chosen.media_type,
        "x_content_type_options": "nosniff",
        chosen.request_id_header.lower().replace("-", "_"): "req-1",
        **chosen.headers(public),
        **headers,
    }
    sent = {name.replace("_", "-"): value for name, value in fields.items() if value is not None}
    return httpx.Response(409, headers=sent, content=body or json.dumps(chosen.write(public)).encode())


def test_an_error_of_any_framework_is_read() -> None:
    """Starlette's and Flask's test clients alike; what it says is given back."""

    def fail(*_: Any) -> Any:
        raise ConflictError("Changed meanwhile.")

    app = Starlette(routes=[Route("/", fail)])
    install(app, dialect="openai")
    public = assert_error(TestClient(app).get("/"), code="conflict", status=409, dialect="openai")
    assert public.message == "Changed meanwhile."
    flask = Flask("things")
    ErrorKit(flask)
    flask.get("/")(fail)
    assert_error(flask.test_client().get("/"), code="conflict", message="Changed meanwhile.")


@pytest.mark.parametrize(
    ("changes", "expected", "words"),
    [
        ({}, {"code": "gone"}, "code is 'conflict', expected 'gone'"),
        ({}, {"status": 404}, "status is 409, expected 404"),
        ({}, {"message": "No."}, "message is 'Changed meanwhile.', expected 'No.'"),
        (
            {"content_type": "text/html; charset=utf-8"},
            {},
            "content-type is 'text/html', expected 'application/problem.json'",
        ),
        ({"x_content_type_options": None}, {}, "x-content-type-options is None, expected 'nosniff'"),
        ({"x_request_id": None}, {}, "the response has no X-Request-ID"),
        ({"x_request_id": "req-2"}, {}, "request_id is 'req-1', expected 'req-2'"),
        ({"body": b"{oops"}, {}, r"the body is not JSON .*: b'{oops'"),
    ],
)
def test_what_differs_is_named(changes: dict[str, Any], expected: dict[str, Any], words: str) -> None:
    """With what was found and what was expected."""
    with pytest.raises(AssertionError, match=words):
        assert_error(response(**changes), **{"code": "conflict", **expected})


def test_a_success_is_no_error() -> None:
    """Any status from 400 to 599 is."""
    with pytest.raises(AssertionError, match=r"status is 200, expected 400\.\.599"):
        assert_error(httpx.Response(200, json={}), code="conflict")


def test_a_dialect_is_asked_for_no_more_than_it_carries() -> None:
    """One without code and request ID in what it reads back is held to the rest."""

    class Silent(type(get_dialect("problem"))):  # type: ignore[misc]
        carries = ("status", "message")

        def read(self, status: int, headers: Any, body: Any) -> Public:
            return Public(status=status, message=body["detail"])

    found = assert_error(response(), code="conflict", dialect=Silent(), message="Changed meanwhile.")
    assert found.code == "internal"


def test_recorded_failures_are_counted() -> None:
    """`only` gives the one there is and names all where there is not one."""
    recorded = RecordedFailures()
    routes = [Route("/a", _absent), Route("/b", _changed)]
    app = Starlette(routes=routes)
    install(app, on_failure=recorded)
    client = TestClient(app)
    with pytest.raises(AssertionError, match=r"one failure was expected, recorded were \[\]"):
        recorded.only()
    client.get("/a")
    assert recorded.only().private.code == "not_found"
    client.get("/b")
    assert recorded.codes == ["not_found", "conflict"]
    with pytest.raises(AssertionError, match=r"recorded were \['not_found', 'conflict'\]"):
        recorded.only()


def _absent(_: Any) -> Any:
    raise NotFoundError


def _changed(_: Any) -> Any:
    raise ConflictError


class Machine:
    """A clock that moves only while an operation runs, by as much as the operation takes."""

    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        return self.now

    def taking(self, *nanoseconds: int) -> Any:
        """An operation that takes these times in turn."""
        turns = count()

        def run() -> None:
            self.now += nanoseconds[next(turns) % len(nanoseconds)]

        return run


def test_operations_that_take_as_long_cannot_be_told_apart() -> None:
    """The report says so, with the figures."""
    machine = Machine()
    report = compare_timing(machine.taking(5), machine.taking(5), samples=40, clock=machine)
    assert (report.verdict, report.difference_ns) == ("indistinguishable", 0)
    assert str(report) == ("indistinguishable: AUC 0.500 (control 0.500), medians +0.00 us apart, 40 samples of each")


def test_operations_that_differ_are_told_apart() -> None:
    """Every run of the second takes longer: AUC 1."""
    machine = Machine()
    report = compare_timing(machine.taking(5), machine.taking(2005), samples=41, clock=machine)
    assert (report.verdict, report.auc, report.control) == ("distinguishable", 1.0, 0.5)
    assert (report.difference_ns, report.samples) == (2000, 41)


def test_a_machine_that_differs_from_itself_proves_nothing() -> None:
    """Where two sets of runs of the first operation are already unlike, no verdict is given."""
    machine, order = Machine(), Random(0)
    turns = [which for _ in range(40) for which in order.sample(range(3), 3) if which != 1]  # the order of seed 0
    first = machine.taking(*(1000 if which == 2 else 5 for which in turns))
    report = compare_timing(first, machine.taking(9000), samples=40, warm_up=0, clock=machine, seed=0)
    assert (report.verdict, report.auc, report.control) == ("inconclusive", 1.0, 1.0)


def test_too_few_samples_are_refused() -> None:
    """They could tell nothing."""
    with pytest.raises(ValueError, match="samples=19: use at least 20"):
        compare_timing(lambda: None, lambda: None, samples=19)
