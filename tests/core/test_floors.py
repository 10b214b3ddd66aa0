"""The lowest versions that errorkit declares, and the file by which they are installed and tested."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from requirements import LOWEST

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def declared() -> dict[str, SpecifierSet]:
    """What errorkit requires of other packages, by their names."""
    lists = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    parsed = [Requirement(line) for lines in lists for line in lines]
    return {requirement.name: requirement.specifier for requirement in parsed if requirement.name != "errorkit"}


def lowest() -> dict[str, str]:
    """The version that is tested as the lowest, by the package's name."""
    lines = (ROOT / "tests" / "lowest.txt").read_text().splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))


def test_what_is_tested_as_lowest_is_what_is_declared() -> None:
    """Each bound of pyproject.toml stands in lowest.txt, and nothing else does."""
    bounds = {
        name: next(bound.version for bound in specifiers if bound.operator == ">=")
        for name, specifiers in declared().items()
    }
    assert lowest() == bounds


def wanted_for(package: str) -> str:
    """The extras that bring a package, as the page names them."""
    extras = {name: [Requirement(line) for line in lines] for name, lines in PROJECT["optional-dependencies"].items()}
    found = {name for name, lines in extras.items() if package in {line.name for line in lines}}
    found |= {name for name, lines in extras.items() if any(line.extras & found for line in lines)}
    return ", ".join(f"`{name}`" for name in sorted(found)) or "always"


def test_the_page_of_versions_is_what_is_declared() -> None:
    """The table of docs/versions.md, row by row."""
    page = (ROOT / "docs" / "versions.md").read_text()
    rows = re.findall(r"^\| ([\w-]+) \| ([\d.]+) \| (\d*) ?\| (.+) \|$", page, re.MULTILINE)
    below = {
        name: next(bound.version for bound in specifiers if bound.operator == "<")
        for name, specifiers in declared().items()
    }
    python = PROJECT["requires-python"].removeprefix(">=")
    expected = {("Python", python, "", "always")}
    expected |= {(name, bound, below[name], wanted_for(name)) for name, bound in lowest().items()}
    assert set(rows) == expected
    assert len(rows) == len(expected)


@pytest.mark.parametrize("package", sorted(lowest()))
def test_the_installed_versions_are_those_of_this_run(package: str) -> None:
    """On the lowest versions exactly these, else any that is declared."""
    installed = Version(version(package))
    assert installed in declared()[package]
    assert (installed == Version(lowest()[package])) or not LOWEST
