"""Which errors a handler declares that it raises."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from errorkit.errors import APIError

F = TypeVar("F", bound=Callable[..., Any])

CODES_KEY = "x-errorkit-codes"
"""Member of an OpenAPI operation or response: the canonical codes that it gives."""

_ATTRIBUTE = "__errorkit_errors__"


def raises(*errors: type[APIError]) -> Callable[[F], F]:
    """Declare what a handler, or a dependency, raises: `@raises(InvoiceNotFound)` beneath the route.

    The function itself is returned. Raises TypeError for anything but classes of APIError.
    """
    check_classes(errors)

    def declare(function: F) -> F:
        setattr(function, _ATTRIBUTE, (*declared(function), *errors))
        return function

    return declare


def declared(function: object) -> tuple[type[APIError], ...]:
    """The errors that a function declares; none if it declares nothing."""
    found: tuple[type[APIError], ...] = getattr(function, _ATTRIBUTE, ())
    return found


def errors(*classes: type[APIError]) -> dict[int | str, dict[str, Any]]:
    """The same for FastAPI's `responses=`, on a route, a router or the application.

    The adapter fills in envelope, headers and examples. Raises TypeError for anything but
    classes of APIError.
    """
    check_classes(classes)
    responses: dict[int | str, dict[str, Any]] = {}
    for cls in classes:
        entry = responses.setdefault(cls.status, {"description": cls.title or "Error", CODES_KEY: []})
        entry[CODES_KEY].append(cls.code)
    return responses


class Operation(NamedTuple):
    """One method of one path: what runs for it, and the codes that its route declares.

    functions: the handler first, then what runs before it (dependencies, deepest last).
    documented: is it meant to be in the OpenAPI document.
    """

    method: str
    path: str
    functions: tuple[Callable[..., Any], ...]
    codes: tuple[str, ...] = ()
    documented: bool = True

    @property
    def handler(self) -> Callable[..., Any]:
        """The function of the route itself."""
        return self.functions[0]

    @property
    def declared(self) -> tuple[str, ...]:
        """Every code declared for it: by the route, the handler, or a dependency."""
        own = (cls.code for function in self.functions for cls in declared(function))
        return tuple(dict.fromkeys((*self.codes, *own)))


def check_classes(classes: tuple[object, ...]) -> None:
    """Refuse what is no class of APIError. Raises TypeError."""
    for cls in classes:
        if not (isinstance(cls, type) and issubclass(cls, APIError)):
            raise TypeError(f"{cls!r} is no class of APIError; declare classes, for example NotFoundError")
