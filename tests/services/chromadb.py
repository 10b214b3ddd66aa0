"""chromadb's server: a vector store; FastAPI, its errors answered by a middleware that catches exceptions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .service import UUIDS, WEBSOCKET, Ask, Service, Volatile

_DATABASE = "/api/v2/tenants/default_tenant/databases"
_COLLECTIONS = f"{_DATABASE}/default_database/collections"
_RECORDS = {"ids": ["a", "b"], "embeddings": [[1.0, 2.0], [3.0, 4.0]], "documents": ["one", "two"]}


def application(_folder: Path) -> Any:
    """The module's own application, built from the environment."""
    from chromadb.app import app

    return app


SERVICE = Service(
    title="chromadb",
    requirements=("chromadb==1.5.9", "fastapi", "opentelemetry-instrumentation-fastapi"),
    framework="FastAPI",
    packages=("fastapi", "starlette"),
    adapter="fastapi",
    server="uvicorn",
    application=application,
    environ={
        "IS_PERSISTENT": "TRUE", "PERSIST_DIRECTORY": "<folder>", "ANONYMIZED_TELEMETRY": "FALSE",
        "CHROMA_SERVER_CORS_ALLOW_ORIGINS": '["http://a.test"]',
    },
    volatile=(UUIDS, Volatile("heartbeat", r'"nanosecond heartbeat":\d+')),
    unordered=True,
    asks=(
        Ask("root", "GET", "/api/v2"),
        Ask("version", "GET", "/api/v2/version"),
        Ask("heartbeat", "GET", "/api/v2/heartbeat"),
        Ask("preflight checks", "GET", "/api/v2/pre-flight-checks"),
        Ask("identity", "GET", "/api/v2/auth/identity"),
        Ask("create a collection", "POST", _COLLECTIONS, json={"name": "papers"}, keep={"collection": "id"}),
        Ask("add records", "POST", f"{_COLLECTIONS}/<collection>/add", json=_RECORDS),
        Ask("count", "GET", f"{_COLLECTIONS}/<collection>/count"),
        Ask("get records", "POST", f"{_COLLECTIONS}/<collection>/get", json={"ids": ["a"]}),
        Ask("query", "POST", f"{_COLLECTIONS}/<collection>/query", json={"query_embeddings": [[1.0, 2.0]], "n_results": 1}),
        Ask("list, another origin", "GET", _COLLECTIONS, headers={"Origin": "http://a.test"}),
        Ask("CORS preflight", "OPTIONS", _COLLECTIONS, headers={"Origin": "http://a.test", "Access-Control-Request-Method": "POST"}),
        Ask("create a tenant", "POST", "/api/v2/tenants", json={"name": "acme"}),
        Ask("unknown route", "GET", "/api/v9/nope"),
        Ask("unknown route, another origin", "GET", "/api/v9/nope", headers={"Origin": "http://a.test"}),
        Ask("HEAD of an unknown route", "HEAD", "/nope"),
        Ask("wrong method", "DELETE", "/api/v2/version"),
        Ask("OPTIONS", "OPTIONS", "/api/v2/version"),
        Ask("forbidden CORS preflight", "OPTIONS", _COLLECTIONS, headers={"Origin": "http://b.test", "Access-Control-Request-Method": "POST"}),
        Ask("unknown collection", "GET", f"{_COLLECTIONS}/nope"),
        Ask("unknown collection, another origin", "GET", f"{_COLLECTIONS}/nope", headers={"Origin": "http://a.test"}),
        Ask("removal of an unknown collection", "DELETE", f"{_COLLECTIONS}/nope"),
        Ask("unknown tenant", "GET", "/api/v2/tenants/nope"),
        Ask("unknown database", "GET", f"{_DATABASE}/nope"),
        Ask("conflict: same name", "POST", _COLLECTIONS, json={"name": "papers"}),
        Ask("conflict: same tenant", "POST", "/api/v2/tenants", json={"name": "acme"}),
        Ask("malformed JSON", "POST", _COLLECTIONS, content=b'{"name": ', headers={"Content-Type": "application/json"}),
        Ask("rejected body", "POST", _COLLECTIONS, json={"title": "no name"}),
        Ask("rejected name", "POST", _COLLECTIONS, json={"name": "!"}),
        Ask("rejected query parameter", "GET", f"{_COLLECTIONS}?limit=many"),
        Ask("collection id that is no UUID", "GET", f"{_COLLECTIONS}/nope/count"),
        Ask("records of an unknown collection", "GET", f"{_COLLECTIONS}/00000000-0000-4000-8000-000000000000/count"),
        Ask("records of another dimension", "POST", f"{_COLLECTIONS}/<collection>/add", json={"ids": ["c"], "embeddings": [[1.0]]}),
        Ask("lists of different lengths", "POST", f"{_COLLECTIONS}/<collection>/add", json={"ids": ["c", "d"], "embeddings": [[1.0, 2.0]]}),
        Ask("reset, which is switched off", "POST", "/api/v2/reset"),
        Ask("websocket", "GET", "/api/v2/heartbeat", headers=WEBSOCKET),
        Ask("all as it was", "GET", f"{_COLLECTIONS}/papers"),
    ),
)  # fmt: skip
