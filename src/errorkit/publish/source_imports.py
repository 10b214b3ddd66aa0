"""The names that a module of Python source has, and the imports that it lacks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module

import libcst as cst

from errorkit.publish.source_edits import Source, dotted


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
    return {node.value for node in source.nodes if isinstance(node, cst.Name)}
