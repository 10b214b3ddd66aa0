"""The generated Python client against running services."""

from __future__ import annotations

import asyncio
import logging
import pickle
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import stamina
import structlog
from serving import (
    CONTRACTS,
    EVERY_CODE,
    FIVE,
    PLAIN,
    Contract,
    Server,
    closed_port,
    hanging_up,
    importable,
    module,
    serving,
    write,
)

from errorkit.failure import Detail, Public
from errorkit.publish.envelope_fields import places

KAIZEN, KAPLAIX, AGENTKAVACH = FIVE["kaizen"], FIVE["kaplaix"], FIVE["agentkavach"]


@pytest.fixture(name="server", scope="module")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    root = tmp_path_factory.mktemp("clients")
    for contract in CONTRACTS.values():
        write(contract.files, root)
    with importable(root), serving(CONTRACTS) as server:
        yield server
        while CLIENTS:
            CLIENTS.popitem()[1].close()


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=100, cap=True):
        yield


CLIENTS: dict[str, httpx.Client] = {}


def client_of(contract: Contract, retry: Any = None) -> httpx.Client:
    """The contract's synchronous client, kept for all tests."""
    key = f"{contract.name} {retry}"
    if key not in CLIENTS:
        settings = {} if retry is None else {"retry": retry}
        transport = module(contract, "transport").Transport(httpx.HTTPTransport(verify=False), **settings)
        CLIENTS[key] = httpx.Client(transport=transport, verify=False)
    return CLIENTS[key]


def get(
    server: Server, contract: Contract, path: str, *, method: str = "GET", retry: Any = None, **more: Any
) -> httpx.Response:
    """One call through the synchronous transport."""
    url = path if "://" in path else f"{server.url}/{contract.name}{path}"
    return client_of(contract, retry).request(method, url, **more)


def aget(server: Server, contract: Contract, path: str, **more: Any) -> httpx.Response:
    """The same through the asynchronous one."""

    async def call() -> httpx.Response:
        transport = module(contract, "transport").AsyncTransport(httpx.AsyncHTTPTransport(verify=False))
        async with httpx.AsyncClient(base_url=f"{server.url}/{contract.name}", transport=transport) as client:
            return await client.get(path, **more)

    return asyncio.run(call())


def failure(server: Server, contract: Contract, path: str, call: Any = get, **more: Any) -> Any:
    """The error of a call, raised or gone on with."""
    root = getattr(module(contract, "errors"), contract.root)
    try:
        response = call(server, contract, path, **more)
    except root as error:
        return error
    return response.extensions["error"]


