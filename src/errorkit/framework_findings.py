"""Findings about a request as other frameworks write them into their bodies, read and written.

What they say stands as it was said: the client has been told so already.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from errorkit.failure import Detail, step, undotted

WHOLE = "non_field_errors"
"""Django REST framework's member for findings that are about no one field."""
_REQUIRED = frozenset({"This field is required.", "This field may not be null.", "No file was submitted."})
_MAX_DEPTH = 20
_LOCATIONS = frozenset({"body", "query", "path", "header", "cookie"})


def of_field_dictionary(value: Any) -> tuple[Detail, ...] | None:
    """Django REST framework's findings: members with lists of words, as deep as the data. None if they are not."""
    found: list[Detail] = []
    whole = {WHOLE: value} if isinstance(value, list) else value
    if not isinstance(whole, dict) or not _collect(whole, (), found):
        return None
    return tuple(found) or None


def _collect(value: Any, path: tuple[str | int, ...], found: list[Detail]) -> bool:
    """Add the findings under a path. False: this is something else."""
    if len(path) > _MAX_DEPTH:
        return False
    if isinstance(value, dict):
        return all(
            _collect(inner, path if name == WHOLE else (*path, step(name)), found) for name, inner in value.items()
        )
    if not isinstance(value, list):
        return False
    if value and all(isinstance(item, dict) for item in value):  # a list's items, an empty one for each that is right
        return all(_collect(item, (*path, index), found) for index, item in enumerate(value))
    if not value or not all(isinstance(words, str) for words in value):
        return False
    found += (Detail(path, words, "missing_field" if words in _REQUIRED else "invalid_value") for words in value)
    return True


def as_field_dictionary(details: Iterable[Detail]) -> dict[str, Any]:
    """The inverse of `of_field_dictionary`."""
    tree: dict[str, Any] = {}
    for detail in details:
        node = tree
        for part in detail.path or (WHOLE,):
            inner = node.setdefault(str(part), {})
            node = inner
        node.setdefault(WHOLE, []).append(detail.message)
    return {name: _folded(inner) for name, inner in tree.items()}


def _folded(node: Any) -> Any:
    """A member's findings as a list alone where there are none further in."""
    if isinstance(node, list):
        return node
    if list(node) == [WHOLE]:
        return _folded(node[WHOLE])
    return {name: _folded(inner) for name, inner in node.items()}


def of_litestar(value: Any) -> tuple[Detail, ...] | None:
    """Litestar's `extra` of a rejected request. None if it is not that."""
    if not isinstance(value, list) or not value:
        return None
    found = []
    for item in value:
        if not isinstance(item, dict) or not {"message"} <= item.keys() <= {"message", "key", "source"}:
            return None
        words, key, source = item["message"], item.get("key", ""), item.get("source", "body")
        if not (isinstance(words, str) and isinstance(key, str) and source in _LOCATIONS):
            return None
        missing = words.startswith("Object missing required field")
        found.append(Detail(undotted(key), words, "missing_field" if missing else "invalid_value", source))
    return tuple(found)


def as_loc(detail: Detail) -> list[str | int]:
    """FastAPI's `loc` of a finding: its location, and its path."""
    return [detail.location, *detail.path]


def of_loc(loc: Any) -> tuple[str, tuple[str | int, ...]]:
    """Location and path of FastAPI's `loc`."""
    path = tuple(part for part in loc if type(part) in (str, int)) if isinstance(loc, list) else ()
    return (path[0], path[1:]) if path and path[0] in _LOCATIONS else ("body", path)
