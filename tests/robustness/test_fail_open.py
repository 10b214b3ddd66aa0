"""Every part of errorkit made to fail in turn: a valid answer with the right status, and a trace for the operator."""

from __future__ import annotations

import json
from typing import Any

import pytest
import structlog
from flask import Flask
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from errorkit import AuthenticationError, ConflictError, ForbiddenError
from errorkit.asgi import ErrorMiddleware
from errorkit.dialects.problem import Problem
from errorkit.flask import ErrorKit
from errorkit.request_id import RequestIdFormat
from errorkit.starlette import ErrorMiddleware as StarletteMiddleware
from errorkit.wsgi import ErrorMiddleware as WSGIMiddleware
from robustness.strict_asgi import http_scope, run
from robustness.strict_wsgi import serve


class Broken(RuntimeError):
    """What a failing part raises."""


def broken(*_arguments: Any, **_keywords: Any) -> Any:
    raise Broken("a part of errorkit failed")


async def conflict(scope: Any, receive: Any, send: Any) -> None:
    raise ConflictError("words", param="version")


def conflict_wsgi(environ: Any, start_response: Any) -> Any:
    raise ConflictError("words", param="version")


ANSWERING = [
    "errorkit.identification.Identifier.identify",
    "errorkit.presentation.Presenter.conceal",
    "errorkit.presentation.Presenter.advise",
    "errorkit.presentation.Presenter.public",
    "errorkit.handler.ErrorHandler._private",
    "errorkit.presentation.Presenter.fields",
    "errorkit.presentation.clock",
    "errorkit.header_fields.raw_header",
    "errorkit.rendering.Renderer.render",
    "errorkit.rendering.Renderer.body",
    "errorkit.rendering.Renderer._fixed",
    "errorkit.rendering.Renderer._splice",
    "errorkit.rendering.Renderer.prepare",
    "errorkit.rendering.Renderer.again",
    "errorkit.rendering.encode",
    "errorkit.rendering.encode_string",
    "errorkit.dialects.problem.Problem.write",
    "errorkit.dialects.Dialect.headers",
    "errorkit.dialects.Dialect.spell",
    "errorkit.dialects.Dialect.type_for",
    "errorkit.catalog.Catalog.by_status",
]
"""Parts that make the answer."""

UNDECIDED = ANSWERING[:2]
"""Where it cannot be known what failed, or what of it may be seen, 500 is the right status: nothing is revealed."""

RECORDING = [
    "errorkit.events.EventLog.record",
    "errorkit.events.EventLog.fields",
    "errorkit.events.EventLog._writer",
    "errorkit.events.EventLog.level_of",
    "errorkit.events.EventLog.value",
    "errorkit.events.line",
    "errorkit.events.compact",
    "errorkit.events.loggable",
    "errorkit.events.structlog.get_config",
    "errorkit.handler.telemetry.report",
    "errorkit.handler.telemetry.hush",
    "errorkit.handler.telemetry.annotate",
    "errorkit.exchange.Request.trace_id",
]
"""Parts that make the event."""


