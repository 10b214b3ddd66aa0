"""What a client that prefers HTML gets: the dialect, the application's page, or a small page of errorkit's own."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from flask import Flask, abort
from hypothesis import given
from hypothesis import strategies as st

from driving import asgi, failures, wsgi
from errorkit import APIError, Catalog, ConflictError, Detail, RateLimitError, ValidationError
from errorkit.choosing import by_header
from errorkit.config import Config, ConfigurationError
from errorkit.dialects import get_dialect
from errorkit.failure import Public
from errorkit.fastapi import install
from errorkit.flask import ErrorKit
from errorkit.negotiation import prefers_html
from errorkit.pages import PageRenderer
from errorkit.rendering import MAX_BODY, Renderer
from rollout.five_adapters import FIVE, OWN_PAGE, Ask

five = pytest.mark.parametrize("build", FIVE.values(), ids=FIVE)

BROWSER = [("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")]
PROGRAM = [("Accept", "application/json")]
HTML = "text/html; charset=utf-8"
OWN = "default-src 'none'; style-src 'sha256-"


class Page(HTMLParser):
    """The elements and the words of a page; every element that must be closed is."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.said: dict[str, list[str]] = {}
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        assert text.startswith("<!doctype html>\n")
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.said.setdefault(self.open[-1] if self.open else "", []).append(data)


@pytest.mark.parametrize(
    ("accept", "asked"),
    [
        (BROWSER[0][1], True),
        ("text/html", True),
        ("TEXT/HTML;q=0.1", True),
        ("text/html;level=1, text/html;q=0.4", True),
        ("text/html, application/json;q=0.9", True),
        ("text/html, application/json", False),
        ("text/html, application/problem+json", False),
        ("application/json, text/html;q=0.9", False),
        ("text/html, application/vnd.api+json", False),
        ("text/html, */*", False),
        ("text/html;q=0", False),
        ("text/html;level=1", False),
        ("text/*", False),
        ("*/*", False),
        ("application/xhtml+xml", False),
        ("text/html;q=high", False),
        ("", False),
        (",;,", False),
    ],
)
def test_html_is_preferred_where_it_is_named_above_json(accept: str, asked: bool) -> None:
    """A program that takes anything, or both alike, is no browser."""
    assert prefers_html(accept, "application/vnd.api+json") == asked


@five
@pytest.mark.parametrize(("path", "status", "words"), [
    ("/refused", 409, "Version 7 is published."), ("/nowhere", 404, "The resource was not found."),
    ("/crash", 500, "An internal error occurred."),
])  # fmt: skip
@pytest.mark.parametrize("spoken", ["problem", "anthropic"])
def test_a_browser_gets_a_page_and_a_program_the_dialect(
    build: Callable[..., Ask], path: str, status: int, words: str, spoken: Any, log: list[dict[str, Any]]
) -> None:
    """The same status, id and event; `Vary` on both; HEAD has the fields of GET."""
    ask = build({"dialect": spoken, "html": "page", "service_name": "Seats & <Sons>"})
    reply, other = ask(path, BROWSER), ask(path, PROGRAM)
    assert (reply.status, reply.header("content-type"), reply.header("vary")) == (status, HTML, "Accept")
    assert (other.status, other.header("vary")) == (status, "Accept")
    assert other.json()
    event, _ = failures(log)
    page = Page(reply.body.decode())
    assert page.said["header"] == ["Seats & <Sons>"]
    assert page.said["code"] == [event["request_id"]]
    assert page.said["dd"] == [str(status)]
    assert words in page.said["p"] or path == "/nowhere"
    id_header = "request-id" if spoken == "anthropic" else "x-request-id"
    assert reply.header(id_header) == event["request_id"]
    assert str(reply.header("content-security-policy")).startswith(OWN)
    assert (reply.header("cache-control"), reply.header("x-content-type-options")) == ("no-store", "nosniff")
    assert other.header("content-security-policy") is None
    head = ask(path, BROWSER, "HEAD")
    assert (head.status, head.body, head.header("content-type")) == (
        status if path != "/refused" else head.status,
        b"",
        HTML,
    )


