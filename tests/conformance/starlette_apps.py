"""One application of each ASGI kind that can fail in every way, for the conformance table."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Annotated, Any

from fastapi import BackgroundTasks, Cookie, Depends, FastAPI, File, Form, Header, HTTPException, UploadFile
from limits import RateLimitItemPerHour
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from pydantic import BaseModel
from sqlalchemy.exc import IntegrityError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Host, Mount, Route, Router
from starlette.staticfiles import StaticFiles

from errorkit import errors
from errorkit.asgi import ErrorMiddleware as GenericMiddleware
from errorkit.catalog import Catalog
from errorkit.fastapi import ErrorMiddleware as FastAPIMiddleware
from errorkit.starlette import ErrorMiddleware as StarletteMiddleware
from requirements import at_least

SECRET = "canary-5f1d"


class ClientGone(errors.APIError):
    """A status that no standard knows."""

    code, status, title, message = "client_closed", 499, "Client Closed Request", "The client left."


class Overloaded(errors.APIError):
    """A server status that no standard knows."""

    code, status, title, message, retryable = "overloaded", 529, "Overloaded", "Too busy.", True


class Invoice(errors.NotFoundError):
    """An invoice that is absent, or another tenant's."""

    code, concealable, message = "invoice_not_found", True, "There is no such invoice."


CATALOG = Catalog([ClientGone, Overloaded, Invoice])
MAPPED = {IntegrityError: errors.ConflictError}


class UserError(Exception):
    """An exception that the application handles itself."""


def settings(dialect: Any) -> dict[str, Any]:
    """What every application is configured with."""
    return {"dialect": dialect, "catalog": CATALOG, "exceptions": MAPPED}


class Item(BaseModel):
    """A body."""

    name: str
    size: int


class RaisingMiddleware:
    """A user's middleware that raises, before or instead of calling its application."""

    def __init__(self, inner: Any, path: str, error: Exception) -> None:
        self.hidden = inner  # not `.app`: it hides what it wraps
        self.path, self.error = path, error

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"] == self.path:
            raise self.error
        await self.hidden(scope, receive, send)


async def _raise_in_base_http(request: Request, call_next: Any) -> Response:
    if request.url.path == "/base-http-middleware":
        raise errors.ConflictError("from BaseHTTPMiddleware")
    response: Response = await call_next(request)
    return response


def fastapi_app(dialect: Any, directory: Path) -> FastAPI:
    """FastAPI with everything that can fail."""
    app = FastAPI(**({"max_body_size": 2000} if at_least("fastapi", "0.164") else {}))
    _routes(app)
    app.mount("/sub", _sub_fastapi())
    app.mount("/starlette", _sub_starlette())
    app.mount("/static", StaticFiles(directory=directory))
    own = FastAPI()
    own.add_middleware(FastAPIMiddleware, **settings("korad"))

    @own.get("/boom")
    def own_boom() -> None:
        raise RuntimeError(SECRET)

    app.mount("/own", own)
    app.add_exception_handler(UserError, _users_answer)
    app.add_middleware(RaisingMiddleware, path="/middleware-before", error=errors.ConflictError("from a middleware"))
    app.add_middleware(BaseHTTPMiddleware, dispatch=_raise_in_base_http)
    app.add_middleware(FastAPIMiddleware, **settings(dialect))
    app.add_middleware(RaisingMiddleware, path="/middleware-after", error=errors.ConflictError("from a middleware"))
    app.add_middleware(RaisingMiddleware, path="/middleware-crash", error=RuntimeError(SECRET))
    app.add_middleware(GZipMiddleware, minimum_size=10**6)
    app.add_middleware(CORSMiddleware, allow_origins=["https://good.test"], allow_methods=["GET"])
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["api.test", "other.test"])
    return app


async def _users_answer(request: Request, exception: Exception) -> Response:
    return PlainTextResponse("mine", status_code=418)


