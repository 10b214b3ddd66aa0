"""Anthropic's error envelope, as its official SDKs read it.

Source: the platform's page "Errors"; anthropic-sdk-python `_exceptions.py` (type, message,
`error.details.error_code`), `_base_client.py` (retry hints), `_streaming.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NotRequired

from typing_extensions import TypedDict

from errorkit.dialects import Dialect, extensions, items, member, text
from errorkit.failure import Detail, Public, undotted
from errorkit.retry import RateLimit, ends_at, rfc3339


class Finding(TypedDict):
    path: str
    code: str
    message: str


class Details(TypedDict):
    error_code: str
    param: NotRequired[str]
    errors: NotRequired[list[Finding]]


class Error(TypedDict):
    type: str
    message: str
    details: Details


class Body(TypedDict):
    type: str
    error: Error
    request_id: str


class Anthropic(Dialect):
    """The code is in `error.details.error_code`, where the SDKs look for it."""

    name = "anthropic"
    Body = Body
    request_id_header = "request-id"
    retry_verdict_header = "x-should-retry"
    status_missing = status_invalid = 400
    types = {
        400: "invalid_request_error",
        401: "authentication_error",
        402: "billing_error",
        403: "permission_error",
        404: "not_found_error",
        409: "conflict_error",
        413: "request_too_large",
        429: "rate_limit_error",
        500: "api_error",
        503: "api_error",
        504: "timeout_error",
        529: "overloaded_error",
    }
    carries = (
        "status",
        "code",
        "type",
        "message",
        "param",
        "request_id",
        "retry_after",
        "retryable",
        "rate_limit",
        "extensions",
        "details.path",
        "details.message",
        "details.code",
    )
    copies = ("message", "request_id", "param", "retry_after", "resume_at")

    def write(self, public: Public) -> dict[str, Any]:
        details: dict[str, Any] = {**public.extensions, "error_code": self.spell(public.code)}
        if public.param is not None:
            details["param"] = public.param
        if public.details:
            details["errors"] = [
                {"path": detail.field, "code": detail.code, "message": detail.message} for detail in public.details
            ]
        return {
            "type": "error",
            "error": {"type": public.type, "message": public.message, "details": details},
            "request_id": public.request_id,
        }

    def read(self, status: int, headers: Mapping[str, str], body: Any) -> Public:
        error = member(body, "error")
        details = member(error, "details")
        return self.public(
            status,
            headers,
            code=self.canonical(text(member(details, "error_code"))),
            type=text(member(error, "type")),
            message=text(member(error, "message")),
            param=text(member(details, "param")),
            request_id=text(member(body, "request_id")),
            details=tuple(
                Detail(undotted(text(item.get("path"))), text(item.get("message")), text(item.get("code")))
                for item in items(member(details, "errors"))
            ),
            extensions=extensions(details, Details.__annotations__),
        )

    def quota_headers(self, quota: RateLimit) -> dict[str, str]:
        """With Anthropic's own fields; its reset is an instant in RFC 3339."""
        return {
            **super().quota_headers(quota),
            "anthropic-ratelimit-requests-limit": str(quota.limit),
            "anthropic-ratelimit-requests-remaining": str(max(0, quota.remaining)),
            "anthropic-ratelimit-requests-reset": rfc3339(ends_at(quota)),
        }
