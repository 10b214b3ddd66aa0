"""A real FastAPI service on loopback that fails as it is asked to, in the dialect of the path.

`/<dialect>/<run>/<case>/...` takes any method and any further path, so that an unmodified
SDK with this base URL runs into the case. `run` tells one test's requests from another's.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.exceptions import HTTPException

import errorkit
from errorkit import APIError, Catalog, Detail, RateLimit
from errorkit import errors as standard
from errorkit.dialects import PRESETS
from errorkit.dialects.connect import Connect
from errorkit.dialects.google import Google
from errorkit.fastapi import ErrorMiddleware

DOCS = "https://errors.example.com/{code}"
DOMAIN = "widgets.example.com"
SECRET = "the database password is hunter2"


class WidgetInvalid(standard.BadRequestError):
    code, message = "widget_invalid", "The widget is not valid."


class WidgetLimit(standard.PaymentRequiredError):
    code, message = "quota_exhausted", "The plan's widgets are used up."


class WidgetForbidden(standard.ForbiddenError):
    code, message = "widget_forbidden", "Widgets are for administrators."


class WidgetNotFound(standard.NotFoundError):
    code, message, concealable = "widget_not_found", "There is no such widget.", True


class WidgetExists(standard.ConflictError):
    code, message = "widget_exists", "A widget of that name exists: “Łódź”."


class WidgetGone(standard.GoneError):
    code, message = "widget_gone", "The widget was deleted."


class WidgetTooLarge(standard.ContentTooLargeError):
    code, message = "widget_too_large", "A widget has at most 1 MB."


class WidgetUnprocessable(standard.UnprocessableContentError):
    code, message = "widget_unprocessable", "The widget cannot be made."


class TooManyWidgets(standard.RateLimitError):
    code, message = "rate_limit_exceeded", "Too many requests: slow down."


class WidgetsAway(standard.ServiceUnavailableError):
    code, message, default_retry_after = "widgets_away", "Widgets are being counted.", 1


CATALOG = Catalog(
    [
        WidgetInvalid,
        WidgetLimit,
        WidgetForbidden,
        WidgetNotFound,
        WidgetExists,
        WidgetGone,
        WidgetTooLarge,
        WidgetUnprocessable,
        TooManyWidgets,
        WidgetsAway,
    ]
)

FINDINGS = (
    Detail(("email",), "must be a valid email address", "invalid_format"),
    Detail(("items", 0, "quantity"), "must be at least 1", "out_of_range"),
)


class Case(NamedTuple):
    """One way to fail: what a client is to be told, and what the service does."""

    status: int
    code: str
    message: str
    fail: Callable[[], None]
    retryable: bool = False


def _raising(error: Callable[[], BaseException]) -> Callable[[], None]:
    def fail() -> None:
        raise error()

    return fail


def _foreign() -> None:
    class Widget(NamedTuple):
        tenant: str

    errorkit.visible(Widget("theirs"), tenant="tenant", caller="mine", error=WidgetNotFound())


def _of(error: type[APIError], make: Callable[[], BaseException] | None = None) -> Case:
    return Case(error.status, error.code, error.message, _raising(make or error), error.retryable)


CASES: dict[str, Case] = {
    "bad_request": _of(WidgetInvalid),
    "validation": Case(
        422,
        "validation_failed",
        "2 fields are invalid.",
        _raising(lambda: standard.ValidationError(details=FINDINGS)),
    ),
    "authentication": _of(standard.AuthenticationError),
    "payment_required": _of(WidgetLimit),
    "forbidden": _of(WidgetForbidden),
    "not_found": _of(WidgetNotFound),
    "cross_tenant": Case(404, "widget_not_found", WidgetNotFound.message, _foreign),
    "method_not_allowed": Case(
        405,
        "method_not_allowed",
        standard.MethodNotAllowedError.message,
        _raising(lambda: HTTPException(405, headers={"Allow": "TRACE"})),
    ),
    "conflict": _of(WidgetExists),
    "gone": _of(WidgetGone),
    "too_large": _of(WidgetTooLarge),
    "unsupported_media": _of(standard.UnsupportedMediaTypeError),
    "unprocessable": _of(WidgetUnprocessable),
    "internal": Case(500, "internal", standard.InternalError.message, _raising(lambda: RuntimeError(SECRET)), True),
    "bad_gateway": _of(standard.BadGatewayError),
    "unavailable": _of(WidgetsAway),
    "gateway_timeout": _of(standard.GatewayTimeoutError),
}
"""Every case that always fails."""

RATE_LIMITED = _of(
    TooManyWidgets, lambda: TooManyWidgets(retry_after=1, rate_limit=RateLimit(60, 0, reset=1, window=60))
)
"""Fails once in a run, then succeeds: `rate_limited`."""

FINAL = [name for name, case in CASES.items() if not case.retryable]
PASSING = [name for name, case in CASES.items() if case.retryable]
WAITING = _of(TooManyWidgets, lambda: TooManyWidgets(retry_after=3600))
"""A wait above the maximum: `long_wait`."""

PARAM = _of(WidgetInvalid, lambda: WidgetInvalid(param="email"))


class Seen(NamedTuple):
    """One request that arrived."""

    method: str
    path: str
    at: float
    request_id: str


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """An application on a free port of loopback; the origin of its URLs."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical", lifespan="on"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started:
        if time.monotonic() > deadline:
            raise RuntimeError("the service did not start")
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)


