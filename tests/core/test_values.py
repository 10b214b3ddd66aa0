"""Waits, quotas, request ids, paths: the values that everything else is made of."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from urllib3.util.retry import Retry

from errorkit.failure import Detail, Public, dotted, pointer, undotted, unpointer
from errorkit.request_id import RequestIdFormat, accept, is_safe, uuid7
from errorkit.retry import (
    LONGEST,
    RateLimit,
    advise,
    parse_rate_limit,
    parse_retry_after,
    parse_rfc3339,
    rate_limit_headers,
    rfc3339,
)

NOW = datetime(2026, 1, 31, 12, 0, 0, 500_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("wait", "seconds", "resume_at"),
    [
        (1, 1, "2026-01-31T12:00:02Z"),
        (0, 0, "2026-01-31T12:00:01Z"),
        (0.2, 1, "2026-01-31T12:00:02Z"),
        (-5, 0, "2026-01-31T12:00:01Z"),
        (timedelta(minutes=1, milliseconds=1), 61, "2026-01-31T12:01:02Z"),
        (datetime(2026, 1, 31, 13, 0, tzinfo=UTC), 3600, "2026-01-31T13:00:00Z"),
        (datetime(2026, 1, 31, 11, 0, tzinfo=UTC), 0, "2026-01-31T12:00:01Z"),
        (float("inf"), LONGEST, "2027-02-01T12:00:01Z"),
    ],
)
def test_a_wait_is_rounded_up_once(wait: float | timedelta | datetime, seconds: int, resume_at: str) -> None:
    """Whole seconds, never negative, never too early; the instant agrees."""
    advice = advise(wait, NOW)
    assert (advice.seconds, rfc3339(advice.resume_at)) == (seconds, resume_at)


@given(st.floats(0, 10**6))
def test_every_wait_is_read_by_a_strict_client(wait: float) -> None:
    """urllib3 raises for anything but digits and dates."""
    advice = advise(wait, NOW)
    assert Retry(retry_after_max=LONGEST).parse_retry_after(str(advice.seconds)) == advice.seconds
    assert wait <= advice.seconds <= wait + 1
    assert 0 <= (advice.resume_at - NOW).total_seconds() - advice.seconds < 1


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7),
        (" 7 ", 7),
        ("0.5", 1),
        ("-3", 0),
        ("Sat, 31 Jan 2026 12:00:10 GMT", 10),
        ("Sat, 31 Jan 2026 12:00:10 -0000", 10),
        ("9" * 40, LONGEST),
        ("soon", None),
        ("", None),
        ("nan", None),
    ],
)
def test_retry_after_is_read_in_every_form(value: str, seconds: int | None) -> None:
    """Digits, dates, and the fractions that limiters send."""
    assert parse_retry_after(value, NOW) == seconds


def test_instants_are_read_back() -> None:
    """RFC 3339, with a time zone or not at all."""
    assert parse_rfc3339("2026-01-31T12:00:00Z") == NOW.replace(microsecond=0)
    assert parse_rfc3339("2026-01-31T12:00:00") is None
    assert parse_rfc3339("soon") is None


@given(
    st.integers(0, 10**6),
    st.integers(0, 10**6),
    st.integers(0, 10**6),
    st.integers(0, 10**6),
    st.sampled_from(["default", "burst"]),
)
def test_a_quota_survives_its_headers(limit: int, remaining: int, reset: int, window: int, policy: str) -> None:
    """The IETF pair says all of it."""
    quota = RateLimit(limit, remaining, reset, window, policy)
    headers = {name.lower(): value for name, value in rate_limit_headers(quota).items()}
    assert parse_rate_limit(headers) == quota


@pytest.mark.parametrize(
    "headers", [{}, {"ratelimit": '"a";r=1', "ratelimit-policy": '"a"'}, {"ratelimit": "a", "ratelimit-policy": "b"}]
)
def test_malformed_quota_headers_are_ignored(headers: dict[str, str]) -> None:
    """As the draft asks of clients."""
    assert parse_rate_limit(headers) is None


def test_a_policys_name_cannot_break_its_header() -> None:
    """Quotes are escaped in a structured field's string, control characters left out."""
    fields = rate_limit_headers(RateLimit(1, -1, 0.5, policy='a"\\\r\nb'))
    assert fields["RateLimit"] == '"a\\"\\\\b";r=0;t=1'


