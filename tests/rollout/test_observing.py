"""`observe`: the bare application's bytes, with a request ID, and an event for each failure. Twins on every adapter."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import flask
import pytest
from fastapi import FastAPI, WebSocket
from flask import Flask
from starlette.applications import Starlette
from starlette.exceptions import HTTPException, WebSocketException
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect
from werkzeug.exceptions import HTTPException as WerkzeugException

import errorkit.asgi
import errorkit.fastapi
import errorkit.starlette
import errorkit.wsgi
from driving import Reply, asgi, failures, wsgi
from errorkit import ConflictError
from errorkit.choosing import by_header
from errorkit.flask import ErrorKit
from rollout.five_adapters import FIVE, Ask

five = pytest.mark.parametrize("build", FIVE.values(), ids=FIVE)
ID = ("x-request-id",)

GETS = [
    (path, "GET", b"") for path in ("/fine", "/crash", "/page", "/own", "/stream", "/teapot", "/nowhere", "/limited")
]
CALLS = [
    *GETS,
    ("/nowhere", "HEAD", b""),
    ("/fine", "DELETE", b""),
    ("/json", "POST", b"{"),
    ("/read", "POST", b"\xff"),
]


def said(reply: Reply) -> Any:
    """All but the request ID, exceptions by what they are."""
    headers = sorted((name.lower(), value) for name, value in reply.headers if name.lower() not in ID)
    return reply.status, headers, reply.body, reply.complete, repr(reply.raised)


@five
@pytest.mark.parametrize(("path", "method", "body"), CALLS)
@pytest.mark.parametrize("prefix", ["", "/old"])
def test_what_is_observed_is_as_without_errorkit(
    build: Callable[..., Ask], path: str, method: str, body: bytes, prefix: str, log: list[dict[str, Any]]
) -> None:
    """Status, fields, bytes, and what is raised; one event for each failure, with the id of the response."""
    json_fields = [("Content-Type", "application/json")] if body else []
    bare = build(None)(prefix + path, json_fields, method, body)
    spoken: Any = {"/old": "observe", "/": "openai"} if prefix else "observe"
    settings = {"dialect": spoken, "exceptions": {KeyError: "not_found"}, "adopt": ["openai"], "normalise": "all"}
    reply = build(settings)(prefix + path, json_fields, method, body)
    assert said(reply) == said(bare)
    events = failures(log)
    broken = reply.status >= 400 or reply.raised is not None
    assert len(events) == broken
    for event in events:
        assert reply.status == 0 or reply.header("x-request-id") == event["request_id"]
        if path != "/stream":
            assert event["status"] == (reply.status if reply.status >= 400 else 500)
            assert event.get("reason") == ("unhandled" if event["status"] == 500 else None)


@five
@pytest.mark.parametrize("path", ["/nowhere", "/own", "/page"])
def test_the_event_says_why_the_body_is_left(build: Callable[..., Ask], path: str, log: list[dict[str, Any]]) -> None:
    build({"dialect": "observe"})(path)
    (event,) = failures(log)
    assert event["left"] == "the path is observed"
    assert event["answered_by"]


@five
def test_the_event_of_a_crash_has_its_exception(build: Callable[..., Ask], log: list[dict[str, Any]]) -> None:
    """Answered by the framework, or by the server."""
    build({"dialect": "observe"})("/crash")
    (event,) = failures(log)
    told = {name: event.get(name) for name in ("code", "status", "reason", "exception_type", "log_level")}
    assert told == {
        "code": "internal", "status": 500, "reason": "unhandled", "exception_type": "builtins.KeyError", "log_level": "error"
    }  # fmt: skip
    assert "five_adapters" in event["exception"]


@five
@pytest.mark.parametrize(("spoken", "name"), [("observe", "problem"), ({"/": "openai", "/old": "observe"}, "openai")])
def test_an_error_of_errorkits_own_has_no_bare_form(
    build: Callable[..., Ask], spoken: Any, name: str, log: list[dict[str, Any]]
) -> None:
    """It is said in the service's dialect: that of the shortest prefix which has one, else problem details."""
    reply = build({"dialect": spoken})("/old/refused")
    assert (reply.status, "error" in reply.json()) == (409, name == "openai")
    (event,) = failures(log)
    assert (event["code"], event.get("answered_by")) == ("conflict", None)


