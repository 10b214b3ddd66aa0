"""The reference of a service's errors: an index, a page for every code, a changelog; HTML, Markdown and JSON.

A code's page is `<code>/index.html`, so that `docs_url="https://host/errors/{code}"` resolves
on any static host and in the applications of `errorkit.publish.reference.mount`. The same as
Markdown and as JSON is `<code>.md` and `<code>.json`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from errorkit.catalog import Catalog
from errorkit.dialects import Dialect
from errorkit.publish import Files, Options
from errorkit.publish.envelope_fields import Path, written
from errorkit.publish.reference.as_json import code_document, index_document
from errorkit.publish.reference.brand import brand
from errorkit.publish.reference.changelog import releases
from errorkit.publish.reference.entries import Entry, Spoken, by_area, entries, spoken_dialects
from errorkit.publish.reference.meanings import MEMBERS
from errorkit.publish.reference.page_templates import environment

OPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "presets": "all: show every preset beside the service's own dialects (default none)",
        "brand": "the name at the head of every page (default: the title)",
        "home": "where a link beside the name leads, such as the documentation's first page",
        "colour": "of links and marks, #rrggbb; it is darkened or lightened until it can be read",
        "site_url": "where the index is published (default: docs_url up to {code}): for canonical links and a site map",
        "operation_url": "of an operation in the API documentation: {operation_id}, {tag}, {method}, {path}",
    }
)

_INDEX, _CHANGELOG = "index", "changelog"


def html(catalog: Catalog, dialect: Dialect, options: Options) -> Files:
    """Static HTML with style sheet and script, the same as Markdown and JSON beside, and what finds them.

    Raises ValueError for a setting that cannot be used.
    """
    templates = environment()
    context = _context(catalog, dialect, options)
    files = {
        "index.html": templates.get_template("index.html").render(context, root="", path=""),
        "reference.css": templates.get_template("reference.css").render(context),
        "reference.js": templates.get_template("reference.js").render(context),
    }
    found: list[Entry] = context["entries"]
    if context["releases"]:
        page = templates.get_template("changelog.html")
        files["changelog.html"] = page.render(context, root="", path="changelog.html")
    page = templates.get_template("code.html")
    for number, entry in enumerate(found):
        beside = {"before": found[number - 1] if number else None, "after": next(iter(found[number + 1 :]), None)}
        for name in entry.pages:
            path = f"{entry.code}/"
            files[f"{name}/index.html"] = page.render(context, entry=entry, root="../", path=path, **beside)
    files |= _markdown(context) | _json(context)
    if context["site_url"]:
        files["sitemap.xml"] = templates.get_template("sitemap.xml").render(context)
    return {name: text.rstrip("\n") + "\n" for name, text in files.items()}


def markdown(catalog: Catalog, dialect: Dialect, options: Options) -> Files:
    """`index.md`, `<code>.md` for every code, `changelog.md`, `llms.txt`.

    Raises ValueError for a code that has the name of one of these.
    """
    for name in (_INDEX, _CHANGELOG):
        if name in catalog:
            raise ValueError(f"the page of the code {name!r} would be {name}.md, which is another; write HTML instead")
    return _markdown(_context(catalog, dialect, options))


def _markdown(context: Mapping[str, Any]) -> Files:
    templates = environment()
    files = {"index.md": templates.get_template("index.md").render(context)}
    if context["releases"]:
        files["changelog.md"] = templates.get_template("changelog.md").render(context)
    files["llms.txt"] = templates.get_template("llms.txt").render(context)
    page = templates.get_template("code.md")
    for entry in context["entries"]:
        for name in entry.pages:
            files.setdefault(f"{name}.md", page.render(context, entry=entry))
    return {name: text.strip("\n") + "\n" for name, text in files.items()}


def _json(context: Mapping[str, Any]) -> Files:
    documents = {"index.json": index_document(context["title"], context["entries"])}
    for entry in context["entries"]:
        for name in entry.pages:
            documents.setdefault(f"{name}.json", code_document(entry))
    return {name: json.dumps(value, indent=2, ensure_ascii=False) for name, value in documents.items()}


def _context(catalog: Catalog, dialect: Dialect, options: Options) -> dict[str, Any]:
    spoken = spoken_dialects(dialect, options)
    found = entries(catalog, spoken, options)
    shown = next((entry for entry in found if not entry.general), found[0])
    return {
        "title": options.title,
        "brand": brand(options.title, options.extra),
        "spoken": spoken,
        "entries": found,
        "areas": by_area(found),
        "releases": releases(found),
        "retryable": [entry for entry in found if entry.retryable],
        "failing_open": [entry for entry in found if not entry.propagate],
        "shapes": [(each, form.response, _members(each)) for each, form in zip(spoken, shown.forms, strict=True)],
        "searched": [_searched(entry) for entry in found],
        "id_header": dialect.request_id_header,
        "max_wait": round(options.max_retry_wait),
        "site_url": _site_url(options),
    }


def _searched(entry: Entry) -> tuple[str, str, str, str]:
    """Code, spelling, meaning, and all that a search looks through."""
    words = (entry.code, *entry.spellings, str(entry.status), f"{entry.status // 100}xx", entry.title, entry.area)
    told = (*words, entry.description, *entry.causes, entry.resolution, entry.action)
    return entry.code, entry.spelling, entry.description, " ".join(told).lower()


def _site_url(options: Options) -> str:
    """Where the index is, with a slash at the end; empty where nobody knows."""
    given = options.extra.get("site_url", "")
    if not given:
        given, code, rest = options.docs_url.partition("{code}")
        given = given if code and not rest.strip("/") and "://" in given and given.endswith("/") else ""
    if given and not given.startswith(("https://", "http://")):
        raise ValueError(f"site_url={given!r}: use an address that begins with https://")
    return f"{given.rstrip('/')}/" if given else ""


def _members(spoken: Spoken) -> list[tuple[str, str]]:
    """Where the body holds what."""
    return [(_spelled(path), MEMBERS[field]) for path, field in written(spoken.dialect).items()]


def _spelled(path: Path) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")
