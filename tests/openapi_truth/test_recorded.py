"""The recorder that holds what errorkit renders in this suite against OpenAPI: that it hears all, and that it can fail."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from flask import Flask
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.testclient import TestClient, WebSocketDenialResponse

from driving import asgi, wsgi
from errorkit import APIError, Catalog, ConflictError, NotFoundError, RateLimitError, ServiceUnavailableError
from errorkit.asgi import ErrorMiddleware
from errorkit.config import Config
from errorkit.dialects import PRESETS, Dialect, get_dialect
from errorkit.dialects.openai import OpenAI
from errorkit.dialects.problem import Problem
from errorkit.errors import STANDARD
from errorkit.exchange import Request, Response
from errorkit.failure import Public
from errorkit.fastapi import install
from errorkit.flask import ErrorKit
from errorkit.handler import ErrorHandler
from errorkit.starlette import ErrorMiddleware as StarletteMiddleware
from errorkit.wsgi import ErrorMiddleware as WSGIMiddleware
from recording import GENERATED, RECORDER, Recorder
from shapes import Shape

ROOT = Path(__file__).parents[2]


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    """One of the test's own, in the place of that of the suite."""
    RECORDER.stop()
    own = Recorder()
    own.start()
    yield own
    own.stop()
    RECORDER.start()


def raising(exception: BaseException) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise exception

    return app


def raising_wsgi(environ: Any, start_response: Any) -> Any:
    raise ConflictError


