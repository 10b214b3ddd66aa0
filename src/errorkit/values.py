"""The one gate for values that leave, to a client or into the log: by type, total and bounded.

| type | leaves as |
|---|---|
| None, bool, int, float, str | itself; a number that JSON has not is text |
| datetime, date, time | ISO 8601 |
| timedelta | seconds |
| Decimal, UUID | text |
| bytes, bytearray | text, as UTF-8 |
| Enum | its value |
| mappings; lists, tuples, sets, deques | objects; arrays |
| pydantic models and dataclasses | objects, by their own serialisation |
| dataclasses, attrs classes, named tuples | objects of their public fields: no `_name`, no `repr=False` |

Anything else has no documented form. On the wire it is the constant `WITHHELD`; in the log it
is its type's name, and a namespace its members. Nothing is asked for its `str` or `repr`, and
nothing is iterated that may be lazy. A validator's finding loses what was submitted, wherever
it stands.
"""

from __future__ import annotations

import dataclasses
import types
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from itertools import islice
from math import isfinite
from typing import Any
from uuid import UUID

from errorkit.finding_paths import client_path
from errorkit.finding_words import is_finding, words_of
from errorkit.redaction import QUOTES_INPUT, REDACTED, Redactor
from errorkit.texts import CUT, MAX_TEXT, WITHHELD, clean, named

MAX_DEPTH = 16
MAX_ITEMS = 200
MAX_PARTS = 4 * MAX_ITEMS
"""All parts of one value together."""
MAX_CHARACTERS = 65536
"""All texts of one value together."""
MAX_NUMBER = 10**40
_MAX_NAME = 200

_SCALARS = (str, int, float, datetime, date, time, timedelta, Decimal, UUID, bytes, bytearray)
_ARRAYS: tuple[type[Any], ...] = (list, tuple, set, frozenset, deque, type({}.keys()), type({}.values()))
_MISSING = object()


def safe(value: Any, max_text: int = MAX_TEXT) -> Any:
    """A value for the wire, made of JSON types only. Cut parts are marked with `CUT`."""
    return _Copier(max_text, None).copy(value, MAX_DEPTH)


def loggable(value: Any, redactor: Redactor, max_text: int) -> Any:
    """A value for the log, made of JSON types only, its secrets redacted by the names of members."""
    return _Copier(max_text, redactor, for_log=True).copy(value, MAX_DEPTH)


def readable(value: Any) -> Any:
    """A value of an application's own log line, made of JSON types only; nothing in it is redacted."""
    return _Copier(MAX_TEXT, None, for_log=True).copy(value, MAX_DEPTH)


def undocumented(value: Any) -> type | None:
    """The type of the first part of a value that could not be sent; None if all of it could.

    Looks at types alone and at a bounded number of parts.
    """
    left = MAX_PARTS
    stack: list[Any] = [value]
    while stack and left > 0:
        left -= 1
        each = stack.pop()
        kind = type(each)
        if each is None or issubclass(kind, (_SCALARS, Enum)) or _has_fields(kind):
            continue
        if issubclass(kind, Mapping):
            for name, item in islice(each.items(), left):
                if name is not None and not issubclass(type(name), (*_SCALARS, Enum)):
                    return type(name)
                stack.append(item)
        elif issubclass(kind, _ARRAYS):
            stack.extend(islice(each, left))
        else:
            return kind
    return None


def _has_fields(kind: type) -> bool:
    return (
        hasattr(kind, "__pydantic_serializer__")
        or _is_masked(kind)
        or hasattr(kind, "__dataclass_fields__")
        or hasattr(kind, "__attrs_attrs__")
    )


