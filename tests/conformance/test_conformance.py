"""Every producer of failure, in every dialect, through every adapter: one envelope, one id, one event."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import TypeAdapter

from conformance import flask_apps, starlette_apps
from conformance.starlette_apps import CATALOG, SECRET
from driving import Reply, call_asgi, failures, wsgi
from errorkit.dialects import PRESETS, get_dialect
from errorkit.failure import Detail, Public
from requirements import since

JSON = [("content-type", "application/json")]
FORM = [("content-type", "application/x-www-form-urlencoded")]


@dataclass(frozen=True)
class Row:
    """One producer: what is sent, and what must come back."""

    path: str
    code: str
    message: str | None = None
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    param: str | None = None
    details: tuple[Detail, ...] = ()
    retry_after: int | None = None
    fields: dict[str, str] = field(default_factory=dict)
    name: str = ""
    rejected: bool = False
    """FastAPI rejects the request with it: the status is that of a rejected request."""
    since: tuple[str, str] | None = None
    """The package, and its first version that has the producer."""

    @property
    def id(self) -> str:
        """The row's name in the report."""
        return self.name or f"{self.method} {self.path}"


def _finding(location: str, field_: str, code: str, message: str, kind: str) -> tuple[Detail, ...]:
    return (Detail((field_,), message, code, location, kind),)


def _missing(location: str, name: str) -> tuple[Detail, ...]:
    return _finding(location, name, "missing_field", "Field required", "missing")


def _no_int(location: str, name: str) -> tuple[Detail, ...]:
    words = "Input should be a valid integer, unable to parse string as an integer"
    return _finding(location, name, "invalid_value", words, "int_parsing")


CONFLICT = "Version 7 is already published."
INTERNAL = "internal"

COMMON = (
    Row("/raised", "conflict", CONFLICT, param="/version"),
    Row("/crash", INTERNAL),
    Row("/mapped", "conflict"),
    Row("/nowhere", "not_found"),
)
BEFORE_THE_FIRST_BYTE = Row("/stream-at-once", INTERNAL)

FRAMEWORK = (
    *COMMON,
    Row("/499", "client_closed"),
    Row("/529", "overloaded"),
    Row("/http-exception", "forbidden", "Not yours."),
    Row("/http-exception-503", "service_unavailable", retry_after=17, fields={"retry-after": "17"}),
    Row("/crash", "method_not_allowed", method="POST"),
    Row(
        "/items",
        "malformed_json",
        method="POST",
        headers=(*JSON,),
        body=b'{"name"',
        name="malformed JSON",
        rejected=True,
    ),
    Row("/items", "malformed_json", method="POST", headers=(*JSON,), body=b'{"name": "\xff"}', name="bad UTF-8"),
    Row(
        "/items",
        "validation_failed",
        method="POST",
        headers=(*JSON,),
        body=b'{"name": "n"}',
        details=_missing("body", "size"),
        name="missing field",
    ),
    Row(
        "/items",
        "validation_failed",
        method="POST",
        headers=(*JSON,),
        body=b'{"name": "n", "size": "x"}',
        details=_no_int("body", "size"),
        name="wrong type in body",
    ),
    Row(
        "/items",
        "content_too_large",
        method="POST",
        headers=(*JSON,),
        body=b" " * 3000,
        name="body too large",
        since=("fastapi", "0.164"),
    ),
    Row("/timeout", INTERNAL),
    Row("/group", "conflict", "in a group"),
    Row("/empty-404", "not_found"),
    Row("/line-409", "conflict", "Version 7 exists."),
    Row("/static/none.txt", "not_found"),
    Row("/limited", "rate_limited", retry_after=3600, fields={"retry-after": "3600"}),
    Row("/tenant/absent", "invoice_not_found"),
    Row("/tenant/foreign", "invoice_not_found"),
    Row("/raised", "method_not_allowed", method="DELETE"),
)

