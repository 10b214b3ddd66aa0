"""Which error bodies are a framework's default and may be put into the dialect.

A body that somebody shaped on purpose is not recognised, and passes untouched.
"""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import Literal

from errorkit.applications import ANYTHING, Inside
from errorkit.default_bodies import Default
from errorkit.exchange import RawHeaders
from errorkit.framework_defaults import recognised, unsent

Policy = Literal["framework", "all", "off"]

_DESCRIBES_BODY = frozenset(
    {
        b"content-length", b"content-type", b"content-encoding", b"etag", b"last-modified",
        b"digest", b"content-digest", b"repr-digest", b"content-md5", b"accept-ranges", b"content-range",
        b"transfer-encoding", b"trailer",
    }
)  # fmt: skip


def recognise(
    status: int,
    headers: Iterable[tuple[bytes, bytes]],
    body: bytes,
    policy: Policy,
    inside: Inside = ANYTHING,
    *,
    head: bool = False,
    debug_pages: bool = True,
) -> Default | None:
    """What a framework's default body says; None if somebody shaped it.

    inside: the frameworks that can have answered. head: the response is to a HEAD request: its fields tell of a
    body that is not sent. debug_pages: see `recognised`.
    """
    if not 400 <= status <= 599:
        return None
    fields = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}
    if head and not body:
        found = unsent(status, fields, inside)
    else:
        found = recognised(status, fields, body, inside, debug_pages=debug_pages) if body else Default()
    if found is None and policy == "all":
        return Default()
    return found


def surviving(status: int, headers: Iterable[tuple[bytes, bytes]]) -> RawHeaders:
    """The fields that do not describe the old body. A 416 keeps Content-Range (RFC 9110 15.5.17)."""
    keep_range = status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
    return [
        (name, value)
        for name, value in headers
        if name.lower() not in _DESCRIBES_BODY or (keep_range and name.lower() == b"content-range")
    ]
