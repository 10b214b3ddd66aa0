"""The example services, in process and behind their usual servers, under one interface."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Protocol

import httpx
import pytest
from starlette.testclient import TestClient
from structlog.testing import capture_logs
from werkzeug.test import Client

from described import openapi_of
from errorkit.publish.recorded_traffic import Exchange
from errorkit.testing import Traffic
from examples.demo.server import GUNICORN, UVICORN, Server
from examples.docstore.setup import load_config
from examples.fastapi_app import main as fastapi_app
from examples.flask_app import main as flask_app

Event = dict[str, Any]


class Answer(NamedTuple):
    status: int
    headers: httpx.Headers
    body: bytes
    cut: bool
    events: list[Event]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Service(Protocol):
    def send(self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b"") -> Answer: ...

    def close(self) -> None: ...


def failures(logs: list[Any]) -> list[Event]:
    return [log for log in logs if log["event"] == "request_failed"]


class InFastAPI:
    """FastAPI in Starlette's test client, which raises what reaches the server."""

    def __init__(self, dialect: str) -> None:
        app = fastapi_app.create_app(load_config(dialect=dialect))
        self.traffic = Traffic(app.openapi)
        self.client = TestClient(self.traffic.asgi(app))

    def send(self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b"") -> Answer:
        with capture_logs() as logs:
            try:
                response = self.client.request(method, path, headers=headers, content=body)
            except UnicodeDecodeError:
                return Answer(200, httpx.Headers(), b"", True, failures(logs))
        return Answer(response.status_code, response.headers, response.content, False, failures(logs))

    def close(self) -> None:
        self.client.close()
        assert self.traffic.faults() == []


class InFlask:
    """Flask in its own test client, read chunk by chunk."""

    def __init__(self, dialect: str) -> None:
        app = flask_app.create_app(load_config(dialect=dialect))
        self.traffic = Traffic(openapi_of(app))
        # around the application: a layer around `wsgi_app` would be shown what a stream died of
        self.client = Client(self.traffic.wsgi(app), app.response_class)

    def send(self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b"") -> Answer:
        content, cut = b"", False
        with capture_logs() as logs:
            response = self.client.open(path, method=method, headers=headers, data=body)
            try:
                for chunk in response.response:
                    content += chunk if isinstance(chunk, bytes) else chunk.encode()
            except UnicodeDecodeError:
                cut = True
            response.close()
        fields = httpx.Headers(response.headers.to_wsgi_list())
        return Answer(response.status_code, fields, content, cut, failures(logs))

    def close(self) -> None:
        assert self.traffic.faults() == []


class Served:
    """A service behind a real server on loopback; its events are read from its standard output."""

    def __init__(self, module: Any, command: tuple[str, ...], dialect: str, home: str) -> None:
        self.traffic = Traffic(openapi_of(module.create_app(load_config(dialect=dialect))))
        self.server = Server(command, ERRORKIT_DIALECT=dialect, HOME=home)
        self.client = httpx.Client(base_url=self.server.url(), timeout=30)

    def send(self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b"") -> Answer:
        content, cut = b"", False
        with self.client.stream(method, path, headers=headers, content=body) as response:
            try:
                for chunk in response.iter_raw():
                    content += chunk
            except httpx.RemoteProtocolError:
                cut = True
        if response.status_code >= 400:
            fields = {name.lower(): value for name, value in response.headers.items()}
            self.traffic.exchanges.append(
                Exchange(method, response.request.url.path, response.status_code, fields, content)
            )
        failed = response.status_code >= 400 or cut or b"\nevent: error\n" in content
        return Answer(
            response.status_code, response.headers, content, cut, [self.server.next_event()] if failed else []
        )

    def close(self) -> None:
        self.client.close()
        assert self.server.stop() == [], "more than one event for one request"
        assert self.traffic.faults() == []


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str, str], Service]]:
    """A service by kind (fastapi, flask, uvicorn, gunicorn) and dialect, started once."""
    running: dict[tuple[str, str], Service] = {}

    def start(kind: str, dialect: str) -> Service:
        if (kind, dialect) not in running:
            home = str(tmp_path_factory.mktemp("home"))
            makers: dict[str, Callable[[], Service]] = {
                "fastapi": lambda: InFastAPI(dialect),
                "flask": lambda: InFlask(dialect),
                "uvicorn": lambda: Served(fastapi_app, UVICORN, dialect, home),
                "gunicorn": lambda: Served(flask_app, GUNICORN, dialect, home),
            }
            running[kind, dialect] = makers[kind]()
        return running[kind, dialect]

    yield start
    for one in running.values():
        one.close()
