"""Corners that few requests ever see, and that must hold all the same."""

from __future__ import annotations

import asyncio
import io
import logging
import subprocess
import sys
from typing import Any

import pytest
from fastapi import FastAPI, HTTPException
from flask import Flask, abort
from flask import Response as FlaskResponse
from flask import request as flask_request
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from werkzeug.exceptions import NotFound

from driving import asgi, failures, wsgi
from errorkit import Dialect, errors
from errorkit.asgi import ErrorMiddleware as ASGIMiddleware
from errorkit.dialects.problem import Problem
from errorkit.encoding import encode_string
from errorkit.events import last_resort
from errorkit.fastapi import install
from errorkit.flask import ErrorKit
from errorkit.normalisation import Default, recognise
from errorkit.starlette import install as install_starlette
from errorkit.tenancy import shown_class
from errorkit.validation import details_of
from errorkit.wsgi import ErrorMiddleware as WSGIMiddleware

# -- FastAPI's HTTPException takes anything as its detail


@pytest.mark.parametrize(
    ("status", "detail", "expected"),
    [
        (409, {"message": "Taken.", "hint": "a", "status": 200}, {"detail": "Taken.", "hint": "a", "status": 409}),
        (409, {"hint": "a"}, {"detail": "The request conflicts with the current state of the resource.", "hint": "a"}),
        (409, ["a", "b"], {"detail_value": ["a", "b"]}),
        (409, None, {"detail": "The request conflicts with the current state of the resource."}),
        (409, "Conflict", {"detail": "The request conflicts with the current state of the resource."}),
        (700, "x", {"status": 500, "code": "internal"}),
    ],
)
def test_an_http_exceptions_detail_is_kept_where_it_has_a_place(status: int, detail: Any, expected: Any) -> None:
    """Text is the message; a mapping's members are public; the rest is a member; no status outside of 400..599."""
    app = FastAPI()
    install(app)

    @app.get("/")
    def endpoint() -> None:
        raise HTTPException(status, detail)

    body = asgi(app).json()
    assert {name: body.get(name) for name in expected} == expected


def test_the_words_of_a_5xx_stay_in_the_log(log: list[dict[str, Any]]) -> None:
    """`HTTPException(500, str(error))` is a habit that must not leak."""
    app = FastAPI()
    install(app)

    @app.get("/")
    def endpoint() -> None:
        raise HTTPException(503, "db at 10.0.0.1 is down")

    assert "10.0.0.1" not in asgi(app).body.decode()
    assert failures(log)[0]["context"] == {"detail": "db at 10.0.0.1 is down"}


# -- what is a default body


@pytest.mark.parametrize(
    ("status", "media_type", "body", "found"),
    [
        (404, b"text/plain", b"\xff\xfe", None),
        (404, b"text/plain", b"x" * 600, None),
        (404, b"text/plain", b"a\nb", None),
        (404, b"", b"Not Found", Default()),
        (404, b"application/json", b"{", None),
        (404, b"application/json", b'{"detail": null}', Default()),
        (404, b"application/json", b'{"detail": {"a": 1}}', None),
        (404, b"application/json", b'{"detail": []}', None),
        (404, b"application/json", b'{"error": "x"}', None),
        (404, b"image/png", b"x", None),
        (404, b"text/html", b"<title>404 Not Found</title>", Default()),
        (404, b"text/html", b"<title>500 Oh</title>", None),
        (404, b"text/plain", b"y" * 9000, None),
        (
            422,
            b"application/json",
            b'{"detail": [{"loc": ["body", "a"], "type": "missing", "msg": "m", "input": "secret"}]}',
            Default(findings=({"loc": ["body", "a"], "type": "missing", "msg": "m"},)),
        ),
    ],
)
def test_a_default_body_is_recognised_and_nothing_else(
    status: int, media_type: bytes, body: bytes, found: Default | None
) -> None:
    """Somebody's own shape is never mistaken for a framework's."""
    assert recognise(status, [(b"content-type", media_type)], body, "framework") == found


def test_findings_that_another_fastapi_rendered_are_put_into_the_dialect() -> None:
    """An application behind the generic middleware: its 422 becomes findings, without the submitted value."""
    inner = FastAPI()

    @inner.get("/")
    def endpoint(number: int) -> None: ...

    reply = asgi(ASGIMiddleware(inner, dialect="kaplaix"), path="/?number=secret")
    assert reply.json()["error"]["details"] == [
        {
            "path": ["number"],
            "message": "Input should be a valid integer, unable to parse string as an integer",
            "code": "invalid_type",
        }
    ]
    assert b"secret" not in reply.body


