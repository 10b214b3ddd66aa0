"""What a test needs beyond errorkit's own dependencies, or of them: programs, client libraries, younger versions."""

from __future__ import annotations

import importlib
import os
import shutil
from importlib.metadata import version
from typing import Any

import pytest
from packaging.version import Version

LOWEST = os.environ.get("TEST_VERSIONS") == "lowest"
"""Do the tests run on the lowest versions that errorkit declares (`dev.py floors`)."""


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


def at_least(package: str, wanted: str) -> bool:
    """Is the installed package that young."""
    return Version(version(package)) >= Version(wanted)


def since(package: str, wanted: str) -> None:
    """Skip what a package came to offer in a later version; with the newest versions nothing may be skipped so."""
    if at_least(package, wanted):
        return
    reason = f"since {package} {wanted}; this is {version(package)}"
    if LOWEST:
        pytest.skip(reason, allow_module_level=True)
    _absent(reason)


def _absent(reason: str) -> None:
    if os.environ.get("TEST_REQUIRE_ALL") == "1":
        pytest.fail(reason)
    pytest.skip(reason, allow_module_level=True)
