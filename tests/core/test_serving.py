"""What a configured service does: prefixes, ids, waits, tenants, events, websockets, hooks."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import Any

import pytest
import structlog
from fastapi import BackgroundTasks, FastAPI, WebSocket
from fastapi.testclient import TestClient
from flask import Flask
from starlette.applications import Starlette
from starlette.exceptions import WebSocketException
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect
from typing_extensions import TypedDict

from driving import Reply, asgi, call_asgi, failures, wsgi
from errorkit import Detail, Dialect, errors, get_request_id, visible
from errorkit.asgi import ErrorMiddleware as ASGIMiddleware
from errorkit.config import ConfigurationError
from errorkit.dialects import get_dialect
from errorkit.events import RequestIdFilter, add_request_id
from errorkit.failure import Public
from errorkit.fastapi import ErrorMiddleware, install
from errorkit.flask import ErrorKit
from errorkit.starlette import ErrorMiddleware as StarletteMiddleware
from errorkit.starlette import install as install_starlette
from errorkit.wsgi import ErrorMiddleware as WSGIMiddleware


def raising(error: Exception, **settings: Any) -> Any:
    """An ASGI application that raises, under errorkit."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise error

    return ASGIMiddleware(app, **settings)


def code(reply: Reply) -> Any:
    """The code in an openai or problem body."""
    body = reply.json()
    return body.get("error", body).get("code")


# -- dialects by prefix


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/v1", "application/json"),
        ("/v1/x", "application/json"),
        ("/v10", "application/problem+json"),
        ("/v1/admin/x", "application/problem+json"),
        ("/", "application/problem+json"),
    ],
)
def test_the_longest_prefix_wins_by_whole_segments(path: str, media_type: str) -> None:
    """`/v1` covers `/v1/x` and not `/v10`."""
    dialects = {"/v1": "openai", "/": "problem", "/v1/admin/": "problem"}
    reply = asgi(raising(errors.ConflictError(), dialect=dialects), path=path)
    assert reply.header("content-type") == media_type
    site = WSGIMiddleware(_boom, dialect=dialects)
    assert wsgi(site, path=path).header("content-type") == media_type


def _boom(environ: Any, start_response: Any) -> Any:
    raise errors.ConflictError


def test_a_prefix_can_opt_out(log: list[dict[str, Any]]) -> None:
    """errorkit says nothing under it, not even its own errors; the request ID and the event are there."""
    app = FastAPI()
    install(app, dialect={"/": "problem", "/legacy": None})

    @app.get("/legacy/x")
    def legacy() -> None:
        raise RuntimeError("theirs")

    reply = asgi(app, path="/legacy/x")
    assert (reply.status, reply.body) == (500, b"Internal Server Error")
    assert isinstance(reply.raised, RuntimeError)
    (event,) = failures(log)
    assert (event["request_id"], event["reason"]) == (reply.header("x-request-id"), "unhandled")
    reply = asgi(app, path="/legacy/none")
    assert reply.json() == {"detail": "Not Found"}
    assert failures(log)[1]["left"] == "the path is observed"
    assert wsgi(_flask_with_opt_out(), path="/legacy/none").header("content-type") == "text/html; charset=utf-8"
    site = WSGIMiddleware(_boom, dialect={"/": "problem", "/legacy": None})
    assert isinstance(wsgi(site, path="/legacy/x").raised, errors.ConflictError)


def _flask_with_opt_out() -> Flask:
    app = Flask("opted")
    ErrorKit(app, dialect={"/": "problem", "/legacy": None})
    return app


def test_a_users_dialect_has_the_presets_powers() -> None:
    """Media type, header names, code case, types, its own body and its own stream event."""

    class ShopBody(TypedDict):
        err: str
        text: str

    class Shop(Dialect):
        name = "shop"
        media_type = "application/vnd.shop+json"
        request_id_header = "Shop-Id"
        code_header = "Shop-Code"
        code_case = "kebab"
        Body = ShopBody
        copies = ("message",)
        carries = ("code", "message", "status")

        def write(self, public: Public) -> Any:
            return {"err": self.spell(public.code), "text": public.message}

        def read(self, status: int, headers: Any, body: Any) -> Public:
            return self.public(status, headers, code=self.canonical(body["err"]), message=body["text"])

    reply = asgi(raising(errors.NotFoundError('No "x".'), dialect=Shop()), headers=[("Shop-Id", "s1")])
    assert reply.json() == {"err": "not-found", "text": 'No "x".'}
    assert reply.header("content-type") == "application/vnd.shop+json"
    assert (reply.header("shop-id"), reply.header("shop-code")) == ("s1", "not-found")


