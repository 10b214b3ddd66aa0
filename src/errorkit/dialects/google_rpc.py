"""The `google.rpc` vocabulary that the dialects `google` and `connect` share.

Source: googleapis `google/rpc/code.proto` and `error_details.proto`; AIP-193.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from errorkit.dialects import Dialect, extensions, items, member, text
from errorkit.encoding import encode
from errorkit.failure import Detail, Public, undotted

STATUS_OF_CODE: Mapping[str, int] = MappingProxyType(
    {
        "CANCELLED": 499,
        "UNKNOWN": 500,
        "INVALID_ARGUMENT": 400,
        "DEADLINE_EXCEEDED": 504,
        "NOT_FOUND": 404,
        "ALREADY_EXISTS": 409,
        "PERMISSION_DENIED": 403,
        "RESOURCE_EXHAUSTED": 429,
        "FAILED_PRECONDITION": 400,
        "ABORTED": 409,
        "OUT_OF_RANGE": 400,
        "UNIMPLEMENTED": 501,
        "INTERNAL": 500,
        "UNAVAILABLE": 503,
        "DATA_LOSS": 500,
        "UNAUTHENTICATED": 401,
    }
)
"""Each code, and the HTTP status that AIP-193 and Connect give it."""

CODE_OF_STATUS: Mapping[int, str] = MappingProxyType(
    {
        400: "INVALID_ARGUMENT",
        401: "UNAUTHENTICATED",
        402: "FAILED_PRECONDITION",
        403: "PERMISSION_DENIED",
        404: "NOT_FOUND",
        405: "UNIMPLEMENTED",
        408: "DEADLINE_EXCEEDED",
        409: "ALREADY_EXISTS",
        410: "NOT_FOUND",
        412: "FAILED_PRECONDITION",
        413: "OUT_OF_RANGE",
        422: "FAILED_PRECONDITION",
        423: "FAILED_PRECONDITION",
        428: "FAILED_PRECONDITION",
        429: "RESOURCE_EXHAUSTED",
        431: "OUT_OF_RANGE",
        451: "PERMISSION_DENIED",
        499: "CANCELLED",
        500: "INTERNAL",
        501: "UNIMPLEMENTED",
        502: "UNAVAILABLE",
        503: "UNAVAILABLE",
        504: "DEADLINE_EXCEEDED",
    }
)
"""The code of each HTTP status; 400 and 500 stand for their families."""


class RPCDialect(Dialect):
    """A dialect whose code, findings, advice and request ID are error details of `google.rpc`."""

    code_case = "upper"
    status_missing = status_invalid = 400
    domain: str = "service.local"
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

    def messages(self, public: Public) -> list[tuple[str, dict[str, Any]]]:
        """The error details of AIP-193: names in `google.rpc` and their JSON form, each at most once.

        A map's values are strings: other extensions go in as their JSON.
        """
        metadata = {
            name: value if isinstance(value, str) else encode(value).decode("utf-8")
            for name, value in public.extensions.items()
        }
        if public.param is not None:
            metadata["param"] = public.param
        found: list[tuple[str, dict[str, Any]]] = [
            ("ErrorInfo", {"reason": self.spell(public.code), "domain": self.domain, "metadata": metadata}),
            ("RequestInfo", {"requestId": public.request_id}),
        ]
        if public.details:
            violations = [
                {"field": detail.field, "description": detail.message, "reason": self.spell(detail.code)}
                for detail in public.details
            ]
            found.append(("BadRequest", {"fieldViolations": violations}))
        if public.retry_after is not None and public.retryable:
            found.append(("RetryInfo", {"retryDelay": f"{public.retry_after}s"}))
        if public.doc_url:
            found.append(("Help", {"links": [{"description": public.title, "url": public.doc_url}]}))
        return found

    def fields(self, details: Mapping[str, Any]) -> dict[str, Any]:
        """Fields of `Public` from error details in their JSON form, by name in `google.rpc`."""
        info = details.get("ErrorInfo")
        metadata = member(info, "metadata")
        links = items(member(details.get("Help"), "links"))
        return {
            "code": self.canonical(text(member(info, "reason"))),
            "param": text(member(metadata, "param")),
            "request_id": text(member(details.get("RequestInfo"), "requestId")),
            "doc_url": text(links[0].get("url")) if links else "",
            "details": tuple(
                Detail(
                    undotted(text(item.get("field"))),
                    text(item.get("description")),
                    self.canonical(text(item.get("reason"))),
                )
                for item in items(member(details.get("BadRequest"), "fieldViolations"))
            ),
            "extensions": extensions(metadata, ("param",)),
        }


def places(detail: str) -> dict[str, str]:
    """`Dialect.places` of what is in error details. detail: JSONPath of one, its name left out as `{}`."""
    return {
        "code": detail.format("ErrorInfo") + ".reason",
        "param": detail.format("ErrorInfo") + ".metadata.param",
        "details": detail.format("BadRequest") + ".fieldViolations",
        "request_id": detail.format("RequestInfo") + ".requestId",
    }
