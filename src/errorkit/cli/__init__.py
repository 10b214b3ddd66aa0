"""The command line: argv to generators, files and exit codes.

0: done, or nothing is wrong. 1: stale, incompatible or undeclared. 2: the command cannot be carried out.
What a command works with is imported when it runs, so that help and completion answer at once.
"""

from __future__ import annotations

from typing import Annotated

import typer

from errorkit.cli.adopting import adopt
from errorkit.cli.judging import check, diff
from errorkit.cli.showing import explain, preview
from errorkit.cli.terminal import show_version
from errorkit.cli.writing import agents, client, docs, export, gateway, openapi, schema

app = typer.Typer(
    name="errorkit", no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None
)  # rich's help takes as long as all the rest


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """One catalogue of errors, on every surface."""


for command in (docs, export, agents, client, gateway, openapi, schema, adopt, check, diff, explain, preview):
    app.command()(command)