# -- request ids


@pytest.mark.parametrize("value", ["a b", "x" * 129, "a\x1b[31m", "ü"])
def test_a_hostile_id_is_replaced_and_never_repeated(value: str, log: list[dict[str, Any]]) -> None:
    """Not in the response, not in the log."""
    for reply in (
        asgi(raising(errors.ConflictError()), headers=[("X-Request-ID", value)]),
        wsgi(WSGIMiddleware(_boom), headers=[("X-Request-ID", value)]),
    ):
        assert len(reply.header("x-request-id") or "") == 32
        assert value not in str(reply.headers)
    assert value not in str(log)


def test_an_inbound_id_is_used_if_it_may_be() -> None:
    """Kept, or not believed where `trust_inbound` is off."""
    sent = [("X-Request-ID", "abc-1")]
    assert asgi(raising(errors.ConflictError()), headers=sent).header("x-request-id") == "abc-1"
    reply = asgi(raising(errors.ConflictError(), trust_inbound=False), headers=sent)
    assert reply.header("x-request-id") != "abc-1"


def test_the_id_is_reachable_everywhere_a_request_goes() -> None:
    """In async and thread-pool endpoints, in background tasks, on the request's state; gone afterwards."""
    app = FastAPI()
    app.add_middleware(ErrorMiddleware)
    seen: dict[str, Any] = {}

    @app.get("/")
    def endpoint(tasks: BackgroundTasks) -> dict[str, Any]:
        seen["thread"] = get_request_id()
        tasks.add_task(lambda: seen.update(background=get_request_id()))
        return {}

    @app.get("/async")
    async def other() -> dict[str, Any]:
        seen["async"] = get_request_id()
        return {}

    reply = asgi(app, headers=[("X-Request-ID", "r1")])
    assert (seen, reply.header("x-request-id")) == ({"thread": "r1", "background": "r1"}, "r1")
    asgi(app, path="/async", headers=[("X-Request-ID", "r2")])
    assert seen["async"] == "r2"
    assert get_request_id() is None


def test_ids_are_not_mixed_up_between_concurrent_requests() -> None:
    """Each of many requests at once sees its own."""
    app = FastAPI()
    app.add_middleware(ErrorMiddleware)

    @app.get("/")
    async def endpoint() -> dict[str, Any]:
        before = get_request_id()
        await asyncio.sleep(0)
        return {"same": before == get_request_id(), "id": before}

    async def many() -> list[Reply]:
        calls = (call_asgi(app, headers=[("X-Request-ID", f"r{n}")], lifespan=False) for n in range(100))
        return await asyncio.gather(*calls)

    for number, reply in enumerate(asyncio.run(many())):
        assert reply.json() == {"same": True, "id": f"r{number}"}
        assert reply.header("x-request-id") == f"r{number}"


def test_the_id_is_in_the_applications_own_log_lines(caplog: pytest.LogCaptureFixture) -> None:
    """By a structlog processor and a logging filter; a line outside of a request has none."""
    lines: list[dict[str, Any]] = []

    def keep(_logger: Any, _method: str, event: Any) -> Any:
        lines.append(dict(event))
        raise structlog.DropEvent

    logger = structlog.wrap_logger(None, processors=[add_request_id, keep], wrapper_class=structlog.BoundLogger)
    record_filter = RequestIdFilter()
    caplog.handler.addFilter(record_filter)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            return
        logger.bind().info("hello")
        logging.getLogger("app").warning("hello")
        raise errors.ConflictError

    asgi(ASGIMiddleware(app), headers=[("X-Request-ID", "r9")])
    logging.getLogger("app").warning("outside")
    caplog.handler.removeFilter(record_filter)
    assert lines[0] == {"event": "hello", "request_id": "r9"}
    assert add_request_id(None, "", {"event": "x"}) == {"event": "x"}
    ids = [record.__dict__["request_id"] for record in caplog.records if record.name == "app"]
    assert ids == ["r9", "-"]


