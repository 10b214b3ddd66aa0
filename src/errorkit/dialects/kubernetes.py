"""Kubernetes' `v1.Status`, as client-go and the generated clients read it.

Source: kubernetes/apimachinery `pkg/apis/meta/v1/types.go` (Status, StatusReason,
CauseType); kubernetes-client/python `models/v1_status*.py`, `dynamic/exceptions.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NotRequired

from typing_extensions import TypedDict

from errorkit.dialects import Dialect, items, member, text
from errorkit.failure import Detail, Public, undotted


class Cause(TypedDict):
    reason: str
    message: str
    field: NotRequired[str]


class Details(TypedDict):
    causes: list[Cause]
    retryAfterSeconds: NotRequired[int]


class Body(TypedDict):
    kind: str
    apiVersion: str
    metadata: dict[str, str]
    status: str
    message: str
    reason: str
    details: Details
    code: int


class Kubernetes(Dialect):
    """The first cause is the error's own code; the findings follow."""

    name = "kubernetes"
    Body = Body
    request_id_header = "audit-id"
    causes: Mapping[str, str] = {
        "missing_field": "FieldValueRequired",
        "invalid_value": "FieldValueInvalid",
        "unknown_field": "FieldValueForbidden",
        "unsupported_value": "FieldValueNotSupported",
        "too_long": "FieldValueTooLong",
        "too_many": "FieldValueTooMany",
        "wrong_type": "FieldValueTypeInvalid",
    }
    """A finding's code to its CauseType; other codes stay as they are."""
    vocabulary = {
        "extra_forbidden": ("unknown_field", None),
        **dict.fromkeys(("enum", "literal_error"), ("unsupported_value", None)),
        **dict.fromkeys(("string_too_long", "bytes_too_long"), ("too_long", None)),
        "too_long": ("too_many", None),
        **dict.fromkeys(
            ("string_type", "int_type", "float_type", "bool_type", "list_type", "dict_type", "model_type"),
            ("wrong_type", None),
        ),
    }
    types = {
        400: "BadRequest",
        401: "Unauthorized",
        402: "PaymentRequired",
        403: "Forbidden",
        404: "NotFound",
        405: "MethodNotAllowed",
        406: "NotAcceptable",
        408: "Timeout",
        409: "AlreadyExists",
        410: "Gone",
        412: "Conflict",
        413: "RequestEntityTooLarge",
        415: "UnsupportedMediaType",
        422: "Invalid",
        429: "TooManyRequests",
        500: "InternalError",
        503: "ServiceUnavailable",
        504: "Timeout",
    }
    known_types = frozenset(types.values()) | {"Expired", "ServerTimeout", "StorageReadError"}
    carries = (
        "status",
        "code",
        "type",
        "message",
        "param",
        "request_id",
        "retry_after",
        "rate_limit",
        "details.path",
        "details.message",
        "details.code",
    )
    copies = ("message", "request_id", "param", "retry_after", "resume_at")

    def write(self, public: Public) -> dict[str, Any]:
        cause = {"reason": self.spell(public.code), "message": public.message}
        if public.param is not None:
            cause["field"] = public.param
        details: dict[str, Any] = {"causes": [cause, *map(self._cause, public.details)]}
        if public.retry_after is not None and public.retryable:
            details["retryAfterSeconds"] = public.retry_after
        return {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": public.message,
            "reason": public.type,
            "details": details,
            "code": public.status,
        }

    def _cause(self, detail: Detail) -> dict[str, str]:
        return {"reason": self.causes.get(detail.code, detail.code), "message": detail.message, "field": detail.field}

    def read(self, status: int, headers: Mapping[str, str], body: Any) -> Public:
        causes = items(member(member(body, "details"), "causes"))
        known = {reason: code for code, reason in self.causes.items()}
        own: dict[str, Any] = {}
        if causes and text(causes[0].get("reason")) not in known:  # Kubernetes' own servers begin with the findings
            own, *causes = causes
        return self.public(
            status,
            headers,
            code=self.canonical(text(own.get("reason"))),
            type=text(member(body, "reason")),
            message=text(member(body, "message")),
            param=text(own.get("field")),
            details=tuple(_detail(cause, known) for cause in causes),
        )


def _detail(cause: dict[str, Any], known: Mapping[str, str]) -> Detail:
    reason = text(cause.get("reason"))
    return Detail(undotted(text(cause.get("field"))), text(cause.get("message")), known.get(reason, reason))
