"""The clients that applications are tested with: TestClient in and without `with`, httpx's transport, Flask's own."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from fidelity.comparison import differences
from fidelity.observed import Answer, Call, Observation
from fidelity.served import ASGIEdge, WSGIEdge, servable
from fidelity.test_twins import SCENARIOS
from fidelity.twins import Scenario, Twin, Way, noting

TRIED = (
    "fastapi-unit_of_work_of_base_http",
    "fastapi-a_handler_for_exception",
    "fastapi-dependencies_with_yield",
    "fastapi-fields_set_before_an_error",
    "fastapi-the_first_request_fails",
    "fastapi-a_middleware_refuses_the_first_request",
    "starlette-watched_by_pure_middlewares",
    "starlette-mounts",
    "starlette-cors_outermost",
    "flask-everybody_hears_of_it",
    "flask-before_request_refuses",
    "flask-answers_of_views",
)
_BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}


def _take(answer: Answer, response: Any) -> Answer:
    answer.status, answer.body, answer.complete = response.status_code, response.content, True
    answer.take_headers(response.headers.raw)
    return answer


def _by_test_client(app: Any, calls: list[Call], twin: Twin, seen: Observation, *, lifespan: bool) -> None:
    edge = ASGIEdge(app, twin)
    client = TestClient(edge, "http://api.test", raise_server_exceptions=False, follow_redirects=False)
    with client if lifespan else nullcontext():
        for call in calls:
            _drive(call, twin, seen, edge, lambda call: _take(Answer(), _sent(client.request, call)))


def _sent(request: Any, call: Call) -> Any:
    return request(call.method, call.path, headers=dict(call.headers), content=call.body)


def _by_transport(app: Any, calls: list[Call], twin: Twin, seen: Observation) -> None:
    edge = ASGIEdge(app, twin)

    async def one(call: Call) -> Answer:
        transport = httpx.ASGITransport(edge, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://api.test") as client:
            request = client.build_request(call.method, call.path, headers=dict(call.headers), content=call.body)
            return _take(Answer(), await client.send(request))

    for call in calls:
        _drive(call, twin, seen, edge, lambda call: asyncio.run(one(call)))


def _by_flask(app: Any, calls: list[Call], twin: Twin, seen: Observation) -> None:
    edge = WSGIEdge(app.wsgi_app, twin)
    app.wsgi_app = edge

    def one(call: Call) -> Answer:
        answer = Answer(complete=True)
        with app.test_client() as client:
            response = client.open(call.path, method=call.method, headers=list(call.headers), data=call.body)
            answer.status, answer.body = response.status_code, response.get_data()
            answer.take_headers(response.headers)
            response.close()
        return answer

    for call in calls:
        _drive(call, twin, seen, edge, one)


def _drive(call: Call, twin: Twin, seen: Observation, edge: Any, ask: Any) -> None:
    twin.begin(call)
    before = len(seen.events)
    edge.raised, edge.started = "", False
    answer = ask(call)
    answer.raised, answer.by_server = edge.raised, not edge.started
    answer.events = [event for event in seen.events[before:] if event["event"] == "request_failed"]
    seen.answers.append(answer)


def _observed(scenario: Scenario, way: Way, client: str) -> tuple[list[Call], Observation]:
    calls = [call for call in scenario.calls if isinstance(call, Call) and servable(call)]
    twin, app = scenario.made(way)
    with noting(twin) as seen:
        if client == "flask":
            _by_flask(app, calls, twin, seen)
        elif client == "transport":
            _by_transport(app, calls, twin, seen)
        else:
            _by_test_client(app, calls, twin, seen, lifespan=way.lifespan)
    return calls, seen


def _tried() -> list[Any]:
    found = []
    for name in TRIED:
        scenario = _BY_NAME[name]
        for way in scenario.ways:
            if scenario.kind == "wsgi":
                clients: tuple[str, ...] = ("flask",)
            elif way.place == "around":
                continue
            else:
                clients = ("testclient",) if way.lifespan else ("testclient", "transport")
            found += [pytest.param(scenario, way, client, id=f"{name}-{way}-{client}") for client in clients]
    return found


@pytest.mark.parametrize(("scenario", "way", "client"), _tried())
def test_covered_is_as_bare_for_a_test_client(scenario: Scenario, way: Way, client: str) -> None:
    calls, bare = _observed(scenario, way.bare, client)
    _, covered = _observed(scenario, way, client)
    assert calls
    found = differences(bare, covered, calls)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("name", TRIED)
def test_bare_is_as_bare_for_a_test_client(name: str) -> None:
    scenario = _BY_NAME[name]
    client = "flask" if scenario.kind == "wsgi" else "testclient"
    way = scenario.ways[0].bare
    calls, one = _observed(scenario, way, client)
    _, other = _observed(scenario, way, client)
    found = differences(one, other, calls, same=True)
    assert not found, "\n".join(found)
