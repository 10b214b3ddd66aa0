"""The command line: argv to generators, files and exit codes.

0: done, or nothing is wrong. 1: stale, incompatible or undeclared. 2: the command cannot be carried out.
"""

from __future__ import annotations

import typer

from errorkit.cli.judging import check, diff
from errorkit.cli.showing import explain, preview
from errorkit.cli.writing import client, docs, export, gateway, openapi, schema

app = typer.Typer(
    name="errorkit",
    help="One catalogue of errors, on every surface.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

for command in (docs, export, client, gateway, openapi, schema, check, diff, explain, preview):
    app.command()(command)
