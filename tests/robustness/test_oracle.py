"""The helpers of errorkit.testing, and the tenant oracle beyond equal bytes."""

from __future__ import annotations

import re
from random import Random
from typing import Any

import pytest
from flask import Flask
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from errorkit import Catalog, ConflictError, ForbiddenError, NotFoundError, RateLimit, visible
from errorkit.dialects import PRESETS, get_dialect
from errorkit.flask import ErrorKit
from errorkit.starlette import ErrorMiddleware
from errorkit.testing import RecordedFailures, assert_error, compare_timing
from robustness.strict_asgi import http_scope, run, start_up

# -- the tool


class Simulated:
    """A clock that operations put forward: deterministic durations with noise."""

    def __init__(self, seed: int = 1) -> None:
        self.now, self.random = 0, Random(seed)

    def __call__(self) -> int:
        return self.now

    def taking(self, nanoseconds: float, spread: float) -> Any:
        def operation() -> None:
            self.now += max(1, round(self.random.gauss(nanoseconds, spread)))

        return operation


@pytest.mark.parametrize("seed", range(5))
def test_a_planted_difference_is_found(seed: int) -> None:
    """A fifth of the noise's spread, seen in a thousand samples."""
    clock = Simulated(seed)
    report = compare_timing(clock.taking(100_000, 5_000), clock.taking(102_000, 5_000), clock=clock)
    assert report.verdict == "distinguishable"
    assert report.auc > 0.55
    assert 1_000 < report.difference_ns < 3_000
    assert "distinguishable" in str(report)


@pytest.mark.parametrize("seed", range(5))
def test_the_same_operation_is_not_told_apart_from_itself(seed: int) -> None:
    """No verdict out of noise."""
    clock = Simulated(seed)
    operation = clock.taking(100_000, 5_000)
    report = compare_timing(operation, operation, clock=clock, samples=500)
    assert report.verdict == "indistinguishable"
    assert abs(report.auc - 0.5) < 0.06


def test_the_sign_tells_which_takes_longer_and_ties_count_half() -> None:
    """AUC 0, 1 and exactly 0.5."""
    clock = Simulated()
    fast, slow = clock.taking(10, 0), clock.taking(20, 0)
    assert compare_timing(fast, slow, clock=clock, samples=20).auc == 1
    assert compare_timing(slow, fast, clock=clock, samples=20).auc == 0
    assert compare_timing(fast, fast, clock=clock, samples=20).auc == 0.5


def test_a_machine_too_noisy_to_tell_is_said_to_be() -> None:
    """Where two sets of runs of the same operation differ, no verdict is given about two operations."""
    clock = Simulated()
    runs = 0

    def first() -> None:
        nonlocal runs
        runs += 1
        clock.now += 10 if runs % 2 else 1_000

    class Fixed(Random):
        def sample(self, population: Any, k: int, **_: Any) -> list[int]:  # never shuffled: the halves stay apart
            return [0, 1, 2]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("errorkit.testing.Random", Fixed)
        report = compare_timing(first, clock.taking(10, 0), clock=clock, samples=200, warm_up=0)
    assert report.control == 1
    assert report.verdict == "inconclusive"


def test_too_few_samples_are_refused() -> None:
    """A verdict from a handful of runs would be worth nothing."""
    with pytest.raises(ValueError, match="at least 20"):
        compare_timing(lambda: None, lambda: None, samples=5)


# -- assertions for a service's tests


def failing(error: Exception, **settings: Any) -> TestClient:
    async def endpoint(request: Any) -> Any:
        raise error

    app = Starlette(routes=[Route("/", endpoint)], middleware=[Middleware(ErrorMiddleware, **settings)])
    return TestClient(app)


@pytest.mark.parametrize("dialect", PRESETS)
def test_assert_error_takes_every_presets_answer(dialect: str) -> None:
    """It reads what the dialect wrote, and gives it back."""
    response = failing(ConflictError("taken", param="name"), dialect=dialect).get("/")
    public = assert_error(response, code="conflict", status=409, dialect=dialect)
    assert public.status == 409