@five
def test_where_nothing_is_spoken_errorkits_own_errors_are_crashes(
    build: Callable[..., Ask], log: list[dict[str, Any]]
) -> None:
    """As for a framework that does not know them; all else is observed."""
    ask = build({"dialect": {"/old": None, "/": "openai"}})
    bare = build(None)("/old/refused")
    reply = ask("/old/refused")
    assert said(reply) == said(bare)
    (event,) = failures(log)
    assert (event["code"], event["status"], event["reason"]) == ("internal", 500, "unhandled")
    assert said(ask("/old/stream?refuse")) == said(build(None)("/old/stream?refuse"))
    assert ask("/refused").status == 409


@five
def test_other_prefixes_are_not_observed(build: Callable[..., Ask]) -> None:
    ask = build({"dialect": {"/old": "observe", "/": "openai"}})
    assert "error" in ask("/nowhere").json()
    assert ask("/oldest").json()["error"]["code"] == "not_found"
    assert ask("/old/nowhere").body == build(None)("/old/nowhere").body


@five
def test_old_clients_keep_what_the_application_says(build: Callable[..., Ask]) -> None:
    """A chooser may choose to observe: new clients get the dialect. `Vary` is on both, and on nothing else."""
    ask = build({"dialect": by_header("API-Version", {"2": "problem"}, default="observe")})
    old, new, bare = ask("/nowhere"), ask("/nowhere", [("API-Version", "2")]), build(None)("/nowhere")
    assert old.body == bare.body
    assert (new.header("content-type"), new.json()["code"]) == ("application/problem+json", "not_found")
    assert old.header("vary") == new.header("vary") == "API-Version"
    assert ask("/fine").header("vary") is None
    crash, said = build(None)("/crash"), ask("/crash", [("API-Version", "2")])
    assert (said.status, said.raised) == (500, None)
    assert ask("/crash").body == crash.body
    assert repr(ask("/crash").raised) == repr(crash.raised)


@five
@pytest.mark.parametrize("spoken", ["observe", {"/old": "observe", "/": "openai"}])
def test_accept_decides_nothing_about_what_is_observed(build: Callable[..., Ask], spoken: Any) -> None:
    """Neither body nor `Vary`, whatever else is set; of an error of errorkit's own it does."""
    settings = {"dialect": spoken, "negotiate": True, "html": "application"}
    for accept in ("text/html", "application/problem+json", "*/*"):
        for path in ("/old/nowhere", "/old/own", "/old/page"):
            bare, reply = (build(each)(path, [("Accept", accept)]) for each in (None, settings))
            assert said(reply) == said(bare)
    reply = build(settings)("/old/refused", [("Accept", "text/html")])
    assert (reply.header("content-type"), reply.header("vary")) == ("text/html; charset=utf-8", "Accept")


@pytest.mark.parametrize("way", ["install", "first", "last"])
@pytest.mark.parametrize("kind", [Starlette, FastAPI])
@pytest.mark.parametrize("lifespan", [True, False])
@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize(
    "path", ["/http", "/key", "/mapped", "/group", "/late", "/inner/key", "/inner/none", "/mid", "/midhttp", "/bg"]
)
def test_handlers_and_middlewares_see_what_they_saw(
    way: str, kind: Any, lifespan: bool, debug: bool, path: str, log: list[dict[str, Any]]
) -> None:
    """The user's handlers, the debug page, mounted applications, middlewares that fail; in any place of the stack."""
    adapter = errorkit.fastapi if kind is FastAPI else errorkit.starlette
    settings: Any = {"dialect": "observe", "exceptions": {ZeroDivisionError: "conflict"}}
    seen: dict[str, list[str]] = {"bare": [], "observed": []}
    twins = {}
    for name in seen:
        app = kind(routes=_routes(), debug=debug)
        app.add_exception_handler(LookupError, lambda request, error: PlainTextResponse("looked up", 410))
        if way == "first" and name == "observed":
            app.add_middleware(adapter.ErrorMiddleware, **settings)
        app.add_middleware(BaseHTTPMiddleware, dispatch=_dispatch(seen[name]))
        app.add_middleware(CORSMiddleware, allow_origins=["https://a.example"])
        if name == "observed" and way != "first":
            if way == "last":
                app.add_middleware(adapter.ErrorMiddleware, **settings)
            else:
                adapter.install(app, **settings)
        headers = [("origin", "https://a.example")]
        twins[name] = asgi(app, "GET", path, headers, lifespan=lifespan)
    bare, observed = said(twins["bare"]), said(twins["observed"])
    if b"Traceback" in twins["bare"].body:  # frames of errorkit's, too, are on the page
        assert (observed[0], observed[3:]) == (bare[0], bare[3:])
        assert b"Traceback" in twins["observed"].body
    else:
        assert observed == bare
    assert seen["observed"] == seen["bare"]
    refused_before = (way, kind, lifespan) == ("first", Starlette, False) and path.startswith("/mid")
    assert len(failures(log)) == (not refused_before)