def test_findings_are_bounded() -> None:
    """A list of a million wrong items is not answered item by item."""
    errors_ = ({"loc": ("body", n), "type": "int_type", "msg": "m"} for n in range(1000))
    assert len(details_of(errors_, field_codes={}, limit=100)) == 100
    odd = details_of([{"loc": (1.5,), "type": "int_type", "msg": "m"}], field_codes={})
    assert odd[0].path == ("1.5",)


# -- handlers and prefixes


def test_a_synchronous_handler_of_the_user_runs_in_a_thread_and_wins() -> None:
    """As Starlette runs it."""

    def mine(request: Any, exception: Exception) -> Response:
        return PlainTextResponse("mine", 400)

    app = Starlette(routes=[Route("/", _raise_value_error)], exception_handlers={ValueError: mine, 404: mine})
    install_starlette(app)
    assert asgi(app).body == b"mine"
    assert asgi(app, path="/none").body == b"mine"


async def _raise_value_error(request: Any) -> Response:
    raise ValueError


def test_a_mount_under_an_opted_out_prefix_answers_by_itself() -> None:
    """Also what its middlewares raise: the framework's own answer, and the exception goes on."""

    class Raising:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            raise KeyError

    sub = Starlette()
    sub.add_middleware(Raising)  # type: ignore[arg-type]
    app = Starlette(routes=[Mount("/legacy", sub), Mount("/new", sub)])
    install_starlette(app, dialect={"/": "openai", "/legacy": None})
    reply = asgi(app, path="/legacy/x")
    assert (reply.status, reply.body, type(reply.raised)) == (500, b"Internal Server Error", KeyError)
    reply = asgi(app, path="/new/x")
    assert (reply.status, reply.json()["error"]["code"], reply.raised) == (500, "internal", None)


def test_flask_answers_by_itself_under_an_opted_out_prefix(caplog: pytest.LogCaptureFixture) -> None:
    """Its pages, its crashes, its log line."""
    app = Flask("legacy")
    ErrorKit(app, dialect={"/": "openai", "/legacy": None})

    @app.get("/legacy/<what>")
    def legacy(what: str) -> Any:
        if what == "abort":
            abort(410)
        raise {"ours": errors.ConflictError(), "crash": RuntimeError("theirs")}[what]

    assert wsgi(app, path="/legacy/abort").header("content-type") == "text/html; charset=utf-8"
    for what in ("ours", "crash"):
        with caplog.at_level(logging.ERROR):
            assert wsgi(app, path=f"/legacy/{what}").body.startswith(b"<!doctype html>")
    assert any("Exception on /legacy/crash" in record.message for record in caplog.records)


def test_an_aborted_response_of_flask_is_left_alone() -> None:
    """An exception that brings its response is somebody's own answer, an empty one, too."""
    app = Flask("abort")
    ErrorKit(app)

    @app.get("/")
    def view() -> None:
        raise NotFound(response=FlaskResponse("", 404))

    assert wsgi(app).body == b""


def test_flask_tells_a_malformed_body_from_another_bad_request() -> None:
    """Only what the JSON parser refused is malformed JSON, whatever is the cause of a cause."""
    app = Flask("json")
    ErrorKit(app, dialect="openai")

    @app.post("/<what>")
    def view(what: str) -> Any:
        if what == "json":
            return flask_request.get_json()
        link: Exception = ValueError("0")
        for number in range(9):
            try:
                raise ValueError(str(number)) from link
            except ValueError as error:
                link = error
        try:
            raise link
        except ValueError:
            abort(400, "No.")

    headers = [("content-type", "application/json")]
    assert wsgi(app, "POST", "/json", headers, body=b"{").json()["error"]["code"] == "malformed_json"
    assert wsgi(app, "POST", "/other", headers, body=b"{}").json()["error"]["code"] == "bad_request"


# -- tenants


def test_an_error_that_hides_nothing_speaks_for_itself() -> None:
    """The rule names no class for it."""
    error = errors.ConflictError()
    assert shown_class(error, 404, errors.NotFoundError, errors.ForbiddenError) is None


# -- streams


class Silent(Problem):
    """A dialect without an event for streams that fail."""

    def stream_event(self, public: Any) -> None:
        return None


