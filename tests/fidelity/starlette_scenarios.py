"""Starlette applications that fail."""

from __future__ import annotations

import gc
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.endpoints import HTTPEndpoint, WebSocketEndpoint
from starlette.exceptions import HTTPException, WebSocketException
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import (
    FileResponse,
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Mount, Route, Router, WebSocketRoute
from starlette.staticfiles import StaticFiles

from fidelity.middlewares import Answers, Raises, Refuses, UnitOfWork, Watch, transaction, watching
from fidelity.observed import Answer, Call, Socket
from fidelity.twins import AROUND, STARLETTE_WAYS, Collection, Twin, Way

scenario = Collection("asgi", "starlette", STARLETTE_WAYS)
ORIGIN = (("origin", "https://app.test"),)
PAGE = "<html><head><title>404 Not Found</title></head><body>" + "Nothing here. " * 30 + "</body></html>"
_EARLY = ("first-without-lifespan",)
EVERY_WAY = (*STARLETTE_WAYS, *AROUND)


def _site() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="site-"))
    (folder / "404.html").write_text(PAGE)
    (folder / "index.html").write_text("<h1>home</h1>")
    (folder / "page.txt").write_text("0123456789")
    return folder


SITE = _site()


class Missing(Exception):
    """An exception of the application's own."""


def crash(twin: Twin, path: str = "/crash", **options: Any) -> Route:
    """A route that crashes."""

    async def endpoint(request: Request) -> Response:
        twin.step("in the endpoint")
        raise twin.raising(RuntimeError("a crash"))

    return Route(path, endpoint, **options)


def http(twin: Twin, path: str = "/http", status: int = 403, **options: Any) -> Route:
    """A route that raises HTTPException."""

    def endpoint(request: Request) -> Response:
        raise twin.raising(HTTPException(status, "closed", {"x-reason": "night"}))

    return Route(path, endpoint, **options)


def declared(twin: Twin, path: str = "/declared") -> Route:
    """A route that raises an error of the catalogue."""

    def endpoint(request: Request) -> Response:
        raise twin.declared(HTTPException(409, "v7"))

    return Route(path, endpoint)


def ok(path: str = "/ok", **options: Any) -> Route:
    """A route that answers."""
    return Route(path, lambda request: PlainTextResponse("fine"), **options)


def _routes(twin: Twin) -> list[Any]:
    return [crash(twin), http(twin), declared(twin), ok()]


ALL = (Call("/crash"), Call("/http"), Call("/declared"), Call("/nope"), Call("/ok"), Call("/ok", "POST"))


# -- who sees an exception


@scenario(*ALL, also=AROUND)
def watched_by_pure_middlewares(twin: Twin) -> Any:
    return twin.starlette(
        routes=_routes(twin),
        middleware=[Middleware(Watch, twin=twin, name="outer"), Middleware(Watch, twin=twin, name="inner")],
    )


@scenario(*ALL, also=AROUND)
def watched_by_base_http(twin: Twin) -> Any:
    return twin.starlette(
        routes=_routes(twin),
        middleware=[Middleware(BaseHTTPMiddleware, dispatch=watching(twin, name)) for name in ("outer", "inner")],
    )


@scenario(*ALL, also=AROUND)
def a_unit_of_work(twin: Twin) -> Any:
    return twin.starlette(routes=_routes(twin), middleware=[Middleware(UnitOfWork, twin=twin)])


@scenario(*ALL)
def a_unit_of_work_of_base_http(twin: Twin) -> Any:
    return twin.starlette(routes=_routes(twin), middleware=[Middleware(BaseHTTPMiddleware, dispatch=transaction(twin))])


@scenario(*[Call("/in" + call.path, call.method) for call in ALL], also=AROUND)
def a_unit_of_work_on_a_mount(twin: Twin) -> Any:
    return twin.starlette(routes=[Mount("/in", routes=_routes(twin), middleware=[Middleware(UnitOfWork, twin=twin)])])


@scenario(*[Call("/in" + call.path, call.method) for call in ALL])
def a_unit_of_work_on_a_router(twin: Twin) -> Any:
    router = Router(_routes(twin), middleware=[Middleware(UnitOfWork, twin=twin)])
    return twin.starlette(routes=[Mount("/in", app=router)])


@scenario(Call("/crash"), Call("/http"), Call("/crash", "POST"), also=AROUND)
def a_unit_of_work_on_a_route(twin: Twin) -> Any:
    middleware = [Middleware(UnitOfWork, twin=twin), Middleware(Watch, twin=twin)]
    return twin.starlette(routes=[crash(twin, middleware=middleware), http(twin, middleware=middleware)])


