"""The machine of one exchange, without ASGI and WSGI: every order of events, and each line of its table."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.exchanges import (
    Answer,
    Cancel,
    Chunk,
    Handler,
    InMemory,
    Left,
    Raise,
    Return,
    Run,
    Start,
    Step,
    fields,
    handler,
)
from errorkit.errors import ConflictError, RateLimitError, ServiceUnavailableError
from errorkit.exchange import Response
from errorkit.framework_defaults import MAX_BODY
from errorkit.lifecycle import DONE, ENDED, HELD, HOLD, PASS, PASSING, RAISE, RELEASE, WAITING, Frame

ClientDisconnect = type("ClientDisconnect", (Exception,), {"__module__": "starlette.requests"})
PLAIN, JSON, SSE = b"text/plain", b"application/json", b"text/event-stream"
DEFAULT = fields(PLAIN, length=9), b"Not Found"
OWN = fields(PLAIN, length=7), b"one\ntwo"
STRANGERS = (RuntimeError("x"), OSError("disk"), ExceptionGroup("two", [ValueError("a"), TypeError("b")]))
DECLARED = (ConflictError("v7"), RateLimitError("slow", retry_after=3), ServiceUnavailableError(), KeyError("row"))


# -- every order of events

_exceptions = st.sampled_from((*STRANGERS, *DECLARED))
_headers = st.sampled_from(
    (
        [],
        DEFAULT[0],
        fields(JSON, length=20),
        fields(SSE),
        fields(SSE, length=99),
        fields(PLAIN, (b"content-encoding", b"br"), length=9),
        fields(PLAIN, length=MAX_BODY + 1),
        [(b"Content-Type", PLAIN), (b"X-Request-ID", b"upstream-1"), (b"Content-Length", b"9")],
    )
)
_starts = st.builds(Start, st.sampled_from((200, 204, 302, 400, 404, 418, 500, 503)), _headers)
_data = st.sampled_from((b"", b"Not Found", b"one\ntwo", b'{"detail": "no such"}', b"data: 1\n\n", b"x" * MAX_BODY))
_chunks = st.builds(Chunk, _data, st.booleans())
_answers = st.builds(Answer, _exceptions, st.booleans(), st.sampled_from((0, 0, 200, 400, 500)))
_openings = st.one_of(
    st.just([]),
    st.tuples(_starts),
    st.tuples(st.builds(Handler, _exceptions), _starts),
    st.tuples(_answers),
    st.tuples(_answers, _starts),
    st.tuples(_starts, _answers),
)
_any = st.one_of(_starts, _chunks, _answers, st.builds(Handler, _exceptions), st.just(Left()))
_endings = st.one_of(
    st.just(Return()),
    st.just(Cancel()),
    st.builds(Raise, _exceptions),
    st.just(Raise(None)),
    st.just(Raise(ClientDisconnect())),
)


@st.composite
def programs(draw: st.DrawFn) -> list[Step]:
    """What applications do, in a sensible order and, more rarely, in any."""
    steps: list[Step] = [*draw(_openings), *draw(st.lists(st.builds(Chunk, _data, st.just(True)), max_size=3))]
    steps += draw(st.sampled_from(([], [Chunk(b"", False)], [Chunk(b"Not Found", False)])))
    if draw(st.integers(0, 3)) == 0:
        steps[draw(st.integers(0, len(steps))) :] = draw(st.lists(_any, max_size=4))
    if draw(st.integers(0, 3)) == 0:
        steps.insert(draw(st.integers(0, len(steps))), Left())
    return [*steps, draw(_endings)]


def is_failure(run: Run) -> bool:
    """Is there something to be told: an error was sent, or a response was broken off, or something failed later."""
    if run.status >= 400:
        return True
    whole = run.complete or (run.exchange.method == "HEAD" and run.exchange.client_left and bool(run.status))
    if isinstance(run.ending, Raise):
        return not (isinstance(run.ending.exception, ClientDisconnect) and run.complete)
    return not whole


@settings(max_examples=800, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    programs(),
    st.sampled_from(("GET", "HEAD")),
    st.booleans(),
    st.booleans(),
    st.sampled_from(("framework", "all", "off")),
)
def test_every_run_ends_well(steps: list[Step], method: str, holds: bool, reraise: bool, normalise: str) -> None:
    exchange = InMemory(handler(normalise, reraise), method, holds_start=holds)
    run = Run(exchange, steps)
    raised = run.ending.exception if isinstance(run.ending, Raise) else None
    departed = isinstance(raised, ClientDisconnect)

    # a legal response, a legal cut, or the exception as the object it is
    if not run.refused:
        assert run.raised is None or run.raised is raised
        if not run.complete:
            cut = run.raised or departed or exchange.client_left or run.cancelled
            assert cut or (run.status and isinstance(run.ending, Return)), "neither an answer nor an exception"
        if raised is not None and run.raised is None and not departed:
            assert run.frame or (run.complete and run.status >= 400), "an exception was swallowed without an answer"

    # what was said was sent in order, or errorkit's answer went out in its place
    sent = run.sent[:-1] if run.frame else run.sent
    if run.raised is None and not departed and not run.cancelled:
        assert not run.held, "something is still held"
    elif run.held:
        assert not run.sent, "a part of what was held was sent"
    assert [*sent, *run.held] == run.said
    if run.complete and run.answers and run.sent[0] == Start(*run.answers[-1][:2]):
        _, headers, body = run.answers[-1]
        assert run.body == (b"" if method == "HEAD" else body)
        assert (b"content-length", b"%d" % len(body)) in headers

    # one event of a failure, none of a success
    if run.cancelled or run.refused:
        assert len(run.events) <= 1
    else:
        assert len(run.events) == is_failure(run), (run.events, run.sent)
    for event in run.events:
        outcome = event.get("outcome")
        if outcome == "client_gone":
            assert not run.complete
            assert (event["status"], event["log_level"]) == (499, "info")
        elif outcome in (None, "incomplete") and run.status:
            assert event["status"] == run.status


# -- the table


def exchange(method: str = "GET", *, normalise: str = "framework", reraise: bool = False, **options: Any) -> InMemory:
    """A new one."""
    return InMemory(handler(normalise, reraise), method, **options)


def passing(headers: Any = (), status: int = 200) -> InMemory:
    """One whose response has begun."""
    begun = exchange(normalise="off")
    assert begun.start(status, headers) is False
    assert begun.state is PASSING
    return begun


def held() -> InMemory:
    """One whose start is held, since it may be a default."""
    waiting = exchange()
    assert waiting.start(404, DEFAULT[0]) is True
    assert waiting.state is HELD
    return waiting


def ended(status: int = 200) -> InMemory:
    """One whose response is over."""
    over = passing(status=status)
    assert over.chunk(b"all", False) is PASS
    assert over.state is ENDED
    return over


@pytest.mark.parametrize(
    ("status", "headers", "options", "state"),
    [
        (200, DEFAULT[0], {}, PASSING),
        (404, DEFAULT[0], {}, HELD),
        (404, DEFAULT[0], {"normalise": "off"}, PASSING),
        (404, fields(PLAIN), {}, PASSING),  # of a body without a length nothing is known
        (404, fields(PLAIN, length=MAX_BODY + 1), {}, PASSING),
        (404, fields(PLAIN, length=MAX_BODY + 1), {"normalise": "all"}, HELD),
        (404, fields(PLAIN, (b"content-encoding", b"gzip"), length=9), {}, PASSING),
        (200, DEFAULT[0], {"holds_start": True}, HELD),
    ],
)
def test_a_start_passes_or_is_held(status: int, headers: Any, options: Any, state: Any) -> None:
    waiting = exchange(**options)
    assert waiting.start(status, headers) is (state is HELD)
    assert waiting.state is state


def test_a_start_that_waits_for_its_first_chunk_goes_with_it() -> None:
    waiting = exchange(holds_start=True)
    waiting.start(200, ())
    assert waiting.chunk(b"", True) is HOLD
    assert waiting.chunk(b"a", True) is RELEASE
    assert waiting.state is PASSING


@pytest.mark.parametrize("cut", [0, 3, 9])
def test_a_default_that_is_held_is_replaced(cut: int) -> None:
    waiting = held()
    assert waiting.chunk(DEFAULT[1][:cut], True) is HOLD
    answer = waiting.chunk(DEFAULT[1][cut:], False)
    assert isinstance(answer, Response)
    assert answer.status == 404
    assert waiting.state is WAITING
    assert waiting.start(answer.status, answer.headers) is False
    assert waiting.chunk(answer.body, False) is PASS
    assert waiting.state is ENDED


def test_what_is_held_is_let_go_if_it_is_somebodys_own() -> None:
    waiting = held()
    assert waiting.chunk(OWN[1], False) is RELEASE
    assert waiting.state is ENDED


def test_what_is_held_is_let_go_if_it_is_too_long() -> None:
    waiting = held()
    assert waiting.chunk(b"x" * (MAX_BODY + 1), True) is RELEASE
    assert waiting.state is PASSING


def test_what_is_held_is_let_go_if_the_application_returns() -> None:
    waiting = held()
    assert waiting.returned() is RELEASE
    assert waiting.state is PASSING


@pytest.mark.parametrize("make", [exchange, held])
@pytest.mark.parametrize(("exception", "status"), [(RuntimeError("x"), 500), (ConflictError("v7"), 409)])
def test_an_exception_before_the_first_byte_is_answered(make: Any, exception: Exception, status: int) -> None:
    waiting = make()
    answer = waiting.raised(exception)
    assert isinstance(answer, Response)
    assert answer.status == status
    assert waiting.state is WAITING


def test_an_exception_that_nobody_declared_may_be_raised_on() -> None:
    waiting = exchange(reraise=True)
    assert waiting.raised(RuntimeError("x")) is RAISE
    assert isinstance(exchange(reraise=True).raised(ConflictError("v7")), Response)


def test_an_application_that_returns_without_a_response_is_answered() -> None:
    answer = exchange().returned()
    assert isinstance(answer, Response)
    assert answer.status == 500


def test_the_last_chunk_ends_it() -> None:
    begun = passing()
    assert begun.chunk(b"a", True) is PASS
    assert begun.state is PASSING
    assert begun.chunk(b"b", False) is PASS
    assert begun.state is ENDED
    assert begun.returned() is DONE


@pytest.mark.parametrize("exception", [RuntimeError("x"), ConflictError("v7")])
@pytest.mark.parametrize(
    ("headers", "framed"), [(fields(PLAIN), False), (fields(SSE), True), (fields(SSE, length=9), False)]
)
def test_an_exception_in_a_response_cuts_it_or_is_its_last_event(headers: Any, framed: bool, exception: Any) -> None:
    begun = passing(headers)
    begun.chunk(b"data: 1\n\n", True)
    fate = begun.raised(exception)
    assert isinstance(fate, Frame) if framed else fate is RAISE
    assert begun.outcome == ("stream_error" if framed else "aborted")
    assert begun.state is (ENDED if framed else PASSING)


@pytest.mark.parametrize(("before", "blank"), [(b"data: 1\n\n", b""), (b"data: 1\n", b"\n\n"), (b"da", b"\n\n")])
def test_the_last_event_of_a_stream_stands_alone(before: bytes, blank: bytes) -> None:
    begun = passing(fields(SSE))
    begun.chunk(before, True)
    frame = begun.raised(RuntimeError("x"))
    assert isinstance(frame, Frame)
    assert frame.data[:2] == (blank or frame.data[:2])
    assert frame.data.endswith(b"\n\n")
    assert frame.data.startswith(b"\n\n") is bool(blank)


def test_the_exception_that_was_answered_is_not_raised_on() -> None:
    exception = RuntimeError("x")
    over = exchange()
    answer = over.answer(exception)
    over.start(answer.status, answer.headers)
    over.chunk(answer.body, False)
    assert over.raised(exception) is DONE
    over.raises_on = True
    assert over.raised(exception) is RAISE, "somebody outside listens for it"


@pytest.mark.parametrize("status", [200, 404])
def test_another_exception_after_the_end_is_raised_on(status: int) -> None:
    over = ended(status)
    assert over.raised(RuntimeError("late")) is RAISE
    assert over.outcome == "background"


def test_after_an_answer_for_a_failure_of_the_server_its_exception_is_not_raised_on() -> None:
    """Somebody further in has answered it and raises it once more, as Starlette's outermost layer does."""
    over, exception = ended(503), RuntimeError("x")
    assert over.raised(exception) is DONE
    assert (over.outcome, over.exception) == ("", exception)
    assert over.raised(exception) is DONE


