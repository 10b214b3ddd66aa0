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


def test_the_docs_name_each_of_them() -> None:
    """`docs/frameworks.md#versions` cannot drift."""
    told = (ROOT / "docs" / "frameworks.md").read_text().partition("## Versions")[2]
    words = " ".join(told.split())
    assert [f"{name} {bound}" for name, bound in lowest().items() if not re.search(rf"\b{name} {bound}\b", words)] == []


@pytest.mark.parametrize("package", sorted(lowest()))
def test_the_installed_versions_are_those_of_this_run(package: str) -> None:
    """On the lowest versions exactly these, else any that is declared."""
    installed = Version(version(package))
    assert installed in declared()[package]
    assert (installed == Version(lowest()[package])) or not LOWEST
