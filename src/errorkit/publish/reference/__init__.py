"""The reference of a service's errors: an index, and a page for every code; HTML or Markdown.

A code's page is `<code>/index.html`, so that `docs_url="https://host/errors/{code}"` resolves
on any static host and in the applications of `errorkit.publish.reference.mount`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name

from errorkit.actions import ADVICE
from errorkit.catalog import Catalog, ErrorSpec
from errorkit.dialects import PRESETS, Dialect, get_dialect
from errorkit.errors import STANDARD
from errorkit.exchange import phrase
from errorkit.publish import Files, Options
from errorkit.publish.envelope_fields import Path, written
from errorkit.publish.public_words import prose
from errorkit.publish.reference.sample_request import pretty, sample, snippets
from errorkit.publish.wire_example import Example, example
from errorkit.written_body import as_shown

_NOT_SHOWN = frozenset({"content-length"})
_MEMBERS = {
    "code": "The stable name of the error. Decide by this, never by the message.",
    "status": "The HTTP status, repeated.",
    "type": "The coarse class of the error.",
    "title": "What this kind of error is called.",
    "message": "What happened, for people. The wording may change.",
    "param": "The one parameter at fault, where there is one.",
    "details": "Every finding, where several fields are at fault.",
    "request_id": "Identifies this request. Log it, and quote it to support.",
    "resume_at": "The instant at which another attempt makes sense (UTC).",
    "doc_url": "The page that describes the code.",
}
_HEADERS = {
    "retry-after": "Seconds to wait before the next attempt.",
    "retry-after-ms": "The same in milliseconds.",
    "x-should-retry": "Whether a client may try again by itself.",
    "www-authenticate": "How to authenticate.",
    "allow": "The methods that the resource has.",
    "cache-control": "An error is not stored.",
    "content-type": "The form of the body.",
    "x-content-type-options": "The body is what Content-Type says.",
}


class Wire(NamedTuple):
    """An error's response in one dialect."""

    dialect: str
    text: str


class Entry(NamedTuple):
    """One code, as its page shows it."""

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
    headers: tuple[tuple[str, str, str], ...]
    operations: tuple[tuple[str, str], ...]
    request: str
    responses: tuple[Wire, ...]
    pairs: tuple[tuple[str, str, str], ...]
    snippets: tuple[tuple[str, str, str], ...]


def html(catalog: Catalog, dialect: Dialect, options: Options) -> Files:
    """Static HTML: `index.html`, `<code>/index.html`, one style sheet, one script."""
    environment = _environment()
    context = _context(catalog, dialect, options)
    files = {
        "index.html": environment.get_template("index.html").render(context, root=""),
        "reference.css": environment.get_template("reference.css").render(context),
        "reference.js": environment.get_template("reference.js").render(),
    }
    page = environment.get_template("code.html")
    for entry in context["entries"]:
        for name in {entry.code, dialect.page_of(entry.code)}:
            files[f"{name}/index.html"] = page.render(context, entry=entry, root="../")
    return {name: text.rstrip("\n") + "\n" for name, text in files.items()}


