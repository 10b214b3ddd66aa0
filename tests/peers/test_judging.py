"""The comparison of a suite's runs: it must be able to fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.peers.judging import Line, Verdict, judge, judged_at, read, renewed, write
from tests.peers.running import Failure, Run

A, B1, B2, C, BROKEN = "t.py::a", "t.py::b[1]", "t.py::b[2]", "t.py::c", "t.py::broken"
BODY = Failure("body", "assert response.json() == {}", "AssertionError")
STATUS = Failure("status", "assert response.status_code == 404", "AssertionError: assert 500 == 404")
MODES = ("install", "asgi")
BARE = Run("bare", frozenset({A, B1, B2, C}), {BROKEN: STATUS}, frozenset(), 0, 1.0)


def covered(
    mode: str = "install", skipped: frozenset[str] = frozenset(), applications: int = 4, **failed: Failure
) -> Run:
    failures = {{"a": A, "b1": B1, "b2": B2, "c": C}[name]: failure for name, failure in failed.items()}
    passed = BARE.passed - failures.keys() - skipped
    return Run(mode, passed, {**failures, BROKEN: STATUS}, skipped, applications, 1.0)


def line(reason: str, test: str, modes: str = "install asgi") -> Line:
    return Line(reason, frozenset(modes.split()), test)


def verdict(run: Run, *lines: Line) -> Verdict:
    return judge(BARE, run, lines, ["t.py"])


def test_all_that_passed_bare_passes() -> None:
    found = verdict(covered())
    assert found.ok
    assert (found.listed, found.unexpected, found.stale) == ([], {}, [])


def test_a_difference_that_is_not_listed_fails() -> None:
    found = verdict(covered(a=BODY))
    assert not found.ok
    assert found.unexpected == {A: "body: assert response.json() == {}  AssertionError"}


def test_a_listed_difference_is_expected() -> None:
    found = verdict(covered(a=BODY), line("body", A))
    assert found.ok
    assert found.listed == [A]


def test_a_listed_difference_is_expected_in_its_modes_alone() -> None:
    assert list(verdict(covered("asgi", a=BODY), line("body", A, "install")).unexpected) == [A]


def test_a_listed_body_does_not_excuse_another_status() -> None:
    found = verdict(covered(a=STATUS), line("body", A))
    assert not found.ok
    assert found.unexpected[A].startswith("listed as 'body', but is status: assert response.status_code == 404")


def test_a_sentence_is_a_reason_for_any_kind() -> None:
    assert verdict(covered(a=STATUS), line("an answer where the client expects an exception", A)).ok


def test_a_listed_test_that_passes_is_stale() -> None:
    found = verdict(covered(), line("body", A))
    assert not found.ok
    assert found.stale == [f"{A}: passes"]


def test_a_line_without_parameters_stands_for_each_of_them() -> None:
    assert verdict(covered(b1=BODY, b2=BODY), line("body", "t.py::b")).listed == [B1, B2]
    assert verdict(covered(b1=BODY), line("body", "t.py::b")).stale == [f"{B2}: passes"]


def test_a_listed_test_that_does_not_exist_is_stale() -> None:
    assert verdict(covered(), line("body", "t.py::gone")).stale == ["t.py::gone: there is no such test"]


def test_lines_of_files_that_were_not_run_are_not_judged() -> None:
    assert verdict(covered(), line("body", "other.py::gone")).ok


def test_what_fails_bare_is_not_compared() -> None:
    assert verdict(covered(), line("body", BROKEN)).ok


def test_a_test_that_is_skipped_only_when_covered_fails() -> None:
    assert verdict(covered(skipped=frozenset({C}))).unexpected == {C: "skipped, or gone"}


def test_a_run_without_errorkit_is_none() -> None:
    assert not verdict(covered(applications=0)).ok


def test_a_list_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "x.txt"
    lines = [line("body", "t.py::b"), line("a sentence", "t.py::x[1 | 2]", "asgi")]
    write(file, "x", "1.2.3", lines, MODES)
    assert read(file) == lines
    assert judged_at(file) == "1.2.3"


def test_an_unjudged_line_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "x.txt"
    write(file, "x", "1", renewed([], BARE, [covered(a=STATUS)], ["t.py"]), MODES)
    with pytest.raises(ValueError, match=r"say why, or mend errorkit: JUDGE status: assert response\.status_code"):
        read(file)


@pytest.mark.parametrize("text", ["body | t.py::a", "body |  | t.py::a", "t.py::a"])
def test_a_line_that_cannot_be_read_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "x.txt"
    file.write_text(text)
    with pytest.raises(ValueError, match=r"x\.txt:1: not `reason"):
        read(file)


def test_a_renewed_list_keeps_what_was_judged_and_drops_what_passes() -> None:
    before = [
        line("judged", A),
        line("body", C),
        line("body", "other.py::z"),
        line("body", BROKEN),
    ]
    after = renewed(before, BARE, [covered(a=STATUS, b1=BODY, b2=BODY), covered("asgi", a=STATUS)], ["t.py"])
    assert sorted(after, key=lambda kept: kept.test) == [
        line("body", "other.py::z"),
        line("judged", A),
        line("body", "t.py::b", "install"),
        line("body", BROKEN),
    ]


def test_a_renewed_list_leaves_the_modes_alone_that_were_not_run() -> None:
    after = renewed([line("body", A)], BARE, [covered()], ["t.py"])
    assert after == [line("body", A, "asgi")]


def test_a_renewed_list_names_parameters_where_they_differ() -> None:
    after = renewed([], BARE, [covered(b1=BODY, b2=STATUS), covered("asgi")], ["t.py"])
    assert {kept.test: kept.reason.split()[0] for kept in after} == {B1: "body", B2: "JUDGE"}
