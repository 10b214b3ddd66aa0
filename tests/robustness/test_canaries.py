"""A canary in every place from which something could leave: not on the wire, and not in the log where it is a secret.

Each place is a way to fail that an application's author may choose; each is tried through every
adapter that knows it, in every dialect, with and without negotiation.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import logging
import random
import string
from collections import namedtuple
from collections.abc import Callable
from types import SimpleNamespace
from typing import Annotated, Any

import pytest
import structlog
from fastapi import FastAPI
from flask import Flask, Response, abort
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import AfterValidator, BaseModel, Field, SecretStr, ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import Response as StarletteResponse
from starlette.routing import Route

from errorkit import APIError, ConflictError, Detail, ForbiddenError, NotFoundError, RateLimitError
from errorkit.asgi import ErrorMiddleware as ASGIMiddleware
from errorkit.dialects import PRESETS
from errorkit.fastapi import ErrorMiddleware as FastAPIMiddleware
from errorkit.flask import ErrorKit
from errorkit.starlette import ErrorMiddleware as StarletteMiddleware
from errorkit.upstream import upstream_error
from errorkit.wsgi import ErrorMiddleware as WSGIMiddleware
from robustness.strict_asgi import http_scope, run, start_up, websocket_scope
from robustness.strict_wsgi import serve

Fail = Callable[[int, Any], Any]
"""Raises a framework's HTTP exception: of a status, with a detail."""


class Absent(NotFoundError):
    """Nothing here."""

    code, concealable, message = "absent_thing", True, "Nothing here."


class Plain:
    def __init__(self, canary: str) -> None:
        self.canary = canary

    def __repr__(self) -> str:
        return self.canary

    __str__ = __repr__

    def __iter__(self) -> Any:
        return iter([self.canary])


class Model(BaseModel):
    name: str = "ann"
    hidden: str = Field("", exclude=True)
    secret: SecretStr = SecretStr("")


class Account(BaseModel):
    api_key: str


@dataclasses.dataclass
class Row:
    name: str
    hidden: str = dataclasses.field(repr=False)
    _private: str = ""


def told_by_validator(value: str) -> str:
    raise ValueError(f"{value} is no good")


class Order(BaseModel):
    pin: int
    when: Annotated[str, AfterValidator(told_by_validator)]


def refused(canary: str) -> ValidationError:
    try:
        Order.model_validate({"pin": canary, "when": canary})
    except ValidationError as error:
        return error
    raise AssertionError


# -- details of a framework's exception: of what was submitted nothing may be in the log either


def findings_422(canary: str, fail: Fail) -> Any:
    fail(422, refused(canary).errors())


def findings_400(canary: str, fail: Fail) -> Any:
    fail(400, tuple(refused(canary).errors(include_url=False)))


def findings_409(canary: str, fail: Fail) -> Any:
    fail(409, refused(canary).errors())


def findings_500(canary: str, fail: Fail) -> Any:
    fail(500, refused(canary).errors())


def findings_in_a_member(canary: str, fail: Fail) -> Any:
    fail(422, {"message": "Wrong.", "problems": {"all": refused(canary).errors()}})


def findings_as_details(canary: str, fail: Fail) -> Any:
    fail(422, {"code": "nothing_known", "errors": refused(canary).errors()})


def findings_as_their_exception(canary: str, fail: Fail) -> Any:
    fail(422, refused(canary))


def findings_as_text(canary: str, fail: Fail) -> Any:
    fail(422, str(refused(canary)))


def findings_as_message(canary: str, fail: Fail) -> Any:
    fail(422, {"message": str(refused(canary))})


def object_as_detail(canary: str, fail: Fail) -> Any:
    fail(404, Plain(canary))


def object_in_a_detail(canary: str, fail: Fail) -> Any:
    fail(409, {"message": "Taken.", "by": [{"who": Plain(canary)}], "model": Model(hidden=canary, secret=canary)})


def object_as_a_name(canary: str, fail: Fail) -> Any:
    fail(409, {Plain(canary): 1, "message": Plain(canary), "code": Plain(canary), "param": Plain(canary)})


def row_as_detail(canary: str, fail: Fail) -> Any:
    fail(409, Row("ann", canary, canary))


def model_as_detail(canary: str, fail: Fail) -> Any:
    fail(409, [Model(hidden=canary, secret=canary)])