@five
def test_nothing_differs_by_default(build: Callable[..., Ask]) -> None:
    ask = build({"dialect": "openai"})
    reply = ask("/refused", BROWSER)
    assert (reply.header("content-type"), reply.header("vary")) == ("application/json", None)
    assert build({"dialect": "openai", "negotiate": True, "html": "dialect"})("/refused", BROWSER).json()


@five
def test_negotiation_of_the_whole_knows_html(build: Callable[..., Ask]) -> None:
    """`negotiate=True`: problem details for who asks for these, a page for who prefers one."""
    ask = build({"dialect": "openai", "negotiate": True})
    kinds = [
        ask("/refused", [("Accept", accept)]).header("content-type")
        for accept in (
            BROWSER[0][1],
            "application/problem+json",
            "application/json",
            "text/html, application/problem+json",
        )
    ]
    assert kinds == [HTML, "application/problem+json", "application/json", "application/problem+json"]


@five
@pytest.mark.parametrize("html", ["page", "application", "dialect"])
def test_a_page_of_the_applications_own_stays(build: Callable[..., Ask], html: Any, log: list[dict[str, Any]]) -> None:
    """It was shaped on purpose."""
    reply = build({"html": html})("/page", BROWSER)
    assert (reply.status, reply.body.decode()) == (404, OWN_PAGE)
    assert reply.header("vary") == ("Accept" if html == "application" else None)
    (event,) = failures(log)
    assert event["left"] == ("a page, and the client prefers one" if html == "application" else event["left"])


@five
def test_pages_by_prefix(build: Callable[..., Ask]) -> None:
    """As dialects are: the longest prefix wins; `Vary` where there is a choice."""
    ask = build({"dialect": "openai", "html": {"/new": "page", "/": "dialect"}})
    new, rest = ask("/new/refused", BROWSER), ask("/refused", BROWSER)
    assert (new.header("content-type"), new.header("vary")) == (HTML, "Accept")
    assert (rest.header("content-type"), rest.header("vary")) == ("application/json", None)


@five
def test_a_stream_of_events_ends_in_the_dialect(build: Callable[..., Ask]) -> None:
    assert b"event: error" in build({"html": "page"})("/stream?refuse", BROWSER).body


@five
def test_a_chooser_and_pages_go_together(build: Callable[..., Ask]) -> None:
    """Whatever is spoken to programs, a browser gets a page; of what is observed, what the application has made."""
    ask = build({"dialect": by_header("API-Version", {"1": "openai", "0": "observe"}, "stripe"), "html": "page"})
    for version in ("", "1", "0"):
        reply = ask("/refused", [*BROWSER, ("API-Version", version)])
        assert (reply.header("content-type"), reply.header("vary")) == (HTML, "API-Version, Accept")
    bare = build(None)("/nowhere")
    reply = ask("/nowhere", [*BROWSER, ("API-Version", "0")])
    assert (reply.body, reply.header("vary")) == (bare.body, "API-Version")


