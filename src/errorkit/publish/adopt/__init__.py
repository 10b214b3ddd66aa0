"""An existing code base, and what it becomes: classes for what it raises by number, and the raises rewritten.

Nothing of the service is run or imported. A rewritten raise answers the same status and the same words; what is not
sure stays as it is and is listed. Needs the extra `adopt`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import libcst as cst

from errorkit.publish.adopt.catching import Catchers
from errorkit.publish.adopt.code_base import CodeBase, Module, Unsure
from errorkit.publish.adopt.error_module import ErrorModule, quoted
from errorkit.publish.adopt.handlers import Handler, mapped, registered
from errorkit.publish.adopt.installing import applications, install, is_installed
from errorkit.publish.adopt.rewriting import Rewriter, remove
from errorkit.publish.adopt.spellings import Doubt
from errorkit.publish.adopt.unused_imports import tidied
from errorkit.publish.source_edits import Unreadable
from errorkit.publish.source_imports import Imports, bound_names

__all__ = ["Proposal", "Unsure", "propose"]


class Change(NamedTuple):
    """A file as it is (None: it is not there) and as it is proposed."""

    old: bytes | None
    new: bytes


class Proposal(NamedTuple):
    """What is proposed, and what is left.

    root: the folder that the imports start in. raises, handlers: how many are rewritten, and mapped.
    classes: names of the errors module that are new. by_hand: what else is to be done, where no line could be written.
    """

    root: Path
    changes: Mapping[Path, Change]
    raises: int
    handlers: int
    classes: tuple[str, ...]
    unsure: tuple[Unsure, ...]
    by_hand: str = ""


def propose(where: Path, *, errors: str | None = None, dialect: str | None = None) -> Proposal:
    """Read a package, a folder or a file, and say what it becomes.

    errors: the errors module's import name; default: `errors` in the package. dialect: what the line that puts
    errorkit in says. Raises ValueError where there is nothing to read.
    """
    code = CodeBase(where)
    target = _error_module(code, errors)
    catchers = Catchers(code)
    imports = {module.path: Imports(module) for module in code.modules}
    unsure = list(code.unread)
    raises = 0
    mappings = _Mappings(code, target, imports)
    for module in code.concerned:
        if module.path == target.path:
            continue
        mappings.read(module)
        rewriter = Rewriter(code, module, catchers, target, imports[module.path], mappings.functions)
        rewriter.rewrite()
        raises += rewriter.count
        unsure += rewriter.unsure
    if raises:
        _let_pass(catchers, imports)
    mappings.write(dialect)
    unsure += mappings.unsure
    changes = _changes(code, target, imports)
    ordered = sorted(dict.fromkeys(unsure), key=lambda each: (each.path, each.line))
    return Proposal(
        code.root,
        changes,
        raises,
        mappings.count,
        tuple(each.name for each in target.added),
        tuple(ordered),
        mappings.by_hand,
    )


def _error_module(code: CodeBase, asked: str | None) -> ErrorModule:
    """The module that was asked for; else `errors`, or `api_errors` where that is about something else."""
    package = code.name_of(code.folder / "__init__.py")
    for name in (asked,) if asked else ("errors", "api_errors"):
        full = name if asked or not package else f"{package}.{name}"
        path = code.root.joinpath(*full.split(".")).with_suffix(".py")
        if path.with_suffix("").is_dir():
            continue
        try:
            module = ErrorModule(path, full)
        except Unreadable as error:
            raise ValueError(f"{path}: {error}") from None
        if asked or module.source is None or module.known or b"errorkit" in module.source.content:
            return module
    raise ValueError("errors.py and api_errors.py hold something else; name a module with --errors")


def _let_pass(catchers: Catchers, imports: Mapping[Path, Imports]) -> None:
    """`except HTTPException: raise` passes errorkit's errors on as well."""
    for module, node in catchers.passing:
        name = imports[module.path].name("errorkit", "APIError")
        if isinstance(node, cst.Tuple):
            end = module.span(node.elements[-1].value)[1]
            module.edit(end, end, f", {name}")
        else:
            module.replace(node, f"({module.text(node)}, {name})")


