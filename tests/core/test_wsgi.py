"""PEP 3333's corners: what the WSGI middleware keeps, and where it steps in."""

from __future__ import annotations

import contextvars
import sys
from collections.abc import Iterator
from io import BytesIO
from typing import Any
from wsgiref.util import FileWrapper, setup_testing_defaults

import pytest

from driving import failures, wsgi
from errorkit import errors, get_request_id
from errorkit.wsgi import ErrorMiddleware


class Closable:
    """An iterable that tells how often it was closed."""

    def __init__(self, *chunks: bytes | Exception, on_close: Exception | None = None) -> None:
        self.chunks, self.on_close, self.closed = list(chunks), on_close, 0

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self.chunks:
            if isinstance(chunk, Exception):
                raise chunk
            yield chunk

    def close(self) -> None:
        self.closed += 1
        if self.on_close is not None:
            raise self.on_close


def serving(body: Any, line: str = "200 OK", *headers: tuple[str, str], **settings: Any) -> ErrorMiddleware:
    """An application that answers with a body."""

    def app(environ: Any, start_response: Any) -> Any:
        start_response(line, list(headers or (("Content-Type", "text/plain"),)))
        return body

    return ErrorMiddleware(app, **settings)


@pytest.mark.parametrize(
    ("body", "raised"),
    [
        (Closable(b"a", b"b"), None),
        (Closable(b"a", RuntimeError("late")), RuntimeError),
        (Closable(RuntimeError("at once")), None),
    ],
    ids=["success", "late failure", "failure at once"],
)
def test_the_applications_iterable_is_closed_once(body: Closable, raised: type[Exception] | None) -> None:
    """On success, on failure and on abort: sessions hang on it."""
    reply = wsgi(serving(body))
    assert type(reply.raised) is (type(None) if raised is None else raised)
    assert body.closed == 1


def test_a_body_given_up_by_the_server_is_closed_once() -> None:
    """A client that leaves: the server stops half way and closes."""
    body = Closable(b"a", b"b")
    environ: dict[str, Any] = {}
    setup_testing_defaults(environ)
    answer: Any = serving(body)(environ, lambda line, headers: lambda data: None)
    assert next(iter(answer)) == b"a"
    answer.close()
    answer.close()
    assert body.closed == 1
    assert get_request_id() is None


def test_a_body_may_be_closed_in_another_context() -> None:
    """Some servers iterate in a context of their own."""
    environ: dict[str, Any] = {}
    setup_testing_defaults(environ)
    context = contextvars.copy_context()
    answer: Any = context.run(serving(Closable(b"a")), environ, lambda line, headers: lambda data: None)
    answer.close()
    assert get_request_id() is None


def test_two_bodies_read_in_turns_have_each_its_own_id() -> None:
    """A chunk is made under its own request's id, whatever is read between; what was there before comes back."""

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        return (str(get_request_id()).encode() for _ in range(4))

    covered = ErrorMiddleware(app)

    def answer(request_id: str) -> Any:
        environ: dict[str, Any] = {}
        setup_testing_defaults(environ)
        environ["HTTP_X_REQUEST_ID"] = request_id
        return covered(environ, lambda line, headers: lambda data: None)

    outer, inner = answer("outer"), answer("inner")
    chunks = list(zip(outer, inner, strict=True))
    inner.close()
    assert chunks == [(b"outer", b"inner")] * 4
    assert get_request_id() == "outer"
    outer.close()
    assert get_request_id() is None


def test_a_failing_close_is_recorded_and_raised(log: list[dict[str, Any]]) -> None:
    """The response is out; the operator is told."""
    reply = wsgi(serving(Closable(b"a", on_close=RuntimeError("session"))))
    assert (reply.status, reply.body, str(reply.raised)) == (200, b"a", "session")
    assert [event["outcome"] for event in failures(log)] == ["background"]


def test_an_exit_passes_through_and_closes() -> None:
    """SystemExit in a worker is nobody's error response."""

    def app(environ: Any, start_response: Any) -> Any:
        raise SystemExit(1)

    with pytest.raises(SystemExit):
        wsgi(ErrorMiddleware(app))
    assert get_request_id() is None


def test_empty_first_chunks_are_kept() -> None:
    """PEP 3333 lets an application yield nothing for a while."""
    reply = wsgi(serving([b"", b"", b"a"]))
    assert (reply.body, reply.complete) == (b"a", True)


def test_start_response_may_come_with_the_first_chunk() -> None:
    """A generator calls it when it is first asked for something."""

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain"), ("X-A", "1")])
        yield b"a"

    reply = wsgi(ErrorMiddleware(app))
    assert (reply.status, reply.header("x-a"), reply.body) == (200, "1", b"a")


