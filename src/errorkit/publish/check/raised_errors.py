"""Which errors a function raises, read from its source: nothing is run, nothing is guessed.

Followed are `raise`, calls by name (a function, a class, a method of `self` or of a parameter
whose annotation is a class of the service), `visible`, and frameworks' HTTP exceptions with a
literal status. Caught errors are taken away. What could raise and could not be followed is
noted. Names are looked up in the imported modules; only the service's own code is read.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import FunctionType, MappingProxyType, ModuleType
from typing import Any

from errorkit.publish.check.function_body import Findings, Raised, Reader, Unfollowed
from errorkit.publish.check.name_resolution import Scope, parse

__all__ = ["UNREADABLE", "Findings", "Raised", "Scanner", "Unfollowed"]

UNREADABLE = "its source cannot be read"


class Scanner:
    """Reads the functions of one package, or of one module and what lies beside it.

    package: its import name. tenant_status: what `ForbiddenError(resource_tenant=...)` is shown as.
    translators: foreign exception classes and what the configuration answers for them.
    """

    def __init__(
        self,
        package: str,
        tenant_status: int = 404,
        translators: Mapping[type[BaseException], Callable[..., Any]] = MappingProxyType({}),
    ) -> None:
        self.package = package
        self.tenant_status = tenant_status
        self.translators = translators
        self._root = _root(package)
        self._known: dict[Any, Findings] = {}
        self._open: set[Any] = set()
        self._cut: set[Any] = set()
        self._raising_names: set[str] | None = None

    def is_own(self, thing: object) -> bool:
        """Is it defined in the service's code."""
        return self._is_own_module(sys.modules.get(getattr(thing, "__module__", None) or ""))

    def _is_own_module(self, module: ModuleType | None) -> bool:
        file = getattr(module, "__file__", None)
        if file is None or self._root is None or str(getattr(module, "__name__", "")).partition(".")[0] == "errorkit":
            return False
        path = Path(file).resolve()
        return path.is_relative_to(self._root) and "site-packages" not in path.relative_to(self._root).parts

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
        return [module for _, module in sorted(sys.modules.items()) if self._is_own_module(module)]

    def _all_functions(self) -> Iterator[FunctionType]:
        for module in self.modules():
            for value in list(vars(module).values()):
                if not self.is_own(value):
                    continue
                members = vars(value).values() if inspect.isclass(value) else (value,)
                yield from (m for m in members if isinstance(m, FunctionType))

    def _read(self, function: FunctionType) -> Findings:
        if function.__code__.co_filename.startswith("<"):  # made by a dataclass and the like
            return Findings()
        node = parse(function)
        if node is None:
            place = f"{function.__module__}.{function.__qualname__}"
            return Findings(unfollowed={Unfollowed(place, UNREADABLE)})
        return Reader(self, Scope(function, node)).read()


def _root(package: str) -> Path | None:
    """The directory of a package, or the one that a module lies in."""
    module = sys.modules.get(package)
    places = [*getattr(module, "__path__", ())] or [str(Path(getattr(module, "__file__", None) or "").parent)]
    return Path(places[0]).resolve() if module else None