@pytest.mark.parametrize("path", ["/none", "/crash", "/tea"])
def test_flasks_pages_stay_where_that_is_wished(path: str, log: list[dict[str, Any]]) -> None:
    """Byte for byte, with an id and an event; for programs they are in the dialect."""

    def build(**settings: Any) -> Flask:
        app = Flask("pages")
        app.config["PROPAGATE_EXCEPTIONS"] = False
        if settings:
            ErrorKit(app, html="application", **settings)
        app.add_url_rule("/crash", "crash", lambda: {}["x"])
        app.add_url_rule("/tea", "tea", lambda: abort(418, "Short and stout."))
        app.add_url_rule("/refused", "refused", _refused)
        app.add_url_rule("/mapped", "mapped", lambda: 1 / 0)
        return app

    bare = wsgi(build(), "GET", path, BROWSER)
    app = build(dialect="openai", exceptions={ZeroDivisionError: ConflictError})
    reply = wsgi(app, "GET", path, BROWSER)
    assert (reply.status, reply.body, reply.header("content-type")) == (bare.status, bare.body, HTML)
    (event,) = failures(log)
    assert (event["request_id"], event["status"]) == (reply.header("x-request-id"), reply.status)
    assert event["left"] == "a page, and the client prefers one"
    assert ("exception" in event) == (path == "/crash")
    assert reply.header("vary") == "Accept"
    program = wsgi(app, "GET", path, PROGRAM)
    assert (program.status, program.header("vary")) == (bare.status, "Accept")
    assert "error" in program.json()
    for declared in ("/refused", "/mapped"):  # the framework has no page for these: the status is what it was
        answer = wsgi(app, "GET", declared, BROWSER)
        assert (answer.status, answer.header("content-type")) == (409, HTML)
        assert str(answer.header("content-security-policy")).startswith(OWN)


def test_json_of_the_framework_is_no_page() -> None:
    """FastAPI's and Starlette's defaults are none: a browser gets the small page."""
    for name in ("fastapi", "starlette", "asgi"):
        reply = FIVE[name]({"html": "application"})("/nowhere", BROWSER)
        assert (reply.status, reply.header("content-type")) == (404, HTML)


def _refused() -> Any:
    raise ConflictError


class Fake(APIError):
    code, status, title, message = "fake", 400, "<script>alert(1)</script>", "</p><img src=x onerror=alert(2)>"


def test_every_word_is_escaped_and_nothing_comes_from_elsewhere() -> None:
    """Words, findings, and a request ID from outside."""
    app = FastAPI()
    install(app, html="page", catalog=Catalog([Fake]), service_name='"><script>')

    @app.get("/fake")
    def fake() -> None:
        raise Fake

    @app.get("/findings")
    def findings() -> None:
        raise ValidationError(details=[Detail(("<b>",), "<i>"), Detail((), "no place")])

    @app.get("/wait")
    def wait() -> None:
        raise RateLimitError(retry_after=121)

    @app.get("/moment")
    def moment() -> None:
        raise RateLimitError(retry_after=1)

    with TestClient(app) as client:
        said = {
            path: client.get(path, headers=dict(BROWSER)).text for path in ("/fake", "/findings", "/wait", "/moment")
        }
    for text in said.values():
        page = Page(text)
        assert {tag for tag, _ in page.tags} <= {
            "html", "head", "meta", "title", "style", "body", "header", "main", "h1", "p", "ul", "li", "dl", "dt", "dd",
            "code",
        }  # fmt: skip
        assert not {name for _, attributes in page.tags for name in attributes} & {"src", "href", "style", "onerror"}
        assert "url(" not in text
        assert ("html", {"lang": "en"}) in page.tags
        assert len(page.said["title"]) == 1
    fake_page = Page(said["/fake"])
    assert fake_page.said["h1"] == ["<script>alert(1)</script>"]
    assert fake_page.said["title"] == ['<script>alert(1)</script> - "><script>']
    assert Page(said["/findings"]).said["li"] == ["<b>: <i>", "no place"]
    assert "You can try again in 3 minutes." in Page(said["/wait"]).said["p"]
    assert "You can try again in 1 second." in Page(said["/moment"]).said["p"]


def test_a_traceback_stands_on_the_page_in_development_alone() -> None:
    for development in (True, False):
        app = FastAPI()
        install(app, html="page", development=development)
        app.get("/crash")(lambda: {}["<secret>"])
        with TestClient(app, raise_server_exceptions=False) as client:
            text = client.get("/crash", headers=dict(BROWSER)).text
        assert ("&lt;secret&gt;" in text) == development
        assert "<secret>" not in text


