"""PEP 3333 kept on both sides, whatever the application does; the standard library's validator stands around each."""

from __future__ import annotations

import io
import json
from typing import Any
from wsgiref.util import FileWrapper

import pytest
from flask import Flask, Response, g, got_request_exception, stream_with_context
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from errorkit import ConflictError, get_request_id
from errorkit.flask import ErrorKit
from errorkit.wsgi import ErrorMiddleware
from robustness.strict_wsgi import serve

PLAIN = [("Content-Type", "text/plain")]


class Body:
    """An application's iterable that counts its closes and may fail anywhere."""

    def __init__(
        self, chunks: list[bytes], raised: BaseException | None = None, closing: Exception | None = None
    ) -> None:
        self.chunks, self.raised, self.closing, self.closed = iter(chunks), raised, closing, 0

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self.chunks)
        except StopIteration:
            if self.raised is not None:
                raise self.raised from None
            raise

    def close(self) -> None:
        self.closed += 1
        if self.closing is not None:
            raise self.closing


def app_of(body: Any, status: str = "200 OK", fields: Any = PLAIN) -> Any:
    def app(environ: Any, start_response: Any) -> Any:
        start_response(status, list(fields))
        return body

    return ErrorMiddleware(app, dialect="problem")


@pytest.mark.parametrize(
    ("chunks", "raised", "stop"),
    [
        ([b"a", b"b"], None, -1),
        ([], ValueError("first"), -1),
        ([b"a"], ValueError("later"), -1),
        ([b"a", b"b", b"c"], None, 1),
        ([b"", b""], ValueError("after empty"), -1),
        ([b"a"], GeneratorExit(), -1),
        ([b"a"], SystemExit(), -1),
    ],
    ids=["success", "first chunk", "mid-stream", "client left", "after empty chunks", "generator exit", "exit"],
)
def test_close_is_called_exactly_once(
    events: list[dict[str, Any]], chunks: list[bytes], raised: BaseException | None, stop: int
) -> None:
    """On success, error and abort: sessions and files of the application are let go."""
    body = Body(chunks, raised)
    serve(app_of(body), stop_after=stop)
    assert body.closed == 1


def test_a_generator_that_fails_at_once_gets_an_envelope(events: list[dict[str, Any]]) -> None:
    """The server's start_response is called once, with the error's status."""
    answer = serve(app_of(Body([b"", b""], ConflictError("x"))))
    assert (answer.status, answer.starts, answer.escaped) == (409, 1, None)
    assert json.loads(answer.body)["code"] == "conflict"
    assert [event["code"] for event in events] == ["conflict"]


def test_a_failure_after_the_first_chunk_is_raised_on(events: list[dict[str, Any]]) -> None:
    """The same object reaches the server, nothing more is sent, one event."""
    failure = ValueError("later")
    answer = serve(app_of(Body([b"half"], failure)))
    assert answer.escaped is failure
    assert (answer.status, answer.body) == (200, b"half")
    assert [event["outcome"] for event in events] == ["aborted"]


def test_endless_empty_chunks_do_not_hold_the_response_back() -> None:
    """An application that has nothing to say yet is not asked without bound."""

    asked = 0

    def waiting() -> Any:
        nonlocal asked
        for asked in range(10_000):  # noqa: B007
            yield b""
        yield b"at last"

    answer = serve(app_of(waiting()), stop_after=0)
    assert answer.status == 200
    assert asked < 100
    assert serve(app_of(waiting())).body == b"at last"


def test_a_failing_close_is_told_and_raised_on(events: list[dict[str, Any]]) -> None:
    """After the last byte: the response stands."""
    failure = ValueError("close")
    answer = serve(app_of(Body([b"all"], closing=failure)))
    assert (answer.status, answer.body, answer.escaped) == (200, b"all", failure)
    assert [event["outcome"] for event in events] == ["background"]


def test_a_file_wrapper_is_handed_through_as_it_is() -> None:
    """The server's own object, so that it may use sendfile."""
    handed: list[Any] = []

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [*PLAIN, ("Content-Length", "3")])
        handed.append(environ["wsgi.file_wrapper"](io.BytesIO(b"abc")))
        return handed[0]

    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "wsgi.file_wrapper": FileWrapper}
    assert ErrorMiddleware(app)(environ, lambda *_: lambda data: None) is handed[0]


def test_write_is_supported(events: list[dict[str, Any]]) -> None:
    """The legacy callable: sent at once, a failure after it is raised on."""

    def app(environ: Any, start_response: Any) -> Any:
        write = start_response("200 OK", PLAIN)
        write(b"one;")
        write(b"two;")
        return [b"three"]

    answer = serve(ErrorMiddleware(app))
    assert (answer.status, answer.body, answer.starts) == (200, b"one;two;three", 1)
    assert answer.headers["x-request-id"]

    def failing(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", PLAIN)(b"one;")
        raise ValueError("late")

    answer = serve(ErrorMiddleware(failing))
    assert isinstance(answer.escaped, ValueError)
    assert answer.body == b"one;"
    assert [event["outcome"] for event in events] == ["aborted"]


def test_start_response_with_exc_info_replaces_what_was_said(events: list[dict[str, Any]]) -> None:
    """Before the first byte the second call wins, and no header of the first is left."""
    import sys

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [*PLAIN, ("X-First", "1")])
        try:
            raise ValueError("inner")
        except ValueError:
            start_response("503 Service Unavailable", [*PLAIN, ("X-Second", "2")], sys.exc_info())
        return [b"own page, of two\nlines"]

    answer = serve(ErrorMiddleware(app))
    assert (answer.status, answer.starts, answer.body) == (503, 1, b"own page, of two\nlines")
    assert "x-first" not in answer.headers
    assert [(event["status"], event["answered_by"]) for event in events] == [(503, "application")]


