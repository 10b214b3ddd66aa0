"""A part of the scenarios under real servers: nothing differs there either."""

from __future__ import annotations

import pytest

from fidelity.comparison import differences
from fidelity.served import observe_served
from fidelity.test_twins import SCENARIOS
from fidelity.twins import Scenario, Way

SERVED = {
    "fastapi-unit_of_work_of_base_http": ("install", "first"),
    "fastapi-three_watching_middlewares": ("install",),
    "fastapi-a_handler_for_exception": ("install",),
    "fastapi-dependencies_with_yield": ("last",),
    "fastapi-background_tasks": ("install", "first-without-lifespan"),
    "fastapi-streams_that_fail": ("install", "last"),
    "fastapi-streams_under_base_http": ("install",),
    "fastapi-a_lifespan_with_state": ("install", "first"),
    "fastapi-cors": ("first",),
    "fastapi-the_first_request_fails": ("install-without-lifespan", "first-without-lifespan"),
    "fastapi-websockets_closed_before_accept": ("install",),
    "fastapi-websockets_closed_after_accept": ("install",),
    "starlette-watched_by_pure_middlewares": ("install", "around"),
    "starlette-compressed": ("last",),
    "starlette-head_is_as_get": ("install",),
    "starlette-static_files": ("first", "around"),
    "starlette-torn_streams": ("install",),
    "starlette-mounts": ("first",),
    "asgi-failures_after_the_start": ("around",),
    "asgi-answers_of_other_code": ("around",),
    "flask-everybody_hears_of_it": ("before", "after"),
    "flask-streams": ("before",),
    "flask-answers_of_a_users_handler_for_a_class": ("after",),
    "flask-fields_set_before_an_error": ("init_app",),
    "wsgi-generators_that_fail_at_once": ("around",),
    "wsgi-bodies_that_fail_later": ("around",),
    "wsgi-the_write_callable": ("around",),
    "wsgi-exc_info": ("around",),
}
_BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}
_PAIRS = [
    pytest.param(_BY_NAME[name], way, id=f"{name}-{way}")
    for name, ways in SERVED.items()
    for way in _BY_NAME[name].ways
    if str(way) in ways
]


@pytest.mark.parametrize(("scenario", "way"), _PAIRS)
def test_covered_is_as_bare_under_a_server(scenario: Scenario, way: Way) -> None:
    calls, bare = observe_served(scenario, way.bare)
    _, covered = observe_served(scenario, way)
    assert calls
    found = differences(bare, covered, calls)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("name", [*list(SERVED)[::4], *(name for name in SERVED if "websockets" in name)])
def test_bare_is_as_bare_under_a_server(name: str) -> None:
    scenario = _BY_NAME[name]
    way = scenario.ways[0].bare
    calls, one = observe_served(scenario, way)
    _, other = observe_served(scenario, way)
    for answer in (*one.answers, *other.answers):
        answer.headers = [field for field in answer.headers if field[0] != "date"]
    found = differences(one, other, calls, same=True)
    assert not found, "\n".join(found)
