"""Korad's OpenAI-compatible envelope: `param` is left out where none applies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NotRequired

from typing_extensions import TypedDict

from errorkit.dialects import Dialect, extensions, member, text, texts
from errorkit.failure import Public


class Error(TypedDict):
    message: str
    type: str
    param: NotRequired[str]
    code: str


class Body(TypedDict):
    error: Error


class Korad(Dialect):
    """Read by OpenAI's official SDKs, unmodified."""

    name = "korad"
    Body = Body
    retry_verdict_header = "x-should-retry"
    retry_after_ms_header = "retry-after-ms"
    status_missing = status_invalid = 400
    renames = {
        "unauthenticated": "invalid_api_key",
        "rate_limited": "rate_limit_exceeded",
        "internal": "internal_error",
    }
    types = {
        400: "invalid_request_error",
        402: "budget_exceeded_error",
        408: "timeout_error",
        429: "rate_limit_error",
        500: "server_error",
        504: "timeout_error",
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
    )
    copies = ("message", "request_id", "param", "retry_after", "resume_at")

    def write(self, public: Public) -> dict[str, Any]:
        error = {
            **public.extensions,
            "message": public.message,
            "type": public.type,
            "code": self.spell(public.code),
        }
        if public.param is not None:
            error["param"] = public.param
        return {"error": error}

    def read(self, status: int, headers: Mapping[str, str], body: Any) -> Public:
        error = member(body, "error")
        return self.public(
            status,
            headers,
            code=self.canonical(text(member(error, "code"))),
            **texts(error, "type", "message", "param"),
            extensions=extensions(error, Error.__annotations__),
        )

    def stream_event(self, public: Public) -> tuple[str | None, Any]:
        """Unnamed, as OpenAI's SDKs want it."""
        return None, self.write(public)
