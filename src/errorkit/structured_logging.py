"""JSON lines for production: one structlog processor that does the work of six.

    structlog.configure(
        processors=[JSONLine()],
        wrapper_class=structlog.make_filtering_bound_logger("info"),
        logger_factory=structlog.BytesLoggerFactory(),
        cache_logger_on_first_use=True,
    )

Nothing in errorkit needs it, and errorkit never configures structlog: whatever the
application has chosen stands.
"""

from __future__ import annotations

import sys
from collections.abc import MutableMapping
from time import gmtime, strftime, time_ns
from typing import Any

from structlog.contextvars import get_contextvars

from errorkit.encoding import encode_line
from errorkit.events import compact
from errorkit.request_id import current

_LEVELS = {"warn": "warning", "exception": "error"}


class JSONLine:
    """The last processor: an event as one line of JSON, in bytes without the line's end.

    Adds what is bound by `structlog.contextvars`, the request ID while a request is served,
    `level`, `timestamp` (UTC, ISO 8601 with microseconds), and for `exc_info` the traceback
    as `exception`: `file:line function` per frame, without source lines and local variables.
    A field that the event or an earlier processor has set is left as it is. Never raises
    for a value: what JSON cannot say is written as text.

    words: include the exceptions' own text.
    """

    def __init__(self, *, words: bool = True) -> None:
        self._words = words
        self._second: tuple[int, str] = (-1, "")

    def __call__(self, _logger: Any, method: str, event: MutableMapping[str, Any]) -> bytes:
        """structlog's processor protocol."""
        line: dict[str, Any] = {"timestamp": self._timestamp(), "level": _LEVELS.get(method, method)}
        request_id = current.get()
        if request_id is not None:
            line["request_id"] = request_id
        line.update(get_contextvars())
        line.update(event)
        if "exc_info" in line:
            exception = _exception(line.pop("exc_info"))
            if exception is not None:
                line.setdefault("exception", compact(exception, words=self._words))
        return encode_line(line)

    def _timestamp(self) -> str:
        second, rest = divmod(int(time_ns()), 1_000_000_000)
        cached = self._second
        if cached[0] != second:  # one tuple, so that threads see a second and its text together
            cached = self._second = (second, strftime("%Y-%m-%dT%H:%M:%S", gmtime(second)))
        return f"{cached[1]}.{rest // 1000:06d}Z"


def _exception(exc_info: Any) -> BaseException | None:
    """The exception that an `exc_info` in any of logging's forms means."""
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple):
        return exc_info[1] if len(exc_info) == 3 and isinstance(exc_info[1], BaseException) else None
    return sys.exception() if exc_info else None
