"""The requests that every application of this folder is driven with."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Request:
    """One request.

    status: of the answer, bare and covered. code: of errorkit's event; empty where there is no failure.
    frameworks: those whose application serves it. leaves: the exception goes on out of the application.
    kind: http or websocket.
    """

    name: str
    status: int
    code: str = ""
    path: str = ""
    method: str = "GET"
    body: bytes = b""
    frameworks: frozenset[str] = frozenset({"starlette", "fastapi", "flask"})
    leaves: bool = False
    stranger: bool = False
    """The exception is one that nobody has declared."""
    frameworks_own: bool = False
    """The exception is one that the framework answers by itself: nobody records it, as its words may be private."""
    kind: str = "http"

    @property
    def target(self) -> str:
        """The path that is asked for."""
        return self.path or f"/{self.name}"


ASYNCHRONOUS = frozenset({"starlette", "fastapi"})
FASTAPI = frozenset({"fastapi"})

REQUESTS = (
    Request("fine", 200),
    Request("conflict", 409, "conflict"),
    Request("unavailable", 503, "service_unavailable"),
    Request("missing", 404, "not_found", frameworks_own=True),
    Request("gateway", 502, "bad_gateway", frameworks_own=True),
    Request("nowhere", 404, "not_found"),
    Request("post", 405, "method_not_allowed", path="/fine", method="POST"),
    Request("crash", 500, "internal", stranger=True),
    Request("nested", 500, "internal", stranger=True),
    Request("middleware", 500, "internal", frameworks=ASYNCHRONOUS, stranger=True),
    Request("item", 422, "validation_failed", method="POST", body=b'{"size": "big"}', frameworks=FASTAPI),
    Request("torn", 200, "internal", leaves=True, stranger=True),
    Request("background", 200, "internal", frameworks=ASYNCHRONOUS, leaves=True, stranger=True),
    Request("ws-fine", 0, path="/ws/fine", kind="websocket", frameworks=ASYNCHRONOUS),
    Request("ws-refused", 0, path="/ws/refused", kind="websocket", frameworks=ASYNCHRONOUS),
    Request(
        "ws-crash", 0, "internal", "/ws/crash", kind="websocket", frameworks=ASYNCHRONOUS, leaves=True, stranger=True
    ),
)
"""`nested` crashes inside of a span of the application's own, `middleware` in a middleware of its own."""