async def refused(scope: Any, receive: Any, send: Any) -> None:
    """A default body of a framework."""
    await send({"type": "http.response.start", "status": 404, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


def in_starlette() -> int:
    app = Starlette(middleware=[])
    app.add_middleware(StarletteMiddleware)
    return TestClient(app).get("/nowhere").status_code


def in_fastapi() -> int:
    app = FastAPI()
    install(app)
    app.get("/{number}")(lambda number: raise_it())
    return TestClient(app).get("/1").status_code


def in_flask() -> int:
    app = Flask("flask")
    ErrorKit(app)
    return app.test_client().get("/nowhere").status_code


def in_a_websocket() -> int:
    async def deny(websocket: Any) -> None:
        raise ConflictError

    app = Starlette(routes=[WebSocketRoute("/", deny)])
    app.add_middleware(StarletteMiddleware)
    with pytest.raises(WebSocketDenialResponse) as caught, TestClient(app).websocket_connect("/"):
        pass
    return int(caught.value.status_code)


def raise_it() -> None:
    raise ConflictError


ADAPTERS: dict[str, Callable[[], int]] = {
    "asgi": lambda: asgi(ErrorMiddleware(raising(ConflictError()))).status,
    "asgi, a default body": lambda: asgi(ErrorMiddleware(refused)).status,
    "wsgi": lambda: wsgi(WSGIMiddleware(raising_wsgi)).status,
    "starlette": in_starlette,
    "fastapi": in_fastapi,
    "flask": in_flask,
    "websocket": in_a_websocket,
}


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_a_response_of_any_adapter_is_recorded(recorder: Recorder, adapter: str) -> None:
    """And is inside of the document: one response, one shape."""
    assert ADAPTERS[adapter]() in (404, 409)
    recorder.settle(last=True)
    report = recorder.report()
    assert (report["responses"], report["of a shape of their own, by which they were judged"]) == (1, 1)


def test_the_suites_own_recorder_hears_this_test() -> None:
    """It is on."""
    before = RECORDER.counts["responses"]
    asgi(ErrorMiddleware(raising(ConflictError())))
    assert RECORDER.counts["responses"] == before + 1


# -- it can fail


class Forgetful(Problem):
    """Leaves a member out."""

    def write(self, public: Any) -> Any:
        body = super().write(public)
        del body["detail"]
        return body


class Mistyped(Problem):
    """A number as text."""

    def write(self, public: Any) -> Any:
        return {**super().write(public), "status": str(public.status)}


class Renaming(OpenAI):
    """Another code than its own spelling, once it has been looked at."""

    def write(self, public: Any) -> Any:
        body = super().write(public)
        if public.code == "conflict":
            body["error"]["code"] = "clash"
        return body


@pytest.mark.parametrize(
    ("dialect", "words"),
    [
        (Forgetful, "'detail' is a required property"),
        (Mistyped, "'409' is not of type 'integer'"),
        (Renaming, "'clash' is not one of ['conflict']"),
    ],
)
def test_a_body_outside_of_its_schema_is_caught(recorder: Recorder, dialect: type[Dialect], words: str) -> None:
    """Of a dialect whose `write` does not do what its `Body` says."""
    asgi(ErrorMiddleware(raising(ConflictError()), dialect=dialect()))
    with pytest.raises(AssertionError, match=re.escape(words)):
        recorder.settle(last=True)


def without(name: bytes) -> Callable[[Response], Response]:
    return lambda response: response._replace(headers=[pair for pair in response.headers if pair[0] != name])


def with_media_type(media_type: bytes) -> Callable[[Response], Response]:
    def change(response: Response) -> Response:
        pairs = without(b"content-type")(response).headers
        return response._replace(headers=[*pairs, (b"content-type", media_type)])

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (without(b"x-request-id"), "lacks the header x-request-id"),
        (without(b"x-should-retry"), "lacks the header x-should-retry"),
        (without(b"retry-after"), "lacks the header Retry-After"),
        (without(b"content-type"), "of no media type; described are application/json"),
        (with_media_type(b"text/html"), "is text/html; described are application/json"),
        (lambda response: response._replace(status=418), "no response 418 is described"),
        (lambda response: response._replace(status=503), "GET /quota: no response 503 is described"),
        (lambda response: response._replace(body=b"{oops"), "is not JSON"),
        (lambda response: response._replace(body=b"{}"), "'error' is a required property"),
        (lambda response: response._replace(body=b"[]"), "is not of type 'object'"),
    ],
)
def test_a_response_outside_of_the_document_is_caught(change: Any, words: str) -> None:
    """Whatever is wrong with it; each time that it is sent, and not only the first time."""

    class Quota(RateLimitError):
        code = "quota"
        default_retry_after = 5

    RECORDER.stop()
    respond = ErrorHandler.respond

    def tampered(handler: ErrorHandler, request: Request, exception: BaseException, *rest: Any) -> Response:
        response = respond(handler, request, exception, *rest)
        return response if isinstance(request, GENERATED) else change(response)

    try:
        ErrorHandler.respond = tampered  # type: ignore[method-assign]
        own = Recorder()
        own.start()
        for _ in range(2):
            asgi(ErrorMiddleware(raising(Quota()), dialect="openai", catalog=Catalog([Quota])))
            with pytest.raises(AssertionError, match=re.escape(words)):
                own.settle(last=True)
        own.settle(last=True)
    finally:
        ErrorHandler.respond = respond  # type: ignore[method-assign]
        RECORDER.start()


