"""A value that a JSON Schema takes, and one that it refuses with the words that pydantic's refusal becomes here.

It is as in examples: what the schema itself names first (`example`, `default`, `enum`), else the plainest of its type.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from errorkit.finding_words import WORDS

Schema = Mapping[str, Any]
Resolve = Callable[[Schema], Schema]
"""A schema that is a reference to the one that it refers to."""

_DEEPEST = 8
_FORMATS: Mapping[str, str] = MappingProxyType(
    {
        "date-time": "2026-01-31T12:00:00Z",
        "date": "2026-01-31",
        "time": "12:00:00",
        "duration": "PT1H",
        "uuid": "7f65ab21-d13c-4e90-8d2b-6a0f5e94c7b8",
        "email": "name@example.com",
        "uri": "https://example.com/",
        "hostname": "example.com",
        "ipv4": "192.0.2.1",
        "ipv6": "2001:db8::1",
        "byte": "ZXhhbXBsZQ==",
    }
)
_TEXTS = ("example", "example-1", "EXAMPLE", "1", "12345678", "ab", "AB", "abc123", "abc_123", "a1b2c3d4e5f6", "1.0.0")


class Wrong(NamedTuple):
    """A value that is refused. kind: pydantic's type of the finding."""

    value: Any
    kind: str

    @property
    def words(self) -> str:
        """What a client is told."""
        return WORDS[self.kind]


def plausible(schema: Schema, resolve: Resolve, depth: int = 0) -> Any:
    """A value of the schema; of an object only what is required. Beyond a depth of references that lead round: null."""
    if depth > _DEEPEST:
        return None
    schema = one_of(resolve(schema), resolve)
    named = _named(schema)
    if named:
        return named[0]
    kind = _type(schema)
    if kind == "object":
        required = [name for name in schema.get("required", ()) if name in properties(schema, resolve)]
        return {name: plausible(properties(schema, resolve)[name], resolve, depth + 1) for name in required}
    if kind == "array":
        return [plausible(schema.get("items") or {}, resolve, depth + 1)] * min(int(schema.get("minItems", 1)), 3)
    if kind in ("integer", "number"):
        return _number(schema, whole=kind == "integer")
    return {"boolean": True, "null": None}.get(kind, _text(schema)) if kind != "string" else _text(schema)


def wrong(schema: Schema, resolve: Resolve, *, as_text: bool) -> Wrong | None:
    """A value that the schema surely refuses. as_text: of a parameter, whose value is text on the wire.

    None where that is not sure: of a text any is taken, and what an author's own rule refuses no schema tells.
    """
    schema = resolve(schema)
    if any(word in schema for word in ("oneOf", "enum", "const")) or len(_options(schema)) > 1:
        return None
    schema = one_of(schema, resolve)
    kind, form = _type(schema), str(schema.get("format", ""))
    if kind == "string" and "contentMediaType" not in schema and form not in ("binary", "byte"):
        if form == "uuid":
            return Wrong("example", "uuid_parsing")
        return None if as_text or form or "enum" in schema else Wrong(7, "string_type")
    found = {"integer": "int_parsing", "number": "float_parsing", "boolean": "bool_parsing"}.get(kind)
    if found is not None:
        return Wrong("ten" if kind != "boolean" else "maybe", found)
    return Wrong("example", "list_type") if kind == "array" and not as_text else None


def one_of(schema: Schema, resolve: Resolve) -> Schema:
    """The first alternative that is not null, and the parts of an `allOf` as one."""
    options = _options(schema) or [option for option in schema.get("oneOf", ()) if option.get("type") != "null"]
    if options:
        outer = {name: value for name, value in schema.items() if name not in ("anyOf", "oneOf")}
        return {**one_of(resolve(options[0]), resolve), **outer}
    if "allOf" not in schema:
        return schema
    merged: dict[str, Any] = {name: value for name, value in schema.items() if name != "allOf"}
    for part in schema["allOf"]:
        inner = one_of(resolve(part), resolve)
        members = {**merged.get("properties", {}), **inner.get("properties", {})}
        required = [*merged.get("required", ()), *inner.get("required", ())]
        merged = {**inner, **merged}
        if members:
            merged |= {"properties": members, "required": required}
    return merged


def properties(schema: Schema, resolve: Resolve) -> Mapping[str, Schema]:
    """The members that an object is known to have."""
    found = one_of(resolve(schema), resolve).get("properties")
    return found if isinstance(found, dict) else {}


def _options(schema: Schema) -> list[Schema]:
    return [option for option in schema.get("anyOf", ()) if option.get("type") != "null"]


def _named(schema: Schema) -> list[Any]:
    examples = schema.get("examples")
    named = [schema["example"]] if "example" in schema else list(examples) if isinstance(examples, list) else []
    if not named and schema.get("default") is not None:
        named = [schema["default"]]
    return named or ([schema["const"]] if "const" in schema else list(schema.get("enum", ())))


def _type(schema: Schema) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((each for each in kind if each != "null"), "null")
    return str(kind or ("object" if "properties" in schema else "string"))


def _number(schema: Schema, *, whole: bool) -> float:
    low, high = schema.get("minimum"), schema.get("maximum")
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    if isinstance(above, (int, float)) and not isinstance(above, bool):
        low = above + 1
    if isinstance(below, (int, float)) and not isinstance(below, bool):
        high = below - 1
    value = 1 if low is None or low <= 1 else low
    value = high if high is not None and value > high else value
    step = schema.get("multipleOf")
    value = math.ceil(value / step) * step if step else value
    return math.ceil(value) if whole else value


def _text(schema: Schema) -> str:
    if schema.get("format") in _FORMATS:
        return _FORMATS[schema["format"]]
    shortest, longest = int(schema.get("minLength", 0)), int(schema.get("maxLength", 10_000))
    fitting = [_long_enough(text, shortest)[:longest] for text in _TEXTS]
    pattern = schema.get("pattern")
    if isinstance(pattern, str):
        try:
            return next((text for text in fitting if re.search(pattern, text)), fitting[0])
        except re.error:  # a form that only other languages know
            return fitting[0]
    return fitting[0]


def _long_enough(text: str, shortest: int) -> str:
    return text * min(math.ceil(shortest / len(text)), 100) if len(text) < shortest else text