class Service:
    """The service and what it has seen."""

    def __init__(self) -> None:
        self.seen: dict[str, list[Seen]] = defaultdict(list)
        self.successes: dict[str, Any] = {}
        self.streams: dict[str, list[str]] = {}
        self._runs = (f"run{n}" for n in itertools.count(1))
        self.app = self._build()
        self.origin = ""

    def run(self, dialect: str, case: str) -> Run:
        """A fresh run of a case."""
        return Run(self, next(self._runs), dialect, case)

    def _build(self) -> FastAPI:
        app = FastAPI(openapi_url=None)
        dialects: dict[str, Any] = {f"/{name}": name for name in PRESETS}
        dialects["/google"] = Google(domain=DOMAIN)
        dialects["/connect"] = Connect(domain=DOMAIN)
        app.add_middleware(
            ErrorMiddleware, dialect={"/": "problem", **dialects}, catalog=CATALOG, docs_url=DOCS, max_retry_wait=60
        )
        methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]

        @app.api_route("/{dialect}/{run}/{case}", methods=methods)
        @app.api_route("/{dialect}/{run}/{case}/{rest:path}", methods=methods)
        async def fail(request: Request, dialect: str, run: str, case: str, rest: str = "") -> Any:
            first = not self.seen[run]
            self.seen[run].append(
                Seen(request.method, request.url.path, time.monotonic(), errorkit.get_request_id() or "")
            )
            if case == "stream":
                return StreamingResponse(self._stream(dialect), media_type="text/event-stream")
            if case == "rate_limited":
                if first:
                    RATE_LIMITED.fail()
                return JSONResponse(self.successes.get(dialect, {}))
            if case == "long_wait":
                WAITING.fail()
            if case == "param":
                PARAM.fail()
            CASES[case].fail()
            raise AssertionError(case)

        return app

    async def _stream(self, dialect: str) -> AsyncIterator[str]:
        for frame in self.streams[dialect]:
            yield frame
        raise WidgetsAway


class Run(NamedTuple):
    """One case, to be run into by one client."""

    service: Service
    id: str
    dialect: str
    case: str

    @property
    def url(self) -> str:
        """The base URL for the client."""
        return f"{self.service.origin}/{self.dialect}/{self.id}/{self.case}"

    @property
    def seen(self) -> list[Seen]:
        """The requests that arrived."""
        return self.service.seen[self.id]

    @property
    def request_id(self) -> str:
        """Of the last request that arrived."""
        return self.seen[-1].request_id

    @property
    def waits(self) -> list[float]:
        """Seconds between the requests."""
        return [b.at - a.at for a, b in itertools.pairwise(self.seen)]