@pytest.mark.parametrize(("name", "code"), EVERY_CODE)
def test_every_code_is_caught_by_its_class(server: Server, name: str, code: str) -> None:
    """What is served is raised as the one class of its code, with all that the dialect's `read` finds."""
    contract = CONTRACTS[name]
    errors = module(contract, "errors")
    spelling = contract.dialect.spell(code)
    plain = PLAIN.get(f"{server.url}/{name}/code/{code}", headers={"x-request-id": "req-0123456789"})
    public = contract.dialect.read(plain.status_code, plain.headers, plain.json())
    error = errors.error_from(plain.status_code, plain.headers, plain.content)
    assert type(error) in errors.DOCUMENTED
    assert (error.code, error.status_code) == (spelling, plain.status_code)
    several = (name, code) == ("kaiko", "validation_failed") or (
        code == "malformed_json" and contract.dialect.status_invalid != plain.status_code  # FastAPI's own is 422
    )
    parent = "Status4xxError" if several else f"Status{plain.status_code}Error"
    assert [base.__name__ for base in type(error).__bases__] == [parent]
    assert error.message == public.message
    assert error.type == public.type or "type" not in places(contract.dialect)
    assert error.param == public.param
    assert error.request_id == public.request_id == plain.headers[contract.dialect.request_id_header]
    assert len(error.details) == len(public.details) or not places(contract.dialect).get("details")
    assert error.payload == plain.json()
    assert error.headers is plain.headers
    assert error.propagate is contract.catalog.by_code(code).propagate
    if public.retry_after is None:
        assert error.retry_after is None
    else:
        assert error.retry_after == pytest.approx(public.retry_after, abs=2)
    assert type(failure(server, contract, f"/code/{code}")) is type(error)
    others = [cls for cls in errors.DOCUMENTED if cls is not type(error)]
    assert not isinstance(error, tuple(others))


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS)
def test_the_places_of_a_dialect_are_where_it_writes(contract: Contract) -> None:
    """For every code, with findings and without, the places that clients look at give what `read` gives."""
    errors = module(contract, "errors")
    dialect = contract.dialect
    detail = Detail(("items", 0, "name"), "Field required", "missing_field")
    soon = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=9)
    for spec in contract.catalog:
        for more in ({}, {"details": (detail, detail)}, {"param": "name", "retry_after": 9, "resume_at": soon}):
            wanted = Public(
                spec.code, spec.status, "a_type", spec.title, "What went wrong.", request_id="req-1", **more
            )
            headers = {name.lower(): value for name, value in dialect.headers(wanted).items()}
            error = errors.error_from(spec.status, headers, _json(dialect.write(wanted)))
            public = dialect.read(spec.status, headers, dialect.write(wanted))
            assert error.code == dialect.spell(public.code)
            assert error.message == public.message
            assert error.param == public.param
            assert len(error.details) == len(public.details) or not places(dialect).get("details")
            assert error.request_id == public.request_id
            assert error.resume_at == public.resume_at
            assert error.type == public.type or "type" not in places(dialect)


def _json(value: Any) -> bytes:
    return httpx.Response(200, json=value).content


@pytest.mark.parametrize("contract", FIVE.values(), ids=FIVE)
def test_an_asynchronous_client_raises_the_same(server: Server, contract: Contract) -> None:
    """httpx.AsyncClient, too, and both with the transport that is the default."""
    not_found = module(contract, "errors").NotFoundError
    with httpx.Client(transport=module(contract, "transport").Transport()) as client, pytest.raises(not_found):
        client.get(f"{server.url}/{contract.name}/code/not_found")
    error = failure(server, contract, "/code/not_found", aget)
    assert (error.status_code, error.code) == (404, contract.dialect.spell("not_found"))


@pytest.mark.parametrize("status", [404, 429, 503])
@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS)
def test_an_unknown_code_falls_back_to_the_class_of_its_status(server: Server, contract: Contract, status: int) -> None:
    """A newer service breaks no older client."""
    errors = module(contract, "errors")
    error = failure(server, contract, f"/future/{status}")
    assert type(error) is getattr(errors, f"Status{status}Error")
    assert error.code == contract.dialect.spell("from_the_future")
    assert error.message == "Something new."
    assert not isinstance(error, errors.DOCUMENTED)


def test_an_unknown_status_falls_back_to_its_family(server: Server) -> None:
    """Statuses that no code is documented for."""
    errors = module(KAIZEN, "errors")
    assert type(failure(server, KAIZEN, "/future/418")) is errors.Status4xxError
    assert type(failure(server, KAIZEN, "/future/599")) is errors.Status5xxError


def test_a_validation_failure_is_of_one_class_whatever_its_status() -> None:
    """The dialect answers 400 for a validation failure that the catalogue calls a 422."""
    errors = module(KAPLAIX, "errors")
    assert issubclass(errors.ValidationError, errors.Status400Error)
    kaiko = module(FIVE["kaiko"], "errors")
    assert kaiko.ValidationFailedError.__bases__ == (kaiko.Status4xxError,)


