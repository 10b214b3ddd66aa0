"""Services that fail in every documented way, on loopback, and the clients generated for them."""

from __future__ import annotations

import asyncio
import importlib
import json
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import uvicorn
from sample import catalog as sample_catalog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from contracts import agentkavach, kaiko, kaizen, kaplaix, korad
from errorkit.catalog import Catalog
from errorkit.dialects import PRESETS, Dialect, get_dialect
from errorkit.errors import APIError, ValidationError
from errorkit.failure import Detail, Public
from errorkit.publish import Files, Options
from errorkit.publish.clients import python as client_python
from errorkit.publish.clients import typescript as client_typescript
from errorkit.starlette import ErrorMiddleware
from requirements import node_tool, require


@dataclass
class Contract:
    """One API: its catalogue, its dialect, and how its client's classes are called."""

    name: str
    catalog: Catalog
    naming: dict[str, str]

    @property
    def dialect(self) -> Dialect:
        return get_dialect(self.name)

    @property
    def package(self) -> str:
        return self.naming.get("directory", f"{self.name}_generated")

    @property
    def root(self) -> str:
        return self.naming.get("root", f"{self.naming['prefix']}Exception")

    @property
    def options(self) -> Options:
        return Options(title=f"{self.name.title()} API", extra={"directory": self.package, **self.naming})

    @property
    def codes(self) -> list[str]:
        return [spec.code for spec in self.catalog]

    @cached_property
    def files(self) -> Files:
        python = client_python.generate(self.catalog, self.dialect, self.options)
        return python | client_typescript.generate(self.catalog, self.dialect, self.options)

    @cached_property
    def classes(self) -> dict[str, str]:
        """Each spelling and the name of its class."""
        source = self.files[f"{self.package}/errors.py"]
        return dict(re.findall(r'^    "(\w+)": (\w+),$', source, re.MULTILINE))


FIVE = {
    "kaizen": Contract("kaizen", kaizen.catalog, {"prefix": "Kaizen"}),
    "kaiko": Contract("kaiko", kaiko.catalog, {"prefix": "Kaiko"}),
    "kaplaix": Contract(
        "kaplaix", kaplaix.catalog, {"prefix": "Kaplaix", "root": "KaplaixException", "api": "KaplaixError"}
    ),
    "korad": Contract("korad", korad.catalog, {"prefix": "Korad"}),
    "agentkavach": Contract("agentkavach", agentkavach.catalog, {"prefix": "AgentKavach", "fail_open": "yes"}),
}
CONTRACTS = {
    **FIVE,
    **{name: Contract(name, sample_catalog, {"prefix": "Sample"}) for name in PRESETS if name not in FIVE},
}
EVERY_CODE = [(contract.name, code) for contract in CONTRACTS.values() for code in contract.codes]


def occurrence(contract: Contract, code: str, **more: Any) -> APIError:
    """An error of a code, with a finding where it is about findings."""
    cls = contract.catalog.by_code(code).cls
    if issubclass(cls, ValidationError):
        more["details"] = [Detail(("limit",), "Not a number", "invalid_value", "body", "int_parsing")]
    return cls(**more)


