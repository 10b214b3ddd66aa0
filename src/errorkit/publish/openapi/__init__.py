"""OpenAPI that tells the truth about errors: for each operation the codes it gives, as they are sent."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from errorkit.catalog import Catalog, ErrorSpec
from errorkit.declaration import CODES_KEY
from errorkit.dialects import Dialect
from errorkit.errors import MalformedJSONError
from errorkit.exchange import phrase
from errorkit.negotiation import HTML, Forms, problem_beside
from errorkit.publish import Options
from errorkit.publish.described_operations import ACTIONS_KEY, METHODS, Operation, resolved
from errorkit.publish.openapi.envelope_schemas import Envelope, exclude_each_other, header, headers_of, shown_value
from errorkit.publish.openapi.implied_errors import implied
from errorkit.publish.public_words import prose
from errorkit.publish.wire_example import Example, example, rejected_json

_FRAMEWORK_SCHEMAS = ("HTTPValidationError", "ValidationError")

Declared = Mapping[tuple[str, str], Iterable[str]]
"""Codes by path and method (lower case)."""


def document(
    source: Mapping[str, Any],
    catalog: Catalog,
    forms_for: Callable[[str], Dialect | Forms | None],
    options: Options,
    declared: Declared | None = None,
) -> dict[str, Any]:
    """A copy of an OpenAPI document, its operations' errors described.

    An operation gives what `declared` and the member `x-errorkit-codes` (of the operation or
    of a response) say, and what its form implies: `internal` always, the validation error
    where it takes input, `malformed_json` where it takes JSON, `unauthenticated` where it has
    a security requirement. Responses of other codes that it describes itself are kept.

    forms_for: the dialect of a path, or all forms that its errors can have; None for paths that are left alone.
    Raises ValueError for a code that the catalogue does not have, and for documents older
    than OpenAPI 3.
    """
    version = str(source.get("openapi", ""))
    if not version.startswith("3."):
        raise ValueError(f"openapi={version or None!r}: only OpenAPI 3 documents are understood")
    return _Writer(copy.deepcopy(dict(source)), catalog, forms_for, options, declared or {}).write()


class _Writer:
    def __init__(
        self,
        document: dict[str, Any],
        catalog: Catalog,
        forms_for: Callable[[str], Dialect | Forms | None],
        options: Options,
        declared: Declared,
    ) -> None:
        self.document = document
        self.catalog = catalog
        self.forms_for = forms_for
        self.options = options
        self.declared = declared
        components = _member(document, "components")
        self.schemas = _member(components, "schemas")
        self.envelopes: dict[Dialect, Envelope] = {}
        self.forms: dict[Dialect, Forms] = {}
        self.varied: dict[tuple[str, ...], Options] = {}

    def write(self) -> dict[str, Any]:
        for path, operations in (self.document.get("paths") or {}).items():
            forms = self._forms(self.forms_for(path))
            if forms is None or not isinstance(operations, dict):
                continue
            shared = operations.get("parameters") or []
            for method in METHODS:
                if isinstance(operations.get(method), dict):
                    self._operation(path, method, operations[method], shared, forms)
        self._forget_framework_schemas()
        if not self.schemas:
            self.document["components"].pop("schemas")
        if not self.document["components"]:
            self.document.pop("components")
        return self.document

    def _operation(self, path: str, method: str, operation: dict[str, Any], shared: list[Any], forms: Forms) -> None:
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
        described = Operation.of(self.document, path, method, operation, shared)
        options = self._options(forms.vary)
        by_form = {form: self._by_status(described, specs, form, options) for form in forms.dialects}
        for status in sorted({status for by_status in by_form.values() for status in by_status}):
            shown = {form: by_status[status] for form, by_status in by_form.items() if status in by_status}
            responses[str(status)] = self._response(forms, responses.get(str(status)), shown)
        self._request_id(responses, forms.dialects[0])

    def _forms(self, spoken: Dialect | Forms | None) -> Forms | None:
        """All forms of a path; of a dialect alone, with problem details where clients may ask for these instead."""
        if not isinstance(spoken, Dialect):
            return spoken
        if spoken not in self.forms:
            beside = problem_beside(spoken) if self.options.negotiate else None
            vary = ("Accept",) if self.options.negotiate else ()
            self.forms[spoken] = Forms((spoken,) if beside is None else (spoken, beside), vary=vary)
        return self.forms[spoken]

    def _options(self, vary: tuple[str, ...]) -> Options:
        """With the header fields that decide about the form: examples have them in `Vary`."""
        if vary not in self.varied:
            self.varied[vary] = replace(self.options, vary=vary)
        return self.varied[vary]

    def _by_status(
        self,
        operation: Operation,
        specs: list[ErrorSpec],
        dialect: Dialect,
        options: Options,
    ) -> dict[int, dict[str, Example]]:
        """All that an operation can give, by status and by the dialect's spelling of the code."""
        examples = [example(self.catalog, spec, dialect, options) for spec in specs]
        if any(issubclass(spec.cls, MalformedJSONError) for spec in specs):
            examples.append(rejected_json(self.catalog, dialect, options))
        examples += implied(operation, self.catalog, dialect, options)
        by_status: dict[int, dict[str, Example]] = {}
        for shown in examples:
            by_status.setdefault(shown.public.status, {}).setdefault(dialect.spell(shown.public.code), shown)
        return by_status

    def _spec(self, code: str, where: str) -> ErrorSpec:
        try:
            return self.catalog.by_code(self.catalog.current(code))
        except KeyError as error:
            raise ValueError(f"{where} declares a code that the catalogue does not have: {error.args[0]}") from None

    def _response(
        self, forms: Forms, own: Mapping[str, Any] | None, by_form: Mapping[Dialect, Mapping[str, Example]]
    ) -> dict[str, Any]:
        """One response: an entry for each media type, the lines those of the first form."""
        shown_by_code = next(iter(by_form.values()))
        first = next(iter(shown_by_code.values())).public
        lines = [f"`{code}`: {self.catalog_line(shown)}" for code, shown in shown_by_code.items()]
        described = lines[0] if len(lines) == 1 else "\n".join(f"- {line}" for line in lines)
        own = dict(resolved(self.document, own or {}))
        words = own.get("description", "")
        if words and words not in (first.title, phrase(first.status)):
            described = f"{words}\n\n{described}"
        content = dict(own.get("content", {}))
        for media_type in dict.fromkeys(form.media_type for form in by_form):
            alike = {form: shown for form, shown in by_form.items() if form.media_type == media_type}
            content[media_type] = self._media(alike)
        if forms.page:
            content.setdefault(HTML, {"schema": {"type": "string"}})
        sent = [one for shown in by_form.values() for one in shown.values()]
        headers = {**headers_of(sent, by_form), **own.get("headers", {})}
        actions = {code: self.catalog.by_code(shown.public.code).action for code, shown in shown_by_code.items()}
        return {**own, "description": described, "headers": headers, "content": content, ACTIONS_KEY: actions}

    def _media(self, alike: Mapping[Dialect, Mapping[str, Example]]) -> dict[str, Any]:
        """What is sent in one media type: several schemas where several dialects have it."""
        schemas = [self._envelope(form).of(shown) for form, shown in alike.items()]
        word = "oneOf" if exclude_each_other(alike) else "anyOf"
        examples: dict[str, Any] = {}
        for form, shown_by_code in alike.items():
            for code, shown in shown_by_code.items():
                name = f"{form.name}.{code}" if code in examples else code
                examples[name] = {"summary": shown.public.title, "value": shown_value(shown)}
        return {"schema": schemas[0] if len(schemas) == 1 else {word: schemas}, "examples": examples}

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
