"""Real servers on loopback: what reaches a real client before, at and after the first byte, and the server's log."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets.sync.client
from websockets.exceptions import ConnectionClosed, InvalidStatus

from robustness.served import BIG

ROOT = Path(__file__).resolve().parents[2]
SERVERS: dict[str, list[str]] = {
    "uvicorn h11": ["uvicorn", "--http", "h11", "--port", "{port}", "robustness.served:app"],
    "uvicorn httptools": ["uvicorn", "--http", "httptools", "--port", "{port}", "robustness.served:app"],
    "hypercorn": ["hypercorn", "-b", "127.0.0.1:{port}", "robustness.served:app"],
    "granian asgi": ["granian", "--interface", "asgi", "--port", "{port}", "robustness.served:app"],
    "gunicorn sync": ["gunicorn", "-b", "127.0.0.1:{port}", "-k", "sync", "robustness.served:wsgi"],
    "gunicorn gthread": ["gunicorn", "-b", "127.0.0.1:{port}", "-k", "gthread", "robustness.served:wsgi"],
    "granian wsgi": ["granian", "--interface", "wsgi", "--port", "{port}", "robustness.served:wsgi"],
}
ASGI = [name for name in SERVERS if SERVERS[name][-1].endswith(":app")]
TORN = (http.client.IncompleteRead, http.client.RemoteDisconnected, ConnectionError)


def eventually(condition: Callable[[], Any], seconds: float = 10) -> Any:
    """The condition's first true value, within a bound."""
    until = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.01)
    return value


class Server:
    """One server process and what it wrote."""

    def __init__(self, name: str, command: list[str], log: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.name, self.log, self.read = name, log, 0
        environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT / 'tests'}"}
        command = [part.format(port=self.port) for part in command]
        with log.open("wb") as stream:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *command], stdout=stream, stderr=stream, cwd=ROOT, env=environment
            )
        eventually(self._listens, 30)

    def _listens(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)

    def get(self, path: str, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
        """One request on a connection of its own."""
        connection = self.connect()
        try:
            connection.request(method, path)
            response = connection.getresponse()
            fields = {name.lower(): value for name, value in response.getheaders()}
            return response.status, fields, response.read()
        finally:
            connection.close()

    def forget(self) -> None:
        """What was written up to now is no part of the test."""
        self.read = len(self.log.read_text())

    def written(self) -> str:
        """What was written since."""
        return self.log.read_text()[self.read :]

    def events(self) -> list[dict[str, Any]]:
        """The events since."""
        lines = [line for line in self.written().splitlines() if line.startswith("{") and "request_failed" in line]
        return [json.loads(line) for line in lines]

    def expect(self, count: int) -> list[dict[str, Any]]:
        """The events since, as soon as there are so many."""
        eventually(lambda: len(self.events()) >= count)
        events = self.events()
        assert len(events) == count, events
        return events

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)


@pytest.fixture(scope="module", params=SERVERS)
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Each server in turn, started once."""
    log = tmp_path_factory.mktemp("server") / "log"
    server = Server(request.param, SERVERS[request.param], log)
    yield server
    server.stop()


@pytest.fixture
def server(running: Server) -> Server:
    """The running server, its log up to now forgotten."""
    running.get("/ok")
    running.forget()
    return running


@pytest.mark.parametrize(("path", "status", "code"), [("/crash", 500, "internal"), ("/conflict", 409, "conflict")])
def test_a_failure_before_the_first_byte_is_the_envelope_and_one_log_line(
    server: Server, path: str, status: int, code: str
) -> None:
    """The client sees the dialect; the server's own log has no second traceback."""
    answered, fields, body = server.get(path)
    assert answered == status
    assert fields["content-type"] == "application/problem+json"
    assert json.loads(body)["code"] == code
    assert json.loads(body)["request_id"] == fields["x-request-id"]
    events = server.expect(1)
    assert events[0]["request_id"] == fields["x-request-id"]
    assert "Traceback" not in server.written()


