"""prefect's server: workflow orchestration; FastAPI, mounted applications and handlers for everything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .service import TIMESTAMPS, UUIDS, WEBSOCKET, Ask, Service

_ABSENT = "00000000-0000-4000-8000-000000000000"


def application(_folder: Path) -> Any:
    """The server's application; its tables are made when it starts."""
    from prefect.server.api.server import create_app

    return create_app(webserver_only=True)


SERVICE = Service(
    title="prefect",
    requirements=("prefect==3.9.1",),
    framework="FastAPI",
    packages=("fastapi", "starlette"),
    adapter="fastapi",
    server="uvicorn",
    application=application,
    environ={
        "PREFECT_HOME": "<folder>", "PREFECT_SERVER_ANALYTICS_ENABLED": "false", "PREFECT_SERVER_UI_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    },
    volatile=(UUIDS, TIMESTAMPS),
    patience=120,
    asks=(
        Ask("hello", "GET", "/api/hello"),
        Ask("ready", "GET", "/api/ready"),
        Ask("health", "GET", "/api/health"),
        Ask("version", "GET", "/api/admin/version"),
        Ask("create a flow", "POST", "/api/flows/", json={"name": "nightly"}, keep={"flow": "id"}),
        Ask("the same flow again", "POST", "/api/flows/", json={"name": "nightly"}),
        Ask("read it", "GET", "/api/flows/<flow>"),
        Ask("find it by name", "GET", "/api/flows/name/nightly"),
        Ask("filter", "POST", "/api/flows/filter", json={"limit": 5}),
        Ask("count", "POST", "/api/flows/count"),
        Ask("change it", "PATCH", "/api/flows/<flow>", json={"tags": ["a"]}),
        Ask("create a variable", "POST", "/api/variables/", json={"name": "limit", "value": 3}),
        Ask("read the variable", "GET", "/api/variables/name/limit"),
        Ask("create a limit", "POST", "/api/v2/concurrency_limits/", json={"name": "db", "limit": 2}),
        Ask("schema pages", "GET", "/docs"),
        Ask("unknown route", "GET", "/api/nope"),
        Ask("unknown route outside of the API", "GET", "/nope"),
        Ask("HEAD of an unknown route", "HEAD", "/api/nope"),
        Ask("wrong method", "DELETE", "/api/hello"),
        Ask("OPTIONS", "OPTIONS", "/api/hello"),
        Ask("unknown flow", "GET", f"/api/flows/{_ABSENT}"),
        Ask("unknown flow, another origin", "GET", f"/api/flows/{_ABSENT}", headers={"Origin": "http://a.test"}),
        Ask("unknown flow by name", "GET", "/api/flows/name/nope"),
        Ask("removal of an unknown flow", "DELETE", f"/api/flows/{_ABSENT}"),
        Ask("flow id that is no UUID", "GET", "/api/flows/nope"),
        Ask("unknown variable", "GET", "/api/variables/name/nope"),
        Ask("unknown limit", "GET", "/api/v2/concurrency_limits/nope"),
        Ask("conflict: same variable", "POST", "/api/variables/", json={"name": "limit", "value": 4}),
        Ask("conflict: same limit", "POST", "/api/v2/concurrency_limits/", json={"name": "db", "limit": 2}),
        Ask("malformed JSON", "POST", "/api/flows/", content=b'{"name": ', headers={"Content-Type": "application/json"}),
        Ask("no body", "POST", "/api/flows/"),
        Ask("rejected body", "POST", "/api/flows/", json={"name": 7}),
        Ask("unknown member", "POST", "/api/flows/", json={"name": "x", "nope": 1}),
        Ask("rejected name of a variable", "POST", "/api/variables/", json={"name": "NOT OK!", "value": 1}),
        Ask("rejected limit of a page", "POST", "/api/flows/filter", json={"limit": 100000}),
        Ask("version of a client that is too old", "GET", "/api/flows/name/nightly", headers={"X-PREFECT-API-VERSION": "0.1.0"}),
        Ask("crash: a character that no table takes", "POST", "/api/flows/", json={"name": "nul \ud800"}),
        Ask("websocket of an unknown route", "GET", "/api/nope", headers=WEBSOCKET),
        Ask("all as it was", "GET", "/api/flows/<flow>"),
    ),
)  # fmt: skip
