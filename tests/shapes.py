"""What a schema can see of an error response: two of the same shape get the same verdict."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from pydantic import TypeAdapter

from errorkit.catalog import Catalog
from errorkit.dialects import Dialect
from errorkit.exchange import Response

_BLIND = frozenset(
    {
        "type", "title", "description", "properties", "required", "$ref", "$defs", "items",
        "additionalProperties", "anyOf", "allOf", "oneOf", "const", "enum",
    }
)  # fmt: skip
"""Keywords that look at a string only to compare it with words of the schema, at an array's items
one by one, and at no member by its name but those that they name."""


class _Sight(NamedTuple):
    """What a schema of a body looks at: members by name, strings by value; `sharp`: at more than that."""

    names: frozenset[str]
    words: frozenset[str]
    sharp: bool


class Shape:
    """Of one dialect's responses, for one catalogue."""

    def __init__(self, dialect: Dialect, catalog: Catalog) -> None:
        self.dialect = dialect
        self.sight = _sight(dialect.Body)
        self.words = {dialect.spell(spec.code) for spec in catalog} | self.sight.words
        self.catalog = catalog

    def of(self, response: Response, code: str) -> Any:
        """A hashable value. A code that the catalogue does not list is as good as another."""
        headers = frozenset(
            (name, value if name == b"content-type" else value.isdigit()) for name, value in response.headers
        )
        return headers, self._body(response.body, code)

    def _body(self, body: bytes, code: str) -> Any:
        if self.sight.sharp:
            return body
        unlisted = None if code in self.catalog else self.dialect.spell(code)
        try:
            return self._value(json.loads(body), unlisted)
        except (ValueError, RecursionError):
            return body

    def _value(self, value: Any, unlisted: str | None) -> Any:
        if isinstance(value, str):
            return value if value in self.words else "*" if value == unlisted else ""
        if isinstance(value, list):
            return "array", frozenset(self._value(item, unlisted) for item in value)
        if isinstance(value, dict):
            names = self.sight.names
            members = ((name if name in names else "*", self._value(item, unlisted)) for name, item in value.items())
            return "object", frozenset(members)
        return type(value)


@lru_cache(maxsize=256)
def _sight(body: type | None) -> _Sight:
    if body is None:
        return _Sight(frozenset(), frozenset(), sharp=True)
    nodes = list(_nodes(TypeAdapter(body).json_schema()))
    names = {name for node in nodes for name in (*node.get("properties", ()), *node.get("required", ()))}
    chosen = [
        *(value for node in nodes for value in node.get("enum", ())),
        *(n["const"] for n in nodes if "const" in n),
    ]
    words = {value for value in chosen if isinstance(value, str)}
    sharp = any(node.keys() - _BLIND for node in nodes) or len(words) < len(set(map(repr, chosen)))
    return _Sight(frozenset(names), frozenset(words), sharp)


def _nodes(schema: Any) -> Iterator[dict[str, Any]]:
    """Every schema within a schema."""
    if isinstance(schema, list):
        for item in schema:
            yield from _nodes(item)
    elif isinstance(schema, dict):
        yield schema
        for keyword, value in schema.items():
            if keyword in ("properties", "$defs"):
                yield from _nodes(list(value.values()))
            elif keyword not in ("const", "enum", "required"):
                yield from _nodes(value)
