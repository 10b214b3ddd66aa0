"""Data of every kind in messages, details, extension members and headers: a valid body, of bounded size."""

from __future__ import annotations

import itertools
import json
import uuid
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dialects.test_preset_dialects import FINDINGS_ALONE
from errorkit import ConflictError, Detail, ValidationError
from errorkit.asgi import ErrorMiddleware
from errorkit.dialects import PRESETS, get_dialect
from errorkit.encoding import CUT
from errorkit.rendering import MAX_BODY
from errorkit.texts import WITHHELD
from robustness.strict_asgi import run


def cyclic() -> Any:
    loop: dict[str, Any] = {"name": "loop"}
    loop["self"] = loop
    return loop


def deep(levels: int) -> Any:
    value: Any = "bottom"
    for number in range(levels):
        value = [value] if number % 2 else {"down": value}
    return value


class Colour(Enum):
    RED = "red"


class Unprintable:
    def __repr__(self) -> str:
        raise ValueError("no repr")


class Iterating:
    def __iter__(self) -> Any:
        raise ValueError("no iter")


class Keys(dict[Any, Any]):
    def items(self) -> Any:
        raise ValueError("no items")


class Shouting(str):
    def __str__(self) -> str:
        raise ValueError("no str")

    def encode(self, *_: Any) -> Any:
        raise ValueError("no encode")

    def __len__(self) -> int:
        raise ValueError("no len")


VALUES: dict[str, Any] = {
    "nan": float("nan"),
    "inf": float("-inf"),
    "10**5000": 10**5000,
    "2**53+1": 2**53 + 1,
    "datetime": datetime(2026, 1, 2, tzinfo=UTC),
    "naive": datetime(2026, 1, 2),
    "date": date(2026, 1, 2),
    "time": time(1, 2),
    "timedelta": timedelta(days=999999999),
    "decimal": Decimal("1.10"),
    "snan": Decimal("sNaN"),
    "fraction": Fraction(1, 3),
    "complex": 1j,
    "uuid": uuid.UUID(int=1),
    "path": PurePosixPath("/etc"),
    "bytes": b"\xff\x00",
    "bytearray": bytearray(b"\xff"),
    "memoryview": memoryview(b"ab"),
    "surrogate": "\ud800 and \udfff",
    "nul": "a\x00b",
    "set": {1, 2},
    "tuple keys": {(1, 2): 3, None: 4, 5.5: 6, b"k": 7},
    "enum": Colour.RED,
    "class": Colour,
    "object": object(),
    "unprintable": Unprintable(),
    "iterating": Iterating(),
    "items": Keys(a=1),
    "shouting": Shouting("loud"),
    "exception": ValueError("inner"),
    "cyclic": cyclic(),
    "deep": deep(50_000),
    "endless": itertools.count(),
    "10 MB text": "x" * 10_000_000,
    "10 MB bytes": b"x" * 10_000_000,
    "wide": dict.fromkeys(map(str, range(100_000)), "v" * 100),
    "wide list": [["y" * 50] * 1000] * 300,
    "control": "".join(map(chr, range(32))) * 2000,
    "astral": "\U0001f600" * 100_000,
}


WITHOUT_FORM = [
    VALUES[name]
    for name in (
        "fraction", "complex", "path", "memoryview", "class", "object", "unprintable", "iterating", "items",
        "exception", "endless", "tuple keys",
    )
]  # fmt: skip
"""They have no form of their own in JSON: nothing of them is shown."""


