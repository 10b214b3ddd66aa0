"""The generated part of dialects.md: every preset, with what it really sends.

python docs/generate_dialects.py           write it
python docs/generate_dialects.py --check   exit 1 if the page is stale
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import patch

from errorkit import Catalog, Detail, NotFoundError, RateLimit, RateLimitError, ValidationError
from errorkit.config import Config
from errorkit.dialects import PRESETS, Dialect, get_dialect
from errorkit.errors import APIError
from errorkit.exchange import Request, phrase
from errorkit.handler import ErrorHandler

PAGE = Path(__file__).with_name("dialects.md")
BEGIN, END = "<!-- generated: begin -->\n", "<!-- generated: end -->\n"
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
HEAD = (
    "| preset | media type | request ID | code | retry verdict | invalid request | message of the whole |\n"
    "| --- | --- | --- | --- | --- | --- | --- |\n"
)


class InvoiceNotFoundError(NotFoundError):
    """404: there is no such invoice."""

    code, title, message = "invoice_not_found", "Invoice Not Found", "There is no such invoice."


EXAMPLES: tuple[APIError, ...] = (
    InvoiceNotFoundError(),
    ValidationError(
        details=[
            Detail(("email",), "must be a valid email address", "invalid_format"),
            Detail(("items", 0, "quantity"), "must be at least 1", "out_of_range"),
        ]
    ),
    RateLimitError(retry_after=7, rate_limit=RateLimit(limit=100, remaining=0, reset=7, window=60)),
)


class Example(Request):
    """The request of every example."""

    path = "/invoices/42"  # type: ignore[assignment]
    request_id = "5d41402abc4b2a76"

    def header(self, name: bytes) -> None:
        """It has no header fields."""


def section(name: str) -> str:
    """One preset: its words, and three answers."""
    dialect = get_dialect(name)
    handler = ErrorHandler(
        Config(dialect=name, catalog=Catalog([InvoiceNotFoundError]), docs_url="https://docs.example.com/errors/{code}")
    )
    parts = [f"### {name}\n", (type(dialect).__doc__ or "").strip().replace("\n    ", "\n") + "\n"]
    parts.append("Carries: " + ", ".join(dialect.carries) + ".\n")
    return "\n".join([*parts, *(answer(handler, error) for error in EXAMPLES)])


def answer(handler: ErrorHandler, error: APIError) -> str:
    """What the handler sends for an error."""
    request = Example()
    request.renderer = handler.renderer_for("/invoices/42")
    with patch("errorkit.presentation.clock", lambda: NOW), patch("errorkit.retry.clock", lambda: NOW):
        response = handler.respond(request, error)
    lines = [f"HTTP/1.1 {response.status} {phrase(response.status)}"]
    lines += [
        f"{name.decode()}: {value.decode()}" for name, value in response.headers if name not in (b"content-length",)
    ]
    body = json.dumps(json.loads(response.body), indent=2, ensure_ascii=False)
    return "```text\n" + "\n".join(lines) + "\n\n" + body + "\n```\n"


def row(dialect: Dialect) -> str:
    """One preset's line of the table."""
    status = f"{dialect.status_missing}"
    if dialect.status_missing != dialect.status_invalid:
        status = f"{dialect.status_missing} missing, {dialect.status_invalid} invalid"
    verdict = f"`{dialect.retry_verdict_header}`" if dialect.retry_verdict_header else "-"
    twin = f", `{dialect.code_header}`" if dialect.code_header else ""
    kept = "author's" if "message" in dialect.carries else "-"
    if dialect.phrases:
        kept += ", but for " + ", ".join(map(str, dialect.phrases))
    return (
        f"| [`{dialect.name}`](#{dialect.name}) | `{dialect.media_type}` | `{dialect.request_id_header}` "
        f"| `{dialect.spell('invoice_not_found')}`{twin} | {verdict} | {status} | {kept} |\n"
    )


def page() -> str:
    """The whole page, its generated part made anew."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    table = HEAD + "".join(row(get_dialect(name)) for name in PRESETS)
    return before + BEGIN + "\n" + table + "\n" + "\n".join(map(section, PRESETS)) + "\n" + END + after


def main() -> int:
    """Write or check."""
    wanted = page()
    if "--check" in sys.argv[1:]:
        if wanted != PAGE.read_text(encoding="utf-8"):
            sys.stderr.write("docs/dialects.md is stale: run python docs/generate_dialects.py\n")
            return 1
        return 0
    PAGE.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
