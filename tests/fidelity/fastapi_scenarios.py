"""FastAPI applications that fail."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Depends, FastAPI, HTTPException, Query, WebSocket, WebSocketException
from fastapi.exception_handlers import http_exception_handler, request_validation_exception_handler
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, StreamingResponse
from pydantic import BaseModel, Json
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response

from errorkit import NotFoundError, RateLimitError
from fidelity.middlewares import Answers, Raises, Refuses, UnitOfWork, Watch, transaction, watching
from fidelity.observed import Answer, Call, Socket
from fidelity.twins import STARLETTE_WAYS, Collection, Twin

scenario = Collection("asgi", "fastapi", STARLETTE_WAYS)
ORIGIN = (("origin", "https://app.test"),)
JSON = (("content-type", "application/json"),)
_EARLY = ("first-without-lifespan",)


class Item(BaseModel):
    name: str
    size: int


class Missing(Exception):
    """An exception of the application's own."""


def _crash(twin: Twin, app: Any, path: str = "/crash") -> None:
    @app.get(path)
    def crash() -> None:
        raise twin.raising(RuntimeError("a crash"))


def _ok(app: Any) -> None:
    @app.get("/ok")
    def ok() -> dict[str, bool]:
        return {"ok": True}


# -- who sees an exception (F-01)


@scenario(Call("/transfer", "POST"), Call("/ok"), Call("/refused"))
def unit_of_work_of_base_http(twin: Twin) -> Any:
    app = twin.fastapi()
    _ok(app)
    app.middleware("http")(transaction(twin))

    @app.post("/transfer")
    def transfer() -> None:
        twin.step("debit written")
        raise twin.raising(RuntimeError("before the other half"))

    @app.get("/refused")
    def refused() -> None:
        raise twin.raising(HTTPException(409, "busy"))

    return app


@scenario(Call("/transfer", "POST"), Call("/ok"), Call("/declared"))
def unit_of_work_of_pure_asgi(twin: Twin) -> Any:
    app = twin.fastapi()
    _ok(app)
    app.add_middleware(UnitOfWork, twin=twin)

    @app.post("/transfer")
    async def transfer() -> None:
        twin.step("debit written")
        raise twin.raising(LookupError("before the other half"))

    @app.get("/declared")
    def declared() -> None:
        raise twin.declared(HTTPException(409, "v7"))

    return app


@scenario(Call("/transfer"), Call("/ok"))
def unit_of_work_by_a_dependency(twin: Twin) -> Any:
    app = twin.fastapi()

    def session() -> Iterator[str]:
        twin.step("BEGIN")
        try:
            yield "session"
        except Exception as error:
            twin.step(f"ROLLBACK for {twin.label(error)}")
            raise
        twin.step("COMMIT")

    @app.get("/transfer")
    def transfer(session: Annotated[str, Depends(session)]) -> None:
        raise twin.raising(KeyError("row"))

    @app.get("/ok")
    def ok(session: Annotated[str, Depends(session)]) -> str:
        return session

    return app


@scenario(Call("/missing", shaped=True), Call("/crash"), Call("/value"))
def a_middleware_that_answers_an_exception(twin: Twin) -> Any:
    app = twin.fastapi()
    _crash(twin, app)
    app.add_middleware(Answers, twin=twin, kind=Missing)
    app.add_middleware(Watch, twin=twin)

    @app.get("/missing")
    def missing() -> None:
        raise twin.raising(Missing("collection"))

    @app.get("/value")
    def value() -> None:
        raise twin.raising(ValueError("no"))

    return app


@scenario(Call("/bad", shaped=True), Call("/model", shaped=True))
def a_base_http_that_turns_exceptions_into_400(twin: Twin) -> Any:
    app = twin.fastapi()

    @app.middleware("http")
    async def answers(request: Request, call_next: Any) -> Any:
        try:
            return await call_next(request)
        except ValueError as error:
            twin.saw("base", error)
            return JSONResponse({"error": type(error).__name__}, 400)

    @app.get("/bad")
    def bad() -> None:
        raise twin.raising(ValueError("bad"))

    @app.get("/model")
    def model() -> None:
        Item.model_validate({"name": "n", "size": "huge"})

    return app


@scenario(Call("/crash"), Call("/http"), Call("/nope"), Call("/item", "POST", JSON, b"{}"))
def three_watching_middlewares(twin: Twin) -> Any:
    app = twin.fastapi()
    _crash(twin, app)
    app.add_middleware(Watch, twin=twin, name="inner")
    app.add_middleware(BaseHTTPMiddleware, dispatch=watching(twin))
    app.add_middleware(Watch, twin=twin, name="outer")

    @app.get("/http")
    def http() -> None:
        raise twin.raising(HTTPException(403, "closed", headers={"x-reason": "night"}))

    @app.post("/item")
    def item(item: Item) -> None: ...

    return app


@scenario(Call("/group"), Call("/key"), Call("/base"))
def crashes_of_every_kind_seen_by_a_middleware(twin: Twin) -> Any:
    app = twin.fastapi()
    app.add_middleware(Watch, twin=twin)

    @app.get("/group")
    async def group() -> None:
        raise twin.raising(ExceptionGroup("two", [ValueError("a"), KeyError("b")]))

    @app.get("/key")
    def key() -> None:
        raise twin.raising(KeyError("k"))

    @app.get("/base")
    async def base() -> None:
        try:
            raise ValueError("cause")
        except ValueError as cause:
            raise twin.raising(RuntimeError("effect")) from cause

    return app


