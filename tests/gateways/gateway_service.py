"""What is behind the gateways: a service under errorkit, and an upstream that only fails."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from errorkit.catalog import Catalog
from errorkit.dialects import Dialect
from errorkit.errors import RateLimitError, ServiceUnavailableError
from errorkit.request_id import get_request_id
from errorkit.starlette import ErrorMiddleware

PATIENCE = 20
"""Seconds until a test gives up on something that must happen."""


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
