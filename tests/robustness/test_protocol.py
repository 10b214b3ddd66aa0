"""Whatever an application does, the server sees legal ASGI, and the operator one event."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route
from structlog.testing import capture_logs

from errorkit import APIError, ConflictError, RateLimitError
from errorkit.asgi import ErrorMiddleware
from errorkit.starlette import ErrorMiddleware as StarletteMiddleware
from robustness.strict_asgi import Violation, exchange, http_scope, run, start_up

LENGTH, TEXT = b"content-length", (b"content-type", b"text/plain")


class ServerFault(Exception):
    """What a server's `send` may raise besides OSError."""


START = st.builds(
    lambda status, headers: {"type": "http.response.start", "status": status, "headers": headers},
    st.sampled_from([200, 204, 304, 400, 404, 422, 500, 503, 999]),
    st.sampled_from(
        [
            [],
            [(LENGTH, b"0")],
            [(LENGTH, b"5"), TEXT],
            [(LENGTH, b"9000"), TEXT],
            [(b"content-type", b"text/event-stream")],
            [(b"content-type", b"text/event-stream"), (LENGTH, b"10")],
            [(LENGTH, b"x")],
        ]
    ),
)
BODY = st.builds(
    lambda body, more: {"type": "http.response.body", "body": body, "more_body": more},
    st.sampled_from([b"", b"hello", b"data: 1\n\n", b"x" * 9000]),
    st.booleans(),
)
ODD = st.sampled_from(
    [
        {"type": "http.response.trailers", "headers": []},
        {"type": "http.response.nonsense"},
        {"type": "http.response.start"},
        {"type": "http.response.start", "status": "200", "headers": []},
        {"type": "websocket.accept"},
        {},
    ]
)
MESSAGES = st.one_of(
    st.lists(st.one_of(START, BODY, BODY, ODD), max_size=5),
    st.builds(lambda start, bodies: [start, *bodies], START, st.lists(BODY, max_size=4)),
)
RAISED = st.sampled_from(
    [
        None,
        lambda: ValueError("stranger"),
        lambda: ConflictError("declared"),
        lambda: OSError("the application's own"),
        lambda: RateLimitError(retry_after=0),
        lambda: ExceptionGroup("two", [ConflictError(), KeyError("k")]),
        lambda: asyncio.CancelledError(),
        lambda: RecursionError(),
    ]
)
SEND_FAULT = st.sampled_from([None, None, None, OSError, ServerFault])


