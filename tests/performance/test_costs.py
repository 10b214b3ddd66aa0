"""What an error must not cost, counted and never timed."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import threading
from functools import partial
from typing import Any

import pytest

from benchmarks.contenders import contender_of, workload
from benchmarks.resources import kept
from benchmarks.scenarios import SCENARIOS
from counting import calls
from errorkit.config import Config
from errorkit.dialects import PRESETS
from errorkit.errors import STANDARD, APIError, ConflictError, RateLimitError, ValidationError
from errorkit.exchange import Request, Response
from errorkit.failure import Detail, Failure
from errorkit.handler import ErrorHandler

ERRORS = [
    ("starlette", "conflict"),
    ("starlette", "unmatched"),
    ("starlette", "crash"),
    ("fastapi", "conflict"),
    ("fastapi", "invalid"),
    ("fastapi", "crash"),
]
"""Framework and scenario."""


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Events are filtered out by level; structlog is left as it was found."""
    import structlog

    structlog.reset_defaults()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("critical"))
    yield
    structlog.reset_defaults()


def answer(handler: ErrorHandler, exception: BaseException) -> tuple[Response, Failure]:
    """A handler's response and what it left on the request."""
    request = Request()
    request.renderer, request.request_id = handler.renderer_for("/"), "0123456789abcdef"
    response = handler.respond(request, exception)
    assert request.failure is not None
    return response, request.failure


@pytest.mark.parametrize("dialect", PRESETS)
def test_a_further_occurrence_is_the_same_as_a_first_one(dialect: str) -> None:
    """What is prepared for an error class changes no byte, no header and no fact of its answers."""
    seasoned = ErrorHandler(Config(dialect=dialect))
    for cls in STANDARD:
        for error in (
            cls(),
            cls("one"),
            cls('two \u2013 "quoted" \ud800'),
            cls("x" * 9000),
            cls("p", param="/a"),
            cls(),
        ):
            fresh, facts = answer(ErrorHandler(seasoned.config), error)
            again, known = answer(seasoned, error)
            assert (again.status, again.headers) == (fresh.status, fresh.headers)
            if facts.public.resume_at is None:
                assert (again.body, known) == (fresh.body, facts)


def test_an_attribute_that_a_class_computes_is_asked_for_each_time() -> None:
    """A property in the place of what an instance sets is not frozen at its first value."""

    class Moody(ConflictError):
        code = "moody"
        waits = iter((3, 5))

        @property
        def retry_after(self) -> Any:  # type: ignore[override]
            return next(self.waits)

    handler = ErrorHandler(Config(dialect="openai"))
    sent = [dict(answer(handler, Moody())[0].headers)[b"retry-after"] for _ in range(2)]
    assert sent == [b"3", b"5"]


@pytest.mark.unrecorded
@pytest.mark.parametrize("dialect", PRESETS)
def test_a_rejected_request_costs_in_proportion_to_its_findings(dialect: str) -> None:
    """Twice the findings, twice the function calls: nothing is looked through again for each."""
    handler = ErrorHandler(Config(dialect=dialect))

    def rejected(findings: int) -> APIError:
        return ValidationError(details=[Detail(("items", n, "name"), "Field required") for n in range(findings)])

    answer(handler, rejected(3))
    few, some, many = (calls(lambda n=n: answer(handler, rejected(n))) for n in (10, 20, 40))  # type: ignore[misc]
    assert many - some <= 2.2 * (some - few) + 20


@pytest.mark.unrecorded
def test_no_dialect_costs_much_more_than_another() -> None:
    """Each is within half as much again of the cheapest, in function calls of a whole request."""
    cost = {}
    for dialect in PRESETS:
        contender = contender_of("starlette", "errorkit")
        contender = contender._replace(cover=partial(contender.cover, dialect=dialect))
        batch, _once = workload(contender, SCENARIOS["conflict"])
        batch(5)
        cost[dialect] = calls(lambda batch=batch: batch(20))  # type: ignore[misc]
    cheapest = min(cost.values())
    assert {name: count for name, count in cost.items() if count > 1.5 * cheapest} == {}


@pytest.mark.unrecorded
@pytest.mark.parametrize("scenario", ["ok", "conflict", "unmatched", "invalid", "crash"])
def test_an_error_in_flask_leaves_what_a_success_in_bare_flask_leaves(scenario: str) -> None:
    """Flask's own request is a cycle; errorkit adds nothing to it, and takes away what werkzeug's errors leave."""

    def left(name: str, scenario: str) -> int:
        """Objects for each request; what other threads of this process have left is no hundred."""
        batch, _once = workload(contender_of("flask", name), SCENARIOS[scenario])
        batch(60)
        gc.collect()
        gc.disable()
        try:
            batch(100)
            return gc.collect() // 100
        finally:
            gc.enable()

    assert left("errorkit", scenario) <= left("bare", "ok")


@pytest.mark.unrecorded
@pytest.mark.parametrize(("framework", "scenario"), ERRORS)
def test_an_error_leaves_nothing_for_the_garbage_collector(framework: str, scenario: str) -> None:
    """No cycle is left: what an error used is free at once."""
    batch, _once = workload(contender_of(framework, "errorkit"), SCENARIOS[scenario])
    batch(60)
    gc.collect()
    gc.disable()
    try:
        batch(100)
        assert gc.collect() == 0
    finally:
        gc.enable()


@pytest.mark.parametrize("framework", ["starlette", "fastapi", "flask"])
def test_errors_do_not_make_the_process_grow(framework: str) -> None:
    """After six thousand errors of several kinds as much is allocated as after a few, but for a constant."""
    assert kept(framework, "errorkit", 6000).bytes_per_error < 4  # one small object per error would be ten times that


@pytest.mark.unrecorded
@pytest.mark.parametrize(("framework", "scenario"), ERRORS)
def test_no_error_is_answered_in_a_thread(framework: str, scenario: str) -> None:
    """A handler that is no coroutine would be sent to a thread pool, at ten times the cost of the request."""
    started: list[str] = []

    def note(*_arguments: Any) -> None:
        started.append(threading.current_thread().name)

    threading.setprofile(note)
    try:
        batch, once = workload(contender_of(framework, "errorkit"), SCENARIOS[scenario])
        assert once().status == SCENARIOS[scenario].status
        batch(3)
    finally:
        threading.setprofile(None)  # type: ignore[arg-type]
    assert not started


@pytest.mark.parametrize("modules", ["errorkit", "errorkit, errorkit.asgi", "errorkit, errorkit.wsgi"])
def test_an_import_loads_no_framework_and_no_models(modules: str) -> None:
    """A service that imports errorkit pays for structlog and pydantic's core, not for what it does not use."""
    code = f"import sys, json, {modules}; print(json.dumps(sorted(sys.modules)))"
    loaded = set(json.loads(subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True).stdout))
    assert not loaded & {"fastapi", "flask", "werkzeug", "starlette", "pydantic.main", "asyncio"}


def test_a_filtered_event_is_not_even_built() -> None:
    """The level is asked for before a field of the event is made."""
    handler = ErrorHandler(Config())

    class Untold(Request):
        @property
        def path(self) -> str:
            raise AssertionError("the event is built")

    request = Untold()
    request.renderer, request.request_id = handler.renderer_for("/"), "r1"
    handler.respond(request, RateLimitError())
    assert request.failure is not None
    handler.events.record(request, request.failure)
