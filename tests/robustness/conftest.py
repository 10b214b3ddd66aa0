"""What the robustness tests share: the events that were written, and where `robustness` is imported from."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs


@pytest.fixture
def events() -> Iterator[list[dict[str, Any]]]:
    """The events of failing requests; the start-up line is left out."""

    class Failures(list[dict[str, Any]]):
        def append(self, entry: dict[str, Any]) -> None:
            if entry["event"] == "request_failed":
                super().append(entry)

    structlog.reset_defaults()
    caught = Failures()
    with capture_logs() as entries:
        processor = structlog.get_config()["processors"][0]
        processor.entries = caught
        yield caught
    assert entries is not caught


@pytest.fixture
def last_words(caplog: pytest.LogCaptureFixture) -> Iterator[list[str]]:
    """What errorkit wrote where even its log failed."""

    class Words(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    said: list[str] = []
    handler = Words()
    logger = logging.getLogger("errorkit")
    logger.addHandler(handler)
    yield said
    logger.removeHandler(handler)
