"""Fixtures that all tests share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs


@pytest.fixture(name="log")
def _log() -> Iterator[list[dict[str, Any]]]:
    """Every structlog event of the test, as the processors would get it."""
    with capture_logs() as events:
        yield events


def failures(log: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The events of failed requests."""
    return [event for event in log if event["event"] == "request_failed"]