def answer(error: Exception, dialect: str = "problem") -> tuple[int, Any, bytes]:
    """Status, strictly parsed body and raw body of an application that raises an error."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise error

    sent = run(ErrorMiddleware(app, dialect=dialect)).sent
    body = sent.body.decode("utf-8")  # strict: valid UTF-8

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    assert len(sent.body) <= MAX_BODY
    return sent.status, json.loads(body, parse_constant=refuse), sent.body


@pytest.mark.parametrize("dialect", ["problem", "openai", "kaiko"])  # all of them: the property below
@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_a_value_of_any_kind_leaves_status_code_and_json_intact(
    events: list[dict[str, Any]], last_words: list[str], value: Any, dialect: str
) -> None:
    """As message, extension member, nested member and log context, put there past the constructor: no second failure."""
    error = ConflictError(context={"fact": value, "password": "hunter2-canary"})
    error.message, error.extensions = value, {"extra": value, "nested": {"list": [value]}}
    status, body, raw = answer(error, dialect)
    assert status == 409
    assert b"hunter2-canary" not in raw
    assert (WITHHELD in json.dumps(body)) is any(value is each for each in WITHOUT_FORM)
    assert [event["code"] for event in events] == ["conflict"]
    json.dumps(events[0])
    assert "hunter2-canary" not in json.dumps(events[0]["context"])
    assert last_words == []


@pytest.mark.parametrize(
    "name", ["deep", "10 MB text", "10 MB bytes", "wide", "wide list", "astral", "10**5000", "cyclic"]
)
def test_what_was_cut_is_marked(name: str) -> None:
    """A client can tell that a value is not whole."""
    status, body, _ = answer(ConflictError("short", extra=VALUES[name]))
    assert status == 409
    assert CUT in json.dumps(body, ensure_ascii=False)
    assert body["detail"].startswith("short")


@pytest.mark.parametrize("dialect", PRESETS)
def test_more_findings_than_fit_are_cut_and_marked(dialect: str) -> None:
    """Ten thousand long findings: the body stays within its bound, and says that it was cut."""
    carried = "details.path" in get_dialect(dialect).carries
    for words in ("short", "too long " * 100):
        details = [Detail(("field", number, "name"), words) for number in range(10_000)]
        status, body, _ = answer(ValidationError("bad", details=details), dialect)
        assert 400 <= status < 500
        if dialect not in FINDINGS_ALONE:  # these have no words beside the findings, nor a place for the mark
            assert (CUT in json.dumps(body, ensure_ascii=False)) is carried


@pytest.mark.parametrize("dialect", PRESETS)
def test_more_members_than_fit_are_cut_and_marked(dialect: str) -> None:
    """Ten thousand extension members, in a dialect that carries these."""
    extensions = {f"member_{number}": "v" * 500 for number in range(10_000)}
    status, body, _ = answer(ConflictError("bad", **extensions), dialect)
    assert status == 409
    if "extensions" in get_dialect(dialect).carries:
        assert CUT in json.dumps(body, ensure_ascii=False)


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_any_value_in_a_detail_is_rendered(value: Any) -> None:
    """A finding's path and words come from validators and from people."""
    details = [Detail(("body", value), value, value)]
    status, _, _ = answer(ValidationError(details=details))
    assert status == 422


def test_a_custom_dialect_that_repeats_the_message_stays_within_the_bound() -> None:
    """The bound holds for the spliced body, too."""
    from errorkit.dialects.problem import Problem

    class Repeating(Problem):
        def write(self, public: Any) -> Any:
            return {**super().write(public), **{f"again_{n}": public.message for n in range(20)}}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise ConflictError("\x00" * 8000)

    covered = ErrorMiddleware(app, dialect=Repeating())
    for _ in range(2):
        sent = run(covered).sent
        assert len(sent.body) <= MAX_BODY
        assert sent.status == json.loads(sent.body)["status"] == 409


def test_the_last_event_of_a_stream_is_bounded_too() -> None:
    """Ten megabytes of extension members do not end up in one frame."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        raise ConflictError("bad", extra=VALUES["wide list"], more=VALUES["wide"])

    sent = run(ErrorMiddleware(app, dialect="openai")).sent
    assert sent.complete
    assert len(sent.body) <= MAX_BODY + 2
    assert json.loads(sent.body.split(b"data: ")[1])["error"]["code"] == "conflict"


JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(st.characters(codec=None), max_size=20),
        st.binary(max_size=20),
        st.decimals(),
        st.datetimes(),
        st.uuids(),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.one_of(st.text(max_size=5), st.integers(), st.none()), inner, max_size=4),
        st.sets(st.integers(), max_size=3),
    ),
    max_leaves=12,
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(st.characters(codec=None)), JSON, JSON, st.sampled_from(sorted(PRESETS)))
def test_random_data_is_always_a_valid_body(message: str, public: Any, private: Any, dialect: str) -> None:
    """Property: any text, any structure, any preset."""
    status, body, _ = answer(ConflictError(message, extra=public, context={"fact": private}), dialect)
    assert status == 409
    assert isinstance(body, (dict, list))
