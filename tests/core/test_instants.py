"""Instants as text, whatever zone they are told in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from errorkit.retry import rfc3339


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(0)), timezone(timedelta(hours=2))], ids=str)
def test_an_instant_is_told_in_utc(zone: timezone) -> None:
    """RFC 3339 with a Z, without fractions."""
    instant = datetime(2026, 1, 31, 12, 0, 0, 999_999, tzinfo=UTC)
    assert rfc3339(instant.astimezone(zone)) == "2026-01-31T12:00:00Z"
