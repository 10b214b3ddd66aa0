"""Dependency groups (PEP 735): what `dev.py` makes of them, for a pip that does not know them."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement

import dev

ROOT = Path(__file__).resolve().parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
GROUPS = PYPROJECT["dependency-groups"]


def test_the_commands_have_their_groups() -> None:
    assert {"bench", "demo", "floors", "test"} <= set(GROUPS)


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_comes_to_extras_that_exist_and_to_packages(group: str) -> None:
    """errorkit itself is never asked of an index: its extras stand with the checkout."""
    extras, others = dev.requirements(group)
    assert set(extras) <= set(PYPROJECT["project"]["optional-dependencies"])
    assert all(Requirement(line).name != "errorkit" for line in others)
    assert len(others) == len(set(others)) > 0


def test_an_included_group_is_there_whole() -> None:
    extras, others = dev.requirements("test")
    included = [entry["include-group"] for entry in GROUPS["test"] if isinstance(entry, dict)]
    assert "demo" in included
    for inner in map(dev.requirements, included):
        assert set(inner[0]) <= set(extras)
        assert set(inner[1]) <= set(others)


def test_the_environment_gets_the_checkout_with_its_extras(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One call of pip, nothing that an old one does not know; not again until something changes."""
    calls: list[list[str]] = []

    def ran(command: list[str], *, check: bool) -> subprocess.CompletedProcess[str]:
        calls.append(command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(dev.subprocess, "run", ran)
    monkeypatch.setattr(dev, "python", lambda folder: Path(sys.executable))
    dev.install("floors", tmp_path, dev.LOWEST_VERSIONS)
    dev.install("floors", tmp_path, dev.LOWEST_VERSIONS)
    (command,) = calls
    _, others = dev.requirements("floors")
    assert command[-len(others) - 2 :] == ["-e", f"{ROOT}[adopt,cli,fastapi,flask,httpx,httpx2,testing]", *others]
    assert command[command.index("-c") + 1] == str(dev.LOWEST_VERSIONS)
    assert "--group" not in command


def test_an_unknown_group_is_told_with_those_there_are() -> None:
    with pytest.raises(SystemExit, match=r"There is no group 'tset' in .*; there are: demo, "):
        dev.requirements("tset")


def test_it_can_be_imported_by_a_python_that_is_too_old() -> None:
    """The message about the version is the first thing that happens: no module of 3.11 is needed before."""
    assert isinstance(dev, ModuleType)
    assert "tomllib" not in vars(dev)
