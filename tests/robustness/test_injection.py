"""Hostile ids, paths, header values and messages: no split header, no forged line, no markup."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Flask, abort, request
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from errorkit import ConflictError, RateLimit, RateLimitError
from errorkit.asgi import ErrorMiddleware
from errorkit.dialects import PRESETS
from errorkit.flask import ErrorKit
from errorkit.starlette import ErrorMiddleware as StarletteMiddleware
from errorkit.wsgi import ErrorMiddleware as WSGIMiddleware
from robustness.strict_asgi import http_scope, run, start_up
from robustness.strict_wsgi import serve

HOSTILE_IDS = {
    "crlf": b"a\r\nSet-Cookie: a=b",
    "nul": b"a\x00b",
    "100 kB": b"a" * 100_000,
    "129": b"a" * 129,
    "latin-1": b"caf\xe9",
    "invalid utf-8": b"\xff\xfe",
    "ansi": b"\x1b[31mred",
    "c1": b"\x9b31m",
    "bidi": "\u202eabc".encode(),
    "space": b"a b",
    "key=value": b"id=1",
    "quotes": b"\"'",
    "markup": b"<script>",
    "empty": b"",
    "comma": b"a,b",
    "slash": b"../../etc",
}


@pytest.mark.parametrize("hostile", HOSTILE_IDS.values(), ids=HOSTILE_IDS)
@pytest.mark.parametrize("status", [200, 409])
def test_a_hostile_request_id_is_replaced_and_never_repeated(
    events: list[dict[str, Any]], hostile: bytes, status: int
) -> None:
    """ASGI: on success and on failure; not in header, body or log."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if status == 409:
            raise ConflictError("words")
        await PlainTextResponse("fine")(scope, receive, send)

    sent = run(ErrorMiddleware(app), http_scope(headers=[(b"x-request-id", hostile)])).sent
    assert sent.status == status
    assert len(sent.headers["x-request-id"]) == 32
    assert sent.headers["x-request-id"].isalnum()
    if len(hostile) > 3:
        assert hostile not in sent.body
        assert hostile.decode("latin-1") not in json.dumps(events, ensure_ascii=False)
    assert "set-cookie" not in sent.headers


@pytest.mark.parametrize("hostile", HOSTILE_IDS.values(), ids=HOSTILE_IDS)
def test_a_hostile_request_id_is_replaced_in_wsgi(events: list[dict[str, Any]], hostile: bytes) -> None:
    """PEP 3333 gives header values as latin-1 text."""

    def app(environ: Any, start_response: Any) -> Any:
        raise ConflictError("words")

    answer = serve(WSGIMiddleware(app), headers={"X-Request-ID": hostile.decode("latin-1")})
    assert answer.status == 409
    assert len(answer.headers["x-request-id"]) == 32
    assert answer.headers["x-request-id"].isalnum()


def test_only_the_first_of_several_ids_counts() -> None:
    """Repeated header fields do not get a second chance."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise ConflictError("words")

    headers = [(b"x-request-id", b"bad one"), (b"x-request-id", b"good-one")]
    assert run(ErrorMiddleware(app), http_scope(headers=headers)).sent.headers["x-request-id"] != "good-one"


TEXT = {
    "crlf": "a\r\nSet-Cookie: a=b\r\n\r\n<html>",
    "nul": "a\x00b",
    "ansi": "\x1b]0;title\x07\x1b[2J",
    "100 kB": "x" * 100_000,
    "markup": "</script><script>alert(1)</script>",
    "surrogate": "\udcff",
    "unicode": "名前 \u202e",
}


@pytest.mark.parametrize("hostile", TEXT.values(), ids=TEXT)
@pytest.mark.parametrize("dialect", PRESETS)
def test_hostile_text_splits_no_header(events: list[dict[str, Any]], hostile: str, dialect: str) -> None:
    """Names and values an author takes from a request: illegal fields are dropped, the rest is sent."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise RateLimitError(
            hostile,
            param=hostile,
            retry_after=3,
            headers={"X-Hostile": hostile, hostile: "x", "X-Fine": "kept", "Content-Length": "0"},
            rate_limit=RateLimit(limit=1, remaining=0, reset=3, policy=hostile),
        )

    result = run(ErrorMiddleware(app, dialect=dialect), http_scope(path="/" + hostile))
    sent = result.sent  # the strict server has refused every illegal field
    assert (sent.status, result.escaped) == (429, None)
    assert sent.headers["x-fine"] == "kept"
    assert sent.headers["content-length"] == str(len(sent.body))
    assert "set-cookie" not in sent.headers
    assert "\n" not in events[0]["path"] + events[0]["error"]
    assert "\x1b" not in json.dumps(events, ensure_ascii=False)


