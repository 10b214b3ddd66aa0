"""PyGithub, unmodified, believes the dialect `github`."""

from __future__ import annotations

import time
from typing import Any

import pytest

from clients.failing_service import CASES, FINAL, Run, Service
from requirements import require_module

github = require_module("github")

SDK = ("github", "PyGithub")

CLASSES = {
    "authentication": "BadCredentialsException",
    "not_found": "UnknownObjectException",
    "cross_tenant": "UnknownObjectException",
}
WORDS = {"authentication": "Bad credentials", "not_found": "Not Found", "cross_tenant": "Not Found"}


def ask(run: Run, **settings: Any) -> Any:
    """Fetch one user."""
    with github.Github(base_url=run.url, auth=github.Auth.Token("t"), seconds_between_requests=0, **settings) as client:
        return client.get_user("octocat")


@pytest.mark.parametrize("case", CASES)
def test_the_client_raises_its_own_class_with_everything_on_it(service: Service, case: str) -> None:
    """Class, status, message, link, request id; a final error is asked for once by the default client."""
    run, expected = service.run("github", case), CASES[case]
    with pytest.raises(github.GithubException) as caught:
        ask(run) if case in FINAL else ask(run, retry=None)
    error = caught.value
    assert type(error).__name__ == CLASSES.get(case, "GithubException")
    assert error.status == expected.status
    assert error.data["message"] == WORDS.get(case, expected.message)
    assert error.data["documentation_url"] == f"https://errors.example.com/{expected.code}"
    assert error.data["status"] == str(expected.status)
    assert error.headers["x-github-request-id"] == run.request_id
    assert error.headers["x-error-code"] == expected.code
    assert len(run.seen) == 1
    if case == "validation":
        found = [(item["resource"], item["field"], item["code"]) for item in error.data["errors"]]
        assert found == [("Request", "email", "invalid_format"), ("Request", "items[0].quantity", "out_of_range")]


@pytest.mark.case("rate_limited")
def test_the_client_waits_and_succeeds(service: Service) -> None:
    """A 429 is retried by the default client after the wait that it advises."""
    service.successes["github"] = {"login": "octocat"}
    run = service.run("github", "rate_limited")
    assert ask(run).login == "octocat"
    assert len(run.seen) == 2
    assert 0.9 < run.waits[0] < 8


@pytest.mark.case("rate_limited")
def test_a_429_has_githubs_rate_limit_headers(service: Service) -> None:
    """Reset is an instant in epoch seconds, as octokit's throttling reads it."""
    with pytest.raises(github.GithubException) as caught:
        ask(service.run("github", "rate_limited"), retry=None)
    headers = caught.value.headers
    assert headers["x-ratelimit-remaining"] == "0"
    assert abs(int(headers["x-ratelimit-reset"]) - time.time()) < 30
