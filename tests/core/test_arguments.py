"""Keywords of errors: public members, slips of a parameter, and values that could not be sent."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from typing import Any

import pytest

from driving import asgi
from errorkit import ConflictError, ForbiddenError, RateLimit, RateLimitError, arguments, remarks
from errorkit.asgi import ErrorMiddleware
from errorkit.configuration_error import ConfigurationError
from errorkit.testing import RecordedFailures

SLIPS = [
    ("parm", "param"), ("pram", "param"), ("params", "param"), ("mesage", "message"), ("detals", "details"),
    ("detail", "details"), ("retry_afer", "retry_after"), ("retryafter", "retry_after"), ("header", "headers"),
    ("ratelimit", "rate_limit"), ("contex", "context"), ("extension", "extensions"),
    ("resource_tennant", "resource_tenant"), ("conceal_ass", "conceal_as"),
]  # fmt: skip
MEMBERS = [
    "seats",
    "plan",
    "hint",
    "reference",
    "retry_after_ms",
    "parent",
    "owner",
    "tenant",
    "context_window",
    "z" * 40,
]


@pytest.fixture(autouse=True)
def _anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """In production, and each test hears of everything anew."""
    monkeypatch.setattr(arguments, "STRICT", False)
    remarks._made.clear()


def served(keywords: dict[str, Any], **settings: Any) -> Any:
    """The answer to an error that is raised with these keywords."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise ConflictError("Taken.", **keywords)

    return asgi(ErrorMiddleware(app, **settings))