def test_an_applications_own_id_stands(log: list[dict[str, Any]]) -> None:
    """An id that the application sets itself is sent, once, and it is the one that is logged (F-29)."""
    app = FastAPI()
    app.add_middleware(ErrorMiddleware)

    @app.get("/")
    async def endpoint() -> PlainTextResponse:
        return PlainTextResponse("x", headers={"X-Request-ID": "theirs"})

    @app.get("/error")
    async def error() -> PlainTextResponse:
        return PlainTextResponse("x\ny", 404, headers={"X-Request-ID": "theirs"})

    for path in ("/", "/error"):
        reply = asgi(app, path=path, headers=[("X-Request-ID", "ours")])
        assert [value for name, value in reply.headers if name == "x-request-id"] == ["theirs"]
    (event,) = failures(log)
    assert event["request_id"] == "theirs"


# -- waits and quotas


@pytest.mark.parametrize(
    ("error", "settings", "sent"),
    [
        (errors.RateLimitError(), {}, "1"),
        (errors.RateLimitError(), {"retry_after": {"rate_limited": 12}}, "12"),
        (errors.RateLimitError(retry_after=0), {}, "0"),
        (errors.RateLimitError(retry_after=0.1), {}, "1"),
        (errors.RateLimitError(retry_after=timedelta(minutes=2)), {}, "120"),
        (errors.RateLimitError(headers={"Retry-After": "33"}), {}, "33"),
        (errors.RateLimitError(headers={"retry-after": "0.5"}), {}, "1"),
        (errors.ServiceUnavailableError(), {}, "5"),
        (errors.ConflictError(), {}, None),
        (errors.ConflictError(retry_after=3), {}, "3"),
        (errors.InternalError(), {}, None),
    ],
)
def test_retry_after_is_one_whole_number(error: Exception, settings: Any, sent: str | None) -> None:
    """From the exception, from the configuration, from the class, or kept; never twice."""
    assert asgi(raising(error, **settings)).header("retry-after") == sent


@pytest.mark.parametrize(("wait", "verdict"), [(60, "true"), (61, "false")])
def test_above_the_longest_wait_clients_are_told_not_to_retry(wait: int, verdict: str) -> None:
    """The truth stays in Retry-After."""
    reply = asgi(raising(errors.RateLimitError(retry_after=wait), dialect="openai"))
    assert (reply.header("retry-after"), reply.header("x-should-retry")) == (str(wait), verdict)
    assert reply.header("retry-after-ms") == ("60000" if verdict == "true" else None)


def test_a_quota_says_when_to_come_back() -> None:
    """The wait is the quota's reset where the error brings none."""
    quota = {"limit": 10, "remaining": 0, "reset": 7}
    from errorkit import RateLimit

    reply = asgi(raising(errors.RateLimitError(rate_limit=RateLimit(**quota))))
    assert (reply.header("retry-after"), reply.header("x-ratelimit-limit")) == ("7", "10")


# -- tenants


class Invoice:
    """A resource."""

    def __init__(self, owner: str) -> None:
        self.tenant = owner


class NoInvoice(errors.NotFoundError):
    """No such invoice."""

    code, concealable, message = "no_invoice", True, "There is no such invoice."
    default_headers = {"X-Public": "1"}


def test_ones_own_resource_is_visible() -> None:
    """By attribute or by function."""
    mine = Invoice("t1")
    assert visible(mine, tenant="tenant", caller="t1") is mine
    assert visible(mine, tenant=lambda invoice: invoice.tenant, caller="t1") is mine


