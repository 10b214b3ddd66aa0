"""With errorkit in place an application's successes are untouched: same bytes, order, chunks and back-pressure."""

from __future__ import annotations

import asyncio
import copy
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import (
    FileResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Route

from errorkit import ConflictError
from errorkit.asgi import ErrorMiddleware
from errorkit.starlette import ErrorMiddleware as StarletteMiddleware
from robustness.strict_asgi import exchange, http_scope, run, start_up, websocket_scope

START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"x-own", b"1"), (b"Set-Cookie", b"a"), (b"set-cookie", b"b")],
}
END = {"type": "http.response.body", "body": b"end", "more_body": False}
SEQUENCES: dict[str, list[dict[str, Any]]] = {
    "pathsend": [START, {"type": "http.response.pathsend", "path": "/etc/hostname"}],
    "zero copy": [
        START,
        {"type": "http.response.zerocopysend", "file": 7, "offset": 1, "count": 2, "more_body": True},
        {"type": "http.response.zerocopysend", "file": 7},
    ],
    "trailers": [
        {**START, "trailers": True},
        END,
        {"type": "http.response.trailers", "headers": [(b"x-sum", b"1")], "more_trailers": True},
        {"type": "http.response.trailers", "headers": [(b"x-end", b"2")]},
    ],
    "push": [{"type": "http.response.push", "path": "/style.css", "headers": [(b"a", b"b")]}, START, END],
    "early hint": [{"type": "http.response.early_hint", "links": [b"</a>; rel=preload"]}, START, END],
    "debug": [{"type": "http.response.debug", "info": {"template": "x"}}, START, END],
    "many chunks": [
        START,
        *({"type": "http.response.body", "body": b"%d" % n, "more_body": True} for n in range(20)),
        END,
    ],
    "empty chunks": [START, {"type": "http.response.body", "body": b"", "more_body": True}, END],
    "no headers": [{"type": "http.response.start", "status": 204}, {"type": "http.response.body"}],
    "not modified": [
        {"type": "http.response.start", "status": 304, "headers": [(b"etag", b'"1"')]},
        {"type": "http.response.body"},
    ],
    "shaped error": [
        {**START, "status": 422, "headers": [(b"content-type", b"application/json"), (b"content-length", b"12")]},
        {"type": "http.response.body", "body": b'{"own":1}   '},
    ],
    "error stream": [{**START, "status": 503}, {"type": "http.response.body", "body": b"a", "more_body": True}, END],
    "error with trailers": [
        {**START, "status": 404, "headers": [(b"content-length", b"0")], "trailers": True},
        {"type": "http.response.body", "body": b""},
        {"type": "http.response.trailers", "headers": []},
    ],
    "error file": [{**START, "status": 404}, {"type": "http.response.pathsend", "path": "/var/www/404.html"}],
}
EXTENSIONS = {
    f"http.response.{name}": {} for name in ("pathsend", "zerocopysend", "trailers", "push", "early_hint", "debug")
}


def scripted(messages: list[dict[str, Any]]) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        for message in messages:
            await send(message)

    return app


@pytest.mark.parametrize("messages", SEQUENCES.values(), ids=SEQUENCES)
@pytest.mark.parametrize("adapter", ["generic", "starlette"])
def test_every_message_passes_as_it_is(messages: list[dict[str, Any]], adapter: str) -> None:
    """All extensions, in order and unchanged, plus one header; the application's own constants untouched."""
    before = copy.deepcopy(messages)
    if adapter == "generic":
        app: Any = ErrorMiddleware(scripted(messages))
    else:

        class Endpoint:
            async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
                await scripted(messages)(scope, receive, send)

        app = Starlette(routes=[Route("/", Endpoint())], middleware=[Middleware(StarletteMiddleware)])
        start_up(app)
    scope = http_scope(headers=[(b"x-request-id", b"the-id")], extensions=EXTENSIONS)
    scope["headers"].append((b"x-mixed", b"1"))
    headers = list(scope["headers"])
    seen: list[Any] = []

    async def main() -> None:
        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            seen.append(message)

        await app(scope, receive, send)

    asyncio.run(main())
    assert messages == before
    assert scope["headers"] == headers
    expected = []
    for message in before:
        if message["type"] == "http.response.start":
            fields = [(name, value) for name, value in message.get("headers", [])]
            message = {**message, "headers": [*fields, (b"x-request-id", b"the-id")]}
        expected.append(message)
    assert seen == expected


ENDPOINTS: dict[str, Any] = {
    "text": lambda: PlainTextResponse("hello"),
    "json": lambda: JSONResponse({"a": [1, 2]}),
    "empty": lambda: Response(status_code=204),
    "redirect": lambda: RedirectResponse("/elsewhere"),
    "file": lambda: FileResponse(__file__),
    "stream": lambda: StreamingResponse(iter([b"a", b"", b"b" * 10_000])),
    "cookies": lambda: _with_cookies(),
}


