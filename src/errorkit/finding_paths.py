"""Where a validator's finding is, in the client's names.

pydantic's `loc` holds more than the way to a member: the names of union members, of models,
tags and validator functions, and names that the client has made up itself. The submitted data
is walked along it; only which members there are is asked, never what they hold.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Mapping
from typing import Any
from weakref import WeakKeyDictionary

MISSING = frozenset(
    {"missing", "missing_argument", "missing_keyword_only_argument", "missing_positional_only_argument"}
)
"""Types of findings whose last name is that of a member which is not there."""
UNKNOWN: Any = object()
"""In place of submitted data that is not at hand."""

_MAX_PARTS = 32
_OF_CLIENTS = frozenset({"extra_forbidden", "unexpected_keyword_argument", "invalid_key"})
"""Types of findings about a name that the client has made up."""
_KEY = "[key]"
_INNER = re.compile(
    r"(?:function-(?:plain|wrap|before|after)|lax-or-strict|json-or-python|is-instance|is-subclass|nullable|default"
    r"|tagged-union|union|literal|enum|chain|list|set|frozenset|tuple|dict|deque|generator|definition-ref)\[.*\]"
    r"|constrained-\w+|\[key\]",
    re.DOTALL,
).fullmatch
_UNION_MEMBERS = {
    "int": ("int",), "float": ("float", "finite"), "str": ("string",), "bool": ("bool",), "bytes": ("bytes",),
    "date": ("date",), "datetime": ("date", "timezone"), "time": ("time",), "timedelta": ("time_delta",),
    "decimal": ("decimal",), "uuid": ("uuid",), "url": ("url",), "none": ("none",),
}  # fmt: skip
"""pydantic's name of a scalar in a union, and how the types of its findings begin."""


def client_path(
    finding: Mapping[str, Any],
    *,
    submitted: Any = UNKNOWN,
    declared: Container[str] | None = None,
    skip: int = 0,
) -> tuple[str | int, ...]:
    """The path of a finding, as far as it goes through members that the client may be told of.

    submitted: the data that was validated, where it is at hand.
    declared: every name that the schema knows, where they are at hand; another is the client's own.
    skip: parts of `loc` to leave out at its beginning.
    """
    loc, kind = finding.get("loc"), finding.get("type")
    kind = kind if isinstance(kind, str) else ""
    if not isinstance(loc, (tuple, list)):
        return ()
    parts = [part for part in loc[skip : skip + _MAX_PARTS] if type(part) is str or type(part) is int]
    if parts and parts[-1] == _KEY:
        del parts[-2:]
    elif parts and kind in _OF_CLIENTS:
        del parts[-1]
    if submitted is UNKNOWN or not isinstance(submitted, (dict, list, tuple, Mapping)):
        return tuple(_by_names(parts, kind, declared))
    return tuple(_by_data(parts, kind, submitted, declared))


def _by_names(parts: list[str | int], kind: str, declared: Container[str] | None) -> Iterable[str | int]:
    """What can be told without the data."""
    for at, part in enumerate(parts):
        if isinstance(part, str):
            if _INNER(part) or (declared is not None and part not in declared):
                continue
            if at == len(parts) - 1 and kind.startswith(_UNION_MEMBERS.get(part, "\0")):
                continue
        yield part


def _by_data(parts: list[str | int], kind: str, submitted: Any, declared: Container[str] | None) -> list[str | int]:
    """What leads through the data itself."""
    here = submitted
    path: list[str | int] = []
    for at, part in enumerate(parts):
        if type(part) is int:
            if isinstance(here, (list, tuple)):
                if not 0 <= part < len(here):
                    continue
                here = here[part]
            elif isinstance(here, (dict, Mapping)):
                continue
            path.append(part)
        elif isinstance(here, (dict, Mapping)):  # asking for a dict is cheaper than for any mapping
            absent = part not in here
            if absent and (at < len(parts) - 1 or kind not in MISSING):
                continue
            if declared is not None and part not in declared:
                break  # a name that the client has made up: the finding is somewhere inside
            path.append(part)
            here = None if absent else here[part]
    return path


def declared_names(schema: Any) -> frozenset[str]:
    """Every name of a member in one of pydantic's core schemas, by which a client may call it."""
    names: set[str] = set()
    seen: set[int] = set()
    stack: list[Any] = [schema]
    while stack:
        each = stack.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        if isinstance(each, dict):
            fields = each.get("fields")
            if isinstance(fields, dict):
                names.update(name for name in fields if isinstance(name, str))
            elif isinstance(fields, list):  # of a dataclass
                names.update(field["name"] for field in fields if isinstance(field, dict) and "name" in field)
            if "validation_alias" in each:
                names.update(_aliases(each["validation_alias"]))
            stack.extend(value for value in each.values() if isinstance(value, (dict, list, tuple)))
        elif isinstance(each, (list, tuple)):
            stack.extend(value for value in each if isinstance(value, (dict, list, tuple)))
    return frozenset(names)


_known: WeakKeyDictionary[Any, frozenset[str]] = WeakKeyDictionary()


def declared_names_of(owner: Any, schema: Callable[[Any], Any]) -> frozenset[str]:
    """The same of a model's or a field's schema, looked for once."""
    names = _known.get(owner)
    if names is None:
        names = _known[owner] = declared_names(schema(owner))
    return names


def _aliases(alias: Any) -> Iterable[str]:
    if isinstance(alias, str):
        yield alias
    elif isinstance(alias, (list, tuple)):
        for part in alias:
            yield from _aliases(part)
