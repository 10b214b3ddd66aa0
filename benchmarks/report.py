"""The results as Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def markdown(results: Mapping[str, Any]) -> str:
    """Tables of everything that was measured."""
    machine = results["machine"]
    where = f"{machine['python']}, {machine['processor']} with {machine['cores']} cores, load {machine['load']}"
    parts = ["# Results", f"{where}; {machine['versions']}."]
    for framework, rows in results["time"].items():
        parts += [f"## {framework}: CPU time, ratio to bare [95 % interval]", _table(rows, _ratio)]
    for framework, rows in results["instructions"].items():
        parts += [f"## {framework}: instructions, ratio to bare (thousands)", _table(rows, _instructions)]
    if results["server"]:
        parts += [
            "## uvicorn, uvloop, httptools: requests per second (the server's CPU time per request), ratio to bare",
            _table(results["server"], _served),
        ]
    if results["imports"]:
        parts += ["## Import: CPU time on top of what is there, ratio to that", _table(results["imports"], _plain)]
    if results["kept"]:
        parts += ["## What errors leave behind", _table(results["kept"], _plain)]
    if results["concealment"]:
        parts += ["## Absent and foreign resources, by time", f"{results['concealment']}."]
    parts += [f"- {line}" for line in results["left_out"]]
    return "\n\n".join(parts) + "\n"


def _table(rows: Mapping[str, Mapping[str, Any]], cell: Any) -> str:
    columns = list(dict.fromkeys(column for row in rows.values() for column in row))
    lines = ["| contender | " + " | ".join(columns) + " |", "|---|" + "---:|" * len(columns)]
    for name, row in rows.items():
        lines.append(f"| {name} | " + " | ".join(cell(row[c]) if c in row else "" for c in columns) + " |")
    return "\n".join(lines)


def _ratio(value: Mapping[str, Any]) -> str:
    mark = f" ({value['status']})" if value["unexpected"] else ""
    return f"{value['ratio']:.2f} [{value['low']:.2f}, {value['high']:.2f}]{mark}"


def _instructions(value: Mapping[str, float]) -> str:
    return f"{value['ratio']:.3f} ({value['count'] / 1000:.1f})"


def _served(value: Mapping[str, float]) -> str:
    return f"{value['requests']:.2f} ({value['cpu']:.2f})"


def _plain(value: float) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
