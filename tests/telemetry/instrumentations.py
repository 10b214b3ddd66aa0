"""The instrumentations, and how each is put into or around an application.

Nothing of one is imported before it is used: some change a framework's classes when they are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Instrumentation:
    """One instrumentation at one place.

    instrument: changes the application, or returns what is to be served in its place.
    frameworks: whose applications it is for. process: which of ENVIRONMENTS it runs in.
    orders: before or after errorkit is put in; one where that makes no difference.
    undo: what was changed beyond the application.
    """

    name: str
    process: str
    frameworks: tuple[str, ...]
    instrument: Callable[[Any], Any]
    orders: tuple[str, ...] = ("before", "after")
    undo: Callable[[Any], None] = lambda app: None
    inside: bool = False
    """It is one of the application's middlewares: what nobody declared is answered outside of it."""
    around: bool = False
    """It stands around the whole application, where no exception arrives that has been answered."""


def nothing(app: Any) -> None:
    """The framework instruments itself."""


def contrib_fastapi(app: Any) -> None:
    from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor

    FastAPIInstrumentor.instrument_app(app)


def no_contrib_fastapi(app: Any) -> None:
    from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor

    FastAPIInstrumentor.uninstrument_app(app)


def contrib_starlette(app: Any) -> None:
    from opentelemetry.instrumentation.starlette import StarletteInstrumentor

    StarletteInstrumentor.instrument_app(app)


def contrib_asgi(app: Any) -> None:
    from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware

    app.add_middleware(OpenTelemetryMiddleware)


def contrib_asgi_around(app: Any) -> Any:
    from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware

    return OpenTelemetryMiddleware(app)


def starlettes_own(app: Any) -> None:
    from starlette.middleware.opentelemetry import OpenTelemetryMiddleware

    app.add_middleware(OpenTelemetryMiddleware)


def starlettes_own_around(app: Any) -> Any:
    from starlette.middleware.opentelemetry import OpenTelemetryMiddleware

    return OpenTelemetryMiddleware(app)


def contrib_flask(app: Any) -> None:
    from opentelemetry.instrumentation.flask import FlaskInstrumentor

    FlaskInstrumentor.instrument_app(app)


def contrib_wsgi(app: Any) -> None:
    from opentelemetry.instrumentation.wsgi import OpenTelemetryMiddleware

    app.wsgi_app = OpenTelemetryMiddleware(app.wsgi_app)


def prometheus(app: Any) -> None:
    from prometheus_client import CollectorRegistry
    from prometheus_fastapi_instrumentator import Instrumentator

    app.state.registry = CollectorRegistry()
    Instrumentator(registry=app.state.registry).instrument(app)


BOTH = ("starlette", "fastapi")
ONE_ORDER = ("once",)


def _opentelemetry(process: str) -> tuple[Instrumentation, ...]:
    """Each is there twice: the contributed ones write other attributes if they are asked for the stable names."""
    return (
        Instrumentation("contrib-fastapi", process, ("fastapi",), contrib_fastapi, undo=no_contrib_fastapi),
        Instrumentation("contrib-starlette", process, ("starlette",), contrib_starlette, inside=True),
        Instrumentation("contrib-asgi", process, ("fastapi",), contrib_asgi, inside=True),
        Instrumentation("contrib-asgi-around", process, BOTH, contrib_asgi_around, ONE_ORDER, around=True),
        Instrumentation("contrib-flask", process, ("flask",), contrib_flask),
        Instrumentation("contrib-wsgi", process, ("flask",), contrib_wsgi),
    )


INSTRUMENTATIONS = (
    Instrumentation("native", "opentelemetry", ("fastapi",), nothing, ONE_ORDER),
    Instrumentation("starlettes-own", "opentelemetry", BOTH, starlettes_own, inside=True),
    Instrumentation("starlettes-own-around", "opentelemetry", BOTH, starlettes_own_around, ONE_ORDER, around=True),
    *_opentelemetry("opentelemetry"),
    *_opentelemetry("stable-names"),
    Instrumentation("prometheus", "prometheus", BOTH, prometheus, inside=True),
    Instrumentation("sentry", "sentry", (*BOTH, "flask"), nothing, ONE_ORDER),
    Instrumentation("sentry", "sentry-asked", BOTH, nothing, ONE_ORDER),
)

ENVIRONMENTS = {
    "opentelemetry": {"OTEL_SEMCONV_STABILITY_OPT_IN": ""},
    "stable-names": {"OTEL_SEMCONV_STABILITY_OPT_IN": "http"},
    "prometheus": {},
    "sentry": {},
    "sentry-asked": {},
}
"""The processes: providers and patches are global, so each lives in one of its own."""
