"""Python source that is changed by its spans: what is not touched stays byte for byte as it is.

Read by libcst (the extra `adopt`), which knows every version's grammar, whichever Python runs this.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

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
            self._spans = self.tree.resolve(metadata.ByteSpanPositionProvider)
        except (cst.ParserSyntaxError, UnicodeDecodeError, OSError, RecursionError) as error:
            raise Unreadable(f"it cannot be read as Python: {str(error).splitlines()[0]}") from None
        self.module = self.tree.module
        self._edits: dict[Edit, None] = {}

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


def statements(body: Iterable[cst.CSTNode]) -> Iterator[tuple[cst.SimpleStatementLine | None, cst.CSTNode]]:
    """What runs when a module is imported, what stands in its `if` and `try` included: line and statement.

    A compound statement has no line of its own.
    """
    for each in body:
        if isinstance(each, cst.SimpleStatementLine):
            yield from ((each, small) for small in each.body)
            continue
        yield None, each
        if isinstance(each, (cst.If, cst.Try, cst.TryStar, cst.Else, cst.Finally, cst.ExceptHandler, cst.With)):
            yield from statements(part for part in each.children if _is_block(part))
        elif isinstance(each, cst.IndentedBlock):
            yield from statements(each.body)


def _is_block(node: cst.CSTNode) -> bool:
    return isinstance(
        node, (cst.IndentedBlock, cst.If, cst.Else, cst.Finally, cst.ExceptHandler, cst.ExceptStarHandler)
    )


def bound_names(source: Source, before: int | None = None) -> dict[str, str]:
    """Names of a module to what they were imported as (`package.module.name`); else to `module.name` of its own.

    before: a byte; only what stands in front of it.
    """
    names: dict[str, str] = {}
    for line, small in statements(source.module.body):
        node = small if line is None else line
        if before is not None and source.span(node)[0] >= before:
            break
        if isinstance(small, cst.Import):
            for alias in small.names:
                full = dotted(alias.name)
                if alias.asname is None:
                    names[full.partition(".")[0]] = full.partition(".")[0]
                else:
                    names[dotted(alias.asname.name)] = full
        elif isinstance(small, cst.ImportFrom) and not isinstance(small.names, cst.ImportStar):
            origin = absolute(source, small)
            for alias in small.names:
                known = dotted(alias.asname.name) if alias.asname else dotted(alias.name)
                names[known] = f"{origin}.{dotted(alias.name)}"
        elif isinstance(small, (cst.FunctionDef, cst.ClassDef)):
            names[small.name.value] = f"{source.name}.{small.name.value}"
        elif isinstance(small, cst.Assign):
            names |= {
                target.target.value: f"{source.name}.{target.target.value}"
                for target in small.targets
                if isinstance(target.target, cst.Name)
            }
        elif isinstance(small, cst.AnnAssign) and isinstance(small.target, cst.Name):
            names[small.target.value] = f"{source.name}.{small.target.value}"
    return names


def absolute(source: Source, node: cst.ImportFrom) -> str:
    """The module that a `from` names, from the root."""
    given = dotted(node.module) if node.module is not None else ""
    if not node.relative:
        return given
    parts = source.name.split(".")
    above = len(node.relative) - (source.path.name == "__init__.py")
    kept = parts[: len(parts) - above] if above else parts
    return ".".join([*kept, given] if given else kept)


def dotted(node: cst.CSTNode) -> str:
    """`a.b.c` as text; empty for any other expression."""
    if isinstance(node, cst.Attribute):
        before = dotted(node.value)
        return before and f"{before}.{node.attr.value}"
    return node.value if isinstance(node, cst.Name) else ""


class Imports:
    """What a module will need: names by the module that they come from, each bound where it is asked for.

    taken: names that no import may bind.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self._bound = bound_names(source)
        self._new: dict[str, list[tuple[str, str]]] = {}
        self._section: list[str] = []
        """Lines that stand beneath the imports, in a section of their own."""

    def name(self, module: str, name: str, *, before: int | None = None) -> str:
        """What `module.name` is called in this module; it is imported if it is not yet.

        before: a byte that it must have been imported in front of.
        """
        wanted = f"{module}.{name}".lstrip(".")
        bound = self._bound if before is None else bound_names(self.source, before)
        for known, meaning in bound.items():
            if meaning == wanted:
                return known
            if meaning == module and module:
                return f"{known}.{name}"
        pairs = self._new.setdefault(module, [])
        for asked, known in pairs:
            if asked == name:
                return known
        taken = {*self._bound, *_names_in(self.source), *(known for row in self._new.values() for _, known in row)}
        known = name
        while known in taken:
            known = f"api_{known}" if known[:1].islower() else f"API{known}"
        pairs.append((name, known))
        return known

    def write(self) -> None:
        """Note the edits of what was asked for."""
        for module, pairs in sorted(self._new.items()):
            self._add(module, pairs)
        if self._section:
            last = [line for line, _ in self._leading()][-1]
            at = self.source.after_line(self.source.span(last)[1])
            self.source.edit(at, at, self.source.newline + "".join(self._section))

    def _add(self, module: str, pairs: Sequence[tuple[str, str]]) -> None:
        source = self.source
        spelt = [name if name == known else f"{name} as {known}" for name, known in sorted(pairs)]
        if not module:
            self._insert_line(spelt[0], "".join(f"import {each}{source.newline}" for each in spelt))
            return
        for line, small in self._leading():
            if (
                isinstance(small, cst.ImportFrom)
                and len(line.body) == 1
                and not isinstance(small.names, cst.ImportStar)
            ) and absolute(source, small) == module:
                self._extend(small, spelt)
                return
        self._insert_line(module, import_line(module, spelt, source.newline))

    def _extend(self, node: cst.ImportFrom, spelt: Sequence[str]) -> None:
        """Each name in front of the first that sorts after it."""
        assert not isinstance(node.names, cst.ImportStar)
        aliases = list(node.names)
        for name in spelt:
            later = next((each for each in aliases if _rank(self.source.text(each.name)) > _rank(name)), None)
            if later is not None:
                start, _ = self.source.span(later)
                self.source.edit(start, start, f"{name},{self._gap(node)}")
            else:
                _, end = self.source.span(aliases[-1].asname or aliases[-1].name)
                self.source.edit(end, end, f",{self._gap(node)}{name}")

    def _gap(self, node: cst.ImportFrom) -> str:
        """What stands between two names: a new line where each has one."""
        assert not isinstance(node.names, cst.ImportStar)
        first, last = self.source.line(node.names[0]), self.source.line(node.names[-1])
        if first == self.source.line(node) or last - first + 1 < len(node.names):
            return " "
        return self.source.newline + self.source.indent(node.names[0])

    def _insert_line(self, module: str, text: str) -> None:
        """Where it sorts among the imports of its own package or, where there are none, of the framework."""
        source = self.source
        lines = list(self._leading())
        if not lines:
            self._first(text)
            return
        root = module.partition(".")[0]
        beside = [(line, _origin(source, small)) for line, small in lines if _root(source, small) == root]
        framework = [(line, small) for line, small in lines if _root(source, small) in _FRAMEWORKS]
        if beside:
            later, last = next((line for line, origin in beside if origin > module), None), beside[-1][0]
        elif root == "errorkit" and framework:
            later = next((line for line, small in framework if isinstance(small, cst.ImportFrom)), None)
            last = framework[-1][0]
        elif root == "errorkit":
            later, last = None, lines[-1][0]
        else:
            self._section.append(text)
            return
        at = source.begin_of_line(source.span(later)[0]) if later else source.after_line(source.span(last)[1])
        source.edit(at, at, text)

    def _first(self, text: str) -> None:
        """In front of everything but the docstring and `from __future__`."""
        source, at = self.source, 0
        if source.module.get_docstring(clean=False) is not None:
            at = source.after_line(source.span(source.module.body[0])[1])
        for line, small in _top(source):
            if isinstance(small, cst.ImportFrom) and absolute(source, small) == "__future__":
                at = source.after_line(source.span(line)[1])
        if at == 0 and source.module.body:
            at = source.begin_of_line(source.span(source.module.body[0])[0])
            first = source.module.body[0]
            if isinstance(first, (cst.FunctionDef, cst.ClassDef)) and first.decorators:
                at = source.begin_of_line(source.span(first.decorators[0])[0])
            text = text + source.newline
        elif at:
            text = source.newline + text
        source.edit(at, at, text)

    def _leading(self) -> Iterator[tuple[cst.SimpleStatementLine, cst.CSTNode]]:
        """The imports that a module begins with, each in a line of its own; a constant may stand between."""
        for line, small in _top(self.source):
            origin = _origin(self.source, small)
            if origin and origin != "__future__" and len(line.body) == 1:
                yield line, small