@pytest.mark.parametrize(
    ("resource", "caller", "reason"),
    [(None, "t1", "absent"), (Invoice("t2"), "t1", "cross_tenant"), (Invoice("t2"), None, "cross_tenant")],
)
def test_everything_else_does_not_exist(resource: Any, caller: Any, reason: str) -> None:
    """A caller without a tenant sees nothing."""
    with pytest.raises(NoInvoice) as caught:
        visible(resource, tenant="tenant", caller=caller, error=NoInvoice("for the log"))
    assert (caught.value.concealed, caught.value.reason) == (True, reason)


@pytest.mark.parametrize("dialect", ["problem", "openai", "kaiko"])
@pytest.mark.parametrize("tenant_status", [404, 403])
def test_absent_and_foreign_cannot_be_told_apart(dialect: str, tenant_status: int, log: list[dict[str, Any]]) -> None:
    """Whatever the raise sites say: same status, headers, body; the log alone knows."""
    raised = [
        NoInvoice("None with id 7.", headers={"ETag": "x", "Cache-Control": "max-age=9"}),
        NoInvoice("That is t2's!", param="id", hint="t2", details=[Detail(("a",), "b")], retry_after=9),
        errors.ForbiddenError("No.", resource_tenant="t2", caller_tenant="t1", conceal_as=NoInvoice),
    ]
    for resource in (None, Invoice("t2")):
        with pytest.raises(NoInvoice) as caught:
            visible(resource, tenant="tenant", caller="t1", error=NoInvoice)
        raised.append(caught.value)
    sent = [("X-Request-ID", "r")]
    replies = [asgi(raising(e, dialect=dialect, tenant_status=tenant_status), headers=sent) for e in raised]
    assert all(reply.messages == replies[0].messages for reply in replies)
    assert (replies[0].status, replies[0].header("cache-control")) == (tenant_status, "no-store")
    assert replies[0].header("x-public") == (None if tenant_status == 403 else "1")
    levels = [(event.get("reason"), event["log_level"]) for event in failures(log)]
    told = ["absent", "absent", "cross_tenant", "absent", "cross_tenant"]
    assert levels == [(reason, "warning") for reason in told]  # a line that is not written would take less time
    assert failures(log)[2]["resource_tenant"] == "t2"
    assert failures(log)[2]["caller_tenant"] == "t1"


def test_a_forbidden_resource_of_another_tenant_is_the_catalogues_not_found() -> None:
    """Where the error names no class to hide behind."""
    reply = asgi(raising(errors.ForbiddenError(resource_tenant="t2")))
    assert (reply.status, code(reply)) == (404, "not_found")
    assert asgi(raising(errors.ForbiddenError("Admins only."))).status == 403


# -- headers


def test_an_errors_headers_survive_and_ours_are_not_doubled() -> None:
    """Its own Cache-Control stands; what describes the body is ours; what would split is dropped."""
    given = {
        "Cache-Control": "max-age=1",
        "Content-Type": "text/evil",
        "Content-Length": "1",
        "X-Request-ID": "theirs",
        "X-Good": "1",
        "X-Split": "a\r\nSet-Cookie: b",
        "X Bad": "1",
        "WWW-Authenticate": "Custom",
    }
    reply = asgi(raising(errors.AuthenticationError(headers=given), dialect="openai"))
    assert reply.header("cache-control") == "max-age=1"
    assert reply.header("content-type") == "application/json"
    assert reply.header("content-length") == str(len(reply.body))
    assert reply.header("x-good") == "1"
    assert reply.header("www-authenticate") == "Custom"
    assert reply.header("x-request-id") == "theirs"  # an id that the author gives stands, as one of a response does
    assert not {name for name, _ in reply.headers} & {"x-split", "x bad", "set-cookie"}


# -- what is configured


def test_statuses_of_findings_can_be_configured() -> None:
    """422 or 400, for missing and for invalid; missing wins."""
    missing, invalid = Detail(("a",), "m", "missing_field"), Detail(("b",), "m")
    settings = {"dialect": "problem", "status_missing": 400, "status_invalid": 409}
    assert asgi(raising(errors.ValidationError(details=[invalid]), **settings)).status == 409
    assert asgi(raising(errors.ValidationError(details=[invalid, missing]), **settings)).status == 400
    assert asgi(raising(errors.ValidationError("m"), dialect="openai")).status == 400


