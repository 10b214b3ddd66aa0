"""Anthropic's own Python client, unmodified, believes the dialect `anthropic`."""

from __future__ import annotations

import json
from typing import Any

import pytest

from clients.failing_service import CASES, FINAL, PASSING, RATE_LIMITED, Service
from requirements import require_module

anthropic = require_module("anthropic")

SDK = ("anthropic", "anthropic")

TYPES = {
    "authentication": "authentication_error",
    "payment_required": "billing_error",
    "forbidden": "permission_error",
    "not_found": "not_found_error",
    "cross_tenant": "not_found_error",
    "conflict": "conflict_error",
    "too_large": "request_too_large",
    "internal": "api_error",
    "bad_gateway": "api_error",
    "unavailable": "api_error",
    "gateway_timeout": "timeout_error",
}
CLASSES = {
    "bad_request": "BadRequestError",
    "validation": "BadRequestError",
    "authentication": "AuthenticationError",
    "payment_required": "PaymentRequiredError",
    "forbidden": "PermissionDeniedError",
    "not_found": "NotFoundError",
    "cross_tenant": "NotFoundError",
    "conflict": "ConflictError",
    "too_large": "ContentTooLargeError",
    "unprocessable": "UnprocessableEntityError",
    "internal": "InternalServerError",
    "bad_gateway": "InternalServerError",
    "unavailable": "ServiceUnavailableError",
    "gateway_timeout": "GatewayTimeoutError",
}
MESSAGE = {
    "id": "m",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [{"type": "text", "text": "hi"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 1, "output_tokens": 1},
}
START = {**MESSAGE, "content": [], "stop_reason": None}
EVENTS: list[dict[str, Any]] = [
    {"type": "message_start", "message": START},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "hi"}},
]


def ask(base_url: str, *, max_retries: int | None = None, stream: bool = False) -> Any:
    """One message by a client with default settings."""
    settings = {} if max_retries is None else {"max_retries": max_retries}
    with anthropic.Anthropic(api_key="k", base_url=base_url, **settings) as client:
        reply = client.messages.create(
            model="m", max_tokens=9, messages=[{"role": "user", "content": "hi"}], stream=stream
        )
        return list(reply) if stream else reply


@pytest.mark.parametrize("case", CASES)
def test_the_client_raises_its_own_class_with_everything_on_it(service: Service, case: str) -> None:
    """Class, status, code, type, message and request id; a final error is asked for once."""
    run = service.run("anthropic", case)
    with pytest.raises(anthropic.APIStatusError) as caught:
        ask(run.url, max_retries=None if case in FINAL else 0)
    error, expected = caught.value, CASES[case]
    assert type(error).__name__ == CLASSES.get(case, "APIStatusError")
    assert error.status_code == (400 if case == "validation" else expected.status)
    assert error.error_code == expected.code
    assert error.type == TYPES.get(case, "invalid_request_error")
    assert error.api_message == expected.message
    assert error.request_id == run.request_id == error.body["request_id"]
    assert len(run.seen) == 1
    if case == "validation":
        assert error.body["error"]["details"]["errors"] == [
            {"path": "email", "code": "invalid_format", "message": "must be a valid email address"},
            {"path": "items[0].quantity", "code": "out_of_range", "message": "must be at least 1"},
        ]


@pytest.mark.parametrize("case", PASSING)
def test_the_client_retries_what_may_succeed_later(service: Service, case: str) -> None:
    """A retryable failure is asked for again, as often as the client was told to."""
    run = service.run("anthropic", case)
    with pytest.raises(anthropic.APIStatusError):
        ask(run.url, max_retries=1)
    assert len(run.seen) == 2


@pytest.mark.case("rate_limited")
def test_the_client_waits_and_succeeds(service: Service) -> None:
    """A 429 is retried after the wait that it advises."""
    service.successes["anthropic"] = MESSAGE
    run = service.run("anthropic", "rate_limited")
    assert ask(run.url).content[0].text == "hi"
    assert len(run.seen) == 2
    assert 0.9 < run.waits[0] < 8


@pytest.mark.case("rate_limited")
def test_the_client_without_retries_raises_rate_limit_error(service: Service) -> None:
    """The 429 itself, with its code and hints."""
    run = service.run("anthropic", "rate_limited")
    with pytest.raises(anthropic.RateLimitError) as caught:
        ask(run.url, max_retries=0)
    assert (caught.value.error_code, caught.value.type) == (RATE_LIMITED.code, "rate_limit_error")
    assert caught.value.response.headers["retry-after"] == "1"
    assert caught.value.response.headers["anthropic-ratelimit-requests-remaining"] == "0"


@pytest.mark.case("long_wait")
def test_the_client_gives_up_where_the_wait_is_too_long(service: Service) -> None:
    """Above the configured maximum the verdict is no (this client would sleep an hour), Retry-After stays true."""
    run = service.run("anthropic", "long_wait")
    with pytest.raises(anthropic.RateLimitError) as caught:
        ask(run.url)
    assert len(run.seen) == 1
    assert caught.value.response.headers["retry-after"] == "3600"


@pytest.mark.case("stream")
def test_a_stream_that_fails_raises(service: Service) -> None:
    """The error comes out of the iteration, after what was delivered."""
    service.streams["anthropic"] = [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in EVENTS]
    run = service.run("anthropic", "stream")
    with pytest.raises(anthropic.APIStatusError) as caught:
        ask(run.url, stream=True)
    assert caught.value.status_code == 200  # the stream's
    assert caught.value.type == "api_error"
    assert caught.value.error_code == "widgets_away"
    assert caught.value.api_message == "Widgets are being counted."
