"""What errorkit hands to the standard library's logging: names, levels, and exceptions that tell no more than the log."""

from __future__ import annotations

import io
import logging
import traceback
from collections.abc import Iterator
from logging.config import dictConfig
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from loguru import logger as loguru
from rich.console import Console
from rich.logging import RichHandler

from driving import asgi
from errorkit import ConflictError
from errorkit.asgi import ErrorMiddleware
from errorkit.events import RequestIdFilter
from errorkit.logfmt import logfmt
from errorkit.standard_logging import emit

SECRET = "-".join(("canary", "secret"))


class Kept(logging.Handler):
    """The records, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    @property
    def failures(self) -> list[logging.LogRecord]:
        return [record for record in self.records if record.getMessage().startswith("request_failed")]


@pytest.fixture(autouse=True)
def _unconfigured() -> Iterator[None]:
    """Neither structlog nor the logger `errorkit` is set up, and the root logger is put back."""
    structlog.reset_defaults()
    root = logging.root
    handlers, level, known = root.handlers[:], root.level, root.manager.loggerDict.pop("errorkit", None)
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.disable(logging.NOTSET)
    root.manager.loggerDict.pop("errorkit", None)
    if known is not None:
        root.manager.loggerDict["errorkit"] = known


@pytest.fixture
def kept() -> Kept:
    """A handler at the root logger, from info on."""
    handler = Kept()
    logging.root.addHandler(handler)
    logging.root.setLevel(logging.INFO)
    return handler


def failing(error: BaseException, **settings: Any) -> Any:
    """An application that raises."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        local = SECRET  # noqa: F841
        if scope["type"] == "http":
            raise error

    return ErrorMiddleware(app, dialect="problem", **settings)


def everything(handler: Kept) -> str:
    """All that a handler could write of its records."""
    return "".join(
        f"{record.getMessage()} {vars(record)} {logging.Formatter().format(record)}" for record in handler.records
    )


def test_a_record_has_the_fields_as_attributes_and_a_message_to_read(kept: Kept) -> None:
    """Nothing is told twice in the message, and `exc_info` is for what is shown with a traceback."""
    error = ConflictError("Version 7 is published.", context={"version": 7, "api_key": SECRET})
    asgi(failing(error), path="/docs/9", headers=[("X-Request-ID", "r1")])
    asgi(failing(ValueError("planted crash")), path="/docs/9", headers=[("X-Request-ID", "r2")])
    conflict, crash = kept.failures
    assert (conflict.name, conflict.levelname, conflict.exc_info) == ("errorkit", "INFO", None)
    assert {name: getattr(conflict, name) for name in ("code", "status", "path", "request_id", "context", "error")} == {
        "code": "conflict",
        "status": 409,
        "path": "/docs/9",
        "request_id": "r1",
        "context": {"version": 7, "api_key": "[redacted]"},
        "error": "Version 7 is published.",
    }
    assert conflict.getMessage() == (
        "request_failed code=conflict status=409 method=GET route=null path=/docs/9 request_id=r1 "
        f'duration_ms={conflict.duration_ms} context={{"version": 7, "api_key": "[redacted]"}} '  # type: ignore[attr-defined]
        'exception_type=errorkit.errors.ConflictError error="Version 7 is published."'
    )
    assert (crash.levelname, crash.error, crash.exception_type) == (  # type: ignore[attr-defined]
        "ERROR",
        "planted crash",
        "builtins.ValueError",
    )
    assert "planted crash" not in crash.getMessage()
    assert logging.Formatter().format(crash).count("planted crash") == 1
    assert "exception" not in vars(crash)


