"""Fixtures that all tests share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from errorkit.request_id import current


@pytest.fixture(name="log")
def _log() -> Iterator[list[dict[str, Any]]]:
    """Every structlog event of the test, as the processors would get it."""
    with capture_logs() as events:
        yield events


@pytest.fixture(autouse=True)
def _no_request() -> None:
    """A test client that leaves a response open, as no server does, leaves its request current: end it."""
    current.set(None)
