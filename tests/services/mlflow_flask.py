"""mlflow's tracking server as it runs under gunicorn: Flask, errors as JSON by a decorator of its handlers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .service import EPOCHS, HEX_IDS, HTTP_DATES, UUIDS, Ask, Service, Volatile

_API = "/api/2.0/mlflow"


def application(_folder: Path) -> Any:
    """The module's own application."""
    from mlflow.server import app

    return app


SERVICE = Service(
    title="mlflow under gunicorn",
    requirements=("mlflow==3.17.2", "websockets"),
    framework="Flask",
    packages=("flask", "werkzeug"),
    adapter="flask",
    server="gunicorn",
    application=application,
    environ={
        "_MLFLOW_SERVER_FILE_STORE": "sqlite:///<folder>/mlflow.db", "_MLFLOW_SERVER_ARTIFACT_ROOT": "<folder>/artifacts",
        "_MLFLOW_SERVER_ARTIFACT_DESTINATION": "<folder>/artifacts", "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
        "MLFLOW_FLASK_SERVER_SECRET_KEY": "0" * 32, "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true",
        "_MLFLOW_SGI_NAME": "gunicorn",
    },
    volatile=(UUIDS, HEX_IDS, EPOCHS, HTTP_DATES, Volatile("tags of files by their time", r'"\d{10}\.\d+-\d+-\d+"')),
    patience=120,
    asks=(
        Ask("health", "GET", "/health"),
        Ask("version", "GET", "/version"),
        Ask("create an experiment", "POST", f"{_API}/experiments/create", json={"name": "tides"}, keep={"experiment": "experiment_id"}),
        Ask("read it", "GET", f"{_API}/experiments/get?experiment_id=<experiment>"),
        Ask("find it by name", "GET", f"{_API}/experiments/get-by-name?experiment_name=tides"),
        Ask("search", "POST", f"{_API}/experiments/search", json={"max_results": 5}),
        Ask("create a run", "POST", f"{_API}/runs/create", json={"experiment_id": "<experiment>", "start_time": 1, "run_name": "first"}, keep={"run": "run.info.run_id"}),
        Ask("log a metric", "POST", f"{_API}/runs/log-metric", json={"run_id": "<run>", "key": "height", "value": 1.5, "timestamp": 1}),
        Ask("history of the metric", "GET", f"{_API}/metrics/get-history?run_id=<run>&metric_key=height"),
        Ask("register a model", "POST", f"{_API}/registered-models/create", json={"name": "m"}),
        Ask("upload", "PUT", "/api/2.0/mlflow-artifacts/artifacts/a.txt", content=b"hello"),
        Ask("download", "GET", "/api/2.0/mlflow-artifacts/artifacts/a.txt"),
        Ask("HEAD", "HEAD", "/version"),
        Ask("unknown route", "GET", "/nope/nope"),
        Ask("unknown route of the API", "GET", f"{_API}/nope"),
        Ask("HEAD of an unknown route", "HEAD", f"{_API}/nope"),
        Ask("wrong method", "DELETE", "/version"),
        Ask("wrong method of the API", "GET", f"{_API}/experiments/create"),
        Ask("OPTIONS", "OPTIONS", f"{_API}/experiments/create"),
        Ask("CORS preflight of a stranger", "OPTIONS", f"{_API}/experiments/create", headers={"Origin": "http://evil.test", "Access-Control-Request-Method": "POST"}),
        Ask("forbidden host", "GET", f"{_API}/experiments/get?experiment_id=0", headers={"Host": "evil.test"}),
        Ask("forbidden origin", "POST", f"{_API}/experiments/create", json={"name": "x"}, headers={"Origin": "http://evil.test"}),
        Ask("unknown experiment", "GET", f"{_API}/experiments/get?experiment_id=999"),
        Ask("unknown experiment by name", "GET", f"{_API}/experiments/get-by-name?experiment_name=nope"),
        Ask("unknown run", "GET", f"{_API}/runs/get?run_id=nope"),
        Ask("unknown model", "GET", f"{_API}/registered-models/get?name=nope"),
        Ask("unknown artifact", "GET", "/api/2.0/mlflow-artifacts/artifacts/nope.txt"),
        Ask("conflict: same experiment", "POST", f"{_API}/experiments/create", json={"name": "tides"}),
        Ask("conflict: same model", "POST", f"{_API}/registered-models/create", json={"name": "m"}),
        Ask("malformed JSON", "POST", f"{_API}/experiments/create", content=b'{"name": ', headers={"Content-Type": "application/json"}),
        Ask("no body", "POST", f"{_API}/experiments/create"),
        Ask("body of another type", "POST", f"{_API}/experiments/create", content=b"a=1", headers={"Content-Type": "text/plain"}),
        Ask("rejected body", "POST", f"{_API}/experiments/create", json={"name": 7}),
        Ask("rejected query", "GET", f"{_API}/experiments/get"),
        Ask("rejected limit of a page", "POST", f"{_API}/experiments/search", json={"max_results": 10**9}),
        Ask("rejected filter", "POST", f"{_API}/runs/search", json={"experiment_ids": ["0"], "filter": "nope ~ 1"}),
        Ask("path outside", "GET", "/api/2.0/mlflow-artifacts/artifacts/..%2f..%2fmlflow.db"),
        Ask("artifact without its run", "GET", "/get-artifact?path=a.txt"),
        Ask("crash: what is no JSON object", "POST", f"{_API}/experiments/create", json=[1, 2]),
        Ask("all as it was", "POST", f"{_API}/runs/search", json={"experiment_ids": ["<experiment>"]}),
    ),
)  # fmt: skip