@scenario(Call("/in/crash"), Call("/in/http"))
def base_http_on_mount_and_application(twin: Twin) -> Any:
    inner = [Middleware(BaseHTTPMiddleware, dispatch=watching(twin, "mount"))]
    return twin.starlette(
        routes=[Mount("/in", routes=_routes(twin), middleware=inner)],
        middleware=[Middleware(BaseHTTPMiddleware, dispatch=watching(twin, "application"))],
    )


@scenario(
    Call("/value", shaped=True), Call("/crash"), Call("/nope"), also=AROUND, but=_EARLY
)  # fmt: skip - the first answer is made outside of the only place of errorkit's
def a_middleware_that_answers_exceptions(twin: Twin) -> Any:
    async def value(request: Request) -> Response:
        raise twin.raising(ValueError("bad"))

    return twin.starlette(
        routes=[Route("/value", value), crash(twin)],
        middleware=[Middleware(Watch, twin=twin), Middleware(Answers, twin=twin, kind=ValueError, status=400)],
    )


@scenario(Call("/in/value", shaped=True), Call("/in/crash"))
def a_mounts_middleware_that_answers_exceptions(twin: Twin) -> Any:
    async def value(request: Request) -> Response:
        raise twin.raising(ValueError("bad"))

    middleware = [Middleware(Answers, twin=twin, kind=ValueError, status=400)]
    return twin.starlette(routes=[Mount("/in", routes=[Route("/value", value), crash(twin)], middleware=middleware)])


@scenario(
    Call("/outer", shaped=True), Call("/crash", shaped=True), but=_EARLY
)  # fmt: skip - the first answer is made outside of the only place of errorkit's
def a_middleware_that_answers_every_exception(twin: Twin) -> Any:

    async def outer(request: Request) -> Response:
        raise twin.raising(ValueError("bad"))

    return twin.starlette(
        routes=[Route("/outer", outer), crash(twin)],
        middleware=[Middleware(Answers, twin=twin, kind=Exception, status=502)],
    )


# -- handlers


@scenario(*(Call("/crash", shaped=True), *ALL[1:]), also=AROUND)
def a_catch_all_handler(twin: Twin) -> Any:
    def catch_all(request: Request, error: Exception) -> Response:
        twin.saw("catch-all", error)
        return PlainTextResponse("we are sorry\nreally", 500)

    return twin.starlette(
        routes=_routes(twin), exception_handlers={Exception: catch_all}, middleware=[Middleware(Watch, twin=twin)]
    )


@scenario(*(Call("/crash", shaped=True), *ALL[1:]))
def a_handler_for_500(twin: Twin) -> Any:
    async def catch_all(request: Request, error: Exception) -> Response:
        twin.saw("500", error)
        return JSONResponse({"detail": "an own one"}, 500)

    return twin.starlette(routes=_routes(twin), exception_handlers={500: catch_all})


def _form(name: str) -> Response:
    forms: dict[str, Response] = {
        "html": HTMLResponse(PAGE, 404),
        "text": PlainTextResponse("Slow down, you have voted already.", 429, {"retry-after": "9"}),
        "empty": Response(status_code=404),
        "json": JSONResponse({"mine": True}, 400),
        "detail": JSONResponse({"detail": "own words"}, 403),
        "ok": JSONResponse({"fallback": True}),
        "stream": StreamingResponse(iter(["a", "b"]), 503),
    }
    return forms[name]


@scenario(*[Call(f"/{form}", shaped=True) for form in ("html", "text", "empty", "json", "detail", "ok", "stream")])
def answers_of_a_users_handler(twin: Twin) -> Any:
    def mine(request: Request, error: Exception) -> Response:
        twin.saw("mine", error)
        return _form(str(error))

    async def endpoint(request: Request) -> Response:
        raise twin.raising(Missing(request.path_params["form"]))

    return twin.starlette(
        routes=[Route("/{form}", endpoint)],
        exception_handlers={Missing: mine},
        middleware=[Middleware(Watch, twin=twin)],
    )


@scenario(Call("/http", shaped=True), Call("/nope", shaped=True), Call("/ok", "POST", shaped=True), Call("/crash"))
def handlers_for_statuses(twin: Twin) -> Any:
    def page(request: Request, error: Any) -> Response:
        twin.step(f"page for {error.status_code}")
        return HTMLResponse(f"<h1>{error.status_code}</h1>", error.status_code)

    return twin.starlette(routes=_routes(twin), exception_handlers={403: page, 404: page, 405: page})


