"""A service that calls another one: the request ID goes along, failures become the service's own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import httpx
import httpx2
import pytest
from flask import Flask
from serving import CONTRACTS, Server, closed_port, hanging_up, serving
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from driving import Reply, asgi, failures, wsgi
from errorkit.flask import ErrorKit
from errorkit.httpx import AsyncUpstreamTransport, UpstreamTransport
from errorkit.request_id import current
from errorkit.starlette import ErrorMiddleware
from errorkit.upstream import UpstreamError, UpstreamRejectedError, UpstreamTimeoutError, UpstreamUnavailableError

ID = [("x-request-id", "req-42")]


@pytest.fixture(name="server", scope="module")
def _server() -> Iterator[Server]:
    with serving({"openai": CONTRACTS["openai"]}) as server:
        yield server


def starlette(url: str, library: Any) -> Reply:
    """What a Starlette service answers whose handler calls the URL."""

    async def call(request: Request) -> JSONResponse:
        transport = AsyncUpstreamTransport(dialect="openai", name="models")
        async with library.AsyncClient(transport=transport, timeout=0.5) as client:
            return JSONResponse((await client.get(url)).json())

    app = Starlette(routes=[Route("/", call)])
    app.add_middleware(ErrorMiddleware, dialect="kaplaix")
    return asgi(app, "GET", "/", ID)


def flask(url: str, library: Any) -> Reply:
    """What a Flask service answers whose view calls the URL."""
    app = Flask("service")
    ErrorKit(app, dialect="kaplaix")

    @app.get("/")
    def call() -> Any:
        with library.Client(transport=UpstreamTransport(dialect="openai", name="models"), timeout=0.5) as client:
            return client.get(url).json()

    return wsgi(app, "GET", "/", ID)


LIBRARIES = pytest.mark.parametrize("library", [httpx, httpx2])


def _services() -> Iterator[Any]:
    for service in (starlette, flask):
        for library in (httpx, httpx2):
            yield pytest.param(partial(service, library=library), id=f"{service.__name__}-{library.__name__}")


BOTH = pytest.mark.parametrize("service", list(_services()))


@BOTH
def test_the_request_id_goes_along(server: Server, service: Any) -> None:
    """The upstream is told the id of the request that it is called for."""
    assert service(f"{server.url}/openai/headers").json()["x-request-id"] == "req-42"


@LIBRARIES
def test_an_id_that_the_caller_chose_stays(server: Server, library: Any) -> None:
    """Nor is one made up outside of a request."""
    url = f"{server.url}/openai/headers"
    with library.Client(transport=UpstreamTransport(dialect="openai")) as client:
        assert client.get(url).request.headers.get("x-request-id") is None
        token = current.set("req-42")
        try:
            assert client.get(url).json()["x-request-id"] == "req-42"
            assert client.get(url, headers={"x-request-id": "mine"}).json()["x-request-id"] == "mine"
        finally:
            current.reset(token)


@BOTH
@pytest.mark.parametrize(
    ("path", "cls", "retry_after"),
    [
        ("/code/unauthenticated", UpstreamRejectedError, None),
        ("/code/validation_failed", UpstreamRejectedError, None),
        ("/flaky/conflict/99/u?wait=7", UpstreamRejectedError, None),
        ("/code/internal", UpstreamError, None),
        ("/flaky/bad_gateway/99/u?wait=7", UpstreamError, None),
        ("/flaky/rate_limited/99/u?wait=7", UpstreamUnavailableError, "7"),
        ("/flaky/service_unavailable/99/u?wait=0", UpstreamUnavailableError, "0"),
        ("/code/gateway_timeout", UpstreamTimeoutError, None),
        ("/page/500", UpstreamError, None),
        ("/never", UpstreamTimeoutError, None),
        ("/broken", UpstreamError, None),
    ],
)
def test_its_failure_is_the_services_own(
    server: Server, service: Any, path: str, cls: type[UpstreamError], retry_after: str | None
) -> None:
    """502, 503 or 504 in the service's dialect; Retry-After only where waiting helps; none of its words."""
    reply = service(f"{server.url}/openai{path}")
    assert reply.status == cls.status
    assert reply.json() == {"error": {"code": cls.code.upper(), "message": cls.message}}
    assert reply.header("retry-after") == retry_after
    assert reply.header("x-request-id") == "req-42"


@BOTH
def test_an_unreachable_one_is_unavailable(service: Any) -> None:
    """Nobody listens: 503."""
    assert service(f"http://127.0.0.1:{closed_port()}/").status == 503


@BOTH
def test_one_that_hangs_up_is_a_bad_gateway(service: Any) -> None:
    """It accepts the connection and answers nothing."""
    with hanging_up() as (url, _):
        assert service(url).status == 502


@BOTH
def test_what_it_said_is_in_the_log_alone(server: Server, service: Any, log: list[dict[str, Any]]) -> None:
    """Status, code, message, request ID and retry hint of the upstream, in the one event."""
    service(f"{server.url}/openai/flaky/rate_limited/99/logged?wait=7")
    [event] = [event for event in failures(log) if event["code"] == "upstream_unavailable"]
    assert event["context"]["upstream"] == {
        "name": "models",
        "status": 429,
        "code": "rate_limited",
        "type": "rate_limit_error",
        "message": "Too many requests.",
        "request_id": "req-42",
        "retry_after": 7,
        "retryable": True,
    }


@BOTH
def test_a_failure_of_the_network_is_in_the_log(service: Any, log: list[dict[str, Any]]) -> None:
    """What httpx raised is the cause."""
    service(f"http://127.0.0.1:{closed_port()}/")
    [event] = failures(log)
    assert event["context"] == {"upstream": {"name": "models", "failure": "ConnectError"}}
    assert "ConnectError" in json.dumps(event, default=str)


@LIBRARIES
def test_a_request_that_we_built_wrongly_is_not_the_upstreams_fault(library: Any) -> None:
    """It stays the library's exception: a 500 of the service."""
    reply = starlette("ftp://127.0.0.1/", library)
    assert (reply.status, reply.json()["error"]["code"]) == (500, "INTERNAL_ERROR")


@LIBRARIES
def test_a_transport_of_the_users_sends(library: Any) -> None:
    """Also one that answers in process, and one that fails as the network does."""

    def answers(request: Any) -> Any:
        if request.url.path == "/gone":
            raise library.ConnectError("no")
        return library.Response(429 if request.url.path == "/busy" else 200, headers={"retry-after": "7"}, json=[1])

    transport = UpstreamTransport(dialect="problem", transport=library.MockTransport(answers))
    with library.Client(transport=transport, base_url="http://upstream.test") as client:
        assert client.get("/").json() == [1]
        with pytest.raises(UpstreamUnavailableError) as busy:
            client.get("/busy")
        with pytest.raises(UpstreamUnavailableError):
            client.get("/gone")
    assert busy.value.retry_after == 7


def test_something_else_than_a_request_is_refused() -> None:
    """By its type's name."""
    with pytest.raises(TypeError, match=r"builtins\.str is no request of httpx or httpx2"):
        UpstreamTransport().handle_request("GET /")
