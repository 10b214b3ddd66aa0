"""Values that have passed the gate as JSON, always: total, and valid UTF-8."""

from __future__ import annotations

import json
from typing import Any

from pydantic_core import to_json

from errorkit.texts import CUT, MAX_TEXT, clean, text_of
from errorkit.values import readable, safe
from errorkit.written_body import BodyForm

__all__ = [
    "CUT",
    "MAX_TEXT",
    "clean",
    "encode",
    "encode_body",
    "encode_line",
    "encode_string",
    "quote",
    "safe",
    "text_of",
]

_dumps = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode


def encode(body: Any) -> bytes:
    """A JSON body in UTF-8. Never raises for values that `safe` has seen."""
    try:
        return to_json(body, inf_nan_mode="null")
    except Exception:  # lone surrogates, foreign types, raising properties
        return _dumps(safe(body)).encode("ascii")


def encode_body(form: BodyForm, written: object) -> bytes:
    """What a dialect has written, as it is sent: text in UTF-8. Never raises for values that `safe` has seen."""
    if form != "JSON":
        if isinstance(written, str):
            return written.encode("utf-8", "replace")
        if isinstance(written, bytes):
            return written
    return encode(written)


def encode_line(line: Any) -> bytes:
    """A line of an application's own log in UTF-8: what JSON cannot say is written as text. Never raises."""
    try:
        return to_json(line, inf_nan_mode="null", fallback=text_of)
    except Exception:  # lone surrogates, cycles, raising properties
        return _dumps(readable(line)).encode("ascii")


def encode_string(value: str) -> bytes:
    """The inside of a JSON string: escaped, without its quotes."""
    try:
        return to_json(value)[1:-1]
    except Exception:
        return to_json(clean(str.__str__(value)))[1:-1]


def quote(value: str) -> tuple[str, bytes]:
    """`clean(value)`, and the inside of its JSON string."""
    text = value if len(value) <= MAX_TEXT else clean(value)
    try:
        return text, to_json(text)[1:-1]
    except Exception:  # a lone surrogate
        text = clean(text)
        return text, to_json(text)[1:-1]
