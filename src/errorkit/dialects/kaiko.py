"""Kaiko's typed envelope, with the request ID in the body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NotRequired

from typing_extensions import TypedDict

from errorkit.dialects import Dialect, extensions, member, text, texts
from errorkit.failure import Detail, Public
from errorkit.request_id import RequestIdFormat


class Error(TypedDict):
    type: str
    code: str
    message: str
    param: NotRequired[str]
    request_id: str


class Body(TypedDict):
    error: Error


class Kaiko(Dialect):
    """A missing field is a 400, an invalid value a 422, each under the finding's own code."""

    name = "kaiko"
    Body = Body
    request_id_format = RequestIdFormat(prefix="req-", length=10)
    status_missing = 400
    code_from_finding = True
    renames = {
        "unauthenticated": "invalid_api_key",
        "content_too_large": "payload_too_large",
        "rate_limited": "too_many_requests",
    }
    types = {
        400: "invalid_request_error",
        401: "authentication_error",
        403: "forbidden_error",
        404: "not_found_error",
        409: "conflict_error",
        410: "not_found_error",
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
        "rate_limit",
        "extensions",
    )
    copies = ("message", "request_id", "param", "retry_after", "resume_at")

    def write(self, public: Public) -> dict[str, Any]:
        error = {
            **public.extensions,
            "type": public.type,
            "code": self.spell(public.code),
            "message": public.message,
            "request_id": public.request_id,
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
            **texts(error, "type", "message", "param", "request_id"),
            extensions=extensions(error, Error.__annotations__),
        )

    def describe(self, details: tuple[Detail, ...]) -> str:
        """The deciding finding, in Kaiko's words."""
        detail = self.deciding(details)
        if detail.code == "missing_field":
            return f"The '{detail.field}' field is required"
        return f"The '{detail.field}' field is invalid: {detail.message}" if detail.path else detail.message