def test_default_ids_are_uuids_that_sort() -> None:
    """UUIDv7: 32 hex digits, version and variant in place, later is greater, never the same."""
    first = uuid7()
    time.sleep(0.002)
    later = uuid7()
    assert first < later
    assert len({uuid7() for _ in range(10_000)}) == 10_000
    assert (first[12], first[16] in "89ab", len(first)) == ("7", True, 32)


def test_ids_of_two_processes_differ() -> None:
    """Also after a fork: nothing random is inherited."""
    code = (
        "import os, sys\nfrom errorkit.request_id import uuid7\nuuid7()\nr, w = os.pipe()\n"
        "pid = os.fork()\n"
        "if pid == 0:\n    os.write(w, uuid7().encode()); os._exit(0)\n"
        "os.waitpid(pid, 0)\nassert os.read(r, 32).decode()[13:] != uuid7()[13:]\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("made", "pattern"),
    [
        (RequestIdFormat(prefix="req-", length=10), r"req-[0-9a-f]{10}"),
        (
            RequestIdFormat(prefix="req_", length=26, alphabet="0123456789ABCDEFGHJKMNPQRSTVWXYZ"),
            r"req_[0-9A-HJKMNP-TV-Z]{26}",
        ),
        (RequestIdFormat(generate=lambda: "a:b.c-d_e"), "a:b.c-d_e"),
    ],
)
def test_an_ids_format_is_configurable(made: RequestIdFormat, pattern: str) -> None:
    """Prefix, length, alphabet, or one's own function."""
    import re

    assert re.fullmatch(pattern, made.new())


def test_long_formats_sort_and_short_ones_are_random() -> None:
    """26 characters of base 32 have room for the time; ten hex digits do not."""
    long = RequestIdFormat(length=26, alphabet="0123456789ABCDEFGHJKMNPQRSTVWXYZ")
    first = long.new()
    time.sleep(0.002)
    assert first < long.new()
    short = RequestIdFormat(length=10)
    assert len({short.new()[:2] for _ in range(200)}) > 50


@pytest.mark.parametrize("value", [b"", b"a" * 129, b"a b", b"a\r\nb", b"a\x00", b"\xff", b"a=b", b"\x1b[31m", b"a\n"])
def test_hostile_ids_are_not_believed(value: bytes) -> None:
    """One safe alphabet, 1 to 128 characters."""
    assert accept(value) is None
    assert not is_safe(value.decode("latin-1"))


@pytest.mark.parametrize("value", [b"a", b"A-z_0.9:x", b"a" * 128])
def test_safe_ids_are_believed(value: bytes) -> None:
    """As the client sent them."""
    assert accept(value) == value.decode()


MEMBERS = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
PATHS = st.lists(st.one_of(MEMBERS, st.integers(0, 99)), max_size=5).map(tuple)


@given(PATHS)
def test_paths_survive_their_spellings(path: tuple[str | int, ...]) -> None:
    """Dotted, and as a JSON Pointer."""
    assert undotted(dotted(path)) == path
    assert unpointer(pointer(path)) == path


def test_pointers_escape() -> None:
    """RFC 6901: ~0 and ~1."""
    assert pointer(("a/b", "c~d", 0)) == "/a~1b/c~0d/0"
    assert unpointer("/a~1b/c~0d/0") == ("a/b", "c~d", 0)
    assert unpointer("nothing") == ()


def test_only_keeps_what_it_is_told() -> None:
    """Fields by name, parts of details by a dotted name; the rest is the default."""
    public = Public(code="c", status=400, message="m", details=(Detail(("a",), "x", "y", "query", "z"),))
    assert public.only(["code", "details.path"]) == Public(code="c", details=(Detail(("a",)),))
    assert public.only([]) == Public()
