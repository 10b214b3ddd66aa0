"""OpenAPI that tells the truth about errors: for each operation the codes it gives, as they are sent."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from errorkit.catalog import Catalog, ErrorSpec
from errorkit.declaration import CODES_KEY
from errorkit.dialects import Dialect
from errorkit.errors import AuthenticationError, InternalError, MalformedJSONError
from errorkit.exchange import phrase
from errorkit.negotiation import problem_beside
from errorkit.publish import Options
from errorkit.publish.openapi.envelope_schemas import Envelope, header, headers_of
from errorkit.publish.public_words import prose
from errorkit.publish.wire_example import INVALID, MISSING, Example, example, rejected_json, validation

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_FRAMEWORK_SCHEMAS = ("HTTPValidationError", "ValidationError")

ACTIONS_KEY = "x-errorkit-actions"
"""A response's member: what to do next, by code (`errorkit.actions`)."""

Declared = Mapping[tuple[str, str], Iterable[str]]
"""Codes by path and method (lower case)."""


def document(
    source: Mapping[str, Any],
    catalog: Catalog,
    dialect_for: Callable[[str], Dialect | None],
    options: Options,
    declared: Declared | None = None,
) -> dict[str, Any]:
    """A copy of an OpenAPI document, its operations' errors described.

    An operation gives what `declared` and the member `x-errorkit-codes` (of the operation or
    of a response) say, and what its form implies: `internal` always, the validation error
    where it takes input, `malformed_json` where it takes JSON, `unauthenticated` where it has
    a security requirement. Responses of other codes that it describes itself are kept.

    dialect_for: the dialect of a path, or None for paths that are left alone.
    Raises ValueError for a code that the catalogue does not have, and for documents older
    than OpenAPI 3.
    """
    version = str(source.get("openapi", ""))
    if not version.startswith("3."):
        raise ValueError(f"openapi={version or None!r}: only OpenAPI 3 documents are understood")
    return _Writer(copy.deepcopy(dict(source)), catalog, dialect_for, options, declared or {}).write()


