"""ASGI applications of no framework, and what the protocol allows them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from errorkit import ConflictError, RateLimitError
from fidelity.middlewares import UnitOfWork, Watch
from fidelity.observed import Call, Socket
from fidelity.twins import AROUND, Collection, Twin

scenario = Collection("asgi", "asgi", AROUND)
PLAIN = [(b"content-type", b"text/plain")]


def paths(**apps: Any) -> Any:
    """An application by the first segment of the path; a lifespan that it knows."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        name = scope["path"].strip("/").partition("/")[0].replace("-", "_")
        await apps[name](scope, receive, send)

    return app


def answers(status: int, body: bytes = b"fine", headers: Any = PLAIN, **start: Any) -> Any:
    """An application that answers. headers: a list, or a function that makes an iterable."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        fields = headers() if callable(headers) else [*headers, (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": status, "headers": fields, **start})
        await send({"type": "http.response.body", "body": body})

    return app


def fails(twin: Twin, make: Callable[[], BaseException], *first: Any) -> Any:
    """An application that sends some messages and raises."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        for message in first:
            await send(message)
        raise twin.raising(make())

    return app


def start(status: int = 200, **more: Any) -> dict[str, Any]:
    """A start of a response."""
    return {"type": "http.response.start", "status": status, "headers": list(PLAIN), **more}


def body(data: bytes, *, more: bool = False) -> dict[str, Any]:
    """A chunk."""
    return {"type": "http.response.body", "body": data, "more_body": more}


@scenario(Call("/crash"), Call("/declared", status=409), Call("/limited", status=429), Call("/group"), Call("/ok"))
def failures_before_the_first_byte(twin: Twin) -> Any:
    return paths(
        crash=fails(twin, lambda: RuntimeError("x")),
        declared=fails(twin, lambda: ConflictError("v7")),
        limited=fails(twin, lambda: RateLimitError("slow", retry_after=3)),
        group=fails(twin, lambda: ExceptionGroup("g", [KeyError(1), ValueError(2)])),
        ok=answers(200),
    )


@scenario(
    Call("/started"),
    Call("/chunk"),
    Call("/whole"),
    Call("/error-started", shaped=True),
    Call("/error-whole", shaped=True),
)
def failures_after_the_start(twin: Twin) -> Any:
    return paths(
        started=fails(twin, lambda: RuntimeError("x"), start()),
        chunk=fails(twin, lambda: RuntimeError("x"), start(), body(b"half", more=True)),
        whole=fails(twin, lambda: RuntimeError("x"), start(), body(b"all")),
        error_started=fails(twin, lambda: RuntimeError("x"), start(503), body(b"half\nof it", more=True)),
        error_whole=fails(twin, lambda: RuntimeError("x"), start(503), body(b"two\nlines")),
    )


@scenario(Call("/plain"), Call("/frame"), Call("/open"), Call("/length"), Call("/coded"))
def event_streams_that_fail(twin: Twin) -> Any:
    def stream(first: bytes, *fields: tuple[bytes, bytes], kind: bytes = b"text/event-stream") -> Any:
        begun = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind), *fields]}
        return fails(twin, lambda: RuntimeError("torn"), begun, body(first, more=True))

    return paths(
        plain=stream(b"a;b\n", kind=b"text/csv"),
        frame=stream(b"data: 1\n\n"),
        open=stream(b"data: 1\n"),
        length=stream(b"data: 1\n\n", (b"content-length", b"99")),
        coded=stream(b"data: 1\n\n", (b"content-encoding", b"identity")),
    )


@scenario(Call("/nothing"), Call("/only-start"), Call("/half"))
def applications_that_stop(twin: Twin) -> Any:
    async def nothing(scope: Any, receive: Any, send: Any) -> None:
        twin.step("returned")

    async def only_start(scope: Any, receive: Any, send: Any) -> None:
        await send(start())

    async def half(scope: Any, receive: Any, send: Any) -> None:
        await send(start())
        await send(body(b"half", more=True))

    return paths(nothing=nothing, only_start=only_start, half=half)


