"""RFC 9457, Problem Details for HTTP APIs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NotRequired

from typing_extensions import TypedDict

from errorkit.dialects import Dialect, extensions, is_uri, items, text
from errorkit.exchange import phrase
from errorkit.failure import Detail, Public, fragment, unfragment
from errorkit.retry import parse_rfc3339, rfc3339


class Finding(TypedDict):
    detail: str
    pointer: str
    code: str
    location: NotRequired[str]


class Body(TypedDict):
    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    param: NotRequired[str]
    resume_at: NotRequired[str]
    errors: NotRequired[list[Finding]]


class Problem(Dialect):
    """`type` is the class's own where that is a URI, else the page of the code, else `about:blank`.

    The title of `about:blank` is the status's phrase (RFC 9457 section 4.2.1).
    """

    name = "problem"
    media_type = "application/problem+json"
    uri_types = True
    Body = Body
    carries = (
        "status",
        "code",
        "title",
        "message",
        "param",
        "request_id",
        "doc_url",
        "retry_after",
        "resume_at",
        "rate_limit",
        "extensions",
        "details.path",
        "details.message",
        "details.code",
        "details.location",
    )
    copies = ("message", "request_id", "param", "retry_after", "resume_at")

    def recognises(self, status: int, headers: Mapping[str, str], body: Any) -> bool:
        """By the media type: each member is optional, and further ones are expected (RFC 9457 sections 3.1 and 3.2)."""
        return headers.get("content-type", "").partition(";")[0].strip().lower() == self.media_type and isinstance(
            body, dict
        )

    def write(self, public: Public) -> dict[str, Any]:
        kind = public.type if is_uri(public.type) else public.doc_url
        body: dict[str, Any] = {
            "type": kind or "about:blank",
            "title": public.title if kind else phrase(public.status),
            "status": public.status,
            "detail": public.message,
            "code": self.spell(public.code),
            "request_id": public.request_id,
        }
        if public.param is not None:
            body["param"] = public.param
        if public.resume_at is not None:
            body["resume_at"] = rfc3339(public.resume_at)
        if public.details:
            body["errors"] = [self._finding(detail) for detail in public.details]
        return {**public.extensions, **body}

    def _finding(self, detail: Detail) -> dict[str, str]:
        finding = {"detail": detail.message, "pointer": fragment(detail.path), "code": detail.code}
        if detail.location != "body":
            finding["location"] = detail.location
        return finding

    def read(self, status: int, headers: Mapping[str, str], body: Any) -> Public:
        body = body if isinstance(body, dict) else {}
        problem_type = text(body.get("type"))
        return self.public(
            status,
            headers,
            code=self.canonical(text(body.get("code"))),
            title=text(body.get("title")),
            message=text(body.get("detail")),
            param=text(body.get("param")),
            request_id=text(body.get("request_id")),
            resume_at=parse_rfc3339(text(body.get("resume_at"))),
            doc_url="" if problem_type == "about:blank" else problem_type,
            details=tuple(
                Detail(
                    unfragment(text(item.get("pointer"))),
                    text(item.get("detail")),
                    text(item.get("code")),
                    text(item.get("location")) or "body",
                )
                for item in items(body.get("errors"))
            ),
            extensions=extensions(body, Body.__annotations__),
        )