def test_assert_error_takes_flasks_responses() -> None:
    """The same helper for both worlds."""
    app = Flask(__name__)

    @app.get("/")
    def view() -> Any:
        raise ConflictError("taken")

    ErrorKit(app, dialect="openai")
    assert (
        assert_error(app.test_client().get("/"), code="conflict", dialect="openai", message="taken").message == "taken"
    )


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        ({"code": "not_found"}, "code is 'conflict', expected 'not_found'"),
        ({"code": "conflict", "status": 404}, "status is 409, expected 404"),
        ({"code": "conflict", "message": "free"}, "message is 'taken', expected 'free'"),
        ({"code": "conflict", "dialect": "openai"}, "content-type is 'application/problem+json'"),
    ],
)
def test_assert_error_says_what_differs(expected: dict[str, Any], words: str) -> None:
    """A failing test names the member, what was found and what was expected."""
    response = failing(ConflictError("taken"), dialect="problem").get("/")
    with pytest.raises(AssertionError, match=re.escape(words)):
        assert_error(response, **expected)


def test_assert_error_refuses_a_success_and_a_foreign_body() -> None:
    """A 200, a page, a missing id."""

    class Response:
        status_code, content = 404, b"<html>"
        headers = {"Content-Type": "application/problem+json", "X-Content-Type-Options": "nosniff"}

    with pytest.raises(AssertionError, match="no X-Request-ID"):
        assert_error(Response(), code="not_found")
    Response.headers["X-Request-ID"] = "a"
    with pytest.raises(AssertionError, match="not JSON"):
        assert_error(Response(), code="not_found")
    Response.status_code = 200
    with pytest.raises(AssertionError, match=re.escape("status is 200, expected 400..599")):
        assert_error(Response(), code="not_found")


def test_recorded_failures_tell_what_the_client_is_not_told() -> None:
    """The hook as a list: true code, reason, exception."""
    failures = RecordedFailures()
    client = failing(ForbiddenError(resource_tenant="acme", caller_tenant="other"), on_failure=failures)
    assert_error(client.get("/"), code="not_found", status=404)
    assert failures.codes == ["forbidden"]
    assert failures.only().private.reason == "cross_tenant"
    client.get("/")
    with pytest.raises(AssertionError, match="one failure was expected"):
        failures.only()


# -- the tenant oracle


class InvoiceNotFound(NotFoundError):
    """No such invoice."""

    code, concealable = "invoice_not_found", True
    message = "There is no such invoice."


class Invoice:
    tenant = "acme"


INVOICES = {"1": Invoice()}


def leaky(kind: str, request: Any) -> Any:
    """A handler that puts all that it knows on the error of a foreign invoice."""
    invoice = INVOICES.get(request.path_params["id"])
    if kind == "visible":
        error = InvoiceNotFound(
            f"invoice {id(invoice)}",
            param="id" if invoice else None,
            headers={"ETag": '"7"', "Set-Cookie": "a=b", "Link": "<x>"} if invoice else None,
            retry_after=7 if invoice else None,
            rate_limit=RateLimit(limit=5, remaining=0, reset=3) if invoice else None,
            owner_name="acme" if invoice else "nobody",
        )
        return visible(invoice, tenant="tenant", caller="other", error=error)
    if invoice is None:
        raise InvoiceNotFound("absent")
    raise ForbiddenError(
        "not yours",
        resource_tenant="acme",
        caller_tenant="other",
        conceal_as=InvoiceNotFound,
        headers={"ETag": '"7"', "WWW-Authenticate": "x", "Cache-Control": "max-age=9", "Allow": "GET"},
        retry_after=9,
        invoice="1",
    )