class Unprocessed(errors.ValidationError):
    """Ours is a 400."""

    code, status = "validation_failed", 400


def test_a_catalogues_own_status_for_validation_wins_over_the_dialects() -> None:
    """What the catalogue says is documented, so it is served."""
    app = FastAPI()
    install(app, dialect="problem", catalog=[Unprocessed])

    @app.get("/")
    def endpoint(n: int) -> None: ...

    assert asgi(app).status == 400


def test_docs_urls_name_the_code() -> None:
    """`type` of RFC 9457 resolves to the code's page."""
    reply = asgi(raising(errors.ConflictError(), docs_url="https://docs.test/errors/{code}"))
    assert reply.json()["type"] == "https://docs.test/errors/conflict"
    assert asgi(raising(errors.ConflictError())).json()["type"] == "about:blank"


def test_development_adds_a_member_and_production_does_not() -> None:
    """A debug member of its own; no other byte of the body differs."""
    debug = asgi(raising(RuntimeError("why"), development=True), headers=[("X-Request-ID", "r")]).json()
    production = asgi(raising(RuntimeError("why")), headers=[("X-Request-ID", "r")]).json()
    extra = debug.pop("debug")
    assert debug == production
    assert extra["exception"] == "RuntimeError"
    assert any("why" in row for row in extra["traceback"])


def test_unhandled_exceptions_can_be_let_through(log: list[dict[str, Any]]) -> None:
    """For the framework's debug page and for tests; declared errors are answered all the same."""
    for app in (raising(RuntimeError("why"), reraise=True), _raising_fastapi(reraise=True)):
        assert isinstance(asgi(app).raised, RuntimeError)
    assert asgi(raising(errors.ConflictError(), reraise=True)).status == 409
    assert [event["code"] for event in failures(log)] == ["internal", "internal", "conflict"]
    site = Flask("t")
    ErrorKit(site)
    site.testing = True
    site.add_url_rule("/", view_func=_crash)
    assert isinstance(wsgi(site).raised, RuntimeError)
    site.config["PROPAGATE_EXCEPTIONS"] = False
    assert wsgi(site).status == 500
    assert isinstance(wsgi(WSGIMiddleware(lambda *_: _crash(), reraise=True)).raised, RuntimeError)


def _crash() -> Any:
    raise RuntimeError("why")


def _raising_fastapi(**settings: Any) -> FastAPI:
    app = FastAPI()
    install(app, **settings)
    app.add_api_route("/", _crash)
    return app


@pytest.mark.parametrize("policy", ["framework", "all", "off"])
def test_normalisation_is_a_policy(policy: str) -> None:
    """Default bodies only, every body, or none."""
    app = Starlette(
        routes=[
            Route("/text", lambda request: PlainTextResponse("Not Found", 404)),
            Route("/own", lambda request: PlainTextResponse("two\nlines", 404)),
        ]
    )
    app.add_middleware(StarletteMiddleware, normalise=policy)
    bodies = [asgi(app, path=path).body.startswith(b"{") for path in ("/text", "/own")]
    assert bodies == {"framework": [True, False], "all": [True, True], "off": [False, False]}[policy]


def test_levels_can_be_configured(log: list[dict[str, Any]]) -> None:
    """By code, by status, by family; the more exact wins."""
    levels = {"conflict": "critical", "410": "debug", "4xx": "warning"}
    for error in (errors.ConflictError(), errors.GoneError(), errors.LockedError()):
        asgi(raising(error, levels=levels))
    assert [event["log_level"] for event in failures(log)] == ["critical", "debug", "warning"]


def test_a_hook_sees_each_failure_once_and_cannot_break_it(capsys: pytest.CaptureFixture[str]) -> None:
    """Both parts of it; its own exception is told to the operator alone."""
    seen: list[Any] = []

    def hook(failure: Any, request: Any) -> None:
        seen.append((failure.public.status, failure.private.code, request.path))
        raise ValueError("a bad hook")

    assert asgi(raising(errors.ConflictError(), on_failure=hook), path="/p").status == 409
    assert seen == [(409, "conflict", "/p")]


