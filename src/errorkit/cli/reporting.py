"""What `errorkit check` has found: for people, for programs, and as annotations of a pull request."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from rich.markup import escape

from errorkit.cli.terminal import counted, out, unmarked
from errorkit.publish.check import Location, Report, location

VERSION = 1
"""Of the JSON form; a member that is taken away or means something else makes it 2."""


def as_text(report: Report) -> None:
    """One line for each thing, and their numbers."""
    for fault in report.faults:
        out.print(f"[red]fault[/]         [bold]{escape(fault.place)}[/]  {escape(fault.text)}")
    for note in report.unfollowed:
        out.print(f"[yellow]not followed[/]  {escape(note.place)}  {escape(note.text)}")
    out.print(_summary(report))


def as_json(report: Report) -> None:
    """One object; docs/cli.md describes its members."""
    faults = [
        {"kind": fault.kind, "place": fault.place, "text": fault.text, **_where(fault.at)} for fault in report.faults
    ]
    notes = [{"place": note.place, "text": note.text, **_where(location(note.place))} for note in report.unfollowed]
    told = {"version": VERSION, "operations": report.operations, "faults": faults, "unfollowed": notes}
    print(json.dumps(told, indent=2))  # noqa: T201 - never wrapped


def as_annotations(report: Report, *, strict: bool) -> None:
    """GitHub's workflow commands: an error for each fault, a notice for what was not followed.

    strict: the latter are errors, too. Source: GitHub's documentation, "Workflow commands for GitHub Actions".
    """
    rows = [_annotation("error", fault.at, fault.kind, f"{fault.place} {fault.text}") for fault in report.faults]
    level = "error" if strict else "notice"
    rows += [
        _annotation(level, location(note.place), "not followed", f"{note.place} {note.text}")
        for note in report.unfollowed
    ]
    for row in (*rows, _summary(report)):
        print(unmarked(row))  # noqa: T201 - never wrapped


def _summary(report: Report) -> str:
    found = f"{counted(len(report.faults), 'fault')}, {len(report.unfollowed)} not followed"
    return f"{counted(report.operations, 'operation')}: {found}"


def _annotation(level: str, at: Location | None, title: str, text: str) -> str:
    properties = {name: value for name, value in _where(at).items() if value is not None} | {
        "title": f"errorkit {title}"
    }
    pairs = ",".join(f"{name}={_escaped(str(value), also=':,')}" for name, value in properties.items())
    return f"::{level} {pairs}::{_escaped(text)}"


def _escaped(text: str, also: str = "") -> str:
    for character in f"%\r\n{also}":  # the percent sign first
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def _where(at: Location | None) -> dict[str, Any]:
    """The file as seen from the current directory, in POSIX form, where it lies in there."""
    if at is None:
        return {"file": None, "line": None}
    path, here = Path(os.path.realpath(at.file)), Path.cwd()
    return {"file": (path.relative_to(here) if path.is_relative_to(here) else path).as_posix(), "line": at.line}
