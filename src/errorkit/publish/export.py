"""The catalogue as JSON, and the JSON Schema of that JSON.

`docs/catalog.schema.json` is the schema as published; a test keeps it the same as `schema()`.
"""

from __future__ import annotations

import json
from typing import Any, Literal, NotRequired

from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict

from errorkit.actions import Action
from errorkit.catalog import Catalog, ErrorSpec
from errorkit.dialects import Dialect
from errorkit.errors import Change
from errorkit.publish import Files, Options
from errorkit.publish.public_words import prose
from errorkit.publish.wire_example import example
from errorkit.written_body import form_of

FORMAT: Literal[1] = 1
FILE = "catalog.json"


class ExportedExample(TypedDict):
    """A request that fails, and the same request put right."""

    title: str
    bad: str
    fixed: str


class ExportedChange(TypedDict):
    """What a release of the service changed about an error."""

    version: str
    words: str


class ExportedError(TypedDict):
    """One error as clients know it; `spelling`, `type` and `headers` are the dialect's.

    The header for the request ID is on every response and is told in the dialect.
    """

    code: str
    spelling: str
    name: str
    status: int
    type: str
    title: str
    message: str
    retryable: bool
    retry_after: float | None
    propagate: bool
    action: NotRequired[Action]
    concealable: bool
    description: str
    causes: list[str]
    resolution: str
    examples: list[ExportedExample]
    headers: list[str]
    doc_url: str
    area: NotRequired[str]
    since: NotRequired[str]
    changed: NotRequired[list[ExportedChange]]
    deprecated: NotRequired[ExportedChange | None]


class ExportedDialect(TypedDict):
    """The envelope: its media type, its header for the request ID, its body as JSON Schema."""

    name: str
    media_type: str
    request_id_header: str
    status_missing: int
    status_invalid: int
    body: dict[str, Any]


class Exported(TypedDict):
    """One catalogue in one dialect."""

    errorkit: Literal[1]
    title: str
    dialect: ExportedDialect
    errors: list[ExportedError]
    field_codes: dict[str, str]
    retired: list[str]


_ADAPTER: TypeAdapter[Exported] = TypeAdapter(Exported)


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of an exported catalogue."""
    body = _ADAPTER.json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:errorkit:catalog:{FORMAT}",
        **body,
    }


def body_schema(dialect: Dialect) -> dict[str, Any]:
    """The JSON Schema of a dialect's body, by `Dialect.Body`, or anything; a string where it is text or bytes."""
    form = form_of(dialect.media_type)
    if form != "JSON":
        return {"type": "string"} if form == "text" else {"type": "string", "format": "binary"}
    if dialect.Body is None:
        return {}
    return TypeAdapter(dialect.Body).json_schema()


def export(catalog: Catalog, dialect: Dialect, options: Options) -> Exported:
    """A catalogue as a value of JSON types."""
    return {
        "errorkit": FORMAT,
        "title": options.title,
        "dialect": {
            "name": dialect.name,
            "media_type": dialect.media_type,
            "request_id_header": dialect.request_id_header,
            "status_missing": options.status_missing or dialect.status_missing,
            "status_invalid": options.status_invalid or dialect.status_invalid,
            "body": body_schema(dialect),
        },
        "errors": [_error(catalog, spec, dialect, options) for spec in catalog],
        "field_codes": dict(catalog.field_codes),
        "retired": sorted(catalog.retired),
    }


def generate(catalog: Catalog, dialect: Dialect, options: Options) -> Files:
    """`catalog.json`."""
    return {FILE: json.dumps(export(catalog, dialect, options), indent=2, ensure_ascii=False) + "\n"}


def load(text: str) -> Exported:
    """An exported catalogue from its JSON. Raises ValueError that says what is wrong with it."""
    try:
        return _ADAPTER.validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the document"
        raise ValueError(f"not a catalogue exported by errorkit: {where}: {first['msg']}") from None


def _error(catalog: Catalog, spec: ErrorSpec, dialect: Dialect, options: Options) -> ExportedError:
    shown, words = example(catalog, spec, dialect, options), prose(spec)
    elsewhere = {"content-length", dialect.request_id_header.lower()}
    return {
        "code": spec.code,
        "spelling": dialect.spell(shown.public.code),
        "name": spec.cls.__qualname__,
        "status": shown.public.status,
        "type": shown.public.type,
        "title": spec.title,
        "message": spec.message,
        "retryable": spec.retryable,
        "retry_after": options.retry_after.get(spec.code, spec.default_retry_after),
        "propagate": spec.propagate,
        "action": spec.action,
        "concealable": spec.concealable,
        "description": words.description,
        "causes": list(words.causes),
        "resolution": words.resolution,
        "examples": [{"title": e.title, "bad": e.bad, "fixed": e.fixed} for e in spec.examples],
        "headers": sorted(name for name, _ in shown.headers if name.lower() not in elsewhere),
        "doc_url": shown.public.doc_url,
        "area": spec.area,
        "since": spec.since,
        "changed": [_change(each) for each in spec.changed],
        "deprecated": None if spec.deprecated is None else _change(spec.deprecated),
    }


def _change(change: Change) -> ExportedChange:
    return {"version": change.version, "words": change.words}