def test_the_degraded_page_has_the_id(monkeypatch: pytest.MonkeyPatch) -> None:
    """errorkit itself fails while it answers a browser."""
    ask = FIVE["fastapi"]({"html": "page"})

    def render(self: Renderer, *arguments: Any, **named: Any) -> Any:
        raise RuntimeError("rendered")

    monkeypatch.setattr(Renderer, "render", render)
    reply = ask("/refused", BROWSER)
    monkeypatch.undo()
    assert (reply.status, reply.header("content-type"), reply.header("vary")) == (409, HTML, "Accept")
    assert Page(reply.body.decode()).said["code"] == [reply.header("x-request-id")]
    assert str(reply.header("content-security-policy")).startswith(OWN)


ERRORS = st.fixed_dictionaries(
    {
        "title": st.text(max_size=40),
        "message": st.text(max_size=200),
        "details": st.lists(st.builds(Detail, st.tuples(st.text(max_size=9)), st.text(max_size=40)), max_size=4).map(
            tuple
        ),
        "request_id": st.from_regex(r"[A-Za-z0-9._:-]{1,128}", fullmatch=True),
        "retry_after": st.none() | st.integers(0, 10**9),
    }
)


@given(ERRORS.map(lambda fields: Public(**fields)))
def test_any_error_is_a_page(public: Public) -> None:
    """Well-formed, bounded, and the id in it once."""
    renderer = PageRenderer(get_dialect("problem"), service="Seats", keeps=False)
    body = renderer.body(public)
    assert len(body) <= MAX_BODY
    page = Page(body.decode())
    assert page.said["code"] == [public.request_id]
    assert renderer.around_id(public)[0] + public.request_id.encode() + renderer.around_id(public)[1] == body


def test_a_large_error_is_a_bounded_page() -> None:
    renderer = PageRenderer(get_dialect("problem"), service="", keeps=False)
    details = tuple(Detail((f"f{n}",), "&" * 1000) for n in range(200))
    body = renderer.body(Public(message="<" * 8000, details=details, request_id="r"))
    assert len(body) <= MAX_BODY
    Page(body.decode())


@pytest.mark.parametrize(
    ("html", "words"),
    [
        ("pages", "html='pages': 'pages' is none of 'dialect', 'application', 'page'; use one of these"),
        ({"/": "none"}, "'none' is none of"),
        ({"/": None}, "None is none of"),
        ({"shop": "page"}, "path prefix 'shop' must be a str that starts with '/'"),
        (True, "True is none of"),
    ],
)
def test_a_wrong_wish_stops_the_start(html: Any, words: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(words)):
        Config(html=html)


def test_the_environment_wishes_too() -> None:
    config = Config.load(environ={"ERRORKIT_HTML": '{"/shop": "page"}', "ERRORKIT_SERVICE_NAME": "Seats"})
    assert (config.pages, config.service_name) == ((("/shop", "page"),), "Seats")


def test_a_prefix_without_a_dialect_stays_without() -> None:
    """`html` adds no prefix to what errorkit covers, and no page where it says nothing."""
    app = FastAPI()
    install(app, dialect={"/v1": "openai", "/raw": None}, html={"/": "page", "/raw/x": "page", "/v1/x": "dialect"})
    for path, kind in (
        ("/", "application/json"),
        ("/raw/x", "application/json"),
        ("/v1", HTML),
        ("/v1/x/y", "application/json"),
    ):
        reply = asgi(app, "GET", path, BROWSER)
        assert (reply.status, reply.header("content-type")) == (404, kind)
        assert (reply.header("x-request-id") is None) == (path == "/")


def test_a_document_describes_the_page() -> None:
    app = FastAPI()
    install(app, html={"/shop": "page", "/": "dialect"})
    app.get("/shop/{n}")(lambda n: n)
    app.get("/api/{n}")(lambda n: n)
    paths = app.openapi()["paths"]
    shop, api = (paths[path]["get"]["responses"]["500"] for path in ("/shop/{n}", "/api/{n}"))
    assert shop["content"]["text/html"] == {"schema": {"type": "string"}}
    assert shop["headers"]["Vary"]["example"] == "Accept"
    assert list(api["content"]) == ["application/problem+json"]
    assert "Vary" not in api["headers"]