@scenario(Call("/list"), Call("/iterator"), Call("/tuple"), Call("/none"), Call("/upper"), Call("/error-iterator"),
          Call("/shaped-iterator", shaped=True))  # fmt: skip
def headers_in_every_form(twin: Twin) -> Any:
    """F-25."""
    fields = [(b"content-type", b"text/x"), (b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")]

    async def none(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body"})

    def error() -> Any:
        return iter([(b"content-type", b"text/plain"), (b"content-length", b"9"), (b"set-cookie", b"a=1")])

    return paths(
        list=answers(200, headers=lambda: [list(field) for field in fields]),
        iterator=answers(200, headers=lambda: iter(fields)),
        tuple=answers(200, headers=lambda: tuple(fields)),
        none=none,
        upper=answers(200, headers=lambda: [(b"Content-Type", b"text/x")]),
        error_iterator=answers(404, b"Not Found", error),
        shaped_iterator=answers(404, b"one\ntwo", lambda: iter(fields)),
    )


@scenario(Call("/seen", extra={"headers": lambda: iter([(b"host", b"api.test"), (b"x-own", b"1")])}),
          Call("/seen", extra={"headers": lambda: ((b"x-request-id", b"inbound-1"), (b"x-own", b"1"))}),
          Call("/seen", extra={"headers": None}), Call("/crash", extra={"headers": None}),
          Call("/crash", extra={"headers": lambda: iter(())}))  # fmt: skip
def headers_of_a_request_in_every_form(twin: Twin) -> Any:
    """F-25, F-33."""

    async def seen(scope: Any, receive: Any, send: Any) -> None:
        twin.step(f"headers {sorted(scope['headers']) if 'headers' in scope else None}")
        await answers(200)(scope, receive, send)

    return paths(seen=seen, crash=fails(twin, lambda: RuntimeError("x")))


@scenario(Call("/trailers"), Call("/pathsend"), Call("/push"), Call("/hint"), Call("/debug"), Call("/unknown"),
          Call("/zero-copy"), Call("/error-trailers", shaped=True))  # fmt: skip
def messages_of_extensions(twin: Twin) -> Any:
    def sends(*messages: Any) -> Any:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            for message in messages:
                await send(dict(message))

        return app

    trailers = {"type": "http.response.trailers", "headers": [(b"x-sum", b"1")], "more_trailers": False}
    return paths(
        trailers=sends(start(trailers=True), body(b"a"), trailers),
        pathsend=sends(start(), {"type": "http.response.pathsend", "path": "/x"}),
        push=sends({"type": "http.response.push", "path": "/x", "headers": []}, start(), body(b"a")),
        hint=sends({"type": "http.response.early_hint", "links": []}, start(), body(b"a")),
        debug=sends({"type": "http.response.debug", "info": {}}, start(), body(b"a")),
        unknown=sends(start(), {"type": "http.response.unheard-of", "value": 1}, body(b"a")),
        zero_copy=sends(start(), {"type": "http.response.zerocopysend", "file": 3}, body(b"a")),
        error_trailers=sends(start(404, trailers=True), body(b"Not Found"), trailers),
    )


@scenario(Call("/phrase"), Call("/line"), Call("/detail"), Call("/chunks"), Call("/lines", shaped=True),
          Call("/json", shaped=True), Call("/coded", shaped=True), Call("/challenge"), Call("/etag"))  # fmt: skip
def answers_of_other_code(twin: Twin) -> Any:
    async def chunks(scope: Any, receive: Any, send: Any) -> None:
        await send({**start(404), "headers": [*PLAIN, (b"content-length", b"9")]})
        await send(body(b"Not ", more=True))
        await send(body(b"Found"))

    json = [(b"content-type", b"application/json")]
    return paths(
        phrase=answers(404, b"Not Found"),
        line=answers(403, b"No such door."),
        detail=answers(409, b'{"detail": "v7"}', json),
        chunks=chunks,
        lines=answers(500, b"one\ntwo"),
        json=answers(400, b'{"detail": "x", "code": 1}', json),
        coded=answers(404, b"Not Found", [*PLAIN, (b"content-encoding", b"x-own")]),
        challenge=answers(401, b"Unauthorized", [*PLAIN, (b"www-authenticate", b'Basic realm="x"')]),
        etag=answers(404, b"Not Found", [*PLAIN, (b"etag", b'"1"'), (b"x-own", b"1"), (b"set-cookie", b"a=1")]),
    )


@scenario(Call("/page", "HEAD", shaped=True), Call("/page", shaped=True), Call("/empty", "HEAD"), Call("/empty"),
          Call("/crash", "HEAD"))  # fmt: skip
def head_is_as_get(twin: Twin) -> Any:
    """F-22."""
    page = b"<h1>Lost?</h1>" * 40

    async def html(scope: Any, receive: Any, send: Any) -> None:
        fields = [(b"content-type", b"text/html"), (b"content-length", b"%d" % len(page))]
        await send({"type": "http.response.start", "status": 404, "headers": fields})
        await send(body(b"" if scope["method"] == "HEAD" else page))

    return paths(page=html, empty=answers(404, b"", []), crash=fails(twin, lambda: RuntimeError("x")))


@scenario(Call("/own"), Call("/own-error"), Call("/own-shaped", shaped=True), Call("/two"))
def request_ids_of_the_application(twin: Twin) -> Any:
    """F-29."""
    own = [*PLAIN, (b"X-Request-ID", b"upstream-77")]
    return paths(
        own=answers(200, headers=own),
        own_error=answers(404, b"Not Found", own),
        own_shaped=answers(404, b"one\ntwo", own),
        two=answers(200, headers=[*own, (b"x-request-id", b"upstream-78")]),
    )


@scenario(Call("/crash"), Call("/ok"), Call("/half"))
def middlewares_inside(twin: Twin) -> Any:
    app = paths(
        crash=fails(twin, lambda: RuntimeError("x")),
        ok=answers(200),
        half=fails(twin, lambda: RuntimeError("x"), start(), body(b"half", more=True)),
    )
    return Watch(UnitOfWork(app, twin), twin)


@scenario(Call("/silent", leaves="disconnect"), Call("/raises", leaves="disconnect"), Call("/half", leaves="disconnect"),
          Call("/send", leaves="send"), Call("/cancel", leaves="cancel"), Call("/exit", leaves="cancel"))  # fmt: skip
def clients_that_leave(twin: Twin) -> Any:
    """F-19."""
    from starlette.requests import ClientDisconnect

    async def gone(receive: Any) -> None:
        while (await receive())["type"] != "http.disconnect":
            twin.step("asked")

    async def silent(scope: Any, receive: Any, send: Any) -> None:
        await gone(receive)

    async def raises(scope: Any, receive: Any, send: Any) -> None:
        await gone(receive)
        raise twin.raising(ClientDisconnect())

    async def half(scope: Any, receive: Any, send: Any) -> None:
        await send(start())
        await send(body(b"half", more=True))
        await gone(receive)

    async def sends(scope: Any, receive: Any, send: Any) -> None:
        await send(start())
        await send(body(b"a", more=True))
        await send(body(b"b"))

    async def cancel(scope: Any, receive: Any, send: Any) -> None:
        try:
            await twin.stall()
        finally:
            twin.step("released")

    async def started(scope: Any, receive: Any, send: Any) -> None:
        await send(start())
        await twin.stall()

    return paths(silent=silent, raises=raises, half=half, send=sends, cancel=cancel, exit=started)


@scenario(
    Socket("/early", chosen=True), Socket("/early", chosen=True, denial=False), Socket("/crash"),
    Socket("/crash", denial=False), Socket("/after", says=("x",)), Socket("/deny", shaped=True), Socket("/echo", says=("a",)),
    Socket("/later", chosen=True), Socket("/bare-close"), Socket("/echo", says=("b",), extra={"headers": None}),
)  # fmt: skip
def websockets(twin: Twin) -> Any:
    """F-20."""

    async def connect(receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept", "headers": [(b"x-own", b"1")]})

    async def early(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.close", "code": 4001, "reason": "try later"})

    async def crash(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        raise twin.raising(RuntimeError("before"))

    async def after(scope: Any, receive: Any, send: Any) -> None:
        await connect(receive, send)
        raise twin.raising(RuntimeError("after"))

    async def deny(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.http.response.start", "status": 402, "headers": [(b"x-plan", b"free")]})
        await send({"type": "websocket.http.response.body", "body": b"pay\nfirst"})

    async def echo(scope: Any, receive: Any, send: Any) -> None:
        await connect(receive, send)
        while (message := await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": message["text"] * 2})
        twin.step(message["type"])

    async def later(scope: Any, receive: Any, send: Any) -> None:
        await connect(receive, send)
        await send({"type": "websocket.close", "code": 4010, "reason": "enough"})

    async def bare_close(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.close"})

    return paths(early=early, crash=crash, after=after, deny=deny, echo=echo, later=later, bare_close=bare_close)


@scenario(Call("/state"), Call("/crash"))
def a_lifespan_with_state(twin: Twin) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            scope["state"]["pool"] = "open"
            twin.step("opened")
            await send({"type": "lifespan.startup.complete"})
            await receive()
            twin.step("closed")
            await send({"type": "lifespan.shutdown.complete"})
            return
        if scope["path"] == "/crash":
            raise twin.raising(RuntimeError("x"))
        await answers(200, scope["state"]["pool"].encode())(scope, receive, send)

    return app


@scenario(Call("/ok"))
def a_lifespan_that_is_not_known(twin: Twin) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            raise twin.raising(NotImplementedError(scope["type"]))
        await answers(200)(scope, receive, send)

    return app


@scenario(Call("/ok"))
def a_start_up_that_fails(twin: Twin) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})

    return app


@scenario(*[Call(f"/sub{path}", dialect=dialect, extra={"root_path": "/sub"}) for path, dialect in (
    ("/v1/crash", "openai"), ("/raw/ok", None), ("/raw/error", None), ("/v1x/error", "problem"))],
    dialect={"/v1": "openai", "/raw": None, "/": "problem"})  # fmt: skip
def prefixes_behind_a_root_path(twin: Twin) -> Any:
    """F-12."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        last = scope["path"].rpartition("/")[2]
        if last == "crash":
            raise twin.raising(RuntimeError("x"))
        await answers(*((404, b"Not Found") if last == "error" else (200, b"fine")))(scope, receive, send)

    return app


@scenario(Call("/order"))
def the_order_of_messages(twin: Twin) -> Any:
    """Every message has left before the application goes on; what it sent is not changed."""

    async def order(scope: Any, receive: Any, send: Any) -> None:
        fields = list(PLAIN)
        begun = {"type": "http.response.start", "status": 200, "headers": fields}
        await send(begun)
        twin.step(f"its own headers are {fields} in {sorted(begun)}")
        await send(body(b"a", more=True))
        await send(body(b"", more=True))
        await send(body(b"b"))
        twin.step(f"and then {(await receive())['type']}")

    return paths(order=order)


@scenario(Call("/exit", propagates=True), Call("/ok"))
def an_exception_that_is_not_an_error(twin: Twin) -> Any:
    """A class of its own that is no Exception passes as the object it is."""
    import asyncio

    async def stops(scope: Any, receive: Any, send: Any) -> None:
        raise twin.raising(asyncio.CancelledError("by itself"))

    return paths(exit=stops, ok=answers(200))
