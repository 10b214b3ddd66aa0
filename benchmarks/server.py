"""A real server under load, bounded in time: uvicorn with uvloop and httptools, one worker.

The client is a plain socket per connection in one process, which shares the machine with the
server: the server's own CPU time per request says more than the requests per second.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.contenders import Contender, application, configure_logs
from benchmarks.scenarios import Scenario


class Served(NamedTuple):
    """per_second: answers. cpu: the server's seconds of CPU per answer, user and system."""

    per_second: float
    cpu: float


def served(contender: Contender, scenario: Scenario, *, seconds: float, connections: int = 8) -> Served:
    """One contender under load. Linux: the CPU time is read from `/proc`."""
    with _server(contender) as (port, pid):
        request = f"{scenario.method} {scenario.path} HTTP/1.1\r\nHost: testserver\r\n\r\n".encode()
        _drive(port, request, 0.3, connections)
        before = _cpu(pid)
        answers, taken = _drive(port, request, seconds, connections)
        return Served(answers / taken, (_cpu(pid) - before) / answers)


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _drive(port: int, request: bytes, seconds: float, connections: int) -> tuple[int, float]:
    counts = [0] * connections
    start = time.perf_counter()
    end = start + seconds

    def client(index: int) -> None:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            stream = connection.makefile("rb")
            while time.perf_counter() < end:
                connection.sendall(request)
                length = 0
                while (line := stream.readline()) != b"\r\n":
                    if line.lower().startswith(b"content-length:"):
                        length = int(line[15:])
                stream.read(length)
                counts[index] += 1

    threads = [threading.Thread(target=client, args=(index,)) for index in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts), time.perf_counter() - start


@contextmanager
def _server(contender: Contender) -> Iterator[tuple[int, int]]:
    listener = socket.create_server(("127.0.0.1", 0))
    pid = os.fork()
    if pid == 0:
        try:
            _serve(contender, listener)
        finally:
            os._exit(0)
    port = listener.getsockname()[1]
    listener.close()
    try:
        yield port, pid
    finally:
        os.kill(pid, signal.SIGTERM)
        os.waitpid(pid, 0)


def _serve(contender: Contender, listener: socket.socket) -> None:
    import uvicorn

    configure_logs("dropped")
    sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    config = uvicorn.Config(
        application(contender), loop="uvloop", http="httptools", log_level="critical", access_log=False
    )
    uvicorn.Server(config).run(sockets=[listener])
