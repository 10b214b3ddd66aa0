"""Twins: one application built twice, bare and covered by errorkit, driven alike.

A scenario is a function that builds an application by the `Twin` it is given, and the requests that are sent:

    @scenario(Call("/crash"))
    def a_crash(twin):
        app = twin.starlette(routes=[Route("/crash", twin.endpoint(RuntimeError("x")))])
        return app

The twin covers the application that it made (or nothing), in the way that is being tried, and notes
what happens in it: steps, and which exception object was seen by whom.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from unittest.mock import patch

from structlog.testing import capture_logs

from errorkit import ConflictError
from fidelity.asgi_client import drive_asgi
from fidelity.observed import Call, Observation, Socket
from fidelity.wsgi_client import drive_wsgi

LOGGERS = ("application", "site")
"""Whose log records are compared; `site` is the Flask application's own."""


@dataclass(frozen=True)
class Way:
    """How errorkit is put into an application.

    place: bare, install, first, last (of several add_middleware), before or after (the application is
        made), init_app, around (the generic middleware).
    """

    place: str
    lifespan: bool = True

    def __str__(self) -> str:
        return self.place + ("" if self.lifespan else "-without-lifespan")

    @property
    def bare(self) -> Way:
        """The same without errorkit."""
        return Way("bare", self.lifespan)


STARLETTE_WAYS = tuple(Way(place, lifespan) for place in ("install", "first", "last") for lifespan in (True, False))
FLASK_WAYS = (Way("before"), Way("after"), Way("init_app"))
AROUND = (Way("around"),)


class Twin:
    """What a scenario builds its application with."""

    def __init__(self, way: Way, settings: Mapping[str, Any]) -> None:
        self.way = way
        self.settings = dict(settings) or {"dialect": "problem"}
        self.steps: list[str] = []
        self.log = logging.getLogger("application")
        self.stalled = asyncio.Event()
        self._seen: list[tuple[BaseException, str]] = []
        self._numbers = count()
        self._stands_in = way.place == "bare"
        self._cover: Callable[[], None] = lambda: None

    # -- what happened

    def begin(self, call: Call | Socket) -> None:
        """The next request is sent."""
        self.step(f"--- {call}")
        self._numbers = count()

    def step(self, text: str) -> None:
        """Something was done."""
        self.steps.append(text)

    def label(self, exception: BaseException | None) -> str:
        """The name of an exception object: its class, and the number of the object."""
        if exception is None:
            return ""
        for seen, name in self._seen:
            if seen is exception:
                return name
        return self._note(exception, type(exception).__name__)

    def saw(self, who: str, exception: BaseException | None) -> None:
        """Somebody saw an exception."""
        self.step(f"{who} saw {self.label(exception)}")

    def raising(self, exception: Any) -> Any:
        """The exception, noted; to be raised."""
        self.step(f"raised {self.label(exception)}")
        return exception

    def declared(self, instead: BaseException, error: BaseException | None = None) -> Any:
        """An error of the catalogue; bare: what people raise without errorkit."""
        exception = instead if self._stands_in else error or ConflictError("Version 7 is published.")
        self._note(exception, "Declared")
        return self.raising(exception)

    def _note(self, exception: BaseException, name: str) -> str:
        label = f"{name}#{next(self._numbers)}"
        self._seen.append((exception, label))  # kept, so that no other object gets its address
        return label

    async def stall(self) -> None:
        """Never ends by itself: here the request is cancelled."""
        self.stalled.set()
        await asyncio.Event().wait()

    # -- applications

    def fastapi(self, kind: Any = None, **options: Any) -> Any:
        """The FastAPI application that is covered, of a class of the user's if one is given."""
        from fastapi import FastAPI

        from errorkit import fastapi as adapter

        return self._asgi((kind or FastAPI)(**options), adapter)

    def starlette(self, **options: Any) -> Any:
        """The Starlette application that is covered."""
        from starlette.applications import Starlette
        from starlette.middleware import Middleware

        from errorkit import starlette as adapter

        if self.way.place == "first" and "middleware" in options:  # the innermost of the list
            inner = Middleware(adapter.ErrorMiddleware, **self.settings)
            return Starlette(**{**options, "middleware": [*options["middleware"], inner]})
        return self._asgi(Starlette(**options), adapter)

    def _asgi(self, app: Any, adapter: Any) -> Any:
        if self.way.place == "around":  # the generic middleware does not teach Starlette our errors
            self._stands_in = True
        if self.way.place == "first":
            app.add_middleware(adapter.ErrorMiddleware, **self.settings)
        elif self.way.place == "last":
            self._cover = lambda: app.add_middleware(adapter.ErrorMiddleware, **self.settings)
        elif self.way.place == "install":
            self._cover = lambda: adapter.install(app, **self.settings)
        return app

    def flask(self, **config: Any) -> Any:
        """The Flask application that is covered."""
        from flask import Flask

        from errorkit.flask import ErrorKit

        app = Flask("site", static_folder=None)
        app.config.update(config)
        if self.way.place == "before":
            ErrorKit(app, **self.settings)
        elif self.way.place == "after":
            self._cover = lambda: ErrorKit(app, **self.settings) and None
        elif self.way.place == "init_app":
            ErrorKit(**self.settings).init_app(app)
        return app

    def cover(self) -> None:
        """Cover the application now: what the scenario does to it afterwards comes after errorkit."""
        cover, self._cover = self._cover, lambda: None
        cover()

    def finished(self, app: Any, kind: str) -> Any:
        """What is served: the application as the scenario returned it, covered."""
        self.cover()
        if self.way.place == "around":
            from errorkit import asgi, wsgi

            module: Any = wsgi if kind == "wsgi" else asgi
            return module.ErrorMiddleware(app, **self.settings)
        return app


