"""What a covered run may fail where the bare run passed: the lists beside this file, one per suite.

A line is `reason | modes | test`:

    body      | install add_middleware      | tests/test_application.py::test_get_path[/nonexistent-404-expected]
    exception | install add_middleware asgi | tests/test_ws_router.py::test_depend_err_middleware

reason  What the test does that cannot go as it does bare. A run recognises these, and the failure must be
        of the kind that is listed:
            body       compares what an error response holds
            exception  expects an exception at the client although it is answered
            refusal    the same of a websocket whose handshake is refused for it
        These are judged by a reader, as is any other sentence:
            answer     expects that exception, and compares a status where none comes
            field      compares all fields of a response, of which the request ID is a further one
            page       expects the framework's debug page, whose traceback is shown with `reraise=True` alone
            log        compares the framework's log line of a failure, which errorkit writes instead
test    A test's id; without its parameters it stands for all of its parameters, each of which differs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tests.peers.running import Failure, Run

KINDS = ("body", "exception", "refusal")
"""Reasons that a run can recognise."""

UNJUDGED = "JUDGE"
"""A reason that `--write` could not give."""

_HEAD = (
    "# Tests of {name}'s own suite that differ with errorkit in every application, as they should.",
    "# `reason | modes | test`; see judging.py. `python -m tests.peers {name} --whole --write` adds lines.",
    "# Judged at version: {version}",
)


@dataclass(frozen=True)
class Line:
    """One line of a list."""

    reason: str
    modes: frozenset[str]
    test: str

    def speaks_of(self, test: str) -> bool:
        """Does it name this test or its function."""
        return test == self.test or function_of(test) == self.test


@dataclass
class Verdict:
    """A covered run held against the bare one and the list."""

    run: Run
    listed: list[str] = field(default_factory=list)
    """Differ, as the list says."""
    unexpected: dict[str, str] = field(default_factory=dict)
    """Differ, and no line says so, or one gives another reason."""
    stale: list[str] = field(default_factory=list)
    """Lines of the list that are not true: the test passes, or there is none."""

    @property
    def ok(self) -> bool:
        """Nothing that is not expected; and errorkit was there."""
        return not self.unexpected and not self.stale and self.run.covered > 0


def function_of(test: str) -> str:
    """A test's id without its parameters."""
    return test.partition("[")[0]


def file_of(test: str) -> str:
    """The file of a test's id."""
    return test.partition("::")[0]


def read(file: Path, *, unjudged: bool = False) -> list[Line]:
    """A list. Raises ValueError for a line that cannot be read or, unless they are wanted, has not been judged."""
    lines = []
    for number, text in enumerate(file.read_text().splitlines() if file.exists() else (), 1):
        if not text.strip() or text.startswith("#"):
            continue
        parts = [part.strip() for part in text.split(" | ", 2)]
        if len(parts) != 3 or not all(parts):
            raise ValueError(f"{file.name}:{number}: not `reason | modes | test`: {text}")
        if parts[0].startswith(UNJUDGED) and not unjudged:
            raise ValueError(f"{file.name}:{number}: say why, or mend errorkit: {text}")
        lines.append(Line(parts[0], frozenset(parts[1].split()), parts[2]))
    return lines


def judged_at(file: Path) -> str:
    """The version that a list says it was judged at."""
    head = _HEAD[-1].partition("{")[0]
    found = [text.removeprefix(head) for text in file.read_text().splitlines() if text.startswith(head)]
    return found[0] if found else "none"


def judge(bare: Run, covered: Run, lines: Iterable[Line], files: Iterable[str]) -> Verdict:
    """Hold a covered run of some files against the bare run of the same and against the list."""
    verdict = Verdict(covered)
    here = [line for line in lines if covered.mode in line.modes]
    by_test = {line.test: line for line in here}
    for test in sorted(bare.passed - covered.passed):
        failure = covered.failures.get(test)
        line = by_test.get(test) or by_test.get(function_of(test))
        if failure is None:
            verdict.unexpected[test] = "skipped, or gone"
        elif line is None:
            verdict.unexpected[test] = told(failure)
        elif line.reason in KINDS and line.reason != failure.kind:
            verdict.unexpected[test] = f"listed as {line.reason!r}, but is {told(failure)}"
        else:
            verdict.listed.append(test)
    ran = set(files)
    known = bare.passed | bare.failures.keys() | bare.skipped
    for line in here:
        if file_of(line.test) in ran:
            tests = sorted(filter(line.speaks_of, known))
            passing = [test for test in tests if test in bare.passed & covered.passed]
            verdict.stale += [f"{line.test}: passes" if test == line.test else f"{test}: passes" for test in passing]
            if not tests:
                verdict.stale.append(f"{line.test}: there is no such test")
    return verdict


def told(failure: Failure) -> str:
    """A failure in one line."""
    return f"{failure.kind}: {failure.statement or '(not in the suite)'}  {failure.words}"


def renewed(lines: Iterable[Line], bare: Run, runs: Iterable[Run], files: Iterable[str]) -> list[Line]:
    """The list as it is true after these runs: what has been judged and still differs keeps its reason."""
    lines, runs, ran = list(lines), list(runs), set(files)
    kept = [line for line in lines if file_of(line.test) not in ran or not any(map(line.speaks_of, bare.passed))]
    reasons: dict[str, dict[str, str]] = {test: {} for test in bare.passed}
    for line in lines:
        for test in filter(line.speaks_of, bare.passed):
            reasons[test].update(dict.fromkeys(line.modes, line.reason))
    for run in runs:
        for test, by_mode in reasons.items():
            said, failure = by_mode.pop(run.mode, None), run.failures.get(test)
            if failure is not None:
                true = said is not None and (said not in KINDS or said == failure.kind)
                by_mode[run.mode] = said if true else _reason(failure)
    by_function: dict[str, list[str]] = defaultdict(list)
    for test in bare.passed:
        by_function[function_of(test)].append(test)
    for function, tests in by_function.items():
        if all(reasons[test] == reasons[tests[0]] for test in tests):
            kept += _lines(function, reasons[tests[0]])
        else:
            kept += [line for test in tests for line in _lines(test, reasons[test])]
    return kept


def _reason(failure: Failure) -> str:
    return (
        failure.kind
        if failure.kind in KINDS
        else f"{UNJUDGED} {failure.kind}: {failure.statement}".replace(" | ", " or ")
    )


def _lines(test: str, reasons: dict[str, str]) -> list[Line]:
    """One line for all modes that have the same reason."""
    by_reason: dict[str, list[str]] = defaultdict(list)
    for mode, reason in reasons.items():
        by_reason[reason].append(mode)
    return [Line(reason, frozenset(modes), test) for reason, modes in by_reason.items()]


def write(file: Path, name: str, version: str, lines: Iterable[Line], modes: tuple[str, ...]) -> None:
    """A list, sorted by test."""
    rows = sorted(
        (line.test, line.reason, " ".join(sorted(line.modes, key=modes.index))) for line in lines if line.modes
    )
    words = max((len(reason) for _, reason, _ in rows if " " not in reason), default=0)
    width = max((len(in_modes) for _, _, in_modes in rows), default=0)
    head = [text.format(name=name, version=version) for text in _HEAD]
    body = [f"{reason:{words}} | {in_modes:{width}} | {test}" for test, reason, in_modes in rows]
    file.write_text("\n".join([*head, *body]) + "\n")