# -- events


def test_an_event_says_all_that_an_operator_needs(log: list[dict[str, Any]]) -> None:
    """Names, facts and the author's private context; no query; secrets replaced."""
    app = FastAPI()
    install(app, dialect="openai")

    @app.get("/things/{number}")
    def thing(number: int) -> None:
        raise errors.RateLimitError(
            retry_after=2, context={"quota": "daily", "api_key": "s3cret", "n": {"password": "p"}}
        )

    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    reply = asgi(app, path="/things/7?token=s3cret", headers=[("traceparent", trace)])
    (event,) = failures(log)
    assert event.pop("duration_ms") >= 0
    assert event == {
        "event": "request_failed",
        "log_level": "warning",
        "code": "rate_limited",
        "status": 429,
        "type": "rate_limit_error",
        "method": "GET",
        "route": "/things/{number}",
        "path": "/things/7",
        "request_id": reply.header("x-request-id"),
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "retry_after": 2,
        "context": {"quota": "daily", "api_key": "[redacted]", "n": {"password": "[redacted]"}},
        "exception_type": "errorkit.errors.RateLimitError",
        "error": "Too many requests.",
    }


@pytest.mark.parametrize(
    "trace", ["x", "00-" + "0" * 32 + "-00f067aa0ba902b7-01", "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"]
)
def test_an_invalid_traceparent_is_ignored(trace: str, log: list[dict[str, Any]]) -> None:
    """W3C Trace Context: lower-case hex, no zeros, no version ff."""
    asgi(raising(errors.ConflictError()), headers=[("traceparent", trace)])
    assert "trace_id" not in failures(log)[0]


def test_exceptions_words_can_be_kept_out_of_the_log(log: list[dict[str, Any]]) -> None:
    """Class and frames remain."""
    asgi(raising(RuntimeError("s3cret"), redact_exception_text=True))
    (event,) = failures(log)
    assert "s3cret" not in str(event)
    assert event["exception"].startswith("RuntimeError\n")


def test_start_up_tells_what_is_covered(log: list[dict[str, Any]]) -> None:
    """One line: dialects, mounts, the user's handlers that are kept."""
    app = FastAPI()
    app.mount("/sub", FastAPI())
    app.add_exception_handler(KeyError, lambda request, exc: PlainTextResponse("x"))
    install(app, dialect={"/": "problem", "/v1": "openai"})
    asgi(app)
    assert log[0] == {
        "event": "errorkit_installed",
        "log_level": "info",
        "dialects": {"/v1": "openai", "/": "problem"},
        "mounts": ["/sub"],
        "user_handlers": ["/: KeyError"],
        "codes": 26,
    }


# -- handlers of the user


@pytest.mark.parametrize("key", [KeyError, Exception, 500])
def test_a_users_handler_wins(key: Any, log: list[dict[str, Any]]) -> None:
    """Sync or async, for a class or for everything: its answer is left alone, recorded with its cause."""

    async def mine(request: Any, exception: Exception) -> PlainTextResponse:
        return PlainTextResponse("mine", 500)

    app = Starlette(routes=[Route("/", _raise_key_error)], exception_handlers={key: mine})
    install_starlette(app)
    reply = asgi(app)
    assert (reply.status, reply.body, reply.raised) == (500, b"mine", None)
    (event,) = failures(log)
    assert (event["answered_by"], event["status"]) == ("test_a_users_handler_wins.<locals>.mine", 500)
    assert "exception" in event


async def _raise_key_error(request: Any) -> None:
    raise KeyError("k")


def test_a_users_status_handler_wins_and_may_raise_an_error_itself() -> None:
    """A handler for 404 that raises an APIError: the error is answered."""

    def mine(request: Any, exception: Exception) -> Any:
        raise errors.GoneError("gone for good")

    app = FastAPI(exception_handlers={404: mine})
    install(app)
    reply = asgi(app, path="/none")
    assert (reply.status, reply.json()["detail"]) == (410, "gone for good")


def test_installing_late_is_refused() -> None:
    """Half a cover is none."""
    app = FastAPI()
    asgi(app)
    with pytest.raises(ConfigurationError, match="it has served a request; add errorkit before the first one"):
        install(app)