class _Mappings:
    """Handlers that become `exceptions=` of the line that puts errorkit in."""

    def __init__(self, code: CodeBase, errors: ErrorModule, imports: Mapping[Path, Imports]) -> None:
        self.code = code
        self.errors = errors
        self.imports = imports
        self.unsure: list[Unsure] = []
        self.functions: set[int] = set()
        """Handlers, by `id`: they are told of here, whatever they return."""
        self.count = 0
        self.by_hand = ""
        self._entries: list[str] = []
        made = list(applications(code))
        self.installed = is_installed(code)
        self.application = made[0] if len(made) == 1 and not self.installed else None
        if not self.installed and len(made) > 1:
            self.unsure += [
                each.module.unsure(each.statement, "one of several applications: put errorkit in by hand")
                for each in made
            ]

    def read(self, module: Module) -> None:
        """The handlers of one module."""
        for found in list(registered(module)):
            self.functions.add(id(found.function or found.statement))
            try:
                handler = mapped(self.code, module, found)
                if handler is not None:
                    self._take(module, handler)
            except Doubt as why:
                self.unsure.append(
                    module.unsure(found.statement, f"the handler of {module.text(found.exception)} stays: {why}")
                )

    def _take(self, module: Module, handler: Handler) -> None:
        application = self.application
        if application is None or application.module is not module or application.name != handler.application:
            raise Doubt("it is not registered where one application is made")
        root = module.text(handler.exception).partition(".")[0]
        start = module.begin_of_line(module.span(application.statement)[0])
        if not application.in_a_function and root not in bound_names(module, start):
            raise Doubt(f"{root} is defined after the application")
        if any(not remove(module, node, dry=True) for node in handler.remove):
            raise Doubt("nothing else stands in its block")
        before = None if application.in_a_function else start
        error = self.errors.error(handler.status, handler.words)
        name = self.imports[module.path].name(error.module, error.name, before=before)
        shown = name
        if handler.words is None:
            shown = f"lambda error: {name}(str(error))"
        elif handler.words != error.message:
            shown = f"lambda error: {name}({quoted(handler.words)})"
        self._entries.append(f"{module.text(handler.exception)}: {shown}")
        for node in handler.remove:
            remove(module, node)
        self.count += 1

    def write(self, dialect: str | None) -> None:
        """The line, after the application is made."""
        if self.application is not None:
            catalog = self.errors.name if self.errors.known or self.errors.added else None
            imports = self.imports[self.application.module.path]
            install(self.application, imports, catalog, self._entries, dialect)
        elif self.errors.added and not self._is_listed():
            why = f"put errorkit in where the application is made, with catalog=[{self.errors.name}]"
            if self.installed:
                why = f"errorkit is put in already: list {self.errors.name} in its catalog="
            self.by_hand = why

    def _is_listed(self) -> bool:
        """Does anything import the errors module as a whole."""
        return any(self.errors.name in bound_names(module).values() for module in self.code.modules)


def _changes(code: CodeBase, errors: ErrorModule, imports: Mapping[Path, Imports]) -> dict[Path, Change]:
    changes: dict[Path, Change] = {}
    for each in imports.values():
        each.write()
    for module in code.modules:
        if module.path != errors.path and module.changed != module.content:
            changes[module.path] = Change(module.content, tidied(module, module.changed, _taken(code, module)))
    written = errors.changed()
    if written is not None:
        changes[errors.path] = Change(None if errors.source is None else errors.source.content, written)
    return changes


def _taken(code: CodeBase, module: Module) -> set[str]:
    """Names that other modules take from this one."""
    return {meaning for other in code.modules if other is not module for meaning in bound_names(other).values()}