@scenario(Call("/crash"), Call("/nope"), Call("/http"))
def an_overridden_middleware_stack(twin: Twin) -> Any:
    """F-09: a layer that is not in `user_middleware`."""
    app = twin.fastapi()
    _crash(twin, app)
    build = app.build_middleware_stack
    app.build_middleware_stack = lambda: Watch(build(), twin, "around everything")

    @app.get("/http")
    def http() -> None:
        raise HTTPException(401, "who", headers={"www-authenticate": 'Basic realm="x"'})

    return app


@scenario(Call("/crash", headers=ORIGIN), Call("/nope", headers=ORIGIN), Call("/ok", headers=ORIGIN))
def cors_by_an_overridden_stack(twin: Twin) -> Any:
    app = twin.fastapi()
    _crash(twin, app)
    _ok(app)
    build = app.build_middleware_stack
    app.build_middleware_stack = lambda: CORSMiddleware(build(), allow_origins=["*"])
    return app


# -- catch-all handlers and handlers of the user's (F-03, F-06, F-07)


@scenario(
    Call("/crash", shaped=True), Call("/nope"), Call("/http"), Call("/item", "POST", JSON, b"{}"), Call("/declared")
)
def a_handler_for_exception(twin: Twin) -> Any:
    app = twin.fastapi()
    _crash(twin, app)

    @app.exception_handler(Exception)
    async def catch_all(request: Request, error: Exception) -> Response:
        twin.saw("catch-all", error)
        return JSONResponse({"oops": True}, 500)

    @app.get("/http")
    def http() -> None:
        raise twin.raising(HTTPException(404, "no such a"))

    @app.post("/item")
    def item(item: Item) -> None: ...

    @app.get("/declared")
    def declared() -> None:
        raise twin.declared(HTTPException(409, "v7"))

    return app


@scenario(Call("/crash", shaped=True), Call("/nope"), Call("/http-500", shaped=True))
def a_handler_for_500(twin: Twin) -> Any:
    app = twin.fastapi()
    _crash(twin, app)

    @app.exception_handler(500)
    def catch_all(request: Request, error: Exception) -> Response:
        twin.saw("500", error)
        return PlainTextResponse("sorry", 500)

    @app.exception_handler(StarletteHTTPException)
    async def http(request: Request, error: Any) -> Response:
        twin.saw("http", error)
        if error.status_code == 500:
            return JSONResponse({"own": 500}, 500)
        return await http_exception_handler(request, error)

    @app.get("/http-500")
    def http_500() -> None:
        raise twin.raising(HTTPException(500, "made by hand"))

    return app


@scenario(Call("/crash", shaped=True), Call("/nope"))
def a_catch_all_with_watchers(twin: Twin) -> Any:
    app = twin.fastapi()
    _crash(twin, app)
    app.add_middleware(Watch, twin=twin)
    app.add_exception_handler(Exception, lambda request, error: HTMLResponse("<h1>down</h1>", 503))
    return app


@scenario(Call("/crash"), Call("/ok"))
def a_catch_all_that_raises(twin: Twin) -> Any:
    app = twin.fastapi()
    _crash(twin, app)
    _ok(app)

    @app.exception_handler(Exception)
    async def catch_all(request: Request, error: Exception) -> Response:
        twin.saw("catch-all", error)
        raise twin.raising(KeyError("in the handler"))

    return app


@scenario(Call("/nope"), Call("/http"), Call("/item", "POST", JSON, b"{}"), Call("/nope", "POST"), Call("/http", "PUT"))
def handlers_that_delegate_to_the_defaults(twin: Twin) -> Any:
    app = twin.fastapi()

    @app.exception_handler(StarletteHTTPException)
    async def http(request: Request, error: Any) -> Response:
        twin.saw("http handler", error)
        return await http_exception_handler(request, error)

    @app.exception_handler(RequestValidationError)
    async def rejected(request: Request, error: Any) -> Response:
        twin.step("rejected handler")
        return await request_validation_exception_handler(request, error)

    @app.get("/http")
    def raises() -> None:
        raise twin.raising(HTTPException(418, "tea", headers={"x-pot": "blue"}))

    @app.post("/item")
    def item(item: Item) -> None: ...

    return app


@scenario(Call("/nope"), Call("/http"))
def a_handler_that_delegates_and_adds_a_task(twin: Twin) -> Any:
    app = twin.fastapi()

    @app.exception_handler(StarletteHTTPException)
    async def http(request: Request, error: Any) -> Response:
        response = await http_exception_handler(request, error)
        response.background = BackgroundTask(twin.step, "told the operator")
        return response

    @app.get("/http")
    def raises() -> None:
        raise twin.raising(HTTPException(418, "tea"))

    return app


def _forms() -> dict[str, Response]:
    return {
        "html": HTMLResponse("<html><head><title>404 Not Found</title></head><body>mine</body></html>", 404),
        "text": PlainTextResponse("not here", 404),
        "empty": Response(status_code=404),
        "json": JSONResponse({"error": "mine"}, 404),
        "detail": JSONResponse({"detail": {"mine": 1}}, 404),
        "detail-text": JSONResponse({"detail": "not the default's words"}, 404),
        "fields": JSONResponse({"why": "x"}, 410, headers={"etag": '"e"', "set-cookie": "a=1"}),
    }


