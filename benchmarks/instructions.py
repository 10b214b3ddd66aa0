"""Instructions per request, counted by valgrind's callgrind: they repeat to about 0.1 %, times do not.

One process imports everything; each cell is two forked children that serve different numbers
of requests. Their difference holds neither the start-up nor the warm-up.
"""

from __future__ import annotations

import gc
import json
import os
import shutil
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from benchmarks.contenders import configure_logs, contender_of, workload
from benchmarks.scenarios import SCENARIOS

Cell = tuple[str, str, str]
"""Framework, contender, scenario."""

_WARM, _FEW, _MANY = 60, 10, 40


def available() -> bool:
    """Is valgrind there."""
    return shutil.which("valgrind") is not None


def count(cells: Iterable[Cell]) -> dict[Cell, float]:
    """User-space instructions per request of each cell.

    Raises subprocess.CalledProcessError where a cell cannot be run.
    """
    wanted = list(cells)
    return dict(zip(wanted, counted(__name__, wanted, _MANY - _FEW), strict=True))


def counted(module: str, wanted: list[Any], requests: int) -> list[float]:
    """User-space instructions per request of each thing that a module, run by itself, is to serve.

    The module gets `wanted` as JSON, and prints for each a pair of pids: of a process that served some requests, and
    of one that served so many more. Raises subprocess.CalledProcessError where that fails.
    """
    root = Path(__file__).resolve().parent.parent
    with tempfile.TemporaryDirectory() as folder:
        command = ["valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={folder}/%p"]
        process = subprocess.run(
            [*command, sys.executable, "-m", module, json.dumps(wanted)],
            cwd=root,
            env={**os.environ, "PYTHONHASHSEED": "0", "PYTHONPATH": os.pathsep.join(sys.path[1:])},
            stdout=subprocess.PIPE,
            check=True,
        )
        pids = [json.loads(line) for line in process.stdout.splitlines()]
        return [(_total(Path(folder, str(many))) - _total(Path(folder, str(few)))) / requests for few, many in pids]


def _total(profile: Path) -> int:
    for line in profile.read_text().splitlines():
        if line.startswith("summary:"):
            return int(line.split()[1])
    raise ValueError(f"{profile} holds no summary")


def _pair(cell: Cell) -> tuple[int, int]:
    """The pids of two processes that served few and many requests of one cell, and nothing else."""
    framework, name, scenario = cell
    gc.disable()
    configure_logs(SCENARIOS[scenario].logs)
    batch, _once = workload(contender_of(framework, name), SCENARIOS[scenario])
    batch(_WARM)
    return forked(lambda: batch(_FEW)), forked(lambda: batch(_MANY))


def forked(work: Callable[[], object]) -> int:
    """Do something in a child process; its pid."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            work()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    if os.waitpid(pid, 0)[1] != 0:
        raise RuntimeError("a forked cell failed")
    return pid


def _main() -> None:
    cells = [tuple(cell) for cell in json.loads(sys.argv[1])]
    configure_logs("dropped")  # standard output is for the pids
    for framework in {cell[0] for cell in cells}:  # imports, once for all children
        workload(contender_of(framework, "errorkit"), SCENARIOS["ok"])
    for cell in cells:
        forked(lambda cell=cell: print(json.dumps(_pair(cell)), flush=True))


if __name__ == "__main__":
    _main()
