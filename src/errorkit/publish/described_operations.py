"""The operations of a service as its OpenAPI document describes them: what they take, and how a request is refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from errorkit.failure import Detail
from errorkit.finding_words import UNKNOWN_WORDS, WORDS
from errorkit.publish.plausible_values import Wrong, plausible, properties, wrong

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
ACTIONS_KEY = "x-errorkit-actions"
"""A response's member: what to do next, by code as the dialect spells it (`errorkit.actions`)."""

_NOT_SENT = ("accept", "content-type", "authorization")
"""Names of header parameters that mean nothing in a document (OpenAPI 3.1, Parameter Object)."""


class Finding(NamedTuple):
    """One thing that is wrong with a request. value: what is sent there; None where nothing is."""

    detail: Detail
    value: Any = None

    @property
    def missing(self) -> bool:
        """Is it that nothing was sent."""
        return self.detail.kind == "missing"


class Operation(NamedTuple):
    """One operation. Parameters, body and security schemes have no references left in them."""

    document: Mapping[str, Any]
    method: str
    path: str
    parameters: tuple[Mapping[str, Any], ...]
    media_type: str
    """Of the body that is described first, JSON before others; empty for none."""
    media_types: tuple[str, ...]
    """All that are described."""
    takes_body: bool
    body: Mapping[str, Any]
    """The schema of it."""
    secured: bool
    """Has it a security requirement, be it one that may be left out."""
    schemes: tuple[Mapping[str, Any], ...]
    """What must be proven, in the way that is described first; nothing where that is optional."""
    codes: tuple[str, ...]
    """As they are spelled there."""
    tag: str
    identifier: str

    @classmethod
    def of(
        cls, document: Mapping[str, Any], path: str, method: str, node: Mapping[str, Any], shared: Sequence[Any] = ()
    ) -> Operation:
        """One operation of a document. shared: the path's parameters."""
        found = [resolved(document, each) for each in (*shared, *(node.get("parameters") or ()))]
        by_place = {(each.get("in"), each.get("name")): each for each in found}
        request_body = resolved(document, node.get("requestBody") or {})
        content = request_body.get("content") or {}
        media_type = next((each for each in content if "json" in each), next(iter(content), ""))
        return cls(
            document,
            method.upper(),
            path,
            tuple(by_place.values()),
            media_type,
            tuple(content),
            bool(request_body),
            (content.get(media_type) or {}).get("schema") or {},
            bool(node.get("security", document.get("security"))),
            tuple(_schemes(document, node)),
            tuple(_codes(node)),
            str(next(iter(node.get("tags") or ()), "")),
            str(node.get("operationId", "")),
        )

    def resolve(self, node: Mapping[str, Any]) -> Mapping[str, Any]:
        """What a node refers to, or itself."""
        return resolved(self.document, node)

    def values(self, place: str) -> dict[str, Any]:
        """Parameters of a place ("path", "query", "header", "cookie") that must be sent, with plausible values."""
        return {
            str(each["name"]): self._value(each)
            for each in self.parameters
            if each.get("in") == place
            and (place == "path" or each.get("required"))
            and not (place == "header" and str(each["name"]).lower() in _NOT_SENT)
        }

    def content(self) -> Any:
        """A plausible body."""
        return plausible(self.body, self.resolve)

    @property
    def wants_authorization(self) -> bool:
        """Does it read the Authorization field as a parameter like others, without a security scheme."""
        return any(
            each.get("in") == "header" and str(each["name"]).lower() == "authorization" for each in self.parameters
        )

    def missing(self) -> Finding | None:
        """Something that must be sent and is not: a member of the body first."""
        members = properties(self.body, self.resolve) if self.media_type else {}
        for name in self.resolve(self.body).get("required", ()):
            if name in members:
                return Finding(Detail((name,), WORDS["missing"], "missing_field", "body", "missing"))
        for each in self.parameters:
            place = str(each.get("in"))
            if each.get("required") and place != "path" and str(each["name"]).lower() not in _NOT_SENT:
                return Finding(Detail((str(each["name"]),), WORDS["missing"], "missing_field", place, "missing"))
        return None

    def invalid(self) -> Finding | None:
        """Something that is refused for its type: a parameter first."""
        for each in self.parameters:
            found = wrong(each.get("schema") or {}, self.resolve, as_text=True)
            if found is not None:
                return _refused(str(each["name"]), str(each.get("in")), found)
        as_text = "json" not in self.media_type
        for name, schema in (properties(self.body, self.resolve) if self.media_type else {}).items():
            found = wrong(schema, self.resolve, as_text=as_text)
            if found is not None:
                return _refused(name, "body", found)
        return None

    def unacceptable(self) -> Finding | None:
        """Something that only a rule which no schema tells can refuse: the first that it takes."""
        for each in self.parameters:
            if str(each["name"]).lower() not in _NOT_SENT:
                return _refused(str(each["name"]), str(each.get("in")), Wrong("?", "value_error"))
        name = next(iter(properties(self.body, self.resolve)), None) if self.media_type else None
        return None if name is None else _refused(name, "body", Wrong("?", "value_error"))

    def _value(self, parameter: Mapping[str, Any]) -> Any:
        return (
            parameter["example"] if "example" in parameter else plausible(parameter.get("schema") or {}, self.resolve)
        )


def operations(document: Mapping[str, Any]) -> Iterator[Operation]:
    """All of a document, in its order."""
    for path, item in (document.get("paths") or {}).items():
        for method in METHODS if isinstance(item, dict) else ():
            if isinstance(item.get(method), dict):
                yield Operation.of(document, path, method, item[method], item.get("parameters") or ())


def resolved(document: Mapping[str, Any], node: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a node of a document refers to within it; any other node as it is."""
    for _ in range(8):
        reference = node.get("$ref", "")
        if not isinstance(reference, str) or not reference.startswith("#/"):
            break
        found: Any = document
        for part in reference[2:].split("/"):
            found = found.get(part.replace("~1", "/").replace("~0", "~"), {})
        node = found
    return node


def _refused(name: str, place: str, found: Wrong) -> Finding:
    words = found.words if found.kind != "value_error" else UNKNOWN_WORDS
    return Finding(Detail((name,), words, "invalid_value", place, found.kind), found.value)


def _schemes(document: Mapping[str, Any], node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    ways = node.get("security", document.get("security")) or []
    known = (document.get("components") or {}).get("securitySchemes") or {}
    for name in ways[0] if ways and all(ways) else ():
        if name in known:
            yield resolved(document, known[name])


def _codes(node: Mapping[str, Any]) -> Iterator[str]:
    for response in (node.get("responses") or {}).values():
        if isinstance(response, dict):
            yield from response.get(ACTIONS_KEY, ())
