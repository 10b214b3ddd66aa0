"""What describes one service: its package, how its application is built, and what is asked of it.

The runner and the process that serves both read it, so it needs nothing but Python's own library.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

WEBSOCKET = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
}
"""The handshake's request fields; a refusal is an ordinary response."""


@dataclass(frozen=True)
class Ask:
    """One request.

    `keep` remembers values of each run's own answer: from its body by a dotted path, or from a header
    (`header:name`). `<name>` in a later path, header or body stands for the value.
    """

    what: str
    method: str
    path: str
    json: Any = None
    content: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    keep: Mapping[str, str] = field(default_factory=dict)


class Volatile(NamedTuple):
    """A value that changes from one run of the bare service to the next."""

    what: str
    pattern: str


UUIDS = Volatile("UUIDs", r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
HEX_IDS = Volatile("ids of 32 hexadecimal digits", r"\b[0-9a-f]{32}\b")
TIMESTAMPS = Volatile("ISO timestamps", r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?")
HTTP_DATES = Volatile("HTTP dates", r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT")
EPOCHS = Volatile("times in ms or ns since 1970", r"\b1[789]\d{11}(?:\d{6})?\b")

LINES = {
    "fastapi": 'from errorkit.fastapi import install; install(app, dialect="problem")',
    "starlette": 'from errorkit.starlette import install; install(app, dialect="problem")',
    "flask": 'from errorkit.flask import ErrorKit; ErrorKit(app, dialect="problem")',
    "asgi": 'from errorkit.asgi import ErrorMiddleware; app = ErrorMiddleware(app, dialect="problem")',
    "wsgi": 'from errorkit.wsgi import ErrorMiddleware; app = ErrorMiddleware(app, dialect="problem")',
}
"""How errorkit is put in: the line that the covered process executes, the same for all services of a kind."""


@dataclass(frozen=True)
class Service:
    """One service of the package index."""

    title: str
    requirements: tuple[str, ...]
    """The service first, pinned; then what serves it where it brings no server of its own."""
    framework: str
    packages: tuple[str, ...]
    """Whose versions are reported beside the service's own."""
    adapter: Literal["fastapi", "starlette", "flask", "asgi", "wsgi"]
    server: Literal["uvicorn", "gunicorn"]
    application: Callable[[Path], Any]
    """Builds the bare application, in the serving process; the folder is empty and its own."""
    asks: tuple[Ask, ...]
    environ: Mapping[str, str] = field(default_factory=dict)
    """Environment variables of the serving process; `<folder>` stands for the folder."""
    volatile: tuple[Volatile, ...] = ()
    unordered: bool = False
    """The members of its JSON objects come in another order in each run."""
    patience: float = 60
    """Seconds within which it must listen."""


def load(name: str) -> Service:
    """The service that the module of this name describes."""
    service: Service = importlib.import_module(f".{name}", __package__).SERVICE
    return service
