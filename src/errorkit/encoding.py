"""Any value as JSON, always: total, bounded, and valid UTF-8.

What a handler's author puts into an error or a log event may be a NaN, a cycle, a lone
surrogate or an object whose `repr` raises. It must neither break the answer nor grow it
without limit.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from itertools import islice
from math import isfinite
from typing import Any
from uuid import UUID

from pydantic_core import to_json

CUT = "…[truncated]"
"""Marks where a value was cut."""

MAX_DEPTH = 16
MAX_ITEMS = 200
MAX_TEXT = 8192
MAX_NUMBER = 10**40

_dumps = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode


def clean(value: str, limit: int = MAX_TEXT) -> str:
    """Text that UTF-8 can carry, cut at `limit` characters."""
    if len(value) > limit:
        value = str(value[:limit]) + CUT
    if value.isascii():
        return value
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value


def text_of(value: object, limit: int = MAX_TEXT) -> str:
    """`str(value)` that never raises."""
    if type(value) is str:
        return clean(value, limit)
    try:
        return clean(str.__str__(str(value)), limit)
    except Exception:
        return f"<unprintable {type(value).__name__}>"


def safe(value: Any, max_text: int = MAX_TEXT) -> Any:
    """A value made of JSON types only. Cut parts are marked with `CUT`."""
    return _Copier(max_text).copy(value, MAX_DEPTH)


class _Copier:
    """One copy; `budget` bounds all its parts together."""

    def __init__(self, max_text: int) -> None:
        self.max_text = max_text
        self.budget = 4 * MAX_ITEMS

    def copy(self, value: Any, depth: int) -> Any:
        self.budget -= 1
        try:
            if value is None or value is True or value is False:
                return value
            if isinstance(value, Enum):
                value = value.value
            if isinstance(value, str):
                return clean(str.__str__(value), self.max_text)
            if isinstance(value, int):
                return int(value) if -MAX_NUMBER < value < MAX_NUMBER else CUT
            if isinstance(value, float):
                return float(value) if isfinite(value) else str(float(value))
            if isinstance(value, (datetime, date, time)):
                return value.isoformat()
            if isinstance(value, timedelta):
                return value.total_seconds()
            if isinstance(value, (Decimal, UUID)):
                return clean(str(value), self.max_text)
            if isinstance(value, (bytes, bytearray)):
                return clean(bytes(value[: self.max_text + 1]).decode("utf-8", "replace"), self.max_text)
            if depth <= 0 or self.budget <= 0:
                return CUT
            if isinstance(value, Mapping):
                return self._object(value, depth - 1)
            if isinstance(value, Iterable):
                return self._array(value, depth - 1)
        except Exception:
            return f"<unprintable {type(value).__name__}>"
        return text_of(value, self.max_text)

    def _object(self, value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for key, item in islice(value.items(), MAX_ITEMS + 1):
            if len(out) >= MAX_ITEMS or self.budget <= 0:
                out[CUT] = True
                break
            out[text_of(key, 200)] = self.copy(item, depth)
        return out

    def _array(self, value: Iterable[Any], depth: int) -> list[Any]:
        out: list[Any] = []
        for item in islice(value, MAX_ITEMS + 1):
            if len(out) >= MAX_ITEMS or self.budget <= 0:
                out.append(CUT)
                break
            out.append(self.copy(item, depth))
        return out


def encode(body: Any) -> bytes:
    """A JSON body in UTF-8. Never raises for values that `safe` has seen."""
    try:
        return to_json(body, inf_nan_mode="null")
    except Exception:  # lone surrogates, foreign types, raising properties
        return _dumps(safe(body)).encode("ascii")


def encode_string(value: str) -> bytes:
    """The inside of a JSON string: escaped, without its quotes."""
    try:
        return to_json(value)[1:-1]
    except Exception:
        return to_json(clean(str.__str__(value)))[1:-1]


def quote(value: object) -> tuple[str, bytes]:
    """`text_of(value)`, and the inside of its JSON string."""
    text = value if type(value) is str and len(value) <= MAX_TEXT else text_of(value)
    try:
        return text, to_json(text)[1:-1]
    except Exception:  # a lone surrogate
        text = clean(text)
        return text, to_json(text)[1:-1]
