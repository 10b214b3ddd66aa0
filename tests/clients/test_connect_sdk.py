"""connect-python, unmodified, believes the dialect `connect`; Google's protobuf reads its details."""

from __future__ import annotations

from typing import Any

import pytest

from clients.failing_service import CASES, DOMAIN, RATE_LIMITED, Run, Service
from requirements import require_module

client = require_module("connectrpc.client")
codecs = require_module("connectrpc.codec")
connect_errors = require_module("connectrpc.errors")
methods = require_module("connectrpc.method")
wkt = require_module("protobuf.wkt")
rpc = require_module("google.rpc.error_details_pb2")

SDK = ("connect", "connectrpc")

CODES = {
    "authentication": "unauthenticated",
    "payment_required": "failed_precondition",
    "forbidden": "permission_denied",
    "not_found": "not_found",
    "cross_tenant": "not_found",
    "method_not_allowed": "unimplemented",
    "conflict": "already_exists",
    "gone": "not_found",
    "too_large": "resource_exhausted",
    "unprocessable": "failed_precondition",
    "internal": "internal",
    "bad_gateway": "unavailable",
    "unavailable": "unavailable",
    "gateway_timeout": "deadline_exceeded",
}


def ask(run: Run, codec: Any = None) -> Any:
    """One unary call."""
    method = methods.MethodInfo(
        name="Get",
        service_name="widgets.v1.Widgets",
        input=wkt.Empty,
        output=wkt.Empty,
        stream_type=methods.StreamType.UNARY,
        idempotency_level=methods.IdempotencyLevel.UNKNOWN,
    )
    with client.ConnectClientSync(run.url, codec=codec) as connection:
        return connection.execute_unary(request=wkt.Empty(), method=method)


def details(error: Any) -> dict[str, Any]:
    """The error's details, by name, as Google's own messages."""
    return {
        detail.type_name: getattr(rpc, detail.type_name.rpartition(".")[2]).FromString(detail.message_bytes)
        for detail in error.details
    }


@pytest.mark.parametrize("case", CASES)
def test_the_client_raises_with_code_and_details(service: Service, case: str) -> None:
    """Code, message, and details as protobuf; it retries nothing."""
    run, expected = service.run("connect", case), CASES[case]
    with pytest.raises(connect_errors.ConnectError) as caught:
        ask(run)
    error = caught.value
    assert error.code.value == CODES.get(case, "invalid_argument")
    assert error.message == expected.message
    found = details(error)
    info = found["google.rpc.ErrorInfo"]
    assert (info.reason, info.domain) == (expected.code.upper(), DOMAIN)
    assert found["google.rpc.RequestInfo"].request_id == run.request_id
    assert found["google.rpc.Help"].links[0].url == f"https://errors.example.com/{expected.code}"
    assert len(run.seen) == 1
    if case == "validation":
        violations = found["google.rpc.BadRequest"].field_violations
        assert [(v.field, v.reason, v.description) for v in violations] == [
            ("email", "INVALID_FORMAT", "must be a valid email address"),
            ("items[0].quantity", "OUT_OF_RANGE", "must be at least 1"),
        ]


def test_the_error_is_json_also_for_json_messages(service: Service) -> None:
    """The codec of the messages makes no difference."""
    with pytest.raises(connect_errors.ConnectError) as caught:
        ask(service.run("connect", "not_found"), codecs.proto_json_codec())
    assert caught.value.code.value == "not_found"


@pytest.mark.case("rate_limited")
def test_a_429_carries_retry_info(service: Service) -> None:
    """The client does not retry by itself; RetryInfo tells its caller when to."""
    run = service.run("connect", "rate_limited")
    with pytest.raises(connect_errors.ConnectError) as caught:
        ask(run)
    assert caught.value.code.value == "resource_exhausted"
    found = details(caught.value)
    assert found["google.rpc.RetryInfo"].retry_delay.seconds == 1
    assert found["google.rpc.ErrorInfo"].reason == RATE_LIMITED.code.upper()