@pytest.mark.parametrize("line", ["abc", "", "200", "99 Low"])
def test_a_status_line_that_is_none_is_a_failure_of_the_application(events: list[dict[str, Any]], line: str) -> None:
    """Answered, not passed to the server."""

    def app(environ: Any, start_response: Any) -> Any:
        start_response(line, PLAIN)
        return [b"x"]

    environ: dict[str, Any] = {"REQUEST_METHOD": "GET", "PATH_INFO": "/"}
    seen: list[str] = []

    def start_response(status: str, fields: Any, exc_info: Any = None) -> Any:
        seen.append(status)

    chunks = ErrorMiddleware(app)(environ, start_response)
    list(chunks)
    chunks.close()  # type: ignore[attr-defined]
    assert len(seen) == 1
    assert seen[0] == line if line in ("200", "99 Low") else seen[0].startswith("500")


def test_head_has_no_body_and_the_length_of_get() -> None:
    """WSGI middleware itself must drop it: servers do not."""

    def app(environ: Any, start_response: Any) -> Any:
        raise ConflictError("x")

    get, head = serve(ErrorMiddleware(app)), serve(ErrorMiddleware(app), method="HEAD")
    assert head.body == b""
    assert head.headers["content-length"] == str(len(get.body))


def test_a_204_and_a_304_pass_without_a_body() -> None:
    """No length, no type, nothing is added to them but the id."""
    for line in ("204 No Content", "304 Not Modified"):
        answer = serve(app_of([], line, []))
        assert (answer.status, answer.body, list(answer.headers)) == (int(line[:3]), b"", ["x-request-id"])


def test_the_id_is_gone_after_the_request_even_if_it_was_aborted() -> None:
    """No context of one request is seen by the next one on the same thread."""
    for body in (Body([b"a"]), Body([b"a"], ValueError()), Body([], ValueError())):
        serve(app_of(body))
        assert get_request_id() is None


def test_flask_closes_its_contexts_when_a_stream_breaks(events: list[dict[str, Any]]) -> None:
    """Teardown functions run, the crash signal is sent once for a crash, never for a declared error."""
    app = Flask(__name__)
    torn: list[Any] = []
    signalled: list[Any] = []
    app.teardown_request(lambda exception: torn.append(exception))

    @app.get("/stream")
    def stream() -> Any:
        def body() -> Any:
            g.used = True
            yield b"half"
            raise ValueError("late")

        return Response(stream_with_context(body()))

    @app.get("/crash")
    def crash() -> Any:
        raise ValueError("crash")

    @app.get("/conflict")
    def conflict() -> Any:
        raise ConflictError("x")

    def signal(sender: Any, exception: BaseException, **_: Any) -> None:
        signalled.append(type(exception))

    got_request_exception.connect(signal, app)
    ErrorKit(app, dialect="problem")
    assert isinstance(serve(app, "/stream").escaped, ValueError)
    assert serve(app, "/crash").status == 500
    assert serve(app, "/conflict").status == 409
    assert {str(exception) for exception in torn} == {"None", "late", "crash"}
    assert signalled == [ValueError]
    assert [event["code"] for event in events] == ["internal", "internal", "conflict"]


CHUNKS = st.lists(st.sampled_from([b"", b"a", b"x" * 9000]), max_size=5)
LINES = st.sampled_from(["200 OK", "204 No Content", "404 Not Found", "500 Oops", "503 Service Unavailable"])


@settings(max_examples=150, deadline=None)
@given(
    LINES,
    CHUNKS,
    st.sampled_from([None, ValueError, ConflictError, KeyError]),
    st.sampled_from(["call", "body", "close"]),
    st.booleans(),
    st.sampled_from(["GET", "HEAD"]),
    st.integers(-1, 2),
)
def test_any_wsgi_application_has_a_legal_outcome_and_one_event(
    line: str, chunks: list[bytes], make: Any, where: str, started: bool, method: str, stop: int
) -> None:
    """Random statuses, chunks, exceptions and departures of the client."""
    raised = make() if make else None
    if line.startswith("204"):
        chunks = []
    body = Body(chunks, raised if where == "body" else None, raised if where == "close" else None)

    def app(environ: Any, start_response: Any) -> Any:
        if started:
            fields = [] if line.startswith("204") else PLAIN
            start_response(line, fields)
        if where == "call" and raised is not None:
            raise raised
        return body if method == "GET" else Body([], body.raised, body.closing)

    with capture_logs() as log:
        answer = serve(ErrorMiddleware(app), method=method, stop_after=stop)
    events = [entry for entry in log if entry["event"] == "request_failed"]
    assert answer.starts == 1
    assert answer.escaped is None or answer.escaped is raised
    assert len(events) <= 1
    if answer.status >= 400 or answer.escaped is not None:
        assert len(events) == 1
    assert get_request_id() is None
