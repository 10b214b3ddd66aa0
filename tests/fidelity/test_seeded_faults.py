"""The twins can fail: a fault that is seeded into an adapter is told as a difference."""

from __future__ import annotations

import pytest

from fidelity import asgi_faults, exchange_faults, starlette_faults, wsgi_faults
from fidelity.comparison import differences
from fidelity.seeding import Fault
from fidelity.test_twins import SCENARIOS
from fidelity.twins import observe

FAULTS: list[Fault] = [
    *exchange_faults.seeded,
    *asgi_faults.seeded,
    *starlette_faults.seeded,
    *wsgi_faults.seeded,
]
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_seeded_fault_is_a_difference(fault: Fault) -> None:
    scenario = BY_NAME[fault.scenario]
    way = next(each for each in scenario.ways if str(each) == fault.way or not fault.way)
    bare = observe(scenario, way.bare)
    assert differences(bare, observe(scenario, way), scenario.calls) == [], "without the fault"
    with pytest.MonkeyPatch.context() as patch:
        fault.seed(patch)
        found = differences(bare, observe(scenario, way), scenario.calls)
    assert any(fault.told in text for text in found), found
    assert differences(bare, observe(scenario, way), scenario.calls) == [], "the fault has been taken out"


def test_the_faults_have_names_of_their_own() -> None:
    names = [fault.name for fault in FAULTS]
    assert sorted(names) == sorted(set(names))
    assert len(names) >= 50
