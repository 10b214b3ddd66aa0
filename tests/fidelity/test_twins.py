"""Every scenario, bare and covered in every way: nothing differs but what `allowed` lists."""

from __future__ import annotations

import pytest

from fidelity import (
    asgi_scenarios,
    composition_scenarios,
    fastapi_scenarios,
    flask_extension_scenarios,
    flask_scenarios,
    starlette_scenarios,
    wsgi_scenarios,
)
from fidelity.comparison import differences
from fidelity.twins import Scenario, Way, observe

SCENARIOS: list[Scenario] = [
    *fastapi_scenarios.scenario,
    *starlette_scenarios.scenario,
    *flask_scenarios.scenario,
    *asgi_scenarios.scenario,
    *wsgi_scenarios.scenario,
    *composition_scenarios.scenario,
    *flask_extension_scenarios.scenario,
]


def _pairs() -> list[object]:
    return [pytest.param(scenario, way, id=f"{scenario.name}-{way}") for scenario in SCENARIOS for way in scenario.ways]


@pytest.mark.parametrize(("scenario", "way"), _pairs())
def test_covered_is_as_bare(scenario: Scenario, way: Way) -> None:
    found = differences(observe(scenario, way.bare), observe(scenario, way), scenario.calls)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("scenario", [pytest.param(each, id=each.name) for each in SCENARIOS])
def test_bare_is_as_bare(scenario: Scenario) -> None:
    """The harness sees no difference where there is none."""
    way = scenario.ways[0].bare
    found = differences(observe(scenario, way), observe(scenario, way), scenario.calls, same=True)
    assert not found, "\n".join(found)


def test_the_scenarios_have_names_of_their_own() -> None:
    names = [scenario.name for scenario in SCENARIOS]
    assert sorted(names) == sorted(set(names))
    assert len(names) >= 100
