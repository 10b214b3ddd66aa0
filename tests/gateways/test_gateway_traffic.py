"""What the service sends passes a gateway untouched, and one request has one id everywhere."""

from __future__ import annotations

import pytest
from gateway_rig import CONNECTION, Gateway, Start, ask, request

from errorkit.request_id import is_safe

SENT = "X-Request-ID: sent-1"

PASSING = {
    "success": request("/app/cookies", SENT),
    "binary": request("/app/binary", SENT),
    "HEAD": request("/app/binary", SENT, method="HEAD"),
    "no content": request("/app/empty", SENT),
    "not modified": request("/app/unchanged", SENT),
    "redirect": request("/app/elsewhere", SENT),
    "stream of events": request("/app/stream", SENT),
    "chunked answer of an upstream's failure": request("/app/failed-stream", SENT),
    "rate limit with Retry-After": request("/app/limited", SENT),
    "down with Retry-After": request("/app/down", SENT),
    "deliberate text of the application": request("/app/own", SENT),
    "deliberate page of the application": request("/app/html", SENT),
    "crash": request("/app/crash", SENT),
    "unknown path": request("/app/nothing", SENT),
    "unknown method": request("/app/echo", SENT, method="DELETE"),
    **{f"error {status}": request(f"/app/raise/{status}", SENT) for status in (400, 401, 413, 431, 502, 503, 504)},
    "error to HEAD": request("/app/raise/404", SENT, method="HEAD"),
    "error to POST": request("/app/raise/409", SENT, method="POST", body=b"{}"),
}


@pytest.mark.parametrize("passing", [pytest.param(value, id=name) for name, value in PASSING.items()])
def test_the_services_answers_are_untouched(front: Gateway, passing: bytes) -> None:
    """Status, every header field and every byte of the body arrive as the service sent them; nothing is added.

    An answer may name an instant, which goes on: it was the same just before, or just after.
    """
    before, through, after = ask(front.app, passing), ask(front.port, passing), ask(front.app, passing)
    direct = before if through.body == before.body else after
    assert through.status == direct.status
    assert through.body == direct.body
    assert _end_to_end(through.headers) == _end_to_end(direct.headers)


def _end_to_end(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """What is not the connection's. Fields of one name keep their order (RFC 9110 5.3)."""
    pairs = [(name.lower(), value) for name, value in headers if name.lower() not in CONNECTION]
    return sorted(pairs, key=lambda pair: pair[0])


@pytest.mark.parametrize("inbound", ["sent-1", "a" * 128, "A.b_c:9-", None])
def test_one_request_has_one_id(front: Gateway, inbound: str | None) -> None:
    """The client's id, or a new one, is the same for the client, the service and an error's body."""
    lines = [] if inbound is None else [f"X-Request-ID: {inbound}"]
    echo = ask(front.port, request("/app/echo", *lines))
    used = echo.header("X-Request-ID")
    assert used is not None
    assert is_safe(used)
    assert inbound in (None, used)
    assert echo.json == {"seen": [used], "current": used, "others": []}
    for path in ("/app/raise/404", "/closed"):
        failed = ask(front.port, request(path, *lines))
        assert failed.json["request_id"] == failed.header("X-Request-ID")
        assert inbound in (None, failed.header("X-Request-ID"))


def test_generated_ids_differ(front: Gateway) -> None:
    """No two requests get the same id."""
    ids = {ask(front.port, request("/closed")).header("X-Request-ID") for _ in range(20)}
    assert len(ids) == 20


HOSTILE = {
    "JSON": ['X-Request-ID: a","admin":"y'],
    "too long": ["X-Request-ID: " + "a" * 129],
    "empty": ["X-Request-ID:"],
    "space inside": ["X-Request-ID: a b"],
    "two lines, the first hostile": ['X-Request-ID: a"b', "X-Request-ID: good"],
    "two lines, the second hostile": ["X-Request-ID: good", 'X-Request-ID: a"b'],
    "a variable of nginx": ["X-Request-ID: $uri"],
    "a placeholder of Caddy": ["X-Request-ID: {system.hostname}"],
    "a format of Envoy": ["X-Request-ID: %PROTOCOL%"],
    "not ASCII": ["X-Request-ID: gr\xfc\xdfe"],
    "markup": ["X-Request-ID: <script>"],
    "an id smuggled past the check": ['X-Request-ID: a"b', "X-Errorkit-Inbound-Id: evil"],
}


@pytest.mark.parametrize("lines", [pytest.param(value, id=name) for name, value in HOSTILE.items()])
def test_a_hostile_id_is_replaced(front: Gateway, lines: list[str]) -> None:
    """An id outside of the safe alphabet reaches neither the service nor any answer."""
    sent = [line.partition(":")[2].strip() for line in lines]
    echo = ask(front.port, request("/app/echo", *lines))
    used = echo.header("X-Request-ID")
    assert echo.json["seen"] == [used]
    failed = ask(front.port, request("/closed", *lines))
    assert failed.json["request_id"] == failed.header("X-Request-ID")
    for request_id in (used, failed.header("X-Request-ID")):
        assert request_id is not None
        assert is_safe(request_id)
        if front.kind != "nginx" or lines[0] != "X-Request-ID: good":  # nginx reads the first line alone
            assert request_id not in sent


def test_a_hostile_id_is_replaced_where_caddy_fails_early(start: Start) -> None:
    """Authentication at the head of a site fails before the fragment has seen the request; the answer has a safe id."""
    hostile = 'a","admin":"y'
    answer = ask(start("caddy").port, request("/early", f"X-Request-ID: {hostile}"))
    assert answer.status == 401
    assert answer.json["request_id"] == answer.header("X-Request-ID") != hostile
