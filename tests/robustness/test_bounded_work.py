"""What no request may cost: each bound has a name, and work is counted in calls of functions and parts read, never timed."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from fastapi.exceptions import RequestValidationError

from counting import calls
from errorkit import APIError, ConflictError
from errorkit.arguments import public_members, slips
from errorkit.encoding import encode
from errorkit.error_body import BoundedBody
from errorkit.events import EventLog, compact
from errorkit.exception_text import MAX_EXCEPTIONS, MAX_TRACEBACK
from errorkit.exchange import Request
from errorkit.finding_words import repeats
from errorkit.handler import build_handler
from errorkit.httpx import AsyncUpstreamTransport, UpstreamTransport
from errorkit.identification import Identifier
from errorkit.negotiation import MAX_ACCEPT, prefers_problem
from errorkit.redaction import Redactor
from errorkit.retry import MAX_FIELD, clock, parse_rate_limit, parse_retry_after
from errorkit.upstream import MAX_BODY, UpstreamError, UpstreamUnavailableError
from errorkit.validation import MAX_FINDINGS, as_error
from errorkit.values import MAX_CHARACTERS, MAX_ITEMS, MAX_PARTS, safe, undocumented

pytestmark = pytest.mark.unrecorded

HANDLER = build_handler(None, {})


class Counted(list[Any]):
    """A list that counts what is read of it."""

    read = 0

    def __iter__(self) -> Iterator[Any]:
        for item in super().__iter__():
            self.read += 1
            yield item


# -- header fields


@pytest.mark.parametrize("item", [",", "a/b;q=1,", "application/problem+json;q=0.1,", "x" * 50 + ","])
def test_an_accept_field_is_read_as_far_as_its_bound(item: str) -> None:
    """A megabyte costs what a kilobyte does."""
    bounded = item * (MAX_ACCEPT // len(item) + 2)
    endless = item * (1_000_000 // len(item))
    assert calls(lambda: prefers_problem(endless, "application/json")) <= (
        calls(lambda: prefers_problem(bounded, "application/json")) + 2
    )
    assert calls(lambda: prefers_problem("," * 1_000_000, "application/json")) < MAX_ACCEPT * 2


def test_what_stands_within_the_bound_is_read_and_what_is_cut_is_not() -> None:
    """Empty items are skipped; an item that is cut in the middle asks for nothing."""
    wish = "application/problem+json"
    assert prefers_problem("," * (MAX_ACCEPT - len(wish) - 1) + wish + ",x", "application/json")
    assert not prefers_problem("," * (MAX_ACCEPT - 5) + wish, "application/json")
    assert not prefers_problem("x" * 5000, "application/json")


@pytest.mark.parametrize("value", ["1" * 10**6, "Mon, " * 10**5, "1e" * 10**5, " " * 10**6 + "5"])
def test_an_upstreams_fields_are_read_as_far_as_their_bound(value: str) -> None:
    """Retry-After and the quota's."""
    assert len(value) > MAX_FIELD
    assert calls(lambda: parse_retry_after(value, clock())) < 10
    fields = {"ratelimit": '"a";r=1;' + value, "ratelimit-policy": '"a";q=5;' + ";" * 10**6}
    assert calls(lambda: parse_rate_limit(fields)) < 10 * MAX_FIELD


# -- the event's text


def rounds(replicas: int, count: int) -> BaseException:
    """Each attempt of a round failed because of the whole round before."""
    error: BaseException = ConnectionError("0")
    for number in range(count):
        attempts = [TimeoutError(f"replica {each}") for each in range(replicas)]
        for attempt in attempts:
            attempt.__cause__ = error
        error = ExceptionGroup(f"round {number}", attempts)
    return error


def chain(length: int) -> BaseException:
    error = ValueError("0")
    for number in range(length):
        further = ValueError(str(number))
        further.__cause__ = error
        error = further
    return error


def nested(depth: int) -> BaseException:
    error: BaseException = ValueError("0")
    for _ in range(depth):
        error = ExceptionGroup("g", [error, ValueError("x" * 100)])  # type: ignore[list-item]
    return error


def each_caused_by_a_group(depth: int) -> BaseException:
    error: BaseException = ValueError("0")
    for number in range(depth):
        further = RuntimeError(str(number))
        further.__cause__ = ExceptionGroup("g", [error, further, ValueError()])  # type: ignore[list-item]
        error = further
    return error


