"""Fixtures that all tests share; and what errorkit renders in any of them, held against OpenAPI."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import pytest
from structlog.testing import capture_logs

from errorkit import events
from errorkit.request_id import current
from recording import RECORDER, TOLD

_recorded: Counter[str] = Counter()
"""By what is remarkable about responses: of all processes that ran tests."""


def pytest_configure() -> None:
    """Record from the start."""
    with NamedTemporaryFile(prefix="recorded-", delete=False) as file:
        os.environ[TOLD] = file.name
    RECORDER.start()


def pytest_unconfigure() -> None:
    """Errorkit as it was."""
    RECORDER.stop()
    Path(os.environ.pop(TOLD)).unlink()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Any:
    """What is rendered from now on belongs to this test."""
    RECORDER.folder = item.path.parent.name
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Any:
    """The test fails if a response of it is outside of the document."""
    if item.get_closest_marker("unrecorded"):
        RECORDER.stop()
        RECORDER.counts["tests that count calls or memory, not recorded"] += 1
    try:
        result = yield
    finally:
        RECORDER.start()
    RECORDER.settle(last=False)
    return result


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown() -> Any:
    """So do its fixtures; and what could not be judged while the test had broken errorkit is judged now."""
    try:
        return (yield)
    finally:
        RECORDER.settle(last=True)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Report to the process that started this one, or to itself."""
    found = RECORDER.report()
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["recorded"] = dict(found)
    else:
        _recorded.update(found)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """One of several processes has ended."""
    _recorded.update(getattr(node, "workeroutput", {}).get("recorded", {}))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """How much was recorded, and what was not judged in full."""
    terminalreporter.section("held against errorkit's own OpenAPI")
    for what, number in _recorded.items():
        terminalreporter.write_line(f"{number:7} {what}")


@pytest.fixture(name="log")
def _log() -> Iterator[list[dict[str, Any]]]:
    """Every structlog event of the test, as the processors would get it."""
    with capture_logs() as events:
        yield events


@pytest.fixture(autouse=True)
def _no_request() -> None:
    """A test client that leaves a response open, as no server does, leaves its request current: end it.

    And what an earlier test's configuration asked of the whole process.
    """
    current.set(None)
    events._WORDLESS.clear()
