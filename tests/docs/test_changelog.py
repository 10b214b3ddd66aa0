"""CHANGELOG.md: one section for each release, in the form of Keep a Changelog."""

from __future__ import annotations

import re
from datetime import date
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "CHANGELOG.md").read_text()
KINDS = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"]


def test_every_release_has_its_section_and_its_date() -> None:
    """The newest first; what is not released stands under Unreleased."""
    titles = re.findall(r"^## (.*)$", TEXT, re.MULTILINE)
    assert titles[0] == "[Unreleased]"
    releases = [re.fullmatch(r"\[(\d+\.\d+\.\d+)\] - (\d{4}-\d\d-\d\d)", title) for title in titles[1:]]
    assert all(releases)
    days = [date.fromisoformat(release[2]) for release in releases if release]
    assert days == sorted(days, reverse=True)


def test_the_version_is_released_or_its_changes_are_listed() -> None:
    """A version without a section of its own is the one that Unreleased describes."""
    unreleased = TEXT.partition("## [Unreleased]")[2].partition("\n## ")[0]
    assert f"## [{version('errorkit')}]" in TEXT or "\n- " in unreleased


def test_a_section_has_the_kinds_of_change_in_their_order() -> None:
    for section in TEXT.split("\n## ")[1:]:
        found = re.findall(r"^### (.*)$", section, re.MULTILINE)
        assert found == sorted(found, key=KINDS.index)
        assert len(found) == len(set(found))