@scenario(Call("/http"), Call("/mine"), Call("/crash"))
def handlers_that_raise(twin: Twin) -> Any:
    def raises(request: Request, error: Exception) -> Response:
        twin.saw("handler", error)
        raise twin.raising(KeyError("in the handler"))

    def mine(request: Request) -> Response:
        raise twin.raising(Missing("x"))

    return twin.starlette(
        routes=[*_routes(twin), Route("/mine", mine)],
        exception_handlers={HTTPException: raises, Missing: raises},
        middleware=[Middleware(Watch, twin=twin)],
    )


@scenario(Call("/own", shaped=True), Call("/http"))
def a_handler_registered_later(twin: Twin) -> Any:
    def own(request: Request) -> Response:
        raise twin.raising(Missing("x"))

    app = twin.starlette(routes=[*_routes(twin), Route("/own", own)])
    app.add_exception_handler(Missing, lambda request, error: JSONResponse({"later": True}, 410))
    return app


# -- answers that other code gave


@scenario(*[Call(f"/{form}") for form in ("phrase", "line", "detail", "empty")],
          *[Call(f"/{form}", shaped=True) for form in ("html", "json", "lines", "two-keys")], also=AROUND)  # fmt: skip
def answers_of_endpoints(twin: Twin) -> Any:
    forms: dict[str, Any] = {
        "phrase": lambda: PlainTextResponse("Not Found", 404, {"etag": '"e"', "x-own": "1"}),
        "line": lambda: PlainTextResponse("No such row.", 404),
        "detail": lambda: JSONResponse({"detail": "No such row."}, 404, {"set-cookie": "a=1"}),
        "empty": lambda: Response(status_code=404),
        "html": lambda: HTMLResponse(PAGE, 404),
        "json": lambda: JSONResponse({"error": "x"}, 500),
        "lines": lambda: PlainTextResponse("one\ntwo", 400),
        "two-keys": lambda: JSONResponse({"detail": "x", "code": 1}, 404),
    }
    return twin.starlette(
        routes=[Route("/{form}", lambda request: forms[request.path_params["form"]]())],
        middleware=[Middleware(Watch, twin=twin)],
    )


@scenario(*[Call(f"/{status}", shaped=True) for status in (401, 403, 409, 418)], Call("/422"), Call("/400"),
          Call("/500"), Call("/503"))  # fmt: skip
def findings_under_any_status(twin: Twin) -> Any:
    """F-15: they count on 400 and 422 alone; elsewhere it is a body like any other, of a 5xx without its words."""
    findings = {"detail": [{"loc": ["body"], "msg": "INTERNAL", "type": "x"}]}
    return twin.starlette(
        routes=[Route("/{status:int}", lambda request: JSONResponse(findings, request.path_params["status"]))]
    )


@scenario(Call("/nope.html", shaped=True), Call("/nope.html", "HEAD", shaped=True), Call("/"), Call("/page.txt"),
          Call("/page.txt", "POST"), Call("/page.txt", headers=(("range", "bytes=90-99"),)), also=AROUND)  # fmt: skip
def static_files_with_a_page_of_their_own(twin: Twin) -> Any:
    """F-06."""
    return twin.starlette(routes=[Mount("/", app=StaticFiles(directory=SITE, html=True))])


@scenario(Call("/static/nope"), Call("/static/nope", "HEAD"), Call("/static/page.txt"),
          Call("/static/page.txt", headers=(("if-none-match", "*"),)), also=AROUND)  # fmt: skip
def static_files(twin: Twin) -> Any:
    return twin.starlette(routes=[Mount("/static", app=StaticFiles(directory=SITE))])


@scenario(*[Call(f"/{name}", method, shaped=True) for name in ("page", "file", "lengthless") for method in ("GET", "HEAD")],
          Call("/http", "HEAD"), Call("/nope", "HEAD"), Call("/crash", "HEAD"), also=AROUND)  # fmt: skip
def head_is_as_get(twin: Twin) -> Any:
    """F-22."""

    async def lengthless(request: Request) -> Response:
        return StreamingResponse(iter([PAGE]), 404, media_type="text/html")

    return twin.starlette(
        routes=[
            Route("/page", lambda request: HTMLResponse(PAGE, 404)),
            Route("/file", lambda request: FileResponse(SITE / "404.html", 404)),
            Route("/lengthless", lengthless),
            *_routes(twin),
        ]
    )


# -- CORS, compression, hosts


@scenario(*[Call(call.path, call.method, ORIGIN) for call in ALL], also=AROUND)
def cors_outermost(twin: Twin) -> Any:
    return twin.starlette(
        routes=_routes(twin),
        middleware=[
            Middleware(CORSMiddleware, allow_origins=["*"], expose_headers=["x-own"]),
            Middleware(Watch, twin=twin),
        ],
    )


