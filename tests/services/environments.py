"""One virtual environment for each service: its own pins first, then what errorkit requires beside them."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

from .service import Service

ROOT = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("ERRORKIT_SERVICES_CACHE", "~/.cache/errorkit/services")).expanduser()


class InstallationError(Exception):
    """pip could not bring the service, or errorkit's requirements beside it."""


def prepare(service: Service) -> Path:
    """The service's Python, installed unless that has been done already."""
    needed = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    wanted = hashlib.sha256(json.dumps([service.requirements, needed, sys.version]).encode()).hexdigest()
    folder = CACHE / service.requirements[0].replace("[", "-").replace("]", "").replace("==", "-")
    python, stamp = folder / "bin" / "python", folder / "installed.stamp"
    if stamp.exists() and stamp.read_text() == wanted:
        return python
    print(f"{service.title}: installing {', '.join(service.requirements)} ...", flush=True)
    venv.create(folder, clear=True, with_pip=False, symlinks=True)
    _pip(python, "install", "--quiet", *service.requirements)
    pins = folder / "pins.txt"
    pins.write_text("".join(f"{name}=={version}\n" for name, version in versions(python).items()))
    _pip(python, "install", "--quiet", "--constraint", str(pins), *needed)
    stamp.write_text(wanted)
    return python


def versions(python: Path) -> dict[str, str]:
    """What is installed, by its normalised name."""
    found = json.loads(_pip(python, "list", "--format=json"))
    return {package["name"].lower().replace("_", "-"): package["version"] for package in found}


def _pip(python: Path, command: str, *arguments: str) -> str:
    """pip of the Python beneath this one: an environment may have none."""
    base = Path(sys.base_prefix) / "bin" / "python3"
    line = [str(base), "-m", "pip", "--python", str(python), "--disable-pip-version-check", command]
    done = subprocess.run([*line, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise InstallationError(f"pip {command} {' '.join(arguments)}: {done.stderr.strip()[-2000:]}")
    return done.stdout
