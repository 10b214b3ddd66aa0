"""The command line: argv to generators, files and exit codes.

0: done, or nothing is wrong. 1: stale, incompatible or undeclared. 2: the command cannot be carried out.
"""

from __future__ import annotations

import json
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.text import Text

from errorkit.cli.application import declared, occurrences, openapi_of
from errorkit.cli.judging import check, diff
from errorkit.cli.showing import explain, preview
from errorkit.cli.terminal import (
    BaseURL,
    Check,
    DialectName,
    DocsURL,
    Extra,
    Output,
    Title,
    Where,
    err,
    explained,
    fail,
    out,
)
from errorkit.publish import Files, export, generate, openapi, target, written

_DIFF = {"+": "green", "-": "red", "@": "cyan"}

app = typer.Typer(
    name="errorkit",
    help="One catalogue of errors, on every surface.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


class Format(StrEnum):
    """What the reference is written as."""

    HTML = "html"
    MARKDOWN = "markdown"


class Language(StrEnum):
    """What a client is written in."""

    PYTHON = "python"
    TYPESCRIPT = "typescript"


class Gateway(StrEnum):
    """What stands in front of the service."""

    NGINX = "nginx"
    ENVOY = "envoy"
    CADDY = "caddy"


@app.command()
def docs(
    where: Where,
    output: Output = None,
    format: Annotated[Format, typer.Option("--format", "-f", help="What to write.")] = Format.HTML,
    dialect: DialectName = None,
    title: Title = None,
    base_url: BaseURL = None,
    docs_url: DocsURL = None,
    check: Check = False,
) -> None:
    """The reference: an index with search, and a page for every code."""
    with explained():
        found = target.load(where)
        options = found.options(title=title, base_url=base_url, docs_url=docs_url)
        options = replace(options, operations=occurrences(found))
        _deliver(generate(f"docs {format}", found.catalog, found.dialect(dialect), options), output, check)


@app.command(name="export")
def export_command(
    where: Where,
    output: Output = None,
    dialect: DialectName = None,
    title: Title = None,
    docs_url: DocsURL = None,
    check: Check = False,
) -> None:
    """The catalogue as JSON, for `diff` and for other tools."""
    with explained():
        found = target.load(where)
        options = found.options(title=title, base_url=None, docs_url=docs_url)
        _deliver(generate("export", found.catalog, found.dialect(dialect), options), output, check)


@app.command()
def client(
    language: Language,
    where: Where,
    output: Output = None,
    dialect: DialectName = None,
    title: Title = None,
    base_url: BaseURL = None,
    option: Extra = None,
    check: Check = False,
) -> None:
    """A typed client's errors, one class for each code."""
    with explained():
        found = target.load(where)
        options = found.options(title=title, base_url=base_url, docs_url=None, **_pairs(option))
        _deliver(generate(f"client {language}", found.catalog, found.dialect(dialect), options), output, check)


@app.command()
def gateway(
    kind: Gateway,
    where: Where,
    output: Output = None,
    dialect: DialectName = None,
    title: Title = None,
    base_url: BaseURL = None,
    option: Extra = None,
    check: Check = False,
) -> None:
    """A gateway's error pages in the service's dialect."""
    with explained():
        found = target.load(where)
        options = found.options(title=title, base_url=base_url, docs_url=None, **_pairs(option))
        _deliver(generate(f"gateway {kind}", found.catalog, found.dialect(dialect), options), output, check)


@app.command(name="openapi")
def openapi_command(
    where: Where,
    document: Annotated[
        Path | None, typer.Argument(help="An OpenAPI document, JSON or YAML; default: the app's.")
    ] = None,
    output: Output = None,
    dialect: DialectName = None,
    title: Title = None,
    docs_url: DocsURL = None,
    check: Check = False,
) -> None:
    """An OpenAPI document with the errors that each operation really gives."""
    with explained():
        found = target.load(where)
        if document is None:
            result = openapi_of(found)
            if result is None:
                raise target.TargetError(f"{where!r} has no OpenAPI document of its own; name a file after it")
        else:
            options = found.options(title=title, base_url=None, docs_url=docs_url)
            chosen = found.dialect(dialect)
            result = openapi.document(
                openapi.read(document), found.catalog, lambda _path: chosen, options, declared(found)
            )
        _deliver({"openapi.json": json.dumps(result, indent=2, ensure_ascii=False) + "\n"}, output, check)


@app.command()
def schema(output: Output = None, check: Check = False) -> None:
    """The JSON Schema of an exported catalogue."""
    _deliver({"catalog.schema.json": json.dumps(export.schema(), indent=2) + "\n"}, output, check)


for judge_or_show in (check, diff, explain, preview):
    app.command()(judge_or_show)


def _deliver(files: Files, output: Path | None, check: bool) -> None:
    if output is None:
        if len(files) > 1:
            fail(f"this gives {len(files)} files; name a directory with --output")
        if check:
            fail("--check compares with a written file; name it with --output")
        print(next(iter(files.values())), end="")  # noqa: T201 - plain text for a pipe
        return
    places = written.places(files, output)
    if not check:
        written.write(places)
        err.print(f"{len(places)} file{'s' * (len(places) != 1)} in {escape(str(output))}")
        return
    diffs = list(written.stale(places))
    for difference in diffs:
        for row in difference.splitlines():  # never wrapped: a path that is cut in two leads nowhere
            out.print(Text(row, style=_DIFF.get(row[:1], "")))
    if diffs:
        err.print(f"[red]stale:[/] {len(diffs)} of {len(places)} files; run the command again without --check")
        raise typer.Exit(1)


def _pairs(option: list[str] | None) -> dict[str, str]:
    pairs = {}
    for entry in option or ():
        name, equals, value = entry.partition("=")
        if not equals:
            raise target.TargetError(f"--option {entry!r}: write name=value")
        pairs[name] = value
    return pairs
