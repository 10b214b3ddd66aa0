"""OpenAI's own Python client against a proxy of a model whose streams refuse in their generator."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

from clients.failing_service import serving
from errorkit import RateLimitError
from errorkit.fastapi import ErrorMiddleware
from requirements import require_module

openai = require_module("openai")

SDK = ("openai", "openai")

CHUNK = (
    'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m",'
    '"choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":null}]}\n\n'
)


class Proxy:
    """The service: `/held` and `/plain` serve the same, the one with its starts held."""

    def __init__(self) -> None:
        self.seen: list[float] = []
        self.refusals = 0
        self.app = FastAPI(openapi_url=None)
        self.app.add_middleware(ErrorMiddleware, dialect="openai", hold_start={"/held": True})
        self.app.post("/{held}/chat/completions")(self._chat)

    async def _chat(self, held: str) -> StreamingResponse:
        return StreamingResponse(self._tokens(), media_type="text/event-stream")

    async def _tokens(self) -> AsyncIterator[str]:
        self.seen.append(time.monotonic())
        if len(self.seen) <= self.refusals:
            raise RateLimitError("The model is busy.", retry_after=1)
        yield CHUNK
        yield "data: [DONE]\n\n"


@pytest.fixture(name="proxy", scope="module")
def _proxy() -> Iterator[tuple[Proxy, str]]:
    proxy = Proxy()
    with serving(proxy.app) as origin:
        yield proxy, origin


def _ask(proxy: tuple[Proxy, str], path: str, *, refusals: int, max_retries: int) -> Any:
    service, origin = proxy
    service.seen.clear()
    service.refusals = refusals
    with openai.OpenAI(api_key="k", base_url=f"{origin}{path}", max_retries=max_retries) as client:
        stream = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "hi"}], stream=True)
        return [chunk.choices[0].delta.content for chunk in stream]


@pytest.mark.case("held_stream")
def test_a_held_stream_that_refuses_is_a_429(proxy: tuple[Proxy, str]) -> None:
    """The client raises its own class, with the wait."""
    with pytest.raises(openai.RateLimitError) as caught:
        _ask(proxy, "/held", refusals=1, max_retries=0)
    assert (caught.value.status_code, caught.value.code) == (429, "rate_limited")
    assert caught.value.response.headers["retry-after"] == "1"
    assert caught.value.body["message"] == "The model is busy."


@pytest.mark.case("held_stream")
def test_a_held_stream_that_refuses_is_retried(proxy: tuple[Proxy, str]) -> None:
    """After the wait that it advises, and the stream is whole."""
    assert _ask(proxy, "/held", refusals=1, max_retries=1) == ["hi"]
    first, second = proxy[0].seen
    assert second - first > 0.9


def test_a_stream_that_is_not_held_is_a_200_that_breaks(proxy: tuple[Proxy, str]) -> None:
    """Its client has no status, no wait, and no second try."""
    with pytest.raises(openai.APIError) as caught:
        _ask(proxy, "/plain", refusals=1, max_retries=1)
    assert not isinstance(caught.value, openai.APIStatusError)
    assert caught.value.code == "rate_limited"
    assert len(proxy[0].seen) == 1
