"""A suite run bare and covered, and what to say of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.peers.judging import Line, Verdict, judge
from tests.peers.running import Run, workplace
from tests.peers.suites import Suite

_TITLES = ("suite", "version", "mode", "bare", "covered", "listed", "unexpected", "stale", "applications", "seconds")


@dataclass(frozen=True)
class Comparison:
    """One suite, bare and in some modes."""

    suite: Suite
    files: list[str]
    bare: Run
    verdicts: list[Verdict]

    @property
    def ok(self) -> bool:
        """Every mode is as the list says."""
        return all(verdict.ok for verdict in self.verdicts)

    def complaints(self) -> str:
        """All that is unexpected or stale."""
        return "".join(f"{line}\n" for verdict in self.verdicts for line in self._complaints(verdict))

    def _complaints(self, verdict: Verdict) -> Iterator[str]:
        where = f"{self.suite.name}, {verdict.run.mode}"
        if not verdict.run.covered:
            yield f"{where}: errorkit was put into no application"
        for test, seen in verdict.unexpected.items():
            yield f"{where}: {test}\n    {seen}"
        for stale in verdict.stale:
            yield f"{where}: stale in the list: {stale}"


def list_of(suite: Suite) -> Path:
    """The file that says which of a suite's tests differ."""
    return Path(__file__).with_name(f"{suite.name}.txt")


def compare(suite: Suite, modes: Sequence[str], lines: Sequence[Line], *, whole: bool) -> Comparison:
    """Run a suite, or its fixed set of files, bare and in modes."""
    with workplace(suite) as place:
        files = place.files(whole=whole)
        bare = place.run("bare", files)
        return Comparison(suite, files, bare, [judge(bare, place.run(mode, files), lines, files) for mode in modes])


def table(comparisons: Iterable[Comparison]) -> str:
    """What passed bare, what passed covered, what differs."""
    rows = [_TITLES]
    for comparison in comparisons:
        bare = comparison.bare
        for verdict in comparison.verdicts:
            run = verdict.run
            numbers = (len(bare.passed), len(bare.passed & run.passed), len(verdict.listed), len(verdict.unexpected))
            times = f"{bare.seconds:.0f} + {run.seconds:.0f}"
            columns = (*numbers, len(verdict.stale), run.covered)
            rows.append((comparison.suite.name, comparison.suite.version, run.mode, *map(str, columns), times))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) for row in rows)