FASTAPI = (
    *FRAMEWORK,
    Row("/raised-sync", "conflict", "in a thread"),
    Row(
        "/http-exception-headers",
        "unauthenticated",
        fields={"www-authenticate": 'Basic realm="x"', "x-extra": "1"},
    ),
    Row("/http-exception-teapot", "im_a_teapot"),
    Row("/path/x", "validation_failed", details=_no_int("path", "number")),
    Row("/query?number=x", "validation_failed", details=_no_int("query", "number")),
    Row("/query", "validation_failed", details=_missing("query", "number")),
    Row("/header", "validation_failed", details=_missing("header", "x-number")),
    Row("/cookie", "validation_failed", headers=(("cookie", "number=x"),), details=_no_int("cookie", "number")),
    Row(
        "/form",
        "validation_failed",
        method="POST",
        headers=(*FORM,),
        body=b"number=x",
        details=_no_int("body", "number"),
    ),
    Row("/file", "validation_failed", method="POST", headers=(*FORM,), body=b"a=b", details=_missing("body", "file")),
    Row("/mixed-group", INTERNAL),
    Row("/dependency", "unauthenticated", "No key.", fields={"www-authenticate": 'Bearer realm="api"'}),
    Row("/dependency-crash", INTERNAL),
    Row("/dependency-teardown-first", INTERNAL),
    Row("/response-model", INTERNAL),
    Row("/middleware-before", "conflict", "from a middleware"),
    Row("/middleware-after", "conflict", "from a middleware"),
    Row("/middleware-crash", INTERNAL),
    Row("/base-http-middleware", "conflict", "from BaseHTTPMiddleware"),
    Row("/line-502", "bad_gateway"),
    Row("/detail-404", "not_found", "No such thing."),
    Row("/sub/raised", "gone", "in a mount"),
    Row("/sub/crash", INTERNAL),
    Row("/sub/nowhere", "not_found"),
    Row("/sub/number/x", "validation_failed", details=_no_int("path", "number")),
    Row("/sub/nested/raised", "gone", "deep down"),
    Row("/starlette/raised", "conflict", "in a Starlette"),
    Row("/starlette/crash", INTERNAL),
    Row("/starlette/nowhere", "not_found"),
    Row("/starlette/router/locked", "locked"),
    Row("/static/a.txt", "method_not_allowed", method="POST"),
    Row("/ok", "bad_request", "Invalid host header", headers=(("host", "evil.test"),), name="TrustedHost"),
    Row(
        "/ok",
        "bad_request",
        "Disallowed CORS origin",
        method="OPTIONS",
        headers=(("origin", "https://evil.test"), ("access-control-request-method", "GET")),
        name="CORS preflight refused",
    ),
)

STARLETTE = (
    COMMON[0],
    COMMON[1],
    COMMON[3],
    Row("/raised-sync", "conflict", "in a thread"),
    Row("/http-exception", "forbidden", "Not yours."),
    Row("/raised", "method_not_allowed", method="POST"),
    Row("/crash", INTERNAL, method="HEAD"),
    Row("/json", "malformed_json", method="POST", body=b"{", name="malformed JSON"),
    Row("/json", "malformed_json", method="POST", body=b'"\xff"', name="bad UTF-8"),
    Row(
        "/json",
        "content_too_large",
        method="POST",
        body=b" " * 3000,
        name="body too large",
        since=("starlette", "1.6"),
    ),
    Row("/empty-404", "not_found"),
    Row("/static/none.txt", "not_found"),
    Row("/starlette/raised", "conflict", "in a Starlette"),
    Row("/starlette/crash", INTERNAL),
    Row("/starlette/router/locked", "locked"),
    Row("/raised", "conflict", "in a Starlette", headers=(("host", "other.test"),), name="Host route"),
    Row("/middleware-after", "conflict", "from a middleware"),
)

FLASK = (
    *(row for row in FRAMEWORK if row.path != "/http-exception-503"),
    Row("/http-exception-503", "service_unavailable", retry_after=17, fields={"retry-after": "17"}),
    BEFORE_THE_FIRST_BYTE,
    Row("/crash", INTERNAL, method="HEAD"),
    Row("/before-request", "unauthenticated", "No key.", fields={"www-authenticate": 'Bearer realm="api"'}),
    Row("/too-large", "content_too_large"),
    Row(
        "/items",
        "unsupported_media_type",
        "Did not attempt to load JSON data because the request Content-Type was not 'application/json'.",
        method="POST",
        body=b"x",
        headers=(("content-type", "text/csv"),),
        name="wrong media type",
    ),
)

ASGI = (*COMMON, BEFORE_THE_FIRST_BYTE, Row("/silent", INTERNAL), Row("/line-409", "conflict", "Version 7 exists."))
WSGI = ASGI

