"""`errorkit check --fix`: what `@raises` lacks, written into the service's source."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import typer
from rich.markup import escape

from errorkit.cli.terminal import counted, err, show_diff
from errorkit.publish.check import Report
from errorkit.publish.check.declaring import declare as declaring


def declare(report: Report, adapter: str, *, write: bool) -> bool:
    """Add what is missing to the files, or show it as a diff; what is left goes to standard error. True: a change.

    adapter: the module that `raises` is imported from.
    """
    sources, left = declaring(report.missing, adapter)
    changed = [source for source in sources if source.changed != source.content]
    for place, error, why in left:
        err.print(f"[yellow]not declared[/]  {escape(place)}  {escape(error.__name__)}: {escape(why)}")
    for source in changed:
        if write:
            source.path.write_bytes(source.changed)
        else:
            show_diff(source.diff(shown(source.path)))
    if changed and write:
        err.print(f"{counted(len(changed), 'file')} changed")
    return bool(changed)


def check_again(words: list[str]) -> NoReturn:
    """The command with these words, in a process that has not imported the old source. Exits as it does."""
    safe = ["-P"] if sys.flags.safe_path else []
    again = subprocess.run(  # noqa: S603 - this Python, this module
        [sys.executable, *safe, "-m", "errorkit", *words], capture_output=True, text=True, check=False
    )
    sys.stdout.write(again.stdout)
    sys.stderr.write(again.stderr)
    raise typer.Exit(again.returncode)


def shown(path: Path) -> str:
    """A file as seen from the current directory, in POSIX form, where it lies in there."""
    path, here = path.resolve(), Path.cwd().resolve()
    return (path.relative_to(here) if path.is_relative_to(here) else path).as_posix()