@pytest.mark.parametrize(
    ("make", "few", "many"),
    [
        (lambda n: rounds(2, n), 16, 200),
        (lambda n: rounds(20, n), 20, 200),
        (lambda n: rounds(n, 3), 40, 2_000),
        (chain, 100, 10_000),
        (nested, 200, 2_000),
        (each_caused_by_a_group, 20, 200),
        (lambda n: ExceptionGroup("wide", [ValueError()] * n), 100, 50_000),
        (lambda n: ExceptionGroup("wide", [chain(20) for _ in range(n)]), 20, 300),
    ],
)
def test_the_text_of_exceptions_costs_no_more_than_its_bounds(make: Any, few: int, many: int) -> None:
    """However they are chained and grouped: ten times as many cost no more, or ten times as much where they are nested."""
    small, large = make(few), make(many)
    cost = calls(lambda: compact(large))
    assert cost < 200 * MAX_EXCEPTIONS
    assert cost < (10 if make is nested else 1.1) * calls(lambda: compact(small)) + 200
    assert len(compact(large)) <= MAX_TRACEBACK + 100


def test_an_exception_that_is_met_again_is_not_told_again() -> None:
    """The rounds before, of each attempt."""
    text = compact(rounds(3, 2))
    assert text.count("ConnectionError: 0") == 1
    assert text.count("TimeoutError: replica") == 6


def test_a_group_is_identified_by_a_bounded_number_of_its_members() -> None:
    """A wide one, and one that holds itself many times over."""
    from errorkit.catalog import Catalog

    identifier = Identifier(Catalog(), {})
    shared: Any = ConflictError("words")
    for _ in range(40):
        shared = ExceptionGroup("g", [shared, shared])
    assert calls(lambda: identifier.identify(shared)) < 50_000


# -- values


def test_a_value_is_read_as_far_as_its_bounds() -> None:
    """In length, in depth and in text; of the log and at the raise site, too."""
    for make in (
        lambda: Counted([1] * 10**5),
        lambda: {"a": Counted([{"b": 1}] * 10**5)},
        lambda: Counted([Counted([1] * 1000)] * 1000),
    ):
        value: Any = make()
        assert calls(lambda value=value: safe(value)) < 60 * MAX_PARTS
        assert calls(lambda value=value: EventLog().value(value)) < 90 * MAX_PARTS
        assert calls(lambda value=value: undocumented(value)) < 30 * MAX_PARTS
    wide = Counted(["x" * 2048] * 10**5)
    assert len(encode(safe(wide))) < 2 * MAX_CHARACTERS
    assert wide.read <= MAX_PARTS
    assert len(encode(EventLog().value({str(n): ["y" * 10**6] * 100 for n in range(100)}))) < 2 * MAX_CHARACTERS


@pytest.mark.parametrize("value", ["v", {"a": [1]}])
def test_members_that_a_client_has_named_cost_no_more_than_the_bound(value: Any) -> None:
    """`ConflictError("words", **body)` of a hundred thousand members: at the raise site and when it is answered."""
    few, many = ({f"member_{number}": value for number in range(count)} for count in (1_000, 100_000))
    for work in (
        lambda members: slips("ConflictError", members),
        public_members,
        lambda members: answer(ConflictError("words"), members),
    ):
        work(few)  # what is remembered of a dialect
        assert calls(lambda work=work: work(many)) <= calls(lambda work=work: work(few)) + 100


def answer(error: APIError, members: dict[str, Any]) -> None:
    request = Request()
    request.renderer, request.request_id = HANDLER.renderer_for("/"), "id"
    error.extensions = members
    HANDLER.respond(request, error)
    assert request.failure is not None
    assert len(request.failure.public.extensions) == MAX_ITEMS + 1


def test_a_secrets_name_is_judged_in_linear_time() -> None:
    """Names and texts of a megabyte."""
    redactor = Redactor()
    for text in ("aB" * 10**6, "_" * 10**6, "password" * 10**5):
        assert calls(lambda text=text: redactor.secret(text)) < 2000
    for piece in ("://", "://a:", "://a@", "?a=", "input_value=", "[parameters: ", "1 validation error for "):
        few, many = (EventLog().value(f"://@={piece * (count // len(piece))}") for count in (1_000, 100_000))
        assert len(many) <= 2 * 2048 + 100
        assert few


# -- findings


def finding(number: int) -> dict[str, Any]:
    return {"type": "int_type", "loc": ("body", number), "msg": "Input should be a valid integer", "input": "x"}


def test_a_hundred_thousand_findings_cost_what_a_hundred_do() -> None:
    """Beyond the bound they are counted alone."""
    hundred, many = [[finding(n) for n in range(count)] for count in (MAX_FINDINGS, 100_000)]
    cost = calls(lambda: as_error(many, field_codes={}, submitted=["x"] * 100_000))
    assert cost <= calls(lambda: as_error(hundred, field_codes={}, submitted=["x"] * MAX_FINDINGS)) + 10
    assert as_error(many, field_codes={}).found == 100_000
    told = calls(lambda: compact(RequestValidationError(many)))
    assert told <= calls(lambda: compact(RequestValidationError(hundred))) + 50


