"""What every command shares: its options, where it writes, and how it fails."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

out = Console(highlight=False, emoji=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, emoji=False, soft_wrap=True)

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


def plain(text: str) -> str:
    """An author's words for the terminal: as they are, without what would move its cursor or change its colours."""
    return escape(unmarked(text))


def unmarked(text: str) -> str:
    """The same for what rich does not read as markup."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@contextmanager
def explained() -> Iterator[None]:
    """A failure in words, and exit code 2."""
    try:
        yield
    except ValueError as error:
        fail(str(error))
    except ImportError as error:
        fail(f"this command needs {error.name!r}, which is not installed")
    except OSError as error:
        fail(f"{error.filename}: {error.strerror}")


def fail(text: str) -> NoReturn:
    """Say why the command cannot be carried out. Exits with 2."""
    err.print(f"[red]errorkit:[/] {escape(text)}")
    raise typer.Exit(2)


def show_version(asked: bool) -> None:
    """The installed version, from the package's metadata. Exits."""
    if not asked:
        return
    from importlib.metadata import PackageNotFoundError, version

    try:
        print(f"errorkit {version('errorkit')}")  # noqa: T201 - plain text for a pipe
    except PackageNotFoundError:
        fail("the version is not known: errorkit is not installed as a package")
    raise typer.Exit


def show_diff(difference: str) -> None:
    """A unified diff, row by row: coloured on a terminal, and never wrapped, so that it can be applied."""
    from rich.text import Text

    for row in difference.splitlines():
        out.print(Text(unmarked(row), style=_DIFF.get(row[:1], "")))


_DIFF = {"+": "green", "-": "red", "@": "cyan"}


def counted(number: int, thing: str) -> str:
    """`1 file`, `2 files`."""
    return f"{number} {thing}{'s' * (number != 1)}"


def read_text(path: Path) -> str:
    """A file's text. Raises TargetError."""
    from errorkit.cli.import_path import TargetError

    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise TargetError(f"{path}: {error.strerror}; looked in {Path.cwd()}") from None
    except UnicodeDecodeError as error:
        raise TargetError(f"{path} cannot be read: {error}") from None