def test_a_stand_in_may_lack_header_fields_alone(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    """What errorkit answers while a part of it is broken is held against the same schema; the broken part waits."""
    app = ErrorMiddleware(raising(RateLimitError(retry_after=3)), dialect="openai")
    with monkeypatch.context() as broken:
        broken.setattr("errorkit.presentation.Presenter.public", lambda *_: 1 / 0)
        asgi(app)
        recorder.settle(last=False)
        assert not recorder.report()["documents"]
    recorder.settle(last=True)
    assert recorder.report()["made while errorkit degraded"] == 1


def test_a_stand_in_has_the_header_fields_that_the_dialect_promises(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are made at start-up, as its body is: a client's own retries do not depend on errorkit's health."""

    class Full(ServiceUnavailableError):
        code, default_retry_after = "full", 5

    whole, app = (ErrorMiddleware(raising(Full()), dialect="openai", catalog=Catalog([Full])) for _ in range(2))
    promised = dict(asgi(whole).headers).keys()
    monkeypatch.setattr("errorkit.presentation.Presenter.public", lambda *_: 1 / 0)
    reply = dict(asgi(app).headers)
    assert (reply["retry-after"], reply["retry-after-ms"], reply["x-should-retry"]) == ("5", "5000", "true")
    assert reply.keys() == promised


@pytest.mark.parametrize("name", [name for name in PRESETS if "request_id" in get_dialect(name).carries])
def test_a_stand_in_names_its_request(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ID of header and event is in its body, too: it was written around it at start-up. Connect's is in base64."""
    app = ErrorMiddleware(raising(ConflictError()), dialect=name)
    monkeypatch.setattr("errorkit.presentation.Presenter.public", lambda *_: 1 / 0)
    reply = asgi(app)
    dialect = get_dialect(name)
    headers = {key: value for key, value in reply.headers if key != dialect.request_id_header.lower()}
    found = dialect.read(reply.status, headers, reply.json()).request_id
    in_body = name != "connect" and bool(dialect.read(409, {}, dialect.write(Public(request_id="r1"))).request_id)
    assert found == (reply.header(dialect.request_id_header) if in_body else "")


SUITE = """
from errorkit import ConflictError
from errorkit.asgi import ErrorMiddleware
from errorkit.dialects.problem import Problem
from driving import asgi

class Forgetful(Problem):
    def write(self, public):
        return {"code": public.code}

async def app(scope, receive, send):
    raise ConflictError

def test_honest():
    assert asgi(ErrorMiddleware(app)).status == 409

def test_forgetful():
    assert asgi(ErrorMiddleware(app, dialect=Forgetful())).status == 409

def test_honest_again():
    assert asgi(ErrorMiddleware(app)).status == 409
"""


def test_the_test_that_sent_it_fails(tmp_path: Path) -> None:
    """That one alone, with what is wrong; and the end of the run tells how much was recorded."""
    (tmp_path / "conftest.py").write_text((ROOT / "tests" / "conftest.py").read_text())
    (tmp_path / "test_suite.py").write_text(SUITE)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT / "tests"), str(ROOT)])}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", "."]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=100)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "FAILED test_suite.py::test_forgetful - AssertionError: outside of errorkit's" in done.stdout
    assert "ASGIExchange, dialect problem: GET /conflict: 409: $: 'title' is a required property" in done.stdout
    assert "1 failed, 2 passed" in done.stdout
    assert re.search(r"^ +3 responses$", done.stdout, re.MULTILINE)


# -- what is taken to be the same


def rendered(dialect: str, error: APIError) -> tuple[Shape, Response, str]:
    handler = ErrorHandler(Config(dialect=dialect))
    request = Request()
    request.renderer, request.request_id = handler.renderer_for("/"), "an-id"
    response = handler.respond(request, error)
    assert request.failure is not None
    return Shape(request.renderer.dialect, handler.catalog), response, request.failure.public.code


@pytest.mark.parametrize("dialect", PRESETS)
def test_words_and_ids_make_no_shape_and_codes_and_forms_do(dialect: str) -> None:
    """Or else responses that a schema can tell apart would be judged by one another."""
    same = (NotFoundError("a"), NotFoundError("b", color="red"), NotFoundError("c", size="blue"))
    assert (
        len({shape.of(response, code) for shape, response, code in (rendered(dialect, each) for each in same[1:])}) == 1
    )
    found = set()
    for each in (cls() for cls in STANDARD):
        shape, response, code = rendered(dialect, each)
        found.add((response.status, code, shape.of(response, code)))
        for body in (b"{}", b"[]", response.body[1:], response.body[:-1] + b',"more":[1]}'):
            assert shape.of(response, code) != shape.of(response._replace(body=body), code)
        for changed in (
            without(b"content-type"),
            with_media_type(b"text/html"),
            without(shape.dialect.request_id_header.lower().encode()),
        ):
            assert shape.of(response, code) != shape.of(changed(response), code)
    assert len(found) == len(STANDARD)
    assert get_dialect(dialect).Body is not None
