"""Which header fields an error may bring: none of the connection's own, none that frame or describe another body."""

from __future__ import annotations

from collections.abc import Mapping

from errorkit.exchange import RawHeaders, raw_header
from errorkit.remarks import remark
from errorkit.texts import plain_text

OF_CONNECTION = frozenset(
    {
        b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade",
        b"http2-settings", b"content-length",
    }
)  # fmt: skip
"""Hop-by-hop (RFC 9110 section 7.6.1) or framing: the server alone decides about them."""
OF_ANOTHER_BODY = frozenset(
    {
        b"content-encoding", b"content-range", b"content-md5", b"content-digest", b"repr-digest", b"digest",
        b"content-location", b"accept-ranges",
    }
)  # fmt: skip
"""They describe the body that they came with, which is not the one that is sent."""

_UPGRADES, _RANGES = 426, 416


def sendable(fields: Mapping[str, object], status: int, author: str) -> RawHeaders:
    """The fields of an error that may be sent, in lower case; a remark tells of the others.

    author: whose fields they are, for the remark.
    """
    headers: RawHeaders = []
    refused: list[str] = []
    nominated = _nominated(fields) if status != _UPGRADES else frozenset()
    for name, value in fields.items():
        text = plain_text(value)
        pair = None if text is None or not isinstance(name, str) else raw_header(name, text)
        if pair is None or pair[0] in nominated or not belongs(pair[0], status):
            refused.append(name.lower() if isinstance(name, str) else type(name).__name__)
        else:
            headers.append(pair)
    if refused:
        names = ", ".join(repr(name[:64]) for name in sorted(refused)[:8])
        remark(f"header fields of {author} are not sent, as they are illegal or the connection's own: {names}")
    return headers


def belongs(name: bytes, status: int) -> bool:
    """May a field of this name (lower case) be sent with an error: 416 has a range, 426 an upgrade."""
    if name in OF_CONNECTION:
        return name in (b"connection", b"upgrade") and status == _UPGRADES
    return name not in OF_ANOTHER_BODY or (name == b"content-range" and status == _RANGES)


def _nominated(fields: Mapping[str, object]) -> frozenset[bytes]:
    """The fields that a Connection field names, which are hop-by-hop by that."""
    values = [value for name, value in fields.items() if isinstance(name, str) and name.lower() == "connection"]
    words = (word.strip().lower() for value in values if isinstance(value, str) for word in value[:1024].split(","))
    return frozenset(word.encode("latin-1", "replace") for word in words)
