"""The service under a real server, in a folder of its own, and all that it has written there."""

from __future__ import annotations

import http.client
import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from robustness.test_servers import ROOT, eventually

PAGE = (ROOT / "docs" / "how-to" / "logging.md").read_text()
SERVERS = {
    "uvicorn": ("uvicorn", "logging_setups.served:app", "--port", "{port}"),
    "uvicorn with a file": ("uvicorn", "logging_setups.served:app", "--port", "{port}", "--log-config", "logging.json"),
    "gunicorn": ("gunicorn", "logging_setups.served:site", "--bind", "127.0.0.1:{port}", "--access-logfile", "-"),
    "flask": ("flask", "--app", "logging_setups.served:site", "run", "--port", "{port}"),
}
REQUESTS = {"/nope": "r-404", "/crash": "r-500"}
"""Paths, and the request ID that each is asked with."""
_ACCESS = re.compile(r'(GET /\w+ HTTP/1\.1)(?:\x1b\[0m)?"? (\d{3})\b')
_VARIES = re.compile(r"(?<=127\.0\.0\.1:)\d+|(?<=\[)\d+(?=\])|(?<=\[)\d+/\w+/[\d:]+(?= \+0000\])|(?<=\" \d{3} )\d+")


class Written(NamedTuple):
    """Everything that a service wrote. files: by name, those of its folder that end in .log."""

    stdout: str
    stderr: str
    files: dict[str, str]

    @property
    def everything(self) -> str:
        """In one text."""
        return "\n".join((self.stdout, self.stderr, *self.files.values()))

    def at(self, place: str) -> str:
        """stdout, stderr, or a file's name."""
        return self.stdout if place == "stdout" else self.stderr if place == "stderr" else self.files[place]

    @property
    def access_log(self) -> list[tuple[str, str]]:
        """Requests and statuses, as the server logs them."""
        return sorted(_ACCESS.findall(self.everything))

    @property
    def settled_stdout(self) -> str:
        """Standard output without ports, processes, times and the sizes of bodies."""
        return _VARIES.sub("*", self.stdout)


def block(section: str) -> str:
    """The code of a section of the page."""
    return (
        PAGE.partition(f"\n## {section}\n")[2]
        .partition("\n## ")[0]
        .partition("\n```")[2]
        .partition("\n")[2]
        .partition("```")[0]
    )


def serve(server: str, folder: Path, **environment: str) -> Written:
    """Start the service, ask what fails, and end it when it has written of both."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folders = os.pathsep.join(map(str, (folder, ROOT / "src", ROOT / "tests")))
    command = [sys.executable, "-m", *(part.format(port=port) for part in SERVERS[server])]
    out, err = folder / "stdout", folder / "stderr"
    number = 0 if "BARE" in environment else len(REQUESTS)

    def written() -> Written:
        files = {file.name: file.read_text() for file in folder.glob("*.log")}
        return Written(out.read_text(), err.read_text(), files)

    def listens() -> bool:
        assert process.poll() is None, err.read_text()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    def has_told() -> bool:
        now = written()
        return now.everything.count("request_failed") >= number and len(now.access_log) >= len(REQUESTS)

    with out.open("wb") as stdout, err.open("wb") as stderr:
        process = subprocess.Popen(
            command,
            stdout=stdout,
            stderr=stderr,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": folders, "PYTHONUTF8": "1", "COLUMNS": "400", **environment},
        )
        try:
            eventually(listens, 30)
            for path, request_id in REQUESTS.items():
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
                connection.request("GET", path, headers={"X-Request-ID": request_id})
                response = connection.getresponse()
                assert response.status == int(request_id[2:])
                response.read()
                connection.close()
            eventually(has_told)
        finally:
            process.terminate()
            process.wait(20)
    return written()
