"""The page of dialects is made from the declarations, and cannot drift from them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

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
