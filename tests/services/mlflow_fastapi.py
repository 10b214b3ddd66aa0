"""mlflow's tracking server as it runs by default: FastAPI, the Flask application mounted in it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from . import mlflow_flask
from .service import WEBSOCKET, Ask, Volatile


def application(_folder: Path) -> Any:
    """The module's own application."""
    from mlflow.server.fastapi_app import app

    return app


SERVICE = replace(
    mlflow_flask.SERVICE,
    title="mlflow under uvicorn",
    framework="FastAPI, Flask mounted",
    packages=("fastapi", "starlette", "flask"),
    adapter="fastapi",
    server="uvicorn",
    application=application,
    environ={**mlflow_flask.SERVICE.environ, "_MLFLOW_SGI_NAME": "uvicorn"},
    volatile=(*mlflow_flask.SERVICE.volatile, Volatile("durations in ms", r"^\d+$")),
    asks=(
        *mlflow_flask.SERVICE.asks,
        Ask("server information", "GET", "/api/3.0/mlflow/server-info"),
        Ask("unknown job", "GET", "/ajax-api/3.0/jobs/nope"),
        Ask("rejected job", "POST", "/ajax-api/3.0/jobs/", json={"nope": 1}),
        Ask("malformed job", "POST", "/ajax-api/3.0/jobs/", content=b'{"nope": ', headers={"Content-Type": "application/json"}),
        Ask("wrong method of a job", "PUT", "/ajax-api/3.0/jobs/search"),
        Ask("unknown model of the gateway", "POST", "/gateway/nope/mlflow/invocations", json={"messages": []}),
        Ask("gateway, malformed JSON", "POST", "/gateway/mlflow/v1/chat/completions", content=b"{", headers={"Content-Type": "application/json"}),
        Ask("traces of the wrong type", "POST", "/v1/traces", json={}),
        Ask("traces without an experiment", "POST", "/v1/traces", content=b"\xff\xff", headers={"Content-Type": "application/x-protobuf"}),
        Ask("unknown tool server", "GET", "/api/3.0/mlflow/mcp-servers/nope"),
        Ask("websocket", "GET", "/nope", headers=WEBSOCKET),
    ),
)  # fmt: skip
