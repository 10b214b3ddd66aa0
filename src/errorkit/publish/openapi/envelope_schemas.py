"""A dialect's body and headers in OpenAPI: a schema for each code, told apart by the code where it can be."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Mapping
from typing import Any

from errorkit.body_form import has_members
from errorkit.dialect_trial import FULL
from errorkit.dialects import Dialect
from errorkit.encoding import encode
from errorkit.publish.envelope_fields import code_path
from errorkit.publish.export import body_schema
from errorkit.publish.wire_example import Example

_NOT_DOCUMENTED = frozenset({"content-type", "content-length", "cache-control", "x-content-type-options"})


class Envelope:
    """The components of one dialect in one OpenAPI document.

    schemas: the document's `components/schemas`, which is added to. taken: prefixes in use.
    """

    def __init__(self, dialect: Dialect, schemas: dict[str, Any], taken: Iterable[str], version: str) -> None:
        self.schemas = schemas
        base = type(dialect).__name__
        self.prefix = next(p for p in (base, *(f"{base}{n}" for n in range(2, 100))) if p not in taken)
        self.path = code_path(dialect)
        self._old = version.startswith("3.0")
        body = body_schema(dialect)
        definitions: dict[str, Any] = body.pop("$defs", {})
        self.body = self._add("Body", body)
        for name, schema in definitions.items():
            self._add(name, schema)

    def of(self, codes: Mapping[str, Any]) -> dict[str, Any]:
        """The schema of a response that has one of these codes, as the dialect spells them."""
        if self.path is None:
            return _ref(self.body)
        holder, discriminator = self._holder(), self.path[-1]
        chosen = {code: self._one(holder, discriminator, code) for code in codes}
        inner: dict[str, Any] = _ref(next(iter(chosen.values())))
        if len(chosen) > 1:
            inner = {
                "oneOf": [_ref(name) for name in chosen.values()],
                "discriminator": {
                    "propertyName": discriminator,
                    "mapping": {code: _ref(name)["$ref"] for code, name in chosen.items()},
                },
            }
        if len(self.path) == 1:
            return inner
        for member in reversed(self.path[:-1]):
            inner = {"type": "object", "required": [member], "properties": {member: inner}}
        return {"allOf": [_ref(self.body), inner]}

    def _holder(self) -> str:
        """The component of the object that holds the code."""
        assert self.path is not None
        schema, name = self.schemas[self.body], self.body
        for member in self.path[:-1]:
            reference = schema.get("properties", {}).get(member, {}).get("$ref", "").rpartition("/")[2]
            if reference not in self.schemas:
                return ""
            schema, name = self.schemas[reference], reference
        return name

    def _one(self, holder: str, discriminator: str, code: str) -> str:
        name = f"{self.prefix}Error.{_component(code)}"
        narrowed = {
            "type": "object",
            "required": [discriminator],
            "properties": {discriminator: {"type": "string", "enum": [code]}},
        }
        self.schemas[name] = {"allOf": [_ref(holder), narrowed]} if holder else narrowed
        return name

    def _add(self, name: str, schema: Mapping[str, Any]) -> str:
        full = f"{self.prefix}.{name}" if name != "Body" else f"{self.prefix}Error"
        text = json.dumps(schema).replace('"#/$defs/', f'"#/components/schemas/{self.prefix}.')
        found = json.loads(text)
        self.schemas[full] = _in_3_0(found) if self._old else found
        return full


def exclude_each_other(alike: Mapping[Dialect, Mapping[str, Example]]) -> bool:
    """Can no body of one of these dialects be taken for another one's: only then is it one of several schemas."""
    return not any(
        other.Body is None or has_members(other.Body, body)
        for dialect, shown in alike.items()
        for body in (*(json.loads(one.body) for one in shown.values()), json.loads(encode(dialect.write(FULL))))
        for other in alike
        if other is not dialect
    )


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _component(code: str) -> str:
    return "".join(c if c.isascii() and (c.isalnum() or c in "_-") else "_" for c in code)


def _in_3_0(schema: Any) -> Any:
    """JSON Schema 2020-12 as pydantic writes it, in OpenAPI 3.0's older words."""
    if isinstance(schema, list):
        return [_in_3_0(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    schema = {name: _in_3_0(value) for name, value in schema.items()}
    options = schema.get("anyOf", [])
    if {"type": "null"} in options:
        rest = [option for option in options if option != {"type": "null"}]
        del schema["anyOf"]
        schema.update(rest[0] if len(rest) == 1 else {"anyOf": rest})
        schema["nullable"] = True
    if "const" in schema:
        schema["enum"] = [schema.pop("const")]
    return schema


_MEANING: Mapping[str, dict[str, Any]] = {
    "request-id": {"description": "Identifies this request; quote it to support.", "schema": {"type": "string"}},
    "retry-after": {
        "description": "Seconds to wait before the next attempt.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "retry-after-ms": {
        "description": "Milliseconds to wait before the next attempt.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "www-authenticate": {"description": "How to authenticate.", "schema": {"type": "string"}},
    "allow": {"description": "The methods that the resource has.", "schema": {"type": "string"}},
}


def header(meaning: str) -> dict[str, Any]:
    """A header object, described where its meaning is known (`request-id` or the name in lower case)."""
    return copy.deepcopy(_MEANING.get(meaning, {"schema": {"type": "string"}}))


def headers_of(shown: Iterable[Example], dialects: Iterable[Dialect]) -> dict[str, Any]:
    """Header fields of a response; required are those that every occurrence of every code of it brings."""
    after_ms = {(dialect.retry_after_ms_header or "").lower() for dialect in dialects}
    optional = {"allow", *after_ms}  # the raiser's; absent for a long wait
    sent = [{name.lower(): (name, value) for name, value in one.headers} for one in shown]
    headers: dict[str, Any] = {}
    for lowered in dict.fromkeys(name for fields in sent for name in fields):
        if lowered in _NOT_DOCUMENTED:
            continue
        name, value = next(fields[lowered] for fields in sent if lowered in fields)
        meaning = "request-id" if "request-id" in lowered else lowered
        described = header(meaning)
        described["example"] = int(value) if described["schema"]["type"] == "integer" else value
        if lowered not in optional and all(lowered in fields for fields in sent):
            described["required"] = True
        headers[name] = described
    return headers
