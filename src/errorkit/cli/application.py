"""The target's application: what its framework tells of routes, and its OpenAPI document."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import redirect_stdout
from importlib import import_module
from typing import Any, cast

from errorkit.cli.import_path import Target, TargetError, handler_of
from errorkit.declaration import Operation

_ADAPTERS = ("fastapi", "starlette", "flask")


def _adapter(found: Target) -> Any:
    """errorkit's adapter for the target's framework, or None."""
    packages = [base.__module__.partition(".")[0] for base in type(found.app).__mro__]
    name = next((package for package in packages if package in _ADAPTERS), None)
    return name and import_module(f"errorkit.{name}")


def adapter_of(found: Target) -> str:
    """The module of errorkit's that covers the target's framework. Raises TargetError where there is none."""
    adapter = _adapter(found)
    if adapter is None:
        raise TargetError(
            f"{found.path!r} is not an application whose routes can be listed; name a FastAPI, Starlette or Flask app"
        )
    return str(adapter.__name__)


def operations(found: Target) -> Iterable[Operation]:
    """Every operation of the application. Raises TargetError where its routes cannot be listed."""
    adapter = import_module(adapter_of(found))
    return cast("Iterable[Operation]", adapter.operations(found.app))


def openapi_of(found: Target) -> dict[str, Any] | None:
    """The document of the target's application, errors described, or None where it has none."""
    adapter = _adapter(found)
    if not hasattr(adapter, "document_errors"):
        return None
    with redirect_stdout(sys.stderr):  # a document function of the service's own may print
        adapter.document_errors(found.app, handler_of(found.app))
        return dict(found.app.openapi())


def declared(found: Target) -> dict[tuple[str, str], tuple[str, ...]]:
    """Codes that the target's handlers declare, by path and method (lower case); none without routes."""
    if _adapter(found) is None:
        return {}
    return {(operation.path, operation.method.lower()): operation.declared for operation in operations(found)}


def occurrences(found: Target) -> dict[str, list[tuple[str, str]]]:
    """Code to the methods and paths that declare it; nothing where routes cannot be listed."""
    places: dict[str, list[tuple[str, str]]] = {}
    if _adapter(found) is not None:
        for operation in operations(found):
            for code in operation.declared:
                places.setdefault(found.catalog.current(code), []).append((operation.method, operation.path))
    return places
