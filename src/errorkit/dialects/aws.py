"""AWS' JSON error, protocol awsJson1_0, as botocore and the AWS SDKs read it.

Source: smithy `docs/source-2.0/aws/protocols`; botocore `parsers.py`, `errorfactory.py`,
`retries/standard.py`. REST-JSON is `aws_rest`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NotRequired

from typing_extensions import TypedDict

from errorkit.dialects import Dialect, extensions, items, member, text
from errorkit.failure import Detail, Public, pointer, unpointer


class Finding(TypedDict):
    name: str
    path: str
    code: str
    message: str


Body = TypedDict(
    "Body",
    {
        "__type": str,
        "message": str,
        "errorCode": str,
        "param": NotRequired[str],
        "fieldList": NotRequired[list[Finding]],
    },
)

_HIJACKERS = frozenset({"code", "message", "type", "__type"})
"""Members, in any case, that an SDK would take for the error's name or text."""


class AWS(Dialect):
    """The exception's name is in the body and in a header, as each protocol reads another one.

    botocore turns names that its service model has into classes, and keeps of the rest
    name and message only.
    """

    name = "aws"
    reserved = _HIJACKERS
    media_type = "application/x-amz-json-1.0"
    Body = Body
    places = {"message": ("$.message", "$.Message")}
    request_id_header = "x-amzn-requestid"
    retry_after_ms_header = "x-amz-retry-after"
    namespace: str = ""
    """Put before the name, with a `#`: `com.example.widgets`."""
    status_missing = status_invalid = 400
    types = {
        400: "ValidationException",
        401: "UnrecognizedClientException",
        402: "ServiceQuotaExceededException",
        403: "AccessDeniedException",
        404: "ResourceNotFoundException",
        405: "MethodNotAllowedException",
        408: "RequestTimeoutException",
        409: "ConflictException",
        410: "ResourceNotFoundException",
        412: "PreconditionFailedException",
        413: "RequestEntityTooLargeException",
        415: "UnsupportedMediaTypeException",
        429: "ThrottlingException",
        500: "InternalServerException",
        503: "ServiceUnavailableException",
    }
    carries = (
        "status",
        "code",
        "type",
        "message",
        "param",
        "request_id",
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
            **_harmless(public.extensions),
            "__type": f"{self.namespace}#{public.type}" if self.namespace else public.type,
            "message": public.message,
            "errorCode": self.spell(public.code),
        }
        if public.param is not None:
            body["param"] = public.param
        if public.details:
            body["fieldList"] = [
                {"name": detail.field, "path": pointer(detail.path), "code": detail.code, "message": detail.message}
                for detail in public.details
            ]
        return body

    def read(self, status: int, headers: Mapping[str, str], body: Any) -> Public:
        name = headers.get("x-amzn-errortype") or text(member(body, "__type")) or text(member(body, "code"))
        return self.public(
            status,
            headers,
            code=self.canonical(text(member(body, "errorCode"))),
            type=name.partition(":")[0].rpartition("#")[2],
            message=text(member(body, "message")) or text(member(body, "Message")),
            param=text(member(body, "param")),
            details=tuple(
                Detail(unpointer(text(item.get("path"))), text(item.get("message")), text(item.get("code")))
                for item in items(member(body, "fieldList"))
            ),
            extensions=_harmless(extensions(body, Body.__annotations__)),
        )

    def headers(self, public: Public) -> dict[str, str]:
        """With the exception's name."""
        return {"x-amzn-errortype": public.type, **super().headers(public)}


def _harmless(extensions: Mapping[str, Any]) -> dict[str, Any]:
    """The members that keep their names; the others come as `detail_code` and the like."""
    return {name: value for name, value in extensions.items() if name.lower() not in _HIJACKERS}
