"""OpenAI's error object, as its official SDKs read it.

Source: openai-openapi `ErrorResponse` (all four members required, null allowed);
openai-python `_exceptions.py`, `_base_client.py`, `_streaming.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NotRequired

from typing_extensions import TypedDict

from errorkit.dialects import Dialect, extensions, fields_of, findings, member, text, texts
from errorkit.failure import Public
from errorkit.retry import RateLimit, duration


class Finding(TypedDict):
    param: str
    code: str
    message: str


class Error(TypedDict):
    message: str
    type: str
    param: str | None
    code: str | None
    details: NotRequired[list[Finding]]


class Body(TypedDict):
    error: Error


class OpenAI(Dialect):
    """One `param`, the first at fault; all findings in the extension `details`."""

    name = "openai"
    Body = Body
    request_id_header = "x-request-id"
    retry_verdict_header = "x-should-retry"
    retry_after_ms_header = "retry-after-ms"
    status_missing = status_invalid = 400
    types = {
        400: "invalid_request_error",
        401: "authentication_error",
        402: "insufficient_quota",
        403: "permission_error",
        429: "rate_limit_error",
        500: "server_error",
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
        error: dict[str, Any] = {
            "message": public.message,
            "type": public.type,
            "param": public.param,
            "code": self.spell(public.code),
        }
        if public.details:
            error["details"] = findings(public.details)
        return {"error": {**public.extensions, **error}}

    def read(self, status: int, headers: Mapping[str, str], body: Any) -> Public:
        error = member(body, "error")
        return self.public(
            status,
            headers,
            code=self.canonical(text(member(error, "code"))),
            **texts(error, "type", "message", "param"),
            details=fields_of(member(error, "details")),
            extensions=extensions(error, Error.__annotations__),
        )

    def stream_event(self, public: Public) -> tuple[str | None, Any]:
        """For chat, completions and responses alike.

        Unnamed and with `error`, without which the SDKs do not raise; with `type` and `sequence_number`, as those want
        it who hold it against the events of the Responses API.
        """
        return None, {"type": "error", "sequence_number": 0, **self.write(public)}

    def quota_headers(self, quota: RateLimit) -> dict[str, str]:
        """With OpenAI's own fields; its reset is a duration such as `6m0s`."""
        return {
            **super().quota_headers(quota),
            "x-ratelimit-limit-requests": str(quota.limit),
            "x-ratelimit-remaining-requests": str(max(0, quota.remaining)),
            "x-ratelimit-reset-requests": duration(quota.reset),
        }
