"""`python -m tests.peers`: see the package."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from tests.peers import __doc__ as about
from tests.peers.comparing import Comparison, compare, list_of, table
from tests.peers.judging import UNJUDGED, judged_at, read, renewed, told, write
from tests.peers.running import workplace
from tests.peers.suites import SUITES, Suite


def main(arguments: Sequence[str]) -> int:
    """Run suites, print the table and what is wrong; 1 if anything is."""
    parser = argparse.ArgumentParser(
        "python -m tests.peers", description=about, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("suites", nargs="*", choices=[*SUITES, []], metavar="SUITE", help=", ".join(SUITES))
    parser.add_argument("--whole", action="store_true", help="all files, not the fixed set")
    parser.add_argument("--mode", action="append", default=[], help="only this way of putting errorkit in")
    parser.add_argument("--write", action="store_true", help="bring the lists up to date")
    parser.add_argument(
        "--select", action="append", default=[], help="only these tests of the suite; print all failures"
    )
    asked = parser.parse_args(arguments)
    comparisons: list[Comparison] = []
    for suite in [SUITES[name] for name in asked.suites] or SUITES.values():
        modes = [mode for mode in suite.modes if mode in (asked.mode or suite.modes)]
        if asked.select:
            _show(suite, modes, asked.select)
            continue
        lines = read(list_of(suite), unjudged=asked.write)
        if list_of(suite).exists() and judged_at(list_of(suite)) != suite.version:
            print(f"{list_of(suite).name} was judged at {judged_at(list_of(suite))}, this is {suite.version}")
        comparison = compare(suite, modes, lines, whole=asked.whole)
        comparisons.append(comparison)
        if asked.write:
            true = renewed(lines, comparison.bare, [verdict.run for verdict in comparison.verdicts], comparison.files)
            write(list_of(suite), suite.name, suite.version, true, suite.modes)
            open_ones = sum(line.reason.startswith(UNJUDGED) for line in true)
            print(f"{list_of(suite).name}: {len(true)} lines, {open_ones} to be judged")
        else:
            print(comparison.complaints(), end="")
    if comparisons:
        print(table(comparisons))
    return 0 if asked.write or all(comparison.ok for comparison in comparisons) else 1


def _show(suite: Suite, modes: Sequence[str], tests: list[str]) -> None:
    """What became of single tests in every mode."""
    with workplace(suite) as place:
        for mode in ("bare", *modes):
            run = place.run(mode, tests)
            print(f"{mode}: {len(run.passed)} passed, {len(run.failures)} failed, {len(run.skipped)} skipped")
            for test, failure in sorted(run.failures.items()):
                print(f"    {test}\n        {told(failure)}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