def test_a_servers_file_wrapper_is_handed_on_as_it_is() -> None:
    """So that the server can use sendfile."""
    wrapped = FileWrapper(BytesIO(b"file"))
    environ: dict[str, Any] = {"wsgi.file_wrapper": FileWrapper}
    setup_testing_defaults(environ)
    seen: list[Any] = []
    answer = serving(wrapped)(environ, lambda line, headers: seen.append((line, dict(headers))) or (lambda data: None))
    assert answer is wrapped
    assert seen[0][0] == "200 OK"
    assert len(seen[0][1]["X-Request-ID"]) == 32


def test_write_sends_at_once(log: list[dict[str, Any]]) -> None:
    """The legacy callable: nothing can be held back any more."""

    def app(environ: Any, start_response: Any) -> Any:
        write = start_response("200 OK", [("Content-Type", "text/plain")])
        write(b"a")
        write(b"b")
        if environ["PATH_INFO"] == "/fails":
            raise RuntimeError("late")
        return [b"c"]

    reply = wsgi(ErrorMiddleware(app))
    assert (reply.body, len(reply.header("x-request-id") or "")) == (b"abc", 32)
    reply = wsgi(ErrorMiddleware(app), path="/fails")
    assert (reply.body, str(reply.raised)) == (b"ab", "late")
    assert [event["outcome"] for event in failures(log)] == ["aborted"]


def test_exc_info_replaces_what_was_said_before(log: list[dict[str, Any]]) -> None:
    """An application that answers its own failure: the event knows the exception."""

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [("Content-Type", "text/plain"), ("X-Old", "1")])
        try:
            raise RuntimeError("why")
        except RuntimeError:
            start_response("500 Oops", [("Content-Type", "text/plain"), ("X-New", "1")], sys.exc_info())
        return [b"my own"]

    reply = wsgi(ErrorMiddleware(app))
    assert (reply.status, reply.header("x-old"), reply.header("x-new")) == (500, None, "1")
    (event,) = failures(log)
    assert (event["answered_by"], event["error"]) == ("application", "why")


def test_exc_info_after_the_headers_are_out_is_raised() -> None:
    """As PEP 3333 demands."""

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [("Content-Type", "text/plain")])(b"a")
        try:
            raise RuntimeError("late")
        except RuntimeError:
            start_response("500 Oops", [("Content-Type", "text/plain")], sys.exc_info())

    reply = wsgi(ErrorMiddleware(app))
    assert (reply.status, str(reply.raised)) == (200, "late")


def test_two_starts_without_exc_info_are_a_crash(log: list[dict[str, Any]]) -> None:
    """A programming error of the application, answered as one."""

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [("Content-Type", "text/plain")])
        start_response("200 OK", [("Content-Type", "text/plain")])
        return []

    assert wsgi(ErrorMiddleware(app)).status == 500
    assert "called twice" in failures(log)[0]["error"]


@pytest.mark.parametrize(
    ("body", "length", "kept"),
    [([b"Not ", b"Found"], 9, False), ([b"x" * 5000, b"y" * 5000], 8000, True), ([b"Not Found"], None, True)],
    ids=["in two chunks", "longer than it says", "without a length"],
)
def test_only_small_whole_bodies_are_put_into_the_dialect(body: list[bytes], length: int | None, kept: bool) -> None:
    """A body that may be long is not held."""
    headers = [("Content-Type", "text/plain")]
    if length is not None:
        headers.append(("Content-Length", str(length)))
    reply = wsgi(serving(body, "404 Not Found", *headers))
    assert (reply.body == b"".join(body)) is kept


def test_an_inner_middleware_keeps_its_dialect_and_the_outer_id(log: list[dict[str, Any]]) -> None:
    """One id, one event, also for a HEAD request without a body."""

    def app(environ: Any, start_response: Any) -> Any:
        raise errors.ConflictError

    nested = ErrorMiddleware(ErrorMiddleware(app, dialect="korad"), dialect="problem")
    reply = wsgi(nested, headers=[("X-Request-ID", "r1")])
    assert (reply.json()["error"]["code"], reply.header("x-request-id")) == ("conflict", "r1")
    assert wsgi(nested, "HEAD").header("content-type") == "application/json"
    assert len(failures(log)) == 2
    same = ErrorMiddleware(app)
    assert wsgi(ErrorMiddleware(same, handler=same.handler)).status == 409


@pytest.mark.parametrize("chunks", [(b"data: 1\n", RuntimeError("x")), (b"data: 1\n\n", RuntimeError("x"))])
def test_an_unfinished_event_is_closed_before_the_last_one(chunks: Any) -> None:
    """An error inside of another event would be no event."""
    reply = wsgi(serving(Closable(*chunks), "200 OK", ("Content-Type", "text/event-stream"), dialect="openai"))
    events = [event for event in reply.body.decode().split("\n\n") if event.strip()]
    assert [event.strip()[:7] for event in events] == ["data: 1", "data: {"]
