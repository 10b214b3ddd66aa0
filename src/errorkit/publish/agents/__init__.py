"""What an agent that calls the service should know of its errors: one page of Markdown, and the same as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator

from errorkit.actions import ADVICE
from errorkit.catalog import Catalog
from errorkit.dialects import Dialect
from errorkit.publish import Files, Options
from errorkit.publish.public_words import prose
from errorkit.publish.wire_example import example


def generate(catalog: Catalog, dialect: Dialect, options: Options) -> Files:
    """`errors.md` and `errors.json`: per code its status, what to do next, whose turn it is."""
    codes = []
    for spec in catalog:
        shown, words = example(catalog, spec, dialect, options), prose(spec)
        advice = ADVICE[spec.action]
        codes.append(
            {
                "code": dialect.spell(spec.code),
                "status": shown.public.status,
                "action": spec.action,
                "turn": advice.turn,
                "meaning": words.description,
                "resolution": words.resolution,
                "retry_after": shown.public.retry_after,
            }
        )
    document = {"service": options.title, "dialect": dialect.name, "errors": codes}
    return {
        "errors.md": "\n".join(_page(options.title, dialect, codes)) + "\n",
        "errors.json": json.dumps(document, indent=2, ensure_ascii=False) + "\n",
    }


def _page(title: str, dialect: Dialect, codes: list[dict[str, object]]) -> Iterator[str]:
    yield f"# Errors of {_cell(title)}"
    yield ""
    yield f"An error has a stable code and a request id (response header `{dialect.request_id_header}`): decide by the"
    yield "code, never by the words, and name the id when you report a failure."
    yield ""
    yield "| next | whose turn | what to do |"
    yield "|---|---|---|"
    for action, advice in ADVICE.items():
        yield f"| `{action}` | {advice.turn} | {advice.words} |"
    yield ""
    yield "| code | status | next | meaning | resolution |"
    yield "|---|---|---|---|---|"
    for each in codes:
        cells = (f"`{each['code']}`", each["status"], f"`{each['action']}`", each["meaning"], each["resolution"])
        yield f"| {' | '.join(_cell(str(cell)) for cell in cells)} |"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
