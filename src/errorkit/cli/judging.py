"""Commands that judge: 0 if nothing is wrong, 1 if something is."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from errorkit.cli.terminal import DialectName, Where, explained, out, read_text

if TYPE_CHECKING:
    from errorkit.publish.export import Exported


class Format(StrEnum):
    """How a report is written."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"


def check(
    where: Where,
    package: Annotated[str | None, typer.Option(help="The service's package. Default: the target's.")] = None,
    document: Annotated[
        Path | None, typer.Option("--openapi", help="A document to compare with. Default: the app's own.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 also for what could not be followed.")] = False,
    format: Annotated[
        Format, typer.Option("--format", "-f", help="For people, for programs, or as GitHub's annotations.")
    ] = Format.TEXT,
    fix: Annotated[bool, typer.Option("--fix", help="Add what @raises lacks to the source, then check again.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Show what --fix would change; exit 1 if anything.")] = False,
) -> None:
    """Compare the errors that handlers raise with what they declare, the catalogue and OpenAPI."""
    from errorkit.cli import import_path, openapi_file, reporting
    from errorkit.cli.application import adapter_of, openapi_of, operations
    from errorkit.publish import check as checking

    with explained():
        found = import_path.load(where)
        described = openapi_file.read(document) if document else openapi_of(found)
        report = checking.check(
            operations(found),
            found.catalog,
            found.dialect_for(),
            package or where.partition(":")[0].partition(".")[0],
            document=described,
            config=found.config,
        )
        if diff or (fix and report.missing):
            from errorkit.cli import fixing

            changed = fixing.declare(report, adapter_of(found), write=not diff)
            if diff:
                raise typer.Exit(int(changed))
            if changed:
                words = ["check", where, "--format", format, *(["--strict"] if strict else [])]
                words += ["--package", package] if package else []
                fixing.check_again(words + (["--openapi", str(document)] if document else []))
    match format:
        case Format.TEXT:
            reporting.as_text(report)
        case Format.JSON:
            reporting.as_json(report)
        case Format.GITHUB:
            reporting.as_annotations(report, strict=strict)
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
    from errorkit.publish import export
    from errorkit.publish.check import compatibility

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
    from errorkit.cli import import_path
    from errorkit.publish import export

    if ":" in path and not Path(path).exists():
        found = import_path.load(path)
        return export.export(found.catalog, found.dialect(dialect), found.options())
    return export.load(read_text(Path(path)))
