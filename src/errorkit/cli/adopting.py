"""`errorkit adopt`: an existing code base, as a diff first."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from errorkit.cli.terminal import counted, err, explained, fail, show_diff

if TYPE_CHECKING:
    from errorkit.publish.adopt import Change, Proposal


def adopt(
    where: Annotated[str, typer.Argument(metavar="PACKAGE_OR_PATH", help="my_service, or its folder or file.")],
    write: Annotated[bool, typer.Option("--write", help="Change the files; default: show the diff.")] = False,
    application: Annotated[
        str | None, typer.Option("--app", help="my_service.main:app. It is imported, and @raises filled in.")
    ] = None,
    errors: Annotated[
        str | None, typer.Option("--errors", help="The errors module. Default: my_service.errors.")
    ] = None,
    dialect: Annotated[str | None, typer.Option("--dialect", "-d", help="The dialect to install with.")] = None,
) -> None:
    """Propose errors, rewritten raises and the line that installs errorkit for a code base without it."""
    with explained():
        from errorkit.cli.fixing import shown
        from errorkit.dialects import get_dialect
        from errorkit.publish import adopt as adopting
        from errorkit.publish.source_edits import difference

        if dialect is not None and ":" not in dialect:
            get_dialect(dialect)
        proposal = adopting.propose(_place(where), errors=errors, dialect=dialect)
        changes = dict(proposal.changes)
        if application is not None:
            changes = _declared(application, proposal)
    for path, change in sorted(changes.items()):
        if write:
            path.write_bytes(change.new)
        else:
            show_diff(difference(change.old, change.new, shown(path)))
    for path, line, why in proposal.unsure:
        err.print(f"[yellow]not sure[/]  [bold]{escape(shown(path))}:{line}[/]  {escape(why)}")
    if proposal.by_hand:
        err.print(f"[yellow]by hand[/]   {escape(proposal.by_hand)}")
    err.print(
        f"{counted(proposal.raises, 'raise')} rewritten, {counted(proposal.handlers, 'handler')} mapped, "
        f"{counted(len(proposal.classes), 'new class').replace('classs', 'classes')}, "
        f"{counted(len(changes), 'file')} {'changed' if write else 'would change'}, {len(proposal.unsure)} not sure"
    )


def _place(where: str) -> Path:
    """A folder or a file as it is, or a package's by its import name in the current directory."""
    named = Path(*where.split("."))
    found = next((each for each in (Path(where), named, named.with_suffix(".py")) if each.exists()), None)
    return found or fail(
        f"there is no {where!r}; looked in {Path.cwd()} for a folder, a file and a package of that name"
    )


def _declared(application: str, proposal: Proposal) -> dict[Path, Change]:
    """The proposal with `@raises` filled in, by `check --fix` on a copy of the code base."""
    from errorkit.publish.adopt import Change

    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "code")
        shutil.copytree(proposal.root, copy, ignore=_passed_over, symlinks=True)
        for path, change in proposal.changes.items():
            copy.joinpath(path.relative_to(proposal.root)).write_bytes(change.new)
        places = [str(copy), os.environ.get("PYTHONPATH", ""), str(Path.cwd())]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, places)),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        command = [sys.executable, "-P", "-m", "errorkit", "check", application, "--fix"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
        err.print(escape(done.stderr + done.stdout), end="")
        if done.returncode == 2:
            fail(f"@raises could not be filled in: {application} cannot be checked")
        changes: dict[Path, Change] = {}
        for made in sorted(copy.rglob("*.py")):
            path = proposal.root / made.relative_to(copy)
            old, new = path.read_bytes() if path.exists() else None, made.read_bytes()
            if old != new:
                changes[path] = Change(old, new)
    return changes


def _passed_over(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if name in ("__pycache__", "node_modules") or name.startswith(".")]
