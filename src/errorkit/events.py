"""The one structured log event per failure, and the request ID in the application's own lines.

It goes to structlog where that is configured, else to the standard library's logging where that has
handlers, else to standard error; which, is looked at with each event.

Values are made safe before any of these sees them: renderers lose an event over a cycle or a
raising `repr`, and print words and local variables of exceptions.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from functools import partial
from time import perf_counter
from typing import Any, Literal
from weakref import WeakSet

import structlog

from errorkit import standard_error, standard_logging
from errorkit.exception_copy import copied
from errorkit.exception_text import MAX_VALUE, compact, kind_of, line, told
from errorkit.exchange import CLIENT_CLOSED_REQUEST, Request
from errorkit.failure import Failure
from errorkit.logfmt import beside_traceback, logfmt
from errorkit.redaction import REDACTED, SECRET_NAMES, Redactor
from errorkit.request_id import current
from errorkit.values import loggable

__all__ = [
    "EVENT", "REDACTED", "SECRET_NAMES", "EventLog", "Level", "RequestIdFilter", "add_request_id", "compact",
    "last_resort", "line",
]  # fmt: skip

Level = Literal["debug", "info", "warning", "error", "critical"]
Write = Callable[[str, dict[str, Any], BaseException | None], None]
"""Writes an event of a known level: its name, its fields, and the exception that it shows with a traceback."""

EVENT = "request_failed"
_NUMBERS = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}


class EventLog:
    """Turns failures into events of the logger `errorkit`.

    levels: overrides, by code, by status (`"404"`) or by family (`"4xx"`).
    redact: further names of members whose values are not logged.
    redact_exception_text: log an exception's class and frames, not its words.
    development: tracebacks for whoever wrote the application, where structlog is not configured.
    """

    def __init__(
        self,
        *,
        levels: Mapping[str, Level] | None = None,
        redact: Iterable[str] = (),
        redact_exception_text: bool = False,
        development: bool = False,
    ) -> None:
        self._levels = dict(levels or {})
        self._redactor = Redactor(redact)
        self._words = not redact_exception_text
        self._development = development
        if redact_exception_text:
            _WORDLESS.add(self)
        self._logger = structlog.get_logger("errorkit")
        self._remembered: dict[Level, Write | None] = {}

    def _through_structlog(self, level: Level) -> Write | None:
        """What writes an event of a level as structlog is configured now.

        Its user may want a logger to be remembered as it is when it is first used; this is remembered then, too,
        where the level is part of its class, as it is of structlog's own filtering loggers.
        """
        number = _NUMBERS[level]
        config = structlog.get_config()
        effective: Any = getattr(config["wrapper_class"], "get_effective_level", None)
        filtering = getattr(effective, "__module__", "") == structlog.make_filtering_bound_logger.__module__
        write: Write | None = None
        if not (filtering and number < effective(None)):  # else no logger is made
            logger = self._logger.bind()
            enabled: Callable[[int], bool] | None = getattr(logger, "is_enabled_for", None)
            if enabled is None or enabled(number):
                write = partial(self._by_structlog, getattr(logger, level))
        if filtering and config["cache_logger_on_first_use"]:
            self._remembered[level] = write
        return write

    def _writer(self, level: Level) -> Write | None:
        """What writes an event of a level, as structlog and logging are configured now; None: they drop it."""
        if structlog.is_configured():
            try:
                return self._remembered[level]
            except KeyError:
                return self._through_structlog(level)
        number = _NUMBERS[level]
        standard = standard_logging.logger()
        if standard.hasHandlers():
            return partial(self._by_logging, number) if standard.isEnabledFor(number) else None
        return partial(self._to_standard_error, level) if standard_error.takes(number) else None

    def _by_structlog(
        self, write: Callable[..., Any], event: str, fields: dict[str, Any], shown: BaseException | None
    ) -> None:
        if shown is not None:
            fields["exception"] = compact(shown, words=self._words, redactor=self._redactor)
        write(event, **fields)

    def _by_logging(self, level: int, event: str, fields: dict[str, Any], shown: BaseException | None) -> None:
        copy = None
        if shown is not None:
            try:
                copy = copied(shown, words=self._words, redactor=self._redactor, own=self._development)
            except Exception:  # attributes that raise
                fields["exception"] = compact(shown, words=self._words, redactor=self._redactor)
        standard_logging.emit(level, logfmt(event, fields if copy is None else beside_traceback(fields)), fields, copy)

    def _to_standard_error(self, level: Level, event: str, fields: dict[str, Any], shown: BaseException | None) -> None:
        standard_error.write(
            level,
            event,
            fields,
            shown,
            development=self._development,
            words=self._words,
            redactor=self._redactor,
        )

    def announce(self, event: str, **fields: Any) -> None:
        """An event that is not about a request, at info; at warning where somebody should do something about it."""
        write = self._writer("info" if _TO_BE_DONE.isdisjoint(fields) else "warning")
        if write is not None:
            write(event, fields, None)

    def level_of(self, failure: Failure) -> Level:
        """The level an event has: 4xx info, 429 and what is concealed warning, 5xx error.

        A foreign resource and an absent one have the same: a line that is written takes longer
        than one that is not, and a client can measure that.
        """
        status = failure.public.status
        concealed = failure.private.reason in _CONCEALED
        if self._levels:
            code = failure.public.code if concealed else failure.private.code
            for key in (code, str(status), f"{status // 100}xx"):
                if key in self._levels:
                    return self._levels[key]
        if status >= 500:
            return "error"
        return "warning" if status == 429 or concealed else "info"

    def record(self, request: Request, failure: Failure) -> None:
        """Write the event of one failure."""
        level = "info" if request.outcome in _DEPARTURES else self.level_of(failure)
        if request.outcome in _BROKEN and _NUMBERS[level] < _NUMBERS["warning"]:
            level = "warning"  # whatever its class says, the client has got a broken success
        write = self._writer(level)
        if write is None:
            return
        try:
            fields = self.fields(request, failure)
        except Exception as own:  # a foreign value that nothing here can take: the event stands all the same
            fields = {
                "code": failure.private.code,
                "status": failure.public.status,
                "request_id": request.request_id,
                "exception_type": object.__repr__(failure.private.exception),
                "incomplete": compact(own, words=self._words),
            }
        write(EVENT, fields, _shown(request, failure))

    def fields(self, request: Request, failure: Failure) -> dict[str, Any]:
        """The event's fields, safe to render, but for the traceback."""
        public, private = failure
        route = request.route
        fields: dict[str, Any] = {
            "code": private.code,
            "status": public.status,
            "method": line(request.method, 32),
            "route": None if route is None else line(route),
            "path": line(request.path),
            "request_id": request.request_id,
            "duration_ms": int((perf_counter() - request.started) * 1e6) / 1000,  # `round` is dear
        }
        if public.type:
            fields["type"] = public.type
        trace_id = request.trace_id
        if trace_id is not None:
            fields["trace_id"] = trace_id
        if public.retry_after is not None:
            fields["retry_after"] = public.retry_after
        if private.code != public.code:
            fields["shown_code"] = public.code
        if request.outcome:
            fields["outcome"] = request.outcome
        if private.reason:
            fields["reason"] = line(private.reason)
        if private.owner is not None or private.caller is not None:
            absent = private.owner is None  # the same work as for a resource that is there
            owner = self.value("" if absent else private.owner)
            fields["resource_tenant"], fields["caller_tenant"] = None if absent else owner, self.value(private.caller)
        if private.answered_by != "errorkit":
            fields["answered_by"] = private.answered_by
            if request.left_alone:
                fields["left"] = request.left_alone
        elif request.replaced is not None:
            fields["replaced"] = self.value(request.replaced)
        if public.details:
            fields["details"] = [
                line(f"{detail.location}:{detail.field}: {detail.code}") for detail in public.details[:20]
            ]
        if public.extensions:
            carried = getattr(getattr(getattr(request, "renderer", None), "dialect", None), "carries", ())
            if carried and "extensions" not in carried:  # the envelope has no place for them
                fields["unsent"] = self.value(public.extensions)
        if private.context:
            fields["context"] = self.value(private.context)
        exception = private.exception
        if exception is not None:
            fields["exception_type"] = kind_of(exception).name
            if self._words and private.reason != "validation":
                fields["error"] = told(exception, self._redactor)
        return fields

    def value(self, value: Any) -> Any:
        """A value as JSON types, one line each, with secrets replaced."""
        return _lines(loggable(value, self._redactor, MAX_VALUE))


