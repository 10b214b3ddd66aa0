"""The least code that stamps an id and answers every error itself: what no library can undercut by much.

It has one fixed envelope and no configuration, handles no started response, no websocket,
no inbound id, no concealment, and logs nothing.
"""

from __future__ import annotations

import time
from contextvars import ContextVar
from os import urandom
from typing import Any

from pydantic_core import to_json

from benchmarks.scenarios import Raises

_REQUEST_ID: ContextVar[str] = ContextVar("floor_request_id")
_KEEP = (1 << 128) - 1 ^ (0xF << 76) ^ (0b11 << 62)
_MARK = (0x7 << 76) | (0b10 << 62)


class Failed(Exception):
    """The floor's own error."""

    def __init__(self, status: int, code: bytes, message: str, retry_after: int | None = None) -> None:
        self.status, self.code, self.message, self.retry_after = status, code, message, retry_after


RAISES = Raises(
    conflict=lambda message: Failed(409, b"conflict", message),
    not_found=lambda message: Failed(404, b"not_found", message),
    limited=lambda message: Failed(429, b"rate_limited", message, retry_after=7),
)


def new_id() -> str:
    stamp = time.time_ns() // 1_000_000 << 80
    return ((stamp | int.from_bytes(urandom(10), "big")) & _KEEP | _MARK).to_bytes(16, "big").hex()


def answer(exception: Exception, request_id: str) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Status, headers and body for an exception."""
    extra = []
    if isinstance(exception, Failed):
        status, code, message = exception.status, exception.code, to_json(exception.message)
        if exception.retry_after is not None:
            extra.append((b"retry-after", b"%d" % exception.retry_after))
    elif hasattr(exception, "errors"):  # a rejected request
        findings = [{"loc": e["loc"], "msg": e["msg"]} for e in exception.errors()]
        status, code, message = 422, b"invalid", to_json(findings)
    elif hasattr(exception, "status_code"):  # the framework's HTTPException
        status, code, message = exception.status_code, b"http", to_json(exception.detail)
    else:
        status, code, message = 500, b"internal", b'"An internal error occurred."'
    ident = request_id.encode("ascii")
    body = b"".join((b'{"error":{"code":"', code, b'","message":', message, b',"request_id":"', ident, b'"}}'))
    return (
        status,
        [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            (b"x-request-id", ident),
            *extra,
        ],
        body,
    )


class FloorMiddleware:
    """The floor for ASGI."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        request_id = new_id()
        _REQUEST_ID.set(request_id)
        pair = (b"x-request-id", request_id.encode("ascii"))
        started = False

        def sender(message: Any) -> Any:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                return send({**message, "headers": [*message["headers"], pair]})
            return send(message)

        try:
            await self.app(scope, receive, sender)
        except Exception as exception:
            if started:
                raise
            exception.__traceback__ = None
            status, headers, body = answer(exception, request_id)
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": body})


def cover_asgi(app: Any) -> Any:
    """Put the floor around an application whose framework answers nothing itself any more."""
    from starlette.middleware.exceptions import ExceptionMiddleware

    app.add_middleware(FloorMiddleware)
    app.middleware_stack = layer = app.build_middleware_stack()
    while not isinstance(layer, ExceptionMiddleware):
        layer = layer.app
    layer._exception_handlers.clear()
    layer._status_handlers.clear()
    return app


def cover_flask(app: Any) -> Any:
    """The floor for Flask: one handler, and a wrapper that stamps the id."""
    from werkzeug.exceptions import HTTPException
    from werkzeug.wrappers import Response

    def handle(exception: Exception) -> Any:
        if isinstance(exception, HTTPException):
            exception = Failed(exception.code or 500, b"http", exception.description or "")
        status, headers, body = answer(exception, _REQUEST_ID.get())
        return Response(
            body, status, [(name.decode(), value.decode()) for name, value in headers if name != b"x-request-id"]
        )

    app.register_error_handler(Exception, handle)
    inner = app.wsgi_app

    def stamping(environ: Any, start_response: Any) -> Any:
        request_id = new_id()
        _REQUEST_ID.set(request_id)

        def start(status: str, headers: Any, exc_info: Any = None) -> Any:
            return start_response(status, [*headers, ("X-Request-ID", request_id)], exc_info)

        return inner(environ, start)

    app.wsgi_app = stamping
    return app
