"""Clients as folders that are published, on both HTTP libraries, and of services that speak several dialects."""

from __future__ import annotations

import asyncio
import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest
import stamina
from sample import InvoiceNotFound, catalog
from serving import Contract as Client
from serving import Server, closed_port, importable, running, serving, write
from starlette.applications import Starlette
from starlette.routing import Route

from errorkit.dialects import get_dialect
from errorkit.dialects.problem import Problem
from errorkit.errors import RateLimitError
from errorkit.publish import Options
from errorkit.publish.clients import python as client_python
from errorkit.publish.clients import typescript as client_typescript
from errorkit.starlette import ErrorMiddleware
from requirements import node_tool, require, require_module


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=100, cap=True):
        yield


# -- either library

BOTH = {"httpx": httpx, "httpx2": httpx2}


@pytest.fixture(name="server", scope="module")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    root = tmp_path_factory.mktemp("libraries")
    clients = {
        name: Client("problem", catalog, {"prefix": "Sample", "library": name, "directory": f"over_{name}"})
        for name in BOTH
    }
    for client in clients.values():
        write(client.files, root)
    with importable(root), serving(clients) as server:
        yield server


def modules(name: str) -> tuple[Any, Any]:
    return importlib.import_module(f"over_{name}.errors"), importlib.import_module(f"over_{name}.transport")


@pytest.mark.parametrize("name", BOTH)
def test_a_client_works_on_either_library(server: Server, name: str) -> None:
    errors, transport = modules(name)
    with BOTH[name].Client(transport=transport.Transport()) as client:
        with pytest.raises(errors.InvoiceNotFoundError) as raised:
            client.get(f"{server.url}/{name}/code/invoice_not_found")
        assert raised.value.message == "There is no such invoice."
        assert client.get(f"{server.url}/{name}/flaky/service_unavailable/2/sync").json() == {"attempts": 3}
        with pytest.raises(errors.SampleNetworkError):
            client.get(f"http://127.0.0.1:{closed_port()}/")
        with (
            pytest.raises(errors.InvoiceNotFoundError),
            client.stream("GET", f"{server.url}/{name}/stream/invoice_not_found") as response,
        ):
            list(response.iter_lines())
        response = client.get(f"{server.url}/{name}/code/quota_used_up")
        assert (response.status_code, type(response.extensions["error"])) == (429, errors.QuotaUsedUpError)


@pytest.mark.parametrize("name", BOTH)
def test_a_client_works_on_either_library_without_blocking(server: Server, name: str) -> None:
    errors, transport = modules(name)

    async def calls() -> Any:
        async with BOTH[name].AsyncClient(transport=transport.AsyncTransport()) as client:
            with pytest.raises(errors.InvoiceNotFoundError):
                await client.get(f"{server.url}/{name}/code/invoice_not_found")
            with pytest.raises(errors.InvoiceNotFoundError):
                async with client.stream("GET", f"{server.url}/{name}/stream/invoice_not_found") as response:
                    await response.aread()
            return (await client.get(f"{server.url}/{name}/flaky/service_unavailable/2/async")).json()

    assert asyncio.run(calls()) == {"attempts": 3}


def test_another_library_is_refused() -> None:
    options = Options(extra={"library": "requests"})
    with pytest.raises(ValueError, match="library='requests': use httpx or httpx2"):
        client_python.generate(catalog, get_dialect("problem"), options)


# -- several dialects

KEBAB = Problem(code_case="kebab")
SPOKEN = {"/": KEBAB, "/v1": get_dialect("openai"), "/kube": get_dialect("kubernetes")}


def _several() -> Starlette:
    async def absent(_request: Any) -> None:
        raise InvoiceNotFound()

    async def limited(_request: Any) -> None:
        raise RateLimitError(retry_after=3600)

    routes = [Route(f"{prefix.rstrip('/')}/{f.__name__}", f) for prefix in SPOKEN for f in (absent, limited)]
    app = Starlette(routes=routes)
    app.add_middleware(ErrorMiddleware, dialect=SPOKEN, catalog=catalog)
    return app


