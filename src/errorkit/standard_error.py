"""Where no log is configured: standard error. Rows that fit a terminal; elsewhere one line for each event."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any
from unicodedata import combining, east_asian_width

from errorkit.exception_text import compact, traceback_text
from errorkit.logfmt import beside_traceback, logfmt, pairs
from errorkit.redaction import Redactor
from errorkit.source_frames import MARK, frames
from errorkit.standard_logging import logger

_WIDTH = 80
"""Columns, where the terminal does not tell how many it has."""
_NARROWEST = 40
_INDENT = 2
"""Of a traceback's frames, and of what goes on in the next row."""

_RESET = "\x1b[0m"
_COLOURS = {
    "debug": "\x1b[2m",
    "info": "\x1b[32m",
    "warning": "\x1b[33m",
    "error": "\x1b[31m",
    "critical": "\x1b[1;31m",
    "name": "\x1b[2m",
    "failed": "\x1b[1;31m",
    "aside": "\x1b[2m",
}


def takes(level: int) -> bool:
    """Is an event of a level written: from info on, or from what the logger `errorkit` has been set to.

    The root logger's own default, warning, is nobody's wish.
    """
    known = logger()
    least = logging.INFO if known is logging.root else known.level or logging.INFO
    return level >= least and level > known.manager.disable and not known.disabled


def write(
    level: str,
    event: str,
    fields: dict[str, Any],
    exception: BaseException | None,
    *,
    development: bool,
    words: bool,
    redactor: Redactor,
) -> None:
    """Write an event; `development`: as on a terminal, wherever it goes. An exception is shown with its traceback."""
    stream = sys.stderr
    if stream is None:  # a process without one
        return
    on_terminal = bool(getattr(stream, "isatty", bool)())
    if not (on_terminal or development):
        if exception is not None:
            fields["exception"] = compact(exception, words=words, redactor=redactor)
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        stream.write(f"{now} {level.upper()} {logfmt(event, fields)}\n")
        return
    width = _columns(stream) if on_terminal else _told_columns() or _WIDTH
    paint = _Paint(on_terminal and _wants_colours())
    rows = list(_head(level, event, fields if exception is None else beside_traceback(fields), width, paint))
    if exception is not None:
        text = traceback_text(exception, partial(frames, width=width - 2 * _INDENT), words=words, redactor=redactor)
        rows += _told(text.split("\n"), width, paint)
    stream.write("\n".join(rows) + "\n")


def _head(level: str, event: str, fields: dict[str, Any], width: int, paint: _Paint) -> Iterator[str]:
    """Time, level, event and as many fields in each row as fit."""
    time, label = f"{datetime.now():%H:%M:%S}", f"{level.upper():<7}"
    row = f"{time} {paint(level, label)} {event}"
    used = len(time) + len(label) + len(event) + 2
    indent = " " * (len(time) + len(label) + 2)
    for pair in pairs(fields):
        size = columns_of(pair)
        if used + 1 + size > width:
            yield row
            first, *more = _broken(pair, width - len(indent))
            row, used = indent + paint.pair(first), len(indent) + columns_of(first)
            for part in more:
                yield row
                row, used = indent + part, len(indent) + columns_of(part)
        else:
            row, used = f"{row} {paint.pair(pair)}", used + 1 + size
    yield row


def _told(rows: list[str], width: int, paint: _Paint) -> Iterator[str]:
    """A traceback's rows; what is too long goes on in the next row, as far in."""
    for row in rows:
        bare = row.lstrip(" |")
        style = "aside" if bare.startswith("… ") else "failed" if bare.startswith(MARK) or row == rows[0] else ""
        indent = row[: len(row) - len(bare)][: width // 2]
        first, *more = _broken(bare, width - len(indent) - _INDENT)
        yield indent + paint(style, first)
        yield from (" " * _INDENT + indent + paint(style, part) for part in more)


def _broken(text: str, width: int) -> Iterator[str]:
    """Text in parts of at most `width` columns, broken at spaces where there are some."""
    while columns_of(text) > width:
        size = at = 0
        for at, character in enumerate(text):  # noqa: B007 - where it is full
            size += _columns_of(character)
            if size > width:
                break
        space = text.rfind(" ", at // 2, at + 1)
        yield text[: at if space < 0 else space]
        text = text[at if space < 0 else space + 1 :]
    yield text


def columns_of(text: str) -> int:
    """How many columns of a terminal a text takes."""
    return len(text) if text.isascii() else sum(map(_columns_of, text))


def _columns_of(character: str) -> int:
    return 0 if combining(character) else 2 if east_asian_width(character) in "WF" else 1


class _Paint:
    """Colours, or none."""

    def __init__(self, colours: bool) -> None:
        self.colours = colours

    def __call__(self, style: str, text: str) -> str:
        return f"{_COLOURS[style]}{text}{_RESET}" if self.colours and style else text

    def pair(self, pair: str) -> str:
        """A field, its name less bright than its value."""
        name, sign, value = pair.partition("=")
        return self("name", name + sign) + value if sign else pair


def _columns(stream: Any) -> int:
    try:
        found = os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        found = 0
    return max(_told_columns() or found or _WIDTH, _NARROWEST)


def _told_columns() -> int:
    told = os.environ.get("COLUMNS", "")
    return max(int(told), _NARROWEST) if told.isdecimal() and int(told) else 0


def _wants_colours() -> bool:
    """Source: no-color.org; a terminal that can do nothing calls itself dumb."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
