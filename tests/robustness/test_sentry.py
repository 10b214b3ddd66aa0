"""Side by side with the real Sentry SDK: every failure >= 500 once, 4xx never."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import sentry_sdk
import structlog
from fastapi import FastAPI
from flask import Flask
from sentry_sdk.integrations.fastapi import FastApiIntegration
from sentry_sdk.integrations.flask import FlaskIntegration
from sentry_sdk.integrations.starlette import StarletteIntegration
from sentry_sdk.transport import Transport
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException, WebSocketException
from starlette.middleware import Middleware
from starlette.responses import JSONResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from errorkit import ConflictError, ServiceUnavailableError
from errorkit.fastapi import ErrorMiddleware as FastAPIMiddleware
from errorkit.fastapi import install as fastapi_install
from errorkit.flask import ErrorKit
from errorkit.starlette import ErrorMiddleware as StarletteMiddleware
from errorkit.starlette import install
from robustness.strict_asgi import http_scope, run, start_up, websocket_scope
from robustness.strict_wsgi import serve
from unpatched import put_back


class Owned(Exception):
    """Answered by the application's own handler."""


@pytest.fixture
def told() -> Iterator[list[dict[str, Any]]]:
    """The events that Sentry would have sent."""
    sent: list[dict[str, Any]] = []

    class Memory(Transport):
        def capture_envelope(self, envelope: Any) -> None:
            event = envelope.get_event()
            if event is not None:
                sent.append(event)

    with put_back():
        sentry_sdk.init(
            dsn="http://key@127.0.0.1/1",
            transport=Memory,
            integrations=[StarletteIntegration(), FastApiIntegration(), FlaskIntegration()],
            traces_sample_rate=1.0,
            auto_session_tracking=False,
        )
        yield sent
        sentry_sdk.get_client().close(timeout=0)
        sentry_sdk.init()
        sentry_sdk.get_global_scope().set_client(None)


def failing(path: str) -> None:
    if path == "/crash":
        raise ValueError("crash")
    if path == "/declared":
        raise ServiceUnavailableError("declared 503")
    if path == "/framework":
        raise HTTPException(502, "framework 502")
    if path == "/conflict":
        raise ConflictError("409")
    if path == "/http404":
        raise HTTPException(404)
    if path == "/owned":
        raise Owned
    if path == "/group":
        raise ExceptionGroup("g", [ValueError("a"), KeyError("b")])


EXPECTED = {
    "/crash": 1,
    "/declared": 1,
    "/framework": 1,
    "/group": 1,
    "/conflict": 0,
    "/http404": 0,
    "/nowhere": 0,
}


def starlette_app() -> Any:
    async def endpoint(request: Any) -> Any:
        failing(request.url.path)

    async def owned(request: Any, exception: Exception) -> Any:
        return JSONResponse({"own": True}, status_code=409)

    async def background(request: Any) -> Any:
        return PlainTextResponse("done", background=BackgroundTask(failing, "/crash"))

    async def torn(request: Any) -> Any:
        async def body() -> Any:
            yield b"half"
            failing("/crash")

        return StreamingResponse(body())

    paths = [path for path in EXPECTED if path != "/nowhere"]
    return Starlette(
        routes=[
            *(Route(path, endpoint) for path in [*paths, "/owned"]),
            Route("/background", background),
            Route("/torn", torn),
        ],
        middleware=[Middleware(StarletteMiddleware, dialect="problem")],
        exception_handlers={Owned: owned},
    )


def fastapi_app() -> Any:
    app = FastAPI()
    for path in EXPECTED:
        if path != "/nowhere":

            def endpoint(path: str = path) -> None:
                failing(path)

            app.get(path)(lambda path=path: failing(path))
    app.add_middleware(FastAPIMiddleware, dialect="openai")
    return app


