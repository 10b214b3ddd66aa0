"""Programs and client libraries that a test needs beyond errorkit's own dependencies."""

from __future__ import annotations

import importlib
import os
import shutil
from typing import Any

import pytest


def require(*programs: str) -> None:
    """Skip where a program is absent; fail instead where all are promised to be there."""
    missing = [program for program in programs if shutil.which(program) is None]
    if not missing:
        return
    _absent(f"needs {', '.join(missing)}")


def require_module(name: str) -> Any:
    """The module; where it is absent, skip the test module that asks, or fail as `require` does."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        return _absent(f"needs the Python package of {name} ({error})")


def _absent(reason: str) -> None:
    if os.environ.get("TEST_REQUIRE_ALL") == "1":
        pytest.fail(reason)
    pytest.skip(reason, allow_module_level=True)