def test_the_first_request_is_covered_without_a_lifespan() -> None:
    """Servers send one; where none was sent, the first scope installs."""
    for path, expected in (("/", "conflict"), ("/none", "not_found")):
        app = FastAPI()
        app.add_middleware(ErrorMiddleware, dialect="openai")
        app.add_api_route("/", _conflict)
        reply = asyncio.run(call_asgi(app, path=path, lifespan=False))
        assert code(reply) == expected


def _conflict() -> None:
    raise errors.ConflictError


def test_a_generic_middleware_around_a_framework_still_answers() -> None:
    """Outside of everything: crashes, and the framework's default bodies."""
    app = FastAPI()
    app.add_api_route("/", _crash)
    wrapped = ASGIMiddleware(app, dialect="openai")
    assert code(asgi(wrapped)) == "internal"
    assert code(asgi(wrapped, path="/none")) == "not_found"


# -- Flask's corners


def test_flask_keeps_the_users_handlers_and_answers_the_rest(log: list[dict[str, Any]]) -> None:
    """A handler registered before or after wins for its class or status."""
    app = Flask("corners")

    @app.errorhandler(errors.GoneError)
    def gone(error: Any) -> Any:
        return "mine", 410

    kit = ErrorKit(dialect="openai")
    kit.init_app(app)

    @app.errorhandler(404)
    def none(error: Any) -> Any:
        return "mine too", 404

    app.add_url_rule("/gone", view_func=_gone)
    app.add_url_rule("/conflict", view_func=_conflict)
    assert app.extensions["errorkit"] is kit
    assert wsgi(app, path="/gone").body == b"mine"
    assert wsgi(app, path="/none").body == b"mine too"
    assert code(wsgi(app, path="/conflict")) == "conflict"


def _gone() -> None:
    raise errors.GoneError


# -- websockets


def _sockets() -> FastAPI:
    app = FastAPI()
    install(app, dialect="openai")

    @app.websocket("/before")
    async def before(socket: WebSocket) -> None:
        raise errors.AuthenticationError("No key.")

    @app.websocket("/close")
    async def close(socket: WebSocket) -> None:
        await socket.close()

    @app.websocket("/number/{number}")
    async def number(socket: WebSocket, number: int) -> None: ...

    @app.websocket("/after/{what}")
    async def after(socket: WebSocket, what: str) -> None:
        await socket.accept()
        await socket.receive_text()
        raise {
            "crash": RuntimeError("s3cret"),
            "conflict": errors.ConflictError("é" * 200),
            "limit": errors.RateLimitError(),
            "own": WebSocketException(4001, "mine"),
        }[what]

    @app.websocket("/closed")
    async def closed(socket: WebSocket) -> None:
        await socket.accept()
        await socket.close()
        raise RuntimeError("too late")

    @app.websocket("/wait")
    async def wait(socket: WebSocket) -> None:
        await socket.accept()
        await socket.receive_text()

    return app


@pytest.mark.parametrize(
    ("path", "status", "expected"),
    [
        ("/before", 401, "unauthenticated"),
    ],
)
def test_a_websocket_refused_before_its_handshake_is_a_response(
    path: str, status: int, expected: str, log: list[dict[str, Any]]
) -> None:
    """The envelope as a denial response, one id, one event."""
    with pytest.raises(WebSocketDenialResponse) as caught, TestClient(_sockets()).websocket_connect(path):
        pass
    response = caught.value
    assert (response.status_code, response.json()["error"]["code"]) == (status, expected)
    (event,) = failures(log)
    assert (event["request_id"], event["method"]) == (response.headers["x-request-id"], "WEBSOCKET")


