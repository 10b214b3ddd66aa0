"""The frames of a traceback for whoever wrote the code: their own with source, those of libraries counted."""

from __future__ import annotations

import linecache
import os
import sysconfig
from collections.abc import Iterator
from functools import lru_cache
from types import TracebackType

from errorkit.exception_text import line

_AROUND = 2
"""Lines of source before and after the one that failed."""
_MAX_OWN = 20
_MAX_NAMED = 4


def is_own(filename: str) -> bool:
    """Is a file the application's: neither installed, nor of Python's library, nor errorkit's."""
    return _package(filename) is None


def split(traceback: TracebackType | None) -> Iterator[TracebackType | list[str]]:
    """The application's own frames and the innermost, and between them the packages of those that are left out.

    From the outside in; of very many frames of its own the application gets the innermost.
    """
    entries: list[TracebackType] = []
    while traceback is not None:
        entries.append(traceback)
        traceback = traceback.tb_next
    shown = [at for at, each in enumerate(entries) if is_own(each.tb_frame.f_code.co_filename)][-_MAX_OWN:]
    if entries and (not shown or shown[-1] != len(entries) - 1):
        shown.append(len(entries) - 1)
    after = 0
    for at in shown:
        if at > after:
            yield [_package(each.tb_frame.f_code.co_filename) or _OWN for each in entries[after:at]]
        yield entries[at]
        after = at + 1


def folded(packages: list[str]) -> str:
    """`9 frames of starlette, fastapi`, for frames that are left out; nothing for none."""
    if not packages:
        return ""
    names = list(dict.fromkeys(packages))
    more = ", …" if len(names) > _MAX_NAMED else ""
    return f"{len(packages)} frame{'s' * (len(packages) != 1)} of {', '.join(names[:_MAX_NAMED])}{more}"


def frames(traceback: TracebackType | None, width: int) -> list[str]:
    """Rows of text: where each frame is, with its line of source; the last own one with the lines around it.

    width: of a row of source, in characters; what is longer is cut.
    """
    parts = list(split(traceback))
    own = [each for each in parts if isinstance(each, TracebackType) and is_own(each.tb_frame.f_code.co_filename)]
    rows: list[str] = []
    for each in parts:
        if isinstance(each, list):
            rows.append(f"… {folded(each)}")
            continue
        code = each.tb_frame.f_code
        rows.append(f'File "{line(_shortened(code.co_filename))}", line {each.tb_lineno}, in {line(code.co_qualname)}')
        around = _AROUND if own and each is own[-1] else 0
        rows += _source(each, around, width)
    return rows


def _source(entry: TracebackType, around: int, width: int) -> list[str]:
    """The line that failed, marked if others are around it; nothing where the source is not there."""
    filename, failed = entry.tb_frame.f_code.co_filename, entry.tb_lineno
    linecache.checkcache(filename)
    source = linecache.getlines(filename, entry.tb_frame.f_globals)
    if not 0 < failed <= len(source):
        return []
    numbers = list(range(max(1, failed - around), min(len(source), failed + around) + 1))
    for end in (0, -1):
        while numbers[end] != failed and not source[numbers[end] - 1].strip():
            del numbers[end]
    texts = {number: source[number - 1].rstrip().expandtabs(4) for number in numbers}
    margin = min((len(text) - len(text.lstrip()) for text in texts.values() if text), default=0)
    digits = len(str(numbers[-1]))
    rows = []
    for number, text in texts.items():
        mark = f"{MARK if number == failed else ' '} {number:>{digits}} " if around else "  "
        row = f"  {mark}{line(text[margin:], 2 * width)}".rstrip()
        rows.append(row if len(row) <= width else row[: width - 1] + "…")
    return rows


MARK = "❱"
"""Before the line that failed."""
_OWN = "the application"


@lru_cache(maxsize=4096)
def _package(filename: str) -> str | None:
    """The package that a file belongs to, `python` for the standard library; None for the application's."""
    path = os.path.abspath(filename)
    for folder in ("site-packages", "dist-packages"):
        _, found, inner = path.rpartition(f"{os.sep}{folder}{os.sep}")
        if found:
            return inner.split(os.sep)[0].removesuffix(".py")
    if filename.startswith("<frozen "):
        return "python"
    if path.startswith(_ERRORKIT):
        return "errorkit"
    return "python" if path.startswith(_LIBRARIES) else None


_ERRORKIT = os.path.dirname(os.path.abspath(__file__)) + os.sep
_LIBRARIES = tuple(
    {os.path.abspath(sysconfig.get_path(name)) + os.sep for name in ("stdlib", "platstdlib")}
    | {os.path.dirname(os.path.abspath(linecache.__file__)) + os.sep}
)


def _shortened(filename: str) -> str:
    """The path from the working directory, where the file is inside of it."""
    try:
        inner = os.path.relpath(filename)
    except ValueError:  # on another drive
        return filename
    return filename if filename.startswith("<") or inner.startswith(os.pardir) else inner
