"""The README's pictures: small, on their own, and of what is shown today."""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from requirements import require, require_module

require_module("selenium")
ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "docs" / "pictures"
NAMES = ("demo.svg", "reference-dark.png", "reference-light.png")
LARGEST = 200_000
CHANGING = re.compile(r"duration_ms=[\d.]+|resume_at\": \"[^\"]+|\.py:\d+|\(\d+ frames of libraries\)|\d+")
"""Times, lines and numbers of frames."""


def words(path: Path) -> list[str]:
    """A terminal's lines, but for what changes from run to run."""
    rows = ElementTree.fromstring(path.read_text()).iter("{http://www.w3.org/2000/svg}text")
    return [CHANGING.sub("#", (row.text or "").replace("\xa0", " ").strip()) for row in rows]


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_is_small_and_in_the_readme(name: str) -> None:
    """And every picture there is one of these."""
    assert 5_000 < (PICTURES / name).stat().st_size < LARGEST
    shown = set(re.findall(r"docs/pictures/([\w.-]+)", (ROOT / "README.md").read_text()))
    assert shown == set(NAMES) == {path.name for path in PICTURES.iterdir()}


def test_the_terminal_loads_nothing_from_elsewhere() -> None:
    """No font, no script: it looks alike wherever it is shown."""
    text = (PICTURES / "demo.svg").read_text()
    assert re.findall(r"@font-face|@import|<script|href=|url\((?!#)", text) == []


def test_they_are_drawn_from_what_is_there(tmp_path: Path) -> None:
    """The command draws all of them, and the terminal says today what the picture says."""
    require("/usr/bin/chromium", "/usr/bin/chromedriver")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT / "tests")])}
    command = [sys.executable, "-m", "docs.generate_pictures", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, timeout=110)
    assert sorted(path.name for path in tmp_path.iterdir()) == list(NAMES)
    assert words(tmp_path / "demo.svg") == words(PICTURES / "demo.svg")
    for name in NAMES[1:]:
        sizes = [struct.unpack(">II", (folder / name).read_bytes()[16:24]) for folder in (tmp_path, PICTURES)]
        assert sizes[0] == sizes[1]
