"""The tutorial, followed to the letter in a fresh directory."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import pytest

from requirements import require

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "tutorial.md").read_text()
BLOCK = re.compile(r'^```(?P<language>\w+)(?: title="(?P<title>[^"]+)")?\n(?P<text>.*?)^```$', re.MULTILINE | re.DOTALL)
INSTALL = re.compile(r"(python3 -m venv|\.|pip install) .*")
PORT = "8000"
WAIT = 60


def agree(shown: str, real: str) -> bool:
    """`...` on the page stands for any text, and white space is white space."""
    parts = [re.escape(" ".join(part.split())) for part in shown.split("...")]
    return re.fullmatch(".*".join(parts), " ".join(real.split())) is not None


class Reader:
    """Does what the page says: writes its files, runs its commands, compares what they print."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.log = home / "server.log"
        self.server: subprocess.Popen[bytes] | None = None
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = str(free.getsockname()[1])
        commands = home / ".venv" / "bin"  # what the page has installed is this interpreter's
        commands.mkdir(parents=True)
        for name in ("errorkit", "uvicorn"):
            (commands / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" -m {name} "$@"\n')
        (commands / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
        for command in commands.iterdir():
            command.chmod(0o755)
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("ERRORKIT_")},
            "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT / "src"),
            "PYTHONUNBUFFERED": "1",
            "NO_COLOR": "1",
            "COLUMNS": "200",
        }

    def console(self, text: str) -> None:
        for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
            command, _, shown = part.partition("\n")
            if INSTALL.fullmatch(command):
                continue
            command = command.replace(PORT, self.port)
            if "uvicorn " in command:
                self.serve(command)
                continue
            done = subprocess.run(
                command, shell=True, cwd=self.home, env=self.environment, capture_output=True, text=True, timeout=WAIT
            )
            assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
            assert agree(shown, done.stdout + done.stderr), f"{command}\n{done.stdout}\n{done.stderr}"

    def serve(self, command: str) -> None:
        self.stop()
        with self.log.open("wb") as log:
            self.server = subprocess.Popen(
                f"exec env {command}", shell=True, cwd=self.home, env=self.environment, stdout=log, stderr=log
            )
        self.until(lambda: "Uvicorn running" in self.log.read_text())

    def until(self, holds: Callable[[], bool]) -> None:
        end = time.monotonic() + WAIT
        while not holds():
            assert self.server is not None
            assert self.server.poll() is None, self.log.read_text()
            assert time.monotonic() < end, self.log.read_text()
            time.sleep(0.05)

    def server_says(self, shown: str) -> bool:
        return agree(f"...{shown}...", self.log.read_text())

    def stop(self) -> None:
        if self.server is not None:
            self.server.terminate()
            self.server.wait(WAIT)


@pytest.fixture(name="reader")
def _reader(tmp_path: Path) -> Iterator[Reader]:
    reader = Reader(tmp_path)
    yield reader
    reader.stop()


def test_the_tutorial_works_as_written(reader: Reader) -> None:
    """Every file, every command and every output of the page, in its order."""
    require("curl", "sh")
    for block in BLOCK.finditer(TEXT):
        match block["language"], block["title"]:
            case "python", str(title):
                (reader.home / title).write_text(block["text"].replace(PORT, reader.port))
            case "console", "server":
                reader.until(partial(reader.server_says, block["text"]))
            case "console", None:
                reader.console(block["text"])
            case other:
                pytest.fail(f"a block that nobody follows: {other}")


def test_what_the_tutorial_installs_exists() -> None:
    """Its extras are the project's, and its other packages those that the suite has, too."""
    extras, others = re.findall(r'^\$ pip install "\.\./errorkit\[(.*)\]" (.*)$', TEXT, re.MULTILINE)[0]
    known = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert set(extras.split(",")) <= set(known)
    assert [name for name in others.split() if find_spec(name) is None] == []


def test_every_block_of_the_tutorial_is_seen() -> None:
    """No fence escapes the test above by its form."""
    assert len(BLOCK.findall(TEXT)) * 2 == len(re.findall(r"^ *```", TEXT, re.MULTILINE))