def test_an_error_page_that_is_not_json_keeps_its_status_and_its_text(server: Server) -> None:
    """A gateway's HTML is caught by the status's class; its cause is a ValueError with the raw text."""
    errors = module(KAIZEN, "errors")
    error = failure(server, KAIZEN, "/page/502")
    assert type(error) is errors.Status502Error
    assert isinstance(error, errors.KaizenAPIError)
    assert (error.code, error.payload, error.text) == ("", None, "<h1>Out of order</h1>")
    assert isinstance(error.__cause__, errors.KaizenDecodeError)
    assert isinstance(error.__cause__, ValueError)
    assert error.__cause__.text == "<h1>Out of order</h1>"


def test_a_success_that_is_not_json_is_a_value_error_with_the_raw_text(server: Server) -> None:
    """Kaizen promises ValueError."""
    errors = module(KAIZEN, "errors")
    response = get(server, KAIZEN, "/text")
    with pytest.raises(ValueError, match="hello, not JSON") as caught:
        errors.parse_json(response.content)
    assert type(caught.value) is errors.KaizenDecodeError
    assert caught.value.text == "hello, not JSON"
    assert repr(caught.value) == "KaizenDecodeError(15 characters)"
    assert errors.parse_json(b'{"a": [1]}') == {"a": [1]}


def test_what_libraries_log_of_an_error_holds_no_header_field_and_no_body(server: Server) -> None:
    """Those that retry log its `repr`: what went wrong, and no cookie."""
    errors = module(KAIZEN, "errors")
    body = b'{"detail": "Taken.", "code": "conflict", "more": "canary"}'
    error = errors.error_from(409, {"Set-Cookie": "canary"}, body)
    assert repr(error) == f"{type(error).__name__}('409 conflict: Taken.')"


@pytest.mark.parametrize("body", [b"[" * 100_000, b"\xff\xfe{", b"null", b"[]", b'"text"', b'{"error": "flat"}'])
def test_no_body_breaks_the_reading(body: bytes) -> None:
    """Deep, undecodable and foreign bodies give the class of the status."""
    for contract in CONTRACTS.values():
        errors = module(contract, "errors")
        assert type(errors.error_from(409, {}, body)) is errors.Status409Error


def test_contracts_errors_have_their_documented_names() -> None:
    """The classes that the five APIs publish."""
    kaizen, kaplaix, kavach = (module(c, "errors") for c in (KAIZEN, KAPLAIX, AGENTKAVACH))
    assert issubclass(kaizen.KaizenTimeoutError, kaizen.KaizenRequestError)
    assert issubclass(kaizen.NotFoundError, kaizen.KaizenAPIError)
    assert not issubclass(kaizen.KaizenRequestError, kaizen.KaizenAPIError)
    assert issubclass(kaplaix.NormalizationFailedError, kaplaix.KaplaixError)
    for name in ("KaplaixNetworkError", "KaplaixTimeoutError"):
        assert not issubclass(getattr(kaplaix, name), kaplaix.KaplaixError)
        assert issubclass(getattr(kaplaix, name), kaplaix.KaplaixException)
    for name in ("BudgetExceeded", "TokenLimit", "CallLimit", "RuntimeLimit", "LoopDetected"):
        assert getattr(kavach, f"{name}Error").propagate is True
    assert kavach.RateLimitedError.propagate is False
    assert kavach.InternalError.propagate is False


# -- without an answer


@pytest.mark.parametrize("call", [get, aget])
def test_a_network_failure_is_its_own_class_with_the_original(server: Server, call: Any) -> None:
    """Nobody listens: Kaplaix's KaplaixNetworkError, which is no KaplaixError."""
    errors = module(KAPLAIX, "errors")
    with pytest.raises(errors.KaplaixNetworkError) as caught:
        call(Server(f"http://127.0.0.1:{closed_port()}", {}), KAPLAIX, "/")
    assert isinstance(caught.value.original, httpx.ConnectError)
    assert caught.value.__cause__ is caught.value.original
    assert isinstance(caught.value, errors.KaplaixRequestError)