@dataclass(frozen=True)
class Scenario:
    """One application and what is sent to it."""

    name: str
    kind: str
    """asgi or wsgi."""
    build: Callable[[Twin], Any]
    calls: tuple[Call | Socket, ...]
    ways: tuple[Way, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    patches: Mapping[str, Any] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict)

    def made(self, way: Way) -> tuple[Twin, Any]:
        """A twin, and the application to be served."""
        twin = Twin(way, self.settings)
        with patch.dict("os.environ", self.environ):
            return twin, twin.finished(self.build(twin), self.kind)


class Collection(list[Scenario]):
    """The scenarios of a module."""

    def __init__(self, kind: str, prefix: str, ways: tuple[Way, ...]) -> None:
        super().__init__()
        self.kind, self.prefix, self.ways = kind, prefix, ways

    def __call__(
        self,
        *calls: Call | Socket,
        ways: Sequence[Way] | None = None,
        but: Sequence[str] = (),
        also: Sequence[Way] = (),
        patches: Mapping[str, Any] | None = None,
        environ: Mapping[str, str] | None = None,
        **settings: Any,
    ) -> Callable[[Callable[[Twin], Any]], Callable[[Twin], Any]]:
        """Register a scenario.

        but: ways that cannot reach what is tried; say why beside it. also: further ones.
        """

        def register(build: Callable[[Twin], Any]) -> Callable[[Twin], Any]:
            chosen = [way for way in (*(ways or self.ways), *also) if str(way) not in but]
            name = f"{self.prefix}-{build.__name__}"
            self.append(Scenario(name, self.kind, build, calls, tuple(chosen), settings, patches or {}, environ or {}))
            return build

        return register


@contextmanager
def noting(twin: Twin) -> Iterator[Observation]:
    """What is written while a twin is driven."""
    seen = Observation(steps=twin.steps)
    handler = _Records(twin, seen.records)
    loggers = [logging.getLogger(name) for name in LOGGERS]
    with capture_logs() as log:
        before = [(logger.level, logger.propagate) for logger in loggers]
        for logger in loggers:
            logger.addHandler(handler)
            logger.setLevel(logging.DEBUG)
            logger.propagate = False
        try:
            seen.events = log  # type: ignore[assignment]
            yield seen
        finally:
            for logger, (level, propagate) in zip(loggers, before, strict=True):
                logger.removeHandler(handler)
                logger.setLevel(level)
                logger.propagate = propagate
            seen.events = [event for event in log if event["event"] == "request_failed"]  # type: ignore[misc]


class _Records(logging.Handler):
    def __init__(self, twin: Twin, records: list[str]) -> None:
        super().__init__()
        self.twin, self.records = twin, records

    def emit(self, record: logging.LogRecord) -> None:
        exception = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
        about = f" with {self.twin.label(exception)}" if exception else ""
        self.records.append(f"{record.name} {record.levelname}: {record.getMessage()}{about}")


def observe(scenario: Scenario, way: Way, fault: Callable[[Twin, Any], Any] | None = None) -> Observation:
    """Build one twin, send it everything in process, and tell what was seen.

    fault: put around the finished application, to see that it is detected.
    """
    with ExitStack() as stack:
        stack.enter_context(patch.dict("os.environ", scenario.environ))
        twin, app = scenario.made(way)
        app = fault(twin, app) if fault else app
        seen = stack.enter_context(noting(twin))
        for target, replacement in scenario.patches.items():
            stack.enter_context(patch(target, replacement))
        if scenario.kind == "wsgi":
            seen.answers = drive_wsgi(app, scenario.calls, twin, seen)
        else:
            seen.answers = asyncio.run(drive_asgi(app, scenario.calls, twin, seen, lifespan=way.lifespan))
    return seen