@scenario(*[Call(f"/{form}", shaped=True) for form in _forms()], Call("/nope"))
def answers_of_a_users_handler_in_every_form(twin: Twin) -> Any:
    app = twin.fastapi()

    @app.exception_handler(Missing)
    def mine(request: Request, error: Missing) -> Response:
        twin.saw("mine", error)
        return _forms()[str(error)]

    @app.get("/{form}")
    def missing(form: str) -> None:
        if form == "nope":
            raise HTTPException(404)
        raise twin.raising(Missing(form))

    return app


@scenario(Call("/nope", shaped=True), Call("/http", shaped=True), Call("/crash"), Call("/ok", "POST"))
def a_handler_for_404(twin: Twin) -> Any:
    app = twin.fastapi()
    _crash(twin, app)
    _ok(app)

    @app.exception_handler(404)
    def page(request: Request, error: Any) -> Response:
        twin.step("404 page")
        return HTMLResponse("<h1>Lost?</h1>", 404)

    @app.get("/http")
    def http() -> None:
        raise twin.raising(HTTPException(404, "row"))

    return app


@scenario(Call("/mine", shaped=True), Call("/item", "POST", JSON, b"{}", shaped=True), Call("/http", shaped=True))
def a_handler_for_validation_and_a_handler_that_raises(twin: Twin) -> Any:
    app = twin.fastapi()

    @app.exception_handler(RequestValidationError)
    def rejected(request: Request, error: Any) -> Response:
        return JSONResponse({"findings": len(error.errors())}, 400)

    @app.exception_handler(Missing)
    def mine(request: Request, error: Missing) -> Response:
        raise twin.raising(HTTPException(404, "from the handler"))

    @app.exception_handler(HTTPException)
    def http(request: Request, error: HTTPException) -> Response:
        return JSONResponse({"mine": error.detail}, error.status_code)

    @app.get("/mine")
    def missing() -> None:
        raise HTTPException(404, "directly")

    @app.get("/http")
    def raises() -> None:
        raise twin.raising(Missing("x"))

    @app.post("/item")
    def item(item: Item) -> None: ...

    return app


# -- dependencies


@scenario(Call("/before"), Call("/after"), Call("/after-crash"), Call("/swallowed"), Call("/turned"), Call("/finally"))
def dependencies_with_yield(twin: Twin) -> Any:
    app = twin.fastapi()
    app.add_middleware(Watch, twin=twin)

    def before() -> Iterator[None]:
        raise twin.raising(HTTPException(401, "who are you"))
        yield

    def after() -> Iterator[None]:
        yield
        raise twin.raising(RuntimeError("at closing"))

    def sees() -> Iterator[None]:
        try:
            yield
        except RuntimeError as error:
            twin.saw("dependency", error)
            raise

    def swallows() -> Iterator[None]:
        try:
            yield
        except RuntimeError as error:
            twin.saw("swallower", error)

    def turns() -> Iterator[None]:
        try:
            yield
        except RuntimeError as error:
            twin.saw("turner", error)
            raise twin.raising(HTTPException(409, "turned")) from error

    async def closes() -> Any:
        try:
            yield
        finally:
            twin.step("closed")

    def crash() -> None:
        raise twin.raising(RuntimeError("crash"))

    app.get("/before", dependencies=[Depends(before)])(lambda: "never")
    app.get("/after", dependencies=[Depends(after)])(lambda: "sent")
    app.get("/after-crash", dependencies=[Depends(sees)])(crash)
    app.get("/swallowed", dependencies=[Depends(swallows)])(crash)
    app.get("/turned", dependencies=[Depends(turns)])(crash)
    app.get("/finally", dependencies=[Depends(closes)])(crash)
    return app


@scenario(Call("/http"), Call("/declared"), Call("/item", "POST", JSON, b'{"name": "x"}'))
def dependencies_see_http_exceptions(twin: Twin) -> Any:
    app = twin.fastapi()

    async def sees() -> Any:
        try:
            yield
        except Exception as error:
            twin.saw("dependency", error)
            raise
        finally:
            twin.step("closed")

    @app.get("/http", dependencies=[Depends(sees)])
    def http() -> None:
        raise twin.raising(HTTPException(402, "pay"))

    @app.get("/declared", dependencies=[Depends(sees)])
    def declared() -> None:
        raise twin.declared(HTTPException(409, "v7"))

    @app.post("/item", dependencies=[Depends(sees)])
    def item(item: Item) -> None: ...

    return app


@scenario(Call("/background"), Call("/two"), Call("/http"))
def background_tasks(twin: Twin) -> Any:
    app = twin.fastapi()
    app.add_middleware(Watch, twin=twin)

    def fails() -> None:
        raise twin.raising(RuntimeError("in the background"))

    @app.get("/background")
    def background(tasks: BackgroundTasks) -> str:
        tasks.add_task(twin.step, "first task")
        tasks.add_task(fails)
        tasks.add_task(twin.step, "never")
        return "sent"

    @app.get("/two")
    def two(tasks: BackgroundTasks) -> str:
        tasks.add_task(twin.step, "one")
        tasks.add_task(twin.step, "two")
        return "sent"

    @app.get("/http")
    def http(tasks: BackgroundTasks) -> str:
        def late() -> None:
            raise twin.raising(HTTPException(404, "too late"))

        tasks.add_task(late)
        return "sent"

    return app


