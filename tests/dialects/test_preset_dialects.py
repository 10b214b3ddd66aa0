"""Every preset, both ways: what it carries comes back, and reading takes anything."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from errorkit.dialects import PRESETS, Dialect, get_dialect
from errorkit.encoding import encode
from errorkit.exchange import phrase
from errorkit.failure import Detail, Public
from errorkit.rendering import Renderer
from errorkit.retry import LONGEST, RateLimit, rfc3339

COMMON = ("status", "code", "message", "request_id", "retry_after", "rate_limit")
FINDINGS = ("details.path", "details.message", "details.code")

CARRIES: dict[str, tuple[str, ...]] = {
    "problem": (
        *COMMON, "title", "param", "doc_url", "resume_at", "extensions", *FINDINGS, "details.location",
    ),
    "openai": (*COMMON, "type", "param", "retryable", "extensions", *FINDINGS),
    "anthropic": (*COMMON, "type", "param", "retryable", "extensions", *FINDINGS),
    "stripe": (*COMMON, "type", "param", "retryable", "doc_url", "extensions", *FINDINGS),
    "google": (*COMMON, "type", "param", "doc_url", "extensions", *FINDINGS),
    "azure": (*COMMON, "param", "extensions", *FINDINGS),
    "jsonapi": (*COMMON, "title", "param", "doc_url", "extensions", *FINDINGS, "details.location"),
    "github": (*COMMON, "doc_url", "extensions", *FINDINGS),
    "kubernetes": (*COMMON, "type", "param", *FINDINGS),
    "twilio": (*COMMON, "param", "doc_url", "extensions", *FINDINGS),
    "aws": (*COMMON, "type", "param", "extensions", *FINDINGS),
    "aws_rest": (*COMMON, "type", "param", "extensions", *FINDINGS),
    "connect": (*COMMON, "type", "param", "doc_url", "extensions", *FINDINGS),
    "kaizen": (*COMMON, "extensions"),
    "kaiko": (*COMMON, "type", "param", "extensions"),
    "kaplaix": (*COMMON, *FINDINGS),
    "korad": (*COMMON, "type", "param", "retryable", "extensions"),
    "agentkavach": (*COMMON, "resume_at", "extensions"),
    "fastapi": (*COMMON, *FINDINGS, "details.location"),
    "flask": (*COMMON, "title", "extensions", *FINDINGS),
    "drf": (*COMMON, "details.path", "details.message"),
}  # fmt: skip

SPLICED = {
    **dict.fromkeys(CARRIES, ("message", "request_id", "param", "retry_after", "resume_at")),
    "connect": ("message", "request_id", "resume_at"),  # its details are base64
}

FINDINGS_ALONE = {"fastapi", "drf"}
"""Dialects in which findings stand in the place of the message."""

GROUPED = {"drf"}
"""Dialects that say findings by their fields: those of one stand together."""

WORDS_ONLY = {"google", "connect"}
"""Dialects whose extensions are a map of strings."""

tokens = st.sampled_from(["not", "found", "a", "b2", "2", "42x", "limit", "widget", "invalid", "e"])
codes = st.builds(lambda first, rest: "_".join([first, *rest]), st.sampled_from("abcz"), st.lists(tokens, max_size=3))
words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
members = st.sampled_from(["email", "items", "userName", "first_name", "x", "limitPerDay", "balance", "kind"])
ids = st.text("abcXYZ019._:-", min_size=1, max_size=30)
urls = st.sampled_from(["", "https://errors.example.com/e", "https://errors.example.com/?code=e"])
instants = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)).map(lambda d: d.replace(microsecond=0, tzinfo=UTC))
scalars = st.none() | st.booleans() | st.integers(-(2**40), 2**40) | words
json_values = st.recursive(
    scalars | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def own_members(dialect: Dialect) -> set[str]:
    """Every member that the dialect itself writes, wherever: it wins over an extension."""
    full = Public(
        code="e", doc_url="u", param="p", details=(Detail(("x",)),), retry_after=1, resume_at=datetime.now(UTC)
    )
    found: set[str] = {"__type"}

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            found.update(value)
            for item in value.values():
                walk(item)
        elif isinstance(value, list):
            for item in value:
                walk(item)

    walk(dialect.write(full))
    return {name.lower() for name in found} | set(Public._fields) | {"errors", "instance"}


def publics(name: str) -> st.SearchStrategy[Public]:
    """Public errors as the handler would hand them to a preset."""
    dialect = get_dialect(name)
    taken = own_members(dialect)
    spelt = set(dialect.renames.values())
    free_codes = codes.filter(lambda code: code not in spelt)
    details = st.lists(
        st.builds(
            Detail,
            st.lists(members | st.integers(0, 99), min_size=1, max_size=4)
            .filter(lambda p: isinstance(p[0], str))
            .map(tuple),
            words,
            free_codes,
            st.sampled_from(["body", "query", "path", "header", "cookie"]),
        ),
        max_size=3,
        unique_by=(lambda detail: detail.path[0]) if name in GROUPED else None,
    ).map(tuple)
    extensions = st.dictionaries(
        members.filter(lambda member: member.lower() not in taken),
        words if name in WORDS_ONLY else json_values,
        max_size=3,
    )
    quotas = st.none() | st.builds(
        RateLimit, st.integers(1, 999), st.integers(0, 999), st.integers(0, 9999), st.integers(0, 9999), members
    )
    types = st.sampled_from(sorted(dialect.known_types or {*dialect.types.values(), "own_type"}))

    def build(status: int, type_: str, message: str, retry: tuple[int, datetime] | None, **fields: Any) -> Public:
        status, type_, message = dialect.settle(status, type_, message)
        wait, instant = retry or (None, None)
        if name in FINDINGS_ALONE and fields["details"]:
            message = ""
        if name == "problem" and not fields["doc_url"]:
            fields["title"] = phrase(status)  # of about:blank (RFC 9457 section 4.2.1)
        return Public(status=status, type=type_, message=message, retry_after=wait, resume_at=instant, **fields)

    return st.builds(
        build,
        status=st.sampled_from(
            [400, 401, 402, 403, 404, 405, 409, 410, 413, 415, 418, 422, 429, 500, 501, 502, 503, 504, 599]
        ),
        type_=types,
        message=words,
        retry=st.none() | st.tuples(st.integers(0, LONGEST), instants),
        code=free_codes,
        title=words,
        param=st.none() | words,
        details=details,
        request_id=ids,
        retryable=st.booleans(),
        rate_limit=quotas,
        doc_url=urls,
        extensions=extensions,
    )


def sent(dialect: Dialect, public: Public) -> tuple[dict[str, str], Any]:
    """Headers and body as a client has them, after the wire."""
    response = Renderer(dialect).render(public, [])
    headers = {name.decode().lower(): value.decode("latin-1") for name, value in response.headers}
    return headers, json.loads(response.body)


def test_every_preset_is_held_to_its_list() -> None:
    """Each preset promises exactly the fields listed here."""
    assert set(CARRIES) == set(PRESETS)
    assert all(get_dialect(name).name == name for name in PRESETS)
    for name, fields in CARRIES.items():
        assert sorted(get_dialect(name).carries) == sorted(fields), name
        assert set(get_dialect(name).copies) == set(SPLICED[name]), name


@pytest.mark.parametrize("name", PRESETS)
def test_what_a_preset_carries_comes_back(name: str) -> None:
    """Reading what was written, through real headers, gives the carried fields and nothing else."""
    dialect = get_dialect(name)

    @settings(max_examples=25, deadline=None)
    @given(publics(name))
    def check(public: Public) -> None:
        headers, body = sent(dialect, public)
        back = dialect.read(public.status, headers, body)
        assert back == public.only(dialect.carries)

    check()


@pytest.mark.parametrize("name", PRESETS)
def test_spliced_bytes_are_the_whole_encoding(name: str) -> None:
    """A body from prepared bytes equals the body that is encoded whole, for every preset."""
    dialect = get_dialect(name)

    @settings(max_examples=25, deadline=None)
    @given(publics(name), publics(name))
    def check(first: Public, second: Public) -> None:
        whole = dict.fromkeys({"param", "retry_after"} - set(SPLICED[name]))
        learned, public = (
            each._replace(details=(), extensions={}, rate_limit=None, **whole) for each in (first, second)
        )
        same_kind = learned._replace(
            message=public.message,
            request_id=public.request_id,
            param=None if learned.param is None else (public.param or "p"),
            retry_after=None if learned.retry_after is None else (public.retry_after or 0),
            resume_at=None if learned.retry_after is None else (public.resume_at or learned.resume_at),
        )
        renderer = Renderer(dialect)
        assert renderer.body(learned) == encode(dialect.write(learned))
        assert renderer.body(same_kind) == encode(dialect.write(same_kind))
        template = next(iter(renderer._templates.values()))
        assert template is not None, "the preset's copies are not what write does"

    check()


@pytest.mark.parametrize("name", PRESETS)
def test_reading_takes_anything(name: str) -> None:
    """No body and no header makes read raise; the status always comes through."""
    dialect = get_dialect(name)
    own = dialect.write(
        Public(doc_url="u", param="p", details=(Detail(("x", 1)),), retry_after=1, retryable=True, request_id="r")
    )
    names = [
        *dialect.headers(Public(retry_after=1, rate_limit=RateLimit(1, 1), retryable=True)),
        dialect.request_id_header, "retry-after", "ratelimit", "ratelimit-policy",
    ]  # fmt: skip
    values = st.text(max_size=30) | st.sampled_from(
        ["9" * 5000, "1e999", "nan", "-1", '"a";r=' + "9" * 5000, '"a";q=1', "Mon, 01 Jan 99999999999 00:00:00 GMT"]
    )

    def broken(value: Any) -> st.SearchStrategy[Any]:
        """The preset's own body with foreign values in it, at every depth."""
        if isinstance(value, dict):
            return json_values | st.fixed_dictionaries({}, optional={k: broken(v) for k, v in value.items()})
        if isinstance(value, list):
            return json_values | st.lists(broken(value[0]) if value else json_values, max_size=2)
        strings = st.sampled_from(
            ["/" + "9" * 5000, "a[" + "9" * 5000 + "]", "#/a/٣", "0001-01-01T00:00:00+23:59", "AAAA", "CgI", "\ud800"]
        )
        return json_values | strings

    @settings(max_examples=30, deadline=None)
    @given(
        st.integers(400, 599),
        st.dictionaries(st.sampled_from([n.lower() for n in names]), values),
        st.none() | json_values | broken(own),
    )
    def check(status: int, headers: dict[str, str], body: Any) -> None:
        public = dialect.read(status, headers, body)
        assert public.status == status
        assert public.code
        assert isinstance(public.message, str)
        assert public.retry_after is None or 0 <= public.retry_after <= LONGEST

    check()


