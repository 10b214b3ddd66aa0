"""The standard library's logging, as whoever runs the service has configured it by now: a record for each event."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

LOGGER = "errorkit"
"""The name of the records' logger."""

_NOTHING: Mapping[str, Any] = {}


def logger() -> logging.Logger:
    """The logger `errorkit` if anybody has asked for it, else the root logger.

    It is never made here: `dictConfig` by default switches off every logger that exists and that it does not name.
    """
    known = logging.root.manager.loggerDict.get(LOGGER)
    return known if isinstance(known, logging.Logger) else logging.root


def emit(
    level: int, message: str, fields: Mapping[str, Any] = _NOTHING, exception: BaseException | None = None
) -> None:
    """Hand a record to the logger's handlers, unless its level is dropped.

    fields: become attributes of the record, each by its name; one by which the record has an attribute already
    (logging's own, or a record factory's) as `errorkit_<name>`. `extra` would refuse these.
    exception: what the handlers show as `exc_info`.
    """
    to = logger()
    if not to.isEnabledFor(level):
        return
    exc_info = None if exception is None else (type(exception), exception, exception.__traceback__)
    record = to.makeRecord(LOGGER, level, LOGGER, 0, message, (), exc_info)  # `%(module)s`: errorkit
    attributes = record.__dict__
    for name, value in fields.items():
        attributes[f"errorkit_{name}" if name in attributes or name in _SET_BY_FORMATTERS else name] = value
    to.handle(record)


_SET_BY_FORMATTERS = ("message", "asctime")
