"""A real server under load, bounded in time: uvicorn with uvloop and httptools, one worker.

The client is a plain socket per connection in one process, which shares the machine with the
server: the figures tell a factor of two, not a percent.
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

from benchmarks.contenders import Contender, application, configure_logs
from benchmarks.scenarios import Scenario


def requests_per_second(contender: Contender, scenario: Scenario, *, seconds: float, connections: int = 8) -> float:
    """Answers per second of one contender."""
    with _server(contender) as port:
        request = f"{scenario.method} {scenario.path} HTTP/1.1\r\nHost: testserver\r\n\r\n".encode()
        _drive(port, request, 0.3, connections)
        answers, taken = _drive(port, request, seconds, connections)
    return answers / taken


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
def _server(contender: Contender) -> Iterator[int]:
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
        yield port
    finally:
        os.kill(pid, signal.SIGTERM)
        os.waitpid(pid, 0)


def _serve(contender: Contender, listener: socket.socket) -> None:
    import uvicorn

    configure_logs(written=False)
    sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    config = uvicorn.Config(
        application(contender), loop="uvloop", http="httptools", log_level="critical", access_log=False
    )
    uvicorn.Server(config).run(sockets=[listener])
