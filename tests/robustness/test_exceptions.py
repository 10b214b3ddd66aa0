"""Exceptions of every kind: the status is right, the body valid, the event one, the log bounded."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import dataclass
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from errorkit import APIError, ConflictError, NotFoundError, RateLimitError, ServiceUnavailableError
from errorkit.asgi import ErrorMiddleware
from errorkit.events import compact
from errorkit.starlette import ErrorMiddleware as StarletteMiddleware
from errorkit.wsgi import ErrorMiddleware as WSGIMiddleware
from robustness.strict_asgi import http_scope, run, start_up
from robustness.strict_wsgi import serve

MIB = 1024 * 1024


def raising(exception: BaseException) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise exception

    return app


def raising_wsgi(exception: BaseException) -> Any:
    def app(environ: Any, start_response: Any) -> Any:
        raise exception

    return app


@dataclass(frozen=True)
class Frozen(Exception):
    code: int = 7


class Str(Exception):
    def __str__(self) -> str:
        raise ValueError("no str")


class Repr(Exception):
    def __str__(self) -> str:
        raise ValueError("no str")

    __repr__ = __str__


class NotText(Exception):
    def __str__(self) -> Any:
        return 42


class Unequal(Exception):
    def __eq__(self, other: object) -> bool:
        raise ValueError("no eq")

    __hash__ = None  # type: ignore[assignment]


class Falsy(Exception):
    def __bool__(self) -> bool:
        raise ValueError("no bool")


class Attributes(Exception):
    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"no {name}")


class AllAttributes(Exception):
    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(f"no {name}")


class Pretender(Exception):
    """Has the attributes of other frameworks' errors, and a secret in each."""

    status_code = 403
    code = "SECRET-code"
    detail = message = description = "SECRET-words"
    headers = {"X-Secret": "SECRET-header"}


class Notes(Exception):
    __notes__ = "not a list"  # type: ignore[assignment]


class Module(Exception):
    __module__ = None  # type: ignore[assignment]


class Args(Exception):
    @property
    def args(self) -> Any:  # type: ignore[override]
        raise ValueError("no args")


class EmptyText(Exception):
    def __str__(self) -> str:
        return "\ud800 lone \x00\x1b[31m"


def own_cause() -> Exception:
    exception = ValueError("loop")
    exception.__cause__ = exception
    return exception


def loop_of_two() -> Exception:
    first, second = ValueError("first"), KeyError("second")
    first.__context__, second.__cause__ = second, first
    return first


def chain(length: int) -> Exception:
    link: Exception = ValueError("root")
    for number in range(length):
        following = RuntimeError(f"link {number}")
        following.__cause__ = link
        link = following
    return link


STRANGERS: dict[str, Any] = {
    "frozen": Frozen,
    "str": Str,
    "repr": Repr,
    "not text": NotText,
    "unequal": Unequal,
    "falsy": Falsy,
    "getattr": Attributes,
    "getattribute": AllAttributes,
    "pretender": Pretender,
    "notes": Notes,
    "module": Module,
    "args": Args,
    "surrogate": EmptyText,
    "own cause": own_cause,
    "loop of two": loop_of_two,
    "chain of 5000": lambda: chain(5000),
    "3 MB": lambda: ValueError("x" * 3_000_000),
    "recursion": lambda: RecursionError("maximum recursion depth exceeded"),
    "memory": MemoryError,
    "stop async iteration": lambda: RuntimeError("async generator raised StopAsyncIteration"),
    "assertion": AssertionError,
    "os error": lambda: OSError(28, "No space left"),
    "timeout": asyncio.TimeoutError,
    "exit code": lambda: ExceptionGroup("only one", [ValueError("inner")]),
    "unicode": lambda: UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid"),
}