def test_a_failure_at_the_first_chunk_is_visible(server: Server) -> None:
    """WSGI: still an envelope. ASGI: the start is out; torn, or the server's own 500 where that held the start back."""
    if server.name == "granian asgi":
        assert server.get("/first")[0] == 500
    elif server.name in ASGI:
        with pytest.raises(TORN):
            server.get("/first")
    else:
        status, _, body = server.get("/first")
        assert (status, json.loads(body)["code"]) == (500, "internal")
    assert server.expect(1)[0]["code"] == "internal"


@pytest.mark.parametrize("path", ["/chunks", "/length"])
def test_a_truncated_stream_is_never_presented_as_complete(server: Server, path: str) -> None:
    """Wherever the bare server shows it: granian's WSGI interface ends a failed body cleanly."""
    if server.name == "granian wsgi":
        with contextlib.suppress(*TORN):  # ended cleanly, or dropped before the first byte
            assert server.get(path)[2].startswith(b"first;")
    else:
        with pytest.raises(TORN):
            server.get(path)
    assert server.expect(1)[0]["outcome"] == "aborted"


def test_an_aborted_stream_is_logged_once_more_by_the_server_alone(server: Server) -> None:
    """The only case of a second traceback: the server must see what broke its stream."""
    with contextlib.suppress(*TORN):
        server.get("/chunks")
    server.expect(1)
    eventually(lambda: "planted crash" in server.written().replace(json.dumps(server.events()[0]), ""))
    assert server.written().count("Traceback (most recent call last)") <= 1


def test_an_event_stream_that_fails_ends_with_the_dialects_event(server: Server) -> None:
    """A clean end, and a last event that tells."""
    status, _, body = server.get("/events")
    assert status == 200
    assert body.startswith(b"data: 1\n\nevent: error\ndata: {")
    assert server.expect(1)[0]["outcome"] == "stream_error"
    assert "Traceback" not in server.written()


def test_a_failure_after_the_last_byte_leaves_the_response_whole(server: Server) -> None:
    """Background task, or `close()` of the body."""
    status, _, body = server.get("/after")
    assert (status, body) == (200, b"done")
    assert server.expect(1)[0]["outcome"] == "background"


def test_keep_alive_after_errors(server: Server) -> None:
    """Each next response on the connection is the right one, or the connection was closed."""
    connection = server.connect()
    for path, method, status in (
        ("/conflict", "GET", 409),
        ("/conflict", "HEAD", 409),
        ("/ok", "GET", 200),
        ("/crash", "GET", 500),
        ("/nowhere", "GET", 404),
        ("/ok", "POST", 405),
        ("/ok", "HEAD", 200),
        ("/ok", "GET", 200),
    ):
        connection.request(method, path)  # opens a new connection where the server closed the last one
        response = connection.getresponse()
        body = response.read()
        assert (response.status, bool(body)) == (status, method != "HEAD"), path
        if status >= 400 and body:
            assert json.loads(body)["status"] == status
    connection.close()


def test_an_unread_request_body_does_not_become_the_next_request(server: Server) -> None:
    """An error raised before the body was read: the next answer is right, or the connection is closed."""
    connection = server.connect()
    smuggled = b"GET /crash HTTP/1.1\r\nHost: x\r\n\r\n" * 2000
    try:
        connection.request("POST", "/conflict", body=smuggled)
        assert connection.getresponse().read()
    except ConnectionError:  # the server closed while the client was still sending
        connection.close()
    try:
        connection.request("GET", "/ok")
        response = connection.getresponse()
        assert (response.status, response.read()) == (200, b"fine")
    except (ConnectionError, http.client.RemoteDisconnected):
        pass
    finally:
        connection.close()
    assert not [event for event in server.events() if event["path"] == "/crash"]