TABLE: dict[str, tuple[Callable[[Any, Path], Any], tuple[Row, ...]]] = {
    "fastapi": (starlette_apps.fastapi_app, FASTAPI),
    "starlette": (starlette_apps.starlette_app, STARLETTE),
    "asgi": (starlette_apps.generic_app, ASGI),
    "flask": (flask_apps.flask_app, FLASK),
    "wsgi": (flask_apps.wsgi_app, WSGI),
}


@cache
def _app(adapter: str, dialect: str, directory: Path) -> Any:
    app = TABLE[adapter][0](dialect, directory)
    if adapter not in ("flask", "wsgi"):
        asyncio.run(_warm(app))
    return app


async def _warm(app: Any) -> None:
    from driving import start

    await start(app)


@pytest.fixture(name="directory", scope="session")
def _directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("static")
    (directory / "a.txt").write_text("a")
    return directory


def send(app: Any, adapter: str, row: Row) -> Reply:
    """One row's request."""
    if adapter in ("flask", "wsgi"):
        return wsgi(app, row.method, row.path, row.headers, row.body)
    headers: Iterable[tuple[str, str]] = row.headers
    more: dict[str, Any] = {}
    host = dict(row.headers).get("host")
    if host:
        headers = [pair for pair in row.headers if pair[0] != "host"]
        more["headers_override"] = host
    return asyncio.run(_send(app, row, list(headers), host))


async def _send(app: Any, row: Row, headers: list[tuple[str, str]], host: str | None) -> Reply:
    if host is None:
        return await call_asgi(app, row.method, row.path, headers, row.body, lifespan=False)

    async def with_host(scope: Any, receive: Any, send: Any) -> None:
        pairs = [(b"host", host.encode()), *(pair for pair in scope["headers"] if pair[0] != b"host")]
        await app({**scope, "headers": pairs}, receive, send)

    return await call_asgi(with_host, row.method, row.path, headers, row.body, lifespan=False)


def expected(row: Row, adapter: str, dialect: Any, request_id: str) -> Public:
    """What the dialect is given to write for a row."""
    spec = next((spec for spec in CATALOG if spec.code == row.code), None) or CATALOG.by_status(418)
    status, message, param, details = spec.status, row.message or spec.message, row.param, row.details
    if row.rejected and adapter == "fastapi":
        status = dialect.status_invalid
    if details:
        finding = dialect.deciding(details)
        status = dialect.status_missing if finding.code == "missing_field" else dialect.status_invalid
        message, param = dialect.describe(details), finding.field
        details = tuple(dialect.translate(detail) for detail in details)
        if dialect.code_from_finding and finding.code in CATALOG:
            spec = CATALOG.by_code(finding.code)
    retry_after = row.retry_after if row.retry_after is not None else spec.default_retry_after
    status, coarse, message = dialect.settle(status, spec.type, message)
    return Public(
        code=spec.code,
        status=status,
        type=coarse,
        title=spec.title,
        message=message,
        param=param,
        details=details,
        request_id=request_id,
        retry_after=None if retry_after is None else int(retry_after),
        retryable=spec.retryable and (retry_after or 0) <= 60,
    )


CASES = [
    pytest.param(adapter, dialect, row, id=f"{adapter}-{dialect}-{row.id}")
    for adapter, (_, rows) in TABLE.items()
    for dialect in PRESETS
    for row in rows
]