@scenario(*[Call(call.path, call.method, ORIGIN) for call in ALL])
def cors_innermost(twin: Twin) -> Any:
    return twin.starlette(
        routes=_routes(twin),
        middleware=[
            Middleware(BaseHTTPMiddleware, dispatch=watching(twin)),
            Middleware(Watch, twin=twin),
            Middleware(CORSMiddleware, allow_origins=["https://app.test"], allow_credentials=True),
        ],
    )


@scenario(Call("/mount/http", headers=ORIGIN), Call("/router/http", headers=ORIGIN), Call("/route", headers=ORIGIN),
          Call("/mount/declared", headers=ORIGIN), Call("/mount/crash", headers=ORIGIN), also=AROUND)  # fmt: skip
def cors_of_mount_router_and_route(twin: Twin) -> Any:
    """F-05."""
    middleware = [Middleware(CORSMiddleware, allow_origins=["*"])]
    return twin.starlette(
        routes=[
            Mount("/mount", routes=_routes(twin), middleware=middleware),
            Mount("/router", app=Router(_routes(twin), middleware=middleware)),
            http(twin, "/route", middleware=middleware),
        ]
    )


def _readable(bare: Answer, covered: Answer) -> Iterator[str]:
    if not covered.values("access-control-allow-origin"):
        yield "a browser cannot read it"


@scenario(Call("/inside", headers=ORIGIN, status=409, check=_readable), Call("/crash", headers=ORIGIN, check=_readable),
          but=_EARLY)  # fmt: skip
def an_error_of_a_middleware_inside_of_cors(twin: Twin) -> Any:
    """F-10."""
    return twin.starlette(
        routes=_routes(twin),
        middleware=[
            Middleware(CORSMiddleware, allow_origins=["*"]),
            Middleware(Raises, make=lambda: twin.declared(HTTPException(409, "v7")), path="/inside"),
        ],
    )


ZIP = (("accept-encoding", "gzip"),)


@scenario(*[Call(call.path, call.method, ZIP) for call in ALL], Call("/big", headers=ZIP),
          Call("/shaped", headers=ZIP, shaped=True))  # fmt: skip
def compressed(twin: Twin) -> Any:
    return twin.starlette(
        routes=[
            *_routes(twin),
            Route("/big", lambda request: PlainTextResponse("x" * 2000)),
            Route("/shaped", lambda request: JSONResponse({"mine": "x" * 900}, 404)),
        ],
        middleware=[Middleware(GZipMiddleware, minimum_size=50), Middleware(Watch, twin=twin)],
    )


@scenario(Call("/ok"), Call("/ok", extra={"headers": [(b"host", b"evil.test")]}), Call("/crash"))
def a_trusted_host(twin: Twin) -> Any:
    return twin.starlette(
        routes=_routes(twin), middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["api.test"])]
    )


@scenario(Call("/refused"), Call("/refused-shaped", shaped=True), Call("/ok"), but=_EARLY)
def a_middleware_that_refuses(twin: Twin) -> Any:
    return twin.starlette(
        routes=_routes(twin),
        middleware=[
            Middleware(Watch, twin=twin),
            Middleware(Refuses, path="/refused", make=lambda: JSONResponse({"detail": "who"}, 401)),
            Middleware(Refuses, path="/refused-shaped", make=lambda: JSONResponse({"login": "/in"}, 401)),
        ],
    )


# -- after the answer


@scenario(Call("/background"), Call("/background-http"), Call("/ok"), also=AROUND)
def background_tasks(twin: Twin) -> Any:
    async def fails(error: Exception) -> None:
        twin.step("in the background")
        raise twin.raising(error)

    return twin.starlette(
        routes=[
            Route("/background", lambda request: PlainTextResponse("sent", background=BackgroundTask(fails, KeyError(1)))),
            Route(
                "/background-http",
                lambda request: PlainTextResponse("sent", background=BackgroundTask(fails, HTTPException(404))),
            ),
            ok(),
        ],
        middleware=[Middleware(Watch, twin=twin)],
    )  # fmt: skip


@scenario(Call("/error"), Call("/shaped", shaped=True))
def a_background_task_of_an_error_answer(twin: Twin) -> Any:
    async def told() -> None:
        twin.step("told the operator")

    return twin.starlette(
        routes=[
            Route("/error", lambda request: PlainTextResponse("Not Found", 404, background=BackgroundTask(told))),
            Route("/shaped", lambda request: JSONResponse({"m": 1}, 404, background=BackgroundTask(told))),
        ]
    )


