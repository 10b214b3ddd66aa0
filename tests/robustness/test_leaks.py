"""A planted secret never leaves for an undeclared error, in any dialect, through any adapter."""

from __future__ import annotations

import json
import random
import re
import string
from typing import Any

import pytest
from fastapi import FastAPI
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, field_validator
from sqlalchemy import create_engine, text
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Route
from structlog.testing import capture_logs

from errorkit import NotFoundError
from errorkit.dialects import PRESETS
from errorkit.fastapi import ErrorMiddleware as FastAPIMiddleware
from errorkit.flask import ErrorKit
from errorkit.request_id import RequestIdFormat
from errorkit.starlette import ErrorMiddleware as StarletteMiddleware
from robustness.strict_asgi import http_scope, run, start_up
from robustness.strict_wsgi import serve

ENGINE = create_engine("sqlite://")
BANNER = re.compile(
    r"traceback|\.py\b|site-packages|starlette|fastapi|werkzeug|flask|python/|line \d+|0x[0-9a-f]{6}", re.I
)


def in_arguments(canary: str) -> None:
    raise ValueError(canary, {"password": canary})


def in_cause(canary: str) -> None:
    try:
        raise KeyError(canary)
    except KeyError as cause:
        raise RuntimeError("failed") from cause


def in_context(canary: str) -> None:
    try:
        raise KeyError(canary)
    except KeyError:
        {}["other"]


def in_note(canary: str) -> None:
    error = RuntimeError("failed")
    error.add_note(canary)
    raise error


def in_locals(canary: str) -> None:
    token = canary  # noqa: F841
    raise RuntimeError("failed")


def in_sql(canary: str) -> None:
    with ENGINE.connect() as connection:
        connection.execute(text(f"SELECT '{canary}' FROM no_such_table WHERE a = :b"), {"b": canary})


def in_group(canary: str) -> None:
    raise ExceptionGroup(canary, [ValueError(canary), NotFoundError(canary)])


def in_attributes(canary: str) -> None:
    class Upstream(Exception):
        status_code = 404
        detail = message = description = response = canary
        headers = {"X-Upstream": canary}

    raise Upstream(canary)


def in_class_name(canary: str) -> None:
    raise type(f"Error{canary}", (Exception,), {})(canary)


def in_path_error(canary: str) -> None:
    open(f"/nonexistent/{canary}").close()


def in_server_http_exception(canary: str) -> None:
    raise HTTPException(503, detail=f"upstream {canary} said no")


def in_concealed_error(canary: str) -> None:
    class Secret(NotFoundError):
        code, concealable = "secret_thing", True
        message = "Nothing here."

    raise Secret(canary, headers={"X-Owner": canary}, owner_name=canary) from KeyError(canary)


PLANTED = [value for name, value in sorted(globals().items()) if name.startswith("in_")]


def build_starlette(fail: Any, dialect: str, **settings: Any) -> Any:
    async def endpoint(request: Any) -> Any:
        await request.body()
        fail()

    app = Starlette(
        routes=[Route("/", endpoint, methods=["GET", "POST"])],
        middleware=[Middleware(StarletteMiddleware, dialect=dialect, **settings)],
    )
    start_up(app)
    return app


def build_fastapi(fail: Any, dialect: str, **settings: Any) -> Any:
    app = FastAPI()

    @app.api_route("/", methods=["GET", "POST"])
    def endpoint() -> None:
        fail()

    app.add_middleware(FastAPIMiddleware, dialect=dialect, **settings)
    start_up(app)
    return app


def seen_asgi(app: Any, canary: str) -> tuple[int, str]:
    headers = [
        (b"authorization", f"Bearer {canary}".encode()),
        (b"cookie", f"session={canary}".encode()),
        (b"x-forwarded-for", canary.encode()),
        (b"user-agent", canary.encode()),
        (b"x-request-id", f"{canary}!!".encode()),
    ]
    scope = http_scope(method="POST", headers=headers, query_string=f"token={canary}".encode())
    result = run(app, scope, received=[{"type": "http.request", "body": canary.encode(), "more_body": False}])
    assert result.escaped is None
    return result.sent.status, f"{result.sent.headers} {result.sent.body.decode()}"


