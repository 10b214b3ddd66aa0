"""Which header fields an error may bring: none of the connection's own, none that frame or describe another body.

And what a response says of itself by its fields: that it is a page, and in `Vary` what it depends on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

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


def is_html(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Is a response a page."""
    told = (value for name, value in headers if name.lower() == b"content-type")
    return next(told, b"").partition(b";")[0].strip().lower() in (b"text/html", b"application/xhtml+xml")


def varying(headers: Iterable[tuple[bytes, bytes]], names: Sequence[str]) -> RawHeaders:
    """Header fields that say, too, which fields of the request the response depends on (RFC 9110 section 12.5.5)."""
    headers = list(headers)
    given = [value for name, value in headers if name.lower() == b"vary"]
    words = {word.strip().lower() for value in given for word in value.split(b",")}
    missing = [name.encode("ascii") for name in names if name.lower().encode("ascii") not in words]
    if b"*" in words or not missing:
        return headers
    rest = [pair for pair in headers if pair[0].lower() != b"vary"]
    return [*rest, (b"vary", b"*" if b"*" in missing else b", ".join([*filter(None, given), *missing]))]


def _nominated(fields: Mapping[str, object]) -> frozenset[bytes]:
    """The fields that a Connection field names, which are hop-by-hop by that."""
    values = [value for name, value in fields.items() if isinstance(name, str) and name.lower() == "connection"]
    words = (word.strip().lower() for value in values if isinstance(value, str) for word in value[:1024].split(","))
    return frozenset(word.encode("latin-1", "replace") for word in words)
