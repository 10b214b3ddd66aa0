"""Stripe's own Python client, unmodified, believes the dialect `stripe`."""

from __future__ import annotations

from typing import Any

import pytest

from clients.failing_service import CASES, FINAL, PASSING, RATE_LIMITED, Run, Service
from requirements import require_module

stripe = require_module("stripe")

SDK = ("stripe", "stripe")

CLASSES = {
    "bad_request": "InvalidRequestError",
    "validation": "InvalidRequestError",
    "authentication": "AuthenticationError",
    "payment_required": "CardError",
    "forbidden": "PermissionError",
    "not_found": "InvalidRequestError",
    "cross_tenant": "InvalidRequestError",
}
LIFTED = {"bad_request", "validation", "payment_required", "not_found", "cross_tenant"}
"""Cases for which the client puts code and param on the exception itself."""


def ask(run: Run, *, max_retries: int) -> Any:
    """Fetch one customer."""
    client = stripe.StripeClient("sk_test_x", base_addresses={"api": run.url}, max_network_retries=max_retries)
    return client.v1.customers.retrieve("cus_1")


@pytest.mark.parametrize("case", CASES)
def test_the_client_raises_its_own_class_with_everything_on_it(service: Service, case: str) -> None:
    """Class, status, code, type, param, message and request id; a final error is asked for once."""
    run = service.run("stripe", case)
    with pytest.raises(stripe.StripeError) as caught:
        ask(run, max_retries=2 if case in FINAL else 0)
    error, expected = caught.value, CASES[case]
    assert type(error).__name__ == CLASSES.get(case, "APIError")
    assert error.http_status == (400 if case == "validation" else expected.status)
    assert error.error.code == expected.code
    assert error.code == (expected.code if case in LIFTED else None)
    kind = {"payment_required": "card_error", **dict.fromkeys(PASSING, "api_error")}.get(case, "invalid_request_error")
    assert error.error.type == kind
    assert error.user_message == expected.message
    assert error.request_id == run.request_id
    assert error.error.doc_url == f"https://errors.example.com/{expected.code}"
    assert len(run.seen) == 1
    if case == "validation":
        assert error.param == "email"
        assert [finding["param"] for finding in error.json_body["error"]["errors"]] == ["email", "items[0].quantity"]


@pytest.mark.parametrize("case", PASSING)
def test_the_client_retries_what_may_succeed_later(service: Service, case: str) -> None:
    """A retryable failure is asked for again, as often as the client was told to."""
    run = service.run("stripe", case)
    with pytest.raises(stripe.APIError):
        ask(run, max_retries=1)
    assert len(run.seen) == 2


@pytest.mark.case("rate_limited")
def test_the_client_retries_a_429_and_succeeds(service: Service) -> None:
    """By itself it would not: the verdict header makes it (it waits by its own back-off)."""
    service.successes["stripe"] = {"id": "cus_1", "object": "customer"}
    run = service.run("stripe", "rate_limited")
    assert ask(run, max_retries=1).id == "cus_1"
    assert len(run.seen) == 2


@pytest.mark.case("rate_limited")
def test_the_client_without_retries_raises_rate_limit_error(service: Service) -> None:
    """The 429 itself, with its code."""
    with pytest.raises(stripe.RateLimitError) as caught:
        ask(service.run("stripe", "rate_limited"), max_retries=0)
    assert caught.value.error.code == RATE_LIMITED.code
    assert caught.value.headers["retry-after"] == "1"


@pytest.mark.case("long_wait")
def test_the_client_gives_up_where_the_wait_is_too_long(service: Service) -> None:
    """Above the configured maximum the verdict is no."""
    run = service.run("stripe", "long_wait")
    with pytest.raises(stripe.RateLimitError):
        ask(run, max_retries=2)
    assert len(run.seen) == 1
