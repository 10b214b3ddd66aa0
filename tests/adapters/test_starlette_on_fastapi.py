"""The Starlette adapter on a FastAPI application: what FastAPI rejects is answered as its own adapter answers it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.routing import Mount

from driving import asgi
from errorkit.fastapi import install as install_fastapi
from errorkit.starlette import ErrorMiddleware, install


def service() -> FastAPI:
    app = FastAPI()

    @app.post("/pins")
    def endpoint(body: dict[str, int]) -> int:
        return 1

    return app


def by_middleware() -> tuple[Any, str]:
    app = service()
    app.add_middleware(ErrorMiddleware, dialect="openai")
    return app, "/pins"


def by_install() -> tuple[Any, str]:
    app = service()
    install(app, dialect="openai")
    return app, "/pins"


def mounted() -> tuple[Any, str]:
    app = Starlette(routes=[Mount("/inner", service())])
    install(app, dialect="openai")
    return app, "/inner/pins"


def of_fastapi() -> tuple[Any, str]:
    app = service()
    install_fastapi(app, dialect="openai")
    return app, "/pins"


@pytest.mark.parametrize("way", [by_middleware, by_install, mounted, of_fastapi])
def test_a_rejected_request_is_in_the_dialect_and_repeats_nothing(way: Any, log: list[dict[str, Any]]) -> None:
    """Added, installed, or found in a mount."""
    app, path = way()
    raw = json.dumps({"pin": "hunter2"}).encode()
    headers = [("content-type", "application/json"), ("content-length", str(len(raw)))]
    reply = asgi(app, "POST", path, headers, body=raw)
    assert (reply.status, reply.json()["error"]["code"]) == (400, "validation_failed")
    assert "hunter2" not in f"{reply.body.decode()} {log}"


@pytest.mark.parametrize("way", [by_middleware, by_install, mounted, of_fastapi])
def test_a_body_that_is_no_text_is_malformed(way: Any) -> None:
    """FastAPI's 400, said in the catalogue's words and not in FastAPI's."""
    app, path = way()
    headers = [("content-type", "application/json"), ("content-length", "11")]
    reply = asgi(app, "POST", path, headers, body=b'{"pin":"\xff"}')
    assert (reply.status, reply.json()["error"]["code"]) == (400, "malformed_json")
