"""python -m benchmarks.growth: what errorkit adds to a request as something grows, in instructions.

A row is one thing that grows; a cell what errorkit adds to the same application without it, at that size; the last two
columns what one more of it costs, between the two smallest sizes and between the two largest. Flat is about zero; what
grows linearly has the same figure in both.
"""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from benchmarks import drivers, instructions
from benchmarks.contenders import configure_logs
from benchmarks.scenarios import Passing, Scenario

_WARM, _FEW, _MANY = 6, 2, 6


class Growth(NamedTuple):
    """Something that grows. build: from a size, and whether errorkit is in it, to an application and a request."""

    words: str
    sizes: tuple[int, ...]
    build: Callable[[int, bool], tuple[Any, Scenario]]


def _starlette(**settings: Any) -> Any:
    from benchmarks import scenarios

    return scenarios.starlette(_raises(), **settings)


def _raises() -> Any:
    from starlette.exceptions import HTTPException

    from benchmarks.scenarios import Raises

    return Raises(*(lambda message, status=status: HTTPException(status, message) for status in (409, 404, 429)))


def _covered(app: Any, own: bool, **settings: Any) -> Any:
    from errorkit.starlette import ErrorMiddleware

    if own:
        app.add_middleware(ErrorMiddleware, **{"dialect": "problem", **settings})
    return app


def _codes(size: int, own: bool) -> tuple[Any, Scenario]:
    from errorkit import Catalog, ConflictError

    errors = [type(f"Conflict{n}Error", (ConflictError,), {"code": f"conflict_{n}"}) for n in range(size)]
    return _covered(_starlette(), own, catalog=Catalog(errors)), Scenario("conflict", "/conflict", 409)


def _prefixes(size: int, own: bool) -> tuple[Any, Scenario]:
    dialects = {"/": "problem"} | {f"/api/v{n}": ("openai", "problem")[n % 2] for n in range(size - 1)}
    return _covered(_starlette(), own, dialect=dialects), Scenario("conflict", "/conflict", 409)


def _findings(size: int, own: bool) -> tuple[Any, Scenario]:
    from fastapi import FastAPI

    from errorkit.fastapi import ErrorMiddleware

    app = FastAPI(openapi_url=None)

    async def numbers(values: list[int]) -> None:
        """Takes numbers."""

    app.post("/numbers")(numbers)
    if own:
        app.add_middleware(ErrorMiddleware, dialect="problem")
    return app, Scenario("invalid", "/numbers", 422, "POST", json.dumps(["x"] * size).encode())


def _middlewares(size: int, own: bool) -> tuple[Any, Scenario]:
    app = _starlette()
    for _ in range(size):
        app.add_middleware(Passing)
    return _covered(app, own), Scenario("ok", "/ok", 200)


def _chunks(size: int, own: bool) -> tuple[Any, Scenario]:
    from starlette.applications import Starlette
    from starlette.responses import StreamingResponse
    from starlette.routing import Route

    async def chunks() -> Any:
        for _ in range(size):
            yield b"data"

    async def stream(_request: Any) -> Any:
        return StreamingResponse(chunks(), media_type="text/plain")

    return _covered(Starlette(routes=[Route("/stream", stream)]), own), Scenario("stream", "/stream", 200)


def _flask_chunks(size: int, own: bool) -> tuple[Any, Scenario]:
    import flask

    from errorkit.flask import ErrorKit

    app = flask.Flask("bench")

    @app.get("/stream")
    def stream() -> Any:
        return flask.Response((b"data" for _ in range(size)), mimetype="text/plain")

    if own:
        ErrorKit(app, dialect="problem")
    return app, Scenario("stream", "/stream", 200)


GROWTHS = (
    Growth("codes in the catalogue: Starlette 409", (1, 20, 200, 2000), _codes),
    Growth("prefixes with a dialect: Starlette 409", (1, 10, 50, 200), _prefixes),
    Growth("findings: FastAPI 422", (1, 10, 100, 1000), _findings),
    Growth("plain middlewares of the user's: Starlette 200", (0, 1, 3, 10), _middlewares),
    Growth("chunks of a stream: Starlette", (1, 64, 1000, 10000), _chunks),
    Growth("chunks of a stream: Flask", (1, 64, 1000, 10000), _flask_chunks),
)


def measured() -> list[str]:
    """The table's lines, in Markdown; figures in thousands of instructions."""
    cells = [
        (number, size, own) for number, growth in enumerate(GROWTHS) for size in growth.sizes for own in (False, True)
    ]
    counts = dict(zip(cells, instructions.counted("benchmarks.growth", cells, _MANY - _FEW), strict=True))
    lines = ["| what grows | added, at each size | one more: first | last |", "|---|---|---:|---:|"]
    for number, growth in enumerate(GROWTHS):
        sizes = growth.sizes
        added = [counts[number, size, True] - counts[number, size, False] for size in sizes]
        told = ", ".join(f"{size}: {each / 1000:.1f}k" for size, each in zip(sizes, added, strict=True))
        slopes = [(added[at + 1] - added[at]) / (sizes[at + 1] - sizes[at]) for at in (0, len(sizes) - 2)]
        lines.append(f"| {growth.words} | {told} | {slopes[0]:.0f} | {slopes[1]:.0f} |")
    return lines


def _pair(cell: tuple[int, int, bool]) -> tuple[int, int]:
    number, size, own = cell
    gc.disable()
    app, scenario = GROWTHS[number].build(size, own)
    batch, once = (drivers.wsgi if hasattr(app, "wsgi_app") else drivers.asgi)(app, scenario)
    if once().status != scenario.status:
        raise RuntimeError(f"{GROWTHS[number].words}: {once().status}")
    batch(_WARM)
    return instructions.forked(lambda: batch(_FEW)), instructions.forked(lambda: batch(_MANY))


def _serve(cells: list[Any]) -> None:
    configure_logs("dropped")  # standard output is for the pids
    for cell in cells:
        instructions.forked(lambda cell=cell: print(json.dumps(_pair(cell)), flush=True))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _serve(json.loads(sys.argv[1]))
    else:
        print("\n".join(measured()))