def test_without_an_event_of_its_own_a_dialect_aborts_the_stream(log: list[dict[str, Any]]) -> None:
    """ASGI and WSGI alike: cut, raised, recorded as aborted."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True})
        raise errors.ConflictError

    def site(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [("Content-Type", "text/event-stream")])
        yield b"data: 1\n\n"
        raise errors.ConflictError

    for reply in (asgi(ASGIMiddleware(app, dialect=Silent())), wsgi(WSGIMiddleware(site, dialect=Silent()))):
        assert (reply.body, type(reply.raised)) == (b"data: 1\n\n", errors.ConflictError)
    assert [event["outcome"] for event in failures(log)] == ["aborted", "aborted"]


@pytest.mark.parametrize("kind", ["http.response.pathsend", "http.response.zerocopysend"])
def test_an_error_page_sent_as_a_file_is_left_alone(kind: str) -> None:
    """Whoever sends a file has shaped the answer."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-type", b"text/plain"), (b"content-length", b"9")]
        await send({"type": "http.response.start", "status": 404, "headers": headers})
        await send({"type": kind, "path": "/nowhere"})

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message["type"])

    async def receive() -> Any:
        return {"type": "http.request"}

    scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
    asyncio.run(ASGIMiddleware(app)(scope, receive, send))
    assert sent == ["http.response.start", kind]


# -- the last line of defence


def test_where_even_logging_fails_standard_error_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """And where that is closed, nothing is raised."""

    def broken(*_: Any) -> None:
        raise OSError

    monkeypatch.setattr(logging.Logger, "error", broken)
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    last_resort("a test", ValueError("why"))
    assert "a test" in stream.getvalue()
    monkeypatch.setattr(sys, "stderr", None)
    last_resort("a test", ValueError("why"))


def test_the_package_is_a_command() -> None:
    """`python -m errorkit`."""
    done = subprocess.run([sys.executable, "-m", "errorkit", "--help"], capture_output=True, text=True, check=True)
    assert "preview" in done.stdout


def test_a_dialect_without_a_body_has_to_write_one() -> None:
    """The base class is no envelope."""
    with pytest.raises(NotImplementedError):
        Dialect().write(None)  # type: ignore[arg-type]
    with pytest.raises(NotImplementedError):
        Dialect().read(400, {}, None)


# -- what is rarely not there


def test_a_level_that_nobody_configured_is_the_default(log: list[dict[str, Any]]) -> None:
    """Overrides override what they name, and nothing else."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise errors.RateLimitError

    asgi(ASGIMiddleware(app, levels={"410": "debug"}))
    assert failures(log)[0]["log_level"] == "warning"


def test_lone_surrogates_are_replaced_in_spliced_strings() -> None:
    """Text from a file system may hold them; UTF-8 cannot."""
    assert encode_string('a\ud800"b') == b'a\xef\xbf\xbd\\"b'


def test_a_denial_that_is_no_error_has_no_event(log: list[dict[str, Any]]) -> None:
    """A redirected handshake."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.http.response.start", "status": 307, "headers": []})
        await send({"type": "websocket.http.response.body", "body": b""})

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    scope = {"type": "websocket", "path": "/", "headers": [], "extensions": {"websocket.http.response": {}}}
    asyncio.run(ASGIMiddleware(app)(scope, receive, send))
    assert (sent[0]["status"], failures(log)) == (307, [])


def test_a_starlette_without_tables_of_handlers_still_answers() -> None:
    """`starlette.exception_handlers` is Starlette's own: without it the guard answers all the same."""
    app = Starlette(routes=[Route("/", _raise_value_error)])
    install_starlette(app, dialect="openai")
    build = app.build_middleware_stack

    def without_layers() -> Any:
        build()  # puts the guard around the router

        async def serve(scope: Any, receive: Any, send: Any) -> None:
            await app.router(scope, receive, send)

        handler: Any = app.router.middleware_stack
        return ASGIMiddleware(serve, handler=handler.handler)

    app.build_middleware_stack = without_layers  # type: ignore[method-assign]
    assert asgi(app).json()["error"]["code"] == "internal"


def test_an_outermost_layer_of_somebody_elses_is_left_alone() -> None:
    """Whoever replaces Starlette's stack keeps theirs; what is inside is covered."""
    app = Starlette(routes=[Route("/", _raise_value_error)])
    build = app.build_middleware_stack

    def wrapped() -> Any:
        inner = build()

        async def theirs(scope: Any, receive: Any, send: Any) -> None:
            await inner(scope, receive, send)

        return theirs

    app.build_middleware_stack = wrapped  # type: ignore[method-assign]
    install_starlette(app, dialect="openai")
    assert asgi(app).json()["error"]["code"] == "internal"
