"""In-process drivers: a callable that serves n requests, without a socket and without a client."""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import Callable
from typing import Any, NamedTuple

from benchmarks.scenarios import Scenario

Batch = Callable[[int], None]
"""Serves so many requests, one after the other."""

_SERVER = logging.getLogger("server")


class Answer(NamedTuple):
    """What one request was answered with; headers with lower-case names."""

    status: int
    headers: dict[str, str]
    body: bytes


def asgi(app: Any, scenario: Scenario) -> tuple[Batch, Callable[[], Answer]]:
    """The batch for an ASGI application, and one request whose answer is kept.

    Does what a server must: a new scope per request, a crash that leaves the application is
    logged and answered.
    """
    headers = [
        (b"host", b"testserver"),
        (b"user-agent", b"bench/1"),
        (b"accept", b"*/*"),
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(scenario.body)),
    ]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "server": ("127.0.0.1", 80),
        "client": ("127.0.0.1", 50000),
        "scheme": "http",
        "root_path": "",
        "method": scenario.method,
        "path": scenario.path,
        "raw_path": scenario.path.encode(),
        "query_string": b"",
    }
    event = {"type": "http.request", "body": scenario.body, "more_body": False}
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)

    async def serve(send: Any) -> None:
        pending = [event]
        never = None

        async def receive() -> Any:
            nonlocal never
            if pending:
                return pending.pop()
            never = loop.create_future()  # a client that stays connected
            return await never

        try:
            await app({**scope, "headers": headers[:], "state": {}}, receive, send)
        except Exception as exception:
            _SERVER.error("Exception in ASGI application\n", exc_info=exception)

    async def discard(message: Any) -> None:
        pass

    async def many(count: int) -> None:
        for _ in range(count):
            await serve(discard)

    def once() -> Answer:
        messages: list[Any] = []

        async def keep(message: Any) -> None:
            messages.append(message)

        loop.run_until_complete(serve(keep))
        if not messages:
            return Answer(0, {}, b"")
        fields = {name.decode().lower(): value.decode("latin-1") for name, value in messages[0]["headers"]}
        return Answer(messages[0]["status"], fields, b"".join(m.get("body", b"") for m in messages[1:]))

    return lambda count: loop.run_until_complete(many(count)), once


def wsgi(app: Any, scenario: Scenario) -> tuple[Batch, Callable[[], Answer]]:
    """The same for a WSGI application."""
    environ = {
        "REQUEST_METHOD": scenario.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": scenario.path,
        "QUERY_STRING": "",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(scenario.body)),
        "SERVER_NAME": "testserver",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "testserver",
        "HTTP_USER_AGENT": "bench/1",
        "HTTP_ACCEPT": "*/*",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    begun: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        begun[:] = [int(status[:3]), headers]

    def serve() -> bytes:
        try:
            body = app({**environ, "wsgi.input": io.BytesIO(scenario.body)}, start_response)
        except Exception as exception:
            _SERVER.error("Exception in WSGI application\n", exc_info=exception)
            return b""
        try:
            return b"".join(body)
        finally:
            close = getattr(body, "close", None)
            if close is not None:
                close()

    def many(count: int) -> None:
        for _ in range(count):
            serve()

    def once() -> Answer:
        begun[:] = [0, []]
        body = serve()
        return Answer(begun[0], {name.lower(): value for name, value in begun[1]}, body)

    return many, once