def seen_wsgi(app: Any, canary: str) -> tuple[int, str]:
    answer = serve(app, headers={"Authorization": canary, "Cookie": f"session={canary}", "X-Request-ID": f"{canary}!"})
    assert answer.escaped is None
    return answer.status, f"{answer.fields} {answer.body.decode()}"


def build_flask(fail: Any, dialect: str, **settings: Any) -> Any:
    app = Flask(__name__)

    @app.get("/")
    def view() -> Any:
        fail()

    ErrorKit(app, dialect=dialect, **settings)
    return app


ADAPTERS = {
    "starlette": (build_starlette, seen_asgi),
    "fastapi": (build_fastapi, seen_asgi),
    "flask": (build_flask, seen_wsgi),
}
CANARIES = st.integers(0, 2**32).map(
    lambda seed: "Kq" + "".join(random.Random(seed).choices(string.ascii_letters, k=14))
)


@pytest.mark.parametrize("adapter", ADAPTERS)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(CANARIES, st.sampled_from(PLANTED), st.sampled_from(sorted(PRESETS)))
def test_a_planted_secret_never_leaves(adapter: str, canary: str, plant: Any, dialect: str) -> None:
    """Arguments, causes, notes, locals, SQL, headers, query, body, attributes: nothing of it is in the response."""
    if adapter == "flask" and plant is in_server_http_exception:
        plant = in_arguments
    build, seen = ADAPTERS[adapter]
    with capture_logs() as log:
        status, response = seen(build(lambda: plant(canary), dialect), canary)
    assert status in (404, 500, 503)
    assert canary not in response
    assert not BANNER.search(response), response
    events = [entry for entry in log if entry["event"] == "request_failed"]
    assert len(events) == 1
    if plant is in_locals:  # whose words do not hold it: nothing else may bring it into the log
        assert canary not in json.dumps(events)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(CANARIES, st.sampled_from(sorted(PRESETS)))
def test_a_submitted_value_is_never_echoed(canary: str, dialect: str) -> None:
    """A rejected request names fields and reasons; the values stay with the client, in body and log."""

    class Inner(BaseModel):
        size: int

    class Order(BaseModel):
        password: str
        amount: float
        when: str
        inner: Inner

        @field_validator("when")
        @classmethod
        def check(cls, value: str) -> str:
            raise ValueError("not a good time")

    app = FastAPI()

    @app.post("/")
    def endpoint(order: Order, limit: int, flag: bool = False) -> None: ...

    endpoint.__annotations__["order"] = Order
    app = FastAPI()
    app.post("/")(endpoint)
    app.add_middleware(FastAPIMiddleware, dialect=dialect)
    start_up(app)
    for body in (
        {"amount": canary, "when": canary, "inner": {"size": canary}, "password": [canary]},
        {"secret": canary},
        [canary],
    ):
        raw = json.dumps(body).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(raw))]
        with capture_logs() as log:
            result = run(
                app,
                http_scope(method="POST", headers=headers, query_string=f"limit={canary}&flag={canary}".encode()),
                received=[{"type": "http.request", "body": raw, "more_body": False}],
            )
        assert result.sent.status in (400, 422)
        assert canary not in result.sent.body.decode()
        assert canary not in json.dumps(log, default=str)


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize("dialect", PRESETS)
def test_two_different_crashes_cannot_be_told_apart(adapter: str, dialect: str) -> None:
    """But for its id, the answer to a crash is constant."""
    build, seen = ADAPTERS[adapter]
    same = RequestIdFormat(generate=lambda: "same-id")
    answers = {
        seen(build(lambda plant=plant: plant("x"), dialect, request_id=same), "canary")
        for plant in (in_arguments, in_sql, in_class_name)
    }
    assert len(answers) == 1


def test_the_debug_member_is_there_in_development_alone() -> None:
    """`development` adds it; the default does not."""
    from errorkit.asgi import ErrorMiddleware

    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise ValueError("words")

    assert "debug" not in json.loads(run(ErrorMiddleware(app)).sent.body)
    assert "words" in json.dumps(json.loads(run(ErrorMiddleware(app, development=True)).sent.body)["debug"])
