"""Twilio's own Python library, unmodified, believes the dialects `twilio` and `problem`."""

from __future__ import annotations

from typing import Any

import pytest

from clients.failing_service import CASES, RATE_LIMITED, Run, Service
from requirements import require_module

rest = require_module("twilio.rest")
exceptions = require_module("twilio.base.exceptions")

SDK = ("twilio", "twilio")


def ask(run: Run) -> Any:
    """Fetch one message."""
    client = rest.Client("AC1", "token")
    client.api.base_url = run.url
    return client.api.v2010.accounts("AC1").messages("SM1").fetch()


@pytest.mark.parametrize("case", CASES)
def test_the_library_raises_its_own_class_with_everything_on_it(service: Service, case: str) -> None:
    """Status, number, message, and our code and findings in `details`; it retries nothing."""
    run, expected = service.run("twilio", case), CASES[case]
    with pytest.raises(exceptions.TwilioRestException) as caught:
        ask(run)
    error = caught.value
    status = 400 if case == "validation" else expected.status
    assert (error.status, error.code) == (status, 20000 + status)
    assert error.msg == f"Unable to fetch record: {expected.message}"
    assert error.details["error_code"] == expected.code
    assert len(run.seen) == 1
    if case == "validation":
        assert [(e["field"], e["code"]) for e in error.details["errors"]] == [
            ("email", "invalid_format"),
            ("items[0].quantity", "out_of_range"),
        ]


@pytest.mark.case("rate_limited")
def test_the_second_call_succeeds(service: Service) -> None:
    """The library does not retry by itself: the caller does."""
    service.successes["twilio"] = {"sid": "SM1", "body": "hi"}
    run = service.run("twilio", "rate_limited")
    with pytest.raises(exceptions.TwilioRestException) as caught:
        ask(run)
    assert caught.value.code == 20429
    assert caught.value.details["error_code"] == RATE_LIMITED.code
    assert ask(run).body == "hi"
    assert len(run.seen) == 2


def test_its_newer_form_is_the_problem_dialect(service: Service) -> None:
    """A problem is raised as TwilioServiceException, with its findings."""
    with pytest.raises(exceptions.TwilioServiceException) as caught:
        ask(service.run("problem", "validation"))
    error = caught.value
    assert (error.status, error.title, error.code) == (422, "Validation Failed", "validation_failed")
    assert error.detail == "2 fields are invalid."
    assert error.type == "https://errors.example.com/validation_failed"
    assert [found["pointer"] for found in error.errors] == ["#/email", "#/items/0/quantity"]
