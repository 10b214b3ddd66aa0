"""An exception in words for the log: bounded, one line each, without local variables and without what was submitted."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from json import dumps
from types import TracebackType
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from errorkit.failure import leaves
from errorkit.finding_paths import client_path
from errorkit.redaction import Redactor
from errorkit.texts import CUT, text_of
from errorkit.values import loggable

MAX_TRACEBACK = 65536
"""Characters of one text."""
MAX_EXCEPTIONS = 250
"""Exceptions that one text tells of, however they are chained and grouped."""
MAX_VALUE = 2048
MAX_FRAMES = 40
MAX_CHAIN = 12
MAX_LEAVES = 20
MAX_DEPTH = 8
_MAX_FINDINGS = 1000

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_ECHOING = frozenset(
    {("pydantic_core._pydantic_core", "ValidationError"), ("fastapi.exceptions", "ValidationException")}
)
_HTTP = frozenset({("starlette.exceptions", "HTTPException"), ("werkzeug.exceptions", "HTTPException")})
_PLAIN = Redactor()

Frames = Callable[[TracebackType | None], list[str]]
"""Tells of a traceback's frames, from the outside in."""


def line(value: str, limit: int = MAX_VALUE) -> str:
    """Untrusted text as one line: control and bidirectional characters escaped, bounded."""
    if type(value) is str and len(value) <= limit and value.isprintable():  # no surrogates, none of _CONTROL
        return value
    cut = text_of(value, limit)
    return _CONTROL.sub(lambda m: m[0].encode("unicode_escape").decode("ascii"), cut)


def said(text: str, redactor: Redactor = _PLAIN) -> str:
    """Words for the log, as one line and without secrets."""
    return line(redactor.text(text))


class Kind(NamedTuple):
    """What is the same for all exceptions of a class.

    name: with its module, as one line. echoes: a validator's, whose words repeat what was submitted.
    http: a framework's, which may hold more than text.
    """

    name: str
    echoes: bool
    http: bool


_kinds: WeakKeyDictionary[type, Kind] = WeakKeyDictionary()
"""An application may make classes while it runs, and let go of them."""


def kind_of(exception: BaseException) -> Kind:
    """What is known of its class, found out once."""
    cls = type(exception)
    try:
        return _kinds[cls]
    except KeyError:
        names = {(base.__module__, base.__name__) for base in cls.__mro__}
        echoes = hasattr(cls, "errors") and bool(names & _ECHOING)
        _kinds[cls] = kind = Kind(line(f"{cls.__module__}.{cls.__qualname__}"), echoes, bool(names & _HTTP))
        return kind


def told(exception: BaseException, redactor: Redactor = _PLAIN) -> str:
    """An exception's own words; of a validator, whose words repeat what was submitted: where and what it found."""
    kind = kind_of(exception)
    if kind.echoes:
        return line(_findings(exception))
    if kind.http:
        detail = getattr(exception, "detail", None) or getattr(exception, "description", None)
        if detail is not None and not isinstance(detail, str):
            status = getattr(exception, "status_code", None) or getattr(exception, "code", None)
            return line(f"{text_of(status, 16)}: {dumps(loggable(detail, redactor, 512), ensure_ascii=False)}")
    return said(text_of(exception, MAX_VALUE), redactor)


def _findings(exception: Any) -> str:
    count = getattr(exception, "error_count", None)
    if count is None:
        found = exception.errors()
        number = len(found)
    else:
        number = count()
        small = number <= _MAX_FINDINGS
        found = exception.errors(include_url=False, include_context=False, include_input=False) if small else ()
    places = (f"{'.'.join(map(str, client_path(each)))} {each['type']}" for each in found[:10])
    return f"{number} finding{'s' * (number != 1)}: {', '.join(places)}"


def notes(exception: BaseException, redactor: Redactor = _PLAIN) -> list[str]:
    """The notes that have been added to an exception, the first few."""
    added = getattr(exception, "__notes__", ())
    return [said(text_of(note, MAX_VALUE), redactor) for note in added[:5]] if isinstance(added, (list, tuple)) else []


def compact(exception: BaseException, *, words: bool = True, redactor: Redactor = _PLAIN) -> str:
    """A traceback of `file:line function` per frame: bounded, and without local variables. Never raises.

    words: include the exceptions' own text.
    """
    return traceback_text(exception, _frames, words=words, redactor=redactor)


def traceback_text(exception: BaseException, frames: Frames, *, words: bool = True, redactor: Redactor = _PLAIN) -> str:
    """A traceback, as `compact` makes it, whose frames are told in another way. Never raises."""
    text = "\n".join(_Text(words, redactor, frames).chain(exception, 0))
    return text if len(text) <= MAX_TRACEBACK else text[:MAX_TRACEBACK] + CUT


class _Text:
    """One text; its bounds hold for all exceptions in it together, each of which is told once."""

    def __init__(self, words: bool, redactor: Redactor, frames: Frames) -> None:
        self.words = words
        self.redactor = redactor
        self.frames = frames
        self.seen: set[int] = set()
        self.characters = MAX_TRACEBACK

    def chain(self, exception: BaseException, depth: int) -> Iterator[str]:
        link: BaseException | None = exception
        how = ""
        length = 0
        while link is not None and id(link) not in self.seen and length < MAX_CHAIN and self._room(depth):
            self.seen.add(id(link))
            length += 1
            try:
                rows = how + self._one(link, depth)
                self.characters -= len(rows)
                yield rows
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

    def _room(self, depth: int) -> bool:
        return len(self.seen) < MAX_EXCEPTIONS and self.characters > 0 and depth < MAX_DEPTH

    def _one(self, exception: BaseException, depth: int) -> str:
        kind = type(exception)
        name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
        lines = [f"{name}: {told(exception, self.redactor)}" if self.words else name]
        lines += [f"  {frame}" for frame in self.frames(exception.__traceback__)]
        if self.words:
            lines += [f"  note: {note}" for note in notes(exception, self.redactor)]
        if isinstance(exception, BaseExceptionGroup):
            members = leaves(exception, MAX_LEAVES + 1)
            for leaf in members[:MAX_LEAVES]:
                lines += ["  | " + row for row in "\n".join(self.chain(leaf, depth + 1)).split("\n")]
            if len(members) > MAX_LEAVES:
                lines.append("  | " + CUT)
        return "\n".join(lines)


def _frames(traceback: TracebackType | None) -> list[str]:
    frames: list[str] = []
    skipped = 0
    while traceback is not None:
        if len(frames) >= MAX_FRAMES:  # keep the innermost: that is where it failed
            del frames[MAX_FRAMES // 2]
            skipped += 1
        code = traceback.tb_frame.f_code
        frames.append(f"{code.co_filename}:{traceback.tb_lineno} {code.co_qualname}")
        traceback = traceback.tb_next
    if skipped:
        frames.insert(MAX_FRAMES // 2, f"… {skipped} frames")
    return frames
