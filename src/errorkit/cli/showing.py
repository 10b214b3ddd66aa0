"""Commands that show errors on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from errorkit.catalog import Catalog, ErrorSpec
from errorkit.cli.terminal import DialectName, DocsURL, Where, explained, out, plain, unmarked
from errorkit.dialects import Dialect
from errorkit.exchange import phrase
from errorkit.written_body import as_shown, is_xml

if TYPE_CHECKING:
    from errorkit.publish.wire_example import Example


def explain(where: Where, code: str, dialect: DialectName = None, docs_url: DocsURL = None) -> None:
    """All that is known of one code, canonical or as the dialect spells it."""
    from rich.table import Table

    from errorkit.cli import import_path
    from errorkit.publish.public_words import prose
    from errorkit.publish.wire_example import example

    with explained():
        found = import_path.load(where)
        chosen = found.dialect(dialect)
        spec = _spec(found.catalog, chosen, code)
        shown = example(found.catalog, spec, chosen, found.options(docs_url=docs_url))
    out.print(f"[bold]{plain(chosen.spell(spec.code))}[/]  {shown.public.status} {plain(spec.title)}\n")
    words = prose(spec)
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(overflow="fold")
    rows = [
        ("Meaning", words.description),
        ("Causes", "\n".join(f"• {cause}" for cause in words.causes)),
        ("Resolution", words.resolution),
        ("Retry", "yes" if spec.retryable else "no"),
        ("Declared by", f"{spec.cls.__module__}.{spec.cls.__qualname__}"),
        ("Described at", shown.public.doc_url),
    ]
    for name, text in rows:
        if text:
            table.add_row(f"[dim]{name}[/]", plain(text))
    out.print(table)
    out.print()
    _show(shown)


def preview(
    where: Where,
    codes: Annotated[
        list[str] | None, typer.Argument(help="Codes to show, canonical or as the dialect spells them. Default: all.")
    ] = None,
    dialect: DialectName = None,
    docs_url: DocsURL = None,
) -> None:
    """Every error as the service sends it."""
    from errorkit.cli import import_path
    from errorkit.publish.wire_example import example

    with explained():
        found = import_path.load(where)
        chosen = found.dialect(dialect)
        options = found.options(docs_url=docs_url)
        specs = [_spec(found.catalog, chosen, code) for code in codes] if codes else list(found.catalog)
        for spec in specs:
            _show(example(found.catalog, spec, chosen, options))


def _spec(catalog: Catalog, dialect: Dialect, code: str) -> ErrorSpec:
    """The error of a code, canonical or as the dialect spells it."""
    from errorkit.cli.import_path import TargetError

    try:
        return catalog.by_code(code if code in catalog else dialect.canonical(code))
    except KeyError as error:
        raise TargetError(str(error.args[0])) from None


def _show(shown: Example) -> None:
    from rich.syntax import Syntax

    out.print(f"[bold]HTTP/1.1 {shown.public.status}[/] {plain(phrase(shown.public.status))}")
    for name, value in shown.headers:
        out.print(f"[cyan]{name}[/]: {plain(value)}")
    body = unmarked(as_shown(shown.media_type, shown.body))
    syntax = Syntax("", "xml" if is_xml(shown.media_type) else "json", background_color="default")
    out.print(syntax.highlight(body), end="")  # as text: never cut to a width
    out.print()
