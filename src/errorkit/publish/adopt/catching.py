"""Who catches a framework's HTTP exception, and would no longer see a raise that is rewritten."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import libcst as cst

from errorkit.publish.adopt.code_base import CodeBase, Module
from errorkit.publish.adopt.spellings import is_http_exception, status_of, werkzeug_status
from errorkit.publish.source_edits import dotted, walk


class Passing(NamedTuple):
    """An `except HTTPException: raise`: it can pass errorkit's errors on as well."""

    module: Module
    type: cst.BaseExpression


class Catchers:
    """Every place of a code base that looks at HTTP exceptions."""

    def __init__(self, code: CodeBase) -> None:
        self.code = code
        self.passing: list[Passing] = []
        self._all = ""
        self._statuses: dict[int, str] = {}
        self._inside: dict[int, str] = {}
        self._functions: dict[str, str] = {}
        for module in code.concerned:
            for node in module.nodes:
                self._look(module, node)
        if self._functions:
            self._spread()

    def why_not(self, module: Module, node: cst.CSTNode, status: int) -> str:
        """Why a raise cannot be rewritten; empty where it can."""
        around = (self._functions.get(function.name.value, "") for function in module.functions_around(node))
        reasons = (self._all, self._statuses.get(status, ""), self._inside.get(id(node), ""), *around)
        return next(filter(None, reasons), "")

    def _look(self, module: Module, node: cst.CSTNode) -> None:
        if isinstance(node, (cst.Try, cst.TryStar)):
            self._try(module, node)
        elif isinstance(node, cst.With):
            for item in node.items:
                call = item.item
                given = call.args if isinstance(call, cst.Call) else ()
                if any(is_http_exception(module, argument.value) for argument in given):
                    self._caught(module, node.body, f"{self._at(module, node)} suppresses it")
        elif isinstance(node, cst.Call):
            self._call(module, node)

    def _call(self, module: Module, node: cst.Call) -> None:
        name = node.func.attr.value if isinstance(node.func, cst.Attribute) else ""
        first = node.args[0].value if node.args else None
        if first is None:
            return
        if name in _REGISTRATIONS:
            where = f"{self._at(module, node)} handles {module.text(first)}"
            status = status_of(self.code, module, first) or werkzeug_status(module.meaning(first))
            if status is not None:
                self._statuses.setdefault(status, where)
            elif is_http_exception(module, first):
                self._all = self._all or where
            elif module.meaning(first) == "builtins.Exception" and name in _FLASK:
                self._all = self._all or f"{where}, and Flask gives it HTTP exceptions, too"
        elif module.meaning(node.func) == "builtins.isinstance" and any(
            is_http_exception(module, each) for each in _classes(node.args[-1].value)
        ):
            self._all = self._all or f"{self._at(module, node)} asks whether an exception is one"
        for argument in node.args:
            if argument.keyword is not None and argument.keyword.value == "exception_handlers":
                self._table(module, argument.value)

    def _table(self, module: Module, node: cst.BaseExpression) -> None:
        for element in node.elements if isinstance(node, cst.Dict) else ():
            if isinstance(element, cst.DictElement):
                where = f"{self._at(module, element)} handles {module.text(element.key)}"
                status = status_of(self.code, module, element.key)
                if status is not None:
                    self._statuses.setdefault(status, where)
                elif is_http_exception(module, element.key):
                    self._all = self._all or where

    def _try(self, module: Module, node: cst.Try | cst.TryStar) -> None:
        for handler in node.handlers:
            named = list(_classes(handler.type)) if handler.type is not None else []
            if not any(is_http_exception(module, each) for each in named):
                continue
            if handler.type is not None and _only_raises(handler):
                if not any(module.meaning(each).startswith("errorkit") for each in named):
                    self.passing.append(Passing(module, handler.type))
                continue
            self._caught(module, node.body, f"{self._at(module, handler)} catches it")

    def _caught(self, module: Module, body: cst.BaseSuite, where: str) -> None:
        """What is raised in here, or in what is called from here, is seen there."""
        for node in walk(body):
            if isinstance(node, (cst.Raise, cst.Expr, cst.Return)):
                self._inside.setdefault(id(node), where)
            elif isinstance(node, cst.Yield):
                self._all = self._all or f"{where}, from whatever runs at its yield"
            elif isinstance(node, cst.Call):
                for name in _handed(node):
                    self._functions.setdefault(name, where)
                unknown = next(_unknown(module, node), None)
                if unknown is not None:
                    self._all = self._all or f"{where}, from whatever {unknown} is"

    def _spread(self) -> None:
        """What is called by a function that is called there is called there."""
        calls: dict[str, set[str]] = {}
        for module in self.code.modules:
            for node in module.nodes:
                if isinstance(node, cst.FunctionDef):
                    inner = (each for each in walk(node.body) if isinstance(each, cst.Call))
                    calls.setdefault(node.name.value, set()).update(name for call in inner for name in _handed(call))
                elif isinstance(node, cst.ClassDef):  # called, it is made
                    calls.setdefault(node.name.value, set()).add("__init__")
        waiting = list(self._functions)
        while waiting:
            name = waiting.pop()
            for called in calls.get(name, ()):
                if called not in self._functions:
                    self._functions[called] = self._functions[name]
                    waiting.append(called)

    def _at(self, module: Module, node: cst.CSTNode) -> str:
        return f"{module.path.relative_to(self.code.root).as_posix()}:{module.line(node)}"


_REGISTRATIONS = frozenset(
    {"exception_handler", "add_exception_handler", "errorhandler", "app_errorhandler", "register_error_handler"}
)


_FLASK = frozenset({"errorhandler", "app_errorhandler", "register_error_handler"})
"""Flask's: a handler for Exception gets HTTP exceptions, too."""


def _handed(call: cst.Call) -> Iterator[str]:
    """Names that a call calls, or hands over."""
    for node in (call.func, *(argument.value for argument in call.args)):
        if isinstance(node, (cst.Name, cst.Attribute)):
            yield dotted(node).rpartition(".")[2] or (node.attr.value if isinstance(node, cst.Attribute) else "")


def _unknown(module: Module, call: cst.Call) -> Iterator[str]:
    """Functions that a call calls, or hands over, and that come from outside: parameters.

    One that is handed over is taken for a function if it says so, or if it was given to a function further out, as
    to a decorator; the parameters of a handler are data.
    """
    around = list(module.functions_around(call))
    if isinstance(call.func, cst.Name):
        own = {each.name.value for function in around for each in _parameters(function)}
        yield from {call.func.value} & own
    for argument in call.args:
        for depth, function in enumerate(around):
            for each in _parameters(function):
                told = each.annotation is not None and "Callable" in module.text(each.annotation)
                if isinstance(argument.value, cst.Name) and argument.value.value == each.name.value and (depth or told):
                    yield each.name.value


def _parameters(function: cst.FunctionDef) -> Iterator[cst.Param]:
    return (node for node in walk(function.params) if isinstance(node, cst.Param))


def _classes(node: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    if isinstance(node, cst.Tuple):
        yield from (element.value for element in node.elements)
    else:
        yield node


def _only_raises(handler: cst.ExceptHandler | cst.ExceptStarHandler) -> bool:
    body = handler.body.body
    if len(body) != 1:
        return False
    line = body[0]
    small = line.body[0] if isinstance(line, cst.SimpleStatementLine) and len(line.body) == 1 else line
    return isinstance(small, cst.Raise) and small.exc is None
