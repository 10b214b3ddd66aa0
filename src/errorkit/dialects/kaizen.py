"""Kaizen's flat error: text, code and the request ID that support traces by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from typing_extensions import TypedDict

from errorkit.dialects import Dialect, extensions, text
from errorkit.failure import Public


class Body(TypedDict):
    detail: str
    code: str
    request_id: str


class Kaizen(Dialect):
    """All in one flat object."""

    name = "kaizen"
    Body = Body
    status_missing = status_invalid = 400
    carries = ("status", "code", "message", "request_id", "retry_after", "rate_limit", "extensions")
    copies = ("message", "request_id", "param", "retry_after", "resume_at")

    def write(self, public: Public) -> dict[str, Any]:
        return {
            **public.extensions,
            "detail": public.message,
            "code": self.spell(public.code),
            "request_id": public.request_id,
        }

    def read(self, status: int, headers: Mapping[str, str], body: Any) -> Public:
        body = body if isinstance(body, dict) else {}
        return self.public(
            status,
            headers,
            code=self.canonical(text(body.get("code"))),
            message=text(body.get("detail")),
            request_id=text(body.get("request_id")),
            extensions=extensions(body, Body.__annotations__),
        )