def test_a_name_that_the_record_has_already_is_given_a_prefix(kept: Kept) -> None:
    """Of logging's own, of formatters', of a record factory's: nothing is overwritten and nothing is lost."""
    names = ("name", "msg", "args", "exc_info", "message", "asctime", "taken", "free")
    made = logging.getLogRecordFactory()

    def factory(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = made(*args, **kwargs)
        record.taken = "by the factory"
        return record

    logging.setLogRecordFactory(factory)
    try:
        emit(logging.INFO, "an event with 100 %s", dict.fromkeys(names, "ours"))
    finally:
        logging.setLogRecordFactory(made)
    (record,) = kept.records
    assert (
        logging.Formatter("%(asctime)s %(name)s %(message)s").format(record).endswith("errorkit an event with 100 %s")
    )
    assert (record.taken, record.free) == ("by the factory", "ours")  # type: ignore[attr-defined]
    assert [getattr(record, f"errorkit_{name}") for name in names if name != "free"] == ["ours"] * 7


def test_the_filter_leaves_an_events_own_id(kept: Kept) -> None:
    """It comes when the request is over."""
    kept.addFilter(RequestIdFilter())
    asgi(failing(ConflictError()), headers=[("X-Request-ID", "r1")])
    logging.getLogger("other").warning("outside")
    assert [record.request_id for record in (kept.failures[0], kept.records[-1])] == ["r1", "-"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("configured", ["root", "logger", "disable"])
def test_what_the_level_drops_is_never_built(kept: Kept, configured: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with structlog's filtering loggers."""
    app = failing(ConflictError())
    built: list[Any] = []
    monkeypatch.setattr(app.handler.events, "fields", lambda *both: built.append(both) or {})
    assert asgi(app).status == 409
    assert len(built) == 1
    if configured == "disable":
        logging.disable(logging.INFO)
    else:
        logging.getLogger("errorkit" if configured == "logger" else None).setLevel(logging.WARNING)
    assert asgi(app).status == 409
    assert len(built) == 1


def test_logging_may_be_set_up_after_the_first_event(capfd: pytest.CaptureFixture[str]) -> None:
    """By `dictConfig` in its own default, which switches off the loggers that it does not name."""
    logging.root.handlers[:] = []
    app = failing(ValueError("planted crash"))
    asgi(app, path="/before")
    stream = io.StringIO()
    handler = {"class": "logging.StreamHandler", "stream": stream}
    dictConfig({"version": 1, "handlers": {"all": handler}, "root": {"level": "INFO", "handlers": ["all"]}})
    asgi(app, path="/after")
    out, err = capfd.readouterr()
    assert out == ""
    assert ("/before" in err, "/after" in err) == (True, False)
    assert ("/before" in stream.getvalue(), stream.getvalue().count("path=/after")) == (False, 1)
    assert stream.getvalue().count("Traceback") == 1


def test_structlog_once_configured_is_given_the_events(kept: Kept) -> None:
    """At the next event, and back."""
    caught: list[Any] = []

    def catch(_logger: Any, _method: str, event: Any) -> Any:
        caught.append(event)
        raise structlog.DropEvent

    app = failing(ConflictError())
    asgi(app)
    structlog.configure(processors=[catch])
    asgi(app)
    assert (len(kept.failures), [event["event"] for event in caught]) == (1, ["request_failed"])
    structlog.reset_defaults()
    asgi(app)
    assert (len(kept.failures), len(caught)) == (2, 1)


def tangled(secret: str) -> BaseException:
    """Causes, contexts, notes, groups in groups and a cycle, all with words of a secret."""

    def raised(error: BaseException, cause: BaseException | None = None) -> BaseException:
        try:
            raise error from cause
        except BaseException as caught:
            return caught

    leaf = raised(KeyError(secret), raised(OSError(secret)))
    leaf.add_note(secret)
    group = raised(ExceptionGroup(secret, [leaf, ExceptionGroup(secret, [ValueError(secret)])]))  # type: ignore[list-item]
    try:
        try:
            raise group
        except ExceptionGroup:
            raise RuntimeError(secret)  # noqa: B904 - its context is meant
    except RuntimeError as error:
        group.__cause__ = error
        return error


def rich_text(record: logging.LogRecord) -> str:
    stream = io.StringIO()
    handler = RichHandler(console=Console(file=stream, width=200), rich_tracebacks=True, tracebacks_show_locals=True)
    handler.emit(record)
    return stream.getvalue()


def loguru_text(record: logging.LogRecord) -> str:
    stream = io.StringIO()
    sink = loguru.add(stream, backtrace=True, diagnose=True, format="{message}")
    loguru.opt(exception=record.exc_info).error(record.getMessage())
    loguru.remove(sink)
    return stream.getvalue()


SHOWN = {"logging": logging.Formatter().format, "rich": rich_text, "loguru": loguru_text}
"""How handlers show a record; Rich and loguru with what they show of variables."""


@pytest.mark.parametrize("how", SHOWN)
def test_no_handler_shows_words_that_are_not_wanted_nor_variables(kept: Kept, how: str) -> None:
    """With `redact_exception_text` the classes and places stand, in the forms that handlers know."""
    asgi(failing(tangled(SECRET), redact_exception_text=True))
    (record,) = kept.failures
    text = SHOWN[how](record)
    assert SECRET not in text + everything(kept)
    for name in ("RuntimeError", "ExceptionGroup", "KeyError", "ValueError", "test_records.py"):
        assert name in text


@pytest.mark.parametrize("how", SHOWN)
def test_what_is_taken_out_of_texts_is_taken_out_of_tracebacks(kept: Kept, how: str) -> None:
    """Credentials in URLs; of a model that failed, what was submitted; local variables."""
    asgi(failing(tangled(f"see postgres://shop:{SECRET}@db/shop")))
    (record,) = kept.failures
    assert SECRET not in SHOWN[how](record) + everything(kept)
    assert "see postgres://[redacted]@db/shop" in SHOWN[how](record)


def test_a_copy_reads_as_its_original(kept: Kept) -> None:
    """The standard library writes the same of both, but for the marks beneath a line."""

    def inner() -> None:
        raise KeyError("absent")

    def outer() -> None:
        try:
            inner()
        except KeyError as error:
            error.add_note("a note")
            raise ConflictError("words") from error

    async def app(scope: Any, receive: Any, send: Any) -> None:
        try:
            outer()
        except ConflictError as error:
            raise ExceptionGroup("several", [error, ValueError("other")]) from None

    def keep(failure: Any, _request: Any) -> None:
        original.extend(traceback.format_exception(failure.private.exception))

    original: list[str] = []
    asgi(ErrorMiddleware(app, on_failure=keep), lifespan=False)
    (record,) = kept.failures
    assert record.exc_info is not None
    copied = traceback.format_exception(record.exc_info[1])
    marks = set(" |^~")
    assert [line for row in copied for line in row.splitlines()] == [
        line for row in original for line in row.splitlines() if not ("^" in line and set(line) <= marks)
    ]


def test_development_leaves_out_the_frames_of_libraries(kept: Kept) -> None:
    """With a note on how many they are."""
    asgi(failing(ValueError("planted crash"), development=True))
    text = logging.Formatter().format(kept.failures[0])
    assert text.count('File "') == 1
    assert ", in app\n    raise error\n" in text
    assert text.endswith("\n(1 frame of errorkit not shown)")


def test_an_exception_that_cannot_be_copied_is_told_as_text(kept: Kept) -> None:
    """Its attributes raise: the event stands all the same."""

    class Rude(Exception):
        @property
        def __cause__(self) -> Any:  # type: ignore[override]
            raise RuntimeError

    asgi(failing(Rude("words")))
    (record,) = kept.failures
    assert record.exc_info is None
    assert "Rude" in record.exception  # type: ignore[attr-defined]


def test_endless_chains_and_deep_stacks_are_bounded(kept: Kept) -> None:
    """As the text is."""

    def deep(levels: int) -> None:
        if levels:
            deep(levels - 1)
        raise ValueError("deep")

    chained: BaseException = ValueError("0")
    for number in range(1, 100):
        following = ValueError(str(number))
        following.__cause__, chained = chained, following
    asgi(failing(chained))
    try:
        deep(300)
    except ValueError as caught:
        asgi(failing(caught))
    chain, stack = kept.failures
    assert logging.Formatter().format(chain).count("direct cause") == 11
    assert stack.exc_info is not None
    assert len(list(traceback.walk_tb(stack.exc_info[2]))) == 40
    assert "frames in the middle not shown" in logging.Formatter().format(stack)


@given(st.dictionaries(st.sampled_from("abc"), st.one_of(st.text(), st.integers(), st.none(), st.lists(st.text()))))
def test_a_message_is_one_line(fields: dict[str, Any]) -> None:
    """Whatever the values hold."""
    message = logfmt("event", fields)
    assert len(message.splitlines()) == 1
    assert all(f" {name}=" in message for name in fields)