def _shown(request: Request, failure: Failure) -> BaseException | None:
    """The exception that an event shows with its traceback: of 5xx, and of what broke a response."""
    status = failure.public.status
    broken = (status >= 500 or request.outcome in _BROKEN) and status != CLIENT_CLOSED_REQUEST
    return failure.private.exception if broken else None


def _lines(value: Any) -> Any:
    if isinstance(value, dict):
        return {line(key): _lines(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_lines(item) for item in value]
    return line(value, 2 * MAX_VALUE) if isinstance(value, str) else value


_TO_BE_DONE = frozenset({"development", "shadowed"})
"""Fields of the start-up line: bodies tell more than they should, a setting has no effect."""
_CONCEALED = frozenset({"cross_tenant", "absent"})
_DEPARTURES = frozenset({"incomplete", "client_gone"})
_BROKEN = frozenset({"stream_error", "aborted", "background"})


def add_request_id(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """structlog processor: the request ID in every line written while a request is served."""
    request_id = current.get()
    if request_id is not None:
        event.setdefault("request_id", request_id)
    return event


class RequestIdFilter(logging.Filter):
    """logging filter: `%(request_id)s`, `-` outside of a request. Put it on a handler."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Set the attribute, unless the record has it; never drops the record."""
        if "request_id" not in record.__dict__:
            record.request_id = current.get() or "-"
        return True


_WORDLESS: WeakSet[EventLog] = WeakSet()
"""Those that keep exceptions' words out: while there is one, `last_resort` does, too."""


def last_resort(what: str, exception: BaseException) -> None:
    """errorkit's own failure, where even logging fails: to standard error, never raised."""
    try:
        text = f"errorkit: {what}: {compact(exception, words=not _WORDLESS)}"
        try:
            standard_logging.emit(logging.ERROR, text)
        except Exception:
            sys.stderr.write(text + "\n")
    except Exception:  # noqa: S110 - standard error is closed: nobody is left to tell
        pass