def test_a_response_may_be_taken_back_while_nothing_is_sent() -> None:
    waiting = held()
    waiting.restarted(RuntimeError("x"))
    assert waiting.state is WAITING
    assert waiting.start(503, OWN[0]) is True
    assert waiting.chunk(OWN[1], False) is RELEASE
    assert waiting.status == 503


@pytest.mark.parametrize("make", [exchange, held, passing])
def test_nothing_is_sent_to_a_client_that_has_left(make: Any) -> None:
    leaving = make()
    assert leaving.raised(ClientDisconnect()) is DONE
    assert leaving.outcome == "client_gone"


def test_a_client_that_leaves_after_the_end_has_got_its_response() -> None:
    over = ended()
    assert over.raised(ClientDisconnect()) is DONE
    assert (over.outcome, over.failure) == ("", None)


@pytest.mark.parametrize("make", [exchange, passing])
def test_an_application_that_returns_because_the_client_has_left(make: Any) -> None:
    leaving = make()
    leaving.client_left = True
    assert leaving.returned() is DONE
    assert leaving.outcome == "client_gone"


def test_a_client_that_leaves_after_the_fields_of_head_has_all_that_it_asked_for() -> None:
    begun = exchange("HEAD")
    begun.start(200, ())
    begun.client_left = True
    assert begun.returned() is DONE
    assert (begun.state, begun.outcome) == (ENDED, "")


