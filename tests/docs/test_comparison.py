"""docs/comparison.md and the README's table: what this version really does, and versions that the project knows."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from benchmarks.comparison import BEGIN, END, HEAD, NAMES, PAGES, measured
from benchmarks.contenders import BARE, CONTENDERS, ERRORKIT, Contender

ROOT = Path(__file__).resolve().parents[2]
HERE = [each for each in CONTENDERS if each.name in (BARE, ERRORKIT)]
"""Who is installed wherever the suite runs."""


def rows() -> list[list[str]]:
    """The page's table, without its head."""
    text = PAGES[0].read_text().partition(BEGIN)[2].partition(END)[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()][2:]


@pytest.mark.parametrize("contender", HERE, ids=lambda each: f"{each.name}-{each.framework}")
def test_what_the_page_says_is_what_is(contender: Contender) -> None:
    """Measured anew; versions are those of the day on which the table was written."""
    row = measured(contender)
    name, framework = row.package.partition(" ")[0], row.framework.partition(" ")[0]
    (written,) = [each for each in rows() if each[0].startswith(name) and each[1].startswith(framework)]
    assert written[2:] == row.cells()[2:]


def test_both_pages_have_the_same_table() -> None:
    first, second = (page.read_text().partition(BEGIN)[2].partition(END)[0] for page in PAGES)
    assert first == second
    assert len(rows()) == len(HERE) + len(NAMES) - 2


def test_every_alternative_is_one_that_the_benchmarks_install() -> None:
    """Its version lies within the bounds of the group, so that the table can be written again."""
    group = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]["bench"]
    bounds = {found.name: found.specifier for found in map(Requirement, group)}
    others = [row[0].split() for row in rows() if not row[0].startswith(("(", ERRORKIT))]
    assert {name for name, _ in others} == set(NAMES) - {BARE, ERRORKIT}
    assert [name for name, version in others if version not in bounds[name]] == []


def test_every_column_is_explained() -> None:
    """In the page's second table."""
    told = re.findall(r"^\| ([\w ,]+) \| ", PAGES[0].read_text().partition("| column |")[2], re.MULTILINE)
    words = [word for each in told for word in re.split(r", ", each)]
    assert set(HEAD[2:]) <= {word if not word.startswith("id in") else "id in header" for word in words} | set(words)
