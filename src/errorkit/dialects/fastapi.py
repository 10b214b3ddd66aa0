"""FastAPI's own error bodies: `detail` is words, or a list of what is wrong with the request.

Source: FastAPI's `exception_handlers.py`, and `HTTPValidationError` in the document that it makes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NotRequired

from typing_extensions import TypedDict

from errorkit.dialects import Dialect, items, member, own_words, text
from errorkit.exchange import phrase
from errorkit.failure import Detail, Public
from errorkit.finding_words import WORDS
from errorkit.framework_findings import as_loc, of_loc


class Finding(TypedDict):
    type: str
    loc: list[str | int]
    msg: str
    input: NotRequired[Any]
    ctx: NotRequired[dict[str, Any]]
    url: NotRequired[str]


class Body(TypedDict):
    detail: str | list[Finding]


class FastAPI(Dialect):
    """The code is in `X-Error-Code`; findings stand in the place of the words, without what was submitted.

    An error without words of its own says the status's phrase, as FastAPI does.
    """

    name = "fastapi"
    Body = Body
    code_header = "X-Error-Code"
    renames = {"missing_field": "missing", "invalid_value": "value_error"}
    carries = (
        "status",
        "code",
        "message",
        "request_id",
        "retry_after",
        "rate_limit",
        "details.path",
        "details.message",
        "details.code",
        "details.location",
    )
    places = {"code": ()}
    copies = ("message", "request_id", "param", "retry_after", "resume_at")

    def settle(self, status: int, type: str, message: str) -> tuple[int, str, str]:
        return status, type, own_words(message, phrase(status))

    def translate(self, detail: Detail) -> Detail:
        """pydantic's own word, where nobody has given a field another code."""
        own = detail.code == "invalid_value" and detail.kind in WORDS
        return detail._replace(code=detail.kind) if own else detail

    def write(self, public: Public) -> dict[str, Any]:
        if not public.details:
            return {"detail": public.message}
        return {
            "detail": [
                {"type": self.spell(detail.code), "loc": as_loc(detail), "msg": detail.message}
                for detail in public.details
            ]
        }

    def read(self, status: int, headers: Mapping[str, str], body: Any) -> Public:
        said = member(body, "detail")
        details = tuple(map(self._finding, items(said)))
        return self.public(
            status,
            headers,
            code=self.canonical(headers.get("x-error-code", "")) or ("validation_failed" if details else ""),
            message=text(said),
            details=details,
        )

    def _finding(self, item: dict[str, Any]) -> Detail:
        kind = text(item.get("type"))
        location, path = of_loc(item.get("loc"))
        code = "invalid_value" if kind in WORDS and kind != "missing" else self.canonical(kind)
        return Detail(path, text(item.get("msg")), code, location)
