"""Runs in a process of its own: build each application bare, bare again and covered, drive them alike, print what was recorded.

python -m telemetry.driving_twins <process>
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from contextvars import copy_context
from io import BytesIO, StringIO
from typing import Any

import structlog

from telemetry.applications import BUILDERS, COVERS
from telemetry.driven_requests import REQUESTS, Request
from telemetry.instrumentations import INSTRUMENTATIONS, Instrumentation
from telemetry.observing import OBSERVERS, Record

EVENTS: list[Record] = []
"""errorkit's events, with what a processor that looks at the current span sees."""


def look_at_the_span(_: Any, __: str, event: Record) -> Record:
    """The usual processor: the ids of the current span."""
    trace = sys.modules.get("opentelemetry.trace")
    if trace is not None:
        span = trace.get_current_span()
        context = span.get_span_context()
        event["span_trace_id"] = f"{context.trace_id:032x}" if context.is_valid else None
        event["span_open"] = span.is_recording()
    return event


def keep(_: Any, __: str, event: Record) -> Record:
    """The end of the chain."""
    if event["event"] != "errorkit_installed":
        names = ("code", "status", "outcome", "trace_id", "span_trace_id", "span_open")
        EVENTS.append({name: event.get(name) for name in names})
    raise structlog.DropEvent


async def drive_asgi(app: Any, request: Request) -> int:
    """One request by ASGI; the status of the answer."""
    websocket = request.kind == "websocket"
    scope: Record = {
        "type": request.kind,
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "scheme": "ws" if websocket else "http",
        "path": request.target,
        "raw_path": request.target.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"api.test"), (b"content-type", b"application/json")],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 80),
        "state": {},
        **({"subprotocols": []} if websocket else {"method": request.method}),
    }
    if request.body:
        scope["headers"].append((b"content-length", b"%d" % len(request.body)))
    coming: list[Record] = (
        [{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1000}]
        if websocket
        else [{"type": "http.request", "body": request.body, "more_body": False}]
    )
    status = 0

    async def receive() -> Record:
        if not coming:
            await asyncio.Event().wait()  # a client that stays
        return coming.pop(0)

    async def send(message: Record) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]

    with suppress(Exception):  # who sees it is not asked here
        await app(scope, receive, send)
    return status


def drive_wsgi(app: Any, request: Request) -> int:
    """One request by WSGI; the status of the answer."""
    environ = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": request.target,
        "QUERY_STRING": "",
        "SERVER_NAME": "api.test",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "api.test",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(request.body),
        "wsgi.errors": StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    status = 0

    def start_response(line: str, headers: Any, exc_info: Any = None) -> Any:
        nonlocal status
        status = int(line[:3])
        return lambda data: None

    with suppress(Exception):  # who sees it is not asked here
        body = app(environ, start_response)
        try:
            for _ in body:
                pass
        finally:
            getattr(body, "close", int)()
    return status


@asynccontextmanager
async def lifespan(app: Any) -> AsyncIterator[None]:
    """An ASGI application between its start and its end."""
    coming: asyncio.Queue[Record] = asyncio.Queue()
    told: asyncio.Queue[Record] = asyncio.Queue()
    scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
    serving = asyncio.ensure_future(app(scope, coming.get, told.put))
    for phase in ("startup", "shutdown"):
        coming.put_nowait({"type": f"lifespan.{phase}"})
        message = await told.get()
        assert message["type"] == f"lifespan.{phase}.complete", message
        if phase == "startup":
            yield
    await serving


def drive(observer: Any, instrumentation: Instrumentation, order: str, framework: str, cover: Any) -> dict[str, Record]:
    """What each request of one application makes the instrumentation record."""
    app = BUILDERS[framework](covered=cover is not None)
    served = app
    if cover is not None and order == "after":
        cover(app)
    served = instrumentation.instrument(app) or app
    if cover is not None and order != "after":
        cover(app)
    found: dict[str, Record] = {}
    observer.taken(app)

    def note(request: Request, status: int) -> None:
        found[request.name] = {**observer.taken(app), "status": status, "events": list(EVENTS)}
        EVENTS.clear()

    async def all_of_them() -> None:
        async with lifespan(served):
            for request in wanted:
                note(request, await asyncio.create_task(drive_asgi(served, request)))  # as a server does

    wanted = [request for request in REQUESTS if framework in request.frameworks]
    EVENTS.clear()
    if framework == "flask":
        for request in wanted:
            note(request, copy_context().run(drive_wsgi, served, request))
    else:
        asyncio.run(all_of_them())
    instrumentation.undo(app)
    return found


def twins(process: str) -> Iterator[tuple[str, dict[str, dict[str, Record]]]]:
    """Each case of a process, by name: the records of bare, of bare again, and of each way to cover."""
    structlog.configure(processors=[look_at_the_span, keep])
    observer = OBSERVERS[process]()
    for instrumentation in INSTRUMENTATIONS:
        for order in instrumentation.orders if instrumentation.process == process else ():
            for framework in instrumentation.frameworks:
                ways = {way: cover for (of, way), cover in COVERS.items() if of == framework}
                apps = {"bare": None, "again": None, **ways}
                yield (
                    f"{instrumentation.name}/{order}/{framework}",
                    {name: drive(observer, instrumentation, order, framework, cover) for name, cover in apps.items()},
                )


if __name__ == "__main__":
    json.dump(dict(twins(sys.argv[1])), sys.stdout)