class _Copier:
    """One copy; its budgets bound all parts together."""

    def __init__(self, max_text: int, redactor: Redactor | None, *, for_log: bool = False) -> None:
        self.max_text = max_text
        self.redactor = redactor
        self.for_log = for_log
        self.parts = MAX_PARTS
        self.characters = MAX_CHARACTERS

    def copy(self, value: Any, depth: int) -> Any:
        self.parts -= 1
        kind = type(value)
        try:
            if value is None or kind is bool:
                return value
            if issubclass(kind, Enum):
                value = value.value
                kind = type(value)
            if issubclass(kind, _SCALARS):
                return self._scalar(value, kind)
            if depth <= 0 or self.parts <= 0 or self.characters <= 0:
                return CUT
            if issubclass(kind, Mapping):
                return self._object(value, depth - 1)
            if issubclass(kind, _ARRAYS) and not _is_named_tuple(kind):
                return self._array(value, depth - 1)
            members = self._members(value, kind)
            if members is not _MISSING:
                return self.copy(members, depth - 1)
        except Exception:
            return self._nothing(value)
        return self._nothing(value)

    def _nothing(self, value: Any) -> str:
        return named(value) if self.for_log else WITHHELD

    def _scalar(self, value: Any, kind: type) -> Any:
        if issubclass(kind, str):
            return self._text(str.__str__(value))
        if issubclass(kind, int):
            return int(value) if -MAX_NUMBER < value < MAX_NUMBER else CUT
        if issubclass(kind, float):
            return float(value) if isfinite(value) else str(float(value))
        if issubclass(kind, timedelta):
            return value.total_seconds()
        if issubclass(kind, (bytes, bytearray)):
            return self._text(bytes(value[: self.max_text + 1]).decode("utf-8", "replace"))
        return self._text(value.isoformat() if issubclass(kind, (date, time)) else str(value))

    def _text(self, value: str) -> str:
        text = clean(value, min(self.max_text, max(self.characters, 0)))
        self.characters -= len(text)
        if self.redactor is not None:
            return self.redactor.text(text)
        return WITHHELD if QUOTES_INPUT in text and not self.for_log else text

    def _object(self, value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        if is_finding(value):
            return self._finding(value)
        redactor = self.redactor
        named_here = redactor is not None and _names_a_secret(value, redactor)
        out: dict[str, Any] = {}
        for key, item in islice(value.items(), MAX_ITEMS + 1):
            if len(out) >= MAX_ITEMS or self.parts <= 0:
                out[CUT] = True
                break
            name = self._name(key)
            if redactor is not None and (redactor.secret(name) or (named_here and name == "value")):
                out[name] = REDACTED
            else:
                out[name] = self.copy(item, depth)
        return out

    def _array(self, value: Iterable[Any], depth: int) -> list[Any]:
        if self.redactor is not None and _is_secret_pair(value, self.redactor):
            return [self._name(next(iter(value))), REDACTED]
        out: list[Any] = []
        for item in islice(value, MAX_ITEMS + 1):
            if len(out) >= MAX_ITEMS or self.parts <= 0:
                out.append(CUT)
                break
            out.append(self.copy(item, depth))
        return out

    def _finding(self, value: Mapping[Any, Any]) -> dict[str, Any]:
        kind = str(value["type"])
        loc = [self._name(part) if isinstance(part, str) else part for part in client_path(value)]
        return {"type": self._text(kind), "loc": loc, "msg": self._text(words_of(value))}

    def _name(self, key: Any) -> str:
        """The name of a member."""
        key = key.value if isinstance(key, Enum) else key
        kind = type(key)
        self.parts -= 1
        if issubclass(kind, str):
            return clean(str.__str__(key), _MAX_NAME)
        if key is None:
            return "null"
        return clean(str(self._scalar(key, kind)), _MAX_NAME) if issubclass(kind, _SCALARS) else self._nothing(key)

    def _members(self, value: Any, kind: type) -> Any:
        """The public fields of a typed object as an object, or whatever it is serialised as."""
        serializer: Any = getattr(kind, "__pydantic_serializer__", None)
        if serializer is not None:
            further = getattr(value, "__pydantic_extra__", None)  # nobody has declared these
            members = serializer.to_python(
                value, mode="json", by_alias=not self.for_log, exclude=set(further) if further else None,
                fallback=self._nothing, warnings=False,
            )  # fmt: skip
            if self.redactor is not None and isinstance(members, dict):
                members |= dict.fromkeys(_by_secret_alias(kind, self.redactor) & members.keys(), REDACTED)
            return members
        if _is_masked(kind):
            return str(value)
        if hasattr(kind, "__dataclass_fields__"):
            return dict(_readable(value, ((field.name, field.repr) for field in dataclasses.fields(value))))
        declared = getattr(kind, "__attrs_attrs__", None)
        if declared is not None:
            return dict(_readable(value, ((field.name, field.repr) for field in declared)))
        if _is_named_tuple(kind):
            return dict(zip(kind._fields, tuple.__iter__(value), strict=False))  # type: ignore[attr-defined]
        if self.for_log and (
            issubclass(kind, types.SimpleNamespace) or (kind.__module__, kind.__name__) == ("argparse", "Namespace")
        ):
            return dict(vars(value))
        return _MISSING


def _readable(value: Any, fields: Iterator[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    for name, shown in fields:
        if shown is True and not name.startswith("_"):
            yield name, getattr(value, name)


def _is_masked(kind: type) -> bool:
    """Is it one of pydantic's secrets, which have no serializer of their own before 2.11."""
    return kind.__module__ == "pydantic.types" and hasattr(kind, "get_secret_value")


def _is_named_tuple(kind: type) -> bool:
    return issubclass(kind, tuple) and isinstance(getattr(kind, "_fields", None), tuple)


def _is_secret_pair(value: Any, redactor: Redactor) -> bool:
    """Is it a name and its value, as header fields are listed, of a name that is a secret's."""
    return isinstance(value, (list, tuple)) and len(value) == 2 and _secret_name(value[0], redactor)


def _names_a_secret(value: Mapping[Any, Any], redactor: Redactor) -> bool:
    """Is it `{"name": ..., "value": ...}` of a name that is a secret's."""
    return "value" in value and any(_secret_name(value.get(name), redactor) for name in ("name", "key"))


def _by_secret_alias(kind: Any, redactor: Redactor) -> set[str]:
    """The fields of a model that a client knows by a secret's name."""
    found = set()
    for name, field in getattr(kind, "__pydantic_fields__", {}).items():
        aliases = (field.alias, field.validation_alias, field.serialization_alias)
        if any(_secret_name(alias, redactor) for alias in aliases):
            found.add(name)
    return found


def _secret_name(name: Any, redactor: Redactor) -> bool:
    if isinstance(name, bytes):
        name = name[:_MAX_NAME].decode("latin-1")
    return isinstance(name, str) and redactor.secret(name)