def exception_as_detail(canary: str, fail: Fail) -> Any:
    fail(400, FileNotFoundError(2, "No such file or directory", f"/nonexistent/{canary}"))


def lazy_detail(canary: str, fail: Fail) -> Any:
    fail(400, (canary for _ in "abc"))


def secret_of_a_500(canary: str, fail: Fail) -> Any:
    fail(500, {"message": "The database said no.", "dsn": canary, "apiKey": canary})


# -- errorkit's own errors: past the constructor, which refuses all of this


def object_in_an_extension(canary: str, fail: Fail) -> Any:
    error = ConflictError("Taken.")
    error.extensions = {"by": Plain(canary), "rows": [Row("ann", canary)], "names": {Plain(canary): 1}}
    raise error


def object_as_words(canary: str, fail: Fail) -> Any:
    error = ConflictError()
    error.message, error.param = Plain(canary), Plain(canary)  # type: ignore[assignment]
    error.details = (Detail((Plain(canary),), Plain(canary), Plain(canary), Plain(canary)),)  # type: ignore[arg-type]
    raise error


def object_in_a_header(canary: str, fail: Fail) -> Any:
    raise ConflictError("Taken.", headers={"X-By": Plain(canary), "X-And": f"a\r\nX-Split: {canary}"})  # type: ignore[dict-item]


def refused_by_the_constructor(canary: str, fail: Fail) -> Any:
    raise ConflictError("Taken.", by=Plain(canary))


def findings_in_an_extension(canary: str, fail: Fail) -> Any:
    raise ConflictError("Taken.", problems=refused(canary).errors())


def secrets_in_the_context(canary: str, fail: Fail) -> Any:
    facts = {
        "account": Account(api_key=canary),
        "namespace": SimpleNamespace(clientSecret=canary),
        "tuple": namedtuple("Row", "card_number")(canary),
        "headers": [("Authorization", canary), [b"cookie", canary]],
        "url": f"postgresql://user:{canary}@host/db?password={canary}",
        "camel": {"accessKey": canary, "Proxy-Authorization": canary, "private key": canary},
        "object": Plain(canary),
        "findings": refused(canary).errors(),
    }
    raise RateLimitError("Slow down.", context=facts)


def findings_as_an_errors_message(canary: str, fail: Fail) -> Any:
    raise ConflictError(str(refused(canary)), note=str(refused(canary)))


# -- exceptions that nobody declared: their words are logged, but for what they quote


def quoted_in_a_chain(canary: str, fail: Fail) -> Any:
    try:
        raise refused(canary)
    except ValidationError as error:
        raise RuntimeError(f"no order: {error}") from error


def url_in_a_chain(canary: str, fail: Fail) -> Any:
    error = ConnectionError(f"https://user:{canary}@host/ is down")
    error.add_note(f"tried https://host/?token={canary}")
    raise ExceptionGroup("all", [error, TimeoutError()])


SECRET = [
    findings_422, findings_400, findings_409, findings_500, findings_in_a_member, findings_as_details,
    findings_as_their_exception, findings_as_text, findings_as_message, object_as_detail, object_in_a_detail,
    object_as_a_name, row_as_detail, model_as_detail, exception_as_detail, lazy_detail, secret_of_a_500,
    object_in_an_extension, object_as_words, object_in_a_header, refused_by_the_constructor, findings_in_an_extension,
    findings_as_an_errors_message,
    secrets_in_the_context, quoted_in_a_chain, url_in_a_chain,
]  # fmt: skip
"""Places whose canary may be neither sent nor logged."""


def words_of_a_5xx(canary: str, fail: Fail) -> Any:
    fail(503, f"upstream {canary} said no")


def words_of_a_stranger(canary: str, fail: Fail) -> Any:
    raise ValueError(canary)


def words_of_an_upstream(canary: str, fail: Fail) -> Any:
    body = json.dumps({"error": {"message": canary, "code": canary, "type": canary, "param": canary}})
    headers = {"x-request-id": canary, "retry-after": canary}
    raise upstream_error(429, headers, body, dialect="openai")


def words_of_another_tenant(canary: str, fail: Fail) -> Any:
    raise ForbiddenError(canary, resource_tenant=canary, conceal_as=Absent, owner_name=canary)


