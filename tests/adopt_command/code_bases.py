"""A code base in a folder: proposed for, written, imported."""

from __future__ import annotations

import importlib
import itertools
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

from errorkit.publish.adopt import Proposal, propose

_numbers = itertools.count(1)


def code_base(root: Path, **files: str) -> Path:
    """A package of its own name with these modules; `{package}` in a text is its name."""
    package = root / f"adopted_{next(_numbers)}"
    package.mkdir()
    (package / "__init__.py").write_text("")
    for name, text in files.items():
        (package / f"{name}.py").write_text(text.replace("{package}", package.name))
    return package


def written(package: Path, **settings: str) -> Proposal:
    """The proposal, after it has been written."""
    proposal = propose(package, **settings)
    for path, change in proposal.changes.items():
        path.write_bytes(change.new)
    return proposal


def imported(package: Path, module: str = "main") -> ModuleType:
    """A module of the package as it is now."""
    for name in [name for name in sys.modules if name.partition(".")[0] == package.name]:
        del sys.modules[name]
    importlib.invalidate_caches()
    sys.path.insert(0, str(package.parent))
    sys.dont_write_bytecode, before = True, sys.dont_write_bytecode  # a file may change within its second
    try:
        return importlib.import_module(f"{package.name}.{module}")
    finally:
        sys.dont_write_bytecode = before
        sys.path.remove(str(package.parent))


def whys(proposal: Proposal) -> Mapping[int, str]:
    """Line to reason, of what is not sure."""
    return {line: why for _, line, why in proposal.unsure}
