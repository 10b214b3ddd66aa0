"""Content negotiation by RFC 9110 section 12.5.1, its own examples first."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from errorkit.accept import MAX_ACCEPT, MediaRange, media_ranges, preferred, weight
from errorkit.negotiation import prefers_problem

RFC = "text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed,\r\n text/plain;format=fixed;q=0.4, */*;q=0.5"


@pytest.mark.parametrize(
    ("media_type", "expected"),
    [
        ("text/plain;format=flowed", 1.0),
        ("text/plain", 0.7),
        ("text/html", 0.3),
        ("image/jpeg", 0.5),
        ("text/plain;format=fixed", 0.4),
    ],
)
def test_the_table_of_the_rfc(media_type: str, expected: float) -> None:
    """Table 5: the weight of each media type under the section's last example."""
    assert weight(media_ranges(RFC.replace("\r\n", "")), media_type) == expected


def test_the_first_example_of_the_rfc() -> None:
    """Any audio type is better than none, audio/basic the best."""
    ranges = media_ranges("audio/*; q=0.2, audio/basic")
    assert preferred(ranges, ["audio/mpeg", "audio/basic"]) == "audio/basic"
    assert preferred(ranges, ["audio/mpeg"]) == "audio/mpeg"
    assert preferred(ranges, ["text/html"]) is None


def test_the_second_example_of_the_rfc() -> None:
    """text/html and text/x-c equally, then text/x-dvi, then text/plain."""
    ranges = media_ranges("text/plain; q=0.5, text/html, text/x-dvi; q=0.8, text/x-c")
    assert preferred(ranges, ["text/plain", "text/x-dvi", "text/x-c", "text/html"]) == "text/x-c"
    assert preferred(ranges, ["text/plain", "text/x-dvi"]) == "text/x-dvi"
    assert preferred(ranges, ["text/plain"]) == "text/plain"


def test_the_precedence_example_of_the_rfc() -> None:
    """The most specific reference has precedence: parameters, then the type, then its family, then anything."""
    ranges = media_ranges("text/*, text/plain, text/plain;format=flowed, */*")
    assert sorted(ranges, key=lambda each: each.precision, reverse=True) == [ranges[2], ranges[1], ranges[0], ranges[3]]


@pytest.mark.parametrize(
    ("field", "offers", "expected"),
    [
        ("", ["a/b", "c/d"], "a/b"),
        (", ,", ["a/b"], "a/b"),
        ("*/*", ["a/b", "c/d"], "a/b"),
        ("a/b;q=0", ["a/b"], None),
        ("a/b;q=0, */*", ["a/b", "c/d"], "c/d"),
        ("*/*;q=0", ["a/b"], None),
        ("a/*;q=0, a/b;q=0.001", ["a/c", "a/b"], "a/b"),
        ("A/B ; Q=0.5", ["a/b"], "a/b"),
        ('a/b;p="x,y;q=0", c/d;q=0.2', ["c/d", 'a/b;p="x,y;q=0"'], 'a/b;p="x,y;q=0"'),
        (r'a/b;p="\"";q=0.1, c/d', ['a/b;p="\\""', "c/d"], "c/d"),
        ("a/b;charset=utf-8", ["a/b"], "a/b"),
        ("a/b", ["a/b; charset=utf-8"], "a/b; charset=utf-8"),
        ("a/b;level=1", ["a/b"], None),
        ("text/html, image/gif, *; q=.2, */*; q=.2", ["a/b", "text/html"], "text/html"),
        ("a/b;q=0.2;q=1, c/d;q=0.5", ["a/b", "c/d"], "c/d"),
        ("a/b;;q=0.2, c/d;q=0.1", ["c/d", "a/b"], "a/b"),
        ("a/b;q=2", ["a/b"], "a/b"),
        ("a/b;q=-1, */*;q=0.1", ["c/d"], "c/d"),
        ("*/b", ["a/b"], "a/b"),  # no media range: the field says nothing
        ('a/b;p="unclosed, c/d', ["c/d"], "c/d"),
        ("a/b", [], None),
    ],
)
def test_the_offer_that_is_preferred(field: str, offers: list[str], expected: str | None) -> None:
    """By weight, then by the order of the offers."""
    assert preferred(media_ranges(field), offers) == expected


def test_a_comma_in_quotes_is_no_separator() -> None:
    """What follows it belongs to the same range."""
    field = 'application/problem+json;profile="a,b";q=0.1, application/json'
    assert [(each.subtype, each.weight) for each in media_ranges(field)] == [("problem+json", 0.1), ("json", 1.0)]
    assert not prefers_problem(field, "application/json")
    assert prefers_problem('text/x;a=",", application/problem+json', "application/json")


def test_what_is_cut_at_the_bound_says_nothing() -> None:
    """Its rest may be a weight of 0."""
    wish = "a/b"
    pad = "," * (MAX_ACCEPT - len(wish))
    assert media_ranges(pad + wish) == (MediaRange("a", "b", frozenset(), 1.0),)
    assert media_ranges(pad + wish + ";q=0") == ()


tokens = st.from_regex(r"[a-z][a-z0-9.+-]{0,8}", fullmatch=True)
weights = st.integers(0, 1000).map(lambda n: n / 1000)
quoted = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=8)


@given(st.lists(st.tuples(tokens, tokens, quoted, weights), min_size=1, max_size=8))
def test_what_is_written_by_the_grammar_is_read(items: list[tuple[str, str, str, float]]) -> None:
    """Every item, with its quoted parameter and its weight."""
    quote = lambda text: text.replace("\\", "\\\\").replace('"', '\\"')  # noqa: E731
    field = ", ".join(f'{a}/{b};p="{quote(value)}";q={w}' for a, b, value, w in items)
    assert media_ranges(field) == tuple(
        MediaRange(a, b, frozenset({("p", value.lower())}), w) for a, b, value, w in items
    )


@given(st.text(max_size=80) | st.text(alphabet='a/*;q=01.,"\\ ', max_size=80))
@example('"' * 40)
@example("a/b;" * 20)
def test_any_text_is_read(field: str) -> None:
    """No field is too odd; every weight is from 0 to 1."""
    assert all(0 <= each.weight <= 1 for each in media_ranges(field))
