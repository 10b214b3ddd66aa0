"""A copy of an exception that any log handler may show.

Handlers print an exception's words as they are, and some of them the local variables of its frames (Rich, loguru).
The copy has the class's name, the words as the log has them (without secrets, or none at all) and frames of the same
places in the source that hold no variables: tracebacks look as usual and tell no more than errorkit's own text.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from types import CodeType, FunctionType, TracebackType
from typing import Any

from errorkit.exception_text import MAX_CHAIN, MAX_DEPTH, MAX_EXCEPTIONS, MAX_FRAMES, MAX_LEAVES, notes, told
from errorkit.failure import leaves
from errorkit.redaction import Redactor
from errorkit.source_frames import folded, split


def copied(exception: BaseException, *, words: bool, redactor: Redactor, own: bool = False) -> BaseException:
    """The copy, with its causes and its group's members, bounded as `exception_text.compact` is.

    words: include the exceptions' own text. own: of the frames only the application's own and the innermost, with a
    note on those that are left out.
    """
    return _Copy(words, redactor, own).chain(exception, 0)


def is_copy(exception: object) -> bool:
    """Has errorkit made an exception for log handlers."""
    return isinstance(exception, (_ExceptionCopy, _GroupCopy))


class _Copy:
    """One copy; an exception that it holds already, or that is too much, ends a chain."""

    def __init__(self, words: bool, redactor: Redactor, own: bool) -> None:
        self.words = words
        self.redactor = redactor
        self.own = own
        self.seen: set[int] = set()

    def chain(self, exception: BaseException, depth: int) -> BaseException:
        first = last = self._one(exception, depth)
        link = exception
        for _ in range(MAX_CHAIN - 1):
            cause = link.__cause__
            follows = cause if cause is not None or link.__suppress_context__ else link.__context__
            if follows is None or id(follows) in self.seen or len(self.seen) >= MAX_EXCEPTIONS:
                break
            copy = self._one(follows, depth)
            if cause is not None:
                last.__cause__ = copy
            else:
                last.__context__ = copy
            link, last = follows, copy
        return first

    def _one(self, exception: BaseException, depth: int) -> BaseException:
        self.seen.add(id(exception))
        kind = type(exception)
        text = told(exception, self.redactor) if self.words else ""
        copy: BaseException
        if isinstance(exception, BaseExceptionGroup) and depth < MAX_DEPTH:
            members = [each for each in leaves(exception, MAX_LEAVES) if id(each) not in self.seen]
            inner = [self.chain(each, depth + 1) for each in members[: MAX_EXCEPTIONS - len(self.seen)]]
            copy = _class(kind.__module__, kind.__qualname__, bool(inner))(text, *([inner] if inner else []))
        else:
            copy = _class(kind.__module__, kind.__qualname__, False)(text)
        if self.words:
            for note in notes(exception, self.redactor):
                copy.add_note(note)
        return copy.with_traceback(self._traceback(exception, copy))

    def _traceback(self, exception: BaseException, copy: BaseException) -> TracebackType | None:
        left_out = ""
        if self.own:
            parts = list(split(exception.__traceback__))
            entries = [each for each in parts if isinstance(each, TracebackType)]
            left_out = folded([name for each in parts if isinstance(each, list) for name in each])
        else:
            entries = list(_entries(exception.__traceback__))
            if len(entries) > MAX_FRAMES:  # the innermost are where it failed
                left_out = f"{len(entries) - MAX_FRAMES} frames in the middle"
                entries = [*entries[: MAX_FRAMES // 2], *entries[-(MAX_FRAMES // 2) :]]
        if left_out:
            copy.add_note(f"({left_out} not shown)")
        traceback = None
        for entry in reversed(entries):
            traceback = _placed(entry, traceback)
        return traceback


def _entries(traceback: TracebackType | None) -> Iterator[TracebackType]:
    while traceback is not None:
        yield traceback
        traceback = traceback.tb_next


def _placed(entry: TracebackType, inner: TracebackType | None) -> TracebackType:
    """An entry of the same place: its frame is that of a generator which has not begun, so it has no variables.

    Nor has it a frame further out, which some handlers would walk to.
    """
    code, known = entry.tb_frame.f_code, entry.tb_frame.f_globals
    place = _NOWHERE.replace(
        co_filename=code.co_filename,
        co_name=code.co_name,
        co_qualname=code.co_qualname,
        co_firstlineno=entry.tb_lineno,
    )
    names: dict[str, Any] = {
        name: known[name] for name in ("__name__", "__loader__") if name in known
    }  # by which source is found
    return TracebackType(inner, FunctionType(place, names)().gi_frame, -1, entry.tb_lineno)


def _nowhere() -> Iterator[None]:
    yield


def _without_columns(code: CodeType) -> CodeType:
    """Code whose instructions all have its first line and no column, so that no handler marks a part of the line.

    Source: CPython, Objects/locations.md, entries of kind 13.
    """
    units = len(code.co_code) // 2
    entries = (bytes((0b11101000 | min(8, units - at) - 1, 0)) for at in range(0, units, 8))
    return code.replace(co_linetable=b"".join(entries))


_NOWHERE = _without_columns(_nowhere.__code__)


@lru_cache(maxsize=256)
def _class(module: str, qualname: str, group: bool) -> type[Any]:
    """A class of the same name. Not a subclass: the original may take other arguments, or count its subclasses."""
    base = _GroupCopy if group else _ExceptionCopy
    return type(qualname.rpartition(".")[2], (base,), {"__module__": module, "__qualname__": qualname})


class _ExceptionCopy(Exception):
    """Has the words of another one."""


class _GroupCopy(ExceptionGroup[Exception]):
    """Has the words of another one, which tell already how many it holds."""

    def __str__(self) -> str:
        return self.message
