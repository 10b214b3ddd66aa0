"""Dialects whose bodies are text or bytes: what is sent, what is read back, and what is refused at start-up."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from errorkit import Catalog, ConflictError, Dialect, NotFoundError, RateLimitError
from errorkit.config import Config
from errorkit.configuration_error import ConfigurationError
from errorkit.failure import Public
from errorkit.fastapi import install
from errorkit.handler import ErrorHandler
from errorkit.negotiation import Forms
from errorkit.publish import Options
from errorkit.publish.clients.client_model import model
from errorkit.publish.export import body_schema
from errorkit.publish.gateways.caddyfile import caddy
from errorkit.publish.gateways.envoy_yaml import envoy
from errorkit.publish.gateways.nginx_conf import nginx
from errorkit.publish.openapi import document as described
from errorkit.rendering import Renderer
from errorkit.testing import assert_error
from errorkit.upstream import upstream_error

COPIES = ("message", "request_id", "param", "retry_after", "resume_at")


class Xml(Dialect):
    name = "xml"
    media_type = "application/xml"
    carries = ("status", "code", "message", "request_id")
    copies = COPIES

    def write(self, public: Public) -> str:
        return (
            f'<Error code="{self.escape(self.spell(public.code))}"><Message>{self.escape(public.message)}</Message>'
            f"<RequestId>{public.request_id}</RequestId></Error>"
        )

    def read(self, status: int, headers: Mapping[str, str], body: Any) -> Public:
        try:
            error = ElementTree.fromstring(body)
        except (ElementTree.ParseError, TypeError):
            return self.public(status, headers)
        return self.public(
            status,
            headers,
            code=error.get("code"),
            message=error.findtext("Message"),
            request_id=error.findtext("RequestId"),
        )


class Plain(Dialect):
    name = "plain"
    media_type = "text/plain; charset=utf-8"
    carries = ("status", "message")
    copies = COPIES

    def write(self, public: Public) -> str:
        return self.escape(public.message)

    def read(self, status: int, headers: Mapping[str, str], body: Any) -> Public:
        return self.public(status, headers, message=body if isinstance(body, str) else "")


class Packed(Dialect):
    name = "packed"
    media_type = "application/x-packed"
    carries = ("status", "code")
    copies = COPIES

    def write(self, public: Public) -> bytes:
        return b"\x00\xff" + public.code.encode()

    def read(self, status: int, headers: Mapping[str, str], body: Any) -> Public:
        return self.public(status, headers, code=body[2:].decode() if isinstance(body, bytes) else "")


def client_of(dialect: Dialect) -> TestClient:
    app = FastAPI()
    install(app, dialect=dialect)

    @app.get("/said")
    def said(words: str) -> None:
        raise ConflictError(words)

    @app.get("/absent")
    def absent() -> None:
        raise NotFoundError

    @app.get("/stream")
    def stream() -> StreamingResponse:
        def chunks() -> Any:
            yield "data: 1\n\n"
            raise RateLimitError("first\nsecond")

        return StreamingResponse(chunks(), media_type="text/event-stream")

    return TestClient(app, raise_server_exceptions=False)


def test_text_is_sent_as_it_was_written() -> None:
    response = client_of(Xml()).get("/absent", headers={"X-Request-ID": "r-1"})
    assert (response.status_code, response.headers["content-type"]) == (404, "application/xml")
    assert response.text == (
        '<Error code="not_found"><Message>The resource was not found.</Message><RequestId>r-1</RequestId></Error>'
    )
    assert int(response.headers["content-length"]) == len(response.content)
    assert assert_error(response, code="not_found", status=404, dialect=Xml()).request_id == "r-1"


@pytest.mark.parametrize(
    "words", ["plain", "<script>&amp;\"'</script>", "]]>", "Łódź \U0001f600", "one\ntwo\r\tthree", "\\"]
)
def test_what_an_author_says_never_breaks_the_markup(words: str) -> None:
    client = client_of(Xml())
    for _ in range(3):  # written anew, prepared, spliced
        response = client.get("/said", params={"words": words})
        assert assert_error(response, code="conflict", dialect=Xml()).message == words.strip() or words


@given(st.lists(st.text(max_size=40), min_size=1, max_size=4))
def test_what_is_spliced_is_what_would_be_written(messages: list[str]) -> None:
    dialect = Xml()
    renderer = Renderer(dialect)
    for message in messages:
        public = Public("conflict", 409, message=message, request_id="r-1")
        assert renderer.body(public) == dialect.write(public).encode("utf-8", "replace")
        ElementTree.fromstring(renderer.body(public))


def test_an_escape_of_its_own_is_never_spliced_over() -> None:
    class Doubled(Xml):
        def write(self, public: Public) -> str:
            return f"<m>{public.message.replace('&', '&amp;amp;').replace('<', '&lt;')}</m>"

    renderer = Renderer(Doubled())
    assert renderer.body(Public("conflict", 409, message="harmless")) == b"<m>harmless</m>"
    assert renderer.body(Public("conflict", 409, message="<&")) == b"<m>&lt;&amp;amp;</m>"


def test_bytes_are_sent_as_they_are() -> None:
    client = client_of(Packed())
    for _ in range(3):
        response = client.get("/absent")
        assert (response.headers["content-type"], response.content) == ("application/x-packed", b"\x00\xffnot_found")
    assert assert_error(response, code="not_found", dialect=Packed()).status == 404


def test_plain_text_ends_a_stream_as_lines_of_data_and_bytes_abort_it() -> None:
    assert client_of(Plain()).get("/stream").text == "data: 1\n\nevent: error\ndata: first\ndata: second\n\n"
    assert Packed().stream_event(Public()) is None


@pytest.mark.parametrize(
    ("media_type", "written", "fix"),
    [
        ("application/json", "<e/>", "give the body as JSON values, for example a dict"),
        ("application/problem+json", b"<e/>", "give the body as JSON values, for example a dict"),
        ("application/xml", {"a": 1}, "give the body as a str"),
        ("text/plain", b"words", "give the body as a str"),
        ("application/msgpack", "words", "give the body as bytes"),
        ("application/vnd.acme", {"a": 1}, "give the body as bytes, or set the media type of JSON values"),
    ],
)
def test_a_body_that_the_media_type_does_not_say_is_refused_at_start_up(
    media_type: str, written: Any, fix: str
) -> None:
    class Wrong(Xml):
        def write(self, public: Public) -> Any:
            return written

    with pytest.raises(ConfigurationError) as refused:
        ErrorHandler(Config(dialect=Wrong(media_type=media_type)))
    assert f"write() gives {type(written).__name__} under media_type {media_type!r}; {fix}" in str(refused.value)


def test_an_upstream_that_speaks_xml_is_read() -> None:
    error = upstream_error(404, {}, b"<Error code='gone_away'><Message>No.</Message></Error>", dialect=Xml())
    assert (error.context["upstream"]["code"], error.context["upstream"]["message"]) == ("gone_away", "No.")
    assert upstream_error(500, {}, b"\xff\xfe", dialect=Xml()).context["upstream"]["code"] == "internal"


def test_generated_files_hold_text() -> None:
    catalog, options = Catalog([]), Options(title="T")
    (envoys,) = yaml.safe_load(envoy(catalog, Xml(), options)["errorkit.envoy.yaml"])["local_reply_config"]["mappers"][
        :1
    ]
    form = envoys["body_format_override"]
    assert form["content_type"] == "application/xml"
    assert form["text_format_source"]["inline_string"].startswith('<Error code="bad_request">')
    assert "%RESP(x-request-id)%</RequestId>" in form["text_format_source"]["inline_string"]
    for write in (nginx, caddy):
        assert '<Error code="not_found">' in "".join(write(catalog, Xml(), options).values())
    assert (body_schema(Xml()), body_schema(Packed())) == ({"type": "string"}, {"type": "string", "format": "binary"})
    with pytest.raises(ValueError, match="sends application/xml; generated clients read JSON"):
        model(catalog, Xml(), options)
    with pytest.raises(ValueError, match="sends bytes, which a gateway's file cannot hold"):
        nginx(catalog, Packed(), options)


def test_an_openapi_document_shows_text_as_a_string() -> None:
    document = {
        "openapi": "3.1.0",
        "info": {"title": "T", "version": "1"},
        "paths": {
            "/a/{id}": {"get": {"parameters": [{"name": "id", "in": "path", "required": True}], "responses": {}}}
        },
    }
    told = json.dumps(described(document, Catalog([]), lambda _: Forms((Xml(),)), Options(title="T")))
    assert '"application/xml"' in told
    assert "<Error code=" in told.replace('\\"', '"')


class Located(Plain):
    sees_request = True

    def write(self, public: Public) -> str:
        request = public.request
        return "-" if request is None else f"{request.method} {request.path} {request.accept}"

    def headers(self, public: Public) -> dict[str, str]:
        return {**super().headers(public), "X-Path": public.request.path if public.request else "-"}


def test_a_dialect_that_asks_is_told_of_each_request_what_its_client_has_sent() -> None:
    client = client_of(Located())
    for path in ("/absent", "/nowhere", "/absent", "/said"):
        response = client.get(path, params={"token": "secret"}, headers={"Accept": "text/plain", "Authorization": "s"})
        assert response.text == f"GET {path} text/plain"
        assert response.headers["x-path"] == path
    assert client.post("/absent", headers={"Accept": "a" * 9000}).text.startswith("POST /absent aaaa")
    assert len(client.post("/absent", headers={"Accept": "a" * 9000}).content) < 2100


def test_a_dialect_that_does_not_ask_is_told_nothing() -> None:
    class Unasked(Located):
        sees_request = False

    client = client_of(Unasked())
    assert [client.get("/absent").text for _ in range(3)] == ["-", "-", "-"]
