"""The error envelope of Azure's REST guidelines (OData v4), as azure-core reads it.

Source: microsoft/api-guidelines `azure/Guidelines.md`; azure-core `exceptions.py`
(ODataV4Format), `_utils.py` and `_retry.py` (Retry-After).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NotRequired

from typing_extensions import TypedDict

from errorkit.dialects import Dialect, items, member, text
from errorkit.failure import Detail, Public, undotted


class Finding(TypedDict):
    code: str
    message: str
    target: str


class Error(TypedDict):
    code: str
    message: str
    target: NotRequired[str]
    details: NotRequired[list[Finding]]
    innererror: NotRequired[dict[str, Any]]


class Body(TypedDict):
    error: Error


class Azure(Dialect):
    """Public extensions travel in `innererror`.

    azure-core retries any error that has a Retry-After: give one only to what may be retried.
    """

    name = "azure"
    Body = Body
    request_id_header = "x-ms-request-id"
    code_header = "x-ms-error-code"
    code_case = "pascal"
    status_missing = status_invalid = 400
    carries = (
        "status",
        "code",
        "message",
        "param",
        "request_id",
        "retry_after",
        "rate_limit",
        "extensions",
        "details.path",
        "details.message",
        "details.code",
    )
    copies = ("message", "request_id", "param", "retry_after", "resume_at")

    def write(self, public: Public) -> dict[str, Any]:
        error: dict[str, Any] = {"code": self.spell(public.code), "message": public.message}
        if public.param is not None:
            error["target"] = public.param
        if public.details:
            error["details"] = [
                {"code": self.spell(detail.code), "message": detail.message, "target": detail.field}
                for detail in public.details
            ]
        if public.extensions:
            error["innererror"] = dict(public.extensions)
        return {"error": error}

    def read(self, status: int, headers: Mapping[str, str], body: Any) -> Public:
        error = member(body, "error")
        inner = member(error, "innererror")
        return self.public(
            status,
            headers,
            code=self.canonical(text(member(error, "code")) or headers.get("x-ms-error-code", "")),
            message=text(member(error, "message")),
            param=text(member(error, "target")),
            details=tuple(
                Detail(
                    undotted(text(item.get("target"))),
                    text(item.get("message")),
                    self.canonical(text(item.get("code"))),
                )
                for item in items(member(error, "details"))
            ),
            extensions=inner if isinstance(inner, dict) else {},
        )
