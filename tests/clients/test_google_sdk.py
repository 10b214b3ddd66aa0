"""google-api-core and the Cloud Storage client, unmodified, believe the dialect `google`."""

from __future__ import annotations

from typing import Any

import pytest

from clients.failing_service import CASES, DOMAIN, PASSING, RATE_LIMITED, Run, Service
from requirements import require_module

exceptions = require_module("google.api_core.exceptions")
credentials = require_module("google.auth.credentials")
storage = require_module("google.cloud.storage")
requests = require_module("requests")

SDK = ("google", "google-api-core")

CLASSES = {
    "bad_request": "BadRequest",
    "validation": "BadRequest",
    "authentication": "Unauthorized",
    "forbidden": "Forbidden",
    "not_found": "NotFound",
    "cross_tenant": "NotFound",
    "method_not_allowed": "MethodNotAllowed",
    "conflict": "Conflict",
    "internal": "InternalServerError",
    "bad_gateway": "BadGateway",
    "unavailable": "ServiceUnavailable",
    "gateway_timeout": "GatewayTimeout",
}
STATUS = {
    "authentication": "UNAUTHENTICATED",
    "payment_required": "FAILED_PRECONDITION",
    "forbidden": "PERMISSION_DENIED",
    "not_found": "NOT_FOUND",
    "cross_tenant": "NOT_FOUND",
    "method_not_allowed": "UNIMPLEMENTED",
    "conflict": "ALREADY_EXISTS",
    "gone": "NOT_FOUND",
    "too_large": "OUT_OF_RANGE",
    "unprocessable": "FAILED_PRECONDITION",
    "internal": "INTERNAL",
    "bad_gateway": "UNAVAILABLE",
    "unavailable": "UNAVAILABLE",
    "gateway_timeout": "DEADLINE_EXCEEDED",
}


def ask(run: Run, retry: Any = None) -> Any:
    """Fetch one bucket by the Storage client."""
    client = storage.Client(
        project="p", credentials=credentials.AnonymousCredentials(), client_options={"api_endpoint": run.url}
    )
    return client.get_bucket("b", retry=retry)


WITHOUT_LOGIN = [case for case in CASES if case != "authentication"]
"""google-auth answers a 401 by refreshing credentials, which anonymous ones cannot."""


@pytest.mark.parametrize(
    ("client_name", "case"),
    [("google-api-core", case) for case in CASES] + [("google-cloud-storage", case) for case in WITHOUT_LOGIN],
)
def test_the_client_raises_its_own_class_with_everything_on_it(service: Service, case: str, client_name: str) -> None:
    """Class, status, reason, domain, message and the request id among the details."""
    run, expected = service.run("google", case), CASES[case]
    with pytest.raises(exceptions.GoogleAPICallError) as caught:
        if client_name == "google-cloud-storage":
            ask(run)
        else:
            raise exceptions.from_http_response(requests.get(run.url))
    error = caught.value
    assert type(error).__name__ == CLASSES.get(case, "GoogleAPICallError")
    assert error.code == (400 if case == "validation" else expected.status)
    assert error.reason == expected.code.upper()
    assert error.domain == DOMAIN
    assert error.message.endswith(f": {expected.message}")
    assert error.response.json()["error"]["status"] == STATUS.get(case, "INVALID_ARGUMENT")
    details = {detail["@type"].rpartition(".")[2]: detail for detail in error.details}
    assert details["RequestInfo"]["requestId"] == run.request_id
    assert details["Help"]["links"][0]["url"] == f"https://errors.example.com/{expected.code}"
    assert len(run.seen) == 1
    if case == "validation":
        assert details["BadRequest"]["fieldViolations"] == [
            {"field": "email", "description": "must be a valid email address", "reason": "INVALID_FORMAT"},
            {"field": "items[0].quantity", "description": "must be at least 1", "reason": "OUT_OF_RANGE"},
        ]


@pytest.mark.parametrize("case", PASSING)
def test_the_storage_client_retries_what_may_succeed_later(service: Service, case: str) -> None:
    """Google's own policy of what is transient takes errorkit's statuses for it."""
    run = service.run("google", case)
    policy = storage.retry.DEFAULT_RETRY.with_delay(initial=0.05, maximum=0.05).with_timeout(1)
    with pytest.raises(exceptions.RetryError):
        ask(run, policy)
    assert len(run.seen) >= 2


@pytest.mark.case("rate_limited")
def test_the_client_retries_a_429_and_succeeds(service: Service) -> None:
    """By the Storage client's default policy (it reads neither RetryInfo nor Retry-After)."""
    service.successes["google"] = {"kind": "storage#bucket", "name": "b"}
    run = service.run("google", "rate_limited")
    assert ask(run, storage.retry.DEFAULT_RETRY.with_delay(initial=0.1)).name == "b"
    assert len(run.seen) == 2


@pytest.mark.case("rate_limited")
def test_a_429_carries_retry_info(service: Service) -> None:
    """TooManyRequests, with RetryInfo for those who read it."""
    run = service.run("google", "rate_limited")
    error = exceptions.from_http_response(requests.get(run.url))
    assert type(error) is exceptions.TooManyRequests
    assert error.reason == RATE_LIMITED.code.upper()
    assert {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "1s"} in error.details


@pytest.mark.case("long_wait")
def test_a_wait_above_the_maximum_has_no_retry_info(service: Service) -> None:
    """Its absence is the verdict here; Retry-After stays true."""
    error = exceptions.from_http_response(requests.get(service.run("google", "long_wait").url))
    assert not [detail for detail in error.details if "RetryInfo" in detail["@type"]]
    assert error.response.headers["retry-after"] == "3600"
