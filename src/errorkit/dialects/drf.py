"""Django REST framework's own error bodies: `detail`, or the findings by the fields that they are about.

Source: Django REST framework's `views.exception_handler` and `exceptions.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NotRequired

from typing_extensions import TypedDict

from errorkit.dialects import Dialect, member, own_words, text
from errorkit.exchange import phrase
from errorkit.failure import Public
from errorkit.framework_findings import as_field_dictionary, of_field_dictionary


class Body(TypedDict):
    """Every other member is a field's findings: a list of words, or an object of the same kind."""

    detail: NotRequired[str]
    non_field_errors: NotRequired[list[str]]


class DRF(Dialect):
    """The code is in `X-Error-Code`; findings stand in the place of the words.

    An error without words of its own says those of the framework. Of a finding neither its code is told nor whether it
    is in the query or the body; what is about the whole of a member is said of the member.
    """

    name = "drf"
    Body = Body
    code_header = "X-Error-Code"
    status_missing = status_invalid = 400
    words: Mapping[int, str] = MappingProxyType(
        {
            400: "Malformed request.",
            401: "Authentication credentials were not provided.",
            403: "You do not have permission to perform this action.",
            404: "Not found.",
            406: "Could not satisfy the request Accept header.",
            415: "Unsupported media type in request.",
            429: "Request was throttled.",
            500: "A server error occurred.",
        }
    )
    """What an error of a status says that has no words of its own; any other its phrase."""
    carries = (
        "status",
        "code",
        "message",
        "request_id",
        "retry_after",
        "rate_limit",
        "details.path",
        "details.message",
    )
    places = {"code": ()}
    copies = ("message", "request_id", "param", "retry_after", "resume_at")

    def settle(self, status: int, type: str, message: str) -> tuple[int, str, str]:
        return status, type, own_words(message, self.words.get(status) or phrase(status))

    def write(self, public: Public) -> dict[str, Any]:
        return as_field_dictionary(public.details) if public.details else {"detail": public.message}

    def read(self, status: int, headers: Mapping[str, str], body: Any) -> Public:
        said = member(body, "detail")
        details = () if isinstance(said, str) else of_field_dictionary(body) or ()
        return self.public(
            status,
            headers,
            code=self.canonical(headers.get("x-error-code", "")) or ("validation_failed" if details else ""),
            message=text(said),
            details=details,
        )

    def recognises(self, status: int, headers: Mapping[str, str], body: Any) -> bool:
        """`detail` alone, or findings."""
        if headers.get("content-type", "").partition(";")[0].strip().lower() != self.media_type:
            return False
        if isinstance(body, dict) and isinstance(body.get("detail"), str):
            return list(body) == ["detail"]
        return of_field_dictionary(body) is not None
