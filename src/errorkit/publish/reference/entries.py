"""What the pages of a code say: its words once, and how it looks on the wire in each dialect of the service."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, NamedTuple
from urllib.parse import quote

from errorkit.actions import ADVICE
from errorkit.catalog import Catalog, ErrorSpec
from errorkit.dialects import PRESETS, Dialect, get_dialect
from errorkit.errors import STANDARD, Change, MalformedJSONError, RateLimitError
from errorkit.exchange import phrase
from errorkit.publish import Options
from errorkit.publish.described_operations import Operation, operations
from errorkit.publish.public_words import prose
from errorkit.publish.reference.giving_operations import givers
from errorkit.publish.reference.meanings import NOT_SHOWN, described_headers
from errorkit.publish.reference.sample_request import pretty, sample
from errorkit.publish.reference.snippets import Snippet, snippets
from errorkit.publish.wire_example import QUOTA, Example, example, rejected_json
from errorkit.written_body import as_shown, form_of

_FEW = 3
"""Operations that are named one by one, even if they are all."""


class Spoken(NamedTuple):
    """A dialect on the pages. prefixes: of the paths that it serves; none of a preset that is shown to compare."""

    dialect: Dialect
    prefixes: tuple[str, ...] = ()
    where: str = ""

    @property
    def name(self) -> str:
        """The dialect's, or its class's in lower case."""
        return self.dialect.name or type(self.dialect).__name__.lower()


class Place(NamedTuple):
    """An operation that gives an error. url: where the service's API documentation describes it, or empty."""

    method: str
    path: str
    url: str


class Form(NamedTuple):
    """One error in one dialect."""

    name: str
    where: str
    prefixes: tuple[str, ...]
    spelling: str
    status: int
    media_type: str
    headers: tuple[tuple[str, str, str], ...]
    operations: tuple[Place, ...]
    everywhere: bool
    request: str
    response: str
    body: Any
    snippets: tuple[Snippet, ...]


class Entry(NamedTuple):
    """One code."""

    code: str
    spelling: str
    status: int
    phrase: str
    title: str
    description: str
    causes: tuple[str, ...]
    resolution: str
    retryable: bool
    retry: str
    propagate: bool
    action: str
    turn: str
    todo: str
    general: bool
    area: str
    since: str
    changed: tuple[Change, ...]
    deprecated: Change | None
    pairs: tuple[tuple[str, str, str], ...]
    forms: tuple[Form, ...]
    pages: tuple[str, ...]
    """The names of its page."""

    @property
    def spellings(self) -> tuple[str, ...]:
        """The code in every dialect, each once."""
        return tuple(dict.fromkeys(form.spelling for form in self.forms))

    @property
    def first(self) -> int:
        """The form that is chosen first: one under whose paths the error is known to occur."""
        return next((number for number, form in enumerate(self.forms) if form.operations), 0)


def spoken_dialects(dialect: Dialect, options: Options) -> list[Spoken]:
    """The service's own with their prefixes, the given one first; all presets behind them if that is asked for."""
    served: dict[Dialect, tuple[str, ...]] = {dialect: ()}
    if any(each is dialect for _, each in options.prefixes):
        for prefix, each in reversed(options.prefixes):
            if each is not None:
                served[each] = (*served.get(each, ()), prefix)
    several = len(served) > 1
    found = [Spoken(each, prefixes, _where(prefixes, several=several)) for each, prefixes in served.items()]
    names = {each.name for each in found}
    if options.extra.get("presets", "none") == "all":
        found += [Spoken(get_dialect(name), (), "to compare") for name in PRESETS if name not in names]
    return found


def entries(catalog: Catalog, spoken: list[Spoken], options: Options) -> list[Entry]:
    """One for each code, in the catalogue's order."""
    return [_entry(catalog, spec, spoken, options) for spec in catalog]


def wire(shown: Example) -> str:
    """A response as it goes over the wire, its body indented."""
    lines = [f"HTTP/1.1 {shown.public.status} {phrase(shown.public.status)}"]
    lines += [f"{name}: {value}" for name, value in shown.headers if name.lower() not in NOT_SHOWN]
    return "\n".join(lines) + "\n\n" + as_shown(shown.media_type, shown.body)


