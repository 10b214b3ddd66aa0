"""The command line: argv to generators, files and exit codes.

0: done, or nothing is wrong. 1: stale, incompatible or undeclared. 2: the command cannot be carried out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, NoReturn, cast

import typer
from rich.console import Console
from rich.markup import escape
from rich.syntax import Syntax
from rich.table import Table

from errorkit.declaration import Operation
from errorkit.exchange import phrase
from errorkit.publish import Files, check, compatibility, export, generate, openapi, target, written
from errorkit.publish.example import Example, example
from errorkit.publish.target import Target

app = typer.Typer(
    name="errorkit",
    help="One catalogue of errors, on every surface.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
_out = Console(highlight=False, soft_wrap=True)
_err = Console(stderr=True, highlight=False, soft_wrap=True)


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


Where = Annotated[
    str, typer.Argument(metavar="TARGET", help="my_service.errors:catalog or my_service.main:app", show_default=False)
]
DialectName = Annotated[
    str | None, typer.Option("--dialect", "-d", help="A preset, or module:Class. Default: the service's own.")
]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", help="A directory, or a file's name where there is one file.")
]
Check = Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 with a diff if the files are stale.")]
Title = Annotated[str | None, typer.Option("--title", help="The service's name.")]
BaseURL = Annotated[str | None, typer.Option("--base-url", help="Where the service is reached.")]
DocsURL = Annotated[str | None, typer.Option("--docs-url", help="Where a code is described, with {code}.")]
Extra = Annotated[
    list[str] | None, typer.Option("--option", help="A setting of the generator: name=value. Repeatable.")
]


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
    with _explained():
        found = target.load(where)
        options = found.options(title=title, base_url=base_url, docs_url=docs_url)
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
    with _explained():
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
    with _explained():
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
    with _explained():
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
    with _explained():
        found = target.load(where)
        if document is None:
            result = _openapi_of(found)
            if result is None:
                raise target.TargetError(f"{where!r} has no OpenAPI document of its own; name a file after it")
        else:
            options = found.options(title=title, base_url=None, docs_url=docs_url)
            chosen = found.dialect(dialect)
            result = openapi.document(openapi.read(document), found.catalog, lambda _path: chosen, options)
        _deliver({"openapi.json": json.dumps(result, indent=2, ensure_ascii=False) + "\n"}, output, check)


@app.command(name="check")
def check_command(
    where: Where,
    package: Annotated[str | None, typer.Option(help="The service's package. Default: the target's.")] = None,
    document: Annotated[
        Path | None, typer.Option("--openapi", help="A document to compare with. Default: the app's own.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 also for what could not be followed.")] = False,
) -> None:
    """Compare the errors that handlers raise with what they declare, the catalogue and OpenAPI."""
    with _explained():
        found = target.load(where)
        described = openapi.read(document) if document else _openapi_of(found)
        report = check.check(
            _operations(found),
            found.catalog,
            found.dialect(),
            package or where.partition(":")[0].partition(".")[0],
            document=described,
            tenant_status=found.config.tenant_status if found.config else 404,
        )
    for fault in report.faults:
        _out.print(f"[red]fault[/]         [bold]{escape(fault.place)}[/]  {escape(fault.text)}")
    for note in report.unfollowed:
        _out.print(f"[yellow]not followed[/]  {escape(note.place)}  {escape(note.text)}")
    summary = f"{len(report.faults)} faults, {len(report.unfollowed)} not followed"
    _out.print(f"{report.operations} operations: {summary}")
    if report.faults or (strict and report.unfollowed):
        raise typer.Exit(1)


@app.command()
def diff(
    old: Annotated[Path, typer.Argument(help="The catalogue exported from the last release.")],
    new: Annotated[str, typer.Argument(help="Another exported file, or a target.")],
    accept: Annotated[
        list[str] | None, typer.Option(help="A code whose breaking changes are meant. Repeatable.")
    ] = None,
    dialect: DialectName = None,
) -> None:
    """Is a release compatible: exit 1 for what can break a client, 0 for additions and wording."""
    with _explained():
        before, after = export.load(_text(old)), _exported(new, dialect)
    changes = compatibility.compare(before, after)
    fatal = False
    for change in changes:
        accepted = change.breaking and change.subject in (accept or ())
        fatal = fatal or (change.breaking and not accepted)
        label = "[yellow]accepted[/]" if accepted else "[red]breaking[/]" if change.breaking else "[green]fine    [/]"
        _out.print(f"{label}  [bold]{escape(change.subject)}[/]  {escape(change.text)}")
    if not changes:
        _out.print("No changes.")
    if fatal:
        raise typer.Exit(1)


@app.command()
def explain(where: Where, code: str, dialect: DialectName = None, docs_url: DocsURL = None) -> None:
    """All that is known of one code, in any dialect's spelling."""
    with _explained():
        found = target.load(where)
        chosen = found.dialect(dialect)
        try:
            spec = found.catalog.by_code(code if code in found.catalog else chosen.canonical(code))
        except KeyError as error:
            raise target.TargetError(str(error.args[0])) from None
        shown = example(found.catalog, spec, chosen, found.options(title=None, base_url=None, docs_url=docs_url))
    _out.print(f"[bold]{escape(chosen.spell(spec.code))}[/]  {shown.public.status} {escape(spec.title)}\n")
    table = Table.grid(padding=(0, 2))
    rows = [
        ("Meaning", spec.description),
        ("Causes", "\n".join(f"• {cause}" for cause in spec.causes)),
        ("Resolution", spec.resolution),
        ("Retry", "yes" if spec.retryable else "no"),
        ("Declared by", f"{spec.cls.__module__}.{spec.cls.__qualname__}"),
        ("Described at", shown.public.doc_url),
    ]
    for name, text in rows:
        if text:
            table.add_row(f"[dim]{name}[/]", escape(text))
    _out.print(table)
    _out.print()
    _show(shown)