@pytest.mark.parametrize("accept", [b"text/html", b"text/html;q=1, */*;q=0"])
@pytest.mark.parametrize("dialect", PRESETS)
def test_reflected_markup_is_json_whatever_the_client_accepts(accept: bytes, dialect: str) -> None:
    """A JSON type and `nosniff`: a browser never takes the body for a page."""

    async def endpoint(request: Any) -> Any:
        raise HTTPException(404, f"no page {request.path_params['name']}")

    app = Starlette(
        routes=[Route("/{name:path}", endpoint)], middleware=[Middleware(StarletteMiddleware, dialect=dialect)]
    )
    start_up(app)
    sent = run(app, http_scope("/<script>alert(1)</script>", headers=[(b"accept", accept)])).sent
    assert sent.status == 404
    assert "json" in sent.headers["content-type"]
    assert sent.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("hostile", [TEXT["crlf"], TEXT["markup"], TEXT["nul"]])
def test_flask_reflects_hostile_text_as_json_only(events: list[dict[str, Any]], hostile: str) -> None:
    """werkzeug's description is HTML in its own page; here it is a JSON string."""
    app = Flask(__name__)

    @app.get("/")
    def view() -> Any:
        abort(400, description=request.headers.get("X-Echo"))

    ErrorKit(app, dialect="openai")
    answer = serve(app, headers={"X-Echo": hostile.replace("\r\n", " ")})
    assert answer.status == 400
    assert answer.headers["content-type"] == "application/json"
    assert json.loads(answer.body)["error"]["message"] == hostile.replace("\r\n", " ")
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_header_of_a_normalised_answer_cannot_split() -> None:
    """Fields of somebody else's default answer are checked before they are sent again."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = [
            (b"content-length", b"9"),
            (b"content-type", b"text/plain"),
            (b"x-bad", b"a\r\nset-cookie: a=b"),
            (b"bad name", b"x"),
            (b"x-good", b"1"),
        ]
        await send({"type": "http.response.start", "status": 404, "headers": headers})
        await send({"type": "http.response.body", "body": b"Not Found"})

    sent = run(ErrorMiddleware(app)).sent
    assert sent.status == 404
    assert sent.headers["x-good"] == "1"
    assert not {"set-cookie", "x-bad", "bad name"} & set(sent.headers)


def test_a_reason_of_a_websocket_is_bounded() -> None:
    """RFC 6455 5.5: at most 123 bytes, no torn character."""
    from errorkit.asgi.websocket import reason

    assert len(reason("名" * 100).encode()) <= 123
    assert reason("名" * 100) == "名" * 41
    assert reason("\ud800abc").endswith("abc")


def test_of_two_request_ids_neither_is_believed() -> None:
    """A proxy that adds its own leaves the client's before it; WSGI servers join the two."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise ConflictError

    both = [(b"x-request-id", b"client"), (b"x-request-id", b"proxy")]
    sent = run(ErrorMiddleware(app), http_scope(headers=both)).sent
    assert sent.headers["x-request-id"] not in ("client", "proxy", "")
    assert run(ErrorMiddleware(app), http_scope(headers=both[:1])).sent.headers["x-request-id"] == "client"