@scenario(Call("/plain"), Call("/sse"), Call("/sse-open"), Call("/length"), Call("/http"), Call("/whole"), also=AROUND)
def torn_streams(twin: Twin) -> Any:
    async def breaks(first: str, error: Exception) -> AsyncIterator[str]:
        yield first
        raise twin.raising(error)

    def route(path: str, first: str, error: Exception, kind: str, **fields: str) -> Route:
        return Route(path, lambda request: StreamingResponse(breaks(first, error), 200, fields, kind))

    return twin.starlette(
        routes=[
            route("/plain", "half", RuntimeError("torn"), "text/csv"),
            route("/sse", "data: 1\n\n", RuntimeError("torn"), "text/event-stream"),
            route("/sse-open", "data: 1\n", RuntimeError("torn"), "text/event-stream"),
            route("/length", "data: 1\n\n", RuntimeError("torn"), "text/event-stream", **{"content-length": "99"}),
            route("/http", "half", HTTPException(404), "text/csv"),
            Route("/whole", lambda request: StreamingResponse(iter(["a", "b"]))),
        ],
        middleware=[Middleware(Watch, twin=twin)],
    )


def _is_visibly_torn(bare: Answer, covered: Answer) -> Iterator[str]:
    """Bare, BaseHTTPMiddleware ends a torn stream as if it were whole."""
    if covered.complete:
        yield "the torn stream looks whole"


@scenario(Call("/plain"), Call("/sse"), Call("/whole"), Call("/plain", check=_is_visibly_torn))
def torn_streams_under_base_http(twin: Twin) -> Any:
    async def breaks(first: str) -> AsyncIterator[str]:
        yield first
        raise twin.raising(RuntimeError("torn"))

    return twin.starlette(
        routes=[
            Route("/plain", lambda request: StreamingResponse(breaks("half"), media_type="text/csv")),
            Route("/sse", lambda request: StreamingResponse(breaks("data: 1\n\n"), media_type="text/event-stream")),
            Route("/whole", lambda request: StreamingResponse(iter(["a", "b"]))),
        ],
        middleware=[Middleware(BaseHTTPMiddleware, dispatch=watching(twin))],
    )


class Mends:
    """Pure ASGI: ends a response well whose stream has failed."""

    def __init__(self, app: Any, twin: Twin) -> None:
        self.app, self.twin = app, twin

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await self.app(scope, receive, send)
        except RuntimeError as error:
            self.twin.saw("mending middleware", error)
            await send({"type": "http.response.body", "body": b"the rest"})


@scenario(Call("/plain"), Call("/whole"), Call("/plain"), but=_EARLY)  # the first is told before it is mended
def a_middleware_that_ends_a_torn_stream(twin: Twin) -> Any:
    async def breaks() -> AsyncIterator[str]:
        yield "half and "
        raise twin.raising(RuntimeError("torn"))

    return twin.starlette(
        routes=[
            Route("/plain", lambda request: StreamingResponse(breaks(), media_type="text/csv")),
            Route("/whole", lambda request: StreamingResponse(iter(["a", "b"]))),
        ],
        middleware=[Middleware(Mends, twin=twin)],
    )


# -- clients that leave (F-19)


@scenario(Call("/body", "POST", leaves="disconnect", extra={"headers": [(b"content-length", b"9")]}),
          Call("/wait", leaves="disconnect"), Call("/silent", leaves="disconnect"), also=AROUND)  # fmt: skip
def a_client_that_disconnects(twin: Twin) -> Any:
    async def body(request: Request) -> Response:
        async for _ in request.stream():
            await request.receive()
        return PlainTextResponse("late")

    async def wait(request: Request) -> Response:
        async def events() -> AsyncIterator[str]:
            yield "data: 1\n\n"
            while not await request.is_disconnected():
                yield "data: 2\n\n"
            twin.step("stopped")

        return StreamingResponse(events(), media_type="text/event-stream")

    async def silent(scope: Any, receive: Any, send: Any) -> None:
        while (await receive())["type"] != "http.disconnect":
            twin.step("heard the request")
        twin.step("heard the client leave")

    return twin.starlette(
        routes=[Route("/body", body, methods=["POST"]), Route("/wait", wait), Mount("/silent", app=silent)]
    )


@scenario(Call("/silent", leaves="disconnect"))
def a_client_that_disconnects_under_base_http(twin: Twin) -> Any:
    async def silent(scope: Any, receive: Any, send: Any) -> None:
        while (await receive())["type"] != "http.disconnect":
            twin.step("heard the request")
        twin.step("heard the client leave")

    return twin.starlette(
        routes=[Mount("/silent", app=silent)],
        middleware=[Middleware(BaseHTTPMiddleware, dispatch=watching(twin))],
    )


