"""Five published APIs, reproduced from configuration and a catalogue alone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import pytest
from fastapi import FastAPI, Query, Response
from flask import Flask
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.routing import Route

from contracts import agentkavach, kaiko, kaizen, kaplaix, korad
from driving import Reply, asgi, wsgi
from errorkit import errors, visible
from errorkit.asgi import ErrorMiddleware as ASGIMiddleware
from errorkit.errors import APIError
from errorkit.fastapi import ErrorMiddleware as FastAPIMiddleware
from errorkit.flask import ErrorKit, validate
from errorkit.retry import RateLimit, rate_limit_headers
from errorkit.starlette import ErrorMiddleware as StarletteMiddleware
from errorkit.wsgi import ErrorMiddleware as WSGIMiddleware

ID = "req-7f65ab21d1"


def _asgi(error: Exception, settings: dict[str, Any]) -> Reply:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise error

    return asgi(ASGIMiddleware(app, **settings), headers=[("X-Request-ID", ID)])


def _starlette(error: Exception, settings: dict[str, Any]) -> Reply:
    async def endpoint(request: Any) -> None:
        raise error

    app = Starlette(routes=[Route("/", endpoint)])
    app.add_middleware(StarletteMiddleware, **settings)
    return asgi(app, headers=[("X-Request-ID", ID)])


def _fastapi(error: Exception, settings: dict[str, Any]) -> Reply:
    app = FastAPI()
    app.add_middleware(FastAPIMiddleware, **settings)

    @app.get("/")
    def endpoint() -> None:
        raise error

    return asgi(app, headers=[("X-Request-ID", ID)])


def _wsgi(error: Exception, settings: dict[str, Any]) -> Reply:
    def app(environ: Any, start_response: Any) -> Any:
        raise error

    return wsgi(WSGIMiddleware(app, **settings), headers=[("X-Request-ID", ID)])


def _flask(error: Exception, settings: dict[str, Any]) -> Reply:
    app = Flask("contract")
    ErrorKit(app, **settings)

    @app.get("/")
    def endpoint() -> None:
        raise error

    return wsgi(app, headers=[("X-Request-ID", ID)])


ADAPTERS = pytest.mark.parametrize(
    "serve", [_asgi, _starlette, _fastapi, _wsgi, _flask], ids=["asgi", "starlette", "fastapi", "wsgi", "flask"]
)


def _flat(detail: str, code: str) -> dict[str, Any]:
    return {"detail": detail, "code": code, "request_id": ID}


@ADAPTERS
@pytest.mark.parametrize(
    ("error", "status", "body"),
    [
        (kaizen.InvalidPayload(), 400, _flat("The request payload is invalid.", "validation_failed")),
        (kaizen.BadAPIKey(), 401, _flat("The API key is missing or invalid.", "unauthenticated")),
        (kaizen.NoAccess(), 403, _flat("The API key has no access to this deployment.", "forbidden")),
        (kaizen.Missing("No deployment d1."), 404, _flat("No deployment d1.", "not_found")),
        (kaizen.Limited(retry_after=7), 429, _flat("The rate limit is exceeded.", "rate_limited")),
        (RuntimeError("secret"), 500, _flat("The service is disrupted.", "internal")),
        (kaizen.Upstream(), 502, _flat("An upstream provider failed.", "bad_gateway")),
        (kaizen.Unavailable(), 503, _flat("The service is unavailable.", "service_unavailable")),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_kaizen(serve: Any, error: Exception, status: int, body: dict[str, Any]) -> None:
    """Kaizen's rows, and the client's id travels both ways."""
    reply = serve(error, kaizen.settings)
    assert (reply.status, reply.json()) == (status, body)
    assert reply.header("content-type") == "application/json"
    assert reply.header("x-request-id") == ID
    assert reply.header("retry-after") == {429: "7", 503: "5"}.get(status)


def test_kaizen_generates_an_id_where_the_client_sent_none() -> None:
    """Every response has an id, in header and body alike."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise kaizen.Missing

    reply = asgi(ASGIMiddleware(app, **kaizen.settings))
    assert re.fullmatch("[0-9a-f]{32}", reply.header("x-request-id") or "")
    assert reply.json()["request_id"] == reply.header("x-request-id")


def _kaiko(kind: str, code: str, message: str, **more: str) -> dict[str, Any]:
    return {"error": {"type": kind, "code": code, "message": message, "request_id": ID, **more}}


