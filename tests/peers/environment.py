"""A suite's source distribution and an environment of its own, both kept in a cache.

The cache is `$PEER_SUITES`, or ~/.cache/errorkit/peers.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tests.peers.suites import STACK, Suite


def cache() -> Path:
    """The folder that downloads and environments are kept in."""
    folder = Path(os.environ.get("PEER_SUITES") or Path.home() / ".cache" / "errorkit" / "peers")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def python_of(suite: Suite) -> Path:
    """The Python of an environment with the suite's requirements, made if it is not there."""
    pins = [f"{name}=={found}" for name in STACK if (found := _installed(name)) is not None]
    wanted = "\n".join([*suite.requirements, *pins, sys.version])
    folder = cache() / f"{suite.name}-environment-{hashlib.sha256(wanted.encode()).hexdigest()[:12]}"
    python = folder / "bin" / "python"
    with _made_once(folder) as made:
        if not made:
            venv.create(folder, with_pip=False, symlinks=True)  # ensurepip may be missing
            constraints = folder / "constraints.txt"
            constraints.write_text("\n".join(pins))
            _pip("--python", str(python), "install", "--constraint", str(constraints), *suite.requirements)
    return python


def sources_of(suite: Suite) -> Path:
    """The suite's unpacked source distribution, without the framework's own code."""
    name = f"{suite.name}-{suite.version}"
    folder = cache() / name
    with _made_once(folder) as made:
        if not made:
            folder.mkdir()
            _pip(
                *("download", "--no-deps", "--no-binary", suite.name, "--dest", str(folder)),
                f"{suite.name}=={suite.version}",
            )
            (archive,) = folder.glob("*.tar.gz")
            with tarfile.open(archive) as packed:
                packed.extractall(folder, filter="data")
            archive.unlink()
            shutil.rmtree(folder / name / suite.source)
    return folder / name


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


@contextmanager
def _made_once(folder: Path) -> Iterator[bool]:
    """Is it there already; else it is made inside of this, by one process at a time."""
    stamp = folder / "complete"
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = stamp.exists()
        if not made:
            shutil.rmtree(folder, ignore_errors=True)
        yield made
        if not made:
            stamp.touch()


def _pip(*arguments: str) -> None:
    """Run the pip of this environment or, where it has none, of the Python that it was made with."""
    for python in (sys.executable, str(Path(sys.base_prefix, "bin", "python3")), shutil.which("python3") or ""):
        if python and not subprocess.run([python, "-m", "pip", "--version"], capture_output=True).returncode:
            command = [python, "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
            return
    raise RuntimeError("no pip was found; the suites need one of 22.3 or newer and a package index")