class Service:
    """Requests are counted and timed by key."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.arrivals: dict[str, list[float]] = {}
        self.app = Starlette(
            routes=[
                Route("/code/{code}", self.code),
                Route("/flaky/{code}/{times:int}/{key}", self.flaky, methods=["GET", "POST"]),
                Route("/future/{status:int}", self.future),
                Route("/page/{status:int}", self.page),
                Route("/text", self.text),
                Route("/headers", self.headers),
                Route("/never", self.never),
                Route("/broken", self.broken),
                Route("/stream/{code}", self.stream),
            ]
        )
        self.app.add_middleware(
            ErrorMiddleware, dialect=contract.dialect, catalog=contract.catalog, normalise="off"
        )  # some dialects' bodies are frameworks' defaults

    async def code(self, request: Request) -> Response:
        raise occurrence(self.contract, request.path_params["code"])

    async def flaky(self, request: Request) -> Response:
        await request.body()
        arrivals = self.arrivals.setdefault(request.path_params["key"], [])
        arrivals.append(time.monotonic())
        if len(arrivals) <= request.path_params["times"]:
            wait = request.query_params.get("wait")
            code = request.path_params["code"]
            raise occurrence(self.contract, code, retry_after=None if wait is None else float(wait))
        return JSONResponse({"attempts": len(arrivals)})

    async def future(self, request: Request) -> Response:
        """What a newer version of the service would say."""
        status = request.path_params["status"]
        public = Public("from_the_future", status, "new_error", "New", "Something new.", request_id="future-1")
        dialect = self.contract.dialect
        headers = {**dialect.headers(public), dialect.request_id_header: "future-1"}
        return Response(json.dumps(dialect.write(public)), status, headers, dialect.media_type)

    async def page(self, request: Request) -> Response:
        return Response("<h1>Out of order</h1>", request.path_params["status"], media_type="text/html")

    async def text(self, request: Request) -> Response:
        return PlainTextResponse("hello, not JSON")

    async def headers(self, request: Request) -> Response:
        return JSONResponse(dict(request.headers))

    async def never(self, request: Request) -> Response:
        while not await request.is_disconnected():
            await asyncio.sleep(0.05)
        return Response()

    async def broken(self, request: Request) -> Response:
        async def chunks() -> Any:
            yield b"[1, "
            raise RuntimeError("the rest is lost")

        return StreamingResponse(chunks(), headers={"content-length": "100"})

    async def stream(self, request: Request) -> Response:
        """Two events and the error, cut where no event ends."""

        async def events() -> Any:
            yield b"id: 1\ndata: first\n\nda"
            yield b'ta: {"second": 2}\n\n'
            raise occurrence(self.contract, request.path_params["code"])

        return StreamingResponse(events(), media_type="text/event-stream")


PLAIN = httpx.Client(verify=False)
"""Shows what the services really send."""


@dataclass
class Server:
    """Where the services are reached."""

    url: str
    services: dict[str, Service]

    def requests(self, key: str) -> list[float]:
        """When the requests of a key arrived; every service is asked."""
        return next((s.arrivals[key] for s in self.services.values() if key in s.arrivals), [])


@contextmanager
def serving(contracts: dict[str, Contract]) -> Iterator[Server]:
    """All services behind one port: `/<name>/...`."""
    services = {name: Service(contract) for name, contract in contracts.items()}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        name, _, rest = scope["path"].lstrip("/").partition("/")
        await services[name].app({**scope, "path": f"/{rest}", "raw_path": f"/{rest}".encode()}, receive, send)

    with running(app) as url:
        yield Server(url, services)


@contextmanager
def running(app: Any) -> Iterator[str]:
    """An application under uvicorn on a free port of loopback."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        until(lambda: server.started)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=20)
        listener.close()


def until(condition: Any, seconds: float = 20) -> None:
    """Wait for a condition; a failure of the test after the bound."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.01)


def write(files: Files, root: Path) -> None:
    """Files as a command line would write them."""
    for path, text in files.items():
        assert text.endswith("\n")
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


@contextmanager
def importable(root: Path) -> Iterator[None]:
    """Modules under a directory, for as long as the block lasts."""
    sys.path.insert(0, str(root))
    try:
        yield
    finally:
        sys.path.remove(str(root))


def compiled(root: Path) -> Path:
    """The generated TypeScript under a directory as JavaScript."""
    (root / "package.json").write_text('{"type": "module"}')
    options = {"strict": True, "target": "es2022", "module": "nodenext", "lib": ["es2023", "dom"], "types": []}
    config = {"compilerOptions": {**options, "rootDir": ".", "outDir": "js"}, "include": ["*/*.ts"]}
    (root / "tsconfig.json").write_text(json.dumps(config))
    subprocess.run([node_tool("tsc"), "--project", str(root)], check=True, capture_output=True, timeout=300)
    return root / "js"


def run_in_node(root: Path, cases: list[dict[str, Any]], scratch: Path) -> list[dict[str, Any]]:
    """What each case of typescript_cases.mjs came to."""
    require("node")
    (root / "package.json").write_text('{"type": "module"}')
    file = scratch / "cases.json"
    file.write_text(json.dumps(cases))
    script = Path(__file__).with_name("typescript_cases.mjs")
    done = subprocess.run(
        ["node", str(script), str(root), str(file)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    results: list[dict[str, Any]] = json.loads(done.stdout)
    assert len(results) == len(cases)
    return results


def module(contract: Contract, name: str) -> ModuleType:
    """A generated module."""
    return importlib.import_module(f"{contract.package}.{name}")


class hanging_up:
    """A server that accepts connections, reads a little and closes them."""

    def __enter__(self) -> tuple[str, list[int]]:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.accepted: list[int] = []
        self.thread = threading.Thread(target=self.run)
        self.thread.start()
        return f"http://127.0.0.1:{self.socket.getsockname()[1]}", self.accepted

    def run(self) -> None:
        while True:
            connection, _ = self.socket.accept()
            with connection:
                if connection.recv(65536) == b"stop":
                    return
                self.accepted.append(1)

    def __exit__(self, *_: object) -> None:
        with socket.create_connection(self.socket.getsockname()) as last:
            last.sendall(b"stop")
        self.thread.join(timeout=20)
        self.socket.close()


def closed_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
