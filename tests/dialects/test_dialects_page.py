"""The page of dialects is made from the declarations, and cannot drift from them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from errorkit.failure import Detail, Public

ROOT = Path(__file__).resolve().parents[2]


def check(docs: Path) -> int:
    """The generator's verdict on a copy of docs/."""
    script = docs / "generate_dialects.py"
    run = subprocess.run(
        [sys.executable, str(script), "--check"],
        env={"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        check=False,
    )
    return run.returncode


def test_the_page_shows_what_is_sent(tmp_path: Path) -> None:
    """The examples are what the handler renders today; a page that differs is refused."""
    for name in ("generate_dialects.py", "dialects.md"):
        shutil.copy(ROOT / "docs" / name, tmp_path / name)
    assert check(tmp_path) == 0
    page = tmp_path / "dialects.md"
    page.write_text(page.read_text(encoding="utf-8").replace("stripe-should-retry: true", "stripe-should-retry: yes"))
    assert check(tmp_path) == 1


@pytest.mark.parametrize(("cls", "after"), [(Public, "is given a `Public`"), (Detail, "one `Detail` for each finding")])
def test_the_page_has_every_field_that_write_is_given(cls: Any, after: str) -> None:
    """In order, with type and default; the words are the page's own."""
    page = (ROOT / "docs" / "dialects.md").read_text().partition(after)[2].partition("\n\n")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| `(\w+)` \| `(.+?)` \| `(.+?)` \| .+ \|$", page, re.MULTILINE)
    told = [(name, kind.replace("\\|", "|"), default) for name, kind, default in rows]
    defaults = {name: {} if name == "extensions" else value for name, value in cls._field_defaults.items()}
    assert told == [
        (name, str(kind.__forward_arg__), repr(defaults[name])) for name, kind in cls.__annotations__.items()
    ]