@scenario(Call("/background"), Call("/ok"))
def background_task_under_base_http(twin: Twin) -> Any:
    app = twin.fastapi()
    _ok(app)
    app.middleware("http")(watching(twin))

    def fails() -> None:
        raise twin.raising(RuntimeError("in the background"))

    @app.get("/background")
    def background(tasks: BackgroundTasks) -> str:
        tasks.add_task(fails)
        return "sent"

    return app


# -- streams


@scenario(Call("/plain"), Call("/sse"), Call("/at-once"), Call("/whole"), Call("/sse-whole"))
def streams_that_fail(twin: Twin) -> Any:
    app = twin.fastapi()

    async def breaks(first: str) -> Any:
        yield first
        raise twin.raising(RuntimeError("torn"))

    async def at_once() -> Any:
        raise twin.raising(RuntimeError("at once"))
        yield "never"

    async def whole() -> Any:
        yield "a"
        yield "b"

    app.get("/plain")(lambda: StreamingResponse(breaks("half"), media_type="text/csv"))
    app.get("/sse")(lambda: StreamingResponse(breaks("data: 1\n\n"), media_type="text/event-stream"))
    app.get("/at-once")(lambda: StreamingResponse(at_once(), media_type="text/csv"))
    app.get("/whole")(lambda: StreamingResponse(whole(), media_type="text/plain"))
    app.get("/sse-whole")(lambda: StreamingResponse(whole(), media_type="text/event-stream"))
    return app


@scenario(Call("/plain"), Call("/whole"), Call("/crash"), Call("/http"))
def streams_under_base_http(twin: Twin) -> Any:
    app = twin.fastapi()
    _crash(twin, app)
    app.middleware("http")(watching(twin, "inner"))
    app.middleware("http")(watching(twin, "outer"))

    async def breaks() -> Any:
        yield "half"
        raise twin.raising(RuntimeError("torn"))

    async def whole() -> Any:
        yield "a"
        yield "b"

    app.get("/plain")(lambda: StreamingResponse(breaks(), media_type="text/csv"))
    app.get("/whole")(lambda: StreamingResponse(whole(), media_type="text/csv"))

    @app.get("/http")
    async def http() -> None:
        raise HTTPException(404, "row")

    return app


def _is_warning(bare: Answer, covered: Answer) -> Iterator[str]:
    """F-30: whatever the class says, the client got a broken success."""
    for event in covered.events:
        if event["log_level"] not in ("warning", "error"):
            yield f"a broken success is told at {event['log_level']}"


@scenario(Call("/torn", check=_is_warning))
def a_stream_torn_by_a_declared_error(twin: Twin) -> Any:
    app = twin.fastapi()

    async def breaks() -> Any:
        yield "half"
        raise twin.raising(NotFoundError("gone meanwhile"))

    app.get("/torn")(lambda: StreamingResponse(breaks(), media_type="text/csv"))
    return app


# -- CORS


@scenario(Call("/crash", headers=ORIGIN), Call("/http", headers=ORIGIN), Call("/nope", headers=ORIGIN),
          Call("/ok", headers=ORIGIN),
          Call("/ok", "OPTIONS", (*ORIGIN, ("access-control-request-method", "PATCH"))))  # fmt: skip
def cors(twin: Twin) -> Any:
    app = twin.fastapi()
    _crash(twin, app)
    _ok(app)
    app.add_middleware(CORSMiddleware, allow_origins=["https://app.test"], allow_credentials=True)

    @app.get("/http")
    def http() -> None:
        raise HTTPException(403, "closed")

    return app


def _readable(bare: Answer, covered: Answer) -> Iterator[str]:
    """F-10: a browser can read it."""
    if covered.values("access-control-allow-origin") != ["https://app.test"]:
        yield f"access-control-allow-origin is {covered.values('access-control-allow-origin')}"


@scenario(Call("/crash", headers=ORIGIN, check=_readable), Call("/http", headers=ORIGIN, check=_readable))
def a_crash_can_be_read_by_a_browser(twin: Twin) -> Any:
    app = twin.fastapi()
    _crash(twin, app)
    app.add_middleware(Watch, twin=twin, name="inside")
    app.add_middleware(CORSMiddleware, allow_origins=["https://app.test"])
    app.add_middleware(Watch, twin=twin, name="outside")

    @app.get("/http")
    def http() -> None:
        raise HTTPException(403, "closed")

    return app


@scenario(
    Call("/inside", headers=ORIGIN, status=409, check=_readable),
    Call("/inside-crash", headers=ORIGIN, check=_readable),
    but=_EARLY,  # nothing has reached errorkit before the first request is refused
)
def errors_of_a_middleware_inside_of_cors(twin: Twin) -> Any:
    app = twin.fastapi()
    app.add_middleware(Raises, make=lambda: twin.declared(HTTPException(409, "v7")), path="/inside")
    app.add_middleware(Raises, make=lambda: twin.raising(RuntimeError("x")), path="/inside-crash")
    app.add_middleware(CORSMiddleware, allow_origins=["https://app.test"])
    return app


@scenario(Call("/outside", headers=ORIGIN, status=409), Call("/outside-crash", headers=ORIGIN), Call("/ok"),
          but=_EARLY)  # fmt: skip
def errors_of_a_middleware_outside_of_cors(twin: Twin) -> Any:
    app = twin.fastapi()
    _ok(app)
    app.add_middleware(CORSMiddleware, allow_origins=["https://app.test"])
    app.add_middleware(Raises, make=lambda: twin.declared(HTTPException(409, "v7")), path="/outside")
    app.add_middleware(Raises, make=lambda: twin.raising(RuntimeError("x")), path="/outside-crash")
    return app