def home_of(name: str) -> str:
    """The module that one of errorkit's errors is imported from: the package itself, if it has it."""
    return "errorkit" if hasattr(import_module("errorkit"), name) else "errorkit.errors"


def import_line(module: str, names: Sequence[str], newline: str) -> str:
    """An import, in several lines where one would be long."""
    line = f"from {module} import {', '.join(names)}{newline}"
    if len(line) <= LINE:
        return line
    return f"from {module} import ({newline}" + "".join(f"    {name},{newline}" for name in names) + f"){newline}"


LINE = 88
"""Columns of what is written; a formatter of the service's own may know better."""

_FRAMEWORKS = ("fastapi", "flask", "starlette", "werkzeug")


def _top(source: Source) -> Iterator[tuple[cst.SimpleStatementLine, cst.CSTNode]]:
    for each in source.module.body:
        if isinstance(each, cst.SimpleStatementLine):
            yield from ((each, small) for small in each.body)
        elif isinstance(each, (cst.FunctionDef, cst.ClassDef)):
            return  # what is imported beneath may not have been yet


def _origin(source: Source, node: cst.CSTNode) -> str:
    if isinstance(node, cst.ImportFrom):
        return absolute(source, node)
    return dotted(node.names[0].name) if isinstance(node, cst.Import) else ""


def _root(source: Source, node: cst.CSTNode) -> str:
    return _origin(source, node).partition(".")[0]


def _rank(name: str) -> tuple[int, str]:
    """As isort and ruff order names: constants, classes, the rest."""
    plain = name.partition(" ")[0]
    return (0 if plain.isupper() else 1 if plain[:1].isupper() else 2), plain


def _names_in(source: Source) -> set[str]:
    """Every name that a module's code mentions, locals included."""
    return {node.value for node in walk(source.module) if isinstance(node, cst.Name)}


def walk(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """A node and all beneath it, in the order of the text."""
    waiting = [node]
    while waiting:
        each = waiting.pop()
        yield each
        waiting.extend(reversed(each.children))
