"""Commands that need nothing but Python 3.11 and its pip.

python3 dev.py demo      start the FastAPI example, send failing requests, show what happens
python3 dev.py test      the whole suite: lint, types, structure, tests
python3 dev.py floors    what rests on other packages, on the lowest versions that are declared
python3 dev.py pictures  draw docs/pictures anew; needs Chromium
python3 dev.py install   only make .venv, with a dependency group of pyproject.toml: demo, test, bench, ...
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
NEWEST, LOWEST = ROOT / ".venv", ROOT / ".venv-lowest"
LOWEST_VERSIONS = ROOT / "tests" / "lowest.txt"
RESTING = ("core", "conformance", "adapters", "contracts", "dialects", "fidelity", "publish", "robustness")
"""The folders of tests/ whose outcome other packages' versions can change."""
NOT_RESTING = (
    "publish/reference/test_browser.py",
    "publish/reference/test_browser_odd_catalogue.py",
    "robustness/test_refusal.py",
    "robustness/test_servers.py",
)
"""Tests in them of a browser and of six servers, whose versions errorkit does not declare."""


def install(group: str, folder: Path = NEWEST, *constraints: Path) -> None:
    """Make an environment and install the project with a dependency group, unless that has been done already."""
    stamp = folder / f"errorkit-{group}.stamp"
    told = b"".join(path.read_bytes() for path in (ROOT / "pyproject.toml", *constraints))
    wanted = hashlib.sha256(told + sys.version.encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    extras, others = requirements(group)
    print(f"Installing errorkit and what its group {group!r} names into {folder.name} ...", flush=True)
    if not python(folder).exists():
        venv.create(folder, with_pip=False, symlinks=os.name != "nt")  # ensurepip may be missing
    pip = [sys.executable, "-m", "pip", "--python", str(python(folder)), "--disable-pip-version-check"]
    pinned = [word for path in constraints for word in ("-c", str(path))]
    own = f"{ROOT}[{','.join(extras)}]" if extras else str(ROOT)
    if subprocess.run([*pip, "install", "--quiet", *pinned, "-e", own, *others], check=False).returncode:
        sys.exit("The installation failed; errorkit needs pip 22.3 or newer and a package index.")
    stamp.write_text(wanted)


def requirements(group: str) -> tuple[list[str], list[str]]:
    """errorkit's own extras, and the other packages, that a group of pyproject.toml comes to (PEP 735).

    Read here, since pip knows `--group` only from 25.1 on. Exits where there is no such group.
    """
    import tomllib  # not before an older Python has been told what it lacks

    groups = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    if group not in groups:
        sys.exit(f"There is no group {group!r} in pyproject.toml; there are: {', '.join(groups)}.")
    extras: dict[str, None] = {}
    others: dict[str, None] = {}
    for entry in groups[group]:
        own = isinstance(entry, str) and re.fullmatch(r"errorkit\[(.+)\]", entry)
        if own:
            extras.update(dict.fromkeys(own[1].split(",")))
        elif isinstance(entry, str):
            others[entry] = None
        else:
            inner = requirements(entry["include-group"])
            extras.update(dict.fromkeys(inner[0]))
            others.update(dict.fromkeys(inner[1]))
    return list(extras), list(others)


def python(folder: Path = NEWEST) -> Path:
    """The interpreter of an environment."""
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def run(*command: str, folder: Path = NEWEST, **environment: str) -> int:
    """Run a Python module of an environment from the project's root."""
    variables = {**os.environ, **environment}
    return subprocess.run([str(python(folder)), "-m", *command], cwd=ROOT, env=variables, check=False).returncode


def demo(arguments: list[str]) -> int:
    """One failure of every kind, with its response and its log event."""
    install("demo")
    return run("examples.demo", *arguments)


def test(arguments: list[str]) -> int:
    """Everything; with arguments, pytest alone with these."""
    install("test")
    if arguments:
        return run("pytest", *arguments)
    (ROOT / ".coverage").unlink(missing_ok=True)
    steps = (
        ("ruff", "check", "."),
        ("ruff", "format", "--check", "."),
        ("mypy",),
        ("importlinter.cli", "lint-imports"),
        ("pytest", "-q", "-n", "4", "--dist", "worksteal"),
    )
    failed = [step for step in steps if _step(*step)]
    for step in failed:
        print("FAILED:", " ".join(step))
    return 1 if failed else 0


def floors(arguments: list[str]) -> int:
    """Pytest on the lowest declared versions; with arguments, on these alone."""
    install("floors", LOWEST, LOWEST_VERSIONS)
    folders = [str(path) for name in RESTING if (path := ROOT / "tests" / name).is_dir()]
    left = (f"--ignore={ROOT / 'tests' / path}" for path in NOT_RESTING)
    chosen = arguments or ["-q", "-n", "2", "--dist", "worksteal", *left, *folders]
    return run("pytest", "-p", "no:cacheprovider", *chosen, folder=LOWEST, TEST_VERSIONS="lowest")


def pictures(arguments: list[str]) -> int:
    """The README's pictures, from the demonstration and from the reference of its service."""
    install("test")
    return run("docs.generate_pictures", *arguments, PYTHONPATH=str(ROOT / "tests"))


def _install(arguments: list[str]) -> int:
    for group in arguments or ["demo"]:
        install(group)
    return 0


def _step(*command: str) -> int:
    print(f"\n$ {' '.join(command)}", flush=True)
    if command[0].startswith("importlinter"):
        code = "from importlinter.cli import lint_imports_command as run; run(['--no-cache'])"
        return subprocess.run([str(python()), "-c", code], cwd=ROOT, check=False).returncode
    return run(*command)


COMMANDS = {"demo": demo, "test": test, "floors": floors, "pictures": pictures, "install": _install}


def main() -> int:
    """Dispatch."""
    if sys.version_info < (3, 11):
        print(f"errorkit needs Python 3.11 or newer; this is {sys.version.split()[0]}")
        return 2
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        print(__doc__)
        return 2
    return COMMANDS[sys.argv[1]](sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
