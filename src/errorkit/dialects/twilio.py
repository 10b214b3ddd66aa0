"""Twilio's classic error body, as its official helper libraries read it.

Source: twilio-python `base/version.py` (TwilioRestException), twilio-node `RestException`.
Twilio's newer form is RFC 9457: the dialect `problem`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NotRequired

from typing_extensions import TypedDict

from errorkit.dialects import Dialect, extensions, items, member, text
from errorkit.failure import Detail, Public, undotted


class Finding(TypedDict):
    field: str
    code: str
    message: str


class Details(TypedDict):
    error_code: str
    param: NotRequired[str]
    errors: NotRequired[list[Finding]]


class Body(TypedDict):
    code: int
    message: str
    more_info: NotRequired[str]
    status: int
    details: Details


class Twilio(Dialect):
    """`code` is a number; the catalogue's code is in `details`, which the libraries hand on."""

    name = "twilio"
    Body = Body
    request_id_header = "twilio-request-id"
    status_missing = status_invalid = 400
    numbers: Mapping[str, int] = MappingProxyType({})
    """Canonical code to its number; 20000 plus the status for all others."""
    carries = (
        "status",
        "code",
        "message",
        "param",
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
        body: dict[str, Any] = {
            "code": self.numbers.get(public.code, 20000 + public.status),
            "message": public.message,
        }
        if public.doc_url:
            body["more_info"] = public.doc_url
        details: dict[str, Any] = {**public.extensions, "error_code": self.spell(public.code)}
        if public.param is not None:
            details["param"] = public.param
        if public.details:
            details["errors"] = [
                {"field": detail.field, "code": detail.code, "message": detail.message} for detail in public.details
            ]
        return {**body, "status": public.status, "details": details}

    def read(self, status: int, headers: Mapping[str, str], body: Any) -> Public:
        details = member(body, "details")
        number = member(body, "code")
        named = next((code for code, known in self.numbers.items() if known == number), "")
        return self.public(
            status,
            headers,
            code=self.canonical(text(member(details, "error_code")) or named),
            message=text(member(body, "message")),
            param=text(member(details, "param")),
            doc_url=text(member(body, "more_info")),
            details=tuple(
                Detail(undotted(text(item.get("field"))), text(item.get("message")), text(item.get("code")))
                for item in items(member(details, "errors"))
            ),
            extensions=extensions(details, Details.__annotations__),
        )
