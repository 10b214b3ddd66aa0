"""One run of a suite, bare or covered."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

from tests.peers.environment import python_of, sources_of
from tests.peers.suites import Suite

ROOT = Path(__file__).resolve().parents[2]
_FOREIGN = ("PYTEST_", "ERRORKIT_", "COVERAGE_", "COV_")
"""Variables of the run that this may be part of."""


@dataclass(frozen=True)
class Failure:
    """What a failed test looked at: see plugin/told_outcomes.py."""

    kind: str
    statement: str
    words: str


@dataclass(frozen=True)
class Run:
    """What became of a suite's tests in one mode."""

    mode: str
    passed: frozenset[str]
    failures: dict[str, Failure]
    skipped: frozenset[str]
    covered: int
    """Applications that errorkit was put into."""
    seconds: float


class Workplace:
    """A copy of one suite in which tests may write, and the environment to run it in."""

    def __init__(self, suite: Suite, folder: Path, python: Path) -> None:
        self.suite, self.folder, self.python = suite, folder, python

    def files(self, *, whole: bool) -> list[str]:
        """The files of tests: all, or those of the fixed set."""
        found = sorted(str(path.relative_to(self.folder)) for path in (self.folder / "tests").rglob("test_*.py"))
        return [file for file in found if whole or self.suite.chosen(file)]

    def run(self, mode: str, selected: list[str]) -> Run:
        """Run files or single tests in a mode."""
        told = self.folder / "outcomes.json"
        told.unlink(missing_ok=True)
        began = monotonic()
        done = subprocess.run(
            [
                *(
                    str(self.python),
                    "-m",
                    "pytest",
                    "-q",
                    "--tb=no",
                    "--continue-on-collection-errors",
                    "-p",
                    "no:cacheprovider",
                ),
                *("-p", "covered_apps", "--errorkit-mode", mode, "-p", "told_outcomes", "--outcomes", str(told)),
                *(*self.suite.arguments, *selected),
            ],
            cwd=self.folder,
            env=_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if done.returncode not in (0, 1, 2) or not told.exists():  # 2: a module could not be imported
            raise RuntimeError(f"{self.suite.name}'s suite did not run in mode {mode}:\n{done.stdout[-8000:]}")
        run = _read(mode, told, monotonic() - began)
        counts = f"{len(run.passed)} passed, {len(run.failures)} failed, {len(run.skipped)} skipped"
        print(f"{self.suite.name}, {mode}: {counts} in {run.seconds:.0f} s", file=sys.stderr, flush=True)
        return run


@contextmanager
def workplace(suite: Suite) -> Iterator[Workplace]:
    """A place to run a suite in, gone afterwards."""
    with TemporaryDirectory(prefix=f"{suite.name}-suite-") as folder:
        copy = Path(folder, suite.name)
        shutil.copytree(sources_of(suite), copy)
        yield Workplace(suite, copy, python_of(suite))


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    return {**kept, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(Path(__file__).parent / "plugin")])}


def _read(mode: str, file: Path, seconds: float) -> Run:
    told = json.loads(file.read_text())
    by_outcome: dict[str, set[str]] = {"passed": set(), "skipped": set(), "xfailed": set(), "failed": set()}
    failures: dict[str, Failure] = {}
    for test, outcome in told["outcomes"].items():
        by_outcome[outcome["outcome"]].add(test)
        if outcome["outcome"] == "failed":
            failures[test] = Failure(outcome["kind"], outcome["statement"], outcome["words"])
    skipped = frozenset(by_outcome["skipped"] | by_outcome["xfailed"])
    return Run(mode, frozenset(by_outcome["passed"]), failures, skipped, told["covered"], seconds)