@pytest.mark.parametrize("make", STRANGERS.values(), ids=STRANGERS)
def test_any_stranger_is_a_constant_500_with_one_event(
    events: list[dict[str, Any]], last_words: list[str], make: Any
) -> None:
    """Whatever an undeclared exception is like, the client sees the same valid answer."""
    app = ErrorMiddleware(raising(make()), dialect="openai", request_id=None)
    result = run(app, http_scope(headers=[(b"x-request-id", b"the-id")]))
    assert result.escaped is None
    assert result.sent.status == 500
    assert json.loads(result.sent.body)["error"]["message"] == "An internal error occurred."
    assert b"SECRET" not in result.sent.body
    assert "SECRET" not in str(result.sent.headers)
    assert [(event["status"], event["code"], event["log_level"]) for event in events] == [(500, "internal", "error")]
    assert len(repr(events[0])) < 2 * MIB
    assert sum(map(len, last_words)) < 2 * MIB


@pytest.mark.parametrize("make", STRANGERS.values(), ids=STRANGERS)
def test_any_stranger_of_a_wsgi_application_is_a_constant_500(events: list[dict[str, Any]], make: Any) -> None:
    """The same promise, PEP 3333."""
    answer = serve(WSGIMiddleware(raising_wsgi(make()), dialect="openai"))
    assert (answer.status, answer.escaped) == (500, None)
    assert json.loads(answer.body)["error"]["message"] == "An internal error occurred."
    assert len(events) == 1


def test_a_chain_of_5000_is_described_quickly_and_shortly() -> None:
    """The log of a failure is bounded in size and work."""
    exception = chain(5000)
    before = time.process_time()
    text = compact(exception)
    assert time.process_time() - before < 4
    assert len(text) < 65536 + 100
    assert text.endswith("…[truncated]")


def test_a_real_recursion_error_is_answered(events: list[dict[str, Any]]) -> None:
    """The deepest stack that Python allows: answered, and its frames bounded in the log."""

    def dig(depth: int) -> int:
        return dig(depth + 1) + 1

    async def endpoint(request: Any) -> Any:
        return dig(0)

    app = Starlette(routes=[Route("/", endpoint)], middleware=[Middleware(StarletteMiddleware, dialect="problem")])
    assert run(app).sent.status == 500
    assert "RecursionError" in events[0]["exception"]
    assert events[0]["exception"].count("\n") < 100
    assert "frames" in events[0]["exception"]


# -- groups


def group(*members: Exception, depth: int = 0) -> ExceptionGroup[Exception]:
    made = ExceptionGroup("group", list(members))
    for _ in range(depth):
        made = ExceptionGroup("group", [made])
    return made


@pytest.mark.parametrize(
    ("exception", "status", "code"),
    [
        (group(ConflictError("x")), 409, "conflict"),
        (group(ConflictError("x"), depth=400), 409, "conflict"),
        (group(NotFoundError(), ConflictError(), NotFoundError()), 409, "conflict"),
        (group(NotFoundError(), group(ServiceUnavailableError(), ConflictError())), 503, "service_unavailable"),
        (group(ConflictError(), KeyError("stranger")), 500, "internal"),
        (group(group(ConflictError()), group(KeyError("stranger")), depth=30), 500, "internal"),
        (group(*[ConflictError()] * 25, ServiceUnavailableError()), 503, "service_unavailable"),
        (group(*[ConflictError()] * 20_000, KeyError()), 500, "internal"),
    ],
    ids=["one leaf", "400 deep", "highest", "nested highest", "stranger", "deep stranger", "the last", "20000 wide"],
)
def test_a_group_is_answered_by_the_rule(
    events: list[dict[str, Any]], exception: Exception, status: int, code: str
) -> None:
    """All leaves declared: the one with the highest status answers. A stranger among them: 500."""
    before = time.process_time()
    result = run(ErrorMiddleware(raising(exception), dialect="problem"))
    assert time.process_time() - before < 2
    assert result.sent.status == status
    assert json.loads(result.sent.body)["code"] == code
    assert [event["code"] for event in events] == [code]
    assert events[0]["exception_type"] == "builtins.ExceptionGroup"