def test_a_response_without_its_end_is_incomplete() -> None:
    begun = passing()
    assert begun.returned() is DONE
    assert begun.outcome == "incomplete"


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        ([Start(200), Chunk(b"a", False), Return()], []),
        ([Start(404, OWN[0]), Chunk(OWN[1], False), Return()], [(404, "not_found", None)]),
        ([Raise(ConflictError("v7"))], [(409, "conflict", None)]),
        ([Answer(RuntimeError("x")), Raise(None)], [(500, "internal", None)]),
        ([Answer(RuntimeError("x")), Raise(KeyError("later"))], [(500, "internal", None)]),
        ([Start(200), Raise(RuntimeError("x"))], [(500, "internal", "aborted")]),
        ([Start(200), Chunk(b"a", False), Raise(RuntimeError("x"))], [(500, "internal", "background")]),
        ([Start(404), Chunk(b"a", False), Raise(RuntimeError("x"))], [(500, "internal", "background")]),
        ([Start(503), Chunk(b"a", False), Raise(RuntimeError("x"))], [(503, "service_unavailable", None)]),
        ([Answer(ConflictError("v7"), sends=False), Raise(ClientDisconnect())], [(409, "conflict", None)]),
        ([Answer(ConflictError("v7"), sends=False), Start(200), Chunk(b"a", False), Return()], []),
        ([Answer(ConflictError("v7"), status=400), Return()], [(400, "bad_request", None)]),
        ([Start(200), Return()], [(200, "incomplete_response", "incomplete")]),
        ([Start(200), Left(), Return()], [(499, "client_closed_request", "client_gone")]),
        ([Cancel()], []),
        ([Start(404), Cancel()], []),
    ],
)
def test_conclude_tells_a_failure_once(steps: list[Step], told: list[Any]) -> None:
    run = Run(exchange(), steps)
    run.exchange.conclude()
    assert [(event["status"], event["code"], event.get("outcome")) for event in run.events] == told


def test_an_answer_in_whose_place_another_one_begins_is_forgotten() -> None:
    run = Run(exchange(), [Return()])
    assert run.status == 500
    waiting = exchange()
    waiting.answer(ConflictError("v7"))
    assert waiting.start(200, ()) is False
    assert (waiting.rendered, waiting.failure, waiting.shaped_by) == (None, None, "")


def test_an_answer_of_a_users_handler_is_not_looked_into() -> None:
    waiting = exchange()
    waiting.answered_by("mine", RuntimeError("x"))
    assert waiting.start(404, DEFAULT[0]) is False
