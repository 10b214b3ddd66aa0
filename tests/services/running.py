"""Runs one service, bare or covered, and asks it everything over a real socket."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from .environments import CACHE, ROOT
from .service import Ask, Service

_TO_END = 20.0
"""Seconds that a server has to end by itself."""


class ServiceError(Exception):
    """The service did not start, or gave no answer."""


@dataclass(frozen=True)
class Reply:
    """What came back over the socket."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True)
class Run:
    """All answers of one process, and errorkit's events if it was put in."""

    replies: list[Reply] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def run(name: str, service: Service, python: Path, port: int, *, covered: bool) -> Run:
    """Serve, ask, end. Folder and port are the same for both, as answers may contain them."""
    home = CACHE / "runs" / name
    folder, events = home / "data", home / "events.jsonl"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    events.write_text("")
    log = home / ("covered.log" if covered else "bare.log")
    arguments = [name, str(port), str(folder), *([str(events)] if covered else [])]
    with _process(service, python, arguments, folder, log) as process:
        _wait(process, port, service.patience, log)
        try:
            replies = list(_answers(service.asks, port))
        except ServiceError as failed:
            raise ServiceError(f"{'covered' if covered else 'bare'}: {failed}; see {log}") from failed
    return Run(replies, [json.loads(line) for line in events.read_text().splitlines()])


@contextmanager
def _process(
    service: Service, python: Path, arguments: list[str], folder: Path, log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    environ = {key: value for key, value in os.environ.items() if key in ("PATH", "HOME", "LANG", "TZ", "TMPDIR")}
    environ |= {"PYTHONPATH": str(ROOT / "tests"), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0"}
    environ |= {key: value.replace("<folder>", str(folder)) for key, value in service.environ.items()}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(python), "-m", "services.launch", *arguments],
            cwd=folder, env=environ, stdout=output, stderr=output, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_TO_END)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], port: int, patience: float, log: Path) -> None:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    why = "did not listen in time" if process.poll() is None else f"ended with {process.returncode}"
    raise ServiceError(f"the service {why}; {log} ends with:\n{log.read_text(errors='replace')[-3000:]}")


def _answers(asks: tuple[Ask, ...], port: int) -> Iterator[Reply]:
    kept: dict[str, str] = {}
    single = httpx.Limits(max_keepalive_connections=0)  # what one request does to its connection is no other's matter
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False, limits=single) as client:
        for ask in asks:
            client.cookies.clear()
            body = ask.content if ask.json is None else json.dumps(ask.json).encode()
            headers = {name: _filled(value, kept) for name, value in ask.headers.items()}
            if ask.json is not None:
                headers.setdefault("Content-Type", "application/json")
            try:
                response = client.request(
                    ask.method, _filled(ask.path, kept),
                    content=None if body is None else _filled(body.decode("latin-1"), kept).encode("latin-1"),
                    headers=headers,
                )  # fmt: skip
            except httpx.HTTPError as failed:
                raise ServiceError(f"no answer to '{ask.what}': {failed!r}") from failed
            kept |= {name: _kept(response, place) for name, place in ask.keep.items()}
            fields = tuple((name.decode().lower(), value.decode("latin-1")) for name, value in response.headers.raw)
            yield Reply(response.status_code, fields, response.content)


def _filled(text: str, kept: dict[str, str]) -> str:
    for name, value in kept.items():
        text = text.replace(f"<{name}>", value)
    return text


def _kept(response: httpx.Response, place: str) -> str:
    """The value at a place; the status where it is not there, as later requests may tell more."""
    if place.startswith("header:"):
        return str(response.headers.get(place.removeprefix("header:"), response.status_code))
    try:
        value = response.json()
        for step in place.split("."):
            value = value[int(step) if step.isdigit() else step]
    except (ValueError, LookupError, TypeError):
        value = response.status_code
    return str(value)
