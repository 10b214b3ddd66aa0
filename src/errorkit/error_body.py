"""An error body that other code has written, read with bounds: unpacked, and never more than is worth reading."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from typing import Any

PACKED = frozenset({"gzip", "x-gzip", "deflate"})
"""Content-Encodings that can be unpacked (RFC 9110 section 8.4.1)."""


class BoundedBody:
    """An error body as it arrives, decoded as far as is worth reading.

    limit: bytes, on the wire and decoded. coding: its Content-Encoding; of one that is not
    known here nothing is read.
    """

    def __init__(self, coding: str = "", *, limit: int) -> None:
        coding = coding.strip().lower()
        self._limit = limit
        self._whole = True
        self._parts: list[bytes] = []
        self._read = self._held = 0
        self._inflate: Callable[[bytes, int], bytes] | None = None
        if coding in PACKED:
            self._inflate = zlib.decompressobj(zlib.MAX_WBITS | 32).decompress  # either header
        elif coding not in ("", "identity"):
            self._whole = False

    def feed(self, chunk: bytes) -> bool:
        """Take a part as it was sent. False: no more is wanted."""
        self._read += len(chunk)
        if self._whole and self._inflate is not None:
            try:
                chunk = self._inflate(chunk, self._limit - self._held + 1)
            except zlib.error:
                self._whole = False
        self._held += len(chunk)
        if self._read > self._limit or self._held > self._limit:
            self._whole = False
        if self._whole:
            self._parts.append(chunk)
        else:
            self._parts.clear()
        return self._whole

    def decoded(self) -> bytes | None:
        """The body; None if it was too large or could not be decoded."""
        return b"".join(self._parts) if self._whole else None


def json_of(body: bytes | str) -> Any:
    """What a body says as JSON; None where it says nothing."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def is_json(media_type: str) -> bool:
    """Is a media type, without parameters and in lower case, JSON (RFC 6839 section 3.1)."""
    return media_type == "application/json" or media_type.endswith("+json")