def markdown(catalog: Catalog, dialect: Dialect, options: Options) -> Files:
    """Markdown: `index.md`, and `<code>.md` for every code. Raises ValueError for a code called `index`."""
    if "index" in catalog:
        raise ValueError("the page of the code 'index' would be index.md, which lists all codes; write HTML instead")
    environment = _environment()
    context = _context(catalog, dialect, options)
    files = {"index.md": environment.get_template("index.md").render(context)}
    page = environment.get_template("code.md")
    for entry in context["entries"]:
        for name in {entry.code, dialect.page_of(entry.code)}:
            files[f"{name}.md"] = page.render(context, entry=entry)
    return {name: text.strip("\n") + "\n" for name, text in files.items()}


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("errorkit.publish.reference"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["coloured"] = _coloured
    environment.filters["md"] = _prose
    environment.filters["cell"] = lambda text: str(text).replace("|", "\\|").replace("\n", " ")
    return environment


_FORMATTER: HtmlFormatter[str] = HtmlFormatter(nowrap=True)
_lexer = lru_cache(get_lexer_by_name)


def _prose(text: str) -> str:
    """An author's words in Markdown: no markup of HTML's, and no link but to a page or an address."""
    return _ACTIVE_LINK(r"\1#", text.replace("&", "&amp;").replace("<", "&lt;"))


_ACTIVE_LINK = re.compile(
    r"(\]\(\s*|\]:\s*)(?!(?:https?|mailto):)[a-z][a-z0-9+.\s&#;-]{0,100}:[^)\s]*", re.IGNORECASE
).sub
"""The beginning of a link, in the text or as a reference, with a scheme that may run what it holds."""


def _coloured(text: str, language: str) -> Markup:
    return Markup(highlight(text, _lexer(language), _FORMATTER).rstrip("\n"))  # noqa: S704 - pygments escapes


def _context(catalog: Catalog, dialect: Dialect, options: Options) -> dict[str, Any]:
    dialects = _dialects(dialect, options)
    entries = [_entry(catalog, spec, dialects, options) for spec in catalog]
    retryable = [entry for entry in entries if entry.retryable]
    return {
        "title": options.title,
        "dialects": [_name(one) for one in dialects],
        "entries": entries,
        "own": [entry for entry in entries if not entry.general],
        "general": [entry for entry in entries if entry.general],
        "retryable": retryable,
        "failing_open": [entry for entry in entries if not entry.propagate],
        "members": _members(dialect),
        "specimen": next((entry for entry in entries if not entry.general), entries[0]).responses[0].text,
        "id_header": dialect.request_id_header,
        "max_wait": round(options.max_retry_wait),
    }


def _dialects(dialect: Dialect, options: Options) -> list[Dialect]:
    """The service's own first, then what else it speaks, then the presets; each name once."""
    chosen: dict[str, Dialect] = {}
    for one in (dialect, *options.also, *map(get_dialect, PRESETS)):
        chosen.setdefault(_name(one), one)
    return list(chosen.values())


def _name(dialect: Dialect) -> str:
    return dialect.name or type(dialect).__name__.lower()


def _entry(catalog: Catalog, spec: ErrorSpec, dialects: list[Dialect], options: Options) -> Entry:
    dialect, words = dialects[0], prose(spec)
    shown = example(catalog, spec, dialect, options)
    request = sample(spec, dialect, options)
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
        headers=tuple(_described_headers(shown, dialect)),
        operations=tuple(options.operations.get(spec.code, ())),
        request=request.text,
        responses=tuple(Wire(_name(one), _wire(example(catalog, spec, one, options))) for one in dialects),
        pairs=tuple((pair.title, pretty(pair.bad), pretty(pair.fixed)) for pair in spec.examples),
        snippets=tuple(snippets(spec, dialect, options)),
    )


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


def _described_headers(shown: Example, dialect: Dialect) -> Iterable[tuple[str, str, str]]:
    for name, value in shown.headers:
        lowered = name.lower()
        if lowered == dialect.request_id_header.lower():
            yield name, value, _MEMBERS["request_id"]
        elif lowered == (dialect.code_header or "").lower():
            yield name, value, _MEMBERS["code"]
        elif lowered not in _NOT_SHOWN:
            yield name, value, _HEADERS.get(lowered, "")


def _wire(shown: Example) -> str:
    lines = [f"HTTP/1.1 {shown.public.status} {phrase(shown.public.status)}"]
    lines += [f"{name}: {value}" for name, value in shown.headers if name.lower() not in _NOT_SHOWN]
    return "\n".join(lines) + "\n\n" + as_shown(shown.media_type, shown.body)


def _members(dialect: Dialect) -> list[tuple[str, str]]:
    """Where the body holds what."""
    return [(_spelled(path), _MEMBERS[field]) for path, field in written(dialect).items()]


def _spelled(path: Path) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")
