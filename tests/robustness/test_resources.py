"""Many failing requests leave nothing behind: no memory, descriptors, tasks, context, frames or cache entries."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import os
import sys
import threading
import tracemalloc
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

from errorkit import APIError, ConflictError, NotFoundError, get_request_id
from errorkit.asgi import ErrorMiddleware
from errorkit.starlette import ErrorMiddleware as StarletteMiddleware
from errorkit.wsgi import ErrorMiddleware as WSGIMiddleware
from robustness.strict_asgi import exchange, http_scope, run, start_up
from robustness.strict_wsgi import serve

REQUESTS = int(os.environ.get("REQUESTS", "1000"))
SHARED = ConflictError("one instance for all requests")


@pytest.fixture(autouse=True)
def _silent() -> Iterator[None]:
    """The log is written, and forgotten."""

    def forget(_logger: Any, _method: str, _event: Any) -> Any:
        raise structlog.DropEvent

    structlog.configure(processors=[forget])
    yield
    structlog.reset_defaults()


async def mixed(request: Any) -> Any:
    """A failure of another kind at each number."""
    number = int(request.path_params["number"])
    kind = number % 11
    if kind == 0:
        raise ValueError(f"stranger {number}")
    if kind == 1:
        raise SHARED
    if kind == 2:  # a fresh class each time
        raise type(f"Fresh{number}", (APIError,), {"code": f"fresh_{number}", "status": 409})(f"message {number}")
    if kind == 3:
        raise type(f"Stranger{number}", (Exception,), {})("x")
    if kind == 4:
        raise HTTPException(404, f"no {number}")
    if kind == 5:
        raise ExceptionGroup("g", [ConflictError(str(number)), NotFoundError()])
    if kind == 6:
        return PlainTextResponse("x", status_code=400 + number % 100)
    if kind == 7:

        async def torn() -> Any:
            yield b"half"
            raise ValueError("torn")

        return StreamingResponse(torn())
    if kind == 8:
        return PlainTextResponse("done", background=BackgroundTask(int, "no number"))
    if kind == 9:
        raise ConflictError("x" * 20_000, extra={"n": number})
    raise KeyError(number) from ValueError("cause")


def app() -> Any:
    made = Starlette(
        routes=[Route("/{number:int}", mixed)], middleware=[Middleware(StarletteMiddleware, dialect="problem")]
    )
    start_up(made)
    return made


@pytest.mark.unrecorded
def test_thousands_of_mixed_failures_leave_nothing_behind() -> None:
    """Memory, descriptors, tasks, threads and context are flat after fresh classes, paths and messages."""
    covered = app()

    async def serve_all(start: int, count: int) -> None:
        for number in range(start, start + count):
            await exchange(covered, http_scope(f"/{number}"))

    def forget() -> None:  # the caches, which have a test of their own
        for table in caches(covered):
            table.clear()
        gc.collect()

    async def main() -> None:
        warm = 330
        await serve_all(0, warm)
        forget()
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        descriptors, threads = len(os.listdir("/proc/self/fd")), threading.active_count()
        context = len(contextvars.copy_context())
        await serve_all(warm, REQUESTS)
        forget()
        grown = tracemalloc.get_traced_memory()[0] - before
        tracemalloc.stop()
        print(f"{REQUESTS} requests: {grown} bytes, {len(asyncio.all_tasks())} tasks")
        assert grown < 100_000
        assert len(os.listdir("/proc/self/fd")) == descriptors
        assert threading.active_count() == threads
        assert len(contextvars.copy_context()) == context
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(main())


def caches(covered: Any) -> list[dict[Any, Any]]:
    """Every table that grows with what is served."""
    handler = covered.router.middleware_stack.handler
    identifier = handler.identifier
    tables = [identifier._specs, identifier._translator_of, handler.catalog._fallbacks]
    tables.append(handler.presenter._declared)
    for _, renderer in handler.renderers:
        tables += [renderer._templates, renderer._headers, renderer.prepared]
    return tables


def test_every_cache_is_bounded() -> None:
    """Fresh classes, messages, statuses and paths do not fill tables without end."""
    covered = app()

    async def main() -> None:
        for number in range(0, 2 * 1024 * 11, 11):
            await exchange(covered, http_scope(f"/{number + 2}"))

    asyncio.run(main())
    sizes = [len(table) for table in caches(covered)]
    assert max(sizes) <= 1024, sizes
    assert sum(sizes) > 100, "the requests did reach the caches"


def test_a_class_that_the_application_lets_go_of_is_let_go_of() -> None:
    """Exception classes that are made for one request are not remembered by it."""
    made: list[weakref.ref[Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        cls = type("Once", (Exception,), {"weight": bytearray(10_000)})
        made.append(weakref.ref(cls))
        raise cls("words")

    covered = ErrorMiddleware(app)

    async def main() -> None:
        for _ in range(300):
            await exchange(covered, http_scope())

    asyncio.run(main())
    gc.collect()
    assert len(made) == 300
    assert sum(reference() is not None for reference in made) <= 2


class Big:
    """Something of a request that must be released."""


@pytest.mark.parametrize("kind", ["stranger", "shared", "chained", "group", "success"])
def test_what_a_request_held_is_released_without_the_collector(kind: str) -> None:
    """No cycle and no kept frame: the reference count alone lets go, also of a shared instance's frames."""
    held: list[weakref.ref[Any]] = []

    async def endpoint(request: Any) -> Any:
        big = Big()
        held.append(weakref.ref(big))
        held.append(weakref.ref(request))
        if kind == "stranger":
            raise ValueError("x")
        if kind == "shared":
            raise SHARED
        if kind == "chained":
            try:
                raise KeyError("inner")
            except KeyError:
                raise SHARED  # noqa: B904
        if kind == "group":
            raise ExceptionGroup("g", [SHARED])
        return PlainTextResponse("fine")

    covered = Starlette(routes=[Route("/", endpoint)], middleware=[Middleware(StarletteMiddleware)])
    start_up(covered)

    async def main() -> None:
        await exchange(covered, http_scope())
        gc.collect()
        gc.disable()
        try:
            await exchange(covered, http_scope())
            assert held[2]() is None, "a local variable of the endpoint"
        finally:
            gc.enable()

    asyncio.run(main())


