"""Text that may be sent or logged: bounded, and such as UTF-8 can carry."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from decimal import Decimal
from uuid import UUID

CUT = "…[truncated]"
"""Marks where a value was cut."""

WITHHELD = "[withheld]"
"""Stands on the wire for a value of no documented form: nothing of it is shown, its type neither."""

MAX_TEXT = 8192


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
    """`str(value)` that never raises: for an exception's own words, in the log."""
    try:
        return clean(value if type(value) is str else str.__str__(str(value)), limit)
    except Exception:
        return named(value)


def plain_text(value: object, limit: int = MAX_TEXT) -> str | None:
    """A scalar as text, for the wire; None for anything whose words are not known to be meant for it."""
    kind = type(value)
    try:
        if isinstance(value, str) and issubclass(kind, str):
            return clean(str.__str__(value), limit)
        if issubclass(kind, (int, float, Decimal, UUID, datetime, date, time)) and kind is not bool:
            return clean(str(value), limit)
    except Exception:
        return None
    return None


def words_in(name: str) -> list[str]:
    """A name's words in lower case: `accessKeyId`, `Access-Key-ID` and `ACCESS_KEY_ID` have the same."""
    return [word.lower() for word in _HUMP.split(name) if word]


_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[^A-Za-z0-9]+")


def named(value: object) -> str:
    """What stands in the log for a value without a documented form: `<Row>`, the name of its type."""
    try:
        return f"<{clean(str.__str__(type(value).__qualname__), 100)}>"
    except Exception:  # a metaclass may override the name
        return "<object>"