@scenario(Call("/big", leaves="send"), Call("/stream", leaves="send"), also=AROUND)
def a_client_that_is_gone_when_something_is_sent(twin: Twin) -> Any:
    async def chunks() -> AsyncIterator[str]:
        yield "a"
        yield "b"

    return twin.starlette(
        routes=[
            Route("/big", lambda request: PlainTextResponse("x" * 2000)),
            Route("/stream", lambda request: StreamingResponse(chunks())),
        ]
    )


@scenario(Call("/slow", leaves="cancel"), Call("/ok"), also=AROUND)
def a_cancelled_request(twin: Twin) -> Any:
    async def slow(request: Request) -> Response:
        try:
            await twin.stall()
        finally:
            twin.step("released")
        return PlainTextResponse("never")

    return twin.starlette(routes=[Route("/slow", slow), ok()], middleware=[Middleware(UnitOfWork, twin=twin)])


# -- routing


@scenario(Call("/slash"), Call("/ok", "PATCH"), Call("/see"), Call("/exception"), Call("/304"), Call("/only", "POST"))
def redirects_and_methods(twin: Twin) -> Any:
    def see(request: Request) -> Response:
        return RedirectResponse("/ok", 303)

    def raises(status: int, **headers: str) -> Any:
        def endpoint(request: Request) -> Response:
            raise twin.raising(HTTPException(status, headers=headers))

        return endpoint

    class Only(HTTPEndpoint):
        async def get(self, request: Request) -> Response:
            return PlainTextResponse("got")

    return twin.starlette(
        routes=[
            ok(), ok("/slash/"), Route("/see", see), Route("/exception", raises(307, location="/ok")),
            Route("/304", raises(304, etag='"1"')), Route("/only", Only),
        ]
    )  # fmt: skip


@scenario(*[Call(f"/app{call.path}", call.method) for call in ALL], *[Call(f"/router{call.path}") for call in ALL[:4]],
          Call("/raw/crash"), Call("/raw/nope"), also=AROUND)  # fmt: skip
