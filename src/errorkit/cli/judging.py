"""Commands that judge: 0 if nothing is wrong, 1 if something is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from errorkit.cli.application import openapi_of, operations
from errorkit.cli.terminal import DialectName, Where, counted, explained, out, read_text
from errorkit.publish import check as checking
from errorkit.publish import compatibility, export, openapi_file, target
from errorkit.publish.export import Exported


def check(
    where: Where,
    package: Annotated[str | None, typer.Option(help="The service's package. Default: the target's.")] = None,
    document: Annotated[
        Path | None, typer.Option("--openapi", help="A document to compare with. Default: the app's own.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 also for what could not be followed.")] = False,
) -> None:
    """Compare the errors that handlers raise with what they declare, the catalogue and OpenAPI."""
    with explained():
        found = target.load(where)
        described = openapi_file.read(document) if document else openapi_of(found)
        report = checking.check(
            operations(found),
            found.catalog,
            found.dialect_for(),
            package or where.partition(":")[0].partition(".")[0],
            document=described,
            config=found.config,
        )
    for fault in report.faults:
        out.print(f"[red]fault[/]         [bold]{escape(fault.place)}[/]  {escape(fault.text)}")
    for note in report.unfollowed:
        out.print(f"[yellow]not followed[/]  {escape(note.place)}  {escape(note.text)}")
    summary = f"{counted(len(report.faults), 'fault')}, {len(report.unfollowed)} not followed"
    out.print(f"{counted(report.operations, 'operation')}: {summary}")
    if report.faults or (strict and report.unfollowed):
        raise typer.Exit(1)


def diff(
    old: Annotated[Path, typer.Argument(help="The catalogue exported from the last release.")],
    new: Annotated[str, typer.Argument(help="Another exported file, or a target.")],
    accept: Annotated[
        list[str] | None, typer.Option(help="A code whose breaking changes are meant. Repeatable.")
    ] = None,
    dialect: DialectName = None,
) -> None:
    """Is a release compatible: exit 1 for what can break a client, 0 for additions and wording."""
    with explained():
        before, after = export.load(read_text(old)), _exported(new, dialect)
    changes = compatibility.compare(before, after)
    fatal = False
    for change in changes:
        accepted = change.breaking and change.subject in (accept or ())
        fatal = fatal or (change.breaking and not accepted)
        label = "[yellow]accepted[/]" if accepted else "[red]breaking[/]" if change.breaking else "[green]fine    [/]"
        out.print(f"{label}  [bold]{escape(change.subject)}[/]  {escape(change.text)}")
    if not changes:
        out.print("No changes.")
    if fatal:
        raise typer.Exit(1)


def _exported(path: str, dialect: str | None) -> Exported:
    if ":" in path and not Path(path).exists():
        found = target.load(path)
        return export.export(found.catalog, found.dialect(dialect), found.options())
    return export.load(read_text(Path(path)))