class _Writer:
    def __init__(
        self,
        document: dict[str, Any],
        catalog: Catalog,
        dialect_for: Callable[[str], Dialect | None],
        options: Options,
        declared: Declared,
    ) -> None:
        self.document = document
        self.catalog = catalog
        self.dialect_for = dialect_for
        self.options = options
        self.declared = declared
        components = _member(document, "components")
        self.schemas = _member(components, "schemas")
        self.envelopes: dict[Dialect, Envelope] = {}
        self.beside: dict[Dialect, Dialect | None] = {}

    def write(self) -> dict[str, Any]:
        for path, operations in (self.document.get("paths") or {}).items():
            dialect = self.dialect_for(path)
            if dialect is None or not isinstance(operations, dict):
                continue
            shared = operations.get("parameters") or []
            for method in METHODS:
                if isinstance(operations.get(method), dict):
                    self._operation(path, method, operations[method], shared, dialect)
        self._forget_framework_schemas()
        if not self.schemas:
            self.document["components"].pop("schemas")
        if not self.document["components"]:
            self.document.pop("components")
        return self.document

    def _operation(
        self, path: str, method: str, operation: dict[str, Any], shared: list[Any], dialect: Dialect
    ) -> None:
        responses = _member(operation, "responses")
        if _is_framework_validation(responses.get("422")):
            del responses["422"]
        codes = [*operation.pop(CODES_KEY, ()), *self.declared.get((path, method), ())]
        for key, response in list(responses.items()):
            if isinstance(response, dict) and CODES_KEY in response:
                codes += response.pop(CODES_KEY)
                if set(response) <= {"description"}:
                    del responses[key]
        specs = [self._spec(code, f"{method.upper()} {path}") for code in dict.fromkeys(codes)]
        parameters = [*shared, *(operation.get("parameters") or ())]
        by_form = {form: self._by_status(operation, parameters, specs, form) for form in self._forms(dialect)}
        for status in sorted(by_form[dialect]):
            forms = {form: by_status[status] for form, by_status in by_form.items() if status in by_status}
            responses[str(status)] = self._response(dialect, responses.get(str(status)), forms)
        self._request_id(responses, dialect)

    def _forms(self, dialect: Dialect) -> list[Dialect]:
        """The dialect, and problem details where clients may ask for these instead."""
        if dialect not in self.beside:
            self.beside[dialect] = problem_beside(dialect) if self.options.negotiate else None
        beside = self.beside[dialect]
        return [dialect] if beside is None else [dialect, beside]

    def _by_status(
        self, operation: Mapping[str, Any], parameters: list[Any], specs: list[ErrorSpec], dialect: Dialect
    ) -> dict[int, dict[str, Example]]:
        """All that an operation can give, by status and by the dialect's spelling of the code."""
        examples = [example(self.catalog, spec, dialect, self.options) for spec in specs]
        if any(issubclass(spec.cls, MalformedJSONError) for spec in specs):
            examples.append(rejected_json(self.catalog, dialect, self.options))
        examples += self._implied(operation, parameters, dialect)
        by_status: dict[int, dict[str, Example]] = {}
        for shown in examples:
            by_status.setdefault(shown.public.status, {}).setdefault(dialect.spell(shown.public.code), shown)
        return by_status

    def _spec(self, code: str, where: str) -> ErrorSpec:
        try:
            return self.catalog.by_code(self.catalog.current(code))
        except KeyError as error:
            raise ValueError(f"{where} declares a code that the catalogue does not have: {error.args[0]}") from None

    def _implied(self, operation: Mapping[str, Any], parameters: list[Any], dialect: Dialect) -> Iterator[Example]:
        yield example(self.catalog, self.catalog.by_class(InternalError), dialect, self.options)
        if operation.get("security", self.document.get("security")):
            yield example(self.catalog, self.catalog.by_class(AuthenticationError), dialect, self.options)
        body = self._resolved(operation.get("requestBody") or {})
        if any("json" in media for media in body.get("content", ())):
            yield example(self.catalog, self.catalog.by_class(MalformedJSONError), dialect, self.options)
            yield rejected_json(self.catalog, dialect, self.options)
        parameters = [self._resolved(parameter) for parameter in parameters]
        if not body and not parameters:
            return
        kinds = [INVALID]
        if body or any(p.get("required") and p.get("in") != "path" for p in parameters):
            kinds.insert(0, MISSING)
        if dialect.code_from_finding:
            names = {str(p.get("name")) for p in parameters} | set(self._property_names(body, set()))
            own = {code for field, code in self.catalog.field_codes.items() if field.rpartition(".")[2] in names}
            kinds += [INVALID._replace(code=code) for code in sorted(own) if code in self.catalog]
        for finding in kinds:
            yield validation(self.catalog, dialect, self.options, finding)

    def _resolved(self, node: Mapping[str, Any]) -> Mapping[str, Any]:
        reference = node.get("$ref", "")
        if not reference.startswith("#/"):
            return node
        found: Any = self.document
        for part in reference[2:].split("/"):
            found = found.get(part.replace("~1", "/").replace("~0", "~"), {})
        return dict(found)

    def _property_names(self, node: Any, seen: set[str]) -> Iterator[str]:
        if isinstance(node, list):
            for item in node:
                yield from self._property_names(item, seen)
        elif isinstance(node, dict):
            reference = node.get("$ref")
            if isinstance(reference, str) and reference not in seen:
                seen.add(reference)
                yield from self._property_names(self._resolved(node), seen)
            properties = node.get("properties")
            if isinstance(properties, dict):
                yield from properties
            for value in node.values():
                yield from self._property_names(value, seen)

    def _response(
        self, dialect: Dialect, own: Mapping[str, Any] | None, forms: Mapping[Dialect, Mapping[str, Example]]
    ) -> dict[str, Any]:
        shown_by_code = forms[dialect]
        first = next(iter(shown_by_code.values())).public
        lines = [f"`{code}`: {self.catalog_line(shown)}" for code, shown in shown_by_code.items()]
        described = lines[0] if len(lines) == 1 else "\n".join(f"- {line}" for line in lines)
        own = self._resolved(own or {})
        words = own.get("description", "")
        if words and words not in (first.title, phrase(first.status)):
            described = f"{words}\n\n{described}"
        content = dict(own.get("content", {}))
        for form, shown in forms.items():
            content[form.media_type] = self._media(form, shown)
        sent = [one for shown in forms.values() for one in shown.values()]
        headers = {**headers_of(sent, dialect), **own.get("headers", {})}
        actions = {code: self.catalog.by_code(shown.public.code).action for code, shown in shown_by_code.items()}
        return {**own, "description": described, "headers": headers, "content": content, ACTIONS_KEY: actions}

    def _media(self, dialect: Dialect, shown_by_code: Mapping[str, Example]) -> dict[str, Any]:
        return {
            "schema": self._envelope(dialect).of(shown_by_code),
            "examples": {
                code: {"summary": shown.public.title, "value": json.loads(shown.body)}
                for code, shown in shown_by_code.items()
            },
        }

    def catalog_line(self, shown: Example) -> str:
        line = prose(self.catalog.by_code(shown.public.code)).description
        return f"{line} Retryable." if shown.public.retryable else line

    def _envelope(self, dialect: Dialect) -> Envelope:
        if dialect not in self.envelopes:
            taken = {envelope.prefix for envelope in self.envelopes.values()}
            self.envelopes[dialect] = Envelope(dialect, self.schemas, taken, self.document["openapi"])
        return self.envelopes[dialect]

    def _request_id(self, responses: dict[str, Any], dialect: Dialect) -> None:
        for status, response in responses.items():
            if isinstance(response, dict) and "$ref" not in response and status[:1] != "1":
                headers = response.setdefault("headers", {})
                if not any(name.lower() == dialect.request_id_header.lower() for name in headers):
                    headers[dialect.request_id_header] = header("request-id")

    def _forget_framework_schemas(self) -> None:
        for name in _FRAMEWORK_SCHEMAS:
            found = self.schemas.get(name)
            if found is None or not _is_frameworks_own(name, found):
                continue
            rest = {**self.document, "components": {**self.document["components"], "schemas": None}}
            others = [schema for other, schema in self.schemas.items() if other != name]
            if f'"#/components/schemas/{name}"' not in json.dumps([rest, others], default=str):
                del self.schemas[name]


def _member(holder: dict[str, Any], name: str) -> dict[str, Any]:
    """An object's member, an empty object put there if it has none: a YAML key without a value is null."""
    holder[name] = holder.get(name) or {}
    member: dict[str, Any] = holder[name]
    return member


def _is_framework_validation(response: Any) -> bool:
    content = response.get("content", {}) if isinstance(response, dict) else {}
    schema = content.get("application/json", {}).get("schema", {})
    return str(schema.get("$ref", "")).endswith("/HTTPValidationError")


def _is_frameworks_own(name: str, schema: Mapping[str, Any]) -> bool:
    member = "detail" if name == "HTTPValidationError" else "loc"
    return schema.get("title") == name and member in schema.get("properties", {})
