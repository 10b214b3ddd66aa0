"""Dialects by request: old clients keep the old body, on every adapter; `Vary` names what decided."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from starlette.middleware.cors import CORSMiddleware
from starlette.testclient import TestClient

from errorkit import choosing
from errorkit.choosing import Chooser, by_date, by_function, by_header, by_media_type
from errorkit.config import Config, ConfigurationError
from errorkit.dialects import Dialect
from errorkit.dialects.problem import Problem
from errorkit.exchange import Request
from errorkit.fastapi import ErrorMiddleware
from errorkit.handler import build_handler
from errorkit.rendering import Renderer
from rollout.five_adapters import FIVE, Ask

PROBLEM = "application/problem+json"
VERSION = by_header("API-Version", {"1": "openai", "2": "problem"}, default="anthropic")

five = pytest.mark.parametrize("build", FIVE.values(), ids=FIVE)


class Asking(Request):
    """A request of these header fields."""

    def __init__(self, **fields: str) -> None:
        self.fields = {name.replace("_", "-").encode(): value for name, value in fields.items()}

    def header(self, name: bytes) -> str | None:
        return self.fields.get(name)


def chosen(chooser: Chooser, **fields: str) -> str:
    spoken = chooser(Asking(**fields))
    return spoken if isinstance(spoken, str) else spoken.name


def shape(body: Any) -> str:
    """Which of three dialects a body is of."""
    if "status" in body:
        return "problem"
    return "anthropic" if "type" in body else "openai"


@five
@pytest.mark.parametrize("path", ["/refused", "/nowhere"])
@pytest.mark.parametrize(
    ("version", "dialect"),
    [("1", "openai"), ("2", "problem"), (" 2 ", "problem"), ("3", "anthropic"), ("", "anthropic")],
)
def test_the_header_decides(
    build: Callable[..., Ask], path: str, version: str, dialect: str, log: list[dict[str, Any]]
) -> None:
    """Of declared errors and of defaults; the id of header, body and event is one."""
    reply = build({"dialect": VERSION})(path, [("API-Version", version)] if version else [])
    assert reply.status == (409 if path == "/refused" else 404)
    assert shape(reply.json()) == dialect
    assert reply.header("vary") == "API-Version"
    id_header = "request-id" if dialect == "anthropic" else "x-request-id"
    (event,) = [event for event in log if event["event"] == "request_failed"]
    assert reply.header(id_header) == event["request_id"]


@five
def test_a_success_and_an_answer_of_somebodys_own_say_no_vary(build: Callable[..., Ask]) -> None:
    """Nothing was chosen; the request ID has the default dialect's field."""
    ask = build({"dialect": VERSION})
    for path, status in (("/fine", 200), ("/own", 402)):
        reply = ask(path, [("API-Version", "1")])
        assert (reply.status, reply.header("vary")) == (status, None)
        assert reply.header("request-id")
        assert reply.header("x-request-id") is None


@five
def test_a_crash_is_said_in_the_chosen_dialect(build: Callable[..., Ask]) -> None:
    reply = build({"dialect": VERSION})("/crash", [("API-Version", "1")])
    assert (reply.status, shape(reply.json()), reply.header("vary")) == (500, "openai", "API-Version")


@five
def test_a_stream_ends_in_the_chosen_dialect(build: Callable[..., Ask]) -> None:
    """The last event is read by the client that chose."""
    ask = build({"dialect": VERSION})
    assert b'"type":"error"' in ask("/stream?refuse").body
    assert b'"param":null' in ask("/stream?refuse", [("API-Version", "1")]).body


@five
def test_head_has_the_fields_of_get(build: Callable[..., Ask]) -> None:
    ask = build({"dialect": VERSION})
    get, head = (ask("/nowhere", [("API-Version", "2"), ("X-Request-ID", "one")], method) for method in ("GET", "HEAD"))
    assert (head.status, head.body, head.header("vary")) == (404, b"", "API-Version")
    assert head.header("content-type") == get.header("content-type") == PROBLEM


@five
def test_prefixes_have_choosers_of_their_own(build: Callable[..., Ask]) -> None:
    """And `Vary` is that of the prefix."""
    ask = build({"dialect": {"/new": by_media_type({PROBLEM: "problem"}, "openai"), "/": "openai"}})
    asked = [("Accept", PROBLEM)]
    new, rest = ask("/new/refused", asked), ask("/refused", asked)
    assert (shape(new.json()), new.header("vary")) == ("problem", "Accept")
    assert (shape(rest.json()), rest.header("vary")) == ("openai", None)


