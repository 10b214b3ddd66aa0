"""How the demonstration looks in a terminal: wrapped by hand, so that nothing is ever cut."""

from __future__ import annotations

import json
import re
import textwrap
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.text import Text

from examples.demo.steps import Step

ROOT = Path(__file__).resolve().parents[2]
LONGEST_BODY = 200
"""Characters; a longer request body is described."""
_STYLES = {"debug": "dim", "info": "blue", "warning": "yellow", "error": "red", "critical": "bold red"}
_FRAME = re.compile(r"(?P<bar>[ |]*)  (?P<file>.+\.py):(?P<line>\d+) (?P<function>\S+)$").match


class Screen:
    """Prints steps at the terminal's width, 100 columns at most. console: another one than the terminal."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False, soft_wrap=True)
        self.width = max(60, min(self.console.width, 100))
        self.accent = ""
        """The request ID, shown in one colour wherever it occurs."""

    def heading(self, text: str) -> None:
        """A text and a rule, over as many lines as it takes."""
        self.console.print()
        lines = textwrap.wrap(f"── {text} ──", self.width, subsequent_indent="   ", break_on_hyphens=False)
        for line in lines[:-1]:
            self.console.print(Text(line, style="bold"))
        self.console.print(Text(lines[-1].ljust(self.width, "─"), style="bold"))

    def paragraph(self, text: str) -> None:
        """Running text."""
        self.console.print()
        for line in textwrap.wrap(text, self.width):
            self.line(line)

    def request(self, step: Step) -> None:
        """What is sent."""
        self.console.print()
        self.line(f"{step.method} {step.path}", "bold", indent=2)
        for name, value in step.fields.items():
            self.line(f"{name}: {value}", indent=2)
        if step.body is not None:
            short = len(step.body) <= LONGEST_BODY
            self.line(step.body if short else f"({len(step.body)} bytes)", indent=2)

    def response(self, response: httpx.Response, text: str, show: tuple[str, ...], ending: str = "") -> None:
        """What comes back: status, the headers that matter, body."""
        status = response.status_code
        style = "bold green" if status < 400 else "bold yellow" if status < 500 else "bold red"
        self.console.print()
        self.line(f"{status} {HTTPStatus(status).phrase}", style, indent=2)
        for name in ("Content-Type", "X-Request-ID", *show):
            if name in response.headers:
                self.line(f"{name}: {response.headers[name]}", indent=2)
        if "json" in response.headers["content-type"]:
            text = "\n".join(_pretty(json.loads(text)))
        for row in text.rstrip("\n").split("\n"):
            self.line(row, indent=2)
        if ending:
            self.line(ending, "bold red", indent=2)

    def event(self, event: dict[str, Any]) -> None:
        """What is logged: the level, every field, and the exception's own frames."""
        fields = dict(event)
        level, name = fields.pop("level"), fields.pop("event")
        del fields["timestamp"]
        exception = fields.pop("exception", None)
        self.console.print()
        self.line(f"log {level} {name}", f"bold {_STYLES[level]}", indent=2)
        for row in _flow([_pair(key, value) for key, value in fields.items()], self.width - 4):
            self.line(row, indent=4)
        if exception is not None:
            for row in _frames(exception):
                self.line(row, "dim", indent=4)

    def line(self, text: str, style: str = "", indent: int = 0) -> None:
        """One line, continued further in where it is too long for the terminal."""
        inner = len(text) - len(text.lstrip(" "))
        rows = textwrap.wrap(
            text,
            self.width,
            initial_indent=" " * indent,
            subsequent_indent=" " * (indent + inner + 4),
            break_long_words=False,
            break_on_hyphens=False,
            drop_whitespace=True,
        ) or [""]
        for row in rows:
            shown = Text(row, style=style)
            if self.accent:
                shown.highlight_words([self.accent], style="cyan")
            self.console.print(shown)


def _pretty(value: Any, margin: str = "") -> list[str]:
    """JSON in rows, one for each member; a list of plain values stays in its row."""
    named = isinstance(value, dict)
    if not named and not (isinstance(value, list) and any(isinstance(item, (dict, list)) for item in value)):
        return [json.dumps(value, ensure_ascii=False)]
    entries = value.items() if isinstance(value, dict) else enumerate(value)
    rows: list[str] = []
    for name, item in entries:
        first, *more = _pretty(item, margin + "  ")
        rows[-1:] = [f"{row}," for row in rows[-1:]]
        rows += [f"{margin}  {json.dumps(name) + ': ' if named else ''}{first}", *more]
    return ["{" if named else "[", *rows, margin + ("}" if named else "]")]


def _pair(key: str, value: Any) -> str:
    """A field of an event; text is quoted where it holds a space."""
    if isinstance(value, str) and value and " " not in value:
        return f"{key}={value}"
    return f'{key}="{value}"' if isinstance(value, str) else f"{key}={json.dumps(value, ensure_ascii=False)}"


def _flow(words: list[str], width: int) -> list[str]:
    """Words in lines, none of them broken."""
    rows = [""]
    for word in words:
        if rows[-1] and len(rows[-1]) + 2 + len(word) > width:
            rows.append("")
        rows[-1] += f"  {word}" if rows[-1] else word
    return rows


def _frames(exception: str) -> list[str]:
    """A logged exception with the project's frames as they are and all others counted."""
    rows: list[str] = []
    skipped = 0
    for row in [*exception.split("\n"), ""]:
        frame = _FRAME(row)
        own = frame is not None and Path(frame["file"]).is_relative_to(ROOT / "examples")
        if frame is not None and not own:
            skipped += 1
            continue
        if skipped:
            rows.append(f"  ({skipped} frames of libraries)")
            skipped = 0
        if frame is not None:
            file = Path(frame["file"]).relative_to(ROOT)
            row = f"{frame['bar']}  {file}:{frame['line']} {frame['function']}"
        if row:
            rows.append(row)
    return rows
