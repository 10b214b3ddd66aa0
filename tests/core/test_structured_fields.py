"""Lists of structured fields, held against the package that its authors keep (http-sf), and quotas read from them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from errorkit.retry import RateLimit, parse_rate_limit, rate_limit_headers
from errorkit.structured_fields import MAX_INTEGER, parse_list, string
from requirements import require_module

require_module("http_sf")

import http_sf  # noqa: E402

pieces = st.sampled_from(
    ['"burst"', '"a\\"b"', '"\\\\"', '""', ";", "; ", "q=100", "w=60", "r", "=", ",", " , ", "\t,", " ", "10", "-3", "1.5",
     "?1", "?0", "token", "tok/en:x", "*", ";q", "1000000000000000", "1.", "?2", "\x7f", "é", "(", ":YQ==:"]
)  # fmt: skip


def judged(text: str) -> Any:
    """What http-sf reads; None where it refuses the field, or where it has an item of a type that is not read here."""
    try:
        members = http_sf.parse(text.encode("latin-1"), tltype="list")
    except Exception:
        return None
    found = []
    for value, parameters in members:
        if isinstance(value, list):
            return None
        all_of_them = [value, *parameters.values()]
        if any(type(each) in (bytes,) or "Date" in type(each).__name__ for each in all_of_them):
            return None
        found.append((_plain(value), {name: _plain(each) for name, each in parameters.items()}))
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str(value)
    return (
        float(value)
        if type(value).__name__ in ("float", "Decimal")
        else value
        if isinstance(value, int)
        else str(value)
    )


@given(st.lists(pieces, max_size=12).map("".join))
@example('"burst";q=100;w=60, "daily";q=1000;w=86400')
@example("")
def test_a_list_is_read_as_its_authors_package_reads_it(text: str) -> None:
    found = parse_list(text)
    expected = judged(text)
    assert (None if found is None else [(item.value, dict(item.parameters)) for item in found]) == expected


@given(st.text(st.characters(codec="ascii"), max_size=20))
def test_a_string_is_read_back(text: str) -> None:
    kept = "".join(each for each in text if " " <= each <= "~")
    assert parse_list(string(text)) == [(kept, {})]


quotas = st.builds(
    RateLimit,
    st.integers(1, 10**17),
    st.integers(0, 10**17),
    st.integers(0, 10**6),
    st.integers(0, 10**6),
    st.sampled_from(["burst", 'da"ily', "a\\b", ""]),
)


@given(quotas)
def test_a_quota_comes_back_within_what_the_field_can_say(quota: RateLimit) -> None:
    headers = {name.lower(): value for name, value in rate_limit_headers(quota).items()}
    back = parse_rate_limit(headers)
    cut = quota._replace(limit=min(quota.limit, MAX_INTEGER), remaining=min(quota.remaining, MAX_INTEGER))
    assert back == cut


def test_of_several_quotas_the_most_limiting_one_is_told() -> None:
    burst, daily = RateLimit(100, 0, 5, 60, "burst"), RateLimit(1000, 900, 4000, 86400, "daily")
    headers = rate_limit_headers(daily, burst)
    assert headers == {
        "RateLimit-Policy": '"daily";q=1000;w=86400, "burst";q=100;w=60',
        "RateLimit": '"daily";r=900;t=4000, "burst";r=0;t=5',
        "X-RateLimit-Limit": "100",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": "5",
    }
    assert parse_rate_limit({name.lower(): value for name, value in headers.items()}) == burst
    later = daily._replace(remaining=0)
    both = {name.lower(): value for name, value in rate_limit_headers(burst, later).items()}
    assert parse_rate_limit(both) == later


@pytest.mark.parametrize(
    "state", ["", "burst", '"burst"', '"burst";r', '"burst";r=?1', '"other";r=1', '"burst";r=1,', "(", "x" * 5000]
)
def test_what_is_no_quota_is_none(state: str) -> None:
    assert parse_rate_limit({"ratelimit-policy": '"burst";q=10', "ratelimit": state}) is None