@pytest.mark.parametrize(("adapter", "dialect", "row"), CASES)
def test_every_failure_is_in_the_dialect(
    adapter: str, dialect: str, row: Row, directory: Path, log: list[dict[str, Any]]
) -> None:
    """Status, headers and exact body; valid by the schema; one id in header, body and event; one event."""
    if row.since and row.since[0] == adapter:
        since(*row.since)
    reply = send(_app(adapter, dialect, directory), adapter, row)
    preset = get_dialect(dialect)
    assert reply.raised is None
    request_id = reply.header(preset.request_id_header) or ""
    public = expected(row, adapter, preset, request_id)
    assert reply.status == public.status
    assert SECRET not in str(reply.headers) + reply.body.decode()

    assert reply.header("content-type") == preset.media_type
    assert reply.header("cache-control") == "no-store"
    assert reply.header("x-content-type-options") == "nosniff"
    for name, value in {**preset.headers(public), **row.fields}.items():
        if name.lower() != "retry-after" or public.retry_after is not None:
            assert reply.header(name) == value, name
    if public.retry_after is None:
        assert reply.header("retry-after") is None
    if public.status == 401:
        assert reply.header("www-authenticate")
    if public.status == 405:
        assert reply.header("allow") or "static" in row.path  # StaticFiles names no methods

    if row.method == "HEAD":
        assert reply.body == b""
        assert int(reply.header("content-length") or 0) > 0
    else:
        assert reply.header("content-length") == str(len(reply.body))
        body = reply.json()
        assert _without_time(body) == _without_time(preset.write(public))
        jsonschema.validate(body, _schema(dialect))

    (event,) = failures(log)
    assert event["request_id"] == request_id
    assert event["code"] == (row.code if row.path != "/tenant/foreign" else "forbidden")
    assert event["status"] == public.status
    assert event["method"] == row.method
    assert event["path"] == row.path.partition("?")[0]
    assert event["log_level"] == _level(event)
    assert ("exception" in event) == (public.status >= 500 and "exception_type" in event)


def _level(event: dict[str, Any]) -> str:
    if event["status"] >= 500:
        return "error"
    return "warning" if event["status"] == 429 or event.get("reason") in ("cross_tenant", "absent") else "info"


@cache
def _schema(dialect: str) -> dict[str, Any]:
    body = get_dialect(dialect).Body
    assert body is not None
    schema: dict[str, Any] = TypeAdapter(body).json_schema()
    return schema


def _without_time(body: Any) -> Any:
    """A body without the instant at which waiting ends, which the clock decides."""
    if isinstance(body, dict):
        return {name: _without_time(value) for name, value in body.items() if name != "resume_at"}
    return body


def test_the_table_is_wide_enough() -> None:
    """At least 45 producers of failure."""
    assert len({row.id for _, rows in TABLE.values() for row in rows}) >= 45


@pytest.mark.parametrize("dialect", PRESETS)
@pytest.mark.parametrize("adapter", ["fastapi", "flask"])
@pytest.mark.parametrize(
    ("path", "status", "body"),
    [("/own-json", 400, b'{"mine":true}'), ("/own-gzip", 400, None), ("/own-handler", 418, b"mine")],
)
def test_a_deliberate_body_passes_untouched(
    adapter: str, dialect: str, path: str, status: int, body: bytes | None, directory: Path, log: list[dict[str, Any]]
) -> None:
    """Somebody else's shape is kept, with the id in its header and an event of its own."""
    reply = send(_app(adapter, dialect, directory), adapter, Row(path, ""))
    assert reply.status == status
    if body is None:
        assert reply.header("content-encoding") == "gzip"
    else:
        assert reply.body.strip() == body
    (event,) = failures(log)
    by = event["answered_by"].rpartition(".")[2]  # a handler of the user's by its name
    assert by in ("application", "_users_answer", "users_answer")
    assert (by == "application") == (path != "/own-handler")
    assert event["request_id"] == reply.header(get_dialect(dialect).request_id_header)


@pytest.mark.parametrize("path", ["/own-stream", "/own-html"])
def test_streamed_and_shaped_bodies_pass_untouched(path: str, directory: Path) -> None:
    """A streamed error body is never held, a page of one's own never replaced."""
    reply = send(_app("fastapi", "problem", directory), "fastapi", Row(path, ""))
    assert (reply.status, reply.body) in ((400, b"so long"), (400, b"<title>Oh no</title>"))


@pytest.mark.parametrize("dialect", PRESETS)
@pytest.mark.parametrize(
    ("adapter", "path"),
    [
        ("fastapi", "/stream"),
        ("fastapi", "/stream-at-once"),  # Starlette starts a streaming response before its first chunk
        ("starlette", "/stream"),
        ("asgi", "/stream"),
        ("flask", "/stream"),
        ("wsgi", "/stream"),
    ],
)
def test_a_stream_that_dies_is_not_completed(
    adapter: str, path: str, dialect: str, directory: Path, log: list[dict[str, Any]]
) -> None:
    """After the first byte: nothing more is sent, the same exception is raised, one event tells it."""
    reply = send(_app(adapter, dialect, directory), adapter, Row(path, ""))
    assert reply.status == 200
    assert not reply.complete
    assert isinstance(reply.raised, RuntimeError)
    assert str(reply.raised) == SECRET
    (event,) = failures(log)
    assert (event["outcome"], event["code"], event["status"]) == ("aborted", "internal", 500)
    assert SECRET in event["exception"]


