"""Who is compared: how each covers an application, and what its users raise.

A contender whose package is not installed is left out, with a line that says so.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from typing import Any, NamedTuple

from benchmarks import drivers, floor, pasted, scenarios
from benchmarks.scenarios import Logs, Raises, Scenario
from errorkit.dialects import PRESETS


class Contender(NamedTuple):
    """One way to answer errors in one framework.

    cover: an application of the framework to the covered one. raises: builds what its users
    raise; called once. needs: packages, as import names. only: scenarios; none: all of them.
    """

    name: str
    framework: str
    cover: Callable[[Any], Any]
    raises: Callable[[], Raises]
    needs: tuple[str, ...] = ()
    only: tuple[str, ...] = ()


def _starlette_raises() -> Raises:
    from starlette.exceptions import HTTPException

    return Raises(
        conflict=lambda message: HTTPException(409, message),
        not_found=lambda message: HTTPException(404, message),
        limited=lambda message: HTTPException(429, message, {"Retry-After": "7"}),
    )


def _with_http_404(raises: Callable[[], Raises]) -> Callable[[], Raises]:
    """`not_found` is the framework's own exception everywhere, as its libraries raise it."""
    return lambda: raises()._replace(not_found=_starlette_raises().not_found)


def _flask_raises() -> Raises:
    from werkzeug.exceptions import Conflict, NotFound, TooManyRequests

    return Raises(Conflict, NotFound, lambda message: TooManyRequests(message, retry_after=7))


def _with_flask_404(raises: Callable[[], Raises]) -> Callable[[], Raises]:
    return lambda: raises()._replace(not_found=_flask_raises().not_found)


def _errorkit_raises() -> Raises:
    from errorkit import ConflictError, NotFoundError, RateLimitError

    return Raises(ConflictError, NotFoundError, lambda message: RateLimitError(message, retry_after=7))


def _errorkit_starlette(app: Any, dialect: str = "problem") -> Any:
    from errorkit.starlette import ErrorMiddleware

    app.add_middleware(ErrorMiddleware, dialect=dialect)
    return app


def _errorkit_fastapi(app: Any, dialect: str = "problem") -> Any:
    from errorkit.fastapi import ErrorMiddleware

    app.add_middleware(ErrorMiddleware, dialect=dialect)
    return app


def _errorkit_flask(app: Any) -> Any:
    from errorkit.flask import ErrorKit

    app.config["BENCH_RAISES_FINDINGS"] = True
    ErrorKit(app, dialect="problem")
    return app


def _correlation_id(app: Any) -> Any:
    from asgi_correlation_id import CorrelationIdMiddleware

    app.add_middleware(CorrelationIdMiddleware)
    return app


def _problem_raises() -> Raises:
    from rfc9457 import ConflictProblem, NotFoundProblem, StatusProblem

    class LimitedProblem(StatusProblem):
        title, status = "Too many requests", 429

    return Raises(ConflictProblem, NotFoundProblem, lambda m: LimitedProblem(m, headers={"Retry-After": "7"}))


def _starlette_problem(app: Any) -> Any:
    from starlette_problem.handler import add_exception_handler

    add_exception_handler(app)
    return app


def _fastapi_problem(app: Any) -> Any:
    from fastapi_problem.handler import add_exception_handler, new_exception_handler

    add_exception_handler(app, new_exception_handler())
    return app


def _rfc9457_raises() -> Raises:
    from fastapi_rfc9457 import Conflict, NotFound, TooManyRequests

    return Raises(
        conflict=lambda message: Conflict(detail=message),
        not_found=lambda message: NotFound(detail=message),
        limited=lambda message: TooManyRequests(detail=message, retry_after=7),
    )


def _rfc9457(app: Any) -> Any:
    from fastapi_rfc9457.integration import add_problem_handlers

    add_problem_handlers(app)
    return app


def _problem_details_raises() -> Raises:
    from fastapi_problem_details import ProblemException

    return Raises(
        conflict=lambda message: ProblemException(409, detail=message),
        not_found=lambda message: ProblemException(404, detail=message),
        limited=lambda message: ProblemException(429, detail=message, headers={"Retry-After": "7"}),
    )


def _problem_details(app: Any) -> Any:
    from fastapi_problem_details import init_app

    return init_app(app)


def _flask_problem_raises() -> Raises:
    from flask_problem_details import ProblemDetails, ProblemDetailsError

    def problem(status: int, title: str, message: str) -> Exception:
        return ProblemDetailsError(ProblemDetails(status=status, title=title, detail=message))

    return Raises(*(partial(problem, *words) for words in ((409, "Conflict"), (404, "Not Found"), (429, "Too Many"))))


def _flask_problem(app: Any) -> Any:
    from flask_problem_details import configure_app

    return configure_app(app)


BARE = "bare"
FLOOR = "hand-written floor"
ERRORKIT = "errorkit"

_ASGI = (("starlette", _errorkit_starlette), ("fastapi", _errorkit_fastapi))

