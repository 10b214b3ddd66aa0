"""Websockets that fail: a response before the handshake, a close after it, legal messages, one event."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi import FastAPI, WebSocket, WebSocketException
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import WebSocketRoute
from structlog.testing import capture_logs

from errorkit import AuthenticationError, ConflictError, RateLimitError
from errorkit.asgi import ErrorMiddleware
from errorkit.fastapi import install
from errorkit.starlette import ErrorMiddleware as StarletteMiddleware
from robustness.strict_asgi import Violation, run, start_up, websocket_scope


def starlette_app(endpoint: Any, **settings: Any) -> Any:
    app = Starlette(routes=[WebSocketRoute("/", endpoint)], middleware=[Middleware(StarletteMiddleware, **settings)])
    start_up(app)
    return app


@pytest.mark.parametrize(
    ("error", "status", "close"),
    [
        (ConflictError("x"), 409, 1008),
        (AuthenticationError(), 401, 1008),
        (RateLimitError(), 429, 1013),
        (KeyError(), 500, 1011),
    ],
)
@pytest.mark.parametrize("deniable", [True, False])
def test_a_failure_before_the_handshake_refuses_it(
    events: list[dict[str, Any]], error: Exception, status: int, close: int, deniable: bool
) -> None:
    """The envelope where the server can send a response, else a close that is not 1000."""

    async def endpoint(websocket: Any) -> None:
        raise error

    result = run(starlette_app(endpoint), websocket_scope(deniable=deniable))
    assert result.escaped is None
    if deniable:
        start, body = result.sent.messages
        assert start["status"] == status
        assert json.loads(body["body"])["status"] == status
        assert dict(start["headers"])[b"x-request-id"].decode() == events[0]["request_id"]
    else:
        assert result.sent.messages == [{"type": "websocket.close", "code": close, "reason": ""}]
    assert [event["status"] for event in events] == [status]


@pytest.mark.parametrize(
    ("error", "close"), [(ConflictError("é" * 200), 1008), (ValueError("secret-words"), 1011), (RateLimitError(), 1013)]
)
def test_a_failure_after_the_handshake_closes_it(events: list[dict[str, Any]], error: Exception, close: int) -> None:
    """Code and shown words as the reason, at most 123 bytes; a stranger's words stay private."""

    async def endpoint(websocket: Any) -> None:
        await websocket.accept()
        raise error

    result = run(starlette_app(endpoint, dialect="openai"), websocket_scope())
    assert result.escaped is None
    closing = result.sent.messages[-1]
    assert closing["code"] == close
    assert closing["reason"].startswith(events[0]["code"])
    assert "secret-words" not in closing["reason"]
    assert len(events) == 1


def test_a_failure_after_the_close_is_told_and_raised_on(events: list[dict[str, Any]]) -> None:
    """Nothing more can be sent; the server gets the very exception, the operator one event."""
    failure = ValueError("late")

    async def endpoint(websocket: Any) -> None:
        await websocket.accept()
        await websocket.close()
        raise failure

    result = run(starlette_app(endpoint), websocket_scope())
    assert result.escaped is failure
    assert result.sent.messages[-1]["type"] == "websocket.close"
    assert [event["outcome"] for event in events] == ["background"]


@pytest.mark.parametrize("fault", [OSError("gone"), RuntimeError("server")])
def test_a_failure_whose_close_cannot_be_sent_has_its_event(events: list[dict[str, Any]], fault: Exception) -> None:
    """The application's failure is told even where the client has left."""

    async def endpoint(websocket: Any) -> None:
        await websocket.accept()
        raise ValueError("the application's")

    result = run(
        starlette_app(endpoint), websocket_scope(), failing=lambda number, message: fault if number == 2 else None
    )
    assert result.escaped is (None if isinstance(fault, OSError) else fault)
    assert [event["error"] for event in events] == ["the application's"]


def test_a_client_that_leaves_is_told_at_info(events: list[dict[str, Any]]) -> None:
    """No 500, no traceback."""

    async def endpoint(websocket: Any) -> None:
        await websocket.accept()
        await websocket.receive_text()

    received = [{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1001}]
    result = run(starlette_app(endpoint), websocket_scope(), received=received)
    assert result.escaped is None
    assert [(event["log_level"], event["status"]) for event in events] == [("info", 499)]
    assert "exception" not in events[0]


def test_an_unknown_path_is_refused_as_the_framework_does_it(events: list[dict[str, Any]]) -> None:
    """A close before the handshake, which a server makes a 403 of, and one event of it."""

    async def endpoint(websocket: Any) -> None: ...

    result = run(starlette_app(endpoint, dialect="openai"), websocket_scope("/nowhere"))
    assert [message["type"] for message in result.sent.messages] == ["websocket.close"]
    assert [(event["status"], event["answered_by"]) for event in events] == [(403, "application")]


MESSAGE = st.sampled_from(
    [
        {"type": "websocket.accept"},
        {"type": "websocket.send", "text": "a"},
        {"type": "websocket.close", "code": 1000},
        {"type": "websocket.http.response.start", "status": 404, "headers": []},
        {"type": "websocket.http.response.body", "body": b"x"},
        {"type": "http.response.body"},
    ]
)


@settings(max_examples=100, deadline=None)
@given(st.lists(MESSAGE, max_size=4), st.sampled_from([None, ValueError, ConflictError, OSError]), st.booleans())
def test_any_websocket_application_has_a_legal_outcome(messages: list[Any], make: Any, deniable: bool) -> None:
    """Random messages and exceptions: legal messages, or the original exception, and at most one event."""
    raised = make() if make else None

    async def app(scope: Any, receive: Any, send: Any) -> None:
        for message in messages:
            await send(dict(message))
        if raised is not None:
            raise raised

    with capture_logs() as log:
        result = run(ErrorMiddleware(app), websocket_scope(deniable=deniable))
    events = [entry for entry in log if entry["event"] == "request_failed"]
    assert result.escaped is None or result.escaped is raised or isinstance(result.escaped, Violation)
    assert len(events) <= 1
    if raised is not None and not result.refused:
        assert len(events) == 1


@pytest.mark.parametrize(
    ("code", "sent"), [(1008, 1008), (4001, 4001), (1005, 1011), (1006, 1011), (1015, 1011), (999, 1011), (70000, 1011)]
)
def test_a_close_code_that_may_not_be_sent_is_not(code: int, sent: int) -> None:
    """RFC 6455 section 7.4: some are for an API's own use."""
    app = FastAPI()
    install(app)

    @app.websocket("/")
    async def endpoint(socket: WebSocket) -> None:
        await socket.accept()
        raise WebSocketException(code, "words")

    assert run(app, websocket_scope()).sent.messages[-1]["code"] == sent


def test_an_object_as_a_close_reason_is_not_shown() -> None:
    """Neither its words nor its address."""
    app = FastAPI()
    install(app)

    @app.websocket("/")
    async def endpoint(socket: WebSocket) -> None:
        await socket.accept()
        raise WebSocketException(1008, object())  # type: ignore[arg-type]

    exchange = run(app, websocket_scope())
    assert (exchange.escaped, exchange.sent.messages[-1]["reason"]) == (None, "")