@pytest.mark.parametrize("name", PRESETS)
def test_a_foreign_body_gives_what_its_status_tells(name: str) -> None:
    """Where the body says nothing, the code is that of the status."""
    for status, code in ((404, "not_found"), (429, "rate_limited"), (418, "bad_request"), (599, "internal")):
        public = get_dialect(name).read(status, {}, None)
        assert (public.status, public.code) == (status, code)


@given(codes)
@example("http_418")
@example("a_1_b")
def test_every_code_survives_every_case(code: str) -> None:
    """A canonical code comes back from each code_case."""
    for case in ("snake", "upper", "kebab", "pascal", "camel"):
        dialect = Dialect(code_case=case)
        assert dialect.canonical(dialect.spell(code)) == code


def test_a_type_from_another_vocabulary_gives_way_to_a_closed_list() -> None:
    """A class's own type is kept by an open dialect and replaced where the vendor's list is closed."""
    assert get_dialect("openai").settle(404, "own_type", "m") == (404, "own_type", "m")
    assert get_dialect("google").settle(404, "own_type", "m") == (404, "NOT_FOUND", "m")
    assert get_dialect("google").settle(409, "ABORTED", "m") == (409, "ABORTED", "m")


def test_a_derived_status_stays_in_its_family() -> None:
    """Connect's status follows its code, but a client's mistake never becomes a 5xx."""
    connect = get_dialect("connect")
    sent = {status: connect.settle(status, "", "m")[0] for status in (402, 404, 405, 410, 413, 415, 422, 502)}
    assert sent == {402: 400, 404: 404, 405: 405, 410: 404, 413: 429, 415: 400, 422: 400, 502: 503}
    assert connect.settle(423, "aborted", "m") == (409, "aborted", "m")