@pytest.mark.parametrize("dialect", PRESETS)
@pytest.mark.parametrize("adapter", ["fastapi", "starlette", "asgi", "flask", "wsgi"])
def test_an_event_stream_that_dies_ends_with_the_dialects_event(
    adapter: str, dialect: str, directory: Path, log: list[dict[str, Any]]
) -> None:
    """Server-sent events end with an error that the client can read."""
    reply = send(_app(adapter, dialect, directory), adapter, Row("/sse", ""))
    assert (reply.status, reply.complete, reply.raised) == (200, True, None)
    first, last, rest = reply.body.decode().split("\n\n")
    assert (first, rest) == ("data: 1", "")
    preset = get_dialect(dialect)
    name, data = preset.stream_event(Public()) or ("", None)
    assert data is not None
    assert last.startswith(f"event: {name}\ndata: {{" if name else "data: {")
    assert "The model went away." in last
    (event,) = failures(log)
    assert (event["outcome"], event["code"]) == ("stream_error", "service_unavailable")


@pytest.mark.parametrize("path", ["/background", "/dependency-teardown"])
def test_a_failure_after_the_answer_is_raised_and_recorded(
    path: str, directory: Path, log: list[dict[str, Any]]
) -> None:
    """A background task or a teardown that fails leaves the response as it was."""
    reply = send(_app("fastapi", "problem", directory), "fastapi", Row(path, ""))
    assert (reply.status, reply.complete) == (200, True)
    assert isinstance(reply.raised, RuntimeError)
    (event,) = failures(log)
    assert (event["outcome"], event["code"]) == ("background", "internal")


def test_a_client_that_left_is_no_error(directory: Path, log: list[dict[str, Any]]) -> None:
    """A disconnect while the body is read: nothing sent, nothing raised, one line at info."""
    app = _app("fastapi", "problem", directory)
    reply = asyncio.run(call_asgi(app, "POST", "/disconnect", lifespan=False, disconnect=True))
    assert (reply.messages, reply.raised) == ([], None)
    (event,) = failures(log)
    assert (event["outcome"], event["status"], event["log_level"]) == ("client_gone", 499, "info")


def test_a_redirect_by_exception_is_left_alone(directory: Path, log: list[dict[str, Any]]) -> None:
    """HTTPException(307) is no failure."""
    reply = send(_app("fastapi", "problem", directory), "fastapi", Row("/redirect", ""))
    assert (reply.status, reply.header("location")) == (307, "/raised")
    assert failures(log) == []


def test_a_success_is_untouched_but_for_one_header(directory: Path, log: list[dict[str, Any]]) -> None:
    """Same body, and the id."""
    for adapter in ("fastapi", "flask"):
        reply = send(_app(adapter, "openai", directory), adapter, Row("/ok", ""))
        assert (reply.status, reply.json()) == (200, {"ok": "yes"})
        assert len(reply.header("x-request-id") or "") == 32
    assert failures(log) == []


@pytest.mark.parametrize("dialect", PRESETS)
def test_an_inner_middleware_keeps_the_outer_id_and_its_own_dialect(
    dialect: str, directory: Path, log: list[dict[str, Any]]
) -> None:
    """Two ErrorMiddlewares, one id, one event, the inner one's envelope."""
    reply = send(_app("fastapi", dialect, directory), "fastapi", Row("/own/boom", ""))
    assert reply.status == 500
    assert reply.json()["error"]["code"] == "internal_error"
    (event,) = failures(log)
    assert event["request_id"] == reply.header(get_dialect(dialect).request_id_header)


def test_cors_applies_to_errors(directory: Path) -> None:
    """A browser can read a crash: the user's CORS middleware has seen the response."""
    row = Row("/crash", "", headers=(("origin", "https://good.test"),))
    reply = send(_app("fastapi", "problem", directory), "fastapi", row)
    assert reply.status == 500
    assert reply.header("access-control-allow-origin") == "https://good.test"