def test_a_scope_and_its_request_do_not_hold_each_other() -> None:
    """A request that succeeds leaves no work for the collector."""

    class Scope(dict[str, Any]):
        pass

    async def fine(scope: Any, receive: Any, send: Any) -> None:
        await PlainTextResponse("fine")(scope, receive, send)

    covered = ErrorMiddleware(fine)

    async def main() -> Any:
        scope = Scope(http_scope())
        await exchange(covered, scope)
        return weakref.ref(scope)

    run(covered)
    gc.collect()
    gc.disable()
    try:
        assert asyncio.run(main())() is None
    finally:
        gc.enable()


def test_a_shared_exception_does_not_grow() -> None:
    """A module-level instance, raised a thousand times: its traceback does not pile up."""
    shared = ConflictError("shared")

    async def failing(scope: Any, receive: Any, send: Any) -> None:
        raise shared

    covered = ErrorMiddleware(failing)

    async def main() -> None:
        for _ in range(1000):
            await exchange(covered, http_scope())

    asyncio.run(main())
    assert shared.__traceback__ is None
    assert set(shared.__dict__) == {"message"}
    assert shared.__context__ is None
    assert sys.getrefcount(shared) < 10


def test_concurrent_requests_do_not_mix_their_ids() -> None:
    """300 at once on one loop, failing or not."""

    async def endpoint(request: Any) -> Any:
        before = get_request_id()
        await asyncio.sleep(0.001 * (int(request.path_params["n"]) % 5))
        assert get_request_id() == before == request.headers["x-request-id"]
        if int(request.path_params["n"]) % 2:
            raise ConflictError(before or "")
        return PlainTextResponse(before or "")

    covered = Starlette(routes=[Route("/{n}", endpoint)], middleware=[Middleware(StarletteMiddleware)])
    start_up(covered)

    async def one(number: int) -> None:
        scope = http_scope(f"/{number}", headers=[(b"x-request-id", b"id-%d" % number)])
        result = await asyncio.create_task(exchange(covered, scope))
        assert result.sent.headers["x-request-id"] == f"id-{number}"
        assert f"id-{number}".encode() in result.sent.body

    async def main() -> None:
        await asyncio.gather(*map(one, range(300)))
        assert get_request_id() is None

    asyncio.run(main())


def test_threads_and_event_loops_share_one_application() -> None:
    """Eight threads with a loop each on one ASGI application, and on one WSGI application."""
    covered = app()

    def failing(environ: Any, start_response: Any) -> Any:
        raise ConflictError(get_request_id())

    wsgi = WSGIMiddleware(failing)
    problems: list[BaseException] = []

    def work(thread: int) -> None:
        try:
            for number in range(60):
                sent = run(covered, http_scope(f"/{number * 11 + 1}")).sent
                assert sent.status == 409
                answer = serve(wsgi, headers={"X-Request-ID": f"t{thread}-{number}"})
                assert answer.headers["x-request-id"] == f"t{thread}-{number}"
                assert f"t{thread}-{number}".encode() in answer.body
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert problems == []
