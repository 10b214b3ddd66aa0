"""The one error for what a team configures wrongly, and how a value is shown in it."""

from __future__ import annotations

from reprlib import Repr
from typing import Any, Self

from errorkit.texts import clean, named

PREFIX = "errorkit configuration: "
_MAX_WORDS = 1000
_PLAIN = (bool, int, float, str, bytes, dict, list, tuple, set, frozenset, type(None))


class ConfigurationError(ValueError):
    """The configuration cannot be used. The text names the field, the value and the fix."""

    @classmethod
    def of(cls, field: str, value: object, why: str) -> Self:
        """`errorkit configuration: <field>=<value>: <what is wrong>; <the fix>`, in one line.

        why: the last two.
        """
        return cls(f"{PREFIX}{field}={shown(value)}: {clean(' '.join(why.split()), _MAX_WORDS)}")

    @property
    def problem(self) -> str:
        """The text without what every such text begins with."""
        return str(self).removeprefix(PREFIX)


class _Shown(Repr):
    def __init__(self) -> None:
        super().__init__()
        self.maxlevel, self.maxstring, self.maxother = 3, 120, 120

    def repr1(self, x: Any, level: int) -> str:
        name = getattr(x, "__qualname__", None)
        if isinstance(name, str):
            return name.rpartition("<locals>.")[2]
        return str(super().repr1(x, level)) if type(x) in _PLAIN else named(x)


_repr = _Shown().repr


def shown(value: object) -> str:
    """A value for a message: plain ones as Python writes them, bounded; a class's or function's name; else its type's.

    No `repr` of a foreign class is asked: it may be long, raise, or hold a secret.
    """
    try:
        return _repr(value)
    except Exception:
        return named(value)
