"""Import time, resident memory, and what an error leaves behind."""

from __future__ import annotations

import gc
import json
import os
import statistics
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import NamedTuple

from benchmarks.contenders import configure_logs, contender_of, workload
from benchmarks.scenarios import SCENARIOS

_ROOT = Path(__file__).resolve().parent.parent
_ERRORS = ("conflict", "unmatched", "crash")

IMPORTS = (
    ("errorkit, errorkit.asgi", "starlette.applications, structlog", "errorkit, errorkit.asgi"),
    ("errorkit.starlette", "starlette.applications", "errorkit.starlette"),
    ("errorkit.starlette, where structlog and pydantic are in use", "starlette.applications, structlog, pydantic",
     "errorkit.starlette"),
    ("errorkit.fastapi", "fastapi", "errorkit.fastapi"),
    ("errorkit.flask", "flask", "errorkit.flask"),
)  # fmt: skip
"""What is imported, on top of what. What is loaded is held by tests/core/test_loaded.py."""


class Imported(NamedTuple):
    """milliseconds: CPU time on top of what is there already. ratio: of both to what is there."""

    milliseconds: float
    ratio: float


class Kept(NamedTuple):
    """After many errors.

    bytes_per_error: still allocated. cyclic_per_error: objects that only the garbage collector
    can free. resident_mib: the process's peak memory (Linux).
    """

    errors: int
    bytes_per_error: float
    cyclic_per_error: float
    resident_mib: float


def imported(modules: str, on_top_of: str, *, repeats: int = 9) -> Imported:
    """The CPU time of an import in new processes whose files are warm: medians."""
    code = (
        f"from time import process_time as now\na = now()\nimport {on_top_of}\nb = now()\nimport {modules}\n"
        "c = now()\nprint((c - b) * 1000, (c - a) / (b - a))"
    )
    found = [[float(figure) for figure in _python("-c", code).split()] for _ in range(repeats)]
    return Imported(*map(statistics.median, zip(*found, strict=True)))


def kept(framework: str, name: str, errors: int) -> Kept:
    """What so many errors leave behind, in a process of their own."""
    return Kept(*json.loads(_python("-m", __name__, framework, name, str(errors))))


def _python(*arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path[1:])}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # else each import compiles what a user's would read
    return subprocess.run(
        [sys.executable, *arguments], cwd=_ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True
    ).stdout


def _main(framework: str, name: str, errors: int) -> None:
    configure_logs("dropped")
    scenarios = _ERRORS if framework == "starlette" else (*_ERRORS, "invalid")
    batches = [workload(contender_of(framework, name), SCENARIOS[scenario])[0] for scenario in scenarios]
    each = max(1, errors // len(batches))
    for batch in batches:
        batch(200)
    gc.collect()
    gc.disable()
    for batch in batches:
        batch(100)
    cyclic = gc.collect() / (100 * len(batches))
    gc.enable()
    status = Path("/proc/self/status").read_text()  # the peak of getrusage is the parent's, if that was larger
    peak = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    tracemalloc.start()
    for batch in batches:
        batch(50)
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]
    for batch in batches:
        batch(each)
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - before
    print(json.dumps([each * len(batches), grown / (each * len(batches)), cyclic, peak]))


if __name__ == "__main__":
    _main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
