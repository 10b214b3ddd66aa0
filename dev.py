"""Two commands that need nothing but Python 3.11 and its pip.

python3 dev.py demo    start the FastAPI example, send failing requests, show what happens
python3 dev.py test    the whole suite: lint, types, structure, tests
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def install(extra: str) -> None:
    """Make .venv and install the project with an extra, unless that has been done already."""
    stamp = VENV / f"errorkit-{extra}.stamp"
    wanted = hashlib.sha256((ROOT / "pyproject.toml").read_bytes() + sys.version.encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print(f"Installing errorkit[{extra}] into .venv ...", flush=True)
    if not PYTHON.exists():
        venv.create(VENV, with_pip=False, symlinks=os.name != "nt")  # ensurepip may be missing
    pip = [sys.executable, "-m", "pip", "--python", str(PYTHON), "--disable-pip-version-check"]
    if subprocess.run([*pip, "install", "--quiet", "-e", f"{ROOT}[{extra}]"], check=False).returncode:
        sys.exit("The installation failed; errorkit needs pip 22.3 or newer and a package index.")
    stamp.write_text(wanted)


def run(*command: str) -> int:
    """Run a Python module of the environment from the project's root."""
    return subprocess.run([str(PYTHON), "-m", *command], cwd=ROOT, check=False).returncode


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


def _step(*command: str) -> int:
    print(f"\n$ {' '.join(command)}", flush=True)
    if command[0].startswith("importlinter"):
        code = "from importlinter.cli import lint_imports_command as run; run(['--no-cache'])"
        return subprocess.run([str(PYTHON), "-c", code], cwd=ROOT, check=False).returncode
    return run(*command)


COMMANDS = {"demo": demo, "test": test}


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