@pytest.mark.parametrize("name", MEMBERS)
def test_a_further_keyword_is_a_public_member(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """With a name of its own, and nobody is told."""
    assert served({name: 3}).json()[name] == 3
    assert not caplog.messages


@pytest.mark.parametrize(("name", "meant"), SLIPS)
def test_a_slip_costs_the_answer_nothing_but_itself(name: str, meant: str, caplog: pytest.LogCaptureFixture) -> None:
    """Status, code and words are the error's; the value is the operator's alone, as it may be a `context`."""
    failures = RecordedFailures()
    with caplog.at_level(logging.WARNING, logger="errorkit"):
        replies = [served({name: "s3cret", "seats": 3}, on_failure=failures) for _ in range(2)]
    for reply, failure in zip(replies, failures, strict=True):
        assert (reply.status, reply.json()["code"], reply.json()["detail"]) == (409, "conflict", "Taken.")
        assert reply.json()["seats"] == 3
        assert b"s3cret" not in reply.body
        assert failure.private.context == {name: "s3cret"}
    (told,) = caplog.messages
    assert f"ConflictError({name}=...) at {__name__}:" in told
    assert f"did you mean {meant}=?" in told
    assert "s3cret" not in told


def test_a_parameter_of_another_class_is_no_member(caplog: pytest.LogCaptureFixture) -> None:
    """Tenants are not published by the wrong class; the right one takes them."""
    reply = served({"resource_tenant": "acme"})
    assert (reply.status, b"acme" in reply.body) == (409, False)
    assert "it is a parameter of ForbiddenError alone" in caplog.text
    assert ForbiddenError(resource_tenant="acme").owner == "acme"


def test_the_place_is_the_line_that_raises(caplog: pytest.LogCaptureFixture) -> None:
    """However many constructors stand in between."""

    class Taken(ConflictError):
        code = "taken"

        def __init__(self, **keywords: Any) -> None:
            super().__init__("Taken.", **keywords)

    line = sys._getframe().f_lineno + 1
    Taken(parm="x")
    assert f"Taken(parm=...) at {__name__}:{line}" in caplog.text


def test_a_slip_beside_a_context_takes_nothing_from_it() -> None:
    """What was given under the right name stands."""
    error = ConflictError(context={"contex": 1, "hits": 2}, contex={"hits": 3})
    assert error.context == {"contex": 1, "hits": 2}


@pytest.mark.parametrize(("name", "meant"), SLIPS)
def test_in_development_a_slip_is_refused(name: str, meant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is raised, naming the parameter."""
    monkeypatch.setattr(arguments, "STRICT", True)
    with pytest.raises(
        TypeError, match=rf"ConflictError\(\) got an unexpected keyword argument '{name}': did you mean {meant}="
    ):
        ConflictError(**{name: "x"})


@pytest.mark.parametrize("name", MEMBERS)
def test_in_development_a_member_is_one(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name of its own is refused nowhere."""
    monkeypatch.setattr(arguments, "STRICT", True)
    assert ConflictError(**{name: 3}).extensions == {name: 3}


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize(("name", "_meant"), SLIPS)
def test_extensions_takes_any_name(name: str, _meant: str, strict: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """For a member that is really called so."""
    monkeypatch.setattr(arguments, "STRICT", strict)
    reply = served({"extensions": {name: "meant"}, "seats": 3})
    sent = reply.json()
    assert (sent.get(f"detail_{name}", sent.get(name)), sent["seats"]) == ("meant", 3)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("extensions", ["plan"], "extensions= is of type list; use a mapping"),
        ("extensions", {"code": "x"}, "'code' has a meaning of its own"),
        ("extensions", {"plan": object()}, "'plan' holds a object"),
        ("rate_limit", {"limit": 1}, "rate_limit={'limit': 1}: this is no quota; use RateLimit(limit="),
        ("rate_limit", (1, 2), "rate_limit=(1, 2): this is no quota; use RateLimit(limit="),
        ("rate_limit", RateLimit("x", -1), "RateLimit.limit='x': this is no number"),  # type: ignore[arg-type]
        ("rate_limit", RateLimit(1, None), "RateLimit.remaining=None: this is no number"),  # type: ignore[arg-type]
        ("rate_limit", RateLimit(1, 0, float("nan")), "RateLimit.reset=nan: this ends never"),
        ("rate_limit", RateLimit(1, 0, 1, True), "RateLimit.window=True: this is no number"),
        ("rate_limit", RateLimit(-1, 0), "RateLimit.limit=-1: this is below zero"),
    ],
)
def test_what_could_not_be_sent_is_refused_where_it_is_raised(name: str, value: Any, said: str) -> None:
    """In development and in production alike, as every value of a wrong type."""
    with pytest.raises((TypeError, ConfigurationError)) as caught:
        RateLimitError(**{name: value})
    assert said in str(caught.value)


def test_a_quota_that_is_overdrawn_is_sent_as_used_up() -> None:
    """Limiters count below zero."""
    assert served({"rate_limit": RateLimit(10, -1, 5)}).header("x-ratelimit-remaining") == "0"


HEADERS = [("X Plan", "free"), ("X-Plan", "a\r\nSet-Cookie: b"), ("X-Plan", None), ("X-Plan", "€"), (7, "a"), ("", "a")]


@pytest.mark.parametrize(("name", "value"), HEADERS)
def test_in_development_an_illegal_field_is_refused(name: Any, value: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is raised; in production it is left out, and the answer stands (test_header_fields.py)."""
    monkeypatch.setattr(arguments, "STRICT", True)
    with pytest.raises(ValueError, match=r"the header field .* cannot be sent") as caught:
        ConflictError(headers={"X-Kept": "1", name: value})
    assert repr(str(name)) in str(caught.value)


def test_in_development_an_upstreams_fields_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its connection's own are legal, and left out in silence of this rule."""
    monkeypatch.setattr(arguments, "STRICT", True)
    reply = served({"headers": {"Connection": "close", "Transfer-Encoding": "chunked", "X-Left": 3}})
    assert (reply.status, reply.header("x-left"), reply.header("connection")) == (409, "3", None)


RAISING = """
import json
from errorkit import ConflictError
from errorkit.wsgi import ErrorMiddleware
def app(environ, start_response):
    raise ConflictError("Taken.", parm="name")
started = []
body = ErrorMiddleware(app)({"REQUEST_METHOD": "GET"}, lambda *given: started.append(given[0]) or (lambda chunk: None))
print(json.dumps([started[0], json.loads(b"".join(body))["code"]]))
"""


@pytest.mark.parametrize(
    ("options", "answer"),
    [((), ["409 Conflict", "conflict"]), (("-X", "dev"), ["500 Internal Server Error", "internal"])],
)
def test_development_is_pythons_own_mode(options: tuple[str, ...], answer: list[str]) -> None:
    """A process that was started with `-X dev` has a crash with its traceback in place of the answer."""
    done = subprocess.run([sys.executable, *options, "-c", RAISING], check=True, capture_output=True, text=True)
    assert json.loads(done.stdout.splitlines()[-1]) == answer
    told = done.stdout + done.stderr
    assert "did you mean param=?" in told
    assert ("TypeError: ConflictError() got an unexpected keyword argument 'parm'" in told) is bool(options)