@ADAPTERS
@pytest.mark.parametrize(
    ("error", "status", "body"),
    [
        (
            kaiko.MissingField("The 'messages' field is required", param="messages"),
            400,
            _kaiko("invalid_request_error", "missing_field", "The 'messages' field is required", param="messages"),
        ),
        (kaiko.InvalidAPIKey(), 401, _kaiko("authentication_error", "invalid_api_key", "Invalid API key")),
        (kaiko.KeyRevoked(), 403, _kaiko("forbidden_error", "key_revoked", "The API key has been revoked")),
        (
            kaiko.ContextNotFound("ctx_1 expired"),
            404,
            _kaiko("not_found_error", "context_not_found", "The context was not found or has expired"),
        ),
        (kaiko.DuplicateId(), 409, _kaiko("conflict_error", "duplicate_id", "The id is already in use")),
        (
            kaiko.PayloadTooLarge(),
            413,
            _kaiko("invalid_request_error", "payload_too_large", "The payload is too large"),
        ),
        (
            kaiko.InvalidRole("'king' is no role", param="messages[0].role"),
            422,
            _kaiko("invalid_request_error", "invalid_role", "'king' is no role", param="messages[0].role"),
        ),
        (
            kaiko.TooManyRequests(retry_after=30),
            429,
            _kaiko("rate_limit_error", "too_many_requests", "Too many requests"),
        ),
        (RuntimeError("secret"), 500, _kaiko("server_error", "internal", "An internal error occurred.")),
        (
            errors.ServiceUnavailableError(),
            503,
            _kaiko("server_error", "service_unavailable", "The service is temporarily unavailable."),
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_kaiko(serve: Any, error: Exception, status: int, body: dict[str, Any]) -> None:
    """Kaiko's rows: the type is no function of the status, and the id is in the body."""
    reply = serve(error, kaiko.settings)
    assert (reply.status, reply.json()) == (status, body)
    assert reply.header("x-request-id") == ID
    assert reply.header("retry-after") == {429: "30", 503: "5"}.get(status)


class Role(BaseModel):
    """A message with a restricted role."""

    role: Annotated[str, Query(pattern="^(system|user|assistant)$")]


class Chat(BaseModel):
    """Kaiko's request."""

    messages: list[Role]


def _kaiko_chat() -> tuple[Any, Any]:
    api = FastAPI()
    api.add_middleware(FastAPIMiddleware, **kaiko.settings)

    @api.post("/chat")
    def chat(body: Chat) -> dict[str, str]:
        return {}

    site = Flask("kaiko")
    ErrorKit(site, **kaiko.settings)

    @site.post("/chat")
    def flask_chat() -> dict[str, str]:
        from flask import request

        validate(Chat, request.get_json())
        return {}

    return api, site


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        (
            b"{}",
            400,
            {
                "type": "invalid_request_error",
                "code": "missing_field",
                "message": "The 'messages' field is required",
                "param": "messages",
                "request_id": ID,
            },
        ),
        (
            b'{"messages": [{"role": "king"}]}',
            422,
            {
                "type": "invalid_request_error",
                "code": "invalid_role",
                "message": "The 'messages[0].role' field is invalid: "
                "String should match pattern '^(system|user|assistant)$'",
                "param": "messages[0].role",
                "request_id": ID,
            },
        ),
        (
            b'{"messages": [{"role": "king"}, {}]}',
            400,
            {
                "type": "invalid_request_error",
                "code": "missing_field",
                "message": "The 'messages[1].role' field is required",
                "param": "messages[1].role",
                "request_id": ID,
            },
        ),
    ],
    ids=["missing", "invalid", "both: missing wins"],
)
def test_kaiko_tells_a_missing_field_from_an_invalid_value(body: bytes, status: int, error: dict[str, Any]) -> None:
    """The framework's own validation, under the finding's own code."""
    api, site = _kaiko_chat()
    headers = [("content-type", "application/json"), ("x-request-id", ID)]
    for reply in (asgi(api, "POST", "/chat", headers, body=body), wsgi(site, "POST", "/chat", headers, body=body)):
        assert (reply.status, reply.json()) == (status, {"error": error})


def test_kaiko_ids_have_their_own_format() -> None:
    """`req-` and ten hex digits, in header and body."""

    def app(environ: Any, start_response: Any) -> Any:
        raise kaiko.DuplicateId

    reply = wsgi(WSGIMiddleware(app, **kaiko.settings))
    assert re.fullmatch("req-[0-9a-f]{10}", reply.header("x-request-id") or "")
    assert reply.json()["error"]["request_id"] == reply.header("x-request-id")


@pytest.mark.parametrize("contract", [kaiko, korad], ids=["kaiko", "korad"])
def test_rate_limit_headers_on_successes_and_errors(contract: Any) -> None:
    """X-RateLimit-Remaining is on every response of these two; the service's own headers survive."""
    quota = RateLimit(limit=100, remaining=0, reset=30, window=3600)
    api = FastAPI()
    api.add_middleware(FastAPIMiddleware, **contract.settings)

    @api.get("/ok")
    def ok(response: Response) -> dict[str, str]:
        response.headers.update(rate_limit_headers(quota._replace(remaining=9)))
        return {}

    @api.get("/limited")
    def limited() -> None:
        raise errors.RateLimitError(rate_limit=quota, headers={"X-Korad-Key": "k1"})

    reply = asgi(api, path="/limited")
    assert reply.status == 429
    assert reply.header("x-ratelimit-remaining") == "0"
    assert reply.header("x-ratelimit-reset") == "30"
    assert reply.header("retry-after") == "30"
    assert reply.header("ratelimit") == '"default";r=0;t=30'
    assert reply.header("ratelimit-policy") == '"default";q=100;w=3600'
    assert reply.header("x-korad-key") == "k1"
    reply = asgi(api, path="/ok")
    assert (reply.status, reply.header("x-ratelimit-remaining")) == (200, "9")
    assert reply.header("retry-after") is None


def _kaplaix(code: str, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}


@ADAPTERS
@pytest.mark.parametrize(
    ("error", "status", "body"),
    [
        (kaplaix.AuthenticationFailed(), 401, _kaplaix("AUTHENTICATION_FAILED", "Authentication failed")),
        (errors.ForbiddenError("Admins only"), 403, _kaplaix("FORBIDDEN", "Admins only")),
        (errors.ValidationError("Invalid request body"), 400, _kaplaix("VALIDATION_ERROR", "Invalid request body")),
        (kaplaix.Missing("No agent a1"), 404, _kaplaix("NOT_FOUND", "Resource not found")),
        (kaplaix.AgentExists("Agent a1 exists"), 409, _kaplaix("CONFLICT", "Agent a1 exists")),
        (
            kaplaix.NormalizationFailed(),
            422,
            _kaplaix("NORMALIZATION_FAILED", "The event could not be normalized"),
        ),
        (errors.RateLimitError(retry_after=3), 429, _kaplaix("RATE_LIMITED", "Too many requests.")),
        (ValueError("secret"), 500, _kaplaix("INTERNAL_ERROR", "An internal error occurred.")),
        (errors.BadGatewayError(), 502, _kaplaix("BAD_GATEWAY", "An upstream service gave an invalid answer.")),
        (
            errors.ServiceUnavailableError(),
            503,
            _kaplaix("SERVICE_UNAVAILABLE", "The service is temporarily unavailable."),
        ),
        (errors.GatewayTimeoutError(), 504, _kaplaix("GATEWAY_TIMEOUT", "An upstream service did not answer in time.")),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_kaplaix(serve: Any, error: Exception, status: int, body: dict[str, Any]) -> None:
    """Kaplaix's rows: upper-case codes, and no details where nothing was validated."""
    reply = serve(error, kaplaix.settings)
    assert (reply.status, reply.json()) == (status, body)


class Event(BaseModel):
    """Kaplaix's event."""

    eventId: UUID
    category: str
    tags: list[str] = []


def test_kaplaix_details_speak_zod() -> None:
    """Pydantic's findings in Zod's vocabulary: paths without prefix, indices as strings."""
    api = FastAPI()
    api.add_middleware(FastAPIMiddleware, **kaplaix.settings)

    @api.post("/events")
    def events(body: Event) -> dict[str, str]:
        return {}

    @api.get("/events")
    def search(limit: int) -> dict[str, str]:
        return {}

    headers = [("content-type", "application/json")]
    reply = asgi(api, "POST", "/events", headers, body=b'{"eventId": "k", "tags": ["a", 1]}')
    assert reply.status == 400
    assert reply.json() == {
        "error": {
            "code": "VALIDATION_ERROR",
            "message": "Invalid request body",
            "details": [
                {"path": ["eventId"], "message": "Invalid uuid", "code": "invalid_string"},
                {"path": ["category"], "message": "Required", "code": "invalid_type"},
                {"path": ["tags", "1"], "message": "Input should be a valid string", "code": "invalid_type"},
            ],
        }
    }
    reply = asgi(api, path="/events")
    assert reply.status == 400
    assert reply.json() == {
        "error": {
            "code": "VALIDATION_ERROR",
            "message": "Invalid query parameters",
            "details": [{"path": ["limit"], "message": "Required", "code": "invalid_type"}],
        }
    }


def test_kaplaix_never_tells_of_another_tenants_resource() -> None:
    """Absent and foreign give the same bytes, whatever the raise sites say."""

    class Agent:
        tenant_id = "t2"

    replies = []
    for resource, message in ((None, "No such agent"), (Agent(), "That agent is t2's")):

        async def app(scope: Any, receive: Any, send: Any, resource: Any = resource, message: str = message) -> None:
            visible(resource, tenant="tenant_id", caller="t1", error=kaplaix.Missing(message, param=message))

        replies.append(asgi(ASGIMiddleware(app, **kaplaix.settings), headers=[("X-Request-ID", ID)]))
    assert replies[0].messages == replies[1].messages
    assert replies[0].status == 404
    assert replies[0].json() == _kaplaix("NOT_FOUND", "Resource not found")


def _korad(message: str, kind: str, code: str, **more: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "code": code, **more}}


@ADAPTERS
@pytest.mark.parametrize(
    ("error", "status", "body"),
    [
        (korad.InvalidVirtualKey(), 401, _korad("Invalid Virtual Key", "invalid_request_error", "invalid_api_key")),
        (
            korad.BudgetExceeded("Budget exceeded: $50.00 limit reached"),
            402,
            _korad("Budget exceeded: $50.00 limit reached", "budget_exceeded_error", "budget_exceeded"),
        ),
        (
            korad.InvalidModel(param="model"),
            400,
            _korad("Invalid model name", "invalid_request_error", "invalid_model", param="model"),
        ),
        (
            korad.RateLimited("Rate limit exceeded: 100 requests/hour", retry_after=timedelta(seconds=9)),
            429,
            _korad("Rate limit exceeded: 100 requests/hour", "rate_limit_error", "rate_limit_exceeded"),
        ),
        (RuntimeError("secret"), 500, _korad("Internal server error", "server_error", "internal_error")),
        (
            korad.Unavailable(),
            503,
            _korad("Service temporarily unavailable", "server_error", "service_unavailable"),
        ),
        (
            errors.GatewayTimeoutError("The model timed out"),
            504,
            _korad("The model timed out", "timeout_error", "gateway_timeout"),
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_korad(serve: Any, error: Exception, status: int, body: dict[str, Any]) -> None:
    """Korad's rows: `param` only where one applies."""
    reply = serve(error, korad.settings)
    assert (reply.status, reply.json()) == (status, body)


@ADAPTERS
@pytest.mark.parametrize(
    ("error", "status", "code", "message"),
    [
        (agentkavach.Unauthorized(), 401, "unauthenticated", "Unauthorized"),
        (agentkavach.SubscriptionEnded(), 403, "forbidden", "The subscription is cancelled or expired"),
        (errors.ValidationError("limit must be positive"), 422, "validation_failed", "limit must be positive"),
        (agentkavach.BudgetExceeded(), 429, "budget_exceeded", "The agent's budget is used up"),
        (agentkavach.LoopDetected(), 429, "loop_detected", "The agent repeats itself"),
        (RuntimeError("secret"), 500, "internal", "An internal error occurred."),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_agentkavach(serve: Any, error: Exception, status: int, code: str, message: str) -> None:
    """AgentKavach's rows; no `resume_at` where waiting does not help."""
    reply = serve(error, agentkavach.settings)
    assert (reply.status, reply.json()) == (status, {"error": {"code": code, "message": message}})


@ADAPTERS
def test_agentkavach_says_when_to_go_on(serve: Any) -> None:
    """`resume_at` is the instant at which Retry-After ends, in UTC, never too early."""
    midnight = (datetime.now(UTC) + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    reply = serve(agentkavach.RateLimited(retry_after=midnight), agentkavach.settings)
    assert reply.status == 429
    error = reply.json()["error"]
    assert error["resume_at"] == midnight.strftime("%Y-%m-%dT%H:%M:%SZ")
    left = (midnight - datetime.now(UTC)).total_seconds()
    assert left <= int(reply.header("retry-after") or "") <= left + 2


@pytest.mark.parametrize("contract", [kaizen, kaiko, kaplaix, korad, agentkavach])
def test_a_contract_needs_no_code_of_its_own(contract: Any) -> None:
    """Each contract is a preset's name and a catalogue."""
    assert set(contract.settings) == {"dialect", "catalog"}
    assert all(issubclass(spec.cls, APIError) for spec in contract.catalog)
