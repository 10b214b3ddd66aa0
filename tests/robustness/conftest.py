"""What the robustness tests share: the events that were written, and errorkit's last words."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from errorkit.request_id import current


@pytest.fixture(autouse=True)
def _outside_of_requests() -> None:
    """No id of a request that another test left unfinished."""
    current.set(None)


@pytest.fixture
def events() -> Iterator[list[dict[str, Any]]]:
    """The events of failing requests, as structlog's processors get them."""
    caught: list[dict[str, Any]] = []

    def catch(_logger: Any, method: str, event: dict[str, Any]) -> dict[str, Any]:
        if event["event"] == "request_failed":
            caught.append({**event, "log_level": method})
        raise structlog.DropEvent

    structlog.configure(processors=[catch])
    yield caught
    structlog.reset_defaults()


@pytest.fixture
def last_words() -> Iterator[list[str]]:
    """What errorkit wrote where even its log failed; events are none of it."""
    said: list[str] = []

    class Words(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.getMessage().startswith("errorkit: "):
                said.append(record.getMessage())

    handler = Words()
    logger = logging.getLogger("errorkit")
    logger.addHandler(handler)
    yield said
    logger.removeHandler(handler)
