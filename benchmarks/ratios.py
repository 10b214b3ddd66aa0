"""python -m benchmarks.ratios [--only starlette]: instructions per request as ratios to the bare framework.

Each scenario once with its event dropped by level, and once with the event's fields built for a logger that discards
them: the second figure is what an event costs, whatever logger it goes to. The bare framework logs nothing in either.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from typing import NamedTuple

from benchmarks import instructions
from benchmarks.contenders import BARE, ERRORKIT, FLOOR
from benchmarks.instructions import Cell
from benchmarks.scenarios import SCENARIOS


class Row(NamedTuple):
    """One line of the table. target: with the event dropped, and with it built."""

    words: str
    framework: str
    scenario: str
    target: tuple[float, ...] = ()

    @property
    def built(self) -> str | None:
        """The same scenario with its event built."""
        name = f"{self.scenario}_built"
        return name if name in SCENARIOS else None

    @property
    def has_floor(self) -> bool:
        """The floor is one layer of code; what the user's own layers cost beside it is not its subject."""
        return not SCENARIOS[self.scenario].middlewares

    def cells(self) -> Iterable[Cell]:
        """What is to be counted."""
        yield self.framework, BARE, self.scenario
        yield self.framework, ERRORKIT, self.scenario
        if self.has_floor:
            yield self.framework, FLOOR, self.scenario
        if self.built is not None:
            yield self.framework, ERRORKIT, self.built


ROWS = (
    Row("Starlette 200", "starlette", "ok", (1.10,)),
    Row("Starlette 200, one middleware of the user's", "starlette", "ok_1"),
    Row("Starlette 200, three", "starlette", "ok_3"),
    Row("Starlette, stream of 64 chunks", "starlette", "stream", (1.00,)),
    Row("Starlette 409", "starlette", "conflict", (1.12, 1.40)),
    Row("Starlette HTTPException 404", "starlette", "not_found", (1.15, 1.45)),
    Row("Starlette, no route", "starlette", "unmatched", (1.08, 1.20)),
    Row("Starlette crash", "starlette", "crash", (1.00, 1.50)),
    Row("FastAPI 200", "fastapi", "ok", (1.03,)),
    Row("FastAPI, stream of 64 chunks", "fastapi", "stream", (1.00,)),
    Row("FastAPI 409", "fastapi", "conflict", (0.98, 1.10)),
    Row("FastAPI HTTPException 404", "fastapi", "not_found", (1.00, 1.12)),
    Row("FastAPI 422, three findings", "fastapi", "invalid", (0.65, 0.72)),
    Row("FastAPI crash", "fastapi", "crash", (1.00, 1.30)),
    Row("Flask 200", "flask", "ok", (1.05,)),
    Row("Flask, stream of 64 chunks", "flask", "stream", (1.05,)),
    Row("Flask 409", "flask", "conflict", (0.75, 0.85)),
    Row("Flask HTTPException 404", "flask", "not_found", (0.80, 0.90)),
    Row("Flask 422, three findings", "flask", "invalid", (0.85, 0.92)),
)


def measured(rows: Iterable[Row]) -> list[str]:
    """The table's lines, in Markdown. Each framework in a process of its own: what one has imported, others may use."""
    rows = list(rows)
    counts: dict[Cell, float] = {}
    for framework in dict.fromkeys(row.framework for row in rows):
        counts |= instructions.count(cell for row in rows if row.framework == framework for cell in row.cells())
    lines = ["| scenario | bare | floor | errorkit | target |", "|---|---:|---:|---:|---:|"]
    for row in rows:
        framework, name = row.framework, row.scenario
        bare = counts[framework, BARE, name]
        own = [counts[framework, ERRORKIT, each] / bare for each in (name, row.built) if each is not None]
        floor = f"{counts[framework, FLOOR, name] / bare:.2f}" if row.has_floor else ""
        lines.append(
            f"| {row.words} | {bare / 1000:.1f}k | {floor} | {' / '.join(f'{each:.2f}' for each in own)} "
            f"| {' / '.join(f'{each:.2f}' for each in row.target)} |"
        )
    return lines


def main() -> None:
    """Count what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ratios", description=__doc__)
    parser.add_argument("--only", choices=("starlette", "fastapi", "flask"), help="one framework")
    options = parser.parse_args()
    for line in measured(row for row in ROWS if options.only in (None, row.framework)):
        print(line)


if __name__ == "__main__":
    main()
