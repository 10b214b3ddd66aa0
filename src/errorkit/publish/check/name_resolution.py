"""What the names in a function mean, as far as its module, its closure and annotations tell."""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from collections.abc import Iterator
from contextlib import suppress
from types import FunctionType, ModuleType
from typing import Any, get_type_hints

UNKNOWN = object()
"""What a name means that only running the code would tell."""

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


class Scope:
    """The names of one function.

    names: given by its closure and its own imports. types: parameters annotated with a class,
    and `self`. nested: functions defined in it. assigned: what its variables are set to.
    """

    def __init__(self, function: FunctionType, node: FunctionNode) -> None:
        self.function = function
        self.node = node
        self.names: dict[str, Any] = _closure(function)
        self.types: dict[str, Any] = {}
        self.nested: dict[str, FunctionNode] = {}
        self.assigned: dict[str, list[ast.expr]] = {}
        self._asked: set[str] = set()
        self._prepare()

    def classes(self, node: ast.expr | None) -> Iterator[type[BaseException]]:
        """The exception classes that an `except` names; all of them where it names none."""
        if node is None:
            yield BaseException
        elif isinstance(node, ast.Tuple):
            for part in node.elts:
                yield from self.classes(part)
        else:
            found = self.resolve(node)
            if inspect.isclass(found) and issubclass(found, BaseException):
                yield found

    def resolve(self, node: ast.expr) -> Any:
        """The object that an expression names, or `UNKNOWN`."""
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.Name):
            return self._name(node.id)
        if isinstance(node, ast.Attribute):
            kind = self.type_of(node.value)
            if kind is not None:
                return member(kind, node.attr)
            return member(self.resolve(node.value), node.attr)
        return UNKNOWN

    def type_of(self, node: ast.expr) -> Any:
        """The class of an expression's value, where annotations or a constructor tell it."""
        if isinstance(node, ast.Await):
            return self.type_of(node.value)
        if isinstance(node, ast.Name):
            return self.types.get(node.id) or self._assigned_type(node.id)
        if isinstance(node, ast.Attribute):
            return _attribute_type(self.type_of(node.value), node.attr)
        if not isinstance(node, ast.Call):
            return None
        function = self.resolve(node.func)
        if inspect.isclass(function):
            return function
        return _hints(function).get("return") if isinstance(function, FunctionType) else None

    def _assigned_type(self, name: str) -> Any:
        """Of a variable that is set once; `x = x.strip()` tells nothing."""
        assigned = self.assigned.get(name, ())
        if len(assigned) != 1 or name in self._asked:
            return None
        self._asked.add(name)
        try:
            return self.type_of(assigned[0])
        finally:
            self._asked.discard(name)

    def _name(self, name: str) -> Any:
        if name in self.names:
            return self.names[name]
        code = self.function.__code__
        if name in code.co_varnames or name in code.co_cellvars:  # its own, whatever the module calls so
            return UNKNOWN
        module = vars(sys.modules.get(self.function.__module__, ModuleType("absent")))
        if name in module:
            return module[name]
        builtins = vars(sys.modules["builtins"])
        return builtins.get(name, UNKNOWN)

    def _prepare(self) -> None:
        self.types = _hints(self.function)
        self.types.pop("return", None)
        owner = self.function.__qualname__.rpartition(".")[0]
        arguments = [*self.node.args.posonlyargs, *self.node.args.args]
        if owner and arguments and arguments[0].arg == "self":
            value: Any = sys.modules.get(self.function.__module__)
            for part in owner.split("."):
                value = getattr(value, part, None)
            if inspect.isclass(value):
                self.types["self"] = value
        for inner in ast.walk(self.node):
            if isinstance(inner, FunctionNode) and inner is not self.node:
                self.nested[inner.name] = inner
            elif isinstance(inner, ast.Assign) and len(inner.targets) == 1 and isinstance(inner.targets[0], ast.Name):
                self.assigned.setdefault(inner.targets[0].id, []).append(inner.value)
            elif isinstance(inner, ast.AnnAssign) and isinstance(inner.target, ast.Name):
                kind = self.resolve(inner.annotation)
                if inspect.isclass(kind):
                    self.types[inner.target.id] = kind
            elif isinstance(inner, (ast.Import, ast.ImportFrom)):
                self._imports(inner)

    def _imports(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            name = alias.asname or alias.name
            if isinstance(node, ast.Import):
                top = name.partition(".")[0]
                self.names[top] = sys.modules.get(alias.name if alias.asname else top)
                continue
            base = node.module or ""
            if node.level:
                package = self.function.__module__.rsplit(".", node.level)[0]
                base = f"{package}.{base}" if base else package
            module = sys.modules.get(base)
            self.names[name] = getattr(module, alias.name, UNKNOWN) if module else UNKNOWN


def member(holder: Any, name: str) -> Any:
    """A member of a module, a class or an object, without running a property."""
    if holder is UNKNOWN or holder is None:
        return UNKNOWN
    if isinstance(holder, ModuleType):
        return getattr(holder, name, UNKNOWN)
    found = inspect.getattr_static(holder, name, UNKNOWN)
    return found.__func__ if isinstance(found, (staticmethod, classmethod)) else found


def _attribute_type(owner: Any, name: str) -> Any:
    """The class of an object's attribute: annotated in its class, or set by `__init__` to something known."""
    if not inspect.isclass(owner):
        return None
    annotated = _hints(owner).get(name)
    function = vars(owner).get("__init__")
    if annotated is not None or not isinstance(function, FunctionType):
        return annotated
    node = parse(function)
    for statement in ast.walk(node) if node else ():
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Attribute):
            target = statement.targets[0]
            if target.attr == name and isinstance(target.value, ast.Name) and target.value.id == "self":
                assert node is not None
                return Scope(function, node).type_of(statement.value)
    return None


def parse(function: FunctionType) -> FunctionNode | None:
    """A function's source, or None where there is none to read."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return None
    node = tree.body[0]
    # generated code has no lines of its own: Python then shows the module's
    return node if isinstance(node, FunctionNode) and node.name == function.__code__.co_name else None


def _hints(thing: Any) -> dict[str, Any]:
    """What of a function (its parameters, and `return`) or of a class is annotated with a class."""
    with suppress(Exception):  # a name that only a type checker can see
        return {name: hint for name, hint in get_type_hints(thing).items() if inspect.isclass(hint)}
    return {}


def _closure(function: FunctionType) -> dict[str, Any]:
    """What an enclosing function gave it: the handlers of an app factory."""
    names: dict[str, Any] = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=False):
        with suppress(ValueError):  # not yet bound
            names[name] = cell.cell_contents
    return names
