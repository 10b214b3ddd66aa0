"""Stripe's error object, as its official SDKs read it.

Source: the page "Errors" of Stripe's API reference; stripe-python `_api_requestor.py`,
`_error_object.py`, `_http_client.py`; stripe-node `Error.ts`, `RequestSender.ts`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NotRequired

from typing_extensions import TypedDict

from errorkit.dialects import Dialect, extensions, fields_of, findings, member, text, texts
from errorkit.failure import Public


class Finding(TypedDict):
    param: str
    code: str
    message: str


class Error(TypedDict):
    type: str
    code: str
    message: str
    param: NotRequired[str]
    doc_url: NotRequired[str]
    errors: NotRequired[list[Finding]]


class Body(TypedDict):
    error: Error


class Stripe(Dialect):
    """Absent members are left out; stripe-python knows `code` and `param` of 400, 402 and 404 only.

    The SDKs read no Retry-After: `stripe-should-retry` alone makes them retry a 429.
    """

    name = "stripe"
    Body = Body
    request_id_header = "request-id"
    retry_verdict_header = "stripe-should-retry"
    status_missing = status_invalid = 400
    types = {400: "invalid_request_error", 402: "card_error", 500: "api_error"}
    known_types = frozenset({"api_error", "card_error", "idempotency_error", "invalid_request_error"})
    carries = (
        "status",
        "code",
        "type",
        "message",
        "param",
        "request_id",
        "doc_url",
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
            **public.extensions,
            "type": public.type,
            "code": self.spell(public.code),
            "message": public.message,
        }
        if public.param is not None:
            error["param"] = public.param
        if public.doc_url:
            error["doc_url"] = public.doc_url
        if public.details:
            error["errors"] = findings(public.details)
        return {"error": error}

    def read(self, status: int, headers: Mapping[str, str], body: Any) -> Public:
        error = member(body, "error")
        return self.public(
            status,
            headers,
            code=self.canonical(text(member(error, "code"))),
            **texts(error, "type", "message", "param", "doc_url"),
            details=fields_of(member(error, "errors")),
            extensions=extensions(error, Error.__annotations__),
        )
