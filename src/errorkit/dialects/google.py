"""Google's HTTP error (AIP-193), as google-api-core and the Cloud clients read it.

Source: aip.dev/193; google-api-core `exceptions.py` (from_http_response).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from typing_extensions import TypedDict

from errorkit.dialects import google_rpc, items, member, text
from errorkit.failure import Public

_PREFIX = "type.googleapis.com/google.rpc."


class Error(TypedDict):
    code: int
    message: str
    status: str
    details: list[dict[str, Any]]


class Body(TypedDict):
    error: Error


class Google(google_rpc.RPCDialect):
    """The code is `ErrorInfo.reason`; a RetryInfo says that a client may retry."""

    name = "google"
    media_type = "application/json; charset=UTF-8"
    Body = Body
    places = google_rpc.places("$.error.details[?@['@type']=='type.googleapis.com/google.rpc.{}']")
    types = google_rpc.CODE_OF_STATUS
    known_types = frozenset(google_rpc.STATUS_OF_CODE)
    copies = ("message", "request_id", "param", "retry_after", "resume_at")

    def write(self, public: Public) -> dict[str, Any]:
        found = self.messages(public)
        return {
            "error": {
                "code": public.status,
                "message": public.message,
                "status": public.type,
                "details": [{"@type": _PREFIX + name, **message} for name, message in found],
            }
        }

    def stream_event(self, public: Public) -> tuple[str | None, Any]:
        """Unnamed: Google's streams have data alone, and its clients take an event with a name for none."""
        return None, self.write(public)

    def read(self, status: int, headers: Mapping[str, str], body: Any) -> Public:
        error = member(body, "error")
        details = {text(item.get("@type")).removeprefix(_PREFIX): item for item in items(member(error, "details"))}
        return self.public(
            status,
            headers,
            type=text(member(error, "status")),
            message=text(member(error, "message")),
            **self.fields(details),
        )
