"""One function's body, read for the errors that can leave it."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any, Protocol

from errorkit.config import Answer
from errorkit.errors import APIError, ForbiddenError, NotFoundError
from errorkit.publish.check.name_resolution import UNKNOWN, Scope
from errorkit.tenancy import visible

_HTTP_EXCEPTIONS = frozenset({"HTTPException", "abort"})
_FRAMEWORKS = frozenset({"fastapi", "starlette", "flask", "werkzeug", "quart"})


@dataclass(frozen=True, slots=True)
class Raised:
    """One error that can leave a function.

    cls: its class, or None for a bare HTTP status. exception: what is really raised, where
    that is not the error itself.
    """

    cls: type[APIError] | None
    status: int
    place: str
    exception: type[BaseException] | None = None


@dataclass(frozen=True, slots=True)
class Unfollowed:
    """Something that may raise, and was not followed."""

    place: str
    text: str


@dataclass(slots=True)
class Findings:
    """What leaves a function, and what could not be followed in it."""

    raised: set[Raised] = field(default_factory=set)
    unfollowed: set[Unfollowed] = field(default_factory=set)

    def add(self, other: Findings) -> None:
        """Take the findings of a part."""
        self.raised |= other.raised
        self.unfollowed |= other.unfollowed


class Follower(Protocol):
    """Who reads the functions that one calls."""

    tenant_status: int
    translators: Mapping[type[BaseException], Callable[..., Any]]

    def function(self, function: Callable[..., Any]) -> Findings:
        """What leaves another function."""

    def raising_names(self) -> set[str]:
        """Names of functions that raise."""


class Reader(ast.NodeVisitor):
    """One function's body. Nested functions are read where they are called."""

    def __init__(self, scanner: Follower, scope: Scope) -> None:
        self.scanner = scanner
        self.scope = scope
        self.reading: set[str] = set()
        self.found = Findings()

    def read(self) -> Findings:
        """What leaves the function."""
        for statement in self.scope.node.body:
            self.visit(statement)
        return self.found

    # -- statements

    def visit_Raise(self, node: ast.Raise) -> None:
        """What is raised leaves, unless something around it catches."""
        if node.exc is not None:
            self._raise(node.exc, node)
        for part in (node.exc, node.cause):
            if isinstance(part, ast.Call):
                for argument in (*part.args, *(keyword.value for keyword in part.keywords)):
                    self.visit(argument)

    def visit_Try(self, node: ast.Try) -> None:
        """What a handler catches, and does not raise again, does not leave."""
        outer, self.found = self.found, Findings()
        for statement in node.body:
            self.visit(statement)
        inner, self.found = self.found, outer
        passed: set[Raised] = set()
        for handler in node.handlers:  # the first that catches it has it
            caught = tuple(self.scope.classes(handler.type))
            mine = {error for error in inner.raised if _is_caught(error, caught)}
            inner.raised = inner.raised - mine
            if any(_raises_again(part, handler.name) for part in ast.walk(handler)):
                passed |= mine
        inner.raised |= passed
        self.found.add(inner)
        for statement in (*(s for handler in node.handlers for s in handler.body), *node.orelse, *node.finalbody):
            self.visit(statement)

    visit_TryStar = visit_Try  # type: ignore[assignment]  # noqa: N815 - ast's name

    def _with(self, node: ast.With | ast.AsyncWith) -> None:
        caught: tuple[type[BaseException], ...] = ()
        for item in node.items:
            call = item.context_expr
            if isinstance(call, ast.Call) and self.scope.resolve(call.func) is suppress:
                caught += tuple(name for argument in call.args for name in self.scope.classes(argument))
            self.visit(call)
        outer, self.found = self.found, Findings()
        for statement in node.body:
            self.visit(statement)
        inner, self.found = self.found, outer
        inner.raised = {error for error in inner.raised if not _is_caught(error, caught)}
        self.found.add(inner)

    visit_With = _with  # noqa: N815 - ast's names
    visit_AsyncWith = _with  # noqa: N815

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        """A nested function raises where it is called, not where it is defined."""

    visit_AsyncFunctionDef = visit_FunctionDef  # type: ignore[assignment]  # noqa: N815 - ast's name
    visit_Lambda = visit_FunctionDef  # type: ignore[assignment]  # noqa: N815
    visit_ClassDef = visit_FunctionDef  # type: ignore[assignment]  # noqa: N815

    # -- calls

    def visit_Call(self, node: ast.Call) -> None:
        """What a called function of the service raises leaves, too."""
        self._call(node)
        for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
            self._passed(argument)
            self.visit(argument)
        if not isinstance(node.func, ast.Name):
            self.visit(node.func)

    def _call(self, node: ast.Call) -> None:
        function = self.scope.resolve(node.func)
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        if isinstance(node.func, ast.Name) and name in self.scope.nested:
            if name not in self.reading:
                self.reading.add(name)
                for statement in self.scope.nested[name].body:
                    self.visit(statement)
        elif function is visible:
            given = next((keyword.value for keyword in node.keywords if keyword.arg == "error"), None)
            if given is None:
                self._found(NotFoundError, node)
            else:
                self._raise(given, node)
        elif _is_abort(function):
            self._raise(node, node)
        elif function is not UNKNOWN:
            if not (inspect.isclass(function) and issubclass(function, BaseException)):
                self.found.add(self.scanner.function(function))
        elif name in self.scanner.raising_names():
            self._unfollowed(node, f"calls {ast.unparse(node.func)}(), which cannot be followed")

    def _passed(self, argument: ast.expr) -> None:
        """A function handed over as a value may be called by the receiver."""
        if isinstance(argument, (ast.Name, ast.Attribute)):
            value = self.scope.resolve(argument)
            if isinstance(value, FunctionType) and self.scanner.function(value).raised:
                self._unfollowed(argument, f"hands over {ast.unparse(argument)}, which raises")

    # -- errors

    def _raise(self, value: ast.expr, node: ast.AST) -> None:
        if isinstance(value, ast.Name) and self.scope.resolve(value) is UNKNOWN:
            for assigned in self.scope.assigned.get(value.id, ()):
                self._raise(assigned, node)
            if value.id not in self.scope.assigned and not self._reraises(value.id):
                self._unfollowed(node, f"raises {value.id}, whose class is not known")
            return
        if isinstance(value, ast.IfExp):
            self._raise(value.body, node)
            self._raise(value.orelse, node)
            return
        call = value if isinstance(value, ast.Call) else None
        found = self.scope.resolve(call.func if call else value)
        if inspect.isclass(found) and issubclass(found, APIError):
            self._found(self._shown(found, call), node)
        elif getattr(found, "__name__", "") in _HTTP_EXCEPTIONS and call is not None:
            self._http(call, node)
        elif isinstance(getattr(found, "code", None), int) and _is_framework(found):
            self._status(found.code, node)
        elif inspect.isclass(found) and issubclass(found, BaseException):
            self._translated(found, node)
        else:
            self._unfollowed(node, f"raises {ast.unparse(value)}, whose class is not known")

    def _translated(self, exception: type[BaseException], node: ast.AST) -> None:
        """A foreign exception that the configuration answers for; any other is "internal"."""
        translators = self.scanner.translators
        translator = next((translators[base] for base in exception.__mro__ if base in translators), None)
        if isinstance(translator, Answer):
            error = translator.error
            self.found.raised.add(Raised(error, error.status, self._place(node), exception))
        elif translator is not None:
            self._unfollowed(node, f"raises {exception.__name__}, which a function of the configuration answers for")

    def _reraises(self, name: str) -> bool:
        """Is it the exception of an `except ... as name`, whose source is followed already."""
        handlers = (n for n in ast.walk(self.scope.node) if isinstance(n, ast.ExceptHandler) and n.name == name)
        return any(list(self.scope.classes(handler.type)) for handler in handlers)

    def _shown(self, cls: type[APIError], call: ast.Call | None) -> type[APIError]:
        if call is None or not issubclass(cls, ForbiddenError) or self.scanner.tenant_status != 404:
            return cls
        given = {keyword.arg: keyword.value for keyword in call.keywords}
        if "conceal_as" in given:
            concealed = self.scope.resolve(given["conceal_as"])
            return concealed if inspect.isclass(concealed) and issubclass(concealed, APIError) else NotFoundError
        return NotFoundError if "resource_tenant" in given else cls

    def _http(self, call: ast.Call, node: ast.AST) -> None:
        given = [*call.args[:1], *(k.value for k in call.keywords if k.arg in ("status_code", "code"))]
        status = self.scope.resolve(given[0]) if given else UNKNOWN
        if isinstance(status, int):
            self._status(int(status), node)
        else:
            self._unfollowed(node, f"raises {ast.unparse(call)}, whose status is not a literal")

    def _status(self, status: int, node: ast.AST) -> None:
        if status >= 400:  # else a redirect
            self.found.raised.add(Raised(None, status, self._place(node)))

    def _found(self, cls: type[APIError], node: ast.AST) -> None:
        self.found.raised.add(Raised(cls, cls.status, self._place(node)))

    def _unfollowed(self, node: ast.AST, text: str) -> None:
        self.found.unfollowed.add(Unfollowed(self._place(node), text))

    def _place(self, node: ast.AST) -> str:
        line = self.scope.function.__code__.co_firstlineno + getattr(node, "lineno", 1) - 1
        return f"{self.scope.function.__module__}:{line}"


def _is_framework(thing: Any) -> bool:
    return str(getattr(thing, "__module__", "")).partition(".")[0] in _FRAMEWORKS


def _is_abort(function: Any) -> bool:
    return getattr(function, "__name__", "") == "abort" and _is_framework(function)


def _raises_again(node: ast.AST, name: str | None) -> bool:
    """`raise`, or `raise error` in an `except ... as error`."""
    if not isinstance(node, ast.Raise):
        return False
    return node.exc is None or (isinstance(node.exc, ast.Name) and node.exc.id == name)


def _is_caught(error: Raised, caught: Iterable[type[BaseException]]) -> bool:
    if error.cls is None:
        return any(cls.__name__ in ("HTTPException", "Exception", "BaseException") for cls in caught)
    return any(issubclass(error.exception or error.cls, cls) for cls in caught)
