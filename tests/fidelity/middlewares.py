"""Middlewares as applications have them, which note what they see."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.responses import JSONResponse

from fidelity.twins import Twin


class Watch:
    """Pure ASGI: notes the status that passes, or the exception."""

    def __init__(self, app: Any, twin: Twin, name: str = "watch") -> None:
        self.app, self.twin, self.name = app, twin, name

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return

        async def sender(message: Any) -> None:
            if message["type"] == "http.response.start":
                self.twin.step(f"{self.name}: {message['status']}")
            await send(message)

        try:
            await self.app(scope, receive, sender)
        except Exception as error:
            self.twin.saw(self.name, error)
            raise
        self.twin.step(f"{self.name}: done")


class UnitOfWork:
    """Pure ASGI: commits what did not raise, rolls back what did."""

    def __init__(self, app: Any, twin: Twin) -> None:
        self.app, self.twin = app, twin

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            await self.app(scope, receive, send)
        except BaseException as error:
            self.twin.step(f"ROLLBACK for {self.twin.label(error)}")
            raise
        self.twin.step("COMMIT")


class Answers:
    """Pure ASGI: answers exceptions of one class by itself."""

    def __init__(self, app: Any, twin: Twin, kind: type[Exception], status: int = 404) -> None:
        self.app, self.twin, self.kind, self.status = app, twin, kind, status

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await self.app(scope, receive, send)
        except self.kind as error:
            self.twin.saw("answering middleware", error)
            await JSONResponse({"mine": str(error)}, self.status)(scope, receive, send)


class Raises:
    """Pure ASGI: raises for one path, before anything inside is asked."""

    def __init__(self, app: Any, make: Callable[[], BaseException], path: str) -> None:
        self.app, self.make, self.path = app, make, path

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"] == self.path:
            raise self.make()
        await self.app(scope, receive, send)


class Refuses:
    """Pure ASGI: answers one path with a response of its own."""

    def __init__(self, app: Any, path: str, make: Callable[[], Any]) -> None:
        self.app, self.path, self.make = app, path, make

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"] == self.path:
            await self.make()(scope, receive, send)
            return
        await self.app(scope, receive, send)


def watching(twin: Twin, name: str = "base watch") -> Any:
    """The dispatch function of a BaseHTTPMiddleware that notes what it sees."""

    async def dispatch(request: Any, call_next: Any) -> Any:
        try:
            response = await call_next(request)
        except Exception as error:
            twin.saw(name, error)
            raise
        twin.step(f"{name}: {response.status_code}")
        return response

    return dispatch


def transaction(twin: Twin) -> Any:
    """The dispatch function of a BaseHTTPMiddleware that is a unit of work."""

    async def dispatch(request: Any, call_next: Any) -> Any:
        try:
            response = await call_next(request)
        except Exception as error:
            twin.step(f"ROLLBACK for {twin.label(error)}")
            raise
        twin.step("COMMIT")
        return response

    return dispatch
