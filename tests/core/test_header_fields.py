"""Header fields that an error brings: what may be sent is, what may not is told."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any

import pytest
from fastapi import FastAPI
from flask import Flask
from starlette.exceptions import HTTPException

from driving import asgi, wsgi
from errorkit import remarks
from errorkit.asgi import ErrorMiddleware
from errorkit.catalog import Catalog
from errorkit.errors import APIError, ConflictError, RateLimitError
from errorkit.fastapi import install
from errorkit.flask import ErrorKit
from errorkit.header_fields import OF_ANOTHER_BODY, OF_CONNECTION
from errorkit.retry import LONGEST, advise, clock, read_retry_after

UPSTREAM = {
    "Transfer-Encoding": "chunked", "Connection": "keep-alive, X-Hop", "Keep-Alive": "timeout=5", "Trailer": "x",
    "TE": "trailers", "Upgrade": "h2c", "Content-Encoding": "gzip", "Content-Range": "bytes 0-1/2",
    "Content-Length": "3", "Content-Type": "text/html", "Content-MD5": "x", "Digest": "sha-256=x", "X-Hop": "1",
    "Accept-Ranges": "bytes", "X-Kept": "1", "ETag": '"v2"',
}  # fmt: skip
"""As of `headers=dict(upstream.headers)`."""
FORBIDDEN = {name.lower() for name in UPSTREAM} - {"content-length", "content-type", "x-kept", "etag"}


@pytest.fixture(autouse=True)
def _unsaid() -> None:
    """Each test hears of everything anew."""
    remarks._made.clear()


def of_own_error(headers: Any) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise ConflictError("words", headers=headers)

    return asgi(ErrorMiddleware(app))


def of_http_exception(headers: Any) -> Any:
    app = FastAPI()
    install(app)

    @app.get("/")
    def endpoint() -> None:
        raise HTTPException(409, "words", headers)

    return asgi(app)


def of_normalised(headers: Any) -> Any:
    body = b'{"detail": "words"}'
    own = [(name.lower().encode(), value.encode()) for name, value in headers.items() if not name.startswith("Content")]

    async def app(scope: Any, receive: Any, send: Any) -> None:
        sent = [*own, (b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 409, "headers": sent})
        await send({"type": "http.response.body", "body": body})

    return asgi(ErrorMiddleware(app))


@pytest.mark.parametrize("way", [of_own_error, of_http_exception, of_normalised])
def test_the_connections_own_fields_are_not_sent(way: Any) -> None:
    """Nor those that frame or describe another body, nor those that Connection names; the rest is."""
    reply = way(UPSTREAM)
    assert reply.status == 409
    names = [name for name, _ in reply.headers]
    assert not (FORBIDDEN - {"x-hop"}) & set(names)
    assert ("x-hop" in names) is (way is of_normalised)
    assert reply.header("x-kept") == "1"
    assert names.count("content-length") == names.count("content-type") == 1
    assert reply.header("content-length") == str(len(reply.body))


def test_flask_sends_them_neither() -> None:
    """werkzeug's exceptions bring their fields, too."""
    app = Flask(__name__)
    ErrorKit(app)

    @app.get("/")
    def view() -> None:
        raise ConflictError("words", headers=UPSTREAM)

    reply = wsgi(app)
    assert not FORBIDDEN & {name for name, _ in reply.headers}
    assert reply.header("x-kept") == "1"


@pytest.mark.parametrize(
    ("name", "value"),
    [("X-A", "a\r\nSet-Cookie: b"), ("X Bad", "1"), ("X-Uml", "€"), ("", "1"), ("X-Obj", object()), ("X-No", None),
     (7, "1"), ("Connection", "close"), ("X-A\n", "1")],
)  # fmt: skip
def test_a_field_that_cannot_be_sent_is_left_out_and_told_once(
    name: Any, value: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """The answer has its status, the operator a line; neither holds the value."""
    with caplog.at_level(logging.WARNING, logger="errorkit"):
        for _ in range(3):
            reply = of_own_error({name: value, "X-Kept": "1"})
            assert (reply.status, reply.header("x-kept")) == (409, "1")
            assert "set-cookie" not in {each for each, _ in reply.headers}
    assert len(caplog.messages) == 1
    assert "ConflictError" in caplog.messages[0]
    assert " object at " not in caplog.messages[0]


def test_numbers_are_sent() -> None:
    """Of all that is no text."""
    assert of_own_error({"X-Left": 3}).header("x-left") == "3"


@pytest.mark.parametrize(("status", "name"), [(416, "content-range"), (426, "upgrade"), (426, "connection")])
def test_a_status_that_needs_such_a_field_may_have_it(status: int, name: str) -> None:
    """RFC 9110 15.5.17 and 15.5.22."""
    cls = type("Odd", (APIError,), {"code": "odd", "status": status, "__module__": __name__})

    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise cls(headers={"Content-Range": "bytes */5", "Upgrade": "h2c", "Connection": "upgrade"})

    assert asgi(ErrorMiddleware(app, catalog=Catalog([cls]))).header(name)


def test_the_lists_do_not_meet() -> None:
    """A field has one reason to be refused."""
    assert not OF_CONNECTION & OF_ANOTHER_BODY


def test_an_answers_own_challenge_stays() -> None:
    """The class's own is for an answer that has none."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"www-authenticate", b'Basic realm="x"'), (b"content-length", b"0")]
        await send({"type": "http.response.start", "status": 401, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    reply = asgi(ErrorMiddleware(app))
    assert [value for name, value in reply.headers if name == "www-authenticate"] == ['Basic realm="x"']


def test_where_logging_fails_a_remark_goes_to_standard_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And an endless number of them nowhere."""

    def broken(*_: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr("logging.Logger.handle", broken)
    remarks.remark("a thing")
    assert "a thing" in capsys.readouterr().err
    for number in range(2000):
        remarks.remark(str(number))
    assert len(remarks._made) == remarks._MAX_REMARKS


# -- waits of more than a year


def test_beyond_the_bound_seconds_are_the_bound_and_a_date_is_kept() -> None:
    """366 days in Retry-After, which is a whole number always; the instant stays the one that was given."""
    instant = (datetime.now(UTC) + timedelta(days=2000)).replace(microsecond=0)
    date = format_datetime(instant, usegmt=True)
    for error in (RateLimitError(retry_after=instant), RateLimitError(headers={"Retry-After": date})):

        async def app(scope: Any, receive: Any, send: Any, error: Any = error) -> None:
            raise error

        reply = asgi(ErrorMiddleware(app))
        assert reply.header("retry-after") == str(LONGEST)
        assert datetime.fromisoformat(reply.json()["resume_at"]) == instant
    assert advise(10**12, clock()).seconds == LONGEST
    assert advise(datetime.max.replace(tzinfo=UTC), clock()).seconds == LONGEST
    assert advise(datetime.max.replace(tzinfo=timezone(timedelta(hours=-5))), clock()).seconds == LONGEST
    assert read_retry_after("9" * 5000) is None