CONTENDERS = (
    *(Contender(BARE, name, lambda app: app, _starlette_raises) for name in ("starlette", "fastapi")),
    Contender(BARE, "flask", lambda app: app, _flask_raises),
    *(
        Contender(FLOOR, name, floor.cover_asgi, _with_http_404(lambda: floor.RAISES))
        for name in ("starlette", "fastapi")
    ),
    Contender(FLOOR, "flask", floor.cover_flask, _with_flask_404(lambda: floor.RAISES)),
    *(Contender(ERRORKIT, name, cover, _with_http_404(_errorkit_raises)) for name, cover in _ASGI),
    Contender(ERRORKIT, "flask", _errorkit_flask, _with_flask_404(_errorkit_raises)),
    *(
        Contender(
            f"{ERRORKIT} {dialect}",
            "starlette",
            partial(_errorkit_starlette, dialect=dialect),
            _errorkit_raises,
            only=("conflict", "limited"),
        )
        for dialect in PRESETS
    ),
    *(
        Contender("asgi-correlation-id", name, _correlation_id, _starlette_raises, ("asgi_correlation_id",))
        for name in ("starlette", "fastapi")
    ),
    Contender(
        "starlette-problem", "starlette", _starlette_problem, _with_http_404(_problem_raises), ("starlette_problem",)
    ),
    Contender("fastapi-problem", "fastapi", _fastapi_problem, _with_http_404(_problem_raises), ("fastapi_problem",)),
    Contender("fastapi-rfc9457", "fastapi", _rfc9457, _with_http_404(_rfc9457_raises), ("fastapi_rfc9457",)),
    Contender(
        "fastapi-problem-details",
        "fastapi",
        _problem_details,
        _with_http_404(_problem_details_raises),
        ("fastapi_problem_details",),
    ),
    Contender(
        "flask-problem-details",
        "flask",
        _flask_problem,
        _with_flask_404(_flask_problem_raises),
        ("flask_problem_details",),
    ),
    Contender("pasted handlers", "starlette", pasted.handlers_starlette, _with_http_404(lambda: pasted.RAISES)),
    Contender("pasted handlers", "fastapi", pasted.handlers_fastapi, _with_http_404(lambda: pasted.RAISES)),
    Contender("pasted handlers", "flask", pasted.handlers_flask, _with_flask_404(lambda: pasted.RAISES)),
    Contender("BaseHTTPMiddleware", "starlette", pasted.base_http_starlette, _with_http_404(lambda: pasted.RAISES)),
    Contender("BaseHTTPMiddleware", "fastapi", pasted.base_http_fastapi, _with_http_404(lambda: pasted.RAISES)),
)


def present() -> tuple[list[Contender], list[str]]:
    """The contenders that can run here, and a line for each that cannot."""
    found, absent = [], []
    for contender in CONTENDERS:
        missing = [package for package in contender.needs if find_spec(package) is None]
        if missing:
            absent.append(f"{contender.name} is left out: {', '.join(missing)} is not installed")
        else:
            found.append(contender)
    return found, absent


def contender_of(framework: str, name: str) -> Contender:
    """One contender. Raises LookupError where there is none of that name."""
    for contender in CONTENDERS:
        if (contender.framework, contender.name) == (framework, name):
            return contender
    raise LookupError(f"no contender {name!r} for {framework}")


def application(contender: Contender, middlewares: int = 0) -> Any:
    """Its covered application. middlewares: so many of the user's are in it."""
    app = getattr(scenarios, contender.framework)(contender.raises())
    for _ in range(middlewares):
        app.add_middleware(scenarios.Passing)
    return contender.cover(app)


def workload(contender: Contender, scenario: Scenario) -> tuple[drivers.Batch, Callable[[], drivers.Answer]]:
    """Requests of one scenario to a new application, and one request whose answer is kept."""
    drive = drivers.wsgi if contender.framework == "flask" else drivers.asgi
    return drive(application(contender, scenario.middlewares), scenario)


def _discard(_logger: Any, _level: str, _event: Any) -> bytes:
    """A renderer, in structlog's terms, that makes nothing of an event."""
    return b""


def configure_logs(logs: Logs) -> None:
    """What becomes of events and of the server's lines: see `Logs`.

    Written, it is the set-up that errorkit's documentation recommends.
    """
    import structlog

    from errorkit.structured_logging import JSONLine

    written = logs == "written"
    sink = open(os.devnull, "wb")  # noqa: SIM115 - open as long as the process
    logging.basicConfig(stream=open(os.devnull, "w"), level="INFO" if written else "CRITICAL", force=True)  # noqa: SIM115
    logging.disable(logging.NOTSET if written else logging.ERROR)
    structlog.configure(
        processors=[_discard if logs == "built" else JSONLine()],
        wrapper_class=structlog.make_filtering_bound_logger("critical" if logs == "dropped" else "info"),
        logger_factory=structlog.ReturnLoggerFactory() if logs == "built" else structlog.BytesLoggerFactory(sink),
        cache_logger_on_first_use=True,
    )