def tenant_app(kind: str, dialect: str, **settings: Any) -> Any:
    async def endpoint(request: Any) -> Any:
        leaky(kind, request)
        return PlainTextResponse("yours")

    app = Starlette(
        routes=[Route("/invoices/{id}", endpoint, methods=["GET", "PUT", "DELETE"])],
        middleware=[Middleware(ErrorMiddleware, dialect=dialect, catalog=Catalog([InvoiceNotFound]), **settings)],
    )
    start_up(app)
    return app


PROBES: dict[str, tuple[str, list[tuple[bytes, bytes]]]] = {
    "get": ("GET", []),
    "head": ("HEAD", []),
    "put": ("PUT", []),
    "delete": ("DELETE", []),
    "options": ("OPTIONS", []),
    "method not allowed": ("PATCH", []),
    "if-none-match": ("GET", [(b"if-none-match", b'"7"')]),
    "if-none-match any": ("GET", [(b"if-none-match", b"*")]),
    "if-match": ("PUT", [(b"if-match", b'"7"')]),
    "if-modified-since": ("GET", [(b"if-modified-since", b"Sun, 22 Nov 2026 00:00:00 GMT")]),
    "range": ("GET", [(b"range", b"bytes=0-1")]),
    "accept": ("GET", [(b"accept", b"text/html")]),
    "expect": ("PUT", [(b"expect", b"100-continue")]),
}


@pytest.mark.parametrize(
    ("dialect", "probe"), [*(("problem", probe) for probe in PROBES), *((dialect, "get") for dialect in PRESETS)]
)
@pytest.mark.parametrize("kind", ["visible", "forbidden"])
@pytest.mark.parametrize("tenant_status", [404, 403])
def test_a_foreign_resource_looks_like_an_absent_one(
    events: list[dict[str, Any]], kind: str, dialect: str, probe: str, tenant_status: int
) -> None:
    """Status, every header in its order, and every byte of the body, whatever the probe."""
    method, headers = PROBES[probe]
    app = tenant_app(kind, dialect, tenant_status=tenant_status)
    seen = []
    for number in ("1", "2"):
        identified = [*headers, (get_dialect(dialect).request_id_header.lower().encode(), b"the-id")]
        sent = run(app, http_scope(f"/invoices/{number}", method, identified)).sent
        seen.append((sent.status, sent.start["headers"], sent.body))
    assert seen[0] == seen[1]
    if method in ("GET", "HEAD", "PUT", "DELETE"):
        status, fields, _ = seen[0]
        assert status == tenant_status
        assert dict(fields)[b"cache-control"] == b"no-store"
        assert not {b"etag", b"set-cookie", b"link", b"allow", b"retry-after", b"ratelimit"} & set(dict(fields))
        assert [event["reason"] for event in events] == ["cross_tenant", "absent"], "the operator can tell"
        assert [event["log_level"] for event in events] == ["warning", "warning"], "a client's watch cannot"


class Unowned:
    """A row of which nobody knows whose it is: every way to ask fails in its own way."""

    def __init__(self, tenant: Any) -> None:
        self.given = tenant

    @property
    def tenant(self) -> Any:
        if isinstance(self.given, Exception):
            raise self.given
        return self.given


class Uncomparable:
    def __eq__(self, other: object) -> bool:
        raise ValueError("canary")

    __hash__ = None  # type: ignore[assignment]


