"""Which errors a function raises, read from its source: nothing is run, nothing is guessed.

Followed are `raise`, calls by name (a function, a class, a method of `self` or of a parameter
whose annotation is a class of the service), `visible`, and frameworks' HTTP exceptions with a
literal status. Caught errors are taken away. What could raise and could not be followed is
noted. Names are looked up in the imported modules; only the service's own code is read.
"""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from types import FunctionType, ModuleType
from typing import Any, get_type_hints

from errorkit.errors import APIError, ForbiddenError, NotFoundError
from errorkit.tenancy import visible

_UNKNOWN = object()
_Function = ast.FunctionDef | ast.AsyncFunctionDef
_HTTP_EXCEPTIONS = frozenset({"HTTPException", "abort"})
_FRAMEWORKS = frozenset({"fastapi", "starlette", "flask", "werkzeug", "quart"})


@dataclass(frozen=True, slots=True)
class Raised:
    """One error that can leave a function. cls: its class, or None for a bare HTTP status."""

    cls: type[APIError] | None
    status: int
    place: str


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


class Scanner:
    """Reads the functions of one package (or of one module and those beside it).

    tenant_status: what `ForbiddenError(resource_tenant=...)` is shown as.
    """

    def __init__(self, package: str, tenant_status: int = 404) -> None:
        self.package = package
        self.tenant_status = tenant_status
        self._known: dict[Any, Findings] = {}
        self._open: set[Any] = set()
        self._cut: set[Any] = set()
        self._raising_names: set[str] | None = None

    def is_own(self, thing: object) -> bool:
        """Is it defined in the service's package."""
        module = getattr(thing, "__module__", None) or ""
        return module == self.package or module.startswith(self.package + ".")

    def function(self, function: Callable[..., Any]) -> Findings:
        """What leaves a function of the service; nothing for anybody else's."""
        function = inspect.unwrap(function)
        if inspect.ismethod(function):
            function = function.__func__
        if inspect.isclass(function):
            function = function.__init__
        if not isinstance(function, FunctionType) and self.is_own(type(function)):
            function = getattr(type(function), "__call__", function)  # noqa: B004 - its source is wanted
        if not isinstance(function, FunctionType) or not self.is_own(function):
            return Findings()
        if function in self._open:  # recursion adds nothing new
            self._cut.add(function)
            return Findings()
        if function in self._known:
            return self._known[function]
        self._open.add(function)
        try:
            found = self._read(function)
        finally:
            self._open.discard(function)
            self._cut.discard(function)
        if not self._cut:  # else it lacks what a function further out adds
            self._known[function] = found
        return found

    def raising_names(self) -> set[str]:
        """Names of functions and methods of the service that raise its errors."""
        if self._raising_names is None:
            self._raising_names = set()
            self._raising_names = {f.__name__ for f in self._all_functions() if self.function(f).raised}
            self._known.clear()  # read before the names were known
        return self._raising_names

    def modules(self) -> list[ModuleType]:
        """The service's modules that have been imported."""
        prefix = self.package + "."
        return [m for name, m in sorted(sys.modules.items()) if m and (name == self.package or name.startswith(prefix))]

    def _all_functions(self) -> Iterator[FunctionType]:
        for module in self.modules():
            for value in list(vars(module).values()):
                if not self.is_own(value):
                    continue
                members = vars(value).values() if inspect.isclass(value) else (value,)
                yield from (m for m in members if isinstance(m, FunctionType))

    def _read(self, function: FunctionType) -> Findings:
        place = f"{function.__module__}.{function.__qualname__}"
        try:
            tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
        except (OSError, TypeError, SyntaxError):
            return Findings(unfollowed={Unfollowed(place, "its source cannot be read")})
        node = tree.body[0]
        if not isinstance(node, _Function):
            return Findings()
        return _Reader(self, function, node).read()


