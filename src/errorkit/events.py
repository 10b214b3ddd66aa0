"""The one structured log event per failure, and the request ID in the application's own lines.

Values are made safe before structlog sees them: its renderers lose an event over a cycle
or a raising `repr`, and print local variables of tracebacks by default.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from time import perf_counter
from types import TracebackType
from typing import Any, Literal

import structlog

from errorkit.encoding import CUT, safe, text_of
from errorkit.exchange import CLIENT_CLOSED_REQUEST, Request
from errorkit.failure import Failure, leaves
from errorkit.request_id import current

Level = Literal["debug", "info", "warning", "error", "critical"]

EVENT = "request_failed"
REDACTED = "[redacted]"
SECRET_NAMES = (
    "password", "passwd", "secret", "token", "authorization", "api_key", "apikey", "access_key",
    "private_key", "cookie", "session", "credential", "ssn", "card_number", "cvc", "cvv", "pin",
)  # fmt: skip
"""A member is redacted if its name, in lower case with `_` for `-`, holds one of these words."""

_MAX_FRAMES = 40
_MAX_CHAIN = 12
_MAX_LEAVES = 20
_MAX_TRACEBACK = 65536
_MAX_VALUE = 2048
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_NUMBERS = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}

_ECHOING = frozenset(
    {("pydantic_core._pydantic_core", "ValidationError"), ("fastapi.exceptions", "ValidationException")}
)


class EventLog:
    """Turns failures into events of the logger `errorkit`.

    levels: overrides, by code, by status (`"404"`) or by family (`"4xx"`).
    redact: further names of members whose values are not logged.
    redact_exception_text: log an exception's class and frames, not its words.
    """

    def __init__(
        self,
        *,
        levels: Mapping[str, Level] | None = None,
        redact: Iterable[str] = (),
        redact_exception_text: bool = False,
    ) -> None:
        self._levels = dict(levels or {})
        words = [re.escape(word.lower().replace("-", "_")) for word in (*SECRET_NAMES, *redact)]
        long = "|".join(word for word in words if len(word) > 4)  # a short one only as a word of its own
        self._secret = re.compile(rf"(?:^|_)(?:{'|'.join(words)})(?:s|_|\d|$)|{long}").search
        self._words = not redact_exception_text
        self._logger = structlog.get_logger("errorkit")
        self._wrapper: object = None
        self._wrapper_least = 0

    def logger(self) -> Any:
        """The logger as structlog is configured now; structlog remembers it if its user wants that."""
        return self._logger.bind()

    def _least(self) -> int:
        """The level below which structlog drops an event, where that is known without making a logger.

        The level of structlog's own filtering loggers is part of their class.
        """
        wrapper = structlog.get_config()["wrapper_class"]
        if wrapper is not self._wrapper:
            level: Any = getattr(wrapper, "get_effective_level", None)
            known = getattr(level, "__module__", "") == structlog.make_filtering_bound_logger.__module__
            self._wrapper, self._wrapper_least = wrapper, level(None) if known else 0
        return self._wrapper_least

    def announce(self, event: str, **fields: Any) -> None:
        """An event that is not about a request, at info."""
        self.logger().info(event, **fields)

    def level_of(self, failure: Failure) -> Level:
        """The level an event has: 4xx info, 429 and cross-tenant warning, 5xx error."""
        status = failure.public.status
        if self._levels:
            for key in (failure.private.code, str(status), f"{status // 100}xx"):
                if key in self._levels:
                    return self._levels[key]
        if status >= 500:
            return "error"
        if status == 429 or failure.private.reason == "cross_tenant":
            return "warning"
        return "info"

    def record(self, request: Request, failure: Failure) -> None:
        """Write the event of one failure."""
        level = "info" if request.outcome in _DEPARTURES else self.level_of(failure)
        if request.outcome in _BROKEN and _NUMBERS[level] < _NUMBERS["warning"]:
            level = "warning"  # whatever its class says, the client has got a broken success
        if _NUMBERS[level] < self._least():
            return
        logger = self.logger()
        enabled: Callable[[int], bool] | None = getattr(logger, "is_enabled_for", None)
        if enabled is not None and not enabled(_NUMBERS[level]):
            return
        try:
            fields = self.fields(request, failure)
        except Exception as own:  # a foreign value that nothing here can take: the event stands all the same
            fields = {
                "code": failure.private.code,
                "status": failure.public.status,
                "request_id": request.request_id,
                "exception_type": object.__repr__(failure.private.exception),
                "incomplete": compact(own),
            }
        getattr(logger, level)(EVENT, **fields)

    def fields(self, request: Request, failure: Failure) -> dict[str, Any]:
        """The event's fields, safe to render."""
        public, private = failure
        route = request.route
        fields: dict[str, Any] = {
            "code": private.code,
            "status": public.status,
            "method": line(request.method, 32),
            "route": None if route is None else line(route),
            "path": line(request.path),
            "request_id": request.request_id,
            "duration_ms": round((perf_counter() - request.started) * 1000, 3),
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
            fields["resource_tenant"], fields["caller_tenant"] = (
                self.value(private.owner), self.value(private.caller),
            )  # fmt: skip
        if private.answered_by != "errorkit":
            fields["answered_by"] = private.answered_by
        if public.details:
            fields["details"] = [
                line(f"{detail.location}:{detail.field}: {detail.code}") for detail in public.details[:20]
            ]
        if private.context:
            fields["context"] = self.value(private.context)
        exception = private.exception
        if exception is not None:
            fields["exception_type"] = line(f"{type(exception).__module__}.{type(exception).__qualname__}")
            if self._words and private.reason != "validation":
                fields["error"] = _told(exception)
            if (public.status >= 500 or request.outcome in _BROKEN) and public.status != CLIENT_CLOSED_REQUEST:
                fields["exception"] = compact(exception, words=self._words)
        return fields

    def value(self, value: Any) -> Any:
        """A value as JSON types, one line each, with secrets replaced."""
        return self._redact(safe(value, _MAX_VALUE))

    def _redact(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {
                line(key): REDACTED if self._secret(key.lower().replace("-", "_")) else self._redact(item)
                for key, item in value.items()
            }
        if isinstance(value, list):
            return [self._redact(item) for item in value]
        return line(value) if isinstance(value, str) else value


_DEPARTURES = frozenset({"incomplete", "client_gone"})
_BROKEN = frozenset({"stream_error", "aborted", "background"})


def line(value: str, limit: int = _MAX_VALUE) -> str:
    """Untrusted text as one line: control and bidirectional characters escaped, bounded."""
    if type(value) is str and len(value) <= limit and value.isprintable():  # no surrogates, none of _CONTROL
        return value
    cut = text_of(value, limit)
    return _CONTROL.sub(lambda m: m[0].encode("unicode_escape").decode("ascii"), cut)


def compact(exception: BaseException, *, words: bool = True) -> str:
    """A traceback of `file:line function` per frame: bounded, and without local variables. Never raises.

    words: include the exceptions' own text.
    """
    text = "\n".join(_chain(exception, words))
    return text if len(text) <= _MAX_TRACEBACK else text[:_MAX_TRACEBACK] + CUT


def _chain(exception: BaseException, words: bool) -> Iterator[str]:
    seen: set[int] = set()
    link: BaseException | None = exception
    how = ""
    while link is not None and id(link) not in seen and len(seen) < _MAX_CHAIN:
        seen.add(id(link))
        try:
            yield how + _one(link, words)
            if link.__cause__ is not None:
                link, how = link.__cause__, "caused by "
            elif link.__suppress_context__:
                link = None
            else:
                link, how = link.__context__, "while handling "
        except Exception:  # attributes that raise
            yield how + object.__repr__(link)
            return
    if link is not None:
        yield CUT


def _told(exception: BaseException) -> str:
    """An exception's own words; of a validator, whose words repeat what was submitted: where and what it found."""
    kind = type(exception)
    if hasattr(kind, "errors") and any((base.__module__, base.__name__) in _ECHOING for base in kind.__mro__):
        found = list(exception.errors())  # type: ignore[attr-defined]
        places = ("{} {}".format(".".join(map(str, each["loc"])), each["type"]) for each in found[:10])
        return line(f"{len(found)} findings: {', '.join(places)}")
    return line(text_of(exception, _MAX_VALUE))


def _one(exception: BaseException, words: bool) -> str:
    kind = type(exception)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    head = f"{name}: {_told(exception)}" if words else name
    lines = [head]
    lines += [f"  {frame}" for frame in _frames(exception.__traceback__)]
    if words:
        notes = getattr(exception, "__notes__", ())
        if isinstance(notes, (list, tuple)):
            lines += [f"  note: {line(text_of(note, _MAX_VALUE))}" for note in notes[:5]]
    if isinstance(exception, BaseExceptionGroup):
        members = leaves(exception, _MAX_LEAVES + 1)
        for leaf in members[:_MAX_LEAVES]:
            lines += ["  | " + row for row in "\n".join(_chain(leaf, words)).split("\n")]
        if len(members) > _MAX_LEAVES:
            lines.append("  | " + CUT)
    return "\n".join(lines)


def _frames(traceback: TracebackType | None) -> list[str]:
    frames: list[str] = []
    skipped = 0
    while traceback is not None:
        if len(frames) >= _MAX_FRAMES:  # keep the innermost: that is where it failed
            del frames[_MAX_FRAMES // 2]
            skipped += 1
        code = traceback.tb_frame.f_code
        frames.append(f"{code.co_filename}:{traceback.tb_lineno} {code.co_qualname}")
        traceback = traceback.tb_next
    if skipped:
        frames.insert(_MAX_FRAMES // 2, f"… {skipped} frames")
    return frames


def add_request_id(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """structlog processor: the request ID in every line written while a request is served."""
    request_id = current.get()
    if request_id is not None:
        event.setdefault("request_id", request_id)
    return event


class RequestIdFilter(logging.Filter):
    """logging filter: `%(request_id)s`, `-` outside of a request. Put it on a handler."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Set the attribute; never drops the record."""
        record.request_id = current.get() or "-"
        return True


def last_resort(what: str, exception: BaseException) -> None:
    """errorkit's own failure, where even logging fails: to standard error, never raised."""
    try:
        text = f"errorkit: {what}: {compact(exception)}"
        try:
            logging.getLogger("errorkit").error("%s", text)
        except Exception:
            sys.stderr.write(text + "\n")
    except Exception:  # noqa: S110 - standard error is closed: nobody is left to tell
        pass