@pytest.mark.parametrize("call", [get, aget])
def test_a_time_out_is_its_own_class_with_the_original(server: Server, call: Any) -> None:
    """The service does not answer."""
    errors = module(KAPLAIX, "errors")
    with pytest.raises(errors.KaplaixTimeoutError) as caught:
        call(server, KAPLAIX, "/never", timeout=0.2)
    assert isinstance(caught.value.original, httpx.ReadTimeout)


@pytest.mark.parametrize("call", [get, aget])
def test_a_body_that_breaks_off_is_a_network_failure(server: Server, call: Any) -> None:
    """After the headers have come, too."""
    errors = module(KAIZEN, "errors")
    with pytest.raises(errors.KaizenNetworkError) as caught:
        call(server, KAIZEN, "/broken")
    assert isinstance(caught.value.original, httpx.RemoteProtocolError)


def test_a_request_that_cannot_be_sent_is_left_to_httpx(server: Server) -> None:
    """No failure of the network, and not repeated."""
    with pytest.raises(httpx.UnsupportedProtocol):
        get(server, KAIZEN, "ftp://example.com/")


# -- retries


def _policy(contract: Contract, **bounds: Any) -> Any:
    return module(contract, "transport").RetryPolicy(**bounds)


@pytest.mark.parametrize("call", [get, aget])
def test_a_retryable_error_is_repeated_until_it_succeeds(server: Server, call: Any) -> None:
    """Two failures, three requests."""
    key = f"until-{call.__name__}"
    response = call(server, KAIZEN, f"/flaky/service_unavailable/2/{key}")
    assert response.json() == {"attempts": 3}


def test_repetition_has_an_upper_bound(server: Server) -> None:
    """The policy's attempts; then the error itself is raised."""
    errors = module(KAIZEN, "errors")
    with pytest.raises(errors.ServiceUnavailableError):
        get(server, KAIZEN, "/flaky/service_unavailable/99/bound", retry=_policy(KAIZEN, attempts=5))
    assert len(server.requests("bound")) == 5


@pytest.mark.parametrize("spec", KAIZEN.catalog, ids=lambda spec: spec.code)
def test_only_what_the_catalogue_calls_retryable_is_repeated(server: Server, spec: Any) -> None:
    """One request for all other codes."""
    key = f"only-{spec.code}"
    with pytest.raises(module(KAIZEN, "errors").KaizenAPIError):
        get(server, KAIZEN, f"/flaky/{spec.code}/99/{key}", retry=_policy(KAIZEN, attempts=2))
    assert len(server.requests(key)) == (2 if spec.retryable else 1)


def test_a_wait_longer_than_the_policys_is_not_waited_for(server: Server) -> None:
    """An hour is the caller's decision."""
    error = failure(server, KAIZEN, "/flaky/rate_limited/9/hour?wait=3600")
    assert error.retry_after == 3600
    assert len(server.requests("hour")) == 1


def test_the_services_own_verdict_decides(server: Server) -> None:
    """OpenAI's dialect says `x-should-retry: false` where waiting is too long."""
    policy = _policy(CONTRACTS["openai"], longest_wait=7200)
    error = failure(server, CONTRACTS["openai"], "/flaky/rate_limited/9/verdict?wait=3600", retry=policy)
    assert error.retryable is False
    assert len(server.requests("verdict")) == 1


def test_retry_after_is_obeyed(server: Server) -> None:
    """A real wait: the second request does not come earlier than the first answer allowed."""
    stamina.set_testing(False)
    get(server, KAIZEN, "/flaky/rate_limited/1/obeyed?wait=1")
    first, second = server.requests("obeyed")
    assert second - first >= 1


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("7", 7), ("0.5", 0.5), ("0", 0), ("-3", 0), ("soon", None), ("nan", None), ("", None)],
)
def test_seconds_in_retry_after_are_read(value: str, seconds: float | None) -> None:
    """Digits (RFC 9110 section 10.2.3), and the fractions that some limiters send."""
    assert module(KAIZEN, "errors").error_from(503, {"Retry-After": value}, b"").retry_after == seconds