def _routes() -> list[Any]:
    def http(_: Request) -> Response:
        raise HTTPException(418, "Short.", headers={"X-Pot": "1"})

    def key(_: Request) -> Response:
        raise KeyError("x")

    def mapped(_: Request) -> Response:
        raise ZeroDivisionError("y")

    def group(_: Request) -> Response:
        raise ExceptionGroup("several", [ValueError("a")])

    class Late(Response):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"half", "more_body": True})
            raise HTTPException(409)

    def late(_: Request) -> Response:
        return Late()

    def background(_: Request) -> Response:
        from starlette.background import BackgroundTask

        def fails() -> None:
            raise ValueError("later")

        return PlainTextResponse("done", background=BackgroundTask(fails))

    inner = Starlette(routes=[Route("/key", key)])
    gets = {"http": http, "key": key, "mapped": mapped, "group": group, "late": late, "bg": background}
    return [*(Route(f"/{name}", endpoint) for name, endpoint in gets.items()), Mount("/inner", app=inner)]


def _dispatch(seen: list[str]) -> Any:
    async def dispatch(request: Request, call_next: Any) -> Response:
        if request.url.path == "/mid":
            raise ValueError("in the middle")
        if request.url.path == "/midhttp":
            raise HTTPException(403)
        try:
            response = await call_next(request)
        except Exception as error:
            seen.append(repr(error))
            raise
        seen.append(str(response.status_code))
        return response  # type: ignore[no-any-return]

    return dispatch


def _talk(app: Any, path: str) -> Any:
    """What a websocket's client hears, and what the server does."""
    client = TestClient(app)
    try:
        with client.websocket_connect(path) as socket:
            return [socket.receive_text(), socket.receive()]
    except WebSocketDenialResponse as denied:
        return denied.status_code, denied.content, "x-request-id" in denied.headers
    except WebSocketDisconnect as closed:
        return closed.code, closed.reason
    except Exception as raised:
        return repr(raised)


@pytest.mark.parametrize("path", ["/closes", "/refuses", "/denies", "/crashes", "/after", "/typed?n=x"])
@pytest.mark.parametrize("adapter", [errorkit.fastapi, errorkit.starlette, None])
def test_a_websocket_is_as_without_errorkit(path: str, adapter: Any, log: list[dict[str, Any]]) -> None:
    def build() -> FastAPI:
        app = FastAPI()

        @app.websocket("/closes")
        async def closes(socket: WebSocket) -> None:
            raise WebSocketException(3000, "full")

        @app.websocket("/refuses")
        async def refuses(socket: WebSocket) -> None:
            await socket.close(4001, "no")

        @app.websocket("/denies")
        async def denies(socket: WebSocket) -> None:
            raise HTTPException(403, "Members only.")

        @app.websocket("/crashes")
        async def crashes(socket: WebSocket) -> None:
            raise KeyError("x")

        @app.websocket("/after")
        async def after(socket: WebSocket) -> None:
            await socket.accept()
            await socket.send_text("hello")
            raise WebSocketException(1011, "broken")

        @app.websocket("/typed")
        async def typed(socket: WebSocket, n: int) -> None:
            await socket.accept()

        return app

    bare = _talk(build(), path)
    app = build()
    if adapter is None:
        observed = _talk(errorkit.asgi.ErrorMiddleware(app, dialect="observe"), path)
    else:
        adapter.install(app, dialect="observe")
        observed = _talk(app, path)
    if path == "/denies":
        assert (observed[:2], observed[2], bare[2]) == (bare[:2], adapter is not None or observed[2], False)
    else:
        assert observed == bare
    assert len(failures(log)) == (1 if adapter is not None or path != "/after" else 0)


