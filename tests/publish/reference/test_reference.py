"""The reference: every code has a page that says what happened and what to do, in any dialect."""

from __future__ import annotations

import html as entities
import importlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import PurePosixPath
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from errorkit import APIError, Catalog
from errorkit.config import Config
from errorkit.dialects import PRESETS, get_dialect
from errorkit.errors import Example
from errorkit.fastapi import install
from errorkit.publish import Files, Options
from errorkit.publish.reference import html, markdown
from errorkit.publish.reference.mount import ReferenceASGI, ReferenceWSGI
from errorkit.publish.wire_example import request_id

CONTRACTS = ("kaizen", "kaiko", "kaplaix", "korad", "agentkavach")


class Paused(APIError):
    """Work is <paused> & waits."""

    code, status, title, retryable = "paused", 503, "Paused", True
    causes = ("Somebody pressed the button.",)
    resolution = 'Press it again; say "please".'
    examples = (Example("A name", '{"name": 1}', '{"name": "x"}'),)
    default_retry_after = 7
    propagate = False


CATALOG = Catalog([Paused])
OPTIONS = Options(title="Pauses", docs_url="https://api.example.com/errors/{code}")


class Page(HTMLParser):
    """Text, links, ids and what is fetched, of one page; unbalanced elements are refused."""

    VOID = frozenset({"meta", "link", "input", "br", "wbr", "hr", "img"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.ids: list[str] = []
        self.labels: list[str] = []
        self.inputs: list[str] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag not in self.VOID:
            self.open.append(tag)
        if "id" in found:
            self.ids.append(found["id"] or "")
        if tag == "a":
            self.links.append(found["href"] or "")
        if tag == "label":
            self.labels.append(found["for"] or "")
        if tag == "input":
            self.inputs.append(found["id"] or "")
        for name in ("src", "href"):
            if tag != "a" and name in found:
                self.fetched.append(found[name] or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return "".join(self.words)


@pytest.fixture(scope="module")
def pages() -> Files:
    return html(CATALOG, get_dialect("openai"), OPTIONS)


def test_every_link_leads_to_a_page_and_nothing_comes_from_elsewhere(pages: Files) -> None:
    """Links resolve within the files, anchors exist, style and script are beside the pages."""
    for name, text in pages.items():
        if not name.endswith(".html"):
            continue
        page = Page(text)
        assert len(page.ids) == len(set(page.ids))
        assert set(page.inputs) <= set(page.labels)
        here = PurePosixPath(name).parent
        for link in [*page.links, *page.fetched]:
            if link.startswith(("data:image/svg+xml,", "https://api.example.com/errors/")):
                continue
            path, _, anchor = link.partition("#")
            resolved = (
                name if not path else str(httpx.URL(f"http://x/{here}/").join(path).path).lstrip("/").removeprefix("./")
            )
            assert resolved in pages, (name, link)
            if anchor:
                assert anchor in Page(pages[resolved]).ids, (name, link)


def test_a_page_holds_all_that_is_known_of_its_code(pages: Files) -> None:
    """Status, meaning, causes, resolution, retry, headers, request, response, pairs, snippets."""
    text = Page(pages["paused/index.html"]).text
    for words in (
        "503 Service Unavailable",
        "Work is <paused> & waits.",
        "Somebody pressed the button.",
        'Press it again; say "please".',
        "Yes, after the time that Retry-After gives (by default 7 seconds).",
        "retry-after-ms: 7000",
        "x-should-retry: true",
        "POST /resources HTTP/1.1",
        '"code": "paused"',
        "Fails",
        "Works",
        "curl -i -X POST",
        "import httpx",
        "await fetch(",
        "Client libraries do not raise this error",
    ):
        assert words in text, words


def test_the_response_in_each_dialect_is_the_one_that_is_served() -> None:
    """Page and wire agree byte for byte, up to the instant and the page's indentation."""
    pages = html(CATALOG, get_dialect("problem"), replace(OPTIONS, extra={"presets": "all"}))
    text = Page(pages["paused/index.html"]).text
    for dialect in PRESETS:
        app = FastAPI()
        install(app, dialect=dialect, catalog=CATALOG, docs_url=OPTIONS.docs_url)

        @app.get("/")
        def fail() -> None:
            raise Paused

        chosen = get_dialect(dialect)
        response = TestClient(app).get("/", headers={chosen.request_id_header: request_id(chosen)})
        served = json.dumps(response.json(), indent=2, ensure_ascii=False)
        shown = re.findall(r"(?ms)^\{\n.*?^\}$", text)
        instant = re.compile(r"20\d\d-\d\d-\d\dT[\d:]+Z")
        assert instant.sub("T", served) in [instant.sub("T", block) for block in shown], dialect


def test_only_what_the_service_speaks_is_shown(pages: Files) -> None:
    """One dialect: no choice, and not a word of another product."""
    text = pages["paused/index.html"]
    assert 'name="dialect"' not in text
    for other in set(PRESETS) - {"openai", "problem", "connect"}:  # these are words, too
        assert not any(re.search(rf"\b{other}\b", page, re.IGNORECASE) for page in pages.values()), other


def test_each_dialect_of_the_service_stands_under_its_prefix_with_its_own_spelling() -> None:
    """Two dialects: a radio button for each, where it is spoken, and the code, request and client code as there."""
    config = Config(dialect={"/": "problem", "/v1": "kaplaix", "/raw": None}, catalog=CATALOG)
    options = Options.of(config, operations={"paused": [("POST", "/work"), ("GET", "/v1/work"), ("GET", "/raw/work")]})
    files = html(CATALOG, options.also[0], options)
    text = Page(files["paused/index.html"]).text
    assert re.findall(r"problem other paths|kaplaix under /v1", text)[:2] == [
        "problem other paths",
        "kaplaix under /v1",
    ]
    document = json.loads(files["paused.json"])
    found = [(form["prefixes"], form["spelling"], form["operations"][0]["path"]) for form in document["forms"]]
    assert found == [([""], "paused", "/work"), (["/v1"], "PAUSED", "/v1/work")]
    assert [form["request"].split(" HTTP")[0] for form in document["forms"]] == ["POST /work", "POST /v1/work"]
    assert "/raw/work" not in str(files)
    assert 'response.json()["error"]["code"] == "PAUSED"' in text
    index = Page(files["index.html"]).text
    assert "PAUSED" in index
    assert "In the dialect kaplaix, under /v1" in index


def test_all_presets_are_shown_where_that_is_asked_for() -> None:
    """A radio button for each, the service's own first and chosen; style alone shows its block."""
    files = html(CATALOG, get_dialect("openai"), replace(OPTIONS, extra={"presets": "all"}))
    text = files["paused/index.html"]
    chosen = re.findall(r'<input type="radio" name="dialect" id="dialect-(\d+)" value="(\w+)"( checked)?>', text)
    assert chosen[0] == ("0", "openai", " checked")
    assert [mark for _, _, mark in chosen].count(" checked") == 1
    assert {name for _, name, _ in chosen} == set(PRESETS)
    for number, _, _ in chosen:
        assert f"main:has(#dialect-{number}:checked) .choice.dialect-{number}" in files["reference.css"]
        assert f'<div class="choice dialect-{number}">' in text


def test_markdown_holds_the_same(pages: Files) -> None:
    """A file for each page, whose links resolve, with the same facts."""
    files = markdown(CATALOG, get_dialect("openai"), OPTIONS)
    assert "- [paused](paused.md): 503, retry. Work is &lt;paused> &amp; waits." in files.pop("llms.txt")
    assert {name.removesuffix(".md") for name in files} == {
        name.removesuffix("/index.html").removesuffix(".html") for name in pages if name.endswith(".html")
    }
    for text in files.values():
        for link in re.findall(r"\]\(([^)#]+)", text):
            assert link in files
    for words in (
        "Work is &lt;paused> &amp; waits.",
        'Press it again; say "please".',
        '"code": "paused"',
        "import httpx",
    ):
        assert words in files["paused.md"]
    assert "| [`paused`](paused.md) | 503 | Work is &lt;paused> &amp; waits. | yes |" in files["index.md"]


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("[x](javascript:alert`1`)", "[x](#)"),
        ("[x]( JavaScript:alert`1`)", "[x]( #)"),
        ("[x](data:text/html,y)", "[x](#)"),
        ("[x](java&#115;cript:alert`1`)", "[x](#)"),
        ("[x]: vbscript:y", "[x]: #"),
        ("[x](https://host/a) [y](index.md) [z](mailto:a@b.c)", "[x](https://host/a) [y](index.md) [z](mailto:a@b.c)"),
        ("Note: see [1].", "Note: see [1]."),
    ],
)
def test_a_link_in_an_authors_words_runs_nothing(words: str, shown: str) -> None:
    """Pages and addresses alone are linked to."""
    cls = type("Linked", (APIError,), {"code": "linked", "status": 409, "description": words, "__module__": __name__})
    page = markdown(Catalog([cls]), get_dialect("openai"), OPTIONS)["linked.md"]
    assert f"\n{shown}\n" in page


@pytest.mark.parametrize(
    ("dialect", "code", "message"),
    [
        ("openai", "error.code", "error.message"),
        ("problem", "code", "detail"),
        ("google", "error.details[0].reason", "error.message"),
        ("kubernetes", "details.causes[0].reason", "message"),
        ("twilio", "details.error_code", "message"),
    ],
)
def test_the_reading_section_names_where_the_dialect_puts_things(dialect: str, code: str, message: str) -> None:
    """Found out from the dialect itself, so that no table of places can be wrong."""
    index = html(CATALOG, get_dialect(dialect), OPTIONS)["index.html"]
    assert f"<dt><code>{code}</code></dt><dd>The stable name of the error." in index
    assert f"<dt><code>{message}</code></dt><dd>What happened, for people." in index


def test_the_same_catalogue_gives_the_same_files(pages: Files) -> None:
    """Nothing depends on the clock or on chance, so that `--check` means something."""
    assert html(CATALOG, get_dialect("openai"), OPTIONS) == pages


@pytest.mark.parametrize("contract", CONTRACTS)
def test_the_reference_of_each_contract_holds_all_its_codes(contract: str) -> None:
    """For every error of the five catalogues: code as spelled, status, meaning, causes, resolution, pairs."""
    module = importlib.import_module(f"contracts.{contract}")
    config = Config(**module.settings)
    dialect = config.dialects[0][1]
    assert dialect is not None
    options = Options(title=contract, retry_after=config.retry_after, docs_url=config.docs_url)
    files = html(config.catalog, dialect, options)
    index = Page(files["index.html"]).text
    for spec in config.catalog:
        page = Page(files[f"{spec.code}/index.html"]).text
        assert dialect.spell(spec.code) in index
        assert f"{dialect.spell(spec.code)}" in page
        if not spec.cls.__module__.startswith("contracts."):
            continue
        assert spec.description in index
        for words in (spec.description, spec.title, spec.resolution, *spec.causes):
            assert words in page, (spec.code, words)
        assert ("retry" if spec.retryable else "final") in page
        for pair in spec.examples:
            assert pair.title in page
            for side in (pair.bad, pair.fixed):
                assert json.dumps(json.loads(side), indent=2) in page
    assert "How to read an error" in index
    assert "When to try again" in index


@pytest.fixture(params=["asgi", "wsgi"])
def client(request: pytest.FixtureRequest) -> Any:
    settings: dict[str, Any] = {"title": "Pauses", "dialect": "openai", "catalog": CATALOG}
    if request.param == "asgi":
        app = FastAPI()
        install(app, dialect="openai", catalog=CATALOG)
        app.mount("/docs/errors", ReferenceASGI(**settings))
        return TestClient(app, base_url="http://test")
    from werkzeug.middleware.dispatcher import DispatcherMiddleware

    def nothing(_environ: Any, start_response: Any) -> list[bytes]:
        start_response("404 Not Found", [])
        return []

    mounted = DispatcherMiddleware(nothing, {"/docs/errors": ReferenceWSGI(**settings)})
    return httpx.Client(transport=httpx.WSGITransport(app=mounted), base_url="http://test", follow_redirects=True)


def test_a_service_serves_its_own_reference(client: Any, pages: Files) -> None:
    """Index, page, style and script beneath any path, with the headers that a page needs."""
    index = client.get("/docs/errors/")
    assert index.status_code == 200
    assert index.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in index.headers["content-security-policy"]
    assert "Every failure of Pauses has a code." in entities.unescape(index.text)
    for link in Page(index.text).fetched:
        if not link.startswith("data:"):
            assert client.get(f"/docs/errors/{link}").status_code == 200
    assert client.get("/docs/errors/reference.css").text == pages["reference.css"]


def test_a_code_is_found_at_its_type_uri(client: Any) -> None:
    """`{docs_url}/paused` leads to the page, without and with the slash."""
    found = client.get("/docs/errors/paused")
    assert found.status_code == 200
    assert str(found.url) == "http://test/docs/errors/paused/"
    assert found.text == client.get("/docs/errors/paused/").text
    assert [hop.status_code for hop in found.history] == [308]


def test_a_page_that_has_not_changed_is_not_sent_again(client: Any) -> None:
    """A conditional request is answered by 304."""
    tag = client.get("/docs/errors/").headers["etag"]
    again = client.get("/docs/errors/", headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")


def test_head_has_no_body_and_other_methods_are_refused(client: Any) -> None:
    """HEAD has GET's length; POST is a 405 that names the methods."""
    head = client.head("/docs/errors/")
    assert head.content == b""
    assert int(head.headers["content-length"]) == len(client.get("/docs/errors/").content)
    refused = client.post("/docs/errors/")
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD")


def test_an_unknown_page_is_the_services_own_404() -> None:
    """Inside an application that errorkit covers, in its dialect."""
    app = FastAPI()
    install(app, dialect="openai", catalog=CATALOG)
    app.mount("/errors", ReferenceASGI(dialect="openai", catalog=CATALOG))
    response = TestClient(app).get("/errors/nothing")
    assert response.status_code == 404
    assert response.json()["error"]["code"] == "not_found"