@scenario(
    Call("/api/limited", headers=ORIGIN), Call("/api/nope", headers=ORIGIN), Call("/api/declared", headers=ORIGIN)
)
def cors_of_a_mounted_router(twin: Twin) -> Any:
    """F-05."""
    app = twin.fastapi()
    router = APIRouter()

    @router.get("/limited")
    def limited() -> None:
        raise HTTPException(429, "slow down", headers={"retry-after": "7"})

    @router.get("/declared")
    def declared() -> None:
        raise twin.declared(HTTPException(409, "v7"))

    inner = FastAPI(middleware=[Middleware(CORSMiddleware, allow_origins=["*"])])
    inner.include_router(router)
    app.mount("/api", inner)
    return app


# -- without a lifespan (F-11)


@scenario(Call("/refused"), Call("/ok"), but=_EARLY)
def a_middleware_refuses_the_first_request(twin: Twin) -> Any:
    app = twin.fastapi()
    _ok(app)
    app.add_middleware(Refuses, path="/refused", make=lambda: JSONResponse({"detail": "no token"}, 401))
    return app


@scenario(Call("/crash"), Call("/nope"), Call("/http"), Call("/crash"))
def the_first_request_fails(twin: Twin) -> Any:
    app = twin.fastapi()
    _crash(twin, app)
    app.add_middleware(Watch, twin=twin)

    @app.get("/http")
    def http() -> None:
        raise HTTPException(423, "locked")

    return app


# -- prefixes and root paths (F-12)

_API = {"/v1": "openai", "/raw": None, "/": "problem"}


def _prefixed(twin: Twin, **options: Any) -> Any:
    app = twin.fastapi(**options)
    for prefix in ("/v1", "/raw", ""):

        @app.get(f"{prefix}/x")
        def x() -> None:
            raise HTTPException(409, "taken")

        _crash(twin, app, f"{prefix}/crash")
    return app


_PREFIXED = [
    ("/v1/x", "openai"), ("/raw/x", None), ("/x", "problem"), ("/v1/crash", "openai"), ("/raw/crash", None),
    ("/v1x", "problem"),
]  # fmt: skip


@scenario(*[Call(path, dialect=dialect) for path, dialect in _PREFIXED], dialect=_API)
def prefixes(twin: Twin) -> Any:
    return _prefixed(twin)


@scenario(*[Call("/api" + path, dialect=d, extra={"root_path": "/api"}) for path, d in _PREFIXED], dialect=_API)
def prefixes_behind_the_servers_root_path(twin: Twin) -> Any:
    return _prefixed(twin)


@scenario(*[Call(path, dialect=d, extra={"root_path": "/api"}) for path, d in _PREFIXED], dialect=_API)
def prefixes_behind_a_root_path_that_is_not_in_the_path(twin: Twin) -> Any:
    return _prefixed(twin)


@scenario(*[Call(path, dialect=dialect) for path, dialect in _PREFIXED], dialect=_API)
def prefixes_with_fastapis_root_path(twin: Twin) -> Any:
    return _prefixed(twin, root_path="/api")


@scenario(*[Call("/outer" + path, dialect=dialect) for path, dialect in _PREFIXED], dialect=_API)
def prefixes_in_an_application_that_is_mounted_itself(twin: Twin) -> Any:
    app = _prefixed(twin)
    outer = FastAPI()
    outer.mount("/outer", app)
    return outer


# -- rejected requests (F-13 to F-15)


@scenario(*[Call(f"/{status}") for status in (403, 404, 422, 502, 503)], Call("/plain/502"))
def an_http_exception_chained_to_a_decode_error(twin: Twin) -> Any:
    app = twin.fastapi()

    @app.get("/{status}")
    def chained(status: int) -> None:
        try:
            b"\xff".decode()
        except UnicodeDecodeError as error:
            raise twin.raising(HTTPException(status, "The upstream sent no UTF-8.")) from error

    @app.get("/plain/{status}")
    def plain(status: int) -> None:
        raise twin.raising(HTTPException(status, "upstream"))

    return app


@scenario(
    Call("/item", "POST", JSON, b"{}"), Call("/item", "POST", JSON, b'{"name": "n", "size": "x"}'), Call("/query?filter={no"), Call("/number/x"),
    Call("/form", "POST", (("content-type", "application/x-www-form-urlencoded"),), b"no_such=1"),
)  # fmt: skip
def rejected_requests(twin: Twin) -> Any:
    app = twin.fastapi()
    app.add_middleware(Watch, twin=twin)

    @app.post("/item")
    def item(item: Item) -> None: ...

    @app.get("/query")
    def query(filter: Annotated[Json[Any], Query()]) -> None: ...

    @app.get("/number/{number}")
    def number(number: int) -> None: ...

    @app.post("/form")
    def form(item: Item) -> None: ...

    return app


@scenario(
    Call("/item", "POST", JSON, b"{no"), Call("/item", "POST", JSON, b"\xff\xfe"), Call("/item", "POST", JSON, b"null")
)
def malformed_bodies(twin: Twin) -> Any:
    app = twin.fastapi()

    @app.post("/item")
    def item(item: Item) -> None: ...

    return app


