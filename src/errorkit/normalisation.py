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
_WERKZEUG_PAGE = re.compile(
    rb"<!doctype html>\n<html lang=en>\n<title>(\d{3}) ([^<>\n]*)</title>\n<h1>\2</h1>\n"
    rb"(?:<p>[^<>]*(?:<br>[^<>]*)*</p>\n?)?"
).fullmatch
"""werkzeug's page for an HTTPException: status, name, and a description in plain words."""
_FINDINGS_STATUSES = frozenset({400, 422})
"""Where a list of findings says that the request was rejected; of any other status it is the author's own."""
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


def recognise(
    status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes, policy: Policy, *, head: bool = False
) -> Default | None:
    """What a framework's default body says; None if somebody shaped it.

    head: the response is to a HEAD request: its fields tell of a body that is not sent.
    """
    if not 400 <= status <= 599:
        return None
    fields = {name.lower(): value for name, value in headers}
    media_type = fields.get(b"content-type", b"").split(b";")[0].strip().lower()
    if head and not body:
        found = _unsent(status, media_type, fields.get(b"content-length", b""))
    else:
        found = _recognise(status, media_type, body)
    if found is None and policy == "all":
        return Default()
    return found


def _unsent(status: int, media_type: bytes, length: bytes) -> Default | None:
    """A default by its length alone: none, or that of the status's phrase."""
    if not length.isdigit() or int(length) == 0:
        return Default() if length or not media_type else None
    phrases = _phrases(status)
    if media_type == b"text/plain":
        lengths = {len(words) for words in phrases if words}
    elif media_type == b"application/json":
        lengths = {len(json.dumps({"detail": words}, separators=(",", ":"))) for words in phrases if words}
    else:
        return None
    return Default() if int(length) in lengths else None


def _recognise(status: int, media_type: bytes, body: bytes) -> Default | None:
    if not body:
        return Default()
    if len(body) > MAX_BODY:
        return None
    if media_type == b"text/plain" or not media_type:
        return _line(status, body)
    if media_type == b"application/json":
        return _json(status, body)
    if media_type == b"text/html":
        page = _WERKZEUG_PAGE(body)
        return Default() if page and int(page[1]) == status else None
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
        if status not in _FINDINGS_STATUSES:  # whatever it is about, it is not the request; of a 5xx no word is shown
            return Default() if status >= 500 else None
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