def scripted(messages: list[dict[str, Any]], raised: BaseException | None, tolerant: bool) -> Any:
    """An application that sends these messages, then raises."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        for message in messages:
            try:
                await send(dict(message))
            except Exception:
                if not tolerant:
                    raise
        if raised is not None:
            raise raised

    return app


def checked(app: Any, raised: BaseException | None, at: int, fault: Any, method: str, tolerant: bool) -> None:
    """Serve the script and hold every promise against what came out."""
    thrown: list[BaseException] = []

    def failing(number: int, message: Any) -> BaseException | None:
        if fault is not None and number >= at:
            thrown.append(fault("from send"))
            return thrown[-1]
        return None

    with capture_logs() as log:
        result = run(app, http_scope(method=method), failing=failing)
    sent, escaped = result.sent, result.escaped
    events = [entry for entry in log if entry["event"] == "request_failed"]
    assert len(events) <= 1

    allowed = escaped is None or escaped is raised or escaped in thrown or escaped in result.refused
    if isinstance(escaped, (TypeError, KeyError)):  # a message that is none, in the application's own send
        allowed = True
    assert allowed, f"neither the original nor the server's exception: {escaped!r}"
    if tolerant and (thrown or result.refused):
        return  # the application hid from everybody what the server had said
    assert not isinstance(escaped, OSError) or escaped is raised, "a client that left is no failure of the server"

    if isinstance(raised, asyncio.CancelledError) and escaped is raised:
        assert not events or events[0]["status"] < 500 or sent.status == events[0]["status"]
        return
    if sent.start is not None and sent.complete and sent.status >= 400 and not thrown and escaped is None:
        assert len(events) == 1, "an error that left has one event"
        assert events[0]["status"] == sent.status or events[0].get("outcome")
    if sent.start is not None and not sent.complete and not thrown:
        assert len(events) == 1 or isinstance(escaped, Violation), "a truncated response has one event"
    if escaped is None and not thrown:
        assert sent.start is not None, "a request that was not answered"
    if escaped is raised and raised is not None and not thrown:
        assert len(events) == 1, "what is raised on has one event"
    if thrown and not isinstance(thrown[0], OSError) and raised is None and not tolerant and escaped in thrown:
        assert not events or events[0]["status"] != 499


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(MESSAGES, RAISED, st.integers(1, 5), SEND_FAULT, st.sampled_from(["GET", "HEAD"]), st.booleans())
def test_any_application_has_a_legal_outcome_and_one_event(
    messages: list[dict[str, Any]], make: Any, at: int, fault: Any, method: str, tolerant: bool
) -> None:
    """Random messages, exceptions and failing sends: legal response, legal truncation, or the original exception."""
    raised = make() if make else None
    app = ErrorMiddleware(scripted(messages, raised, tolerant), dialect="openai")
    checked(app, raised, at, fault, method, tolerant)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(MESSAGES, RAISED, st.integers(1, 5), SEND_FAULT, st.sampled_from(["GET", "HEAD"]))
def test_any_starlette_endpoint_has_a_legal_outcome_and_one_event(
    messages: list[dict[str, Any]], make: Any, at: int, fault: Any, method: str
) -> None:
    """The same through both places of the Starlette adapter, and a user's middleware between them."""
    raised = make() if make else None
    inner = scripted(messages, raised, False)

    class Endpoint:
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await inner(scope, receive, send)

    class Pass:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            async def through(message: Any) -> None:
                await send(message)

            await self.app(scope, receive, through)

    app = Starlette(
        routes=[Route("/", Endpoint(), methods=["GET", "HEAD"])],
        middleware=[Middleware(Pass), Middleware(StarletteMiddleware, dialect="problem")],
    )
    start_up(app)
    checked(app, raised, at, fault, method, False)


def failing_after(*messages: dict[str, Any]) -> Any:
    return ErrorMiddleware(scripted(list(messages), ValueError("late"), False), dialect="problem")


def started(status: int = 200, **headers: str) -> dict[str, Any]:
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http.response.start", "status": status, "headers": pairs}


def part(body: bytes, more: bool = True) -> dict[str, Any]:
    return {"type": "http.response.body", "body": body, "more_body": more}


def test_after_the_start_nothing_more_is_sent_and_the_same_object_is_raised(events: list[dict[str, Any]]) -> None:
    """A stream that breaks is not ended: no second start, no last body, the very exception that was raised."""
    raised = ValueError("late")
    app = ErrorMiddleware(scripted([started(), part(b"half")], raised, False), dialect="problem")
    result = run(app)
    assert result.escaped is raised
    assert raised.__traceback__ is not None, "the server needs its frames"
    assert [message["type"] for message in result.sent.messages] == ["http.response.start", "http.response.body"]
    assert not result.sent.ended
    assert [(event["code"], event["outcome"], event["log_level"]) for event in events] == [
        ("internal", "aborted", "error")
    ]


def test_a_declared_error_mid_stream_keeps_its_code_in_the_event(events: list[dict[str, Any]]) -> None:
    """The event names the true code even where no client can be told."""
    app = ErrorMiddleware(scripted([started(), part(b"a")], ConflictError("x"), False), dialect="problem")
    assert isinstance(run(app).escaped, ConflictError)
    assert [(event["code"], event["outcome"]) for event in events] == [("conflict", "aborted")]


def test_an_event_stream_that_fails_ends_with_the_dialects_frame(events: list[dict[str, Any]]) -> None:
    """Server-sent events get a last event, after a blank line if the previous one was left open."""
    app = failing_after(started(content_type="text/event-stream"), part(b"data: 1\n"))
    result = run(app)
    assert result.escaped is None
    assert result.sent.ended
    assert result.sent.body.startswith(b"data: 1\n\n\nevent: error\ndata: {")
    assert events[0]["outcome"] == "stream_error"


@pytest.mark.parametrize("header", [{"content_length": "100"}, {"content_encoding": "gzip"}])
def test_an_event_stream_with_a_length_or_a_coding_is_aborted(header: dict[str, str]) -> None:
    """A frame that would break the framing is not sent."""
    result = run(failing_after(started(content_type="text/event-stream", **header), part(b"data: 1\n\n")))
    assert isinstance(result.escaped, ValueError)
    assert not result.sent.ended


