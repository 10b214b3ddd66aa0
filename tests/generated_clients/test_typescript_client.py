"""The generated TypeScript client, compiled and run by Node against running services."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from serving import (
    CONTRACTS,
    EVERY_CODE,
    FIVE,
    PLAIN,
    Contract,
    Server,
    closed_port,
    compiled,
    hanging_up,
    run_in_node,
    serving,
    write,
)

from errorkit.failure import Public
from errorkit.publish.envelope_fields import places

pytestmark = pytest.mark.timeout(300)  # the first run installs programs from npm

AT_ONCE = {"waitInitial": 1, "waitJitter": 0}


@pytest.fixture(name="js", scope="module")
def _compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("typescript")
    for contract in CONTRACTS.values():
        write(contract.files, root)
    return compiled(root)


@pytest.fixture(name="server", scope="module")
def _server() -> Iterator[Server]:
    with serving(CONTRACTS) as server:
        yield server


def case(server: Server, contract: Contract, path: str, **more: Any) -> dict[str, Any]:
    """One request of one client."""
    options = {"retry": AT_ONCE, **more.pop("options", {})}
    return {"package": contract.package, "url": f"{server.url}/{contract.name}{path}", "options": options, **more}


def test_every_code_is_caught_by_its_class(js: Path, server: Server, tmp_path: Path) -> None:
    """The class has the name that it has in Python and everything that the dialect's `read` finds."""
    once = {"retry": {"attempts": 1}}
    cases = [case(server, CONTRACTS[name], f"/code/{code}", options=once) for name, code in EVERY_CODE]
    results = run_in_node(js, cases, tmp_path)
    for (name, code), result in zip(EVERY_CODE, results, strict=True):
        contract = CONTRACTS[name]
        spelling, cls = contract.dialect.spell(code), contract.classes[contract.dialect.spell(code)]
        spec = contract.catalog.by_code(code)
        if not spec.propagate:
            assert result["warnings"] == [["the call goes on without the service", cls]]
            assert result["status"] == spec.status
            continue
        plain = PLAIN.get(f"{server.url}/{name}/code/{code}")
        public = contract.dialect.read(plain.status_code, plain.headers, plain.json())
        assert (result["raised"], result["name"], result["code"]) == (cls, cls, spelling)
        assert contract.root in result["bases"]
        assert result["documented"] is True
        words = public.message or str(plain.status_code)  # of findings that stand in the place of the words
        assert (result["statusCode"], result["message"]) == (plain.status_code, words)
        assert result["param"] == public.param
        assert result["details"] == len(public.details) or not places(contract.dialect).get("details")
        assert re.fullmatch(r"[\w-]{8,}", result["requestId"])
        assert result["retryAfter"] == public.retry_after
        assert result["payload"].keys() == plain.json().keys()


def test_what_is_not_documented_falls_back(js: Path, server: Server, tmp_path: Path) -> None:
    """To the class of the status, or of its family; a page that is no JSON keeps its text."""
    kaplaix = FIVE["kaplaix"]
    once = {"retry": {"attempts": 1}}
    paths = ["/future/404", "/future/418", "/future/599", "/page/502"]
    future, teapot, unknown, page = run_in_node(
        js, [case(server, kaplaix, path, options=once) for path in paths], tmp_path
    )
    assert (future["raised"], future["code"], future["documented"]) == ("Status404Error", "FROM_THE_FUTURE", False)
    assert (teapot["raised"], unknown["raised"]) == ("Status4xxError", "Status5xxError")
    assert (page["raised"], page["text"], page["payload"]) == ("Status502Error", "<h1>Out of order</h1>", None)
    assert (page["cause"], page["causeText"]) == ("KaplaixDecodeError", "<h1>Out of order</h1>")


def test_requests_without_an_answer_have_classes_of_their_own(js: Path, server: Server, tmp_path: Path) -> None:
    """Network failure, time-out and a success that is not JSON; what the caller aborts stays the caller's."""
    kaplaix = FIVE["kaplaix"]
    nowhere = Server(f"http://127.0.0.1:{closed_port()}", {})
    cases = [
        case(nowhere, kaplaix, "/"),
        case(server, kaplaix, "/never", options={"timeout": 200, "retry": {"attempts": 1}}),
        case(server, kaplaix, "/text", json=True),
        case(server, kaplaix, "/broken", json=True),
        case(server, kaplaix, "/text", abort=True, options={"retry": {"attempts": 1}}),
        case(nowhere, FIVE["agentkavach"], "/"),
    ]
    network, timeout, decode, broken, aborted, opened = run_in_node(js, cases, tmp_path)
    assert (network["raised"], network["cause"]) == ("KaplaixNetworkError", "TypeError")
    assert "ECONNREFUSED" in network["message"]
    assert (timeout["raised"], timeout["cause"]) == ("KaplaixTimeoutError", "DOMException")
    for result in (network, timeout):
        assert "KaplaixRequestError" in result["bases"]
        assert "KaplaixError" not in result["bases"]
    assert (decode["raised"], decode["text"]) == ("KaplaixDecodeError", "hello, not JSON")
    assert broken["raised"] == "KaplaixNetworkError"
    assert (aborted["raised"], aborted["message"]) == ("Error", "the caller's own")
    assert (opened["raised"], opened["status"], opened["body"]) == (None, 503, "")
    assert opened["warnings"] == [["the call goes on without the service", "AgentKavachNetworkError"]]