@pytest.mark.parametrize("prefix", SPOKEN)
def test_a_client_reads_every_dialect_of_the_service(prefix: str, tmp_path: Path) -> None:
    package = f"several_{prefix.strip('/')}"
    options = Options(title="Acme", also=tuple(SPOKEN.values()), extra={"directory": package})
    write(client_python.generate(catalog, KEBAB, options), tmp_path)
    with importable(tmp_path), running(_several()) as url:
        errors, transport = (importlib.import_module(f"{package}.{name}") for name in ("errors", "transport"))
        with httpx.Client(transport=transport.Transport(), base_url=f"{url}{prefix.rstrip('/')}") as client:
            with pytest.raises(errors.InvoiceNotFoundError) as raised:
                client.get("/absent")
            error = raised.value
            assert (error.code, error.message) == ("invoice-not-found", "There is no such invoice.")
            assert error.request_id == error.headers[SPOKEN[prefix].request_id_header]
            with pytest.raises(errors.RateLimitedError) as limited:
                client.get("/limited")
            assert (limited.value.code, limited.value.retry_after) == ("rate-limited", 3600)


# -- folders that are published


def _folder(generator: Any, root: Path, **extra: str) -> None:
    options = Options(title="Acme API", version="4.2.0", extra={"directory": "acme_client", **extra})
    write(generator.generate(catalog, get_dialect("problem"), options), root)


def test_a_python_folder_is_a_package(tmp_path: Path) -> None:
    for name in ("build", "flit_core"):
        require_module(name)
    folder = tmp_path / "folder"
    _folder(client_python, folder, package="acme-client")
    command = [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", str(tmp_path), str(folder)]
    subprocess.run(command, check=True, capture_output=True, timeout=100)
    (wheel,) = tmp_path.glob("acme_client-4.2.0-py3-none-any.whl")
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); import acme_client.transport, importlib.metadata as m;"
        "d = m.distribution('acme-client');"
        "print(acme_client.errors.SERVICE_VERSION, d.version, sorted(d.requires),"
        " 'acme_client/py.typed' in map(str, d.files))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(wheel)], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "4.2.0 4.2.0 ['httpx>=0.27,<1', 'stamina>=24.3'] True\n"
    readme = (folder / "README.md").read_text()
    assert "The errors of Acme API, version 4.2.0" in readme
    assert "| `invoice_not_found` | 404 | `InvoiceNotFoundError` | no |" in readme


@pytest.mark.timeout(300)
def test_a_typescript_folder_is_a_package(tmp_path: Path) -> None:
    require("node")
    folder = tmp_path / "node_modules" / "@acme" / "client"
    _folder(client_typescript, folder, package="@acme/client")
    subprocess.run([node_tool("tsc"), "--project", str(folder)], check=True, capture_output=True, timeout=280)
    script = (
        'import { SERVICE_VERSION, InvoiceNotFoundError } from "@acme/client/errors";'
        'import { createFetch } from "@acme/client/fetch";'
        "console.log(SERVICE_VERSION, InvoiceNotFoundError.name, typeof createFetch());"
    )
    (tmp_path / "use.mjs").write_text(script)
    done = subprocess.run(["node", "use.mjs"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "4.2.0 InvoiceNotFoundError function\n"
    manifest = json.loads((folder / "package.json").read_text())
    assert (manifest["name"], manifest["version"]) == ("@acme/client", "4.2.0")


@pytest.mark.parametrize(
    ("generator", "name", "refused"),
    [
        (client_python, "acme client", "package='acme client': use letters"),
        (client_typescript, "Acme", "package='Acme': npm takes lower-case"),
    ],
)
def test_a_name_that_no_index_takes_is_refused(generator: Any, name: str, refused: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=refused):
        _folder(generator, tmp_path, package=name)