def test_a_dialect_without_a_stream_event_aborts_the_stream(events: list[dict[str, Any]]) -> None:
    """None from `stream_event` means an honest abort, with the frames still on the exception."""
    from errorkit.dialects.problem import Problem

    class Silent(Problem):
        def stream_event(self, public: Any) -> None:
            return None

    inner = scripted([started(content_type="text/event-stream"), part(b"data: 1\n\n")], ValueError("late"), False)
    result = run(ErrorMiddleware(inner, dialect=Silent()))
    assert isinstance(result.escaped, ValueError)
    assert result.escaped.__traceback__ is not None
    assert not result.sent.ended
    assert events[0]["outcome"] == "aborted"


@pytest.mark.parametrize("status", [200, 404])
def test_a_background_task_that_fails_leaves_the_response_alone(events: list[dict[str, Any]], status: int) -> None:
    """After the last byte: nothing more is sent, the original is raised on, one event."""
    result = run(failing_after(started(status, content_type="application/json"), part(b"{}", False)))
    assert isinstance(result.escaped, ValueError)
    assert result.sent.complete
    assert [event["outcome"] for event in events] == ["background"]


def test_an_application_that_returns_without_a_response_gets_a_500(events: list[dict[str, Any]]) -> None:
    """Silence is a failure, too."""
    result = run(ErrorMiddleware(scripted([], None, False), dialect="openai"))
    assert result.escaped is None
    assert result.sent.status == 500
    assert result.sent.complete
    assert len(events) == 1


def test_an_application_that_stops_in_the_middle_stays_visibly_incomplete(events: list[dict[str, Any]]) -> None:
    """No last body message is invented."""
    result = run(ErrorMiddleware(scripted([started(), part(b"half")], None, False), dialect="openai"))
    assert not result.sent.ended
    assert [(event["log_level"], event["code"]) for event in events] == [("info", "incomplete_response")]


@pytest.mark.parametrize("raised", [asyncio.CancelledError, KeyboardInterrupt, SystemExit, GeneratorExit])
@pytest.mark.parametrize("before", [[], [started(), part(b"a")]])
def test_cancellation_and_exit_pass_untouched(
    events: list[dict[str, Any]], raised: type[BaseException], before: list[Any]
) -> None:
    """Nothing is sent, nothing is logged as an error, the same object leaves."""
    exception = raised()
    caught: list[BaseException] = []
    app = ErrorMiddleware(scripted(before, exception, False), dialect="openai")

    async def guarded(scope: Any, receive: Any, send: Any) -> None:
        try:
            await app(scope, receive, send)
        except BaseException as error:
            caught.append(error)

    result = run(guarded)
    assert caught[0] is exception
    assert len(result.sent.messages) == len(before)
    assert events == []


def test_a_group_with_an_interrupt_in_it_passes_untouched(events: list[dict[str, Any]]) -> None:
    """A BaseExceptionGroup is not an error of the application."""
    group = BaseExceptionGroup("g", [ValueError(), KeyboardInterrupt()])
    result = run(ErrorMiddleware(scripted([], group, False), dialect="openai"))
    assert result.escaped is group
    assert result.sent.messages == []
    assert events == []


def test_cancellation_after_an_answered_failure_does_not_lose_its_event(events: list[dict[str, Any]]) -> None:
    """The answer left; that somebody is cancelled afterwards changes nothing."""

    class Late:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await self.app(scope, receive, send)
            raise asyncio.CancelledError

    async def endpoint(request: Any) -> None:
        raise ConflictError("first")

    app = Starlette(
        routes=[Route("/", endpoint)],
        middleware=[Middleware(Late), Middleware(StarletteMiddleware, dialect="openai")],
    )
    result = run(app)
    assert isinstance(result.escaped, asyncio.CancelledError)
    assert result.sent.status == 409
    assert [event["code"] for event in events] == ["conflict"]


def test_the_application_runs_in_the_task_of_the_server() -> None:
    """No task is put between: cancellation and context variables reach the application."""
    tasks: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        tasks.append(asyncio.current_task())
        await send(started())
        await send(part(b"", False))

    async def main() -> None:
        await exchange(ErrorMiddleware(app, dialect="openai"), http_scope())
        assert tasks == [asyncio.current_task()]

    asyncio.run(main())