class _Reader(ast.NodeVisitor):
    """One function's body. Nested functions are read where they are called."""

    def __init__(self, scanner: Scanner, function: FunctionType, node: _Function) -> None:
        self.scanner = scanner
        self.function_object = function
        self.node = node
        self.first_line = function.__code__.co_firstlineno
        self.names: dict[str, Any] = _closure(function)
        self.types: dict[str, Any] = {}
        self.nested: dict[str, _Function] = {}
        self.assigned: dict[str, list[ast.expr]] = {}
        self.reading: set[str] = set()
        self.found = Findings()
        self._prepare()

    def read(self) -> Findings:
        for statement in self.node.body:
            self.visit(statement)
        return self.found

    def _prepare(self) -> None:
        self.types = _hints(self.function_object)
        self.types.pop("return", None)
        owner = self.function_object.__qualname__.rpartition(".")[0]
        arguments = [*self.node.args.posonlyargs, *self.node.args.args]
        if owner and arguments and arguments[0].arg == "self":
            value: Any = sys.modules.get(self.function_object.__module__)
            for part in owner.split("."):
                value = getattr(value, part, None)
            if inspect.isclass(value):
                self.types["self"] = value
        for inner in ast.walk(self.node):
            if isinstance(inner, _Function) and inner is not self.node:
                self.nested[inner.name] = inner
            elif isinstance(inner, ast.Assign) and len(inner.targets) == 1 and isinstance(inner.targets[0], ast.Name):
                self.assigned.setdefault(inner.targets[0].id, []).append(inner.value)
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
                package = self.function_object.__module__.rsplit(".", node.level)[0]
                base = f"{package}.{base}" if base else package
            module = sys.modules.get(base)
            self.names[name] = getattr(module, alias.name, _UNKNOWN) if module else _UNKNOWN

    # -- statements

    def visit_Raise(self, node: ast.Raise) -> None:
        if node.exc is not None:
            self._raise(node.exc, node)
        for part in (node.exc, node.cause):
            if isinstance(part, ast.Call):
                for argument in (*part.args, *(keyword.value for keyword in part.keywords)):
                    self.visit(argument)

    def visit_Try(self, node: ast.Try) -> None:
        outer, self.found = self.found, Findings()
        for statement in node.body:
            self.visit(statement)
        inner, self.found = self.found, outer
        for handler in node.handlers:
            if not any(isinstance(part, ast.Raise) and part.exc is None for part in ast.walk(handler)):
                caught = tuple(self._classes(handler.type))
                inner.raised = {error for error in inner.raised if not _is_caught(error, caught)}
        self.found.add(inner)
        for statement in (*(s for handler in node.handlers for s in handler.body), *node.orelse, *node.finalbody):
            self.visit(statement)

    visit_TryStar = visit_Try  # type: ignore[assignment]  # noqa: N815 - ast's name

    def _with(self, node: ast.With | ast.AsyncWith) -> None:
        caught: tuple[type[BaseException], ...] = ()
        for item in node.items:
            call = item.context_expr
            if isinstance(call, ast.Call) and self._resolve(call.func) is suppress:
                caught += tuple(name for argument in call.args for name in self._classes(argument))
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
        self._call(node)
        for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
            self._passed(argument)
            self.visit(argument)
        if not isinstance(node.func, ast.Name):
            self.visit(node.func)

    def _call(self, node: ast.Call) -> None:
        function = self._resolve(node.func)
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        if isinstance(node.func, ast.Name) and name in self.nested:
            if name not in self.reading:
                self.reading.add(name)
                for statement in self.nested[name].body:
                    self.visit(statement)
        elif function is visible:
            given = next((keyword.value for keyword in node.keywords if keyword.arg == "error"), None)
            if given is None:
                self._found(NotFoundError, node)
            else:
                self._raise(given, node)
        elif _is_abort(function):
            self._raise(node, node)
        elif function is not _UNKNOWN:
            if not (inspect.isclass(function) and issubclass(function, BaseException)):
                self.found.add(self.scanner.function(function))
        elif name in self.scanner.raising_names():
            self._unfollowed(node, f"calls {ast.unparse(node.func)}(), which cannot be followed")

    def _passed(self, argument: ast.expr) -> None:
        """A function handed over as a value may be called by the receiver."""
        if isinstance(argument, (ast.Name, ast.Attribute)):
            value = self._resolve(argument)
            if isinstance(value, FunctionType) and self.scanner.function(value).raised:
                self._unfollowed(argument, f"hands over {ast.unparse(argument)}, which raises")

    # -- errors

    def _raise(self, value: ast.expr, node: ast.AST) -> None:
        if isinstance(value, ast.Name) and self._resolve(value) is _UNKNOWN:
            for assigned in self.assigned.get(value.id, ()):
                self._raise(assigned, node)
            if value.id not in self.assigned and not self._reraises(value.id):
                self._unfollowed(node, f"raises {value.id}, whose class is not known")
            return
        if isinstance(value, ast.IfExp):
            self._raise(value.body, node)
            self._raise(value.orelse, node)
            return
        call = value if isinstance(value, ast.Call) else None
        found = self._resolve(call.func if call else value)
        if inspect.isclass(found) and issubclass(found, APIError):
            self._found(self._shown(found, call), node)
        elif getattr(found, "__name__", "") in _HTTP_EXCEPTIONS and call is not None:
            self._http(call, node)
        elif isinstance(getattr(found, "code", None), int) and _is_framework(found):
            self.found.raised.add(Raised(None, found.code, self._place(node)))
        elif not (inspect.isclass(found) and issubclass(found, BaseException)):
            self._unfollowed(node, f"raises {ast.unparse(value)}, whose class is not known")

    def _reraises(self, name: str) -> bool:
        """Is it the exception of an `except ... as name`, whose source is followed already."""
        handlers = (n for n in ast.walk(self.node) if isinstance(n, ast.ExceptHandler) and n.name == name)
        return any(list(self._classes(handler.type)) for handler in handlers)

    def _shown(self, cls: type[APIError], call: ast.Call | None) -> type[APIError]:
        if call is None or not issubclass(cls, ForbiddenError) or self.scanner.tenant_status != 404:
            return cls
        given = {keyword.arg: keyword.value for keyword in call.keywords}
        if "conceal_as" in given:
            concealed = self._resolve(given["conceal_as"])
            return concealed if inspect.isclass(concealed) and issubclass(concealed, APIError) else NotFoundError
        return NotFoundError if "resource_tenant" in given else cls

    def _http(self, call: ast.Call, node: ast.AST) -> None:
        given = [*call.args[:1], *(k.value for k in call.keywords if k.arg in ("status_code", "code"))]
        status = self._resolve(given[0]) if given else _UNKNOWN
        if isinstance(status, int):
            if status >= 400:
                self.found.raised.add(Raised(None, int(status), self._place(node)))
        else:
            self._unfollowed(node, f"raises {ast.unparse(call)}, whose status is not a literal")

    def _found(self, cls: type[APIError], node: ast.AST) -> None:
        self.found.raised.add(Raised(cls, cls.status, self._place(node)))

    def _unfollowed(self, node: ast.AST, text: str) -> None:
        self.found.unfollowed.add(Unfollowed(self._place(node), text))

    def _place(self, node: ast.AST) -> str:
        line = self.first_line + getattr(node, "lineno", 1) - 1
        return f"{self.function_object.__module__}:{line}"

    # -- names

    def _classes(self, node: ast.expr | None) -> Iterator[type[BaseException]]:
        if node is None:
            yield BaseException
        elif isinstance(node, ast.Tuple):
            for part in node.elts:
                yield from self._classes(part)
        else:
            found = self._resolve(node)
            if inspect.isclass(found) and issubclass(found, BaseException):
                yield found

    def _resolve(self, node: ast.expr) -> Any:
        """The object that an expression names, or `_UNKNOWN`."""
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.Name):
            return self._name(node.id)
        if isinstance(node, ast.Attribute):
            kind = self._type(node.value)
            if kind is not None:
                return _member(kind, node.attr)
            return _member(self._resolve(node.value), node.attr)
        return _UNKNOWN

    def _type(self, node: ast.expr) -> Any:
        """The class of an expression's value, where annotations or a constructor tell it."""
        if isinstance(node, ast.Await):
            return self._type(node.value)
        if isinstance(node, ast.Name):
            assigned = self.assigned.get(node.id, ())
            return self.types.get(node.id) or (self._type(assigned[0]) if len(assigned) == 1 else None)
        if not isinstance(node, ast.Call):
            return None
        function = self._resolve(node.func)
        if inspect.isclass(function):
            return function
        return _hints(function).get("return") if isinstance(function, FunctionType) else None

    def _name(self, name: str) -> Any:
        if name in self.names:
            return self.names[name]
        if name in self.assigned or name in self.types or name in self.nested:
            return _UNKNOWN
        module = vars(sys.modules.get(self.function_object.__module__, ModuleType("absent")))
        if name in module:
            return module[name]
        builtins = vars(sys.modules["builtins"])
        return builtins.get(name, _UNKNOWN)


