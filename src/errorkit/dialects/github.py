"""GitHub's REST error body, as PyGithub and octokit read it.

Source: GitHub's REST documentation (troubleshooting, rate limits) and its OpenAPI schemas
basic-error and validation-error; PyGithub `Requester.py` (an exception's class is chosen by
the message); octokit/request (reads JSON under `application/json` only).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NotRequired

from typing_extensions import TypedDict

from errorkit.dialects import Dialect, extensions, items, member, text
from errorkit.failure import Detail, Public, undotted
from errorkit.retry import RateLimit, ends_at


class Finding(TypedDict):
    resource: str
    field: str
    code: str
    message: str


class Body(TypedDict):
    message: str
    documentation_url: NotRequired[str]
    status: str
    errors: NotRequired[list[Finding]]


class GitHub(Dialect):
    """The body has no member for the code: it is in `documentation_url` and `x-error-code`.

    A 401 and a 404 are known to PyGithub by GitHub's own words and have no others.
    """

    name = "github"
    media_type = "application/json; charset=utf-8"
    Body = Body
    request_id_header = "x-github-request-id"
    code_header = "x-error-code"
    renames = {"invalid_value": "invalid"}
    phrases = {401: "Bad credentials", 404: "Not Found"}
    resource: str = "Request"
    """What `errors[].resource` says where the body's model is not known."""
    carries = (
        "status",
        "code",
        "message",
        "request_id",
        "doc_url",
        "retry_after",
        "rate_limit",
        "extensions",
        "details.path",
        "details.message",
        "details.code",
    )
    copies = ("message", "request_id", "param", "retry_after", "resume_at")

    def write(self, public: Public) -> dict[str, Any]:
        body: dict[str, Any] = {**public.extensions, "message": public.message}
        if public.doc_url:
            body["documentation_url"] = public.doc_url
        body["status"] = str(public.status)
        if public.details:
            body["errors"] = [
                {
                    "resource": self.resource,
                    "field": detail.field,
                    "code": self.spell(detail.code),
                    "message": detail.message,
                }
                for detail in public.details
            ]
        return body

    def read(self, status: int, headers: Mapping[str, str], body: Any) -> Public:
        return self.public(
            status,
            headers,
            code=self.canonical(headers.get("x-error-code", "")),
            message=text(member(body, "message")),
            doc_url=text(member(body, "documentation_url")),
            details=tuple(
                Detail(
                    undotted(text(item.get("field"))),
                    text(item.get("message")),
                    self.canonical(text(item.get("code"))),
                )
                for item in items(member(body, "errors"))
            ),
            extensions=extensions(body, Body.__annotations__),
        )

    def quota_headers(self, quota: RateLimit) -> dict[str, str]:
        """GitHub's X-RateLimit family: its reset is in seconds since 1970."""
        remaining = max(0, quota.remaining)
        return {
            **super().quota_headers(quota),
            "X-RateLimit-Limit": str(quota.limit),
            "X-RateLimit-Remaining": str(remaining),
            "X-RateLimit-Used": str(max(0, quota.limit - remaining)),
            "X-RateLimit-Reset": str(int(ends_at(quota).timestamp())),
            "X-RateLimit-Resource": quota.policy,
        }
