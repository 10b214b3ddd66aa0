"""OpenAI's own Python client, unmodified, believes the dialect `openai`."""

from __future__ import annotations

from typing import Any

import pytest

from clients.failing_service import CASES, FINAL, PASSING, RATE_LIMITED, Service
from requirements import require_module

openai = require_module("openai")

SDK = ("openai", "openai")

TYPES = {
    "authentication": "authentication_error",
    "payment_required": "insufficient_quota",
    "forbidden": "permission_error",
    **dict.fromkeys(PASSING, "server_error"),
}
CLASSES = {
    "bad_request": "BadRequestError",
    "validation": "BadRequestError",
    "authentication": "AuthenticationError",
    "forbidden": "PermissionDeniedError",
    "not_found": "NotFoundError",
    "cross_tenant": "NotFoundError",
    "conflict": "ConflictError",
    "unprocessable": "UnprocessableEntityError",
    **dict.fromkeys(PASSING, "InternalServerError"),
}

CHUNK = (
    'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m",'
    '"choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":null}]}\n\n'
)
COMPLETION = {
    "id": "c",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}],
}


def ask(base_url: str, *, max_retries: int | None = None, stream: bool = False) -> Any:
    """One chat completion by a client with default settings."""
    settings = {} if max_retries is None else {"max_retries": max_retries}
    with openai.OpenAI(api_key="k", base_url=base_url, **settings) as client:
        reply = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "hi"}], stream=stream)
        return list(reply) if stream else reply


@pytest.mark.parametrize("case", CASES)
def test_the_client_raises_its_own_class_with_everything_on_it(service: Service, case: str) -> None:
    """Class, status, code, type, param, message and request id; a final error is asked for once."""
    run = service.run("openai", case)
    with pytest.raises(openai.APIStatusError) as caught:
        ask(run.url, max_retries=None if case in FINAL else 0)
    error, expected = caught.value, CASES[case]
    assert type(error).__name__ == CLASSES.get(case, "APIStatusError")
    assert error.status_code == (400 if case == "validation" else expected.status)
    assert error.code == expected.code
    assert error.type == TYPES.get(case, "invalid_request_error")
    assert error.body["message"] == expected.message
    assert error.message == f"Error code: {error.status_code} - {expected.message}"
    assert error.request_id == run.request_id
    assert len(run.seen) == 1
    if case == "validation":
        assert error.param == "email"
        assert error.body["details"] == [
            {"param": "email", "code": "invalid_format", "message": "must be a valid email address"},
            {"param": "items[0].quantity", "code": "out_of_range", "message": "must be at least 1"},
        ]
    else:
        assert error.param is None


@pytest.mark.case("param")
def test_the_parameter_at_fault_is_on_the_exception(service: Service) -> None:
    """`param` is the author's."""
    with pytest.raises(openai.BadRequestError) as caught:
        ask(service.run("openai", "param").url)
    assert caught.value.param == "email"


@pytest.mark.parametrize("case", PASSING)
def test_the_client_retries_what_may_succeed_later(service: Service, case: str) -> None:
    """A retryable failure is asked for again, as often as the client was told to."""
    run = service.run("openai", case)
    with pytest.raises(openai.InternalServerError):
        ask(run.url, max_retries=1)
    assert len(run.seen) == 2


@pytest.mark.case("rate_limited")
def test_the_client_waits_and_succeeds(service: Service) -> None:
    """A 429 is retried after the wait that it advises."""
    service.successes["openai"] = COMPLETION
    run = service.run("openai", "rate_limited")
    assert ask(run.url).choices[0].message.content == "hi"
    assert len(run.seen) == 2
    assert 0.9 < run.waits[0] < 8


@pytest.mark.case("rate_limited")
def test_the_client_without_retries_raises_rate_limit_error(service: Service) -> None:
    """The 429 itself, with its code and hints."""
    run = service.run("openai", "rate_limited")
    with pytest.raises(openai.RateLimitError) as caught:
        ask(run.url, max_retries=0)
    error = caught.value
    assert (error.code, error.type) == (RATE_LIMITED.code, "rate_limit_error")
    assert error.response.headers["retry-after"] == "1"
    assert error.response.headers["retry-after-ms"] == "1000"
    assert error.response.headers["x-ratelimit-remaining-requests"] == "0"


@pytest.mark.case("long_wait")
def test_the_client_gives_up_where_the_wait_is_too_long(service: Service) -> None:
    """Above the configured maximum the verdict is no, and Retry-After stays true."""
    run = service.run("openai", "long_wait")
    with pytest.raises(openai.RateLimitError) as caught:
        ask(run.url)
    assert len(run.seen) == 1
    assert caught.value.response.headers["retry-after"] == "3600"
    assert caught.value.response.headers["x-should-retry"] == "false"


@pytest.mark.case("stream")
def test_a_stream_that_fails_raises(service: Service) -> None:
    """The error comes out of the iteration, after what was delivered."""
    service.streams["openai"] = [CHUNK, CHUNK]
    run = service.run("openai", "stream")
    with pytest.raises(openai.APIError) as caught:
        ask(run.url, stream=True)
    assert caught.value.code == "widgets_away"
    assert caught.value.type == "server_error"
    assert caught.value.message == "Widgets are being counted."
