"""A document for every error that a handler can render, made by errorkit's own generator, and who judges by it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from errorkit.catalog import Catalog, ErrorSpec
from errorkit.config import Config
from errorkit.dialects import Dialect
from errorkit.errors import APIError, ValidationError
from errorkit.negotiation import Forms
from errorkit.publish import Options
from errorkit.publish.openapi import document
from errorkit.publish.recorded_traffic import Exchange, Judge

ANY = "/any"
"""The operation that declares every code. That of one code alone has the code as its path."""


class Rendered(NamedTuple):
    """One response as the handler gave it to an adapter, in little memory: some tests count it.

    forms: of the path. code, declared: the code that is shown, and its class's status. own: its class,
    where the catalogue does not list it and it is known. fields: `name: value`, a line each.
    """

    config: Config
    forms: Forms
    code: str
    declared: int
    own: type[APIError] | None
    status: int
    fields: bytes
    body: bytes
    degraded: bool
    where: str
    alone: bool = False
    """Judged by the operation of its own code only."""

    @property
    def dialect(self) -> Dialect:
        """The path's own."""
        return self.forms.dialects[0]

    @property
    def unlisted(self) -> type[APIError] | None:
        """The class of a code that the catalogue does not list."""
        if self.code in self.config.catalog:
            return None
        return self.own or standing_for(self.code, self.declared)


class Unready(Exception):
    """No document can be made now: the test has broken a part of errorkit, and has not mended it yet."""


class Documents:
    """Judges, one for each content of catalogue, dialect and configuration."""

    def __init__(self) -> None:
        self._judges: dict[Any, Judge] = {}
        self._catalogs: WeakKeyDictionary[Catalog, Any] = WeakKeyDictionary()
        self.degraded = False
        """An example of the document being made was not what the dialect would write."""

    def __len__(self) -> int:
        return len(self._judges)

    def key(self, rendered: Rendered) -> Any:
        """Equal for responses that get the same verdict by the same document, or by one that is as good."""
        config, unlisted = rendered.config, rendered.unlisted
        if config.catalog not in self._catalogs:
            specs = tuple(_declared(spec) for spec in config.catalog)
            self._catalogs[config.catalog] = specs, repr(config.catalog.field_codes)
        settings = (
            rendered.forms[1:],
            tuple((type(dialect), repr(sorted(vars(dialect).items()))) for dialect in rendered.forms.dialects),
        )
        options = Options.of(config, also=())
        chosen = repr([getattr(options, name) for name in Options.__slots__])
        good = unlisted and as_good(ErrorSpec.of(unlisted))
        return self._catalogs[config.catalog], settings, chosen, good, rendered.alone and rendered.code

    def judge(self, rendered: Rendered) -> Judge:
        """Raises Unready."""
        key = self.key(rendered), rendered.unlisted and (rendered.code, rendered.declared)
        if key not in self._judges:
            self.degraded = False
            try:
                made = _document(rendered)
            except Exception as error:
                raise Unready(f"no document can be made: {type(error).__name__}: {error}") from error
            if self.degraded:
                raise Unready("a document can be made of stand-ins only")
            self._judges[key] = Judge(made)
        return self._judges[key]


def _declared(spec: ErrorSpec) -> Any:
    """What a document's statuses, schemas and header fields depend on."""
    rejects = issubclass(spec.cls, ValidationError)
    headers = tuple(spec.default_headers.items())
    return spec.code, spec.status, spec.type, spec.retryable, spec.default_retry_after, headers, rejects


def as_good(spec: ErrorSpec) -> Any:
    """The same for classes that are not listed and differ in the names that the document takes from them."""
    return spec.status // 100, *_declared(spec)[2:]


def _document(rendered: Rendered) -> dict[str, Any]:
    config, dialect, unlisted = rendered.config, rendered.dialect, rendered.unlisted
    catalog = config.catalog
    if unlisted is not None:
        catalog = Catalog([unlisted, *(spec.cls for spec in catalog)], field_codes=catalog.field_codes)
    names = {field.rpartition(".")[2]: {} for field in catalog.field_codes}
    taking = {
        "parameters": [{"name": "limit", "in": "query", "schema": {}}],
        "requestBody": {"content": {"application/json": {"schema": {"properties": names}}}},
    }
    paths: dict[str, Any] = {}
    if not rendered.alone:
        every = [spec.code for spec in catalog]
        paths[ANY] = {"get": {"x-errorkit-codes": every, "security": [{"any": []}], **taking}}
    found = {"missing_field", *catalog.field_codes.values()} if dialect.code_from_finding else set()
    for spec in [catalog.by_code(rendered.code)] if rendered.alone else catalog:
        more = taking if issubclass(spec.cls, ValidationError) or spec.code in found else {}
        paths[f"/{spec.code}"] = {"get": {"x-errorkit-codes": [spec.code], **more}}
    source = {"openapi": "3.1.0", "info": {"title": "Any", "version": "1"}, "paths": paths}
    return document(source, catalog, lambda _path: rendered.forms, Options.of(config))


def compare(judge: Judge, rendered: Rendered) -> Iterator[str]:
    """What the document does not describe, a line each."""
    headers = dict(line.split(": ", 1) for line in rendered.fields.decode("latin-1").split("\n"))
    for path in (ANY, f"/{rendered.code}")[rendered.alone :]:
        for fault in judge.faults(Exchange("GET", path, rendered.status, headers, rendered.body)):
            yield f"{rendered.where}: {fault}; it was {rendered.body[:200]!r}"


def standing_for(code: str, status: int) -> type[APIError]:
    """A class of which no more is known."""
    return type("Unlisted", (APIError,), {"code": code, "status": status})


def mended(rendered: Rendered) -> Rendered:
    """As if the dialect and the error had not been broken for good by the test that made them."""
    return rendered._replace(forms=Forms((type(rendered.dialect)(),), *rendered.forms[1:]), own=None, alone=True)