def _routes(app: FastAPI) -> None:
    limiter = FixedWindowRateLimiter(MemoryStorage())
    quota = RateLimitItemPerHour(1)
    limiter.hit(quota, "k")

    @app.get("/raised")
    async def raised() -> None:
        raise errors.ConflictError("Version 7 is already published.", param="/version")

    @app.get("/raised-sync")
    def raised_sync() -> None:
        raise errors.ConflictError("in a thread")

    @app.get("/499")
    async def gone() -> None:
        raise ClientGone

    @app.get("/529")
    async def busy() -> None:
        raise Overloaded

    @app.get("/http-exception")
    async def http_exception() -> None:
        raise HTTPException(403, "Not yours.")

    @app.get("/http-exception-headers")
    async def http_exception_headers() -> None:
        raise HTTPException(401, headers={"WWW-Authenticate": 'Basic realm="x"', "X-Extra": "1"})

    @app.get("/http-exception-503")
    async def http_exception_503() -> None:
        raise HTTPException(503, f"db {SECRET} is down", headers={"Retry-After": "17"})

    @app.get("/http-exception-teapot")
    async def teapot() -> None:
        raise HTTPException(418)

    @app.get("/redirect")
    async def redirect() -> None:
        raise HTTPException(307, headers={"Location": "/raised"})

    @app.post("/items")
    async def create(item: Item) -> None: ...

    @app.get("/path/{number}")
    async def in_path(number: int) -> None: ...

    @app.get("/query")
    async def in_query(number: int) -> None: ...

    @app.get("/header")
    async def in_header(x_number: Annotated[int, Header()]) -> None: ...

    @app.get("/cookie")
    async def in_cookie(number: Annotated[int, Cookie()]) -> None: ...

    @app.post("/form")
    async def in_form(number: Annotated[int, Form()]) -> None: ...

    @app.post("/file")
    async def in_file(file: Annotated[UploadFile, File()]) -> None: ...

    @app.get("/crash")
    async def crash() -> None:
        raise RuntimeError(SECRET)

    @app.get("/timeout")
    async def timeout() -> None:
        raise TimeoutError(SECRET)

    @app.get("/mapped")
    async def mapped() -> None:
        raise IntegrityError(f"INSERT {SECRET}", {}, Exception(SECRET))

    @app.get("/group")
    async def group() -> None:
        raise ExceptionGroup("tasks", [ExceptionGroup("inner", [errors.ConflictError("in a group")])])

    @app.get("/mixed-group")
    async def mixed_group() -> None:
        raise ExceptionGroup("tasks", [errors.ConflictError("in a group"), ValueError(SECRET)])

    def failing() -> None:
        raise errors.AuthenticationError("No key.")

    def crashing() -> None:
        raise RuntimeError(SECRET)

    def teardown() -> Iterator[None]:
        yield
        raise RuntimeError(SECRET)

    @app.get("/dependency", dependencies=[Depends(failing)])
    async def dependency() -> None: ...

    @app.get("/dependency-crash", dependencies=[Depends(crashing)])
    async def dependency_crash() -> None: ...

    @app.get("/dependency-teardown", dependencies=[Depends(teardown)])
    async def dependency_teardown() -> dict[str, str]:
        return {"ok": "yes"}

    @app.get("/dependency-teardown-first", dependencies=[Depends(teardown, scope="function")])
    async def dependency_teardown_first() -> dict[str, str]:
        return {"ok": "yes"}

    @app.get("/response-model", response_model=Item)
    async def response_model() -> Any:
        return {"name": SECRET}

    @app.get("/background")
    async def background(tasks: BackgroundTasks) -> dict[str, str]:
        tasks.add_task(crashing)
        return {"ok": "yes"}

    @app.get("/stream-at-once")
    async def stream_at_once() -> StreamingResponse:
        return StreamingResponse(_chunks(0))

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        return StreamingResponse(_chunks(2))

    @app.get("/sse")
    async def sse() -> StreamingResponse:
        return StreamingResponse(_events(), media_type="text/event-stream")

    @app.post("/disconnect")
    async def disconnect(request: Request) -> None:
        await request.body()

    @app.get("/empty-404")
    async def empty() -> Response:
        return Response(status_code=404)

    @app.get("/line-409")
    async def line() -> Response:
        return PlainTextResponse("Version 7 exists.", 409)

    @app.get("/line-502")
    async def line_502() -> Response:
        return PlainTextResponse(f"cannot reach {SECRET}", 502)

    @app.get("/detail-404")
    async def detail() -> Response:
        return JSONResponse({"detail": "No such thing."}, 404)

    @app.get("/limited")
    async def limited() -> dict[str, str]:
        if limiter.hit(quota, "k"):
            return {}
        raise HTTPException(429, headers={"Retry-After": "3600"})

    @app.get("/tenant/{which}")
    async def tenant(which: str) -> None:
        if which == "absent":
            raise Invoice("There is none.")
        raise errors.ForbiddenError("It is t2's.", resource_tenant="t2", caller_tenant="t1", conceal_as=Invoice)

    @app.get("/own-json")
    async def own_json() -> Response:
        return JSONResponse({"mine": True}, 400)

    @app.get("/own-gzip")
    async def own_gzip() -> Response:
        return Response(gzip.compress(b"x"), 400, {"content-encoding": "gzip", "content-type": "text/plain"})

    @app.get("/own-stream")
    async def own_stream() -> Response:
        return StreamingResponse(_text(), 400, media_type="text/plain")

    @app.get("/own-html")
    async def own_html() -> Response:
        return Response("<title>Oh no</title>", 400, media_type="text/html")

    @app.get("/own-handler")
    async def own_handler() -> None:
        raise UserError

    @app.get("/ok")
    async def ok() -> dict[str, str]:
        return {"ok": "yes"}


