"""Kaplaix's envelope: upper-case codes and, for validation only, details in Zod's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NotRequired

from typing_extensions import TypedDict

from errorkit.dialects import Dialect, items, member, text
from errorkit.failure import Detail, Public, step

_UUID = ("invalid_string", "Invalid uuid")
_DATE = ("invalid_string", "Invalid datetime")
_URL = ("invalid_string", "Invalid url")
_TYPE = ("invalid_type", None)
_SMALL = ("too_small", None)
_BIG = ("too_big", None)


class Finding(TypedDict):
    path: list[str]
    message: str
    code: str


class Error(TypedDict):
    code: str
    message: str
    details: NotRequired[list[Finding]]


class Body(TypedDict):
    error: Error


class Kaplaix(Dialect):
    """Paths are arrays of strings, indices included."""

    name = "kaplaix"
    Body = Body
    code_case = "upper"
    status_missing = status_invalid = 400
    renames = {
        "validation_failed": "VALIDATION_ERROR",
        "unauthenticated": "AUTHENTICATION_FAILED",
        "internal": "INTERNAL_ERROR",
    }
    vocabulary = {
        "missing": ("invalid_type", "Required"),
        **dict.fromkeys(("uuid_parsing", "uuid_type", "uuid_version"), _UUID),
        **dict.fromkeys(("datetime_parsing", "datetime_from_date_parsing", "date_parsing"), _DATE),
        **dict.fromkeys(("url_parsing", "url_scheme", "url_syntax_violation"), _URL),
        **dict.fromkeys(
            (
                "string_type",
                "int_type",
                "int_parsing",
                "float_type",
                "float_parsing",
                "bool_type",
                "bool_parsing",
                "list_type",
                "dict_type",
                "set_type",
                "tuple_type",
                "model_type",
                "model_attributes_type",
                "dataclass_type",
                "none_required",
                "int_from_float",
                "datetime_type",
                "date_type",
                "bytes_type",
                "decimal_type",
                "decimal_parsing",
            ),
            _TYPE,
        ),
        **dict.fromkeys(
            ("string_too_short", "too_short", "greater_than", "greater_than_equal", "bytes_too_short"),
            _SMALL,
        ),
        **dict.fromkeys(("string_too_long", "too_long", "less_than", "less_than_equal", "bytes_too_long"), _BIG),
        **dict.fromkeys(("enum", "literal_error"), ("invalid_enum_value", None)),
        "string_pattern_mismatch": ("invalid_string", None),
        "extra_forbidden": ("unrecognized_keys", None),
        "multiple_of": ("not_multiple_of", None),
        "value_error": ("custom", None),
        "assertion_error": ("custom", None),
    }
    carries = (
        "status",
        "code",
        "message",
        "retry_after",
        "rate_limit",
        "request_id",
        "details.path",
        "details.message",
        "details.code",
    )
    copies = ("message", "request_id", "param", "retry_after", "resume_at")

    def write(self, public: Public) -> dict[str, Any]:
        error: dict[str, Any] = {"code": self.spell(public.code), "message": public.message}
        if public.details:
            error["details"] = [
                {"path": [str(part) for part in detail.path], "message": detail.message, "code": detail.code}
                for detail in public.details
            ]
        return {"error": error}

    def read(self, status: int, headers: Mapping[str, str], body: Any) -> Public:
        error = member(body, "error")
        return self.public(
            status,
            headers,
            code=self.canonical(text(member(error, "code"))),
            message=text(member(error, "message")),
            details=tuple(
                Detail(_path(item.get("path")), text(item.get("message")), text(item.get("code")))
                for item in items(member(error, "details"))
            ),
        )

    def describe(self, details: tuple[Detail, ...]) -> str:
        """What part of the request is invalid; the details say why."""
        return "Invalid query parameters" if details[0].location == "query" else "Invalid request body"


def _path(value: Any) -> tuple[str | int, ...]:
    return tuple(step(part) for part in value if isinstance(part, str)) if isinstance(value, list) else ()