def test_only_what_is_retryable_is_repeated_within_bounds(js: Path, server: Server, tmp_path: Path) -> None:
    """As often as the policy allows; not for a body that is read once, nor against the service's verdict."""
    kaizen, openai = FIVE["kaizen"], CONTRACTS["openai"]
    five = {"retry": {**AT_ONCE, "attempts": 5}}
    impatient = {"retry": {"longestWait": 1_000}}
    patient = {"retry": {"longestWait": 7_200_000}}
    wanted = {
        "ts-until": (case(server, kaizen, "/flaky/internal/2/ts-until", json=True), 3),
        "ts-bound": (case(server, kaizen, "/flaky/internal/99/ts-bound", options=five), 5),
        "ts-conflict": (case(server, kaizen, "/flaky/conflict/99/ts-conflict"), 1),
        "ts-long": (case(server, kaizen, "/flaky/rate_limited/99/ts-long?wait=2", options=impatient), 1),
        "ts-verdict": (case(server, openai, "/flaky/rate_limited/99/ts-verdict?wait=3600", options=patient), 1),
        "ts-stream": (case(server, kaizen, "/flaky/internal/99/ts-stream", stream=True), 1),
        "ts-obeyed": (case(server, kaizen, "/flaky/rate_limited/1/ts-obeyed?wait=1", json=True), 2),
        "ts-open": (case(server, FIVE["agentkavach"], "/flaky/rate_limited/99/ts-open"), 1),
    }
    results = dict(zip(wanted, run_in_node(js, [one for one, _ in wanted.values()], tmp_path), strict=True))
    assert {key: len(server.requests(key)) for key in wanted} == {key: count for key, (_, count) in wanted.items()}
    assert results["ts-until"]["body"] == {"attempts": 3}
    assert results["ts-bound"]["raised"] == "InternalError"
    assert results["ts-stream"]["raised"] == "InternalError"
    assert results["ts-open"]["status"] == 429
    first, second = server.requests("ts-obeyed")
    assert second - first >= 1


def test_requests_without_an_answer_are_repeated_only_where_it_is_safe(js: Path, tmp_path: Path) -> None:
    """GET is idempotent, POST is not, unless it has an Idempotency-Key."""
    counts = []
    for init in ({}, {"method": "POST"}, {"method": "POST", "headers": {"Idempotency-Key": "k"}}):
        with hanging_up() as (url, accepted):
            [result] = run_in_node(js, [case(Server(url, {}), FIVE["kaizen"], "/", init=init)], tmp_path)
        assert result["raised"] == "KaizenNetworkError"
        counts.append(len(accepted))
    assert counts == [3, 1, 3]


def test_resume_at_alone_says_when_to_come_back(js: Path, server: Server, tmp_path: Path) -> None:
    """The instant in the body, where no header does."""
    contract = CONTRACTS["problem"]
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=90)
    body = contract.dialect.write(Public("rate_limited", 429, resume_at=end))
    script = tmp_path / "resume.mjs"
    script.write_text(
        f"""import {{ errorFrom }} from "{(js / contract.package / "errors.js").as_uri()}";
const answer = {{ statusCode: 429, headers: new Headers(), text: {json.dumps(json.dumps(body))} }};
const {{ resumeAt, retryAfter, code }} = errorFrom(answer);
console.log(JSON.stringify({{ resumeAt: resumeAt.toISOString(), retryAfter, code }}));"""
    )
    (js / "package.json").write_text('{"type": "module"}')
    done = subprocess.run(["node", str(script)], capture_output=True, text=True, timeout=60, check=True)
    result = json.loads(done.stdout)
    assert result["resumeAt"] == end.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    assert 30 < result["retryAfter"] <= 90


STREAMING = [contract for contract in CONTRACTS.values() if contract.dialect.stream_event(Public(status=500))]
FIRST = 'id: 1\ndata: first\n\ndata: {"second": 2}\n\n'


def test_a_stream_that_fails_throws_its_error_after_all_events_before_it(
    js: Path, server: Server, tmp_path: Path
) -> None:
    told = [
        (contract, code)
        for contract in STREAMING
        for code in contract.codes
        if contract.catalog.by_code(code).propagate and places(contract.dialect).get("code")
    ]
    cases = [case(server, contract, f"/stream/{code}", events=True) for contract, code in told]
    for (contract, code), result in zip(told, run_in_node(js, cases, tmp_path), strict=True):
        spelling = contract.dialect.spell(code)
        assert (result["raised"], result["code"]) == (contract.classes[spelling], spelling)
        assert result["seen"] == FIRST
        assert result["statusCode"] // 100 == contract.catalog.by_code(code).status // 100
        assert result["url"] == f"{server.url}/{contract.name}/stream/{code}"


def test_a_stream_without_the_service_ends_where_the_client_fails_open(
    js: Path, server: Server, tmp_path: Path
) -> None:
    cases = [case(server, FIVE["agentkavach"], "/stream/rate_limited", events=True)]
    (result,) = run_in_node(js, cases, tmp_path)
    assert (result["raised"], result["seen"]) == (None, FIRST)
    assert result["warnings"] == [["the call goes on without the service", "RateLimitedError"]]
