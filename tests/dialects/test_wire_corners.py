"""Bodies that nobody should send are read all the same, and every dialect's last event of a stream is the one it has."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from errorkit.dialects import PRESETS, get_dialect
from errorkit.failure import Public

UNNAMED = {"openai", "korad", "google"}
"""Dialects whose clients deliver a named event without raising."""


@pytest.mark.parametrize("name", PRESETS)
def test_a_stream_ends_in_the_dialects_own_body(name: str) -> None:
    """As the event `error`, or unnamed where the dialect's clients want that."""
    dialect = get_dialect(name)
    public = Public("conflict", 409, message="m", request_id="req-1")
    event = dialect.stream_event(public)
    more = {"type": "error", "sequence_number": 0} if name == "openai" else {}
    assert event == (None if name in UNNAMED else "error", {**more, **dialect.write(public)})


def connect(value: Any) -> Public:
    """What `connect` reads from a body whose one detail has this value."""
    body = {"code": "not_found", "message": "m", "details": [{"type": "google.rpc.ErrorInfo", "value": value}]}
    return get_dialect("connect").read(404, {}, body)


@pytest.mark.parametrize(
    "value",
    [
        "A",  # no base64 of anything
        b64encode(b"\x0a").decode(),  # a field without its length
        b64encode(b"\x0a\xff").decode(),  # a length that is not finished
        b64encode(b"\x0a\xff\xff\xff\xff\xff\xff\x01x").decode(),  # a length beyond 35 bits
        b64encode(b"\x08\x01").decode(),  # a number, where there are none
        b64encode(b"\x2a\x01x").decode(),  # a field that nobody has defined
        7,
        None,
    ],
)
def test_a_detail_that_is_no_protobuf_tells_nothing(value: Any) -> None:
    """The rest of the body is read, and the code is that of the status."""
    public = connect(value)
    assert (public.code, public.type, public.message, public.param) == ("not_found", "not_found", "m", None)


def test_a_detail_that_breaks_off_tells_what_came_before() -> None:
    """The reason is whole, the domain is cut."""
    assert connect(b64encode(b"\x0a\x04GONE\x12\x09widg").decode()).code == "gone"


def test_long_texts_survive_their_protobuf() -> None:
    """Lengths of more than one byte."""
    dialect = get_dialect("connect")
    public = Public("conflict", 409, "already_exists", message="m", request_id="r" * 100, param="x" * 300)
    read = dialect.read(409, {}, dialect.write(public))
    assert (read.param, read.request_id) == ("x" * 300, "r" * 100)


def test_details_of_other_kinds_are_passed_over() -> None:
    """A service may send its own beside those of `google.rpc`."""
    body = {
        "code": "not_found",
        "message": "m",
        "details": [{"type": "shop.v1.Hint", "value": "CgF4"}, {"type": "google.rpc.ErrorInfo", "value": "CgRHT05F"}],
    }
    assert get_dialect("connect").read(404, {}, body).code == "gone"