@pytest.mark.parametrize("part", ANSWERING)
def test_an_answer_survives_the_failure_of_any_part(
    events: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    """ASGI: status, envelope, id header and `no-store` are right, the true failure is in the event."""
    app = ErrorMiddleware(conflict, dialect="problem")
    monkeypatch.setattr(part, broken)
    result = run(app, http_scope(headers=[(b"x-request-id", b"the-id")]))
    assert result.escaped is None
    status = 500 if part in UNDECIDED else 409
    body = json.loads(result.sent.body)
    assert result.sent.status == body["status"] == status
    assert set(body) >= {"type", "title", "detail", "code"}
    assert result.sent.headers["x-request-id"] == "the-id"
    assert result.sent.headers["cache-control"] == "no-store"
    assert result.sent.headers["content-type"] == "application/problem+json"
    assert [event["request_id"] for event in events] == ["the-id"]
    assert "ConflictError" in events[0]["exception_type"]


@pytest.mark.parametrize("part", ANSWERING)
def test_an_answer_of_wsgi_survives_the_failure_of_any_part(
    events: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    """The same promise, PEP 3333."""
    app = WSGIMiddleware(conflict_wsgi, dialect="problem")
    monkeypatch.setattr(part, broken)
    answer = serve(app, headers={"X-Request-ID": "the-id"})
    assert answer.escaped is None
    assert answer.status == json.loads(answer.body)["status"] == (500 if part in UNDECIDED else 409)
    assert answer.headers["x-request-id"] == "the-id"
    assert len(events) == 1


def test_where_concealment_fails_nothing_is_revealed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the status nor the words of an error that was to be concealed."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise ForbiddenError("canary", resource_tenant="acme")

    covered = ErrorMiddleware(app, dialect="problem")
    monkeypatch.setattr("errorkit.presentation.shown_class", broken)
    sent = run(covered).sent
    assert (sent.status, json.loads(sent.body)["code"]) == (500, "internal")
    assert b"canary" not in sent.body


def test_an_applications_own_answer_is_told_even_if_it_cannot_be_named(
    events: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The catalogue fails: the bytes are the application's, the event has the status."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await PlainTextResponse("own\npage", status_code=404)(scope, receive, send)

    covered = ErrorMiddleware(app)
    monkeypatch.setattr("errorkit.catalog.Catalog.by_status", broken)
    result = run(covered)
    assert (result.sent.status, result.sent.body, result.escaped) == (404, b"own\npage", None)
    assert [event["status"] for event in events] == [404]


@pytest.mark.parametrize("part", RECORDING)
def test_an_answer_does_not_depend_on_the_log(
    events: list[dict[str, Any]], last_words: list[str], monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    """Whatever of the log fails: the client sees the usual answer, the operator a line with id and code."""
    app = ErrorMiddleware(conflict, dialect="problem")
    expected = run(app, http_scope(headers=[(b"x-request-id", b"the-id")])).sent
    events.clear()
    monkeypatch.setattr(part, property(broken) if part.endswith("trace_id") else broken)
    result = run(app, http_scope(headers=[(b"x-request-id", b"the-id")]))
    assert result.escaped is None
    assert (result.sent.status, result.sent.body) == (409, expected.body)
    told = [f"{event['request_id']} {event['code']}" for event in events] + last_words
    assert any("the-id" in line and "conflict" in line for line in told), told


@pytest.mark.parametrize("kind", ["processor", "logger"])
def test_a_failing_logger_of_the_application_changes_no_answer(last_words: list[str], kind: str) -> None:
    """structlog's processors and loggers are the application's own and may fail."""

    class Logger:
        def __getattr__(self, name: str) -> Any:
            return broken

    if kind == "processor":
        structlog.configure(processors=[broken])
    else:
        structlog.configure(logger_factory=lambda *_: Logger())
    try:
        result = run(ErrorMiddleware(conflict, dialect="problem"), http_scope(headers=[(b"x-request-id", b"the-id")]))
    finally:
        structlog.reset_defaults()
    assert (result.sent.status, result.escaped) == (409, None)
    assert any("the-id" in words and "conflict" in words for words in last_words)


def test_a_failing_hook_changes_nothing(events: list[dict[str, Any]], last_words: list[str]) -> None:
    """`on_failure` is the user's; its failure is told and forgotten."""
    result = run(ErrorMiddleware(conflict, dialect="problem", on_failure=broken))
    assert (result.sent.status, result.escaped, len(events)) == (409, None, 1)
    assert any("on_failure" in words for words in last_words)


def test_a_failing_reporter_does_not_keep_the_hook_from_being_called(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sentry or OpenTelemetry may fail: the hook still hears of the failure."""
    heard: list[str] = []
    app = ErrorMiddleware(
        conflict, dialect="problem", on_failure=lambda failure, request: heard.append(failure.private.code)
    )
    monkeypatch.setattr("errorkit.handler.telemetry.report", broken)
    assert run(app).sent.status == 409
    assert heard == ["conflict"]


class Moody(Problem):
    """A dialect that fails once the service runs, and promises no more of its bodies than a code."""

    Body = None
    mood = "fine"

    def write(self, public: Any) -> Any:
        if self.mood == "raise":
            broken()
        if self.mood == "foreign":
            return {"status": public.status, "code": public.code, "odd": object()}
        if self.mood == "cycle":
            body: dict[str, Any] = {"status": public.status, "code": public.code}
            body["self"] = body
            return body
        return super().write(public)

    def headers(self, public: Any) -> Any:
        if self.mood == "headers":
            return {"X-Bad\r\nName": "1", "X-Bad": "a\r\nSet-Cookie: b", "X-Odd": object(), "X-Good": "1"}
        return super().headers(public)

    def describe(self, details: Any) -> Any:
        return broken()

    def stream_event(self, public: Any) -> Any:
        return broken() if self.mood == "stream" else super().stream_event(public)


@pytest.mark.parametrize("mood", ["raise", "foreign", "cycle", "headers"])
def test_a_failing_dialect_of_the_user_still_answers(events: list[dict[str, Any]], mood: str) -> None:
    """A body prepared at start-up takes the place of one that cannot be written."""
    dialect = Moody()
    app = ErrorMiddleware(conflict, dialect=dialect)
    dialect.mood = mood
    result = run(app)
    assert (result.sent.status, result.escaped, len(events)) == (409, None, 1)
    assert json.loads(result.sent.body)["status"] == 409
    assert "set-cookie" not in result.sent.headers


def test_a_failing_stream_event_aborts_the_stream(events: list[dict[str, Any]]) -> None:
    """No half frame, no clean end: the original exception is raised on."""
    failure = ConflictError("mid-stream")

    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True})
        raise failure

    dialect = Moody()
    covered = ErrorMiddleware(app, dialect=dialect)
    dialect.mood = "stream"
    result = run(covered)
    assert result.escaped is failure
    assert not result.sent.ended
    assert [event["outcome"] for event in events] == ["aborted"]


def test_a_dialect_that_cannot_write_is_refused_at_start_up() -> None:
    """The rehearsal finds it before the first request."""
    dialect = Moody()
    dialect.mood = "raise"
    with pytest.raises(
        ValueError, match=r"write\(\) fails for an error with nothing but its code and its words: Broken: a part"
    ):
        ErrorMiddleware(conflict, dialect=dialect)


@pytest.mark.parametrize("made", [broken, lambda: "not safe\r\n", lambda: None, lambda: "x" * 500])
@pytest.mark.parametrize("fails", [False, True])
def test_a_failing_generator_of_ids_costs_no_request(made: Any, fails: bool, last_words: list[str]) -> None:
    """The user's own id function may fail later than at start-up: an id of ours takes its place."""
    working = True

    def generate() -> Any:
        return "first" if working else made()

    async def fine(scope: Any, receive: Any, send: Any) -> None:
        await PlainTextResponse("fine")(scope, receive, send)

    app = ErrorMiddleware(conflict if fails else fine, request_id=RequestIdFormat(generate=generate))
    working = False
    result = run(app)
    assert result.escaped is None
    assert result.sent.status == (409 if fails else 200)
    assert len(result.sent.headers["x-request-id"]) == 32
    assert last_words


def test_a_failing_translator_answers_500(events: list[dict[str, Any]], last_words: list[str]) -> None:
    """A function of the configuration that raises, or gives something else than an error."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise KeyError("k")

    for translator in (broken, lambda exception: "no error"):
        events.clear()
        result = run(ErrorMiddleware(app, dialect="problem", exceptions={KeyError: translator}))
        assert (result.sent.status, result.escaped) == (500, None)
        assert [event["exception_type"] for event in events] == ["builtins.KeyError"]


def test_a_degraded_401_still_challenges(monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC 9110 15.5.2 holds for the simplest answer, too."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise AuthenticationError

    covered = ErrorMiddleware(app, dialect="problem")
    monkeypatch.setattr("errorkit.rendering.Renderer.render", broken)
    assert run(covered).sent.headers["www-authenticate"] == 'Bearer realm="api"'


@pytest.mark.parametrize("part", ["errorkit.presentation.Presenter.fields", "errorkit.events.EventLog.record"])
def test_the_framework_adapters_survive_it_too(
    monkeypatch: pytest.MonkeyPatch, last_words: list[str], part: str
) -> None:
    """Starlette and Flask, whose own machinery lies between."""

    async def endpoint(request: Any) -> Any:
        raise ConflictError("words")

    app = Starlette(routes=[Route("/", endpoint)], middleware=[Middleware(StarletteMiddleware, dialect="problem")])
    flask_app = Flask(__name__)

    @flask_app.get("/")
    def view() -> Any:
        raise ConflictError("words")

    ErrorKit(flask_app, dialect="problem")
    monkeypatch.setattr(part, broken)
    assert run(app).sent.status == 409
    answer = serve(flask_app)
    assert (answer.status, answer.escaped) == (409, None)
    assert last_words
