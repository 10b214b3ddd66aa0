"""The log itself: one line per event, no control characters, no secrets, no local variables, nothing lost."""

from __future__ import annotations

import io
import json
import logging
from pathlib import Path
from typing import Any

import pytest
import structlog
from fastapi import FastAPI
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from errorkit import ConflictError
from errorkit.asgi import ErrorMiddleware
from errorkit.events import SECRET_NAMES, add_request_id
from errorkit.fastapi import ErrorMiddleware as FastAPIMiddleware
from errorkit.starlette import ErrorMiddleware as StarletteMiddleware
from robustness.strict_asgi import http_scope, run, start_up
from robustness.test_data import VALUES

HOSTILE = "line one\nforged event=login_ok\r\x1b[31mred\x9b31m \u202eright to left \u2028 separator \x00 \u061c mark"
RENDERERS = {
    "json": lambda: structlog.processors.JSONRenderer(),
    "console": lambda: structlog.dev.ConsoleRenderer(colors=False),
    "console with rich": lambda: structlog.dev.ConsoleRenderer(
        colors=True, exception_formatter=structlog.dev.RichTracebackFormatter(show_locals=True)
    ),
    "key value": lambda: structlog.processors.KeyValueRenderer(),
    "logfmt": lambda: structlog.processors.LogfmtRenderer(bool_as_flag=False),
}


@pytest.fixture(params=RENDERERS)
def written(request: pytest.FixtureRequest) -> Any:
    """What one of structlog's renderers wrote, with its own traceback processors switched on."""
    stream = io.StringIO()
    processors: list[Any] = [structlog.processors.add_log_level]
    if request.param == "json":
        processors.append(structlog.processors.dict_tracebacks)
    structlog.configure(
        processors=[*processors, RENDERERS[request.param]()],
        logger_factory=structlog.PrintLoggerFactory(stream),
    )
    yield stream
    structlog.reset_defaults()


def raising(error: Exception) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        local_secret = "canary-in-a-local-variable"  # noqa: F841
        raise error

    return ErrorMiddleware(app, dialect="problem")


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_no_value_costs_an_event_in_any_renderer(written: io.StringIO, last_words: list[str], value: Any) -> None:
    """Non-string keys, cycles, raising reprs, huge integers: structlog sees JSON types alone."""
    run(raising(ConflictError("words", context={"fact": value, "keys": {1: value, None: 2}})))
    assert "request_failed" in written.getvalue()
    assert last_words == []
    assert len(written.getvalue()) < 2 * 1024 * 1024


def test_untrusted_text_forges_no_line_in_any_renderer(written: io.StringIO) -> None:
    """Message, path, method, context, names and members: one line, no escape sequences, no direction marks."""
    error = ConflictError(HOSTILE, param=HOSTILE, context={HOSTILE: HOSTILE, "list": [HOSTILE]})
    run(raising(error), http_scope(path="/" + HOSTILE, method="GET\nX"))
    text = written.getvalue()
    assert text.count("\n") == 1
    bare = text.replace("\x1b[0m", "")
    assert "\x1b[31m" not in bare.replace("\x1b[31m\x1b[1m", "")
    for character in "\r\x9b\u202e\u2028\x00\u061c":
        assert character not in text


def test_the_event_name_is_constant(events: list[dict[str, Any]]) -> None:
    """ConsoleRenderer prints the event name as it is: nothing untrusted is ever in it."""
    run(raising(ConflictError("request_failed=false " + HOSTILE)))
    run(raising(ValueError(HOSTILE)))
    assert {event["event"] for event in events} == {"request_failed"}


def test_a_traceback_is_bounded_and_without_locals(written: io.StringIO) -> None:
    """Frames as file, line and function; never a variable's value, even with rich or dict_tracebacks on."""
    run(raising(ValueError("the words")))
    text = written.getvalue()
    assert "the words" in text
    assert "test_log.py" in text
    assert "canary-in-a-local-variable" not in text


def test_redaction_covers_secret_names_wherever_they_are(events: list[dict[str, Any]]) -> None:
    """By member name, at any depth, in any spelling."""
    secrets = dict.fromkeys(SECRET_NAMES, "canary")
    spelled = {name.upper().replace("_", "-"): "canary" for name in SECRET_NAMES}
    user = {
        "User-Password": "canary",
        "accessToken": "canary",
        "sessions": ["canary"],
        "pinned": "kept",
        "spin": "kept",
    }
    run(raising(ConflictError("w", context={"a": [secrets, {"b": spelled}], "user": user})))
    text = json.dumps(events[0]["context"])
    assert "canary" not in text
    assert text.count("kept") == 2


def test_further_names_can_be_redacted(events: list[dict[str, Any]]) -> None:
    """`redact` adds to the usual names."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise ConflictError("w", context={"iban": "canary", "order": 7})

    run(ErrorMiddleware(app, redact=("iban",)))
    assert events[0]["context"] == {"iban": "[redacted]", "order": 7}


def test_exception_text_can_be_kept_out(events: list[dict[str, Any]]) -> None:
    """`redact_exception_text`: classes and frames, no words of causes, notes and group members either."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        cause = KeyError("canary")
        cause.add_note("canary")
        error = ExceptionGroup("canary", [ValueError("canary")])
        error.add_note("canary")
        raise error from cause

    run(ErrorMiddleware(app, redact_exception_text=True))
    assert "canary" not in json.dumps(events)
    assert "ValueError" in events[0]["exception"]
    assert "KeyError" in events[0]["exception"]


