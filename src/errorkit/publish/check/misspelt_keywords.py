"""Keywords that a service gives its errors, read from the source: those that are nearly a parameter."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from types import FunctionType, ModuleType
from typing import Any

from errorkit.arguments import slip
from errorkit.errors import APIError
from errorkit.publish.check.name_resolution import UNKNOWN, member


def misspelt(module: ModuleType, tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Where an error is made with a keyword that is hardly meant as a public member, and what to write instead.

    Classes are known by the names that the module has for them; nothing is run.
    """
    for node in ast.walk(tree):
        cls = _meant(module, node.func) if isinstance(node, ast.Call) and node.keywords else None
        if isinstance(cls, type) and issubclass(cls, APIError):
            assert isinstance(node, ast.Call)
            given = [keyword.arg for keyword in node.keywords if keyword.arg not in (None, *_parameters(cls))]
            for name in given:
                instead = slip(str(name))
                if instead is not None:
                    yield f"{module.__name__}:{node.lineno}", f"{cls.__name__}({name}=...): {instead}"


def _meant(module: ModuleType, node: ast.expr) -> Any:
    """What a dotted name stands for in a module."""
    if isinstance(node, ast.Attribute):
        return member(_meant(module, node.value), node.attr)
    return vars(module).get(node.id, UNKNOWN) if isinstance(node, ast.Name) else UNKNOWN


def _parameters(cls: type) -> set[str]:
    """What the constructors of a class and of its bases take by name."""
    constructors = (vars(base).get("__init__") for base in cls.__mro__)
    codes = [function.__code__ for function in constructors if isinstance(function, FunctionType)]
    return {name for code in codes for name in code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]}
