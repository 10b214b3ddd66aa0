"""The Kubernetes Python client, unmodified, believes the dialect `kubernetes`."""

from __future__ import annotations

from typing import Any

import pytest

from clients.failing_service import CASES, FINAL, Run, Service
from requirements import require_module

kubernetes = require_module("kubernetes")
dynamic = require_module("kubernetes.dynamic.exceptions")

SDK = ("kubernetes", "kubernetes")

CLASSES = {
    "bad_request": "BadRequestException",
    "validation": "UnprocessableEntityException",
    "authentication": "UnauthorizedException",
    "forbidden": "ForbiddenException",
    "not_found": "NotFoundException",
    "cross_tenant": "NotFoundException",
    "conflict": "ConflictException",
    "unprocessable": "UnprocessableEntityException",
    "internal": "ServiceException",
    "bad_gateway": "ServiceException",
    "unavailable": "ServiceException",
    "gateway_timeout": "ServiceException",
}
REASONS = {
    "bad_request": "BadRequest",
    "validation": "Invalid",
    "authentication": "Unauthorized",
    "payment_required": "PaymentRequired",
    "forbidden": "Forbidden",
    "not_found": "NotFound",
    "cross_tenant": "NotFound",
    "method_not_allowed": "MethodNotAllowed",
    "conflict": "AlreadyExists",
    "gone": "Gone",
    "too_large": "RequestEntityTooLarge",
    "unsupported_media": "UnsupportedMediaType",
    "unprocessable": "Invalid",
    "internal": "InternalError",
    "bad_gateway": "InternalError",
    "unavailable": "ServiceUnavailable",
    "gateway_timeout": "Timeout",
}


def ask(run: Run, *, retries: Any = None) -> Any:
    """Fetch one pod."""
    configuration = kubernetes.client.Configuration(host=run.url)
    configuration.retries = retries
    with kubernetes.client.ApiClient(configuration) as client:
        return kubernetes.client.CoreV1Api(client).read_namespaced_pod("p", "default")


@pytest.mark.parametrize("case", CASES)
def test_the_client_raises_its_own_class_with_everything_on_it(service: Service, case: str) -> None:
    """Class, status and a Status that the client's strict model takes; a final error is asked for once."""
    run, expected = service.run("kubernetes", case), CASES[case]
    with pytest.raises(kubernetes.client.ApiException) as caught:
        ask(run, retries=None if case in FINAL else False)
    error = caught.value
    assert type(error).__name__ == CLASSES.get(case, "ApiException")
    assert error.status == expected.status
    assert error.headers["audit-id"] == run.request_id
    assert error.headers["content-type"] == "application/json"
    status = kubernetes.client.V1Status.from_json(error.body)
    assert (status.kind, status.api_version, status.status) == ("Status", "v1", "Failure")
    assert (status.code, status.reason) == (expected.status, REASONS[case])
    assert status.message == expected.message
    causes = [(cause.reason, cause.message, cause.field) for cause in status.details.causes]
    first = (expected.code, expected.message, "email" if case == "validation" else None)
    assert causes[0] == first
    assert len(run.seen) == 1
    if case == "validation":
        assert causes[1:] == [
            ("invalid_format", "must be a valid email address", "email"),
            ("out_of_range", "must be at least 1", "items[0].quantity"),
        ]


@pytest.mark.parametrize("client_name", ["kubernetes"])
@pytest.mark.parametrize("case", ["not_found", "conflict", "forbidden", "unprocessable"])
def test_the_dynamic_client_sums_it_up(service: Service, case: str, client_name: str) -> None:
    """Its summary is the message: it reads the body only under exactly `application/json`."""
    with pytest.raises(kubernetes.client.ApiException) as caught:
        ask(service.run("kubernetes", case), retries=False)
    error = dynamic.api_exception(caught.value)
    assert type(error).__name__.removesuffix("Error") in {"NotFound", "Conflict", "Forbidden", "UnprocessibleEntity"}
    assert error.summary() == CASES[case].message


@pytest.mark.case("rate_limited")
def test_the_client_waits_and_succeeds(service: Service) -> None:
    """A 429 is retried by the default client (urllib3) after the wait that it advises."""
    service.successes["kubernetes"] = {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "p"}}
    run = service.run("kubernetes", "rate_limited")
    assert ask(run).metadata.name == "p"
    assert len(run.seen) == 2
    assert 0.9 < run.waits[0] < 8


@pytest.mark.case("rate_limited")
def test_a_429_says_when_to_come_back(service: Service) -> None:
    """`details.retryAfterSeconds`, for client-go."""
    with pytest.raises(kubernetes.client.ApiException) as caught:
        ask(service.run("kubernetes", "rate_limited"), retries=False)
    status = kubernetes.client.V1Status.from_json(caught.value.body)
    assert (status.reason, status.details.retry_after_seconds) == ("TooManyRequests", 1)