@scenario(*[Call(f"/{status}?kind={kind}") for status in (403, 404, 409, 500) for kind in ("x", "json_invalid")],
          Call("/422?kind=missing"), Call("/400?kind=missing"))  # fmt: skip
def a_body_with_findings_and_another_status(twin: Twin) -> Any:
    """F-15: whether it is somebody's own or a default, the status stays; here it is let go or replaced."""
    app = twin.fastapi()

    @app.get("/{status}")
    def findings(status: int, kind: str) -> None:
        raise HTTPException(status, [{"loc": ["body"], "msg": "INTERNAL", "type": kind}])

    return app


@scenario(Call("/response"), Call("/ok"))
def a_response_model_that_does_not_fit(twin: Twin) -> Any:
    app = twin.fastapi()
    _ok(app)
    app.add_middleware(Watch, twin=twin)

    @app.get("/response", response_model=Item)
    def response() -> Any:
        return {"name": "n"}

    return app


@scenario(Call("/v1/item", "POST", JSON, b"{}", status=400, dialect="openai"),
          Call("/v1/nope", dialect="openai"), dialect="openai")  # fmt: skip
def a_dialect_with_a_status_table(twin: Twin) -> Any:
    app = twin.fastapi()

    @app.post("/v1/item")
    def item(item: Item) -> None: ...

    return app


# -- fields


@scenario(Call("/own"), Call("/own-error"), Call("/shaped", shaped=True), Call("/plain"))
def request_ids_of_the_application(twin: Twin) -> Any:
    """F-28, F-29."""
    app = twin.fastapi()

    @app.get("/own")
    def own() -> Response:
        return JSONResponse({"id": 1}, headers={"X-Request-ID": "upstream-77"})

    @app.get("/own-error")
    def own_error() -> None:
        raise HTTPException(502, "upstream", headers={"X-Request-ID": "upstream-78"})

    @app.get("/shaped")
    def shaped() -> Response:
        return JSONResponse({"mine": 1}, 418, headers={"x-request-id": "upstream-79"})

    @app.get("/plain")
    def plain() -> str:
        return "x"

    return app


@scenario(Call("/ok"), Call("/crash"), Call("/nope"))
def another_librarys_request_id(twin: Twin) -> Any:
    """F-28: a middleware that puts an id of its own on every response."""
    app = twin.fastapi()
    _ok(app)
    _crash(twin, app)

    @app.middleware("http")
    async def correlation(request: Request, call_next: Any) -> Any:
        response = await call_next(request)
        response.headers["x-request-id"] = "correlation-5"
        return response

    return app


@scenario(Call("/cookie"), Call("/depends"), Call("/ok"))
def fields_set_before_an_error(twin: Twin) -> Any:
    """Bare, cookies of the `response` parameter are lost with an exception; a middleware's stay."""
    app = twin.fastapi()
    _ok(app)

    @app.middleware("http")
    async def session(request: Request, call_next: Any) -> Any:
        response = await call_next(request)
        response.set_cookie("session", "s1")
        response.headers["server-timing"] = "db;dur=53"
        return response

    @app.get("/cookie")
    def cookie(response: Response) -> None:
        response.set_cookie("lost", "1")
        raise HTTPException(403, "closed")

    def gives(response: Response) -> None:
        response.headers["x-seen"] = "1"

    @app.get("/depends", dependencies=[Depends(gives)])
    def depends() -> None:
        raise HTTPException(401, "who", headers={"www-authenticate": "Digest", "x-more": "1"})

    return app


@scenario(
    Call("/401"), Call("/basic"), Call("/far"), Call("/date"), Call("/seconds"), Call("/many"), Call("/ok", "DELETE")
)
def fields_of_an_http_exception_stay(twin: Twin) -> Any:
    """F-39, F-42."""
    app = twin.fastapi()
    _ok(app)
    far = "Wed, 21 Oct 2099 07:28:00 GMT"
    headers = {
        "basic": (401, {"www-authenticate": 'Basic realm="x"'}),
        "far": (503, {"retry-after": far}),
        "date": (503, {"retry-after": "Thu, 01 Jan 2026 00:00:00 GMT"}),
        "seconds": (429, {"retry-after": "17"}),
        "many": (409, {"x-a": "1", "link": "</x>; rel=next", "cache-control": "max-age=5"}),
        "401": (401, None),
    }

    def endpoint(name: str) -> Any:
        status, fields = headers[name]

        def raises() -> None:
            raise HTTPException(status, "no", headers=fields)

        return raises

    for name in headers:
        app.get(f"/{name}")(endpoint(name))
    return app


@scenario(Call("/see"), Call("/not-modified"), Call("/moved"), Call("/slash"), Call("/no-content"))
def redirects_and_304_as_exceptions(twin: Twin) -> Any:
    app = twin.fastapi()
    app.get("/slash/")(lambda: "there")

    @app.get("/see")
    def see() -> None:
        raise HTTPException(303, headers={"location": "/ok"})

    @app.get("/moved")
    def moved() -> None:
        raise HTTPException(307, "moved", headers={"location": "/ok"})

    @app.get("/not-modified")
    def not_modified() -> None:
        raise HTTPException(304, headers={"etag": '"1"'})

    @app.get("/no-content")
    def no_content() -> None:
        raise HTTPException(204)

    return app


def _route(expected: str) -> Any:
    def check(bare: Answer, covered: Answer) -> Iterator[str]:
        for event in covered.events:
            if event.get("route") != expected:
                yield f"the event's route is {event.get('route')}, not {expected}"

    return check