def test_pipelined_requests_are_answered_in_order(server: Server) -> None:
    """An error, then a success, sent in one packet: in order, or closed after the first."""
    one = b"GET /conflict HTTP/1.1\r\nHost: x\r\n\r\n"
    two = b"GET /ok HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), 10) as connection:
        connection.sendall(one + two)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
    assert received.startswith(b"HTTP/1.1 409")
    rest = received[received.index(b"}") + 1 :]
    assert rest == b"" or (rest.startswith(b"HTTP/1.1 200") and rest.endswith(b"fine"))


def test_a_client_that_leaves_is_no_error(server: Server) -> None:
    """Gone while the request is sent, and while the response is: nothing at error level, no traceback."""
    with socket.create_connection(("127.0.0.1", server.port), 10) as connection:
        connection.sendall(b"POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhalf")
    with socket.create_connection(("127.0.0.1", server.port), 10) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.sendall(b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n")
        connection.recv(1000)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    assert server.get("/conflict")[0] == 409
    eventually(lambda: any(event["code"] == "conflict" for event in server.events()))
    others = [event for event in server.events() if event["code"] != "conflict" and event["status"] >= 500]
    assert others == []
    assert "Traceback" not in server.written()


def test_a_slow_client_gets_every_byte(server: Server) -> None:
    """Nothing is buffered away or lost under back-pressure."""
    connection = server.connect()
    connection.request("GET", "/big")
    response = connection.getresponse()
    total = 0
    while chunk := response.read(30_000):
        total += len(chunk)
    connection.close()
    assert total == BIG
    assert server.events() == []


@pytest.mark.parametrize("name", ["uvicorn h11", "gunicorn gthread"])
def test_several_workers_answer_alike(name: str, tmp_path: Path) -> None:
    """Each process has installed itself: one envelope, ids all different, one event each."""
    module, *rest = SERVERS[name]
    server = Server(name, [module, "--workers", "2", *rest], tmp_path / "log")
    try:
        server.forget()
        answers = [server.get("/crash") for _ in range(20)]
        assert {status for status, _, _ in answers} == {500}
        assert len({fields["x-request-id"] for _, fields, _ in answers}) == 20
        server.expect(20)
    finally:
        server.stop()


def test_http_2_streams_fail_one_by_one(tmp_path: Path) -> None:
    """Hypercorn, HTTP/2 with prior knowledge: an envelope per stream, a torn stream, and the connection lives on.

    Hypercorn leaves a failed stream open, with errorkit and without: the client's own time-out ends it.
    """
    server = Server("hypercorn", SERVERS["hypercorn"], tmp_path / "log")
    try:
        url, patience = f"http://127.0.0.1:{server.port}", httpx.Timeout(10, read=2)
        with httpx.Client(http1=False, http2=True, base_url=url, timeout=patience) as client:
            server.forget()
            response = client.get("/crash")
            assert (response.http_version, response.status_code) == ("HTTP/2", 500)
            assert response.json()["code"] == "internal"
            assert client.head("/conflict").status_code == 409
            with pytest.raises(httpx.HTTPError):
                client.get("/length")
            assert client.get("/ok").text == "fine"
        assert [event["code"] for event in server.expect(3)] == ["internal", "conflict", "internal"]
    finally:
        server.stop()


@pytest.mark.parametrize("running", ASGI, indirect=True)
def test_a_websocket_that_fails_is_refused_or_closed(server: Server) -> None:
    """Before the handshake: the envelope where the server can deny, else 403. After it: 1011, never 1000."""
    url = f"ws://127.0.0.1:{server.port}"
    with pytest.raises((InvalidStatus, ConnectionClosed)) as refusal:
        websockets.sync.client.connect(f"{url}/refused").__enter__()
    if isinstance(refusal.value, InvalidStatus):
        response = refusal.value.response
        assert response.status_code in (403, 409)
        if response.status_code == 409:
            assert json.loads(response.body)["code"] == "conflict"
    with websockets.sync.client.connect(f"{url}/broken") as websocket:
        websocket.send("go")
        with pytest.raises(ConnectionClosed) as closed:
            websocket.recv(timeout=10)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1011
    assert [event["code"] for event in server.expect(2)] == ["conflict", "internal"]
