"""Which error bodies are a framework's default and may be put into the dialect.

A body that somebody shaped on purpose is not recognised, and passes untouched.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import lru_cache
from http import HTTPStatus
from typing import Any, Literal, NamedTuple

from errorkit.exchange import RawHeaders, phrase
from errorkit.redaction import QUOTES_INPUT

Policy = Literal["framework", "all", "off"]

MAX_BODY = 8192
"""Bytes; a longer body is not a default."""
_MAX_LINE = 512

_DESCRIBES_BODY = frozenset(
    {
        b"content-length", b"content-type", b"content-encoding", b"etag", b"last-modified",
        b"digest", b"content-digest", b"repr-digest", b"content-md5", b"accept-ranges", b"content-range",
        b"transfer-encoding", b"trailer",
    }
)  # fmt: skip
_TITLE = re.compile(rb"<title>\s*(\d{3})\b", re.IGNORECASE).search
_OLD_PHRASES = {
    413: "Request Entity Too Large",
    414: "Request-URI Too Long",
    416: "Requested Range Not Satisfiable",
    422: "Unprocessable Entity",
}


class Default(NamedTuple):
    """What a default body says: one line for people, and FastAPI's findings if it had any."""

    message: str | None = None
    findings: tuple[dict[str, Any], ...] = ()


def candidate(headers: Iterable[tuple[bytes, bytes]], policy: Policy) -> bool:
    """Is it worth holding this response's start to look at its body."""
    length = None
    for name, value in headers:
        lowered = name.lower()
        if lowered == b"content-encoding":
            return False
        if lowered == b"content-length":
            length = value
    if length is None or not length.isdigit() or len(length) > 9:
        return False
    return policy == "all" or int(length) <= MAX_BODY


def recognise(status: int, headers: RawHeaders, body: bytes, policy: Policy) -> Default | None:
    """What a framework's default body says; None if somebody shaped it."""
    if not 400 <= status <= 599:
        return None
    found = _recognise(status, headers, body)
    if found is None and policy == "all":
        return Default()
    return found


def _recognise(status: int, headers: RawHeaders, body: bytes) -> Default | None:
    if not body:
        return Default()
    if len(body) > MAX_BODY:
        return None
    media_type = next((v for n, v in headers if n.lower() == b"content-type"), b"").split(b";")[0].strip().lower()
    if media_type == b"text/plain" or not media_type:
        return _line(status, body)
    if media_type == b"application/json":
        return _json(status, body)
    if media_type == b"text/html":
        title = _TITLE(body[:_MAX_LINE])
        return Default() if title and int(title[1]) == status else None
    return None


def _line(status: int, body: bytes) -> Default | None:
    try:
        line = body.decode("utf-8").strip()
    except UnicodeDecodeError:
        return None
    if len(body) > _MAX_LINE or len(line.splitlines()) > 1:
        return None
    return Default(None if says_nothing(status, line) else line)


def _json(status: int, body: bytes) -> Default | None:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or list(value) != ["detail"]:
        return None
    detail = value["detail"]
    if isinstance(detail, str):
        return Default(None if says_nothing(status, detail) else detail)
    if isinstance(detail, list) and detail and all(isinstance(item, dict) and "loc" in item for item in detail):
        return Default(findings=tuple(detail))
    return Default() if detail is None else None


def is_phrase(status: int, line: str) -> bool:
    """Does the line say no more than the status."""
    return line.rstrip(".").lower() in _phrases(status)


def says_nothing(status: int, line: str) -> bool:
    """Is there nothing in the line that may be told: no more than the status, or a validator's quotation of a value."""
    return is_phrase(status, line) or QUOTES_INPUT in line


@lru_cache(maxsize=256)
def _phrases(status: int) -> frozenset[str]:
    words = (phrase(status), _OLD_PHRASES.get(status, ""), f"{status} {phrase(status)}", "")
    return frozenset(each.lower() for each in words)


def surviving(status: int, headers: Iterable[tuple[bytes, bytes]]) -> RawHeaders:
    """The fields that do not describe the old body. A 416 keeps Content-Range (RFC 9110 15.5.17)."""
    keep_range = status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
    return [
        (name, value)
        for name, value in headers
        if name.lower() not in _DESCRIBES_BODY or (keep_range and name.lower() == b"content-range")
    ]