@scenario(Call("/api/v1/users/7", check=_route("/api/v1/users/{user_id}")),
          Call("/one/7", check=_route("/one/{number}")),
          Call("/own/7", check=_route("/own/{number}")), Call("/flat/7", check=_route("/flat/{number}")))  # fmt: skip
def route_templates_with_their_prefixes(twin: Twin) -> Any:
    """F-27."""
    app = twin.fastapi()

    def missing() -> None:
        raise HTTPException(404, "row")

    users = APIRouter(prefix="/users")
    users.get("/{user_id}")(missing)
    api = APIRouter()
    api.include_router(users)
    app.include_router(api, prefix="/api/v1")
    single = APIRouter()
    single.get("/{number}")(missing)
    app.include_router(single, prefix="/one")
    own = APIRouter(prefix="/own")
    own.get("/{number}")(missing)
    app.include_router(own)
    app.get("/flat/{number}")(missing)
    return app


# -- mounts


@scenario(Call("/inner/crash"), Call("/inner/nope"), Call("/inner/http"), Call("/inner/ok"), Call("/deep/er/crash"))
def a_mounted_fastapi(twin: Twin) -> Any:
    app = twin.fastapi()
    app.add_middleware(Watch, twin=twin, name="outer")
    for path in ("/inner", "/deep/er"):
        inner = FastAPI()
        _crash(twin, inner)
        _ok(inner)
        inner.add_middleware(Watch, twin=twin, name="inner")

        @inner.get("/http")
        def http() -> None:
            raise twin.raising(HTTPException(404, "row"))

        app.mount(path, inner)
    return app


@scenario(Call("/inner/crash", shaped=True), Call("/inner/http", shaped=True), Call("/inner/nope", shaped=True))
def a_mounted_fastapi_with_handlers_of_its_own(twin: Twin) -> Any:
    app = twin.fastapi()
    inner = FastAPI()
    _crash(twin, inner)
    inner.add_exception_handler(Exception, lambda request, error: JSONResponse({"inner": "crash"}, 500))
    inner.add_exception_handler(
        StarletteHTTPException, lambda request, error: JSONResponse({"inner": 1}, error.status_code)
    )

    @inner.get("/http")
    def http() -> None:
        raise twin.raising(HTTPException(404, "row"))

    app.mount("/inner", inner)
    return app


@scenario(Call("/flask/crash"), Call("/flask/nope"), Call("/flask/ok"), Call("/flask/own", shaped=True))
def a_flask_under_wsgi_middleware(twin: Twin) -> Any:
    import warnings

    from flask import Flask, jsonify

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from starlette.middleware.wsgi import WSGIMiddleware
    app = twin.fastapi()
    inner = Flask("site", static_folder=None)

    @inner.get("/crash")
    def crash() -> str:
        raise twin.raising(RuntimeError("in Flask"))

    inner.get("/ok")(lambda: "fine")
    inner.add_url_rule("/own", "own", lambda: (jsonify(mine=1), 409))
    app.mount("/flask", WSGIMiddleware(inner))
    return app


# -- websockets


@scenario(
    Socket("/early", chosen=True), Socket("/policy", chosen=True), Socket("/depends", chosen=True),
    Socket("/handled", chosen=True), Socket("/number/x"),
    Socket("/early", chosen=True, denial=False), Socket("/policy", chosen=True, denial=False),
)  # fmt: skip
def websockets_closed_before_accept(twin: Twin) -> Any:
    """F-20."""
    app = twin.fastapi()

    @app.exception_handler(Missing)
    async def mine(websocket: WebSocket, error: Missing) -> None:
        twin.saw("mine", error)
        await websocket.close(4002, "mine")

    @app.websocket("/early")
    async def early(websocket: WebSocket) -> None:
        await websocket.close(4001, "try later")

    @app.websocket("/policy")
    async def policy(websocket: WebSocket) -> None:
        raise twin.raising(WebSocketException(1008, "no token"))

    def refuses() -> None:
        raise twin.raising(WebSocketException(4003, "by a dependency"))

    @app.websocket("/depends", dependencies=[Depends(refuses)])
    async def depends(websocket: WebSocket) -> None: ...

    @app.websocket("/handled")
    async def handled(websocket: WebSocket) -> None:
        raise twin.raising(Missing("room"))

    @app.websocket("/number/{number}")
    async def number(websocket: WebSocket, number: int) -> None: ...

    return app


@scenario(Socket("/crash"), Socket("/crash", denial=False), Socket("/crash-after", says=("hi",)),
          Socket("/http"), Socket("/nope"), Socket("/echo", says=("a", "b")))  # fmt: skip
