"""Google's HTTP error (AIP-193), as google-api-core and the Cloud clients read it.

Source: aip.dev/193; google-api-core `exceptions.py` (from_http_response).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from typing_extensions import TypedDict

from errorkit.dialects import Dialect, google_rpc, items, member, text
from errorkit.failure import Public

_PREFIX = "type.googleapis.com/google.rpc."


class Error(TypedDict):
    code: int
    message: str
    status: str
    details: list[dict[str, Any]]


class Body(TypedDict):
    error: Error


class Google(Dialect):
    """The code is `ErrorInfo.reason`; a RetryInfo says that a client may retry."""

    name = "google"
    media_type = "application/json; charset=UTF-8"
    Body = Body
    places = {
        "code": "$.error.details[?@['@type']=='type.googleapis.com/google.rpc.ErrorInfo'].reason",
        "param": "$.error.details[?@['@type']=='type.googleapis.com/google.rpc.ErrorInfo'].metadata.param",
        "details": "$.error.details[?@['@type']=='type.googleapis.com/google.rpc.BadRequest'].fieldViolations",
        "request_id": "$.error.details[?@['@type']=='type.googleapis.com/google.rpc.RequestInfo'].requestId",
    }
    code_case = "upper"
    status_missing = status_invalid = 400
    types = google_rpc.CODE_OF_STATUS
    known_types = frozenset(google_rpc.STATUS_OF_CODE)
    domain = "service.local"
    """`ErrorInfo.domain`: the service's registered name, such as `widgets.example.com`."""
    carries = (
        "status",
        "code",
        "type",
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
        found = google_rpc.messages(self, public, self.domain)
        return {
            "error": {
                "code": public.status,
                "message": public.message,
                "status": public.type,
                "details": [{"@type": _PREFIX + name, **message} for name, message in found],
            }
        }

    def read(self, status: int, headers: Mapping[str, str], body: Any) -> Public:
        error = member(body, "error")
        details = {text(item.get("@type")).removeprefix(_PREFIX): item for item in items(member(error, "details"))}
        return self.public(
            status,
            headers,
            type=text(member(error, "status")),
            message=text(member(error, "message")),
            **google_rpc.read(self, details),
        )
