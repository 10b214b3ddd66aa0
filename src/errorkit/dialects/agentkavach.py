"""AgentKavach's envelope: few statuses, and `resume_at` where waiting helps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NotRequired

from typing_extensions import TypedDict

from errorkit.dialects import Dialect, extensions, member, text
from errorkit.failure import Public
from errorkit.retry import parse_rfc3339, rfc3339


class Error(TypedDict):
    code: str
    message: str
    resume_at: NotRequired[str]


class Body(TypedDict):
    error: Error


class AgentKavach(Dialect):
    """`resume_at` is RFC 3339 in UTC and agrees with Retry-After."""

    name = "agentkavach"
    Body = Body
    carries = ("status", "code", "message", "request_id", "retry_after", "resume_at", "rate_limit", "extensions")
    copies = ("message", "request_id", "param", "retry_after", "resume_at")

    def write(self, public: Public) -> dict[str, Any]:
        error = {**public.extensions, "code": self.spell(public.code), "message": public.message}
        if public.resume_at is not None:
            error["resume_at"] = rfc3339(public.resume_at)
        return {"error": error}

    def read(self, status: int, headers: Mapping[str, str], body: Any) -> Public:
        error = member(body, "error")
        return self.public(
            status,
            headers,
            code=self.canonical(text(member(error, "code"))),
            message=text(member(error, "message")),
            resume_at=parse_rfc3339(text(member(error, "resume_at"))),
            extensions=extensions(error, Error.__annotations__),
        )
