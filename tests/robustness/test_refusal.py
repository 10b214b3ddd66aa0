"""A wrong setting and real servers: they print the reason and stop; without a lifespan, every request is told of."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from robustness.test_servers import ROOT, Server

APP, BARE = "robustness.refused:app", "robustness.refused:bare"
SERVERS: dict[str, list[str]] = {
    "uvicorn": ["uvicorn", "--port", "0"],
    "hypercorn": ["hypercorn", "-b", "127.0.0.1:0"],
    "granian": ["granian", "--interface", "asgi", "--port", "0"],
    "gunicorn, uvicorn's worker": ["gunicorn", "-b", "127.0.0.1:0", "-k", "uvicorn.workers.UvicornWorker"],
    "gunicorn, its own worker": ["gunicorn", "-b", "127.0.0.1:0", "-k", "asgi"],
}
WSGI_SERVERS: dict[str, list[str]] = {
    "gunicorn": ["gunicorn", "-b", "127.0.0.1:0", "-k", "sync"],
    "granian": ["granian", "--interface", "wsgi", "--port", "0"],
}
REASON = "errorkit configuration: dialect='opnai': unknown dialect 'opnai'; did you mean 'openai'"


def ended(command: list[str], way: str = "", **environment: str) -> tuple[int, str]:
    """The exit status of a server that cannot start, and what it has printed."""
    known = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT / 'tests'}", "WAY": way, **environment}
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, env=known, capture_output=True, text=True, timeout=90, check=False
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("server", SERVERS)
def test_a_server_stops_as_it_does_for_any_application_that_refuses_to_start(server: str) -> None:
    """With the reason, and with the exit status that it gives a bare one: hypercorn's is 0, for that one too."""
    status, printed = ended([*SERVERS[server], APP], "add_middleware")
    assert REASON in printed
    bare_status, bare_printed = ended([*SERVERS[server], BARE])
    assert "the bare application says no" in bare_printed
    assert status == bare_status
    assert (status == 0) is (server == "hypercorn")


@pytest.mark.parametrize(
    "way", ["add_middleware, outside another", "add_middleware, the generic one", "install", "around"]
)
def test_uvicorn_stops_however_errorkit_was_added(way: str) -> None:
    """By add_middleware in the lifespan, else while it imports the application."""
    status, printed = ended([*SERVERS["uvicorn"], APP], way)
    assert status != 0
    assert REASON in printed
    assert "Uvicorn running" not in printed


def test_uvicorn_stops_for_a_wrong_variable() -> None:
    """Which is named."""
    way = "add_middleware, by the environment"
    status, printed = ended([*SERVERS["uvicorn"], APP], way, ERRORKIT_TENANT_STATUS="405")
    assert status != 0
    assert "tenant_status=405: Input should be 404 or 403 (environment ERRORKIT_TENANT_STATUS)" in printed


@pytest.mark.parametrize("server", WSGI_SERVERS)
@pytest.mark.parametrize("way", ["Flask", "around, WSGI"])
def test_a_wsgi_server_stops_when_it_imports_the_application(server: str, way: str) -> None:
    """There is no lifespan in WSGI: the import fails."""
    status, printed = ended([*WSGI_SERVERS[server], APP], way)
    assert status != 0
    assert REASON in printed


def test_without_a_lifespan_every_request_gets_an_envelope_and_an_event_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client learns nothing of it."""
    monkeypatch.setenv("WAY", "add_middleware")
    command = ["uvicorn", "--lifespan", "off", "--port", "{port}", APP]
    server = Server("uvicorn", command, tmp_path / "log")
    try:
        server.get("/")
        server.forget()
        for path in ("/", "/nowhere"):
            status, fields, body = server.get(path)
            assert (status, fields["content-type"]) == (500, "application/problem+json")
            assert json.loads(body) == {
                "type": "about:blank",
                "title": "Internal Server Error",
                "status": 500,
                "detail": "An internal error occurred.",
                "code": "internal",
                "request_id": fields["x-request-id"],
            }
        events = server.expect(2)
        assert [event["path"] for event in events] == ["/", "/nowhere"]
        assert all(event["error"].startswith(REASON) for event in events)
        assert all(event["exception_type"].endswith("ConfigurationError") for event in events)
        assert "Traceback" not in server.written()
    finally:
        server.stop()
