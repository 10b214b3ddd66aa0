"""Python source that is changed by its spans: what is not touched stays byte for byte as it is.

Read by libcst (the extra `adopt`), which knows every version's grammar, whichever Python runs this.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from functools import cache, cached_property
from pathlib import Path
from typing import Any, NamedTuple

import libcst as cst
from libcst import metadata


class Unreadable(ValueError):
    """A file that cannot be read as Python. The text says why."""


class Edit(NamedTuple):
    """Bytes `start` to `end` become `text`; of two at one place the first goes first."""

    start: int
    end: int
    text: str


class Source:
    """One file, parsed. Raises Unreadable."""

    def __init__(self, path: Path, name: str, *, content: bytes | None = None) -> None:
        self.path = path
        self.name = name
        """The module's import name."""
        try:
            self.content = path.read_bytes() if content is None else content
            module = cst.parse_module(self.content)
            if module.encoding.lower() != "utf-8" or self.content.startswith(b"\xef\xbb\xbf"):
                raise Unreadable(f"it is written in {module.encoding}, and not in plain UTF-8")
            self.tree = metadata.MetadataWrapper(module, unsafe_skip_copy=True)
        except (cst.ParserSyntaxError, UnicodeDecodeError, OSError, RecursionError) as error:
            raise Unreadable(f"it cannot be read as Python: {str(error).splitlines()[0]}") from None
        self.module = self.tree.module
        self._edits: dict[Edit, None] = {}

    @cached_property
    def _spans(self) -> Mapping[cst.CSTNode, Any]:
        return self.tree.resolve(metadata.ByteSpanPositionProvider)

    @cached_property
    def nodes(self) -> Sequence[cst.CSTNode]:
        """All of the file's, in the order of `walk`."""
        return list(walk(self.module))

    def span(self, node: cst.CSTNode) -> tuple[int, int]:
        """Where a node's text is, in bytes. The parentheses around an expression are not part of it."""
        found = self._spans[node]
        return found.start, found.start + found.length

    def text(self, node: cst.CSTNode) -> str:
        """A node's text as it is written; in parentheses where it has some."""
        start, end = self.span(node)
        return self.content[start:end].decode()

    def line(self, node: cst.CSTNode) -> int:
        """The line that a node begins in, from 1."""
        return self.content.count(b"\n", 0, self.span(node)[0]) + 1

    @cached_property
    def newline(self) -> str:
        """How the file ends its lines."""
        return self.module.default_newline

    def begin_of_line(self, position: int) -> int:
        """The byte that the line of a position begins with."""
        return self.content.rfind(b"\n", 0, position) + 1

    def after_line(self, position: int) -> int:
        """The byte after the line of a position."""
        end = self.content.find(b"\n", position)
        return len(self.content) if end < 0 else end + 1

    def indent(self, node: cst.CSTNode) -> str:
        """What the line of a node begins with."""
        start = self.span(node)[0]
        line = self.content[self.begin_of_line(start) : start]
        return line[: len(line) - len(line.lstrip())].decode()

    def edit(self, start: int, end: int, text: str) -> None:
        """Note a change; the same one twice is one."""
        self._edits[Edit(start, end, text)] = None

    def replace(self, node: cst.CSTNode, text: str) -> None:
        """Note that a node becomes a text."""
        self.edit(*self.span(node), text)

    @property
    def changed(self) -> bytes:
        """The file with its edits."""
        return applied(self.content, self._edits)

    def diff(self, shown: str) -> str:
        """The edits as a unified diff; empty without any. shown: the path that stands in it."""
        return difference(self.content, self.changed, shown)


def applied(content: bytes, edits: Iterable[Edit]) -> bytes:
    """The content with its edits, which may not overlap."""
    parts, position = [], 0
    for edit in sorted(edits, key=lambda each: (each.start, each.end)):
        if edit.start < position:
            raise ValueError(f"two edits change byte {edit.start}")
        parts += [content[position : edit.start], edit.text.encode()]
        position = edit.end
    return b"".join([*parts, content[position:]])


def difference(old: bytes | None, new: bytes, shown: str) -> str:
    """A unified diff as `git apply` takes it. old: None for a file that is not there yet."""
    before, after = (part.decode().splitlines(keepends=True) for part in (old or b"", new))
    rows = difflib.unified_diff(before, after, "/dev/null" if old is None else f"a/{shown}", f"b/{shown}")
    return "".join(row if row.endswith("\n") else f"{row}\n\\ No newline at end of file\n" for row in rows)


def dotted(node: cst.CSTNode) -> str:
    """`a.b.c` as text; empty for any other expression."""
    if isinstance(node, cst.Attribute):
        before = dotted(node.value)
        return before and f"{before}.{node.attr.value}"
    return node.value if isinstance(node, cst.Name) else ""


def walk(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """A node and all beneath it, a parent in front of its parts."""
    waiting = [node]
    while waiting:
        each = waiting.pop()
        yield each
        waiting.extend(reversed(list(parts(each))))


def parts(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """What a node is made of, white space left out but for the comments in it.

    libcst's own `children` visits and rebuilds; over a large code base that takes minutes.
    """
    for name in _fields(type(node)):
        value = getattr(node, name)
        if isinstance(value, cst.CSTNode):
            if not isinstance(value, cst.SimpleWhitespace):
                yield value
        elif isinstance(value, (list, tuple)):
            yield from (each for each in value if isinstance(each, cst.CSTNode))


@cache
def _fields(kind: type[cst.CSTNode]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))
