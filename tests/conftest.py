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