def test_comparing_words_with_what_was_submitted_is_bounded() -> None:
    """By characters: the rest counts as repeated."""
    submitted = Counted([{"a": "b" * 100}] * 10**5)
    assert repeats("a message of some length", submitted)
    assert submitted.read < 100


# -- an upstream's body

BLOCK = b"\0" * (1 << 20)


def bomb(mebibytes: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join([packer.compress(BLOCK) for _ in range(mebibytes)]) + packer.flush()


class Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that counts what is taken of it."""

    def __init__(self, whole: bytes, size: int) -> None:
        self.parts = [whole[at : at + size] for at in range(0, len(whole), size)]
        self.taken = 0
        self.closed = False

    def __iter__(self) -> Iterator[bytes]:
        for part in self.parts:
            self.taken += 1
            yield part

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self.parts:
            self.taken += 1
            yield part

    def close(self) -> None:
        self.closed = True

    async def aclose(self) -> None:
        self.closed = True


def ask(body: Body, coding: str, status: int = 500, *, streamed: bool = True) -> APIError:
    """The error of a call to an upstream that answers with a body."""
    headers = {"content-encoding": coding} if coding else {}
    transport = httpx.MockTransport(lambda request: httpx.Response(status, headers=headers, stream=body))
    with httpx.Client(transport=UpstreamTransport(dialect="openai", transport=transport)) as client:
        with pytest.raises(UpstreamError) as caught:
            if streamed:
                with client.stream("GET", "http://up.example/"):
                    raise AssertionError
            client.get("http://up.example/")
        return caught.value


@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize("coding", ["gzip", "deflate", "", "br", "zstd", "gzip, gzip", "identity"])
def test_of_an_upstreams_body_no_more_is_read_than_counts(coding: str, streamed: bool) -> None:
    """Compressed or not; of a coding that cannot be decoded within a bound, nothing; and the rest is given back."""
    packed = coding in ("gzip", "deflate")
    body = Body(bomb(24) if packed else BLOCK * 24, 1024)
    error = ask(body, coding, streamed=streamed)
    assert (error.status, body.closed) == (502, True)
    assert "message" not in error.context["upstream"]
    read = body.taken * 1024
    assert read <= (2 * MAX_BODY / 500 if packed else 1024 if coding not in ("", "identity") else MAX_BODY + 1024)


def test_a_large_part_is_not_unpacked_beyond_the_bound() -> None:
    """A server may send all of a bomb at once."""
    body = BoundedBody("gzip", limit=MAX_BODY)
    assert not body.feed(bomb(64))
    assert body.decoded() is None
    assert body._held <= MAX_BODY + 1


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "deflate", "", "identity"])
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_a_body_within_the_bound_is_understood(coding: str, size: int) -> None:
    """However it is cut into parts."""
    raw = b'{"error": {"message": "overloaded", "type": "server_error", "code": "busy", "param": null}}'
    wbits = 31 if "gzip" in coding else 15
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    sent = raw if coding in ("", "identity") else packer.compress(raw) + packer.flush()
    error = ask(Body(sent, size), coding, 503)
    assert isinstance(error, UpstreamUnavailableError)
    assert error.context["upstream"]["message"] == "overloaded"


def test_a_body_that_is_not_what_it_says_is_told_by_its_status() -> None:
    """Not by its words."""
    for coding, sent in (("gzip", b"no gzip at all"), ("", b"\xff"), ("gzip", bomb(1)[:50])):
        error = ask(Body(sent, 1024), coding)
        assert (error.code, error.context["upstream"]["status"]) == ("upstream_failed", 500)


def test_the_same_holds_for_the_asynchronous_transport() -> None:
    """Read as far as its bound, and closed."""
    import asyncio

    async def main() -> tuple[APIError, Body]:
        body = Body(bomb(24), 1024)
        transport = httpx.MockTransport(
            lambda request: httpx.Response(500, headers={"content-encoding": "gzip"}, stream=body)
        )
        async with httpx.AsyncClient(transport=AsyncUpstreamTransport(dialect="openai", transport=transport)) as client:
            with pytest.raises(UpstreamError) as caught:
                async with client.stream("GET", "http://up.example/"):
                    raise AssertionError
        return caught.value, body

    error, body = asyncio.run(main())
    assert (error.status, body.closed) == (502, True)
    assert body.taken * 1024 < 2 * MAX_BODY / 500
