"""What `check` has found missing in `@raises`, as edits of the service's source. Needs the extra `adopt`."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FunctionType
from typing import Any, NamedTuple

import libcst as cst

from errorkit.errors import APIError
from errorkit.publish.check import Missing
from errorkit.publish.source_edits import Source, Unreadable, dotted
from errorkit.publish.source_imports import Imports, home_of


class Left(NamedTuple):
    """What could not be declared, and why. place: `module.function`."""

    place: str
    error: type[APIError]
    why: str


class _Refused(ValueError):
    """Why a function is left as it is."""


def declare(missing: Iterable[Missing], adapter: str) -> tuple[list[Source], list[Left]]:
    """The sources with each error in its function's `@raises`, and what is left.

    adapter: the module that `raises` is imported from. Nothing is written. Only what lacks is added:
    a decorator beneath those that are there, its import, or a name at the end of the decorator's list.
    """
    by_function: dict[Callable[..., Any], list[type[APIError]]] = {}
    for function, error in missing:
        by_function.setdefault(function, []).append(error)
    sources: dict[Path, _Module] = {}
    left: list[Left] = []
    for function, errors in by_function.items():
        try:
            module = _module_of(function, sources)
            node = module.definition(function)
        except (_Refused, Unreadable) as refused:
            left += [Left(_place(function), error, str(refused)) for error in errors]
            continue
        names: list[str] = []
        for error in errors:
            try:
                names.append(module.name_of(error, node))
            except _Refused as refused:
                left.append(Left(_place(function), error, str(refused)))
        if names:
            module.decorate(node, names, adapter)
    for module in sources.values():
        module.imports.write()
    return [module.source for module in sources.values()], left


def _module_of(function: Callable[..., Any], sources: dict[Path, _Module]) -> _Module:
    module = sys.modules.get(function.__module__)
    file = getattr(module, "__file__", None)
    if module is None or file is None:
        raise _Refused("its source is not known")
    path = Path(file)
    if path not in sources:
        sources[path] = _Module(Source(path, module.__name__))
    return sources[path]


class _Module:
    """One file of the service, and what is added to it."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.imports = Imports(source)
        self._definitions = [node for node in source.nodes if isinstance(node, (cst.FunctionDef, cst.ClassDef))]

    def definition(self, function: Callable[..., Any]) -> cst.FunctionDef | cst.ClassDef:
        """Where a function, or a class, is defined."""
        if inspect.isclass(function):
            name, line = function.__name__, inspect.getsourcelines(function)[1]
        elif isinstance(function, FunctionType):
            name, line = function.__code__.co_name, function.__code__.co_firstlineno
        else:
            raise _Refused(f"it is an instance of {type(function).__name__}; declare it by hand")
        for node in self._definitions:
            if node.name.value == name and line in (self.source.line(node), self.source.line(_first(node))):
                return node
        raise _Refused("its definition is not found in its file; declare it by hand")

    def name_of(self, error: type[APIError], node: cst.FunctionDef | cst.ClassDef) -> str:
        """What a class is called where a definition is decorated."""
        start = self.source.begin_of_line(self.source.span(_first(node))[0])
        if error.__module__ == self.source.name:
            defined = [each for each in self.source.module.body if _named(each, error.__name__)]
            if not defined or self.source.span(defined[0])[0] > start:
                raise _Refused(f"{error.__name__} is defined after it in the same module")
            return error.__name__
        if error.__module__ == "errorkit.catalog":
            raise _Refused(f"a status {error.status} has no class of its own; make one")
        if "<locals>" in error.__qualname__ or "." in error.__qualname__:
            raise _Refused(f"{error.__qualname__} is not at the level of a module")
        if _imports(error.__module__, self.source.name):
            raise _Refused(f"{error.__module__} imports this module; declare it by hand")
        home = home_of(error.__name__) if error.__module__ == "errorkit.errors" else error.__module__
        return self.imports.name(home, error.__name__, before=start)

    def decorate(self, node: cst.FunctionDef | cst.ClassDef, names: list[str], adapter: str) -> None:
        """Add names to the decorator, or the decorator."""
        source = self.source
        for decorator in node.decorators:
            call = decorator.decorator
            if isinstance(call, cst.Call) and self._is_raises(call.func):
                self._extend(call, names)
                return
        start = source.span(_first(node))[0]
        called = self.imports.name(adapter, "raises", before=source.begin_of_line(start))
        at = source.begin_of_line(source.span(node)[0])
        source.edit(at, at, f"{source.indent(node)}@{called}({', '.join(names)}){source.newline}")

    def _is_raises(self, node: cst.BaseExpression) -> bool:
        value: Any = sys.modules.get(self.source.name)
        for part in dotted(node).split("."):
            value = getattr(value, part, None)
        return getattr(value, "__module__", "") == "errorkit.declaration" and value.__name__ == "raises"

    def _extend(self, call: cst.Call, names: list[str]) -> None:
        source = self.source
        if not call.args:
            _start, end = source.span(call)
            source.edit(end - 1, end - 1, ", ".join(names))
            return
        last = call.args[-1]
        _, end = source.span(last.value)
        end += len(last.value.rpar)  # its own parentheses are not part of it
        own_line = len(call.args) > 1 or source.line(last) > source.line(call)
        own_line = own_line and all(
            source.line(one) < source.line(other) for one, other in zip([call, *call.args], call.args, strict=False)
        )
        gap = source.newline + source.indent(last) if own_line else " "
        source.edit(end, end, "".join(f",{gap}{name}" for name in names))


def _first(node: cst.FunctionDef | cst.ClassDef) -> cst.CSTNode:
    """What a definition begins with: its first decorator, else itself."""
    return node.decorators[0] if node.decorators else node


def _named(node: cst.CSTNode, name: str) -> bool:
    return isinstance(node, cst.ClassDef) and node.name.value == name


def _imports(module: str, other: str) -> bool:
    """Does a module of the service lead to another one, by what it has bound."""
    seen: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        for value in list(vars(sys.modules[name]).values()) if name in sys.modules else ():
            home = value.__name__ if inspect.ismodule(value) else getattr(value, "__module__", None)
            if home == other:
                return True
            if isinstance(home, str) and home.partition(".")[0] == module.partition(".")[0]:
                waiting.append(home)
    return False


def _place(function: Callable[..., Any]) -> str:
    return f"{function.__module__}.{getattr(function, '__qualname__', type(function).__name__)}"