def websockets_that_crash(twin: Twin) -> Any:
    app = twin.fastapi()
    app.add_middleware(Watch, twin=twin)

    @app.websocket("/crash")
    async def crash(websocket: WebSocket) -> None:
        raise twin.raising(RuntimeError("before"))

    @app.websocket("/crash-after")
    async def crash_after(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.receive_text()
        raise twin.raising(RuntimeError("after"))

    @app.websocket("/http")
    async def http(websocket: WebSocket) -> None:
        raise twin.raising(HTTPException(403, "closed"))

    @app.websocket("/echo")
    async def echo(websocket: WebSocket) -> None:
        await websocket.accept(headers=[(b"x-own", b"1")])
        async for text in websocket.iter_text():
            await websocket.send_text(text.upper())
        twin.step("the client closed")

    return app


@scenario(Socket("/later", says=("x",), chosen=True), Socket("/policy-after", chosen=True))
def websockets_closed_after_accept(twin: Twin) -> Any:
    app = twin.fastapi()

    @app.websocket("/later")
    async def later(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.receive_text()
        await websocket.close(4010, "enough")

    @app.websocket("/policy-after")
    async def policy(websocket: WebSocket) -> None:
        await websocket.accept()
        raise twin.raising(WebSocketException(1008, "no more"))

    return app


@scenario(Socket("/denied", shaped=True), Socket("/denied-default"))
def websockets_denied_by_a_response(twin: Twin) -> Any:
    app = twin.fastapi()

    @app.websocket("/denied")
    async def denied(websocket: WebSocket) -> None:
        await websocket.send_denial_response(JSONResponse({"mine": 1}, 402, headers={"x-plan": "free"}))

    @app.websocket("/denied-default")
    async def default(websocket: WebSocket) -> None:
        raise twin.raising(HTTPException(401, "who"))

    return app


# -- lifespan


@scenario(Call("/state"), Call("/crash"), ways=[way for way in STARLETTE_WAYS if way.lifespan])
def a_lifespan_with_state(twin: Twin) -> Any:
    @asynccontextmanager
    async def lifespan(app: Any) -> Any:
        twin.step("pool opened")
        yield {"pool": 7}
        twin.step("pool closed")

    app = twin.fastapi(lifespan=lifespan)
    _crash(twin, app)

    @app.get("/state")
    def state(request: Request) -> int:
        return int(request.state.pool)

    return app


@scenario(Call("/ok"), ways=[way for way in STARLETTE_WAYS if way.lifespan])
def a_start_up_that_fails(twin: Twin) -> Any:
    @asynccontextmanager
    async def lifespan(app: Any) -> Any:
        raise twin.raising(RuntimeError("no database"))
        yield

    app = twin.fastapi(lifespan=lifespan)
    _ok(app)
    return app


@scenario(Call("/ok"), ways=[way for way in STARLETTE_WAYS if way.lifespan])
def a_shut_down_that_fails(twin: Twin) -> Any:
    @asynccontextmanager
    async def lifespan(app: Any) -> Any:
        yield
        raise twin.raising(RuntimeError("cannot flush"))

    app = twin.fastapi(lifespan=lifespan)
    _ok(app)
    return app


# -- nits


@scenario(Call("/nope"), Call("/crash"), Call("/returned", shaped=None), patches={"json.loads": lambda *_, **__: 1 / 0})
def json_loads_is_broken(twin: Twin) -> Any:
    """F-36: what looks into an answer fails; then the answer goes out as it is."""
    app = twin.fastapi()
    _crash(twin, app)
    app.get("/returned")(lambda: JSONResponse({"detail": "row"}, 404))
    return app


@scenario(Call("/crash"), Call("/ok"), patches={"time.time_ns": lambda: 1.7e18, "time.time": lambda: 1.7e9})
def a_clock_mocked_to_a_float(twin: Twin) -> Any:
    """F-35."""
    app = twin.fastapi()
    _crash(twin, app)
    _ok(app)
    return app


@scenario(Call("/crash"), environ={"ERRORKIT_SERVICE_HOST": "10.0.0.1", "ERRORKIT_PORT_80_TCP": "tcp://10.0.0.1:80",
                                   "ERRORKIT_SERVICE_PORT": "80", "ERRORKIT_PORT": "tcp://10.0.0.1:80"})  # fmt: skip
def a_kubernetes_service_called_errorkit(twin: Twin) -> Any:
    """F-34."""
    app = twin.fastapi()
    _crash(twin, app)
    return app


@scenario(Call("/crash", propagates=True), Call("/http"), reraise=True)
def crashes_are_raised_again_on_wish(twin: Twin) -> Any:
    app = twin.fastapi()
    _crash(twin, app)
    app.add_middleware(Watch, twin=twin)

    @app.get("/http")
    def http() -> None:
        raise HTTPException(404, "row")

    return app


@scenario(Call("/limited"), Call("/declared-limit", dialect="problem"))
def a_wait_is_kept(twin: Twin) -> Any:
    app = twin.fastapi()

    @app.get("/limited")
    def limited() -> None:
        raise HTTPException(429, "slow", headers={"retry-after": "60", "x-ratelimit-limit": "5"})

    @app.get("/declared-limit")
    def declared() -> None:
        bare = HTTPException(429, "slow", headers={"retry-after": "12"})
        raise twin.declared(bare, RateLimitError("slow", retry_after=12))

    return app


@scenario(Call("/declared"), Call("/log"), Call("/crash"))
def log_records_of_the_application(twin: Twin) -> Any:
    app = twin.fastapi()
    _crash(twin, app)

    @app.middleware("http")
    async def logs(request: Request, call_next: Any) -> Any:
        try:
            response = await call_next(request)
        except Exception:
            twin.log.exception("failed %s", request.url.path)
            raise
        twin.log.info("%s %s", request.url.path, response.status_code)
        return response

    @app.get("/declared")
    def declared() -> None:
        twin.log.warning("about to fail")
        raise twin.declared(HTTPException(409, "v7"))

    @app.get("/log")
    def log() -> str:
        twin.log.debug("fine")
        return "x"

    return app