def test_rate_limits_are_in_the_vendors_spelling() -> None:
    """openai, anthropic and github have fields of their own, beside the IETF draft's."""
    public = Public(status=429, rate_limit=RateLimit(60, 0, reset=61, window=60, policy="core"))
    now = datetime.now(UTC).timestamp()
    openai = get_dialect("openai").headers(public)
    assert openai["x-ratelimit-limit-requests"] == "60"
    assert openai["x-ratelimit-remaining-requests"] == "0"
    assert openai["x-ratelimit-reset-requests"] == "1m1s"
    anthropic = get_dialect("anthropic").headers(public)
    reset = datetime.fromisoformat(anthropic["anthropic-ratelimit-requests-reset"])
    assert 60 <= reset.timestamp() - now <= 70
    assert anthropic["anthropic-ratelimit-requests-remaining"] == "0"
    github = get_dialect("github").headers(public)
    assert 60 <= int(github["X-RateLimit-Reset"]) - now <= 70
    assert (github["X-RateLimit-Used"], github["X-RateLimit-Resource"]) == ("60", "core")
    for fields in (openai, anthropic, github):
        assert fields["RateLimit"] == '"core";r=0;t=61'


def test_a_client_that_may_not_retry_is_given_no_hint_beyond_retry_after() -> None:
    """RetryInfo, retryAfterSeconds and the millisecond headers are said to retryable errors only."""
    final = Public(code="busy", status=409, message="m", request_id="r", retry_after=7, retryable=False)
    again = final._replace(retryable=True)
    for name in ("google", "connect", "kubernetes"):
        dialect = get_dialect(name)
        assert "retry" not in json.dumps(dialect.write(final)).lower()
        assert "retry" in json.dumps(dialect.write(again)).lower()
    for name, header in (("openai", "retry-after-ms"), ("aws", "x-amz-retry-after")):
        dialect = get_dialect(name)
        assert header not in dialect.headers(final)
        assert dialect.headers(again)[header] == "7000"
        assert dialect.headers(final)["Retry-After"] == "7"


