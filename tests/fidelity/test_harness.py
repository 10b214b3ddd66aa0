"""The harness can fail: each fault that is put around or into a covered twin is a difference."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest

from errorkit.events import EventLog
from fidelity.asgi_scenarios import answers, body, fails, paths, start
from fidelity.comparison import differences
from fidelity.middlewares import Watch
from fidelity.observed import Answer, Call, Observation, Socket
from fidelity.twins import Scenario, Twin, Way, observe

AROUND = Way("around")
OWN = [(b"content-type", b"text/x"), (b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")]
CALLS = (
    Call("/ok"),
    Call("/crash"),
    Call("/default"),
    Call("/shaped", shaped=True),
    Call("/torn"),
    Call("/background"),
)


def build(twin: Twin) -> Any:
    """An application that answers, fails, and is watched."""
    app = paths(
        ok=answers(200, b"fine", OWN),
        crash=fails(twin, lambda: RuntimeError("x")),
        default=answers(404, b"Not Found", [(b"content-type", b"text/plain"), *OWN[1:]]),
        shaped=answers(404, b"one\ntwo", OWN),
        torn=fails(twin, lambda: RuntimeError("torn"), start(), body(b"half", more=True)),
        background=fails(twin, lambda: RuntimeError("late"), start(), body(b"all")),
    )
    return Watch(app, twin)


SCENARIO = Scenario("asgi-harness", "asgi", build, CALLS, (AROUND,))


def compared(fault: Callable[[Twin, Any], Any] | None = None) -> list[str]:
    """What the harness tells of a covered twin with a fault."""
    return differences(observe(SCENARIO, AROUND.bare), observe(SCENARIO, AROUND, fault), CALLS)


def test_a_covered_twin_without_a_fault_has_no_difference() -> None:
    assert compared() == []


def rewriting(path: str, change: Callable[[dict[str, Any]], list[dict[str, Any]]]) -> Callable[[Twin, Any], Any]:
    """A fault that changes the messages of one path."""

    def fault(twin: Twin, app: Any) -> Any:
        async def faulty(scope: Any, receive: Any, send: Any) -> None:
            async def sender(message: dict[str, Any]) -> None:
                for changed in change(dict(message)) if scope.get("path") == path else [message]:
                    await send(changed)

            await app(scope, receive, sender)

        return faulty

    return fault


def on_start(**changes: Callable[[Any], Any]) -> Callable[[dict[str, Any]], list[dict[str, Any]]]:
    """Members of the start, by a function of the old ones."""

    def change(message: dict[str, Any]) -> list[dict[str, Any]]:
        if message["type"] == "http.response.start":
            message.update({name: new(message[name]) for name, new in changes.items()})
        return [message]

    return change


def on_body(new: Callable[[bytes], bytes]) -> Callable[[dict[str, Any]], list[dict[str, Any]]]:
    """Another body."""

    def change(message: dict[str, Any]) -> list[dict[str, Any]]:
        if message["type"] == "http.response.body":
            message["body"] = new(message["body"])
        return [message]

    return change


def without_the_last(message: dict[str, Any]) -> list[dict[str, Any]]:
    """A response that is never complete."""
    return [{**message, "more_body": True}] if message["type"] == "http.response.body" else [message]


def _duplicated(fields: Any) -> Any:
    return [*fields, *[field for field in fields if field[0] == b"x-request-id"]]


def _without(name: bytes) -> Callable[[Any], Any]:
    return lambda fields: [field for field in fields if field[0] != name]


def _with(*field: bytes) -> Callable[[Any], Any]:
    return lambda fields: [*fields, field]


def raising(path: str, change: Callable[[Twin, Exception], Exception | None]) -> Callable[[Twin, Any], Any]:
    """A fault that changes what comes out of one path; None swallows it."""

    def fault(twin: Twin, app: Any) -> Any:
        async def faulty(scope: Any, receive: Any, send: Any) -> None:
            try:
                await app(scope, receive, send)
            except Exception as error:
                changed = change(twin, error) if scope.get("path") == path else error
                if changed is not None:
                    raise changed from None

        return faulty

    return fault


def stepless(twin: Twin, app: Any) -> Any:
    """A side effect that does not happen."""
    step = twin.step
    twin.step = lambda text: None if text == "watch: 200" else step(text)  # type: ignore[method-assign]
    return app


def unseen(twin: Twin, app: Any) -> Any:
    """The watching middleware does not see the exception of /crash: a guard inside of it answers."""
    watch = app.app
    inner = watch.app

    async def guarded(scope: Any, receive: Any, send: Any) -> None:
        try:
            await inner(scope, receive, send)
        except RuntimeError:
            if scope["path"] != "/crash":
                raise
            await answers(500, b"Internal Server Error")(scope, receive, send)

    watch.app = guarded
    return app


def replaced(twin: Twin, app: Any) -> Any:
    """The watching middleware sees another object of the same class and words."""
    watch = app.app
    inner = watch.app

    async def copying(scope: Any, receive: Any, send: Any) -> None:
        try:
            await inner(scope, receive, send)
        except RuntimeError as error:
            raise RuntimeError(*error.args) from None

    watch.app = copying
    return app


FAULTS: dict[str, tuple[Callable[[Twin, Any], Any], str]] = {
    "a changed status of a success": (rewriting("/ok", on_start(status=lambda _: 201)), "status 201, bare 200"),
    "a changed status of a crash": (rewriting("/crash", on_start(status=lambda _: 503)), "status 503, bare 500"),
    "a changed status of a default": (rewriting("/default", on_start(status=lambda _: 410)), "status 410, bare 404"),
    "a lost header of a success": (
        rewriting("/ok", on_start(headers=_without(b"set-cookie"))),
        "fields lost [('set-cookie', 'a=1'), ('set-cookie', 'b=2')]",
    ),
    "a lost header of a default": (
        rewriting("/default", on_start(headers=_without(b"set-cookie"))),
        "the field ('set-cookie', 'a=1') is lost",
    ),
    "a new header of a success": (
        rewriting("/ok", on_start(headers=_with(b"cache-control", b"no-store"))),
        "new [('cache-control', 'no-store')]",
    ),
    "a new header of a default": (
        rewriting("/default", on_start(headers=_with(b"x-powered-by", b"errorkit"))),
        "the field ('x-powered-by', 'errorkit') is new",
    ),
    "headers in another order": (
        rewriting("/ok", on_start(headers=lambda fields: fields[::-1])),
        "fields in another order",
    ),
    "a duplicated id header": (rewriting("/ok", on_start(headers=_duplicated)), "2 request ids"),
    "no id header": (rewriting("/ok", on_start(headers=_without(b"x-request-id"))), "0 request ids"),
    "an id that is not the event's": (
        rewriting("/crash", on_start(headers=lambda f: [*_without(b"x-request-id")(f), (b"x-request-id", b"other")])),
        "the answer other",
    ),
    "a changed body of a success": (rewriting("/ok", on_body(lambda _: b"Fine")), "body b'Fine', bare b'fine'"),
    "a changed body of a shaped error": (rewriting("/shaped", on_body(lambda _: b"{}")), "body b'{}'"),
    "a default that is not in the dialect": (rewriting("/default", on_body(lambda _: b"Not")), "not in the dialect"),
    "a success that is not complete": (rewriting("/ok", without_the_last), "the answer is not complete"),
    "an error that is not complete": (rewriting("/crash", without_the_last), "the answer is not complete"),
    "an answered exception raised to the server": (
        lambda twin, app: _then_raises(twin, app, "/ok"),
        "raised ValueError#0 to the server, bare nothing",
    ),
    "an exception replaced by another object for the server": (
        raising("/torn", lambda twin, error: RuntimeError(*error.args)),
        "raised RuntimeError#1 to the server, bare RuntimeError#0",
    ),
    "an exception not raised to the server": (
        raising("/background", lambda twin, error: None),
        "raised nothing to the server, bare RuntimeError#0",
    ),
    "an exception replaced by another object for a middleware": (replaced, "+ watch saw RuntimeError#1"),
    "an exception not seen by a middleware": (unseen, "- watch saw RuntimeError#0"),
    "a side effect missing": (stepless, "- watch: 200"),
}  # fmt: skip


def _then_raises(twin: Twin, app: Any, path: str) -> Any:
    async def faulty(scope: Any, receive: Any, send: Any) -> None:
        await app(scope, receive, send)
        if scope.get("path") == path:
            raise ValueError("more")

    return faulty


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_a_difference(name: str) -> None:
    fault, told = FAULTS[name]
    found = compared(fault)
    assert any(told in text for text in found), found


@contextmanager
def _events(times: int) -> Iterator[None]:
    """Each event is written so many times."""
    record = EventLog.record

    def recorded(self: EventLog, *about: Any) -> None:
        for _ in range(times):
            record(self, *about)

    with patch.object(EventLog, "record", recorded):
        yield


@pytest.mark.parametrize(("times", "paths"), [(0, 5), (2, 5), (1, 0)])
def test_another_number_of_events_is_a_difference(times: int, paths: int) -> None:
    with _events(times):
        found = [text for text in compared() if f"{times} events" in text]
    assert len(found) == paths, found


def test_a_log_record_of_the_application_that_is_lost_is_a_difference() -> None:
    def logging(twin: Twin) -> Any:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            twin.log.info("served %s", scope["path"])
            await answers(200)(scope, receive, send)

        return paths(ok=app)

    def quiet(twin: Twin, app: Any) -> Any:
        twin.log = type("Quiet", (), {"info": lambda *_: None})()
        return app

    scenario = replace(SCENARIO, build=logging, calls=(Call("/ok"),))
    bare, covered = observe(scenario, AROUND.bare), observe(scenario, AROUND, quiet)
    assert bare.records == ["application INFO: served /ok"]
    assert any("- application INFO: served /ok" in text for text in differences(bare, covered, scenario.calls))
    assert not differences(bare, observe(scenario, AROUND), scenario.calls)


def test_flasks_own_line_of_a_crash_may_be_the_events() -> None:
    bare = Observation(records=["site ERROR: Exception on /x [GET] with KeyError#0", "site INFO: x"])
    assert not differences(bare, Observation(records=["site INFO: x"]), ())
    assert not differences(bare, bare, ())
    assert differences(bare, Observation(records=[]), ())
    assert differences(bare, Observation(records=["site INFO: x"]), (), same=True)


def test_the_same_object_has_the_same_label_and_another_has_another() -> None:
    twin = Twin(Way("bare"), {})
    error = KeyError(1)
    assert twin.label(error) == twin.label(error) == "KeyError#0"
    assert twin.label(KeyError(1)) == "KeyError#1"


def test_any_difference_of_two_bare_twins_is_told() -> None:
    one = Observation(answers=[Answer(status=404, body=b"x", complete=True)])
    other = Observation(answers=[Answer(status=404, body=b"{}", complete=True)])
    assert differences(one, other, (Call("/x"),), same=True)
    assert not differences(one, one, (Call("/x"),), same=True)
    assert differences(one, Observation(), (Call("/x"),)) == ["0 answers, bare 1"]


def test_another_close_of_a_websocket_is_a_difference() -> None:
    call = (Socket("/x", chosen=True),)
    bare = Observation(answers=[Answer(close=(4001, "later"))])
    assert not differences(bare, bare, call)
    for close in ((4002, "later"), (4001, ""), None):
        assert differences(bare, Observation(answers=[Answer(close=close)]), call), close
    denied = Observation(answers=[Answer(status=403, headers=[("x-request-id", "1")], complete=True)])
    assert differences(bare, denied, call)


def test_a_start_up_that_is_lost_is_a_difference() -> None:
    bare = Observation(steps=["opened", "startup: lifespan.startup.complete", "--- GET /x"])
    covered = Observation(steps=["startup: returned", "--- GET /x"])
    assert any("- opened" in text for text in differences(bare, covered, ()))


def test_an_event_of_no_request_is_a_difference() -> None:
    stray = {"event": "request_failed", "code": "internal", "status": 500}
    assert differences(Observation(), Observation(events=[stray]), ()) == [
        "an event of no answer: {'code': 'internal', 'status': 500}"
    ]


MALFORMED = {"code": "malformed_json", "status": 400, "request_id": "1", "log_level": "info"}
BODY = b'{"status": 400, "code": "malformed_json", "title": "Malformed JSON"}'
