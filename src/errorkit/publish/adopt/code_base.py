"""The Python files of a service, under the names that it imports them by."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import libcst as cst
from libcst import metadata
from libcst.helpers import get_full_name_for_node

from errorkit.publish.source_edits import Source, Unreadable, parts
from errorkit.publish.source_imports import bound_names

_PASSED_OVER = re.compile(r"\..*|__pycache__|tests?|test_.*|.*_test\.py|conftest\.py|site-packages|node_modules|venv")
"""Tests are the service's own judges, and what others wrote is theirs."""


class Unsure(NamedTuple):
    """A place that is left as it is, and why."""

    path: Path
    line: int
    why: str


class Module(Source):
    """One file, its names resolved without being run."""

    @cached_property
    def _meanings(self) -> Mapping[cst.CSTNode, Any]:
        return self.tree.resolve(metadata.QualifiedNameProvider)

    @cached_property
    def _parents(self) -> Mapping[cst.CSTNode, cst.CSTNode]:
        return {part: node for node in self.nodes for part in parts(node)}

    @cached_property
    def knows_a_framework(self) -> bool:
        """Does it mention one: else there is nothing of theirs in it."""
        return any(word in self.content for word in _WORDS)

    def meaning(self, node: cst.CSTNode) -> str:
        """What a name was imported as (`fastapi.HTTPException`), `builtins.str`, or what this module calls so.

        Empty where there is not one meaning, or no name.
        """
        if not isinstance(node, (cst.Name, cst.Attribute)):
            return ""
        if not self.knows_a_framework:
            return ""
        given = self._meanings.get(node, ())
        found = given() if callable(given) else given
        names = {each.name for each in found}
        if len(names) != 1:
            return ""
        full = str(names.pop())
        if full.startswith("."):
            root = get_full_name_for_node(node)
            return bound_names(self).get(root or "", full)
        source = next(iter(found)).source
        return f"{self.name}.{full}" if source is metadata.QualifiedNameSource.LOCAL else full

    def parents(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """What a node stands in, from the inside."""
        while (above := self._parents.get(node)) is not None:
            yield above
            node = above

    def functions_around(self, node: cst.CSTNode) -> Iterator[cst.FunctionDef]:
        """The functions that a node stands in, from the inside."""
        return (above for above in self.parents(node) if isinstance(above, cst.FunctionDef))

    def unsure(self, node: cst.CSTNode, why: str) -> Unsure:
        """That a node is left, and why."""
        return Unsure(self.path, self.line(node), why)


_WORDS = (b"fastapi", b"starlette", b"flask", b"werkzeug", b"HTTPException", b"errorhandler", b"_handler(")


class CodeBase:
    """What a package, a folder or one file holds.

    root: the folder that its imports start in. Raises ValueError where there is no Python file.
    """

    def __init__(self, where: Path) -> None:
        self.where = where.resolve()
        folder = self.where if self.where.is_dir() else self.where.parent
        self.folder = folder
        while (folder / "__init__.py").exists():
            folder = folder.parent
        self.root = folder
        files = list(_files(self.where)) if self.where.is_dir() else [self.where]
        if not files:
            raise ValueError(f"{where} holds no Python file")
        self.modules: list[Module] = []
        self.unread: list[Unsure] = []
        for path in files:
            try:
                self.modules.append(Module(path, self.name_of(path)))
            except Unreadable as error:
                self.unread.append(Unsure(path, 1, str(error)))

    def name_of(self, path: Path) -> str:
        """A file's import name."""
        parts = path.relative_to(self.root).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def concerned(self) -> list[Module]:
        """The modules that may have something of a framework's."""
        return [module for module in self.modules if module.knows_a_framework]

    @cached_property
    def constants(self) -> Mapping[str, int | str]:
        """Names of modules that are set once, to a number or a text, by their full names."""
        found: dict[str, int | str] = {}
        for module in self.modules:
            targets = [node.target for node in module.nodes if isinstance(node, _SETTING)]
            names = [node.value for node in targets if isinstance(node, cst.Name)]
            for name, value in (pair for statement in module.module.body for pair in _set_in(statement)):
                constant = literal(value)
                if constant is not None and names.count(name) == 1:
                    found[f"{module.name}.{name}"] = constant
        return found


_SETTING = (cst.AssignTarget, cst.AugAssign, cst.AnnAssign, cst.NamedExpr, cst.For, cst.CompFor)


def _set_in(statement: cst.CSTNode) -> Iterator[tuple[str, cst.BaseExpression]]:
    if isinstance(statement, cst.SimpleStatementLine):
        for small in statement.body:
            if isinstance(small, cst.Assign) and len(small.targets) == 1:
                target = small.targets[0].target
                if isinstance(target, cst.Name):
                    yield target.value, small.value


def literal(node: cst.CSTNode) -> int | str | None:
    """The number or the text that a literal is; None for all else."""
    if isinstance(node, cst.Integer):
        return int(node.evaluated_value)
    if isinstance(node, (cst.SimpleString, cst.ConcatenatedString)):
        value = node.evaluated_value
        return value if isinstance(value, str) else None
    return None


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if _PASSED_OVER.fullmatch(path.name):
            continue
        if path.is_dir():
            yield from _files(path)
        elif path.suffix == ".py":
            yield path
