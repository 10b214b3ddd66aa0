"""Writes docs/real-services.md."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from platform import python_version

from .comparison import Verdict
from .service import LINES, Service

_INTRODUCTION = """\
# Real services

Services that other people wrote, installed from the package index, each in an environment of its own: its own pins
first, then what errorkit requires, with nothing of the service's moved. Each is served twice by a real server on
loopback: bare, and with errorkit put in by one line and default settings. Both are sent the same requests in the
same order, from empty state, and the answers are compared.

Written by `python -m tests.services --write`; a name runs one service, as in `python -m tests.services chromadb`;
`--control` runs the bare service twice, to show what it changes by itself. The descriptions are the modules of
`tests/services/`. The environments take about 3 GB, in `ERRORKIT_SERVICES_CACHE` or `~/.cache/errorkit/services`.

The command fails where anything is short of *n of n* but for one column, *in the dialect*: by default a body that the
service shaped on purpose is left as it is, so that column counts how much of a service speaks the dialect from the
first day. The rest is one event each with the right id.

- **successes identical**: status, header fields and body, but for the server's own `Date` and `Connection`, the
  request-ID header, and the volatile values that are named for each service. `/openapi.json` is not among the
  requests: it describes the errors, and differs.
- **statuses identical**: of all requests, failing and succeeding.
- **in the dialect**: of the failures; the body is valid by the dialect's own description, and names the status sent
  (for HEAD: the media type). A failure that is not in the dialect must be the bare answer, byte for byte but for the
  same exceptions; one that is must have all header fields of the bare one (CORS, challenges, `Allow`, cookies) that do
  not describe the old body.
- **one event each**: exactly one log event for each failure, none for a success.
- **ids equal**: header = event, and = body where it is in the dialect.
"""


@dataclass(frozen=True)
class Result:
    """One service that was run."""

    name: str
    service: Service
    versions: dict[str, str]
    verdicts: tuple[Verdict, ...]
    stray: int
    """Events that belong to no answer."""

    def faults(self) -> list[str]:
        """What must not be."""
        found = [f"{each.ask.what}: {'; '.join(each.faults)}" for each in self.verdicts if each.faults]
        if self.stray:
            found.append(f"{self.stray} events that belong to no answer")
        return found

    def row(self) -> list[str]:
        """The service's row of the table."""
        failures = [each for each in self.verdicts if each.failed]
        successes = [each for each in self.verdicts if not each.failed]
        counts = (
            (sum(not each.faults for each in successes), successes),
            (sum(each.bare == each.covered for each in self.verdicts), self.verdicts),
            (sum(each.spoken for each in failures), failures),
            (sum(len(each.events) == 1 for each in failures), failures),
            (sum(each.ids_equal for each in failures), failures),
        )
        return [
            f"[{self.service.title}](#{_anchor(self.service.title)})",
            f"{self._package} {self.versions[self._package]}",
            ", ".join([self.service.framework, *(f"{p} {self.versions[p]}" for p in self.service.packages)]),
            f"`{self.service.adapter}`",
            *(f"{number} of {len(of)}" for number, of in counts),
        ]

    @property
    def _package(self) -> str:
        return self.service.requirements[0].partition("==")[0].partition("[")[0]

    def section(self) -> list[str]:
        """The service's requests, one by one."""
        changing = [each.what for each in self.service.volatile]
        volatile = ", ".join([*changing, *(["the order of JSON members"] * self.service.unordered)]) or "none"
        lines = [f"## {self.service.title}", ""]
        lines += [f"Served by {self.service.server}. Volatile values: {volatile}.", ""]
        rows = [["request", "", "bare", "covered", "in the dialect", "event", "else"]]
        for each in self.verdicts:
            dialect = ("yes" if each.spoken else "its own") if each.failed or each.covered >= 400 else "-"
            event = ", ".join(f"{event['code']}" for event in each.events) or "-"
            other = "; ".join(fault for fault in each.faults if fault != f"{each.bare} became {each.covered}") or ""
            request = f"`{each.ask.method} {each.ask.path}`"
            rows.append([each.ask.what, request, str(each.bare), str(each.covered), dialect, event, other])
        return [*lines, *table(rows), ""]


def page(results: Sequence[Result]) -> str:
    """The whole page."""
    head = ["service", "version", "framework", "line", "successes identical", "statuses identical"]
    rows = [[*head, "in the dialect", "one event each", "ids equal"], *(result.row() for result in results)]
    lines = [_INTRODUCTION, f"Python {python_version()}.", "", *table(rows), "", "The line that is executed:", ""]
    used = sorted({result.service.adapter for result in results})
    lines += [*(f"- `{adapter}`: `{LINES[adapter]}`" for adapter in used), ""]
    for result in results:
        lines += result.section()
    return "\n".join(lines).rstrip() + "\n"


def _anchor(title: str) -> str:
    """As Markdown makes it of a heading."""
    return re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """A Markdown table; the first row is its head."""
    lines = ["| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |" for row in rows]
    return [lines[0], "|" + " --- |" * len(rows[0]), *lines[1:]]
