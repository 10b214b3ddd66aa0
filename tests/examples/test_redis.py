"""Quotas in Redis: counted once for all processes of a service."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry
from starlette.testclient import TestClient

from examples.fastapi_app import main as fastapi_app
from examples.flask_app import main as flask_app
from requirements import require

INITECH = {"Authorization": "Bearer initech-key"}


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    """A Redis of this test's own."""
    require("redis-server")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        url = f"redis://127.0.0.1:{port}"
        retry = Retry(ConstantBackoff(0.05), 200)
        redis.Redis.from_url(url, retry=retry, retry_on_error=[redis.ConnectionError]).ping()
        yield url
    finally:
        process.terminate()
        process.wait(10)


def test_two_services_share_one_quota(monkeypatch: pytest.MonkeyPatch, redis_url: str) -> None:
    """What FastAPI has served, Flask counts: the fourth request is refused wherever it arrives."""
    monkeypatch.setenv("DOCSTORE_LIMITER_URL", redis_url)
    with TestClient(fastapi_app.create_app()) as first:
        second = flask_app.create_app().test_client()
        answers = [first.get("/v1/projects", headers=INITECH), second.get("/v1/projects", headers=INITECH)]
        answers.append(first.get("/v1/projects", headers=INITECH))
        answers.append(second.get("/v1/projects", headers=INITECH))
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["2", "1", "0", "0"]
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