def _member(holder: Any, name: str) -> Any:
    """A member of a module, a class or an object, without running a property."""
    if holder is _UNKNOWN or holder is None:
        return _UNKNOWN
    if isinstance(holder, ModuleType):
        return getattr(holder, name, _UNKNOWN)
    found = inspect.getattr_static(holder, name, _UNKNOWN)
    return found.__func__ if isinstance(found, (staticmethod, classmethod)) else found


def _hints(function: FunctionType) -> dict[str, Any]:
    """Parameters, and `return`, that are annotated with a class."""
    with suppress(Exception):  # a name that only a type checker can see
        return {name: hint for name, hint in get_type_hints(function).items() if inspect.isclass(hint)}
    return {}


def _closure(function: FunctionType) -> dict[str, Any]:
    """What an enclosing function gave it: the handlers of an app factory."""
    names: dict[str, Any] = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=False):
        with suppress(ValueError):  # not yet bound
            names[name] = cell.cell_contents
    return names


def _is_framework(thing: Any) -> bool:
    return str(getattr(thing, "__module__", "")).partition(".")[0] in _FRAMEWORKS


def _is_abort(function: Any) -> bool:
    return getattr(function, "__name__", "") == "abort" and _is_framework(function)


def _is_caught(error: Raised, caught: Iterable[type[BaseException]]) -> bool:
    if error.cls is None:
        return any(cls.__name__ in ("HTTPException", "Exception", "BaseException") for cls in caught)
    return any(issubclass(error.cls, cls) for cls in caught)