@pytest.mark.parametrize(
    ("path", "code", "reason", "expected"),
    [
        ("/close", 1000, "", "forbidden"),
        ("/number/x", 1008, "number: Input should be a valid integer", "validation_failed"),
        ("/nowhere", 1000, "", "forbidden"),
    ],
)
def test_a_websocket_closed_before_its_handshake_keeps_code_and_reason(
    path: str, code: int, reason: str, expected: str, log: list[dict[str, Any]]
) -> None:
    """What the application or its framework chose; a server makes a 403 of it, and one event tells of it (F-20)."""
    with pytest.raises(WebSocketDisconnect) as caught, TestClient(_sockets()).websocket_connect(path):
        pass
    assert caught.value.code == code
    assert str(caught.value.reason).startswith(reason)
    (event,) = failures(log)
    assert event["code"] == expected


@pytest.mark.parametrize(
    ("what", "close_code", "reason"),
    [
        ("crash", 1011, "internal: An internal error occurred."),
        ("conflict", 1008, "conflict: " + "é" * 56),
        ("limit", 1013, "rate_limited: Too many requests."),
        ("own", 4001, "mine"),
    ],
)
def test_a_websocket_that_fails_later_is_closed_with_a_code(
    what: str, close_code: int, reason: str, log: list[dict[str, Any]]
) -> None:
    """By status; the reason has at most 123 bytes, and no stranger's words."""
    with TestClient(_sockets()) as client, client.websocket_connect(f"/after/{what}") as socket:
        socket.send_text("x")
        with pytest.raises(WebSocketDisconnect) as caught:
            socket.receive_text()
    assert (caught.value.code, caught.value.reason) == (close_code, reason)
    assert len(reason.encode()) <= 123
    assert len(failures(log)) == 1


def test_a_client_that_leaves_a_websocket_is_no_error(log: list[dict[str, Any]]) -> None:
    """One line at info."""
    with TestClient(_sockets()) as client, client.websocket_connect("/wait"):
        pass
    (event,) = failures(log)
    assert (event["outcome"], event["log_level"]) == ("client_gone", "info")


def test_a_failure_after_a_close_is_raised(log: list[dict[str, Any]]) -> None:
    """Nobody is there to be told but the operator."""
    with (
        pytest.raises(RuntimeError, match="too late"),
        TestClient(_sockets()) as client,
        client.websocket_connect("/closed") as socket,
        pytest.raises(WebSocketDisconnect),
    ):
        socket.receive_text()
    assert [event["outcome"] for event in failures(log)] == ["background"]


def _websocket(app: Any, **extensions: Any) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "websocket", "path": "/", "headers": [], "extensions": extensions}
    asyncio.run(app(scope, receive, send))
    return sent


def test_without_the_denial_extension_a_handshake_is_closed(log: list[dict[str, Any]]) -> None:
    """The server makes it a 403; the event tells the true status."""
    assert _websocket(raising(errors.AuthenticationError())) == [
        {"type": "websocket.close", "code": 1008, "reason": ""}
    ]

    async def refuses(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.close", "code": 1000})

    assert _websocket(ASGIMiddleware(refuses)) == [{"type": "websocket.close", "code": 1000}]
    assert [event["status"] for event in failures(log)] == [401, 403]


def test_an_applications_own_denial_is_left_alone(log: list[dict[str, Any]]) -> None:
    """But for the id."""

    async def denies(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.http.response.start", "status": 418, "headers": []})
        await send({"type": "websocket.http.response.body", "body": b"mine"})

    start, body = _websocket(ASGIMiddleware(denies), **{"websocket.http.response": {}})
    assert (start["status"], body["body"]) == (418, b"mine")
    assert [name for name, _ in start["headers"]] == [b"x-request-id"]
    assert failures(log)[0]["answered_by"] == "application"


def test_a_websocket_route_is_named_in_the_event(log: list[dict[str, Any]]) -> None:
    """The template, as for HTTP."""

    async def fails(socket: Any) -> None:
        raise errors.ConflictError

    app = Starlette(routes=[WebSocketRoute("/room/{name}", fails)])
    install_starlette(app)
    with pytest.raises(WebSocketDenialResponse), TestClient(app).websocket_connect("/room/7"):
        pass
    assert failures(log)[0]["route"] == "/room/{name}"


@pytest.mark.parametrize("name", ["problem", "openai"])
def test_presets_are_looked_up_by_name(name: str) -> None:
    """The one door to them."""
    assert get_dialect(name).name == name
