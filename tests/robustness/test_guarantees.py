"""The page of guarantees names tests that exist, and every file of these tests is on it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "guarantees.md"
NAMED = re.findall(r"`((?:\w+/)?test_\w+\.py)::(test_\w+)`", PAGE.read_text())


def test_every_test_on_the_page_exists() -> None:
    """No promise points to a test that was renamed or removed."""
    known = {
        (path.name if path.parent == HERE else f"{path.parent.name}/{path.name}", node.name)
        for path in HERE.parent.glob("*/test_*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef)
    }
    assert NAMED
    assert [name for name in NAMED if name not in known] == []


def test_every_file_of_these_tests_is_on_the_page() -> None:
    """What is tested is promised."""
    files = {path.name for path in HERE.glob("test_*.py")} - {Path(__file__).name}
    assert files <= {file for file, _ in NAMED}