def test_the_last_resort_keeps_words_out_too(last_words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A translator that fails, a hook, a log that cannot be written: while one handler wants no words, none are told."""

    class Domain(Exception):
        """Of the application."""

    def translate(error: Domain) -> Any:
        raise RuntimeError(f"translator saw {error}")

    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise Domain("canary")

    def hook(failure: Any, request: Any) -> None:
        raise RuntimeError(f"hook saw {failure.private.exception}")

    settings: dict[str, Any] = {"exceptions": {Domain: translate}, "on_failure": hook}
    wordless = ErrorMiddleware(app, redact_exception_text=True, **settings)
    run(wordless)
    assert len(last_words) == 2
    assert "canary" not in str(last_words)
    assert "RuntimeError" in last_words[0]
    monkeypatch.setattr(wordless.handler.events, "record", lambda *_: translate(Domain("canary")))
    run(wordless)
    assert "canary" not in str(last_words)


def test_without_that_wish_the_last_resort_says_what_happened(last_words: list[str]) -> None:
    """In the words of what failed."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise ConflictError

    def hook(failure: Any, request: Any) -> None:
        raise RuntimeError("canary")

    run(ErrorMiddleware(app, on_failure=hook))
    assert "canary" in last_words[0]


def test_the_published_names_are_those_that_are_redacted() -> None:
    """docs/events.md shows the list."""
    page = Path(__file__).parents[2] / "docs" / "events.md"
    shown = page.read_text().split("```text\n")[1].split("```")[0].split()
    assert tuple(shown) == SECRET_NAMES


def test_submitted_values_are_not_logged(events: list[dict[str, Any]]) -> None:
    """Neither of a rejected request, nor of a model or a response that failed inside of the service."""

    class Account(BaseModel):
        number: int

    app = FastAPI()

    @app.post("/reject")
    def reject(account: Account) -> None: ...

    @app.post("/inside")
    def inside() -> None:
        Account.model_validate({"number": "canary-submitted"})

    @app.post("/chained")
    def chained() -> None:
        try:
            inside()
        except ValueError as error:
            raise RuntimeError("could not build") from error

    @app.post("/response", response_model=Account)
    def response() -> Any:
        return {"number": "canary-submitted"}

    app.add_middleware(FastAPIMiddleware, dialect="problem")
    start_up(app)
    for path, status in (("/reject", 422), ("/inside", 500), ("/chained", 500), ("/response", 500)):
        body = b'{"number": "canary-submitted"}'
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        result = run(
            app,
            http_scope(path, "POST", headers, query_string=b"token=canary-submitted"),
            received=[{"type": "http.request", "body": body, "more_body": False}],
        )
        assert result.sent.status == status
        assert b"canary" not in result.sent.body
    assert len(events) == 4
    assert "canary" not in json.dumps(events)
    assert "number" in events[1]["exception"], "which field failed is told"


def test_the_applications_own_lines_carry_the_id() -> None:
    """The structlog processor: also in a thread-pool endpoint, gone after the request."""
    stream = io.StringIO()
    structlog.configure(
        processors=[add_request_id, structlog.processors.JSONRenderer()],
        logger_factory=structlog.PrintLoggerFactory(stream),
    )

    def endpoint(request: Any) -> Any:
        structlog.get_logger("app").info("inside")
        raise ConflictError("w")

    app = Starlette(routes=[Route("/", endpoint)], middleware=[Middleware(StarletteMiddleware, dialect="problem")])
    try:
        run(app, http_scope(headers=[(b"x-request-id", b"the-id")]))
        structlog.get_logger("app").info("outside")
    finally:
        structlog.reset_defaults()
    lines = {line["event"]: line for line in map(json.loads, stream.getvalue().splitlines())}
    assert lines["inside"]["request_id"] == lines["request_failed"]["request_id"] == "the-id"
    assert "request_id" not in lines["outside"]


def test_a_level_that_is_switched_off_costs_nothing_and_breaks_nothing() -> None:
    """A filtering logger drops the event; the answer is the same."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        assert run(raising(ConflictError("w"))).sent.status == 409
    finally:
        structlog.reset_defaults()


def test_standard_logging_behind_structlog_gets_one_record(caplog: pytest.LogCaptureFixture) -> None:
    """The usual production set-up: structlog in front of logging."""
    structlog.configure(
        processors=[structlog.stdlib.add_logger_name, structlog.processors.JSONRenderer()],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    try:
        run(raising(ValueError("boom")))
    finally:
        structlog.reset_defaults()
    records = [record for record in caplog.records if record.name == "errorkit"]
    assert len(records) == 1
    assert json.loads(records[0].getMessage())["code"] == "internal"