def test_the_whole_group_is_in_the_log(events: list[dict[str, Any]]) -> None:
    """Every leaf with its frames and causes, at any depth; what is left out is marked."""
    try:
        raise ValueError("the leaf") from KeyError("its cause")
    except ValueError as caught:
        leaf = caught
    run(ErrorMiddleware(raising(group(leaf, depth=10)), dialect="problem"))
    text = events[0]["exception"]
    assert "ValueError: the leaf" in text
    assert "caused by KeyError: 'its cause'" in text
    assert "test_exceptions.py" in text
    run(ErrorMiddleware(raising(group(*[KeyError(n) for n in range(30)])), dialect="problem"))
    assert "KeyError: 19" in events[1]["exception"]
    assert "…[truncated]" in events[1]["exception"]


def test_a_group_of_framework_exceptions_is_declared(events: list[dict[str, Any]]) -> None:
    """Task groups wrap the HTTPException of an endpoint: it is found."""

    async def endpoint(request: Any) -> Any:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(asyncio.sleep(0))
            raise HTTPException(404, "nothing here")

    app = Starlette(routes=[Route("/", endpoint)], middleware=[Middleware(StarletteMiddleware, dialect="problem")])
    result = run(app)
    assert result.sent.status == 404
    assert json.loads(result.sent.body)["detail"] == "nothing here"


def test_a_leaf_that_its_translator_declines_is_a_stranger() -> None:
    """A JSON error that is not the client's does not answer as the client's."""

    async def endpoint(request: Any) -> Any:
        raise ExceptionGroup("g", [json.JSONDecodeError("upstream sent nonsense", "", 0), ConflictError()])

    app = Starlette(routes=[Route("/", endpoint)], middleware=[Middleware(StarletteMiddleware, dialect="problem")])
    assert run(app).sent.status == 500


def test_a_group_of_declared_errors_is_not_raised_in_development() -> None:
    """`reraise` is for what nobody declared."""
    app = ErrorMiddleware(raising(group(ConflictError())), dialect="problem", reraise=True)
    assert run(app).sent.status == 409
    stranger = group(KeyError())
    assert run(ErrorMiddleware(raising(stranger), dialect="problem", reraise=True)).escaped is stranger


# -- where else exceptions come from


def test_a_failing_background_task_leaves_the_response_and_is_told_once(events: list[dict[str, Any]]) -> None:
    """The client's 200 stands; the operator has one event; the server gets the original."""
    failure = ValueError("in the background")

    def task() -> None:
        raise failure

    async def endpoint(request: Any) -> Any:
        return PlainTextResponse("done", background=BackgroundTask(task))

    app = Starlette(routes=[Route("/", endpoint)], middleware=[Middleware(StarletteMiddleware, dialect="problem")])
    start_up(app)
    result = run(app)
    assert (result.sent.status, result.sent.body, result.sent.complete) == (200, b"done", True)
    assert result.escaped is failure
    assert [(event["outcome"], event["log_level"]) for event in events] == [("background", "error")]


@pytest.mark.parametrize("when", ["startup", "shutdown"])
def test_a_failing_lifespan_reaches_the_server(events: list[dict[str, Any]], when: str) -> None:
    """Start-up and shut-down failures are the server's to report; errorkit changes nothing."""
    from contextlib import asynccontextmanager

    @asynccontextmanager
    async def lifespan(app: Any) -> Any:
        if when == "startup":
            raise ValueError("no database")
        yield
        raise ValueError("no database")

    async def drive(app: Any) -> tuple[list[str], BaseException | None]:
        queue = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
        sent: list[str] = []

        async def receive() -> Any:
            return queue.pop(0)

        async def send(message: Any) -> None:
            sent.append(message["type"])

        try:
            await app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, receive, send)
        except ValueError as exception:
            return sent, exception
        return sent, None

    bare = asyncio.run(drive(Starlette(lifespan=lifespan)))
    covered = asyncio.run(
        drive(Starlette(lifespan=lifespan, middleware=[Middleware(StarletteMiddleware, dialect="problem")]))
    )
    assert covered[0] == bare[0]
    assert f"lifespan.{when}.failed" in covered[0]
    assert str(covered[1]) == str(bare[1]) == "no database"
    assert events == []