def mounts(twin: Twin) -> Any:
    async def raw(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"].endswith("/crash"):
            raise twin.raising(RuntimeError("raw"))
        await PlainTextResponse("Not Found", 404)(scope, receive, send)

    return twin.starlette(
        routes=[
            Mount("/app", app=Starlette(routes=_routes(twin), middleware=[Middleware(Watch, twin=twin, name="in")])),
            Mount("/router", routes=_routes(twin)),
            Mount("/raw", app=raw),
        ],
        middleware=[Middleware(Watch, twin=twin, name="out")],
    )


@scenario(Call("/app/crash", shaped=True), Call("/app/nope", shaped=True), Call("/app/declared"))
def a_mounted_application_with_handlers(twin: Twin) -> Any:
    inner = Starlette(
        routes=_routes(twin),
        exception_handlers={
            Exception: lambda request, error: PlainTextResponse("inner crash, sorry", 500),
            404: lambda request, error: JSONResponse({"inner": 404}, 404),
        },
    )
    return twin.starlette(routes=[Mount("/app", app=inner)])


_PATHS = [
    ("/v1/http", "openai"),
    ("/raw/http", None),
    ("/http", "problem"),
    ("/v1/crash", "openai"),
    ("/raw/nope", None),
]


@scenario(*[Call(f"/sub{path}", dialect=dialect, extra={"root_path": "/sub"}) for path, dialect in _PATHS],
          dialect={"/v1": "openai", "/raw": None, "/": "problem"}, also=AROUND)  # fmt: skip
def prefixes_behind_a_root_path(twin: Twin) -> Any:
    """F-12."""
    return twin.starlette(
        routes=[*_routes(twin), Mount("/v1", routes=_routes(twin)), Mount("/raw", routes=_routes(twin))]
    )


@scenario(*[Call(path, dialect=dialect) for path, dialect in _PATHS],
          dialect={"/v1": "openai", "/raw": None, "/": "problem"}, also=AROUND)  # fmt: skip
def prefixes(twin: Twin) -> Any:
    return twin.starlette(
        routes=[*_routes(twin), Mount("/v1", routes=_routes(twin)), Mount("/raw", routes=_routes(twin))],
        middleware=[Middleware(Watch, twin=twin)],
    )


# -- fields


@scenario(Call("/basic"), Call("/api-key"), Call("/none"), Call("/two"), also=AROUND)
def challenges_stay(twin: Twin) -> Any:
    """F-39."""

    def endpoint(*challenges: str) -> Any:
        def answer(request: Request) -> Response:
            response = PlainTextResponse("Unauthorized", 401)
            for challenge in challenges:
                response.headers.append("www-authenticate", challenge)
            return response

        return answer

    return twin.starlette(
        routes=[
            Route("/basic", endpoint('Basic realm="x"')), Route("/api-key", endpoint("APIKey")),
            Route("/none", endpoint()), Route("/two", endpoint('Basic realm="x"', "Digest")),
        ]
    )  # fmt: skip


@scenario(Call("/own"), Call("/own-default"), Call("/own-shaped", shaped=True), Call("/none"), also=AROUND)
def request_ids_of_the_application(twin: Twin) -> Any:
    """F-29."""
    own = {"X-Request-ID": "upstream-77"}
    return twin.starlette(
        routes=[
            Route("/own", lambda request: PlainTextResponse("x", headers=own)),
            Route("/own-default", lambda request: PlainTextResponse("Not Found", 404, own)),
            Route("/own-shaped", lambda request: JSONResponse({"m": 1}, 404, own)),
            Route("/none", lambda request: PlainTextResponse("x")),
        ]
    )


def _no_framing(bare: Answer, covered: Answer) -> Iterator[str]:
    """F-24: fields of somebody else's connection and body."""
    for name in ("transfer-encoding", "connection", "trailer", "upgrade", "content-encoding", "content-range"):
        if covered.values(name):
            yield f"{name} is passed on"
    if covered.values("x-own") != ["stays"]:
        yield f"x-own is {covered.values('x-own')}"


@scenario(Call("/declared", status=409, check=_no_framing))
def fields_of_an_upstreams_connection(twin: Twin) -> Any:
    from errorkit import ConflictError

    fields = {
        "Transfer-Encoding": "chunked", "Content-Encoding": "gzip", "Connection": "close", "Trailer": "x",
        "Upgrade": "h2c", "Content-Range": "bytes 0-1/2", "X-Own": "stays",
    }  # fmt: skip

    def endpoint(request: Request) -> Response:
        raise twin.declared(HTTPException(409, "v7"), ConflictError("v7", headers=fields))

    return twin.starlette(routes=[Route("/declared", endpoint)])


@scenario(*[Call(call.path, call.method, extra={"headers": None}) for call in ALL], also=AROUND)
def a_scope_without_headers(twin: Twin) -> Any:
    """F-33."""
    return twin.starlette(routes=_routes(twin))


@scenario(*[Call("/dynamic")] * 8, Call("/alive"), ways=(Way("install"), *AROUND))
def dynamic_exception_classes_are_let_go(twin: Twin) -> Any:
    """F-37."""
    import weakref

    made: list[Any] = []

    async def dynamic(request: Request) -> Response:
        cls = type("Dynamic", (HTTPException,), {})
        made.append(weakref.ref(cls))
        raise cls(404)

    def alive(request: Request) -> Response:
        gc.collect()
        return PlainTextResponse(f"more than two of {len(made)}: {sum(ref() is not None for ref in made) > 2}")

    return twin.starlette(routes=[Route("/dynamic", dynamic), Route("/alive", alive)])


# -- websockets


class Echo(WebSocketEndpoint):
    encoding = "text"

    async def on_receive(self, websocket: Any, data: Any) -> None:
        await websocket.send_text(data[::-1])


@scenario(
    Socket("/early", chosen=True), Socket("/policy", chosen=True), Socket("/early", chosen=True, denial=False),
    Socket("/crash"), Socket("/after", says=("x",)), Socket("/echo", says=("abc",)), Socket("/nope"),
    Socket("/static", chosen=False), Socket("/deny", shaped=True), also=AROUND,
)  # fmt: skip
def websockets(twin: Twin) -> Any:
    async def early(websocket: Any) -> None:
        await websocket.close(4001, "try later")

    async def policy(websocket: Any) -> None:
        raise twin.raising(WebSocketException(1008, "no token"))

    async def fails(websocket: Any) -> None:
        raise twin.raising(RuntimeError("before"))

    async def after(websocket: Any) -> None:
        await websocket.accept(subprotocol=None, headers=[(b"x-own", b"1")])
        await websocket.receive_text()
        raise twin.raising(RuntimeError("after"))

    async def deny(websocket: Any) -> None:
        await websocket.send_denial_response(PlainTextResponse("pay\nfirst", 402))

    return twin.starlette(
        routes=[
            WebSocketRoute("/early", early), WebSocketRoute("/policy", policy), WebSocketRoute("/crash", fails),
            WebSocketRoute("/after", after), WebSocketRoute("/echo", Echo), WebSocketRoute("/deny", deny),
            Mount("/static", app=StaticFiles(directory=SITE)),
        ],
        middleware=[Middleware(Watch, twin=twin)],
    )  # fmt: skip


@scenario(Socket("/handled", chosen=True), Socket("/middle", chosen=True))
def websockets_closed_by_handler_and_middleware(twin: Twin) -> Any:
    async def handled(websocket: Any, error: Exception) -> None:
        await websocket.close(4002, "mine")

    async def fails(websocket: Any) -> None:
        raise twin.raising(Missing("room"))

    class Gate:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "websocket" and scope["path"] == "/middle":
                await send({"type": "websocket.close", "code": 4005, "reason": "gate"})
                return
            await self.app(scope, receive, send)

    return twin.starlette(
        routes=[WebSocketRoute("/handled", fails)],
        exception_handlers={Missing: handled},
        middleware=[Middleware(Gate)],
    )


@scenario(Socket("/early", chosen=True), Call("/nope", shaped=True), Call("/crash"), normalise="off")
def normalising_is_off(twin: Twin) -> Any:
    async def early(websocket: Any) -> None:
        await websocket.close(4001, "try later")

    def returned(request: Request) -> Response:
        return PlainTextResponse("Not Found", 404)

    return twin.starlette(
        routes=[WebSocketRoute("/early", early), Route("/nope", returned), crash(twin)],
    )


# -- lifespan


@scenario(Call("/state"), Call("/crash"), ways=[way for way in EVERY_WAY if way.lifespan])
def a_lifespan_with_state(twin: Twin) -> Any:
    @asynccontextmanager
    async def lifespan(app: Any) -> Any:
        twin.step("opened")
        yield {"pool": [1]}
        twin.step("closed")

    def state(request: Request) -> Response:
        request.state.pool.append(2)
        return JSONResponse(request.state.pool)

    return twin.starlette(routes=[Route("/state", state), crash(twin)], lifespan=lifespan)


@scenario(Call("/ok"), ways=[way for way in EVERY_WAY if way.lifespan])
def a_start_up_that_fails(twin: Twin) -> Any:
    @asynccontextmanager
    async def lifespan(app: Any) -> Any:
        raise twin.raising(RuntimeError("no database"))
        yield

    return twin.starlette(routes=[ok()], lifespan=lifespan)


@scenario(Call("/names"), *ALL)
def a_property_of_the_stack_is_untouched(twin: Twin) -> Any:
    """What others read of the application is there: user_middleware, handlers, the built stack."""
    app = twin.starlette(routes=_routes(twin), middleware=[Middleware(Watch, twin=twin)])

    async def names(request: Request) -> Response:
        own = [layer.cls.__name__ for layer in request.app.user_middleware]
        return JSONResponse({"own": [name for name in own if name != "ErrorMiddleware"]})

    app.router.routes.append(Route("/names", names))
    return app


@scenario(Call("/crash"), Call("/nope"), Call("/ok"))
def an_instrumentation_put_in_after_errorkit(twin: Twin) -> Any:
    """F-09: it wraps the built stack, as instrumentations do, and sees every message."""
    app = twin.starlette(routes=_routes(twin))
    twin.cover()

    class Instrumented:
        def __init__(self, build: Any) -> None:
            self.build = build

        def __call__(self) -> Any:
            return Watch(self.build(), twin, "instrumentation")

    app.build_middleware_stack = Instrumented(app.build_middleware_stack)  # type: ignore[method-assign]
    return app


_OLD = {"asgi": {"version": "3.0", "spec_version": "2.3"}}


@scenario(Call("/ends", leaves="disconnect"), Call("/ends", leaves="disconnect", extra=_OLD),
          Call("/waits", leaves="disconnect", extra=_OLD), Call("/waits-watched", leaves="disconnect", extra=_OLD),
          also=AROUND)  # fmt: skip
def a_client_that_leaves_an_event_stream(twin: Twin) -> Any:
    """F-19: Starlette itself listens for a client that leaves below ASGI 2.4, and cancels the stream."""
    kind = "text/event-stream"

    async def ends(request: Request) -> Response:
        async def events() -> AsyncIterator[str]:
            yield "data: 1\n\n"
            while not await request.is_disconnected():
                yield "data: 2\n\n"

        return StreamingResponse(events(), media_type=kind)

    async def waits(request: Request) -> Response:
        async def events() -> AsyncIterator[str]:
            yield "data: 1\n\n"
            await twin.stall()

        return StreamingResponse(events(), media_type=kind)

    watched = [Middleware(Watch, twin=twin)]
    return twin.starlette(
        routes=[Route("/ends", ends), Route("/waits", waits), Route("/waits-watched", waits, middleware=watched)]
    )