@pytest.mark.parametrize("dialect", PRESETS)
@pytest.mark.parametrize(
    "given", [None, 0, "", KeyError("canary"), AttributeError("canary"), Uncomparable()], ids=lambda v: type(v).__name__
)
@pytest.mark.parametrize("way", ["visible", "function", "conceal_as", "forbidden"])
def test_a_row_without_a_readable_owner_looks_like_an_absent_one(
    events: list[dict[str, Any]], dialect: str, given: Any, way: str
) -> None:
    """The owner is None, or reading or comparing it fails: the same bytes, the same level, and the log tells why."""
    error = NotFoundError if way == "forbidden" else InvoiceNotFound
    row = Unowned(given)

    async def endpoint(request: Any) -> Any:
        found = None if request.path_params["id"] == "absent" else row
        if way in ("visible", "function"):
            of: Any = "tenant" if way == "visible" else (lambda r: r.tenant.lower())
            visible(found, tenant=of, caller="me", error=InvoiceNotFound)
        if found is None:
            raise error
        owner = None if isinstance(given, Exception) else given
        raise ForbiddenError("canary", resource_tenant=owner, conceal_as=error if way == "conceal_as" else None)

    app = Starlette(
        routes=[Route("/{id}", endpoint)],
        middleware=[Middleware(ErrorMiddleware, dialect=dialect, catalog=[InvoiceNotFound])],
    )
    start_up(app)
    id_header = get_dialect(dialect).request_id_header.lower().encode()
    seen = [run(app, http_scope(f"/{each}", "GET", [(id_header, b"the-id")])).sent for each in ("absent", "there")]
    assert [sent.status for sent in seen] == [404, 404]
    assert seen[0].start["headers"] == seen[1].start["headers"]
    assert seen[0].body == seen[1].body
    assert events[1]["reason"] == "cross_tenant"
    if way != "forbidden":  # an absent one that is not concealable is a plain 404: docs/tenancy.md
        assert [event["log_level"] for event in events] == ["warning", "warning"]
    if way == "visible" and isinstance(given, Exception):
        assert events[1]["context"] == {"tenant": f"{type(given).__name__} while it was read"}
    assert "canary" not in str([event.get("context") for event in events])


@pytest.mark.parametrize(
    ("levels", "level"),
    [
        ({}, "warning"),
        ({"invoice_not_found": "debug"}, "debug"),
        ({"404": "error"}, "error"),
        ({"4xx": "info"}, "info"),
    ],
)
@pytest.mark.parametrize("way", ["visible", "raised"])
def test_absent_and_foreign_have_one_level_whatever_is_configured(
    events: list[dict[str, Any]], levels: dict[str, Any], level: str, way: str
) -> None:
    """By the code that is shown: one line that is filtered and another that is written take a different time."""

    async def endpoint(request: Any) -> Any:
        found = INVOICES.get(request.path_params["id"])
        if way == "visible":
            visible(found, tenant="tenant", caller="nobody", error=InvoiceNotFound)
        if found is None:
            raise InvoiceNotFound
        raise ForbiddenError(resource_tenant=found.tenant, conceal_as=InvoiceNotFound)

    app = Starlette(
        routes=[Route("/{id}", endpoint)],
        middleware=[Middleware(ErrorMiddleware, catalog=[InvoiceNotFound], levels=levels)],
    )
    start_up(app)
    for number in ("1", "2"):
        run(app, http_scope(f"/{number}"))
    assert [(event["reason"], event["log_level"]) for event in events] == [("cross_tenant", level), ("absent", level)]


def test_a_shared_error_instance_does_not_mix_up_tenants(events: list[dict[str, Any]]) -> None:
    """One instance for all requests, as a module-level constant: owner and caller stay with each request."""
    shared = InvoiceNotFound()

    async def endpoint(request: Any) -> Any:
        visible(
            INVOICES.get(request.path_params["id"]), tenant="tenant", caller=request.path_params["id"], error=shared
        )

    app = Starlette(
        routes=[Route("/{id}", endpoint)], middleware=[Middleware(ErrorMiddleware, catalog=[InvoiceNotFound])]
    )
    start_up(app)
    for number in ("1", "2", "1"):
        run(app, http_scope(f"/{number}"))
    assert [(event["reason"], event.get("caller_tenant")) for event in events] == [
        ("cross_tenant", "1"),
        ("absent", "2"),
        ("cross_tenant", "1"),
    ]
    assert (shared.reason, shared.owner, shared.caller) == ("", None, None)
