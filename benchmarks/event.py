"""python -m benchmarks.event: what errorkit's event costs, to the same fields written by the same logger.

In instructions, in two chains of structlog's: the one that its documentation starts with, and `JSONLine` alone. Both
write to the null device.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from collections.abc import Callable
from typing import Any

from benchmarks import instructions

CHAINS = ("structlog's usual chain", "JSONLine")
_WARM, _FEW, _MANY = 60, 20, 120


def _configure(chain: str) -> None:
    import structlog

    from errorkit.structured_logging import JSONLine

    own = chain == "JSONLine"
    structlog.configure(
        processors=[JSONLine()]
        if own
        else [
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger("info"),
        logger_factory=structlog.BytesLoggerFactory(open(os.devnull, "wb"))  # noqa: SIM115 - open as long as the process
        if own
        else structlog.PrintLoggerFactory(open(os.devnull, "w")),  # noqa: SIM115
        cache_logger_on_first_use=True,
    )


def _failures() -> Any:
    """A handler, and the request of a 409 that it has answered."""
    from errorkit import ConflictError
    from errorkit.asgi import ASGIExchange
    from errorkit.config import Config
    from errorkit.handler import ErrorHandler

    handler = ErrorHandler(Config(dialect="problem"))
    renderer = handler.only_renderer
    assert renderer is not None
    request = ASGIExchange(handler, renderer, "0" * 32)
    request.scope = {"type": "http", "method": "GET", "path": "/conflict", "headers": []}
    handler.respond(request, ConflictError("Version 1 is already published."))
    return handler, request


def _work(chain: str, own: bool) -> Callable[[], object]:
    import structlog

    _configure(chain)
    handler, request = _failures()
    failure = request.failure
    if own:
        return lambda: handler.events.record(request, failure)
    fields, write = handler.events.fields(request, failure), structlog.get_logger("errorkit").bind().info
    return lambda: write("request_failed", **fields)


def _pair(cell: tuple[str, bool]) -> tuple[int, int]:
    gc.disable()
    work = _work(*cell)

    def batch(count: int) -> None:
        for _ in range(count):
            work()

    batch(_WARM)
    return instructions.forked(lambda: batch(_FEW)), instructions.forked(lambda: batch(_MANY))


def counts(*chains: str) -> dict[str, tuple[float, float]]:
    """Instructions of the bare logger's call, and of errorkit's event, by chain."""
    cells = [(chain, own) for chain in chains for own in (False, True)]
    found = dict(zip(cells, instructions.counted("benchmarks.event", cells, _MANY - _FEW), strict=True))
    return {chain: (found[chain, False], found[chain, True]) for chain in chains}


def measured() -> list[str]:
    """The table's lines, in Markdown."""
    lines = ["| chain | the same fields | errorkit's event | ratio |", "|---|---:|---:|---:|"]
    for chain, (bare, own) in counts(*CHAINS).items():
        lines.append(f"| {chain} | {bare / 1000:.1f}k | {own / 1000:.1f}k | {own / bare:.2f} |")
    return lines


def _serve(cells: list[Any]) -> None:
    for cell in cells:
        instructions.forked(lambda cell=cell: print(json.dumps(_pair(cell)), flush=True))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _serve(json.loads(sys.argv[1]))
    else:
        print("\n".join(measured()))
