"""The records that the tests of this folder look at."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from telemetry.instrumentations import ENVIRONMENTS
from telemetry.observing import Record

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The records of one process, made once however many workers want them."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent

    @cache
    def of(process: str) -> dict[str, dict[str, dict[str, Record]]]:
        file = folder / f"telemetry-{process}.json"
        with (folder / f"telemetry-{process}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not file.exists():
                file.write_text(_run(process))
        found: dict[str, dict[str, dict[str, Record]]] = json.loads(file.read_text())
        return found

    return of


def _run(process: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "telemetry.driving_twins", process],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(("src", "tests")), **ENVIRONMENTS[process]},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