@five
def test_a_chooser_and_negotiate_go_together(build: Callable[..., Ask]) -> None:
    """First the chooser, then Accept, both told."""
    ask = build({"dialect": by_header("API-Version", {"1": "openai"}, "stripe"), "negotiate": True})
    reply = ask("/refused", [("API-Version", "1"), ("Accept", PROBLEM)])
    assert (shape(reply.json()), reply.header("vary")) == ("problem", "API-Version, Accept")
    assert reply.header("request-id") is None
    plain = ask("/refused")
    assert (shape(plain.json()), plain.header("vary")) == ("openai", "API-Version, Accept")
    assert plain.json()["error"]["type"] == "idempotency_error" or plain.header("request-id")


@five
@pytest.mark.parametrize("wrong", [RuntimeError("no such tenant"), "no such key"])
def test_a_chooser_that_fails_costs_no_request_its_answer(
    build: Callable[..., Ask], wrong: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """The default dialect, and a line at error level that names the chooser."""

    def choose(request: Request) -> Any:
        if isinstance(wrong, Exception):
            raise wrong
        return wrong

    ask = build({"dialect": by_function(choose, {"old": "openai"}, "problem", vary="X-Tenant")})
    reply = ask("/refused")
    assert (reply.status, shape(reply.json()), reply.header("vary")) == (409, "problem", "X-Tenant")
    (line,) = [record for record in caplog.records if "by_function" in record.getMessage()]
    assert line.levelname == "ERROR"
    assert "choose" in line.getMessage()


@five
def test_the_degraded_envelope_is_of_the_chosen_dialect_too(
    build: Callable[..., Ask], monkeypatch: pytest.MonkeyPatch
) -> None:
    """errorkit itself fails while it answers: the form stays, and what it depends on."""

    def render(self: Renderer, *arguments: Any, **named: Any) -> Any:
        raise RuntimeError("rendered")

    ask = build({"dialect": VERSION})
    monkeypatch.setattr(Renderer, "render", render)
    reply = ask("/refused", [("API-Version", "1")])
    monkeypatch.undo()
    assert (reply.status, shape(reply.json()), reply.header("vary")) == (409, "openai", "API-Version")


def test_vary_is_merged_with_that_of_cors() -> None:
    app = FastAPI()
    app.add_middleware(ErrorMiddleware, dialect=VERSION)
    app.add_middleware(CORSMiddleware, allow_origins=["https://a.example"])
    with TestClient(app) as client:
        for path in ("/nowhere", "/crash"):
            reply = client.get(path, headers={"Origin": "https://a.example"})
            words = {word.strip() for value in reply.headers.get_list("vary") for word in value.split(",")}
            assert words == {"API-Version", "Origin"}


def test_a_media_type_is_chosen_where_it_is_named() -> None:
    table = {"application/vnd.shop.v1+json": "openai", "application/vnd.shop.v2+json; profile=x": "anthropic"}
    chooser = by_media_type(table, "problem")
    v1, v2 = table
    for accept, expected in {
        "": "problem",
        "*/*": "problem",
        "application/*": "problem",
        v1: "openai",
        v1.upper(): "openai",
        v2: "anthropic",
        v2.replace("; profile=x", ""): "problem",
        f"{v1};q=0.2, {v2};q=0.3": "anthropic",
        f"{v2}, {v1}": "openai",  # the table's order
        f"{v1};q=0": "problem",
        f"{v1};q=0.5, {PROBLEM}": "problem",
        f"{v1};q=0.5, */*;q=0.1": "openai",
        f"{v1};q=oops": "problem",
        "\x00\xff;;,,": "problem",
    }.items():
        assert chosen(chooser, accept=accept) == expected, accept
    assert chooser.vary == ("Accept",)


def test_a_date_holds_until_the_next() -> None:
    chooser = by_date("API-Version", {"2024-01-01": "openai", date(2025, 6, 1): "anthropic"}, "problem")
    for version, expected in {
        "2023-12-31": "problem",
        "2024-01-01": "openai",
        "2025-05-31": "openai",
        "2025-06-01": "anthropic",
        " 2099-01-01 ": "anthropic",
        "2024-09-30.acacia": "openai",
        "2024-09-30-preview": "openai",
        "20240930": "problem",
        "2024-W40-1": "problem",
        "2024-02-31": "problem",
        "٢٠٢٤-٠١-٠١": "problem",
        "2024-01-01, 2025-06-01": "problem",
        "latest": "problem",
    }.items():
        assert chosen(chooser, api_version=version) == expected, version
    assert chosen(by_date("V", {datetime(2024, 1, 1, 5): "openai"}, "problem"), v="2024-01-01") == "openai"


@given(st.text(max_size=60))
def test_any_field_chooses_something(value: str) -> None:
    """No value is too odd."""
    for chooser in (
        VERSION,
        by_date("API-Version", {"2024-01-01": "openai"}, "problem"),
        by_media_type({"a/b": "openai"}, "problem"),
    ):
        assert chooser(Asking(api_version=value, accept=value)) in chooser.choices


def test_a_name_that_stands_twice_is_one_dialect() -> None:
    """And one renderer."""
    chooser = by_header("V", {"1": "openai", "2": "openai"}, "problem")
    assert [getattr(each, "name", each) for each in chooser.choices] == ["problem", "openai"]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: by_header("API Version", {"1": "openai"}, "problem"), "by_header('API Version')='API Version': this is no name"),
        (lambda: by_header("", {"1": "openai"}, "problem"), "this is no name of a header field"),
        (lambda: by_header("V", {}, "problem"), "by_header('V')={}: use a mapping"),
        (lambda: by_header("V", {"1": "opnai"}, "problem"), "by_header('V')['1']='opnai': unknown dialect 'opnai'; did you mean 'openai'"),
        (lambda: by_header("V", {"1": "openai"}, "prblem"), "by_header('V').default='prblem': unknown dialect"),
        (lambda: by_header("V", {1: "openai"}, "problem"), "by_header('V')=1: a key of it is a text; write '1'"),
        (lambda: by_header("V", {"1": 7}, "problem"), "by_header('V')['1']=7: 7 is no dialect"),
        (lambda: by_media_type({"json": "openai"}, "problem"), "'json': this is no media type"),
        (lambda: by_media_type({"a/*": "openai"}, "problem"), "'a/*': this is no media type"),
        (lambda: by_media_type({"a/b;q=0.1": "openai"}, "problem"), "this is no media type"),
        (lambda: by_date("V", {"soon": "openai"}, "problem"), "'soon': this is no date; use for example '2026-01-31'"),
        (lambda: by_date("V", {"2026-02-30": "openai"}, "problem"), "this is no date"),
        (lambda: by_function(7, {"1": "openai"}, "problem", vary=()), "this is no function of the request"),
        (lambda: by_function(lambda: 1, {"1": "openai"}, "problem", vary=()), "let it take the request"),
        (lambda: by_function(asking, {"1": "openai"}, "problem", vary=()), "let it be a plain function"),
        (lambda: by_function(len, {"1": "openai"}, "problem", vary="a b"), "this is no name of a header field"),
        (lambda: Config(dialect=lambda request: "openai"), "errorkit.choosing.by_function(<lambda>, "),
        (lambda: Config(dialect={"/v1": by_header}), "dialect={'/v1': by_header}: what a function may choose"),
        (lambda: build_handler(None, {"dialect": by_header("V", {"1": Unfinished}, "problem")}), "it has no write()"),
        (lambda: build_handler(None, {"dialect": by_header("V", {"1": Fails}, "problem")}), "write() fails for an error with"),
    ],
)  # fmt: skip
def test_what_cannot_be_chosen_stops_the_start(make: Callable[[], Any], words: str) -> None:
    """Every dialect of a chooser is proven at start-up, not with the first old client."""
    with pytest.raises(ConfigurationError) as caught:
        make()
    assert words in str(caught.value)


async def asking(request: Request) -> str:
    return "1"


class Unfinished(Dialect):
    name = "unfinished"


class Fails(Problem):
    name = "fails"

    def write(self, public: Any) -> Any:
        return {"param": public.param.upper()}


def test_a_file_names_a_chooser_by_its_module() -> None:
    """As it names a dialect of one's own."""
    config = Config.load(environ={"ERRORKIT_DIALECT": f"{__name__}:VERSION"})
    assert config.spoken == (("", VERSION),)
    assert [dialect.name for _, dialect in config.dialects if dialect] == ["anthropic", "openai", "problem"]


def test_the_line_at_start_up_names_the_chooser(log: list[dict[str, Any]]) -> None:
    build_handler(None, {"dialect": {"/v1": VERSION, "/": "problem", "/raw": None}}).announce()
    (event,) = log
    assert event["dialects"] == {"/v1": "by_header('API-Version')", "/": "problem", "/raw": None}


def test_the_functions_are_what_the_module_offers() -> None:
    assert set(choosing.__all__) >= {"by_header", "by_media_type", "by_date", "by_function", "Chooser"}
