"""botocore, unmodified, believes the dialects `aws` (DynamoDB: JSON 1.0) and `aws_rest` (Lambda: REST-JSON)."""

from __future__ import annotations

from typing import Any

import pytest

from clients.failing_service import CASES, FINAL, Run, Service
from requirements import require_module

session = require_module("botocore.session")
configuration = require_module("botocore.config")
exceptions = require_module("botocore.exceptions")

SDK = ("aws", "botocore")

SESSION = session.Session()
"""One, as a service model takes long to load."""

NAMES = {
    "bad_request": "ValidationException",
    "validation": "ValidationException",
    "authentication": "UnrecognizedClientException",
    "payment_required": "ServiceQuotaExceededException",
    "forbidden": "AccessDeniedException",
    "not_found": "ResourceNotFoundException",
    "cross_tenant": "ResourceNotFoundException",
    "method_not_allowed": "MethodNotAllowedException",
    "conflict": "ConflictException",
    "gone": "ResourceNotFoundException",
    "too_large": "RequestEntityTooLargeException",
    "unsupported_media": "UnsupportedMediaTypeException",
    "unprocessable": "ValidationException",
    "internal": "InternalServerException",
    "bad_gateway": "InternalServerException",
    "unavailable": "ServiceUnavailableException",
    "gateway_timeout": "InternalServerException",
}
SERVICES = {"aws": "dynamodb", "aws_rest": "lambda"}


def ask(run: Run, attempts: int = 1, service_name: str = "") -> Any:
    """One call of the service whose protocol the dialect speaks."""
    name = service_name or SERVICES[run.dialect]
    client = SESSION.create_client(
        name,
        region_name="eu-central-1",
        endpoint_url=run.url,
        aws_access_key_id="a",
        aws_secret_access_key="s",
        config=configuration.Config(retries={"total_max_attempts": attempts, "mode": "standard"}),
    )
    if name == "dynamodb":
        return client.describe_table(TableName="widgets")
    if name == "lambda":
        return client.get_function(FunctionName="widgets")
    return client.list_agents()


@pytest.mark.parametrize(("dialect", "case"), [(dialect, case) for dialect in SERVICES for case in CASES])
def test_the_client_raises_its_own_class_with_everything_on_it(service: Service, dialect: str, case: str) -> None:
    """Name, message, status and request id; the modelled class where there is one; a final error once."""
    run, expected = service.run(dialect, case), CASES[case]
    with pytest.raises(exceptions.ClientError) as caught:
        ask(run, attempts=3 if case in FINAL else 1)
    error = caught.value
    assert error.response["Error"]["Code"] == NAMES[case]
    assert error.response["Error"]["Message"] == expected.message
    metadata = error.response["ResponseMetadata"]
    assert metadata["HTTPStatusCode"] == (400 if case == "validation" else expected.status)
    assert metadata["RequestId"] == run.request_id
    assert len(run.seen) == 1
    if NAMES[case] == "ResourceNotFoundException":
        assert type(error).__name__ == "ResourceNotFoundException"


def test_findings_are_in_a_modelled_field_list(service: Service) -> None:
    """A service whose ValidationException has a `fieldList` (Bedrock's agents) shows the findings."""
    with pytest.raises(exceptions.ClientError) as caught:
        ask(service.run("aws_rest", "validation"), service_name="bedrock-agent")
    assert type(caught.value).__name__ == "ValidationException"
    assert caught.value.response["fieldList"] == [
        {"name": "email", "message": "must be a valid email address"},
        {"name": "items[0].quantity", "message": "must be at least 1"},
    ]


@pytest.mark.parametrize("case", ["internal", "unavailable"])
def test_the_client_retries_what_may_succeed_later(service: Service, case: str) -> None:
    """A retryable failure is asked for again, as often as the client was told to."""
    run = service.run("aws_rest", case)
    with pytest.raises(exceptions.ClientError):
        ask(run, attempts=2)
    assert len(run.seen) == 2


@pytest.mark.case("rate_limited")
def test_the_client_waits_and_succeeds(service: Service) -> None:
    """A throttled call is retried after the wait in `x-amz-retry-after`."""
    service.successes["aws"] = {"Table": {"TableName": "widgets"}}
    run = service.run("aws", "rate_limited")
    assert ask(run, attempts=2)["Table"]["TableName"] == "widgets"
    assert len(run.seen) == 2
    assert 0.9 < run.waits[0] < 8