def flask_app() -> Any:
    app = Flask(__name__)
    for path in EXPECTED:
        if path not in ("/nowhere", "/framework", "/http404"):
            app.add_url_rule(path, path, lambda path=path: failing(path))
    ErrorKit(app, dialect="problem")
    return app


@pytest.mark.parametrize("path", EXPECTED)
@pytest.mark.parametrize("build", [starlette_app, fastapi_app])
def test_sentry_hears_of_each_failure_of_the_server_once(told: list[dict[str, Any]], build: Any, path: str) -> None:
    """ASGI: an unhandled 500 and a raised error >= 500 once, 4xx never."""
    app = build()
    start_up(app)
    result = run(app, http_scope(path))
    assert result.escaped is None
    assert len(told) == EXPECTED[path], told
    if path == "/crash":
        assert told[0]["exception"]["values"][-1]["mechanism"]["handled"] is False


@pytest.mark.parametrize("path", [path for path in EXPECTED if path not in ("/framework", "/http404")])
def test_sentry_hears_of_each_failure_of_flask_once(told: list[dict[str, Any]], path: str) -> None:
    """WSGI: Flask's own signal tells a crash, errorkit a raised error >= 500."""
    answer = serve(flask_app(), path)
    assert answer.escaped is None
    assert len(told) == EXPECTED[path], told


def test_an_answer_of_the_applications_own_handler_is_its_own(told: list[dict[str, Any]]) -> None:
    """A 4xx of a user's handler is no report."""
    app = starlette_app()
    start_up(app)
    assert run(app, http_scope("/owned")).sent.status == 409
    assert told == []


@pytest.mark.parametrize("path", ["/background", "/torn"])
def test_what_is_raised_on_is_still_reported_once(told: list[dict[str, Any]], path: str) -> None:
    """A failed background task and a torn stream reach Sentry's integration, too: it knows the exception already."""
    app = starlette_app()
    start_up(app)
    assert isinstance(run(app, http_scope(path)).escaped, ValueError)
    assert len(told) == 1


@pytest.mark.parametrize("build", [starlette_app, flask_app])
def test_the_log_line_is_no_second_report(told: list[dict[str, Any]], build: Any) -> None:
    """With structlog in front of logging, Sentry's logging integration sees errorkit's error line."""
    structlog.configure(
        processors=[structlog.processors.JSONRenderer()],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    logging.getLogger("errorkit").setLevel(logging.INFO)
    try:
        app = build()
        if build is flask_app:
            serve(app, "/crash")
        else:
            start_up(app)
            run(app, http_scope("/crash"))
    finally:
        structlog.reset_defaults()
    assert len(told) == 1, [event.get("logentry") for event in told]
    assert "exception" in told[0]


def test_without_reporters_nothing_of_them_is_loaded() -> None:
    """No import of Sentry or OpenTelemetry, neither at import nor when something fails."""
    code = """
import asyncio, sys
from errorkit.starlette import ErrorMiddleware
from errorkit.asgi import ErrorMiddleware as Generic
async def app(scope, receive, send):
    raise ValueError("x")
sent = []
async def send(message):
    sent.append(message)
scope = {"type": "http", "path": "/", "method": "GET", "headers": []}
asyncio.run(Generic(app)(scope, None, send))
assert sent[0]["status"] == 500
print([name for name in sys.modules if name.startswith(("sentry", "opentelemetry"))])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("kind", [Starlette, FastAPI])
@pytest.mark.usefixtures("told")
def test_a_websockets_close_is_a_legal_one_under_sentrys_handlers(kind: Any) -> None:
    """Sentry's integration puts a handler of its own in place of each that the framework has."""

    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        raise WebSocketException(70000)

    app = kind(routes=[WebSocketRoute("/", endpoint)])
    (fastapi_install if kind is FastAPI else install)(app)
    result = run(app, websocket_scope())
    assert result.sent.messages[-1] == {"type": "websocket.close", "code": 1011, "reason": ""}