@pytest.mark.parametrize("status", [999, 600, 418, 499])
def test_a_status_that_no_standard_knows_survives(events: list[dict[str, Any]], status: int) -> None:
    """An application's own answer keeps its status, and has its event."""
    body = b'{"shaped": true}'
    start = started(status, content_length=str(len(body)), content_type="application/json")
    result = run(ErrorMiddleware(scripted([start, part(body, False)], None, False)))
    assert (result.sent.status, result.sent.body) == (status, body)
    assert [(event["status"], event["answered_by"]) for event in events] == [(status, "application")]


def test_a_body_nested_deeper_than_any_reader_goes_is_left_alone() -> None:
    """Looking at a foreign error body must not break it."""
    body = b'{"detail":' + b"[" * 3000 + b"]" * 3000 + b"}"
    start = started(404, content_length=str(len(body)), content_type="application/json")
    result = run(ErrorMiddleware(scripted([start, part(body, False)], None, False)))
    assert (result.sent.status, result.sent.body) == (404, body)


@pytest.mark.parametrize("error", [APIError, ConflictError])
def test_head_has_the_headers_of_get_and_no_body(error: type[APIError]) -> None:
    """RFC 9110 9.3.2: the fields as for GET, the body not sent."""
    app = ErrorMiddleware(scripted([], error("words"), False), dialect="openai")
    get, head = run(app), run(app, http_scope(method="HEAD"))
    assert (head.sent.body, head.sent.ended) == (b"", True)
    assert head.sent.headers["content-length"] == get.sent.headers["content-length"] == str(len(get.sent.body))


@pytest.mark.parametrize(
    "fault",
    [OSError("gone"), ServerFault("bug")],
    ids=["client gone", "server fault"],
)
def test_a_failure_whose_answer_cannot_be_sent_still_has_its_event(
    events: list[dict[str, Any]], fault: Exception
) -> None:
    """The operator hears of the application's failure even if the client could not."""
    app = ErrorMiddleware(scripted([], ValueError("the application's"), False), dialect="openai")
    result = run(app, failing=lambda number, message: fault)
    assert result.escaped is (None if isinstance(fault, OSError) else fault)
    assert [(event["code"], event["error"]) for event in events] == [("internal", "the application's")]


def test_a_second_start_does_not_take_the_place_of_one_that_is_held() -> None:
    """The application breaks the protocol: what the server refuses is the second one, as without errorkit."""
    first = {"type": "http.response.start", "status": 404, "headers": [(LENGTH, b"9"), TEXT]}
    app = scripted([first, {**first, "status": 503}, part(b"Not Found", False)], None, False)
    bare, covered = run(app), run(ErrorMiddleware(app, dialect="openai"))
    assert isinstance(covered.escaped, Violation)
    assert str(covered.escaped) == str(bare.escaped) == "a second start"
    assert (covered.sent.status, covered.sent.body) == (bare.sent.status, bare.sent.body) == (404, b"")


def test_a_server_fault_alone_is_nobodys_event(events: list[dict[str, Any]]) -> None:
    """What `send` raises, but for a client that left, goes to the server as it is."""
    fault = ServerFault("bug")
    app = ErrorMiddleware(scripted([started(), part(b"x", False)], None, False), dialect="openai")
    assert run(app, failing=lambda number, message: fault).escaped is fault
    assert events == []


@pytest.mark.parametrize("failure", [KeyError("bug"), ConnectionError("session store")])
def test_a_failure_in_a_middlewares_own_send_is_answered_and_told(
    events: list[dict[str, Any]], failure: Exception
) -> None:
    """An OSError of a user's middleware is no client that left."""

    class Broken:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            async def adding(message: Any) -> None:
                if scope["type"] == "http":
                    raise failure
                await send(message)

            await self.app(scope, receive, adding)

    async def endpoint(request: Any) -> Any:
        from starlette.responses import PlainTextResponse

        return PlainTextResponse("fine")

    app = Starlette(
        routes=[Route("/", endpoint)],
        middleware=[Middleware(Broken), Middleware(StarletteMiddleware, dialect="openai")],
    )
    start_up(app)
    result = run(app)
    assert result.escaped is None
    assert result.sent.status == 500
    assert [(event["code"], event["error"]) for event in events] == [("internal", str(failure))]