def test_instants_agree_with_their_seconds() -> None:
    """A duration of OpenAI's kind reads as a clock does."""
    from errorkit.retry import duration

    assert [duration(s) for s in (0, 0.2, 59, 60, 3600, 3661, -5)] == [
        "0s",
        "1s",
        "59s",
        "1m0s",
        "1h0m0s",
        "1h1m1s",
        "0s",
    ]
    assert duration(math.inf).endswith("s")
    assert rfc3339(datetime(2026, 1, 31, 12, tzinfo=UTC)) == "2026-01-31T12:00:00Z"


GENUINE = [
    (
        "openai",
        401,
        {
            "error": {
                "message": "Incorrect key.",
                "type": "invalid_request_error",
                "param": None,
                "code": "invalid_api_key",
            }
        },
        ("invalid_api_key", "invalid_request_error", "Incorrect key.", None),
    ),
    (
        "openai",
        400,
        {"error": {"message": "m", "type": "invalid_request_error", "param": "messages[0].role", "code": None}},
        ("bad_request", "invalid_request_error", "m", "messages[0].role"),
    ),
    (
        "anthropic",
        529,
        {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}, "request_id": "req_1"},
        ("internal", "overloaded_error", "Overloaded", None),
    ),
    (
        "stripe",
        400,
        {"error": {"type": "invalid_request_error", "code": "parameter_missing", "param": "amount", "message": "m"}},
        ("parameter_missing", "invalid_request_error", "m", "amount"),
    ),
    (
        "google",
        404,
        {"error": {"code": 404, "message": "No bucket.", "status": "NOT_FOUND"}},
        ("not_found", "NOT_FOUND", "No bucket.", None),
    ),
    (
        "azure",
        404,
        {"error": {"code": "ResourceNotFound", "message": "m", "innererror": {"code": "x"}}},
        ("resource_not_found", "", "m", None),
    ),
    (
        "github",
        422,
        {"message": "Validation Failed", "errors": [{"resource": "Issue", "field": "title", "code": "missing_field"}]},
        ("unprocessable_content", "", "Validation Failed", None),
    ),
    (
        "twilio",
        404,
        {"code": 20404, "message": "m", "more_info": "https://www.twilio.com/docs/errors/20404", "status": 404},
        ("not_found", "", "m", None),
    ),
    (
        "aws",
        400,
        {"__type": "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException", "message": "m"},
        ("bad_request", "ResourceNotFoundException", "m", None),
    ),
    ("connect", 404, {"code": "not_found", "message": "m"}, ("not_found", "not_found", "m", None)),
    (
        "kubernetes",
        422,
        {
            "kind": "Status",
            "message": "m",
            "reason": "Invalid",
            "details": {"causes": [{"reason": "FieldValueRequired", "message": "Required", "field": "spec.name"}]},
        },
        ("unprocessable_content", "Invalid", "m", None),
    ),
]
"""Bodies as the vendors' own documents show them, and the code, type, message and param that are in them."""


@pytest.mark.parametrize(
    ("name", "status", "body", "told"), GENUINE, ids=lambda value: value if isinstance(value, str) else ""
)
def test_the_vendors_own_bodies_are_read(name: str, status: int, body: Any, told: tuple[Any, ...]) -> None:
    """Without any member of errorkit's: the status tells the code where the vendor does not."""
    public = get_dialect(name).read(status, {}, body)
    assert (public.code, public.type, public.message, public.param) == told
    if name in ("kubernetes", "github"):
        assert [detail.code for detail in public.details] == ["missing_field"]
