"""Drive an application in process, strictly by its protocol, and keep what it really sent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

from robustness.strict_asgi import StrictHTTP


@dataclass
class Reply:
    """What left the application: status, headers in order, body, and what it raised."""

    status: int = 0
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    complete: bool = False
    raised: BaseException | None = None
    messages: list[dict[str, Any]] = field(default_factory=list)

    def header(self, name: str) -> str | None:
        """The one value of a header; two are a failure of the test."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        assert len(values) <= 1, f"{name} was sent {len(values)} times: {values}"
        return values[0] if values else None

    def json(self) -> Any:
        """The body as JSON, strictly: no NaN."""

        def refuse(constant: str) -> None:
            raise AssertionError(f"{constant} is not JSON")

        return json.loads(self.body, parse_constant=refuse)


def scope(method: str = "GET", path: str = "/", headers: Iterable[tuple[str, str]] = (), **more: Any) -> dict[str, Any]:
    """An ASGI http scope."""
    path, _, query = path.partition("?")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(b"host", b"api.test"), *((k.lower().encode(), v.encode("latin-1")) for k, v in headers)],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 80),
        **more,
    }


async def call_asgi(
    app: Any,
    method: str = "GET",
    path: str = "/",
    headers: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
    *,
    lifespan: bool = True,
    disconnect: bool = False,
    **more: Any,
) -> Reply:
    """One request, inside of a lifespan as servers do it."""
    headers = list(headers)
    if body and not any(name.lower() == "content-length" for name, _ in headers):
        headers.append(("content-length", str(len(body))))
    reply = Reply()
    sent_scope = scope(method, path, headers, **more)
    if lifespan:
        await start(app)
    sent_body = False

    async def receive() -> dict[str, Any]:
        nonlocal sent_body
        if disconnect or sent_body:
            return {"type": "http.disconnect"}
        sent_body = True
        return {"type": "http.request", "body": body, "more_body": False}

    strict = StrictHTTP(sent_scope)

    async def send(message: dict[str, Any]) -> None:
        strict.take(message)
        reply.messages.append(message)
        if message["type"] == "http.response.start":
            assert reply.status == 0, "the response was started twice"
            reply.status = message["status"]
            reply.headers = [(k.decode("latin-1"), v.decode("latin-1")) for k, v in message.get("headers", [])]
        elif message["type"] == "http.response.body":
            assert reply.status, "a body came before the start"
            assert not reply.complete, "a body came after the last one"
            reply.body += message.get("body", b"")
            reply.complete = not message.get("more_body", False)

    try:
        await app(sent_scope, receive, send)
    except Exception as raised:
        reply.raised = raised
    return reply


async def start(app: Any) -> None:
    """Send lifespan.startup and wait for its completion; the application is left running."""
    queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    done = asyncio.Event()

    async def send(message: dict[str, Any]) -> None:
        done.set()

    async def run() -> None:
        try:
            await app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, queue.get, send)
        except Exception:
            return  # a bare ASGI application that knows no lifespan
        finally:
            done.set()

    await queue.put({"type": "lifespan.startup"})
    task = asyncio.ensure_future(run())
    await done.wait()
    await queue.put({"type": "lifespan.shutdown"})
    await task


def asgi(app: Any, method: str = "GET", path: str = "/", headers: Iterable[tuple[str, str]] = (), **more: Any) -> Reply:
    """`call_asgi` for synchronous tests."""
    return asyncio.run(call_asgi(app, method, path, headers, **more))


def wsgi(
    app: Any,
    method: str = "GET",
    path: str = "/",
    headers: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
    **more: Any,
) -> Reply:
    """One WSGI request; the iterable is closed, as servers do it."""
    reply = Reply()
    path, _, query = path.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "wsgi.input": BytesIO(body),
        "CONTENT_LENGTH": str(len(body)) if body else "",
        "HTTP_HOST": "api.test",
        **more,
    }
    for name, value in headers:
        key = name.upper().replace("-", "_")
        environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
    setup_testing_defaults(environ)

    def start_response(line: str, fields: list[tuple[str, str]], exc_info: Any = None) -> Any:
        assert reply.status == 0 or exc_info, "start_response was called twice"
        reply.status, reply.headers = int(line[:3]), list(fields)
        return lambda data: setattr(reply, "body", reply.body + data)

    chunks: Any = ()
    try:
        chunks = validator(app)(environ, start_response)
        for chunk in chunks:
            assert reply.status, "a body came before start_response"
            reply.body += chunk
        reply.complete = True
    except Exception as raised:
        reply.raised = raised
    finally:
        close = getattr(chunks, "close", None)
        if close is not None:
            try:
                close()
            except Exception as raised:
                reply.raised = raised
    return reply


def failures(log: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The events of failed requests."""
    return [event for event in log if event["event"] == "request_failed"]