async def _chunks(count: int) -> AsyncIterator[bytes]:
    for number in range(count):
        yield b"%d" % number
    raise RuntimeError(SECRET)


async def _events() -> AsyncIterator[bytes]:
    yield b"data: 1\n\n"
    raise errors.ServiceUnavailableError("The model went away.")


async def _text() -> AsyncIterator[bytes]:
    yield b"so "
    yield b"long"


def _sub_fastapi() -> FastAPI:
    sub = FastAPI()

    @sub.get("/raised")
    def raised() -> None:
        raise errors.GoneError("in a mount")

    @sub.get("/crash")
    def crash() -> None:
        raise RuntimeError(SECRET)

    @sub.get("/number/{number}")
    def number(number: int) -> None: ...

    nested = FastAPI()

    @nested.get("/raised")
    def nested_raised() -> None:
        raise HTTPException(410, "deep down")

    sub.mount("/nested", nested)
    return sub


def _sub_starlette() -> Starlette:
    async def raised(request: Request) -> Response:
        raise StarletteHTTPException(409, "in a Starlette")

    async def crash(request: Request) -> Response:
        raise RuntimeError(SECRET)

    async def in_router(request: Request) -> Response:
        raise errors.LockedError

    return Starlette(
        routes=[
            Route("/raised", raised),
            Route("/crash", crash),
            Mount("/router", Router([Route("/locked", in_router)])),
        ]
    )


def starlette_app(dialect: Any, directory: Path) -> Starlette:
    """Starlette with what can fail there."""

    async def raised(request: Request) -> Response:
        raise errors.ConflictError("Version 7 is already published.", param="/version")

    def raised_sync(request: Request) -> Response:
        raise errors.ConflictError("in a thread")

    async def http_exception(request: Request) -> Response:
        raise StarletteHTTPException(403, "Not yours.")

    async def crash(request: Request) -> Response:
        raise RuntimeError(SECRET)

    async def read_json(request: Request) -> Response:
        return JSONResponse(await request.json())

    async def own_json(request: Request) -> Response:
        return JSONResponse({"mine": True}, 400)

    async def sse(request: Request) -> Response:
        return StreamingResponse(_events(), media_type="text/event-stream")

    async def stream(request: Request) -> Response:
        return StreamingResponse(_chunks(2))

    async def empty(request: Request) -> Response:
        return Response(status_code=404)

    limit: dict[str, Any] = {"max_body_size": 1000} if at_least("starlette", "1.6") else {}
    app = Starlette(
        routes=[
            Host("other.test", _sub_starlette()),
            Route("/raised", raised),
            Route("/raised-sync", raised_sync),
            Route("/http-exception", http_exception),
            Route("/crash", crash),
            Route("/json", read_json, methods=["POST"], **limit),
            Route("/own-json", own_json),
            Route("/sse", sse),
            Route("/stream", stream),
            Route("/empty-404", empty),
            Mount("/static", StaticFiles(directory=directory)),
            Mount("/starlette", _sub_starlette()),
        ]
    )
    app.add_middleware(StarletteMiddleware, **settings(dialect))
    app.add_middleware(RaisingMiddleware, path="/middleware-after", error=errors.ConflictError("from a middleware"))
    return app


def generic_app(dialect: Any, directory: Path) -> Any:
    """An ASGI application without a framework."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        path = scope["path"]
        if path == "/raised":
            raise errors.ConflictError("Version 7 is already published.", param="/version")
        if path == "/crash":
            raise RuntimeError(SECRET)
        if path == "/mapped":
            raise IntegrityError(f"INSERT {SECRET}", {}, Exception(SECRET))
        if path == "/silent":
            return
        if path == "/stream-at-once":
            raise RuntimeError(SECRET)
        kind = b"text/event-stream" if path == "/sse" else b"text/plain"
        if path in ("/stream", "/sse"):
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind)]})
            await send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True})
            if path == "/stream":
                raise RuntimeError(SECRET)
            raise errors.ServiceUnavailableError("The model went away.")
        body, status = (b"Version 7 exists.", 409) if path == "/line-409" else (b"Not Found", 404)
        headers = [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return GenericMiddleware(app, **settings(dialect))
