"""The JSON that Flask's documentation gives an HTTPException: status, name and description.

Source: Flask's documentation, "Handling Application Errors", "Generic Exception Handlers".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NotRequired

from typing_extensions import TypedDict

from errorkit.dialects import Dialect, extensions, fields_of, findings, member, text
from errorkit.failure import Public


class Finding(TypedDict):
    param: str
    code: str
    message: str


class Body(TypedDict):
    code: int
    name: str
    description: str
    errors: NotRequired[list[Finding]]


class Flask(Dialect):
    """`code` is the status; the catalogue's code is in `X-Error-Code`. `errors` is there where fields are wrong."""

    name = "flask"
    Body = Body
    code_header = "X-Error-Code"
    carries = (
        "status",
        "code",
        "title",
        "message",
        "request_id",
        "retry_after",
        "rate_limit",
        "extensions",
        "details.path",
        "details.message",
        "details.code",
    )
    copies = ("message", "request_id", "param", "retry_after", "resume_at")
    places = {"code": ()}

    def write(self, public: Public) -> dict[str, Any]:
        body: dict[str, Any] = {
            **public.extensions,
            "code": public.status,
            "name": public.title,
            "description": public.message,
        }
        if public.details:
            body["errors"] = findings(public.details)
        return body

    def read(self, status: int, headers: Mapping[str, str], body: Any) -> Public:
        return self.public(
            status,
            headers,
            code=self.canonical(headers.get("x-error-code", "")),
            title=text(member(body, "name")),
            message=text(member(body, "description")),
            details=fields_of(member(body, "errors")),
            extensions=extensions(body, Body.__annotations__),
        )
