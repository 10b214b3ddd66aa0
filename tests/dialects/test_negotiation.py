"""A client that asks for problem details gets them; nothing fails because of it."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI, Response
from fastapi.responses import StreamingResponse
from fastapi.testclient import TestClient
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.middleware.cors import CORSMiddleware

from driving import asgi
from errorkit import ConflictError, Detail, ValidationError
from errorkit.asgi import ErrorMiddleware as GenericMiddleware
from errorkit.fastapi import ErrorMiddleware
from errorkit.flask import ErrorKit
from errorkit.header_fields import varying
from errorkit.negotiation import prefers_problem

PROBLEM = "application/problem+json"
ACCEPT = ("Accept",)


class Busy(ConflictError):
    code, message = "busy", "Busy."
    default_headers = {"Vary": "Cookie"}


def build(dialect: Any, *, cors: bool = False, **settings: Any) -> TestClient:
    """A service of one dialect, or more."""
    app = FastAPI()
    app.add_middleware(ErrorMiddleware, dialect=dialect, **settings)

    @app.get("/busy")
    @app.get("/inner/busy")
    def busy() -> None:
        raise Busy

    @app.get("/invalid")
    def invalid() -> None:
        raise ValidationError(details=[Detail(("email",), "bad", "invalid_format")])

    @app.get("/own")
    def own() -> Response:
        return Response("{}", 409, media_type="application/json", headers={"X-Own": "1"})

    @app.get("/fine")
    def fine() -> dict[str, bool]:
        return {"ok": True}

    @app.get("/stream")
    def stream() -> StreamingResponse:
        def frames() -> Any:
            yield "data: 1\n\n"
            raise Busy

        return StreamingResponse(frames(), media_type="text/event-stream")

    if cors:
        app.add_middleware(CORSMiddleware, allow_origins=["https://a.example"])
    return TestClient(app, raise_server_exceptions=False)


@pytest.mark.parametrize(
    ("accept", "asked"),
    [
        (PROBLEM, True),
        (f"application/json, {PROBLEM}", True),
        (f"application/json;q=0.5, {PROBLEM};q=0.9", True),
        (f"application/json, {PROBLEM};q=0.5", False),
        (f"{PROBLEM};q=0.5, */*", False),
        (f"{PROBLEM};q=0", False),
        (f"{PROBLEM.upper()} ; Q=1", True),
        (f"{PROBLEM};q=nonsense", False),
        (f"{PROBLEM};q=nan", False),
        ("application/json", False),
        ("*/*", False),
        ("application/*", False),
        ("text/html, */*", False),
        (",,;;q", False),
    ],
)
def test_the_form_follows_accept(accept: str, asked: bool) -> None:
    """Problem details for who names them and prefers nothing else; the status is the same, never a 406."""
    client = build("stripe", negotiate=True)
    response = client.get("/invalid", headers={"Accept": accept})
    assert response.status_code == 400
    assert response.headers["content-type"] == (PROBLEM if asked else "application/json")
    assert ("error" in response.json()) != asked
    assert response.headers["vary"] == "Accept"
    assert response.headers["stripe-should-retry"] == "false"
    assert response.headers.get_list("request-id") == [response.headers["request-id"]]
    assert "x-request-id" not in response.headers


def test_vary_is_merged_with_what_is_there() -> None:
    """The error's own Vary and that of CORS stay."""
    client = build("openai", cors=True, negotiate=True)
    response = client.get("/busy", headers={"Origin": "https://a.example", "Accept": PROBLEM})
    words = {word.strip() for value in response.headers.get_list("vary") for word in value.split(",")}
    assert words == {"Cookie", "Accept", "Origin"}
    assert varying([(b"vary", b"*")], ACCEPT) == [(b"vary", b"*")]
    assert varying([(b"vary", b"accept, Origin")], ACCEPT) == [(b"vary", b"accept, Origin")]
    assert varying([(b"vary", b"A"), (b"x", b"1"), (b"vary", b"B")], ACCEPT) == [
        (b"x", b"1"),
        (b"vary", b"A, B, Accept"),
    ]


def test_every_error_says_vary_and_nothing_else_does() -> None:
    """Also the framework's own 404; not a success, not an answer that somebody shaped."""
    client = build({"/": "openai", "/inner": "problem"}, negotiate=True)
    missing = client.get("/nowhere", headers={"Accept": PROBLEM})
    assert (missing.status_code, missing.json()["code"], missing.headers["vary"]) == (404, "not_found", "Accept")
    assert client.get("/inner/busy").headers["vary"] == "Cookie, Accept"
    assert "vary" not in client.get("/fine").headers
    assert "vary" not in client.get("/own").headers


def test_it_is_off_by_default() -> None:
    """The dialect stands, whatever is asked for, and nothing varies."""
    response = build("openai").get("/invalid", headers={"Accept": PROBLEM})
    assert response.headers["content-type"] == "application/json"
    assert "vary" not in response.headers


def test_a_stream_ends_in_its_own_dialect() -> None:
    """What began as one dialect's stream gets that dialect's last event."""
    text = build("openai", negotiate=True).get("/stream", headers={"Accept": f"{PROBLEM}, text/event-stream"}).text
    assert 'data: {"type":"error","sequence_number":0,"error":{"message":"Busy."' in text


def test_flask_negotiates_too() -> None:
    """The same over WSGI."""
    app = Flask("negotiating")
    ErrorKit(app, dialect="anthropic", negotiate=True)
    response = app.test_client().get("/nowhere", headers={"Accept": PROBLEM})
    assert (response.status_code, response.content_type) == (404, PROBLEM)
    assert response.headers["Vary"] == "Accept"
    assert response.headers.getlist("request-id") == [response.json["request_id"]]


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60) | st.lists(st.sampled_from([PROBLEM, ";q=", ",", "*/*", " ", "1e999", "-1"])).map("".join))
def test_no_accept_field_breaks_it(accept: str) -> None:
    """Any text is an answer: yes or no."""
    assert prefers_problem(accept, "application/json") in (True, False)


def test_several_accept_lines_are_one_list() -> None:
    """RFC 9110 section 5.3."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise ConflictError

    headers = [("accept", "application/json;q=0.1"), ("accept", PROBLEM)]
    reply = asgi(GenericMiddleware(app, dialect="openai", negotiate=True), headers=headers)
    assert reply.header("content-type") == PROBLEM