@app.command()
def preview(
    where: Where,
    codes: Annotated[list[str] | None, typer.Argument(help="Codes to show. Default: all.")] = None,
    dialect: DialectName = None,
    docs_url: DocsURL = None,
) -> None:
    """Every error as the service sends it."""
    with _explained():
        found = target.load(where)
        chosen = found.dialect(dialect)
        options = found.options(title=None, base_url=None, docs_url=docs_url)
        try:
            specs = [found.catalog.by_code(code) for code in codes] if codes else list(found.catalog)
        except KeyError as error:
            raise target.TargetError(str(error.args[0])) from None
    for spec in specs:
        _show(example(found.catalog, spec, chosen, options))


@app.command()
def schema(output: Output = None, check: Check = False) -> None:
    """The JSON Schema of an exported catalogue."""
    _deliver({"catalog.schema.json": json.dumps(export.schema(), indent=2) + "\n"}, output, check)


def _deliver(files: Files, output: Path | None, check: bool) -> None:
    if output is None:
        if len(files) > 1:
            _fail(f"this gives {len(files)} files; name a directory with --output")
        if check:
            _fail("--check compares with a written file; name it with --output")
        print(next(iter(files.values())), end="")  # noqa: T201 - plain text for a pipe
        return
    places = written.places(files, output)
    if not check:
        written.write(places)
        _err.print(f"{len(places)} file{'s' * (len(places) != 1)} in {escape(str(output))}")
        return
    diffs = list(written.stale(places))
    for difference in diffs:
        _out.print(Syntax(difference.rstrip("\n"), "diff", background_color="default", word_wrap=True))
    if diffs:
        _err.print(f"[red]stale:[/] {len(diffs)} of {len(places)} files; run the command again without --check")
        raise typer.Exit(1)


def _show(shown: Example) -> None:
    _out.print(f"[bold]HTTP/1.1 {shown.public.status}[/] {escape(phrase(shown.public.status))}")
    for name, value in shown.headers:
        _out.print(f"[cyan]{name}[/]: {escape(value)}")
    body = json.dumps(json.loads(shown.body), indent=2, ensure_ascii=False)
    _out.print(Syntax(body, "json", background_color="default", word_wrap=True))
    _out.print()


def _exported(path: str, dialect: str | None) -> Any:
    if ":" in path and not Path(path).exists():
        found: Target = target.load(path)
        options = found.options(title=None, base_url=None, docs_url=None)
        return export.export(found.catalog, found.dialect(dialect), options)
    return export.load(_text(Path(path)))


_ADAPTERS = ("fastapi", "starlette", "flask")


def _adapter(found: Target) -> Any:
    """errorkit's adapter for the target's framework, or None."""
    packages = [base.__module__.partition(".")[0] for base in type(found.app).__mro__]
    name = next((package for package in packages if package in _ADAPTERS), None)
    return name and import_module(f"errorkit.{name}")


def _operations(found: Target) -> Iterable[Operation]:
    adapter = _adapter(found)
    if adapter is None:
        raise target.TargetError(
            f"{found.path!r} is not an application whose routes can be listed; name a FastAPI, Starlette or Flask app"
        )
    return cast("Iterable[Operation]", adapter.operations(found.app))


def _openapi_of(found: Target) -> dict[str, Any] | None:
    """The document of the target's application, errors described, or None where it has none."""
    if not hasattr(found.app, "openapi"):
        return None
    adapter, handler = _adapter(found), target.handler_of(found.app)
    if hasattr(adapter, "document_errors") and handler is not None:
        adapter.document_errors(found.app, handler)
    return dict(found.app.openapi())


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise target.TargetError(f"{path}: {error.strerror}; looked in {Path.cwd()}") from None


def _pairs(option: list[str] | None) -> dict[str, str]:
    pairs = {}
    for entry in option or ():
        name, equals, value = entry.partition("=")
        if not equals:
            raise target.TargetError(f"--option {entry!r}: write name=value")
        pairs[name] = value
    return pairs


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        _fail(str(error))
    except ImportError as error:
        _fail(f"this command needs {error.name!r}, which is not installed")


def _fail(text: str) -> NoReturn:
    _err.print(f"[red]errorkit:[/] {escape(text)}")
    raise typer.Exit(2)
