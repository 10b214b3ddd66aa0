"""Commands that write files: to the terminal or to `--output`, or compared with what is there by `--check`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from errorkit.cli.terminal import (
    BaseURL,
    Check,
    DialectName,
    DocsURL,
    Extra,
    Output,
    Title,
    Where,
    counted,
    err,
    explained,
    fail,
    show_diff,
)

if TYPE_CHECKING:
    from errorkit.cli.import_path import Target
    from errorkit.publish import Files, Options


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


def docs(
    where: Where,
    output: Output = None,
    format: Annotated[Format, typer.Option("--format", "-f", help="What to write.")] = Format.HTML,
    dialect: DialectName = None,
    title: Title = None,
    base_url: BaseURL = None,
    docs_url: DocsURL = None,
    openapi: Annotated[
        Path | None, typer.Option("--openapi", help="The service's document, JSON or YAML. Default: the app's.")
    ] = None,
    option: Extra = None,
    check: Check = False,
) -> None:
    """The reference: an index with search, and a page for every code."""
    given = {"title": title, "base_url": base_url, "docs_url": docs_url}
    _write(f"docs {format}", where, output, check, dialect, option, document=openapi, **given)


def export(
    where: Where,
    output: Output = None,
    dialect: DialectName = None,
    title: Title = None,
    docs_url: DocsURL = None,
    check: Check = False,
) -> None:
    """The catalogue as JSON, for `diff` and for other tools."""
    _write("export", where, output, check, dialect, title=title, docs_url=docs_url)


def agents(
    where: Where,
    output: Output = None,
    dialect: DialectName = None,
    title: Title = None,
    check: Check = False,
) -> None:
    """What an agent should know of the errors: a page, and the same as JSON."""
    _write("agents", where, output, check, dialect, title=title)


def client(
    language: Language,
    where: Where,
    output: Output = None,
    dialect: DialectName = None,
    title: Title = None,
    option: Extra = None,
    check: Check = False,
) -> None:
    """A typed client's errors, one class for each code."""
    _write(f"client {language}", where, output, check, dialect, option, title=title)


def gateway(
    kind: Gateway,
    where: Where,
    output: Output = None,
    dialect: DialectName = None,
    docs_url: DocsURL = None,
    option: Extra = None,
    check: Check = False,
) -> None:
    """A gateway's error pages in the service's dialect."""
    _write(f"gateway {kind}", where, output, check, dialect, option, docs_url=docs_url)


def openapi(
    where: Where,
    document: Annotated[
        Path | None, typer.Argument(help="An OpenAPI document, JSON or YAML; default: the app's.")
    ] = None,
    output: Output = None,
    dialect: DialectName = None,
    docs_url: DocsURL = None,
    check: Check = False,
) -> None:
    """An OpenAPI document with the errors that each operation really gives."""
    from errorkit.cli import import_path, openapi_file
    from errorkit.cli.application import declared, openapi_of
    from errorkit.publish import openapi as describing

    with explained():
        found = import_path.load(where)
        if document is None:
            if dialect or docs_url:
                raise import_path.TargetError("--dialect and --docs-url are for a document; the app describes itself")
            result = openapi_of(found)
            if result is None:
                raise import_path.TargetError(f"{where!r} has no OpenAPI document of its own; name a file after it")
        else:
            options = found.options(docs_url=docs_url)
            source = openapi_file.read(document)
            forms = found.forms_for(dialect)
            result = describing.document(source, found.catalog, forms, options, declared(found))
        _deliver({"openapi.json": json.dumps(result, indent=2, ensure_ascii=False) + "\n"}, output, check)


def schema(output: Output = None, check: Check = False) -> None:
    """The JSON Schema of an exported catalogue."""
    from errorkit.publish import export as exporting

    with explained():
        _deliver({"catalog.schema.json": json.dumps(exporting.schema(), indent=2) + "\n"}, output, check)


def _write(
    words: str,
    where: str,
    output: Path | None,
    check: bool,
    dialect: str | None,
    option: Iterable[str] | None = None,
    document: Path | None = None,
    **given: str | None,
) -> None:
    """Run a generator by its words. given: what the command takes of the title and the URLs."""
    from dataclasses import replace

    from errorkit.cli import import_path
    from errorkit.cli.application import occurrences
    from errorkit.publish import generate

    with explained():
        found = import_path.load(where)
        options = found.options(**given, operations=occurrences(found), extra=_pairs(option or ()))
        if words.startswith("docs "):
            described = _described(found, document, options)
            options = replace(options, document=described, reads_json=document is None and bool(described))
        if words.startswith("client "):
            options = _read_by_client(found, dialect, options)
        _deliver(generate(words, found.catalog, found.dialect(dialect), options), output, check)


def _described(found: Target, document: Path | None, options: Options) -> Mapping[str, Any]:
    """The service's OpenAPI document, errors described: of a file, or its own; empty where it has none."""
    from errorkit.cli import openapi_file
    from errorkit.cli.application import declared, openapi_of
    from errorkit.publish import openapi as describing

    if document is None:
        return openapi_of(found) or {}
    return describing.document(
        openapi_file.read(document), found.catalog, found.forms_for(None), options, declared(found)
    )


def _read_by_client(found: Target, dialect: str | None, options: Options) -> Options:
    """A client reads what the service speaks, or the one dialect that was asked for; what it does not, is said."""
    from dataclasses import replace

    from errorkit.publish.clients.client_model import readable

    chosen = found.dialect(dialect)
    read = [each for each in found.dialects if readable(each)] if dialect is None else [chosen]
    for prefix, spoken in () if found.config is None else found.config.dialects:
        if spoken is not None and spoken not in read and spoken is not chosen:
            place = f"under {prefix}" if prefix else "elsewhere"
            err.print(f"[yellow]not read:[/] the errors {escape(place)}, which are in {spoken.name!r}")
    return replace(options, also=tuple(read))


def _deliver(files: Files, output: Path | None, check: bool) -> None:
    from errorkit.publish import written_files

    if output is None:
        if len(files) > 1:
            fail(f"this gives {len(files)} files; name a directory with --output")
        if check:
            fail("--check compares with a written file; name it with --output")
        print(next(iter(files.values())), end="")  # noqa: T201 - plain text for a pipe
        return
    places = written_files.places(files, output)
    if not check:
        written_files.write(places)
        err.print(f"{counted(len(places), 'file')} in {escape(str(output))}")
        return
    diffs = list(written_files.stale(places))
    for difference in diffs:
        show_diff(difference)
    if diffs:
        err.print(f"[red]stale:[/] {len(diffs)} of {len(places)} files; run the command again without --check")
        raise typer.Exit(1)


def _pairs(option: Iterable[str]) -> dict[str, str]:
    from errorkit.cli.import_path import TargetError

    pairs = {}
    for entry in option:
        name, equals, value = entry.partition("=")
        if not equals:
            raise TargetError(f"--option {entry!r}: write name=value")
        pairs[name] = value
    return pairs
