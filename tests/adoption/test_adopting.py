"""Error bodies that other code has shaped come out in the dialect, with what they said."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI
from flask import Flask
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

import errorkit.asgi
import errorkit.fastapi
import errorkit.starlette
import errorkit.wsgi
from driving import Reply, asgi, failures, wsgi
from errorkit import APIError, ConflictError
from errorkit.flask import ErrorKit

OLD = {"error": {"code": "SEAT_TAKEN", "message": "Seat 7 is taken.", "type": "invalid_request_error", "param": "seat"}}
NEW = {"detail": "Seat 7 is taken.", "code": "seat_taken", "param": "seat", "status": 409, "title": "Conflict"}
Answer = tuple[bytes, dict[str, str]]


def by_generic(answer: Answer, length: bool, **settings: Any) -> Reply:
    body, fields = answer
    headers = [(name.encode(), value.encode()) for name, value in fields.items()]

    async def app(scope: Any, receive: Any, send: Any) -> None:
        own = [*headers, (b"content-length", b"%d" % len(body))] if length else headers
        await send({"type": "http.response.start", "status": 409, "headers": own})
        await send({"type": "http.response.body", "body": body[:5], "more_body": True})
        await send({"type": "http.response.body", "body": body[5:]})

    return asgi(errorkit.asgi.ErrorMiddleware(app, **settings), lifespan=False)


def by_starlette(answer: Answer, length: bool, **settings: Any) -> Reply:
    body, fields = answer

    async def returned(request: Request) -> Response:
        response = Response(body, 409, fields)
        if not length:
            del response.headers["content-length"]
        return response

    app = Starlette(routes=[Mount("/", app=Starlette(routes=[Route("/", returned)]))])
    errorkit.starlette.install(app, **settings)
    return asgi(app)


def by_fastapi(answer: Answer, length: bool, **settings: Any) -> Reply:
    """The application's own handler."""
    body, fields = answer
    app = FastAPI()

    @app.exception_handler(KeyError)
    async def old(request: Request, error: KeyError) -> Response:
        response = Response(body, 409, fields)
        if not length:
            del response.headers["content-length"]
        return response

    @app.get("/")
    def raises() -> None:
        raise KeyError

    errorkit.fastapi.install(app, **settings)
    return asgi(app)


def by_wsgi(answer: Answer, length: bool, **settings: Any) -> Reply:
    body, fields = answer

    def app(environ: Any, start_response: Any) -> Any:
        own = [*fields.items(), ("Content-Length", str(len(body)))] if length else list(fields.items())
        start_response("409 Conflict", own)
        return [body[:5], body[5:]]

    return wsgi(errorkit.wsgi.ErrorMiddleware(app, **settings))


def by_flask(answer: Answer, length: bool, **settings: Any) -> Reply:
    app = Flask(__name__)
    ErrorKit(app, **settings)
    app.register_error_handler(KeyError, lambda error: (answer[0], 409, answer[1]))

    @app.get("/")
    def raises() -> None:
        raise KeyError

    return wsgi(app)


WAYS = [by_generic, by_starlette, by_fastapi, by_wsgi, by_flask]
JSON = {"content-type": "application/json"}


def plain(body: Any) -> Answer:
    return json.dumps(body).encode(), JSON


@pytest.mark.parametrize("length", [True, False], ids=["length", "no length"])
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("way", WAYS)
def test_a_body_of_an_adopted_dialect_is_said_in_the_services_own(
    way: Callable[..., Reply], packed: bool, length: bool, log: list[dict[str, Any]]
) -> None:
    body, fields = plain(OLD)
    answer = (gzip.compress(body), {**fields, "content-encoding": "gzip"}) if packed else (body, fields)
    reply = way(answer, length, adopt=["openai"])
    assert (reply.status, reply.header("content-type")) == (409, "application/problem+json")
    assert reply.header("content-encoding") is None
    said = reply.json()
    assert {name: said[name] for name in NEW} == NEW
    (event,) = failures(log)
    assert (event["code"], event["replaced"], event["request_id"]) == ("seat_taken", OLD, said["request_id"])


@pytest.mark.parametrize("way", WAYS)
def test_what_no_reader_recognises_is_left_and_the_event_says_why(
    way: Callable[..., Reply], log: list[dict[str, Any]]
) -> None:
    body, fields = plain({"err": "Seat 7 is taken."})
    reply = way((body, fields), True, adopt=["openai"])
    assert (reply.status, reply.body, reply.header("content-type")) == (409, body, "application/json")
    (event,) = failures(log)
    assert event["left"] == "no reader recognises it"
    assert "replaced" not in event


@pytest.mark.parametrize("way", WAYS)
def test_a_function_reads_what_no_dialect_knows(way: Callable[..., Reply]) -> None:
    def read(status: int, headers: Any, body: Any) -> APIError | None:
        return ConflictError(body["err"]) if isinstance(body, dict) and "err" in body else None

    said = way(plain({"err": "Seat 7 is taken."}), True, adopt=["openai", read]).json()
    assert (said["code"], said["detail"]) == ("conflict", "Seat 7 is taken.")


@pytest.mark.parametrize("way", WAYS)
def test_all_replaces_on_every_path_and_the_event_has_what_was_there(
    way: Callable[..., Reply], log: list[dict[str, Any]]
) -> None:
    reply = way(plain({"err": "Seat 7 is taken."}), False, normalise="all")
    assert (reply.status, reply.json()["code"]) == (409, "conflict")
    (event,) = failures(log)
    assert event["replaced"] == {"err": "Seat 7 is taken."}


def test_an_unknown_code_becomes_that_of_the_status(log: list[dict[str, Any]]) -> None:
    said = by_generic(plain(OLD), True, adopt=["openai"], unknown_codes="status").json()
    assert (said["code"], said["detail"]) == ("conflict", "Seat 7 is taken.")
    assert failures(log)[0]["context"] == {"unknown_code": "seat_taken"}


def test_a_long_body_passes(log: list[dict[str, Any]]) -> None:
    body, fields = plain({"error": {**OLD["error"], "message": "x" * 70_000}})
    reply = by_generic((body, fields), False, adopt=["openai"])
    assert reply.body == body
    assert failures(log)[0]["left"] == "longer than 65536 bytes"


def test_a_reader_that_fails_costs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def read(status: int, headers: Any, body: Any) -> APIError | None:
        raise KeyError("no")

    body, fields = plain({"err": 1})
    assert by_generic((body, fields), True, adopt=[read]).body == body
    assert "a reader of adopt= failed" in caplog.text