def test_the_traceback_of_an_answered_exception_is_released(events: list[dict[str, Any]]) -> None:
    """Its frames hold the request; a frozen or shared exception lets go of them, too."""

    def raised_elsewhere() -> KeyError:
        try:
            raise KeyError("cause")
        except KeyError as caught:
            return caught

    cause = raised_elsewhere()
    shared = Frozen()
    BaseException.__setattr__(shared, "__cause__", cause)
    member = ConflictError("member")
    for exception in (shared, ConflictError("shared"), ExceptionGroup("g", [member])):
        run(ErrorMiddleware(raising(exception), dialect="problem"))
        assert exception.__traceback__ is None
    assert cause.__traceback__ is None
    assert member.__traceback__ is None


def test_an_exception_that_is_being_handled_further_out_keeps_its_traceback() -> None:
    """An answered failure may have one of the caller's as its context: that one is not touched."""

    def application(environ: Any, start_response: Any) -> Any:
        raise ConflictError("inner")

    try:
        raise LookupError("outer")
    except LookupError as caught:
        outer = caught
        answer = serve(WSGIMiddleware(application, dialect="problem"))
        traceback = caught.__traceback__
    assert answer.status == 409
    assert isinstance(outer, LookupError)
    assert traceback is not None
    assert traceback.tb_frame is sys._getframe()


# -- junk in an APIError's own attributes


class Hostile:
    def __bool__(self) -> bool:
        raise ValueError("no bool")

    def __str__(self) -> str:
        raise ValueError("no str")

    __repr__ = __str__

    def __iter__(self) -> Any:
        raise ValueError("no iter")

    def items(self) -> Any:
        raise ValueError("no items")


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("message", Hostile()),
        ("message", 42),
        ("message", None),
        ("param", Hostile()),
        ("param", ["a", "list"]),
        ("details", Hostile()),
        ("details", [{"field": "a"}]),
        ("details", 7),
        ("headers", Hostile()),
        ("headers", {1: 2}),
        ("headers", [("a", "b")]),
        ("headers", {"X-A": Hostile()}),
        ("retry_after", "soon"),
        ("retry_after", float("nan")),
        ("retry_after", float("-inf")),
        ("retry_after", float("inf")),
        ("retry_after", 10**400),
        ("rate_limit", Hostile()),
        ("rate_limit", (1, 2)),
        ("context", Hostile()),
        ("context", 7),
        ("extensions", Hostile()),
        ("extensions", {1: 2}),
        ("extensions", {Hostile(): Hostile()}),
        ("reason", Hostile()),
        ("owner", Hostile()),
        ("caller", Hostile()),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_junk_in_an_error_costs_neither_status_nor_code_nor_event(
    events: list[dict[str, Any]], attribute: str, value: Any
) -> None:
    """What an author puts into an error by mistake never becomes a second failure."""
    error = RateLimitError("words")
    setattr(error, attribute, value)
    result = run(ErrorMiddleware(raising(error), dialect="problem"))
    assert result.escaped is None
    body = json.loads(result.sent.body)
    assert (result.sent.status, body["status"], body["code"]) == (429, 429, "rate_limited")
    assert result.sent.headers["x-request-id"]
    assert [(event["status"], event["code"]) for event in events] == [(429, "rate_limited")]


def test_an_error_outside_of_the_catalogue_keeps_its_status_where_rendering_fails() -> None:
    """The prepared body of its status, not of 500."""

    class Unlisted(APIError):
        code, status = "unlisted", 409

    error = Unlisted("words")
    error.extensions = Hostile()  # type: ignore[assignment]
    result = run(ErrorMiddleware(raising(error), dialect="problem"))
    assert (result.sent.status, json.loads(result.sent.body)["status"]) == (409, 409)
