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
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.websockets import WebSocket
from werkzeug.exceptions import NotFound

from driving import asgi, failures, wsgi
from errorkit import Catalog, Dialect, errors
from errorkit.asgi import ErrorMiddleware as ASGIMiddleware
from errorkit.default_bodies import Default
from errorkit.dialects.problem import Problem
from errorkit.encoding import encode_string
from errorkit.events import last_resort
from errorkit.fastapi import install
from errorkit.flask import ErrorKit
from errorkit.normalisation import recognise
from errorkit.starlette import install as install_starlette
from errorkit.tenancy import shown_class
from errorkit.validation import details_of
from errorkit.wsgi import ErrorMiddleware as WSGIMiddleware

# -- FastAPI's HTTPException takes anything as its detail


@pytest.mark.parametrize(
    ("status", "detail", "expected"),
    [
        (409, {"message": "Taken.", "hint": "a", "status": 200}, {"detail": "Taken.", "hint": "a", "status": 409}),
        (409, {"message": 5}, {"detail": "The request conflicts with the current state of the resource."}),
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
    assert failures(log)[0]["error"] == "503: db at 10.0.0.1 is down"


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
        (
            404,
            b"text/html",
            b"<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n<p>No such thing.</p>\n",
            Default("No such thing."),
        ),
        (404, b"text/html", b"<title>404 Not Found</title>", None),
        (
            404,
            b"text/html",
            b"<!doctype html><html><head><title>404 - Page not found | ACME</title></head></html>",
            None,
        ),
        (404, b"text/html", b"<title>500 Oh</title>", None),
        (404, b"text/plain", b"y" * 9000, None),
        (
            422,
            b"application/json",
            b'{"detail": [{"loc": ["body", "a"], "type": "missing", "msg": "m", "input": "secret"}]}',
            Default(findings=({"loc": ["body", "a"], "type": "missing", "msg": "m", "input": "secret"},)),
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
    assert odd[0].path == ()


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


def test_flask_answers_by_itself_under_an_opted_out_prefix(log: list[dict[str, Any]]) -> None:
    """Its pages, its crashes, of errorkit's own errors, too; the event takes the place of its log line."""
    app = Flask("legacy")
    ErrorKit(app, dialect={"/": "openai", "/legacy": None})

    @app.get("/legacy/<what>")
    def legacy(what: str) -> Any:
        if what == "abort":
            abort(410)
        raise {"ours": errors.ConflictError(), "crash": RuntimeError("theirs")}[what]

    assert wsgi(app, path="/legacy/abort").header("content-type") == "text/html; charset=utf-8"
    for what in ("ours", "crash"):
        assert wsgi(app, path=f"/legacy/{what}").body.startswith(b"<!doctype html>")
    told = [(event["status"], event["code"], event.get("reason")) for event in failures(log)]
    assert told == [(410, "gone", None), (500, "internal", "unhandled"), (500, "internal", "unhandled")]


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

    monkeypatch.setattr(logging.Logger, "handle", broken)
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


# -- when errorkit itself fails


class Liar(Problem):
    """A dialect that says it copies the message, and does not."""

    def write(self, public: Any) -> Any:
        return {**super().write(public), "detail": public.message.upper()}


def test_a_dialect_that_does_not_copy_what_it_says_is_written_whole() -> None:
    """What is spliced is compared with what is written before it is trusted."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise errors.ConflictError(scope["path"])

    covered = ASGIMiddleware(app, dialect=Liar())
    assert [asgi(covered, path=path).json()["detail"] for path in ("/a", "/b")] == ["/A", "/B"]


def test_a_prefix_that_nobody_chose_is_left_alone() -> None:
    """`{"/v1": "openai"}` covers `/v1` alone."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise errors.ConflictError

    covered = ASGIMiddleware(app, dialect={"/v1": "openai"})
    assert asgi(covered, path="/v1/x").status == 409
    assert isinstance(asgi(covered, path="/other").raised, errors.ConflictError)


def test_development_has_nothing_to_add_where_nothing_was_raised() -> None:
    """A default body that is put into the dialect has no traceback."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-length", b"0")]
        await send({"type": "http.response.start", "status": 404, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    reply = asgi(ASGIMiddleware(app, development=True))
    assert (reply.status, "debug" in reply.json()) == (404, False)


def _breaking(*_arguments: Any, **_keywords: Any) -> Any:
    raise OSError("a part of errorkit failed")


def test_a_default_body_gets_its_status_even_where_it_cannot_be_presented(monkeypatch: pytest.MonkeyPatch) -> None:
    """The body that was prepared at start-up, for the status that was there."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-length", b"0")]
        await send({"type": "http.response.start", "status": 410, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    covered = ASGIMiddleware(app)
    monkeypatch.setattr("errorkit.presentation.Presenter.public", _breaking)
    reply = asgi(covered)
    assert (reply.status, reply.json()["code"]) == (410, "gone")


def test_an_answer_survives_without_any_header_field_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """What makes header fields fails everywhere."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise errors.AuthenticationError

    covered = ASGIMiddleware(app)
    for module in ("header_fields", "rendering"):
        monkeypatch.setattr(f"errorkit.{module}.raw_header", _breaking)
    reply = asgi(covered)
    assert (reply.status, reply.json()["code"]) == (401, "unauthenticated")


def test_a_broken_stream_is_recorded_even_where_it_cannot_be_described(
    monkeypatch: pytest.MonkeyPatch, log: list[dict[str, Any]]
) -> None:
    """The exception goes on as it is; the event says 500."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"a", "more_body": True})
        raise errors.ConflictError

    covered = ASGIMiddleware(app)
    monkeypatch.setattr("errorkit.identification.Identifier.identify", _breaking)
    assert isinstance(asgi(covered).raised, errors.ConflictError)
    assert [(event["outcome"], event["status"]) for event in failures(log)] == [("aborted", 500)]


def test_a_start_up_line_that_cannot_be_written_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The application starts all the same."""
    monkeypatch.setattr("errorkit.events.EventLog.announce", _breaking)
    app = FastAPI()
    install(app)
    assert asgi(app).status == 404


def test_fresh_exception_classes_fill_no_table() -> None:
    """A service that makes classes does not grow."""
    from errorkit.config import Config
    from errorkit.handler import ErrorHandler

    identifier = ErrorHandler(Config()).identifier
    for number in range(1100):
        assert not identifier.handles(type(f"E{number}", (Exception,), {})())
    assert len(identifier._translator_of) < 1100


def test_a_denial_of_the_applications_own_passes_the_guard() -> None:
    """Starlette's `send_denial_response`, with the id and without a second envelope."""

    async def deny(socket: WebSocket) -> None:
        await socket.send_denial_response(PlainTextResponse("mine", 418))

    app = Starlette(routes=[WebSocketRoute("/", deny)])
    install_starlette(app)
    with pytest.raises(WebSocketDenialResponse) as caught, TestClient(app).websocket_connect("/"):
        pass
    assert (caught.value.status_code, caught.value.text) == (418, "mine")
    assert len(caught.value.headers["x-request-id"]) == 32


class Bloated(Problem):
    """A dialect that writes more than is ever sent, whatever it is given."""

    def write(self, public: Any) -> Any:
        return {**super().write(public), "padding": "x" * 70_000}


def test_a_dialects_own_bloat_is_sent_as_it_is_written() -> None:
    """The limit cuts what authors bring; what a dialect adds to everything is its author's decision."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/stream":
            headers = [(b"content-type", b"text/event-stream")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True})
        raise errors.ConflictError("m" * 70_000, hint=["h"] * 50)

    covered = ASGIMiddleware(app, dialect=Bloated())
    body = asgi(covered).json()
    assert (len(body["padding"]), len(body["detail"]) < 200, "hint" in body) == (70_000, True, False)
    assert b"padding" in asgi(covered, path="/stream").body


def test_a_long_last_event_is_cut_as_a_body_is() -> None:
    """A stream's error is bounded, too."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True})
        raise errors.ConflictError("m", **{f"member{n}": "v" * 8000 for n in range(40)})

    body = asgi(ASGIMiddleware(app)).body
    assert len(body) < 70_000
    assert b"truncated" in body


class DemandingNotFound(errors.NotFoundError):
    """Overrides the standard error, and cannot be made without a word."""

    code = "not_found"

    def __init__(self, resource: str) -> None:
        super().__init__(f"There is no {resource}.")


class DemandingInternal(errors.InternalError):
    """The same for crashes."""

    code = "internal"

    def __init__(self, *, shard: int) -> None:
        super().__init__(context={"shard": shard})


def test_a_class_that_asks_for_more_still_answers_for_a_framework(
    log: list[dict[str, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    """A framework's own 404 and a crash have no word for its constructor: they are answered all the same, not degraded."""
    catalog = Catalog([DemandingNotFound, DemandingInternal])
    fast, flask = FastAPI(), Flask("demanding")
    install(fast, catalog=catalog)
    ErrorKit(flask, catalog=catalog)

    @fast.get("/crash")
    def crash() -> None:
        raise RuntimeError

    @fast.get("/own")
    def own() -> None:
        raise DemandingNotFound("boat")

    @flask.get("/aborted")
    def aborted() -> None:
        abort(404)

    for reply, status in (
        (asgi(fast, path="/nowhere"), 404),
        (asgi(fast, path="/crash"), 500),
        (wsgi(flask, path="/aborted"), 404),
        (wsgi(WSGIMiddleware(flask_default, catalog=catalog), path="/nowhere"), 404),
    ):
        assert reply.status == status
    assert asgi(fast, path="/own").json()["detail"] == "There is no boat."
    assert [event["code"] for event in failures(log)] == [
        "not_found",
        "internal",
        "not_found",
        "not_found",
        "not_found",
    ]
    assert "simplified" not in caplog.text


def flask_default(environ: Any, start_response: Any) -> Any:
    """A bare application's default 404."""
    body = b"Not Found"
    start_response("404 Not Found", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]


def test_an_os_error_of_a_middlewares_own_is_no_departure(log: list[dict[str, Any]]) -> None:
    """A middleware's `send` that fails while an error is answered through it: the service has crashed, and says so."""

    class Full:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            async def to_disk(message: Any) -> None:
                raise OSError("no space left on device")

            await self.app(scope, receive, to_disk if scope["type"] == "http" else send)

    app = FastAPI()
    app.add_middleware(Full)
    install(app)
    reply = asgi(app, path="/nowhere")
    assert (reply.status, reply.json()["code"]) == (500, "internal")
    (event,) = failures(log)
    assert "no space left" in event["error"]


@pytest.mark.parametrize("edge", [True, False])
def test_a_last_event_that_cannot_be_sent(edge: bool, log: list[dict[str, Any]]) -> None:
    """The client has left before it, or a middleware has failed over it: the stream's own failure is what is told."""

    async def stream(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True})
        raise ZeroDivisionError

    covered: Any = ASGIMiddleware(stream, dialect="openai")
    outermost = covered if edge else ASGIMiddleware(covered, dialect="problem")
    sent: list[Any] = []

    async def send(message: Any) -> None:
        if message.get("more_body") is False:
            raise OSError("connection lost")
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.disconnect"}

    scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
    asyncio.run(outermost(scope, receive, send))
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    (event,) = failures(log)
    assert event["outcome"] == "stream_error"


def test_a_wsgi_applications_own_id_stands() -> None:
    """One request has one ID: the one that the application has given it (F-29)."""

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [("x-request-id", "theirs"), ("Content-Type", "text/plain")])
        return [b"ok"]

    reply = wsgi(WSGIMiddleware(app), headers=[("X-Request-ID", "ours-1")])
    assert [value for name, value in reply.headers if name.lower() == "x-request-id"] == ["theirs"]


def test_a_default_body_is_negotiated_as_an_exception_is() -> None:
    """A client that asks for problem details gets them for a framework's own 404, too."""
    app = WSGIMiddleware(flask_default, dialect="openai", negotiate=True)
    reply = wsgi(app, headers=[("Accept", "application/problem+json")])
    assert (reply.status, reply.header("content-type")) == (404, "application/problem+json")


def test_a_span_that_cannot_be_told_harms_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The client has its answer, the operator a line."""

    def app(environ: Any, start_response: Any) -> Any:
        raise RuntimeError

    monkeypatch.setattr("errorkit.telemetry.present", lambda _span: True)
    monkeypatch.setattr("errorkit.telemetry.annotate", _breaking)
    assert wsgi(WSGIMiddleware(app)).status == 500
    assert "a span could not be annotated" in caplog.text


def test_flasks_rule_is_known_behind_a_middleware_that_copies_environ(log: list[dict[str, Any]]) -> None:
    """Flask then has another environ than errorkit."""
    flask = Flask("copied")

    @flask.get("/things/<name>")
    def thing(name: str) -> None:
        abort(409)

    inner = flask.wsgi_app
    flask.wsgi_app = lambda environ, start_response: inner({**environ}, start_response)  # type: ignore[method-assign]
    ErrorKit(flask)
    assert wsgi(flask, path="/things/one").status == 409
    (event,) = failures(log)
    assert event["route"] == "/things/<name>"
