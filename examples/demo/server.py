"""An example service under its usual server, as a process of its own."""

from __future__ import annotations

import json
import os
import queue
import re
import subprocess
import sys
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

PATIENCE = 30
"""Seconds to wait for the server's start, for an event, and for its end."""
_RUNNING = re.compile(r"(?:running on|Listening at:) (http://[\d.]+:\d+)").search

UVICORN = ("uvicorn", "examples.fastapi_app.main:app", "--port", "0", "--no-access-log", "--no-use-colors")
GUNICORN = ("gunicorn", "examples.flask_app.main:create_app()", "--bind", "127.0.0.1:0")

Event = dict[str, Any]


class Server:
    """A server on a free port of this machine; a context manager.

    command: Python module and its arguments. environment: variables beyond this process's own.
    """

    def __init__(self, command: Sequence[str], **environment: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            env={**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1", **environment},
        )
        self._events: queue.Queue[Event] = queue.Queue()
        self._url: queue.Queue[str] = queue.Queue()
        self._others: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def url(self) -> str:
        """Where it listens. Raises RuntimeError with its output if it does not."""
        try:
            url = self._url.get(timeout=PATIENCE)
        except queue.Empty:
            url = ""
        if not url:
            raise RuntimeError("the server did not start:\n" + "".join(self._others))
        return url

    def next_event(self) -> Event:
        """The next failure that the server logs. Raises RuntimeError if none comes."""
        try:
            return self._events.get(timeout=PATIENCE)
        except queue.Empty:
            raise RuntimeError("the server logged no event:\n" + "".join(self._others)) from None

    def stop(self) -> list[Event]:
        """End the process; the events that nobody asked for."""
        self._process.terminate()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._reader.join(PATIENCE)
        return list(self._events.queue)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("{"):
                event = json.loads(line)
                if event["event"] == "request_failed":
                    self._events.put(event)
                continue
            self._others.append(line)
            running = _RUNNING(line)
            if running:
                self._url.put(running[1])
        self._url.put("")
