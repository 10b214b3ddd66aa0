"""The Node clients of OpenAI, Anthropic and Stripe, unmodified, believe the Python service."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from clients.failing_service import CASES, FINAL, PASSING, Run, Service
from clients.test_anthropic_sdk import CLASSES as ANTHROPIC_CLASSES
from clients.test_anthropic_sdk import EVENTS, MESSAGE
from clients.test_anthropic_sdk import TYPES as ANTHROPIC_TYPES
from clients.test_openai_sdk import CHUNK, COMPLETION
from clients.test_openai_sdk import CLASSES as OPENAI_CLASSES
from clients.test_openai_sdk import TYPES as OPENAI_TYPES
from clients.test_stripe_sdk import CLASSES as STRIPE_CLASSES
from requirements import NODE_SDKS, require

SDK = ("", "")
PACKAGES = {"openai": "openai", "anthropic": "@anthropic-ai/sdk", "stripe": "stripe"}


def installed(package: str) -> str:
    """The version of a client; empty where it is not installed."""
    description = NODE_SDKS / "node_modules" / package / "package.json"
    return str(json.loads(description.read_text())["version"]) if description.exists() else ""


VENDORS = [
    pytest.param(vendor, f"{package} (Node)", installed(package), id=vendor) for vendor, package in PACKAGES.items()
]
vendors = pytest.mark.parametrize(("dialect", "client_name", "version"), VENDORS)


def judge(vendor: str, jobs: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """What the client made of each job."""
    script = Path(__file__).parent / "node" / "judge.mjs"
    run = subprocess.run(
        ["node", str(script), str(NODE_SDKS), vendor],
        input=json.dumps(jobs).encode(),
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert run.returncode == 0, run.stderr.decode()
    return {verdict["name"]: verdict for verdict in json.loads(run.stdout)}


Verdicts = dict[str, dict[str, tuple[Run, dict[str, Any]]]]


@pytest.fixture(scope="module")
def verdicts(service: Service) -> Verdicts:
    """Every case, by every client: one Node process per client."""
    require("node")
    if not all(map(installed, PACKAGES.values())):
        require(f"the clients of tests/clients/node/package.json in {NODE_SDKS}")
    service.successes.update(openai=COMPLETION, anthropic=MESSAGE, stripe={"id": "cus_1", "object": "customer"})
    service.streams["openai"] = [CHUNK, CHUNK]
    service.streams["anthropic"] = [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in EVENTS]
    found: Verdicts = {}
    for vendor in PACKAGES:
        runs = {case: service.run(vendor, case) for case in (*CASES, "rate_limited", "long_wait")}
        jobs = [{"name": case, "url": run.url, "maxRetries": 0 if case in PASSING else 2} for case, run in runs.items()]
        for case in PASSING:
            again = runs[f"{case} again"] = service.run(vendor, case)
            jobs.append({"name": f"{case} again", "url": again.url, "maxRetries": 1})
        if vendor != "stripe":
            runs["stream"] = service.run(vendor, "stream")
            jobs.append({"name": "stream", "url": runs["stream"].url, "maxRetries": 0, "stream": True})
        answers = judge(vendor, jobs)
        found[vendor] = {name: (run, answers[name]) for name, run in runs.items()}
    return found


def expected_class(vendor: str, case: str) -> str:
    """The class of the client's own that a case is to be thrown as."""
    if vendor == "stripe":
        name = STRIPE_CLASSES.get(case, "APIError")
        return "Stripe" + name
    classes = OPENAI_CLASSES if vendor == "openai" else ANTHROPIC_CLASSES
    return classes.get(case, "APIError")


def expected_type(vendor: str, case: str) -> str:
    """The error's coarse type."""
    if vendor == "stripe":
        if case in PASSING:
            return "api_error"
        return "card_error" if case == "payment_required" else "invalid_request_error"
    return (OPENAI_TYPES if vendor == "openai" else ANTHROPIC_TYPES).get(case, "invalid_request_error")


@vendors
@pytest.mark.parametrize("case", CASES)
def test_the_client_throws_its_own_class_with_everything_on_it(
    verdicts: Verdicts, dialect: str, client_name: str, version: str, case: str
) -> None:
    """Class, status, code, type, message and request id; a final error is asked for once."""
    run, verdict = verdicts[dialect][case]
    error, expected = verdict["error"], CASES[case]
    assert error["class"] == expected_class(dialect, case)
    assert error["status"] == (400 if case == "validation" else expected.status)
    assert error["code"] == expected.code
    assert error["type"] == expected_type(dialect, case)
    assert error["message"].endswith(expected.message)
    assert error["requestId"] == run.request_id
    assert len(run.seen) == 1
    if case == "validation" and dialect != "anthropic":
        assert error["param"] == "email"


@vendors
@pytest.mark.parametrize("case", PASSING)
def test_the_client_retries_what_may_succeed_later(
    verdicts: Verdicts, dialect: str, client_name: str, version: str, case: str
) -> None:
    """A retryable failure is asked for again, as often as the client was told to."""
    run, verdict = verdicts[dialect][f"{case} again"]
    assert verdict["error"]["status"] == CASES[case].status
    assert len(run.seen) == 2


@vendors
@pytest.mark.case("rate_limited")
def test_the_client_waits_and_succeeds(verdicts: Verdicts, dialect: str, client_name: str, version: str) -> None:
    """A 429 is retried, by OpenAI's and Anthropic's after the wait that it advises."""
    run, verdict = verdicts[dialect]["rate_limited"]
    assert verdict.get("result"), verdict
    assert len(run.seen) == 2
    if dialect != "stripe":
        assert 0.9 < run.waits[0] < 8


@vendors
@pytest.mark.case("long_wait")
def test_the_client_gives_up_where_the_wait_is_too_long(
    verdicts: Verdicts, dialect: str, client_name: str, version: str
) -> None:
    """Above the configured maximum the verdict is no; these clients would sleep an hour."""
    run, verdict = verdicts[dialect]["long_wait"]
    assert verdict["error"]["status"] == 429
    assert len(run.seen) == 1


@pytest.mark.parametrize(("dialect", "client_name", "version"), VENDORS[:2])
@pytest.mark.case("stream")
def test_a_stream_that_fails_throws(verdicts: Verdicts, dialect: str, client_name: str, version: str) -> None:
    """The error comes out of the iteration."""
    _, verdict = verdicts[dialect]["stream"]
    error = verdict["error"]
    assert error["code"] == "widgets_away"
    assert error["type"] == ("server_error" if dialect == "openai" else "api_error")
    assert error["message"].endswith("Widgets are being counted.")


def test_every_case_is_judged() -> None:
    """Final and passing cases together are all."""
    assert sorted([*FINAL, *PASSING]) == sorted(CASES)