def _where(prefixes: tuple[str, ...], *, several: bool) -> str:
    under = [prefix for prefix in prefixes if prefix]
    if not several:
        return ""
    return f"under {', '.join(under)}" if under else "other paths"


def _entry(catalog: Catalog, spec: ErrorSpec, spoken: list[Spoken], options: Options) -> Entry:
    words, dialect = prose(spec), spoken[0].dialect
    shown = example(catalog, spec, dialect, options)
    return Entry(
        code=spec.code,
        spelling=dialect.spell(spec.code),
        status=shown.public.status,
        phrase=phrase(shown.public.status),
        title=spec.title,
        description=words.description,
        causes=words.causes,
        resolution=words.resolution,
        retryable=shown.public.retryable,
        retry=_retry(spec, shown, options),
        propagate=spec.propagate,
        action=spec.action,
        turn=ADVICE[spec.action].turn,
        todo=ADVICE[spec.action].words,
        general=spec.cls in STANDARD,
        area=spec.area,
        since=spec.since,
        changed=spec.changed,
        deprecated=spec.deprecated,
        pairs=tuple((pair.title, pretty(pair.bad), pretty(pair.fixed)) for pair in spec.examples),
        forms=tuple(_form(catalog, spec, each, options) for each in spoken),
        pages=tuple(dict.fromkeys((spec.code, *(each.dialect.page_of(spec.code) for each in spoken)))),
    )


def _form(catalog: Catalog, spec: ErrorSpec, spoken: Spoken, options: Options) -> Form:
    dialect = spoken.dialect
    request = sample(catalog, spec, dialect, options)
    quota = None
    if issubclass(spec.cls, RateLimitError):
        wait = example(catalog, spec, dialect, options).public.retry_after
        quota = QUOTA._replace(reset=QUOTA.reset if wait is None else wait)
    if options.reads_json and issubclass(spec.cls, MalformedJSONError):
        shown = rejected_json(catalog, dialect, options)
    else:
        shown = example(catalog, spec, dialect, options, finding=request.finding, allow=request.allow, quota=quota)
    giving = givers(spec, dialect, options)
    return Form(
        name=spoken.name,
        where=spoken.where,
        prefixes=spoken.prefixes,
        spelling=dialect.spell(spec.code),
        status=shown.public.status,
        media_type=dialect.media_type,
        headers=tuple(described_headers(shown, dialect)),
        operations=tuple(Place(each.method, each.path, _link(each, options)) for each in giving),
        everywhere=_FEW < len(giving) == sum(1 for _ in operations(options.document)),
        request=request.text(options.base_url.partition("://")[2].partition("/")[0]),
        response=wire(shown),
        body=json.loads(shown.body) if form_of(shown.media_type) == "JSON" else shown.body,
        snippets=snippets(spec, dialect, request, options.base_url),
    )


def _link(operation: Operation, options: Options) -> str:
    """By the setting `operation_url`, if the document names the operation."""
    template = options.extra.get("operation_url", "")
    if not operation.identifier or not template:
        return ""
    values = {
        "operation_id": operation.identifier,
        "tag": operation.tag or "default",
        "method": operation.method.lower(),
        "path": operation.path,
    }
    for name, value in values.items():
        template = template.replace(f"{{{name}}}", quote(value, safe=""))
    return template


def _retry(spec: ErrorSpec, shown: Example, options: Options) -> str:
    wait = shown.public.retry_after
    if shown.public.retryable:
        if wait is None:
            return "Yes, with pauses that grow from one attempt to the next."
        seconds = "1 second" if wait == 1 else f"{wait} seconds"
        return f"Yes, after the time that Retry-After gives (by default {seconds})."
    if spec.retryable:
        return f"Not by itself: the wait is longer than {options.max_retry_wait:g} seconds."
    return "No. The same request fails again; change it first."


def by_area(entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    """Under headings: the service's own by their area, those of any HTTP service last."""
    own: dict[str, list[Entry]] = {}
    general: list[Entry] = []
    for entry in entries:
        (general if entry.general else own.setdefault(entry.area, [])).append(entry)
    rest = own.pop("", [])
    found = {**own, ("Other codes of this service" if own else "Of this service"): rest}
    return {heading: each for heading, each in {**found, "Of any HTTP service": general}.items() if each}
