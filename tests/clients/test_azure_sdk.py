"""azure-core and the App Configuration client, unmodified, believe `azure` (and `problem`)."""

from __future__ import annotations

from typing import Any

import pytest

from clients.failing_service import CASES, RATE_LIMITED, Run, Service
from requirements import require_module

core = require_module("azure.core")
exceptions = require_module("azure.core.exceptions")
policies = require_module("azure.core.pipeline.policies")
rest = require_module("azure.core.rest")

SDK = ("azure", "azure-core")

CLASSES = {
    "authentication": "ClientAuthenticationError",
    "not_found": "ResourceNotFoundError",
    "cross_tenant": "ResourceNotFoundError",
    "conflict": "ResourceExistsError",
}
ERROR_MAP = {
    401: exceptions.ClientAuthenticationError,
    404: exceptions.ResourceNotFoundError,
    409: exceptions.ResourceExistsError,
}
"""What every generated Azure client passes to azure-core."""


def ask(run: Run, *, retries: int = 3) -> Any:
    """One request by azure-core's pipeline with its default retry policy, as generated clients make it."""
    retry = policies.RetryPolicy(retry_total=retries, retry_backoff_factor=0.02)
    with core.PipelineClient(run.url, policies=[policies.HeadersPolicy(), retry]) as client:
        response = client.send_request(rest.HttpRequest("GET", run.url + "/thing"))
        if response.status_code != 200:
            exceptions.map_error(status_code=response.status_code, response=response, error_map=ERROR_MAP)
            raise exceptions.HttpResponseError(response=response)
        return response.json()


@pytest.mark.parametrize("case", CASES)
def test_the_client_raises_its_own_class_with_everything_on_it(service: Service, case: str) -> None:
    """Class, status, code, target, message, header twin and request id; a final error is asked for once."""
    run, expected = service.run("azure", case), CASES[case]
    final = not expected.retryable
    with pytest.raises(exceptions.HttpResponseError) as caught:
        ask(run, retries=3 if final else 1)
    error = caught.value
    code = "".join(part.title() for part in expected.code.split("_"))
    assert type(error).__name__ == CLASSES.get(case, "HttpResponseError")
    assert error.status_code == (400 if case == "validation" else expected.status)
    assert error.error.code == code
    assert error.error.message == expected.message
    assert error.response.headers["x-ms-error-code"] == code
    assert error.response.headers["x-ms-request-id"] == run.request_id
    assert len(run.seen) == (1 if final else 2)
    if case == "validation":
        assert error.error.target == "email"
        found = [(detail.code, detail.target) for detail in error.error.details]
        assert found == [("InvalidFormat", "email"), ("OutOfRange", "items[0].quantity")]


@pytest.mark.case("rate_limited")
def test_the_client_waits_and_succeeds(service: Service) -> None:
    """A 429 is retried after the wait that it advises."""
    service.successes["azure"] = {"ok": True}
    run = service.run("azure", "rate_limited")
    assert ask(run) == {"ok": True}
    assert len(run.seen) == 2
    assert 0.9 < run.waits[0] < 8


@pytest.mark.case("rate_limited")
def test_the_client_without_retries_raises(service: Service) -> None:
    """The 429 itself, with its code."""
    with pytest.raises(exceptions.HttpResponseError) as caught:
        ask(service.run("azure", "rate_limited"), retries=0)
    assert caught.value.status_code == 429
    assert caught.value.error.code == "RateLimitExceeded"
    assert RATE_LIMITED.code == "rate_limit_exceeded"


@pytest.mark.parametrize("client_name", ["azure-appconfiguration"])
@pytest.mark.parametrize("case", ["not_found", "authentication", "conflict", "forbidden"])
def test_a_real_service_client_raises_its_class(service: Service, case: str, client_name: str) -> None:
    """App Configuration's client, its endpoint pointed at the service; it sends the request once."""
    configuration = require_module("azure.appconfiguration")
    run = service.run("azure", case)
    endpoint = f"Endpoint={run.url};Id=i;Secret=c2VjcmV0"
    client = configuration.AzureAppConfigurationClient.from_connection_string(endpoint)
    with pytest.raises(exceptions.HttpResponseError) as caught:
        client.get_configuration_setting(key="k")
    assert type(caught.value).__name__ == CLASSES.get(case, "HttpResponseError")
    assert caught.value.status_code == CASES[case].status
    assert len(run.seen) == 1
