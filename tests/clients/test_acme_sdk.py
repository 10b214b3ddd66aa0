"""The ACME client, which speaks RFC 9457, unmodified, believes the dialect `problem`."""

from __future__ import annotations

from typing import Any

import pytest

from clients.failing_service import CASES, Run, Service
from requirements import require_module

client = require_module("acme.client")
errors = require_module("acme.errors")
messages = require_module("acme.messages")

SDK = ("problem", "acme")


def ask(run: Run) -> Any:
    """Fetch one resource."""
    return client.ClientNetwork(None).get(run.url)


@pytest.mark.parametrize("case", [case for case in CASES if case != "conflict"])
def test_the_client_raises_the_problem(service: Service, case: str) -> None:
    """Type, title, status and detail are those of the problem; it retries nothing."""
    run, expected = service.run("problem", case), CASES[case]
    with pytest.raises(messages.Error) as caught:
        ask(run)
    error = caught.value
    assert error.typ == f"https://errors.example.com/{expected.code}"
    assert error.detail == expected.message
    assert error.title
    assert error.title != error.detail
    assert len(run.seen) == 1


@pytest.mark.case("conflict")
def test_a_409_is_the_clients_own_conflict(service: Service) -> None:
    """acme takes every 409 for its own, whatever the body."""
    with pytest.raises(errors.ConflictError):
        ask(service.run("problem", "conflict"))


@pytest.mark.case("rate_limited")
def test_the_second_call_succeeds(service: Service) -> None:
    """The client does not retry by itself: the caller does."""
    run = service.run("problem", "rate_limited")
    with pytest.raises(messages.Error) as caught:
        ask(run)
    assert caught.value.typ == "https://errors.example.com/rate_limit_exceeded"
    assert ask(run).status_code == 200
    assert len(run.seen) == 2
