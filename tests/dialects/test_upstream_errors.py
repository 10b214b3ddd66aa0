"""An upstream's failure becomes this service's own; its words stay private."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
import structlog
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st

from errorkit import Catalog, upstream
from errorkit.dialects import PRESETS, get_dialect
from errorkit.failure import Public
from errorkit.fastapi import ErrorMiddleware
from errorkit.rendering import Renderer
from errorkit.upstream import upstream_error


def answer(dialect: str, public: Public) -> tuple[int, dict[str, str], bytes]:
    """An upstream's answer in a dialect, names of headers as some server spells them."""
    response = Renderer(get_dialect(dialect)).render(public, [])
    return public.status, {n.decode().title(): v.decode() for n, v in response.headers}, response.body


@pytest.mark.parametrize(
    ("theirs", "ours", "code", "retryable"),
    [
        (400, 502, "upstream_rejected", False),
        (401, 502, "upstream_rejected", False),
        (403, 502, "upstream_rejected", False),
        (404, 502, "upstream_rejected", False),
        (409, 502, "upstream_rejected", False),
        (422, 502, "upstream_rejected", False),
        (408, 504, "upstream_timeout", True),
        (429, 503, "upstream_unavailable", True),
        (500, 502, "upstream_failed", True),
        (502, 502, "upstream_failed", True),
        (503, 503, "upstream_unavailable", True),
        (504, 504, "upstream_timeout", True),
        (529, 503, "upstream_unavailable", True),
    ],
)
def test_each_status_of_an_upstream_has_its_own_answer(theirs: int, ours: int, code: str, retryable: bool) -> None:
    """502, 503 or 504 by rule; a mistake of ours is not for the client to repeat."""
    error = upstream_error(*answer("openai", Public("busy", theirs, message="m")), dialect="openai")
    assert (error.status, error.code, error.retryable) == (ours, code, retryable)
    assert isinstance(error, upstream.UpstreamError)


@pytest.mark.parametrize("dialect", ["openai", "stripe", "google", "anthropic"])
def test_the_upstreams_facts_are_in_the_private_context(dialect: str) -> None:
    """Code, request id and retry hint, read by the dialect's own `read`."""
    public = Public("slow_down", 429, "RESOURCE_EXHAUSTED", "Slow", "Too fast.", request_id="up-1", retry_after=7)
    error = upstream_error(*answer(dialect, public), dialect=dialect, name="billing")
    facts = error.context["upstream"]
    assert facts["name"] == "billing"
    assert (facts["status"], facts["code"], facts["request_id"]) == (429, "slow_down", "up-1")
    assert (facts["retry_after"], facts["message"]) == (7, "Too fast.")
    assert error.retry_after == 7


def test_a_client_sees_our_words_and_the_upstreams_wait_alone() -> None:
    """End to end: 503 in our dialect with the wait; the event holds the upstream's facts."""
    app = FastAPI()
    app.add_middleware(ErrorMiddleware, dialect="problem", catalog=Catalog([upstream]))

    @app.get("/{status}")
    def fail(status: int) -> None:
        theirs = Public("their_code", status, message="their secret words", request_id="up-1", retry_after=7)
        raise upstream_error(*answer("stripe", theirs), dialect="stripe")

    with structlog.testing.capture_logs() as events, TestClient(app) as client:
        busy, broken = client.get("/429"), client.get("/500")
    assert (busy.status_code, busy.json()["code"]) == (503, "upstream_unavailable")
    assert busy.headers["retry-after"] == "7"
    assert (broken.status_code, broken.json()["code"]) == (502, "upstream_failed")
    assert "retry-after" not in broken.headers
    assert "their" not in busy.text + broken.text
    failed = [event for event in events if event["event"] == "request_failed"]
    assert [event["context"]["upstream"]["request_id"] for event in failed] == ["up-1", "up-1"]


@settings(max_examples=50, deadline=None)
@given(
    st.sampled_from(sorted(PRESETS)),
    st.integers(400, 599),
    st.binary(max_size=40) | st.sampled_from([b"[" * 100_000, b'{"error": ' * 3, b"null", b'{"error": []}']),
    st.dictionaries(st.sampled_from(["Retry-After", "X-Request-ID"]), st.text(max_size=9)),
)
def test_no_answer_of_an_upstream_breaks_it(dialect: str, status: int, body: bytes, headers: dict[str, str]) -> None:
    """Whatever arrives, there is an error to raise."""
    error = upstream_error(status, headers, body, dialect=dialect)
    assert error.status in (502, 503, 504)
    assert error.context["upstream"]["status"] == status


def test_it_takes_what_an_http_client_has() -> None:
    """httpx's headers and bytes go in as they are."""
    body: dict[str, Any] = {"error": {"code": "boom", "message": "m"}}
    response = httpx.Response(500, headers={"X-Request-Id": "up-2"}, content=json.dumps(body).encode())
    error = upstream_error(response.status_code, response.headers, response.content, dialect="openai")
    assert error.context["upstream"]["code"] == "boom"
    assert error.context["upstream"]["request_id"] == "up-2"


def test_a_dialect_that_does_not_exist_is_named() -> None:
    """A mistake of the author's is told as one."""
    with pytest.raises(ValueError, match="did you mean 'stripe'"):
        upstream_error(500, {}, b"", dialect="strype")