def _with_cookies() -> Response:
    response = PlainTextResponse("x")
    response.set_cookie("a", "1")
    response.set_cookie("b", "2")
    return response


@pytest.mark.parametrize("make", ENDPOINTS.values(), ids=ENDPOINTS)
@pytest.mark.parametrize("gzip", [False, True])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_success_differs_by_one_header(make: Any, gzip: bool, method: str, events: list[dict[str, Any]]) -> None:
    """Bare and covered application, message by message."""

    async def endpoint(request: Any) -> Any:
        return make()

    def build(*middleware: Middleware) -> Any:
        app = Starlette(routes=[Route("/", endpoint)], middleware=[*middleware, *([Middleware(GZipMiddleware)] * gzip)])
        start_up(app)
        return app

    scope = {"method": method, "headers": [(b"accept-encoding", b"gzip"), (b"range", b"bytes=0-9")]}
    bare = run(build(), http_scope(**scope)).sent.messages
    covered = run(build(Middleware(StarletteMiddleware)), http_scope(**scope)).sent.messages
    added = [pair for pair in covered[0]["headers"] if pair not in bare[0]["headers"]]
    assert [name for name, _ in added] == [b"x-request-id"]
    covered[0]["headers"] = [pair for pair in covered[0]["headers"] if pair not in added]
    assert covered == bare
    assert events == []


@pytest.mark.parametrize("status", [200, 503])
def test_headers_and_chunks_leave_before_the_application_goes_on(status: int) -> None:
    """An application that waits for its client after each message is never deadlocked."""

    async def main() -> None:
        arrived: asyncio.Queue[str] = asyncio.Queue()

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"text/x")]})
            assert await asyncio.wait_for(arrived.get(), 5) == "http.response.start"
            for _ in range(3):
                await send({"type": "http.response.body", "body": b"x", "more_body": True})
                assert await asyncio.wait_for(arrived.get(), 5) == "http.response.body"
            await send({"type": "http.response.body", "body": b""})

        async def send(message: Any) -> None:
            await arrived.put(message["type"])

        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        await ErrorMiddleware(app)(http_scope(), receive, send)

    asyncio.run(main())


def test_back_pressure_reaches_the_application() -> None:
    """A `send` that waits keeps the application waiting: nothing is buffered."""

    async def main() -> None:
        gate, produced = asyncio.Event(), []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            for number in range(5):
                produced.append(number)
                await send({"type": "http.response.body", "body": b"x", "more_body": number < 4})

        async def send(message: Any) -> None:
            if message["type"] == "http.response.body":
                await gate.wait()

        task = asyncio.ensure_future(ErrorMiddleware(app)(http_scope(), lambda: None, send))  # type: ignore[arg-type]
        for _ in range(20):
            await asyncio.sleep(0)
        assert produced == [0]
        gate.set()
        await task
        assert produced == [0, 1, 2, 3, 4]

    asyncio.run(main())


def test_an_error_after_an_early_hint_still_has_its_envelope() -> None:
    """Informational messages are no start."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.early_hint", "links": [b"</a>; rel=preload"]})
        raise ConflictError("x")

    sent = run(ErrorMiddleware(app)).sent
    assert [message["type"].rpartition(".")[2] for message in sent.messages] == ["early_hint", "start", "body"]
    assert sent.status == 409


def test_a_websocket_passes_with_one_header() -> None:
    """Subprotocol, headers and frames as they are."""
    sequence = [
        {"type": "websocket.accept", "subprotocol": "chat", "headers": [(b"x-own", b"1")]},
        {"type": "websocket.send", "text": "a"},
        {"type": "websocket.send", "bytes": b"b"},
        {"type": "websocket.close", "code": 3000, "reason": "bye"},
    ]
    before = copy.deepcopy(sequence)
    scope = websocket_scope(headers=[(b"x-request-id", b"the-id")])
    seen = run(ErrorMiddleware(scripted(sequence)), scope).sent.messages
    assert sequence == before
    assert seen[0].pop("headers") == [(b"x-own", b"1"), (b"x-request-id", b"the-id")]
    assert before[0].pop("headers")
    assert seen == before


def test_other_scopes_pass_untouched() -> None:
    """Lifespan, and whatever a server may invent."""
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append((scope, receive, send))

    async def nothing(*_: Any) -> None: ...

    scope = {"type": "pigeon"}
    asyncio.run(ErrorMiddleware(app)(scope, nothing, nothing))  # type: ignore[arg-type]
    assert seen == [({"type": "pigeon"}, nothing, nothing)]


def test_the_scope_is_left_as_it_was_found() -> None:
    """But for the id in its state: no reference to the request stays behind."""
    scope = http_scope()

    async def main() -> None:
        await exchange(ErrorMiddleware(scripted([START, END])), scope)

    before = set(scope)
    asyncio.run(main())
    assert set(scope) - before == {"state"}
    assert list(scope["state"]) == ["request_id"]