def words_of_a_concealed(canary: str, fail: Fail) -> Any:
    raise Absent(canary, param=canary, headers={"X-Owner": canary}, details=[Detail((canary,), canary)])


PRIVATE = [
    words_of_a_5xx, words_of_a_stranger, words_of_an_upstream, words_of_another_tenant, words_of_a_concealed,
]  # fmt: skip
"""Places whose canary may be logged, and never sent."""


def returned(canary: str) -> dict[str, tuple[int, str, str]]:
    """Answers that an application renders by itself: status, media type, body."""
    findings = json.dumps({"detail": json.loads(refused(canary).json())})
    return {
        "findings": (422, "application/json", findings),
        "text": (400, "text/plain", str(refused(canary)).replace("\n", " ")),
        "json": (400, "application/json", json.dumps({"detail": str(refused(canary))})),
        "words of a 5xx": (503, "text/plain", f"upstream {canary}"),
    }


# -- the adapters


def http_exception(status: int, detail: Any) -> Any:
    raise HTTPException(status, detail=detail)


def aborted(status: int, detail: Any) -> Any:
    abort(status, description=detail)


def build_fastapi(act: Callable[[Fail], Any], **kit: Any) -> Any:
    app = FastAPI()

    @app.get("/")
    def endpoint() -> Any:
        answer = act(http_exception)
        return StarletteResponse(answer[2], answer[0], media_type=answer[1])

    app.add_middleware(FastAPIMiddleware, **kit)
    start_up(app)
    return app


def build_starlette(act: Callable[[Fail], Any], **kit: Any) -> Any:
    async def endpoint(request: Any) -> Any:
        answer = act(http_exception)
        return StarletteResponse(answer[2], answer[0], media_type=answer[1])

    app = Starlette(routes=[Route("/", endpoint)], middleware=[Middleware(StarletteMiddleware, **kit)])
    start_up(app)
    return app


def build_asgi(act: Callable[[Fail], Any], **kit: Any) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        status, media_type, body = act(http_exception)
        await StarletteResponse(body, status, media_type=media_type)(scope, receive, send)

    return ASGIMiddleware(app, **kit)


def build_flask(act: Callable[[Fail], Any], **kit: Any) -> Any:
    app = Flask(__name__)
    app.get("/")(lambda: Response((answer := act(aborted))[2], answer[0], content_type=answer[1]))
    ErrorKit(app, **kit)
    return app


def build_wsgi(act: Callable[[Fail], Any], **kit: Any) -> Any:
    def app(environ: Any, start_response: Any) -> Any:
        status, media_type, body = act(aborted)
        start_response(f"{status} Words", [("Content-Type", media_type), ("Content-Length", str(len(body.encode())))])
        return [body.encode()]

    return WSGIMiddleware(app, **kit)


ASGI = {"fastapi": build_fastapi, "starlette": build_starlette, "asgi": build_asgi}
WSGI = {"flask": build_flask, "wsgi": build_wsgi}