def test_flask_answers_as_it_does() -> None:
    """Its handlers, trapped exceptions, `abort` with a response, and what propagates."""

    def build(**settings: Any) -> Flask:
        app = Flask("twin")
        if settings:
            ErrorKit(app, **settings)
        app.register_error_handler(LookupError, lambda error: ("looked up", 410))
        app.register_error_handler(418, lambda error: error)

        def fails(error: Any) -> Any:
            def view() -> Any:
                raise error

            return view

        class JSON(WerkzeugException):
            code = 409

            def get_body(self, *_: Any, **__: Any) -> str:
                return json.dumps({"own": True})

            def get_headers(self, *_: Any, **__: Any) -> list[tuple[str, str]]:
                return [("Content-Type", "application/json")]

        app.add_url_rule("/key", "key", fails(KeyError("x")))
        app.add_url_rule("/mapped", "mapped", fails(ZeroDivisionError("x")))
        app.add_url_rule("/json", "json", fails(JSON()))
        app.add_url_rule("/tea", "tea", lambda: flask.abort(418))
        app.add_url_rule("/own", "own", lambda: flask.abort(flask.Response("mine", 402)))
        app.add_url_rule("/moved", "moved", lambda: flask.redirect("/x"))
        return app

    mapped = {ZeroDivisionError: ConflictError}
    for propagate in (False, True):
        for path in ("/key", "/mapped", "/json", "/tea", "/own", "/moved", "/none"):
            bare, observed = build(), build(dialect="observe", exceptions=mapped)
            bare.config["PROPAGATE_EXCEPTIONS"] = observed.config["PROPAGATE_EXCEPTIONS"] = propagate
            assert said(wsgi(observed, "GET", path)) == said(wsgi(bare, "GET", path)), path


def test_an_application_that_says_nothing_is_the_servers(log: list[dict[str, Any]]) -> None:
    """As without errorkit, with an event."""
    for settings in ({"dialect": "observe"},):
        reply = FIVE["asgi"](settings)("/silent")
        assert (reply.messages, reply.raised) == ([], None)
    (event,) = failures(log)
    assert event["status"] == 500

    def silent(environ: Any, start_response: Any) -> list[bytes]:
        return []

    chunks = errorkit.wsgi.ErrorMiddleware(silent, dialect="observe")({"REQUEST_METHOD": "GET", "PATH_INFO": "/"}, None)  # type: ignore[arg-type]
    assert list(chunks) == []


def test_a_document_is_the_frameworks_own() -> None:
    """OpenAPI says nothing of what is not sent."""

    def build(**settings: Any) -> Any:
        app = FastAPI()
        app.get("/old/items/{n}")(_item)
        app.get("/new/items/{n}")(_item)
        if settings:
            errorkit.fastapi.install(app, **settings)
        return app.openapi()

    bare = build()
    assert build(dialect="observe") == bare
    mixed = build(dialect={"/old": "observe", "/": "problem"})
    assert mixed["paths"]["/old/items/{n}"] == bare["paths"]["/old/items/{n}"]
    assert "application/problem+json" in mixed["paths"]["/new/items/{n}"]["get"]["responses"]["422"]["content"]


def _item(n: int) -> int:
    return n


def test_the_line_at_start_up_says_it(log: list[dict[str, Any]]) -> None:
    FIVE["starlette"]({"dialect": {"/old": "observe", "/": "problem"}})("/fine")
    assert log[0]["dialects"] == {"/old": "observe", "/": "problem"}
