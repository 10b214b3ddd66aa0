"""What a test needs beyond errorkit's own dependencies, or of them: programs, client libraries, younger versions."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import tempfile
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from packaging.version import Version

LOWEST = os.environ.get("TEST_VERSIONS") == "lowest"
"""Do the tests run on the lowest versions that errorkit declares (`dev.py floors`)."""

NODE_SDKS = Path(os.environ.get("NODE_SDKS", Path.home() / ".cache" / "errorkit" / "node-sdks"))
"""Where the packages of tests/clients/node are installed."""

NODE_TOOLS = ("typescript@7.0.2", "pyright@1.1.414", "prettier@3")
"""npm packages of the programs that `node_tool` gives."""


def require(*programs: str) -> None:
    """Skip where a program is absent; fail instead where all are promised to be there."""
    missing = [program for program in programs if shutil.which(program) is None]
    if not missing:
        return
    absent(f"needs {', '.join(missing)}")


def node_tool(name: str) -> str:
    """A program of an npm package, installed once, outside of the project."""
    require("node", "npm")
    root = Path(tempfile.gettempdir()) / ("errorkit-node-" + "-".join(tool.replace("@", "-") for tool in NODE_TOOLS))
    if not root.exists():
        fresh = tempfile.mkdtemp(prefix="errorkit-node-")
        command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", fresh, *NODE_TOOLS]
        done = subprocess.run(command, capture_output=True, timeout=300, check=False)
        if done.returncode == 0:
            with suppress(OSError):  # another worker of the suite was faster
                Path(fresh).rename(root)
        shutil.rmtree(fresh, ignore_errors=True)
    program = str(root / "node_modules" / ".bin" / name)
    require(program)
    return program


def require_module(name: str) -> Any:
    """The module; where it is absent, skip the test module that asks, or fail as `require` does."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        return absent(f"needs the Python package of {name} ({error})")


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
    absent(reason)


def absent(reason: str) -> None:
    if os.environ.get("TEST_REQUIRE_ALL") == "1":
        pytest.fail(reason)
    pytest.skip(reason, allow_module_level=True)
