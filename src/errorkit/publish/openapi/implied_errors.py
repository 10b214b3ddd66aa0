"""What an operation gives without declaring it: by its form, each with a finding that its own input can have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from errorkit.catalog import Catalog
from errorkit.dialects import Dialect
from errorkit.errors import AuthenticationError, InternalError, MalformedJSONError
from errorkit.failure import Detail
from errorkit.publish import Options
from errorkit.publish.described_operations import Operation
from errorkit.publish.wire_example import INVALID, Example, example, rejected_json, validation


def implied(operation: Operation, catalog: Catalog, dialect: Dialect, options: Options) -> Iterator[Example]:
    """A crash always; credentials, JSON and fields where it takes these."""
    yield example(catalog, catalog.by_class(InternalError), dialect, options)
    if operation.secured:
        yield example(catalog, catalog.by_class(AuthenticationError), dialect, options)
    if any("json" in media_type for media_type in operation.media_types):
        yield example(catalog, catalog.by_class(MalformedJSONError), dialect, options)
        yield rejected_json(catalog, dialect, options)
    for finding in findings(operation, catalog if dialect.code_from_finding else None):
        yield validation(catalog, dialect, options, finding)


def findings(operation: Operation, catalog: Catalog | None) -> Iterator[Detail]:
    """One of each kind that a rejected request can have. catalog: for the fields that have a code of their own."""
    if not operation.takes_body and not operation.parameters:
        return
    missing, invalid = operation.missing(), operation.invalid() or operation.unacceptable()
    if missing is not None:
        yield missing.detail
    elif operation.takes_body:
        yield Detail((), "Field required", "missing_field", "body", "missing")
    refused = INVALID if invalid is None else invalid.detail
    yield refused
    if catalog is not None:
        names = {str(each.get("name")) for each in operation.parameters} | set(
            _members(operation, operation.body, set())
        )
        own = {
            code: name
            for field, code in catalog.field_codes.items()
            if (name := field.rpartition(".")[2]) in names and code in catalog
        }
        for code in sorted(own):
            yield Detail((own[code],), "Input is invalid", code, refused.location, "value_error")


def _members(operation: Operation, node: Any, seen: set[str]) -> Iterator[str]:
    """The names of all members of a body, however deep."""
    if isinstance(node, list):
        for item in node:
            yield from _members(operation, item, seen)
    elif isinstance(node, dict):
        reference = node.get("$ref")
        if isinstance(reference, str) and reference not in seen:
            seen.add(reference)
            yield from _members(operation, dict(operation.resolve(node)), seen)
        if isinstance(node.get("properties"), dict):
            yield from node["properties"]
        for value in node.values():
            yield from _members(operation, value, seen)