def everything(adapter: str, act: Callable[[Fail], Any], **kit: Any) -> tuple[str, str]:
    """What was sent and what was logged, by structlog, by logging and on standard error."""
    logged: list[Any] = []

    def catch(_logger: Any, _method: str, event: Any) -> Any:
        logged.append(dict(event))
        raise structlog.DropEvent

    class Words(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            logged.append(record.getMessage())

    handler = Words()
    logging.getLogger().addHandler(handler)
    structlog.configure(processors=[catch])
    written = io.StringIO()
    try:
        with contextlib.redirect_stderr(written):
            if adapter in ASGI:
                app = ASGI[adapter](act, **kit)
                asked = [(b"accept", b"application/problem+json")] if kit.get("negotiate") else []
                sent = run(app, http_scope(headers=asked)).sent
                assert sent.status >= 400
                answer = f"{sent.start['headers']} {sent.body.decode()}"
            else:
                app = WSGI[adapter](act, **kit)
                served = serve(app, headers={"Accept": "application/problem+json"} if kit.get("negotiate") else {})
                assert served.status >= 400
                answer = f"{served.fields} {served.body.decode()}"
    finally:
        structlog.reset_defaults()
        logging.getLogger().removeHandler(handler)
    failed = [entry for entry in logged if isinstance(entry, dict) and entry["event"] == "request_failed"]
    assert len(failed) == 1
    return answer, f"{json.dumps(logged)} {written.getvalue()}"


CANARIES = st.integers(0, 2**32).map(
    lambda seed: "Kq" + "".join(random.Random(seed).choices(string.ascii_letters, k=14))
)
SETTINGS = settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("adapter", [*ASGI, *WSGI])
@SETTINGS
@given(CANARIES, st.sampled_from(SECRET), st.sampled_from(sorted(PRESETS)), st.booleans())
def test_what_nobody_may_know_is_neither_sent_nor_logged(
    adapter: str, canary: str, place: Any, dialect: str, negotiate: bool
) -> None:
    """Of an HTTP exception, of an error of errorkit's own, of an exception that nobody declared."""
    answer, log = everything(adapter, lambda fail: place(canary, fail), dialect=dialect, negotiate=negotiate)
    assert canary not in answer
    assert canary not in log


@pytest.mark.parametrize("adapter", [*ASGI, *WSGI])
@SETTINGS
@given(CANARIES, st.sampled_from(PRIVATE), st.sampled_from(sorted(PRESETS)), st.booleans(), st.booleans())
def test_what_the_client_may_not_know_is_not_sent(
    adapter: str, canary: str, place: Any, dialect: str, negotiate: bool, wordless: bool
) -> None:
    """And not logged either, where exceptions' words are kept out and the canary is no more than that."""
    kit = {"dialect": dialect, "negotiate": negotiate, "redact_exception_text": wordless, "catalog": [Absent]}
    answer, log = everything(adapter, lambda fail: place(canary, fail), **kit)
    assert canary not in answer
    if wordless and place not in (words_of_an_upstream, words_of_another_tenant, words_of_a_concealed):
        assert canary not in log


@pytest.mark.parametrize("adapter", [*ASGI, *WSGI])
@pytest.mark.parametrize("dialect", PRESETS)
@pytest.mark.parametrize("kind", returned("x"))
def test_what_an_application_rendered_by_itself_is_cleaned(adapter: str, dialect: str, kind: str) -> None:
    """A validator's findings and words, in a framework's default form."""
    canary = "KqMnOpQrStUvWxYz"
    answer, log = everything(adapter, lambda _: returned(canary)[kind], dialect=dialect)
    assert canary not in answer
    assert (canary in log) == (kind == "words of a 5xx")  # the operator's to read: what stood there is in the event


@pytest.mark.parametrize("adapter", [*ASGI, *WSGI])
@pytest.mark.parametrize("place", [words_of_another_tenant, words_of_a_concealed])
def test_development_shows_nothing_of_what_is_concealed(adapter: str, place: Any) -> None:
    """Its `debug` member is not for these."""
    answer, _ = everything(adapter, lambda fail: place("KqMnOpQr", fail), development=True, catalog=[Absent])
    assert "KqMnOpQr" not in answer
    assert "debug" not in answer


@pytest.mark.parametrize("dialect", PRESETS)
@pytest.mark.parametrize(
    "place", [object_in_an_extension, object_as_words, findings_in_an_extension, words_of_a_stranger]
)
def test_streams_and_websockets_show_no_more(dialect: str, place: Any) -> None:
    """The last event of a stream, the reason of a close, the denial of a handshake."""
    canary = "KqMnOpQr"

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            headers = [(b"content-type", b"text/event-stream")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b"data: a\n\n", "more_body": True})
        elif scope["path"] == "/accepted":
            await send({"type": "websocket.accept"})
        place(canary, http_exception)

    covered = ASGIMiddleware(app, dialect=dialect)
    scopes = (http_scope(), websocket_scope("/accepted"), websocket_scope("/denied"))
    sent = [run(covered, scope).sent.messages for scope in scopes]
    assert len(sent[0]) >= 2
    assert sent[1][-1]["type"] == "websocket.close"
    assert canary not in str(sent)


def test_every_place_is_a_failure_of_its_own() -> None:
    """The lists above are whole, and each place really plants its canary."""
    own = {name: value for name, value in globals().items() if callable(value) and value in [*SECRET, *PRIVATE]}
    assert len(own) == len(SECRET) + len(PRIVATE)
    for place in own.values():
        with pytest.raises((APIError, HTTPException, ValueError, RuntimeError, ExceptionGroup, TypeError)):
            place("canary", http_exception)
