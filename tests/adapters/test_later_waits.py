"""A wait that a middleware sets on errorkit's answer is the only one that the answer tells."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI

from driving import asgi
from errorkit import RateLimitError
from errorkit.fastapi import install


@pytest.mark.parametrize(("wait", "milliseconds", "verdict"), [("42", "42000", "true"), ("3600", None, "false")])
def test_no_field_tells_the_wait_that_was_replaced(wait: str, milliseconds: str | None, verdict: str) -> None:
    """Above the longest wait the dialect has no milliseconds: those of the old one go, too."""
    app = FastAPI()
    install(app, dialect="openai")

    @app.get("/")
    def busy() -> None:
        raise RateLimitError(retry_after=5)

    @app.middleware("http")
    async def limiter(request: Any, call_next: Any) -> Any:
        response = await call_next(request)
        response.headers["Retry-After"] = wait
        return response

    reply = asgi(app)
    assert reply.header("retry-after") == wait
    assert reply.header("retry-after-ms") == milliseconds
    assert reply.header("x-should-retry") == verdict
