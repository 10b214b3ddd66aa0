"""The frameworks' own suites, covered: what `python -m tests.peers` runs, as tests."""

from __future__ import annotations

import os

import pytest

from tests.peers.comparing import compare, list_of, table
from tests.peers.judging import judged_at, read
from tests.peers.suites import SUITES


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", SUITES)
def test_a_frameworks_own_suite_differs_only_as_listed(name: str) -> None:
    if os.environ.get("TEST_REQUIRE_ALL") != "1":
        pytest.skip(f"downloads {name}'s own suite and runs it for minutes: python -m tests.peers {name}")
    suite = SUITES[name]
    comparison = compare(suite, suite.modes, read(list_of(suite)), whole=False)
    print(table([comparison]))
    judged = judged_at(list_of(suite))
    assert comparison.ok, f"{name} {suite.version}, listed at {judged}:\n{comparison.complaints()}"