def test_a_date_in_retry_after_is_read() -> None:
    """The instant of its end; one that is past means now."""
    errors = module(KAIZEN, "errors")
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=600), usegmt=True)
    assert 300 < errors.error_from(503, {"retry-after": later}, b"").retry_after <= 600
    assert errors.error_from(503, {"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, b"").retry_after == 0


def test_resume_at_alone_says_when_to_come_back() -> None:
    """AgentKavach's instant in the body, where no header does."""
    contract = CONTRACTS["problem"]
    errors = module(contract, "errors")
    end = datetime.now(UTC) + timedelta(seconds=40)
    body = _json({"code": "rate_limited", "resume_at": end.isoformat()})
    error = errors.error_from(429, {}, body)
    assert error.resume_at == end
    assert 20 < error.retry_after <= 40
    request = httpx.Request("POST", "http://127.0.0.1/", content=b"x")
    assert 20 < _policy(contract, longest_wait=60).wait(request, error, 1) <= 44
    assert _policy(contract).wait(request, error, 1) is None


def test_requests_without_an_answer_are_repeated_only_where_it_is_safe() -> None:
    """A broken connection: GET is idempotent, POST is not, unless it has an Idempotency-Key."""
    errors = module(KAIZEN, "errors")
    counts = {}
    for method, headers in (("GET", {}), ("POST", {}), ("POST", {"Idempotency-Key": "k"})):
        with hanging_up() as (url, accepted):
            with pytest.raises(errors.KaizenNetworkError):
                get(Server(url, {}), KAIZEN, "/", method=method, headers=headers)
            counts[method, *headers] = len(accepted)
    assert counts == {("GET",): 3, ("POST",): 1, ("POST", "Idempotency-Key"): 3}


def test_a_body_that_can_be_read_once_is_sent_once(server: Server) -> None:
    """A generator cannot be replayed."""
    error = failure(server, KAIZEN, "/flaky/service_unavailable/9/stream", method="POST", content=iter([b"a", b"b"]))
    assert error.code == "service_unavailable"
    assert len(server.requests("stream")) == 1


def test_no_attempt_begins_after_the_timeout(server: Server) -> None:
    """A wait that would end later is not begun: the error is raised at once."""
    stamina.set_testing(False)
    error = failure(server, KAIZEN, "/flaky/rate_limited/9/late?wait=5", retry=_policy(KAIZEN, attempts=5, timeout=3))
    assert error.retry_after == 5
    assert len(server.requests("late")) == 1


def test_what_is_logged_of_a_repetition_holds_no_header_and_no_body(server: Server) -> None:
    stamina.set_testing(False)
    at_once = _policy(KAIZEN, wait_initial=0, wait_jitter=0)
    with structlog.testing.capture_logs() as events:
        get(server, KAIZEN, "/flaky/service_unavailable/1/told", retry=at_once)
    (told,) = [event for event in events if event["event"] == "stamina.retry_scheduled"]
    assert told["caused_by"] == "ServiceUnavailableError('503 service_unavailable: The service is unavailable.')"
    assert "x-request-id" not in repr(told).lower()


# -- streams

STREAMING = [contract for contract in CONTRACTS.values() if contract.dialect.stream_event(Public(status=500))]


@pytest.mark.parametrize("contract", STREAMING, ids=lambda contract: contract.name)
def test_a_stream_that_fails_raises_its_error_after_all_events_before_it(server: Server, contract: Contract) -> None:
    for code in contract.codes:
        spec, spelling = contract.catalog.by_code(code), contract.dialect.spell(code)
        if not spec.propagate:
            continue
        told = bool(places(contract.dialect).get("code"))  # GitHub's code is in a header alone
        cls = getattr(module(contract, "errors"), contract.classes[spelling] if told else "Status5xxError")
        seen = b""
        url = f"{server.url}/{contract.name}/stream/{code}"
        with pytest.raises(cls) as raised, client_of(contract).stream("GET", url) as response:
            for chunk in response.iter_bytes():
                seen += chunk
        assert seen == b'id: 1\ndata: first\n\ndata: {"second": 2}\n\n'
        error: Any = raised.value
        assert error.message or code == "validation_failed"  # in some dialects findings stand in the place of the words
        if told:
            assert error.code == spelling
            assert error.status_code // 100 == spec.status // 100


def test_a_stream_that_is_read_without_blocking_raises_it_too(server: Server) -> None:
    problem = CONTRACTS["problem"]
    seen = b""

    async def read() -> None:
        nonlocal seen
        async with (
            httpx.AsyncClient(transport=module(problem, "transport").AsyncTransport()) as client,
            client.stream("GET", f"{server.url}/problem/stream/invoice_not_found") as response,
        ):
            async for chunk in response.aiter_bytes():
                seen += chunk

    with pytest.raises(module(problem, "errors").InvoiceNotFoundError):
        asyncio.run(read())
    assert seen == b'id: 1\ndata: first\n\ndata: {"second": 2}\n\n'


def test_a_stream_without_the_service_ends_where_the_client_fails_open(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    response = get(server, AGENTKAVACH, "/stream/rate_limited")
    assert response.text == 'id: 1\ndata: first\n\ndata: {"second": 2}\n\n'
    assert "the stream ends without the service: 429 rate_limited" in caplog.text


# -- fail-open


@pytest.mark.parametrize("call", [get, aget])
def test_an_error_that_does_not_propagate_is_logged_and_the_call_goes_on(
    server: Server, call: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """AgentKavach's rate limit: a warning, one request, and the service's own response."""
    errors = module(AGENTKAVACH, "errors")
    with caplog.at_level(logging.WARNING):
        response = call(server, AGENTKAVACH, f"/flaky/rate_limited/9/open-{call.__name__}")
    assert response.status_code == 429
    assert type(response.extensions["error"]) is errors.RateLimitedError
    assert response.json()["error"]["code"] == "rate_limited"
    assert len(server.requests(f"open-{call.__name__}")) == 1
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert warnings == ["the call goes on without the service: 429 rate_limited: Too many requests"]


def test_an_error_that_propagates_reaches_the_caller_of_a_client_that_fails_open(server: Server) -> None:
    """AgentKavach's limits."""
    with pytest.raises(module(AGENTKAVACH, "errors").LoopDetectedError):
        get(server, AGENTKAVACH, "/code/loop_detected")


def test_an_unreachable_service_does_not_break_a_caller_that_fails_open(caplog: pytest.LogCaptureFixture) -> None:
    """As the client was generated: an empty 503 instead of an exception."""
    response = get(Server(f"http://127.0.0.1:{closed_port()}", {}), AGENTKAVACH, "/")
    assert (response.status_code, response.content) == (503, b"")
    error = response.extensions["error"]
    assert type(error) is module(AGENTKAVACH, "errors").AgentKavachNetworkError
    assert "the call goes on without the service" in caplog.text


# -- the exceptions themselves


def test_errors_survive_pickle(server: Server) -> None:
    """They cross process boundaries with everything they know."""
    error = failure(server, CONTRACTS["problem"], "/code/invoice_not_found")
    twin = pickle.loads(pickle.dumps(error))
    assert type(twin) is type(error)
    assert (twin.code, twin.message, twin.payload, twin.request_id) == (
        error.code,
        error.message,
        error.payload,
        error.request_id,
    )
    assert str(twin) == "404 invoice_not_found: There is no such invoice."


def test_the_exceptions_module_needs_nothing(tmp_path: Path) -> None:
    """It is imported without site packages."""
    import subprocess
    import sys

    write(KAIZEN.files, tmp_path)
    script = "import sys; sys.path.insert(0, '.'); import kaizen_generated.errors as e; print(len(e.DOCUMENTED))"
    command = [sys.executable, "-S", "-I", "-c", script]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.stdout.strip(), done.stderr) == (str(len(KAIZEN.codes)), "")
