"""A framework's HTTP exception: what its author meant by the detail, on FastAPI, Starlette and Flask alike."""

from __future__ import annotations

import dataclasses
import json
from datetime import datetime
from typing import Any

import pytest
from fastapi import FastAPI
from flask import Flask, abort, request
from pydantic import BaseModel, Field, ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route
from typing_extensions import TypedDict
from werkzeug.exceptions import NotFound, SecurityError, default_exceptions

from driving import asgi, failures, wsgi
from errorkit import Catalog, ConflictError, Dialect, NotFoundError
from errorkit.dialects import PRESETS, get_dialect
from errorkit.envelope_members import members_beside
from errorkit.errors import ServiceUnavailableError
from errorkit.fastapi import install
from errorkit.flask import ErrorKit
from errorkit.http_exception import CODES, MESSAGES
from errorkit.starlette import install as install_starlette
from errorkit.texts import WITHHELD


class SlugTaken(ConflictError):
    """The slug is taken."""

    code = "slug_taken"
    title = "Slug Taken"
    message = "This slug is taken."


class Hidden(NotFoundError):
    """Not here."""

    code, concealable, message = "hidden_thing", True, "Not here."


class Maintenance(ServiceUnavailableError):
    """We are working on it."""

    code, message = "maintenance", "Maintenance."


CATALOG = Catalog([SlugTaken, Hidden, Maintenance])


class Login(BaseModel):
    password: str = Field(min_length=12)


class Doc(BaseModel):
    id: int
    at: datetime = datetime(2026, 1, 1)


@dataclasses.dataclass
class User:
    email: str


def rejected() -> ValidationError:
    try:
        Login.model_validate({"password": "hunter2"})
    except ValidationError as error:
        return error
    raise AssertionError


def by_fastapi(status: int, detail: Any, **more: Any) -> Any:
    app = FastAPI()
    headers = more.pop("headers", None)
    install(app, catalog=CATALOG, **more)

    @app.get("/")
    def endpoint() -> None:
        raise HTTPException(status, detail, headers)

    return asgi(app)


def by_starlette(status: int, detail: Any, **more: Any) -> Any:
    headers = more.pop("headers", None)

    async def endpoint(request: Any) -> Any:
        raise HTTPException(status, detail, headers)

    app = Starlette(routes=[Route("/", endpoint)])
    install_starlette(app, catalog=CATALOG, **more)
    return asgi(app)


def by_flask(status: int, detail: Any, **more: Any) -> Any:
    app = Flask(__name__)

    class Own(default_exceptions[status]):  # type: ignore[misc,valid-type]
        def get_headers(self, *_: Any, **__: Any) -> Any:
            return [*super().get_headers(*_, **__), *headers.items()]

    headers = more.pop("headers", None) or {}
    ErrorKit(app, catalog=CATALOG, **more)

    @app.get("/")
    def view() -> None:
        if headers:
            raise Own(detail)
        abort(status, detail)

    return wsgi(app)


WAYS = [by_fastapi, by_starlette, by_flask]


@pytest.mark.parametrize("raised", WAYS)
@pytest.mark.parametrize(
    ("detail", "shown"),
    [
        ({"code": "slug_taken"}, {"code": "slug_taken", "title": "Conflict", "detail": "This slug is taken."}),
        ({"code": "SLUG_TAKEN", "message": "No."}, {"code": "slug_taken", "detail": "No."}),
        ({"code": "SlugTaken", "detail": "No."}, {"code": "slug_taken", "detail": "No."}),
        ({"error_code": "slug-taken", "msg": "No."}, {"code": "slug_taken", "detail": "No."}),
        ({"error": "slug_taken", "error_description": "No."}, {"code": "slug_taken", "detail": "No."}),
        ({"error": "The slug is taken."}, {"code": "conflict", "detail": "The slug is taken."}),
        ({"code": "unheard_of"}, {"code": "conflict", "detail_code": "unheard_of"}),
        ({"code": 7, "message": "No."}, {"code": "conflict", "detail": "No.", "detail_code": 7}),
        ({"code": "rate_limited"}, {"code": "conflict", "detail_code": "rate_limited"}),  # of another status
        ({"code": "x" * 5000}, {"code": "conflict", "detail_code": "x" * 5000}),
        ({"message": "No.", "hint": "docs-2"}, {"detail": "No.", "hint": "docs-2"}),
        ({"message": "No.", "param": "slug"}, {"detail": "No.", "param": "slug"}),
        ({"message": "No.", "param": ["slug"]}, {"detail": "No.", "detail_param": ["slug"]}),
        ({"message": ""}, {"detail": ConflictError.message, "message": ""}),
        ({"type": "t", "title": "T", "status": 200, "detail": "No."},
         {"detail": "No.", "detail_type": "t", "detail_title": "T", "detail_status": 200}),
        ({"message": "No.", "errors": ["a"]}, {"detail": "No.", "detail_errors": ["a"]}),
        ({"message": "No.", "request_id": "theirs"}, {"detail": "No.", "detail_request_id": "theirs"}),
        ({1: 2, None: 3}, {"1": 2}),
        ({}, {"detail": ConflictError.message}),
        ([1, {"a": "b"}], {"detail_value": [1, {"a": "b"}]}),
        (Doc(id=1), {"detail_value": {"id": 1, "at": "2026-01-01T00:00:00"}}),
        ([User("a@b.c")], {"detail_value": [{"email": "a@b.c"}]}),
        (7, {"detail_value": 7}),
        ("No.", {"detail": "No."}),
        ("Conflict", {"detail": ConflictError.message}),
    ],
)  # fmt: skip
def test_a_detail_keeps_its_meaning(raised: Any, detail: Any, shown: dict[str, Any]) -> None:
    """Code, words and parameter are what they are; what the envelope names itself stands beside it."""
    reply = raised(409, detail)
    assert reply.status == 409
    body = reply.json()
    assert {name: body.get(name) for name in shown} == shown
    assert set(body) == {"type", "title", "status", "detail", "code", "request_id", *shown}


@pytest.mark.parametrize("dialect", PRESETS)
@pytest.mark.parametrize("raised", [by_fastapi, by_flask])
def test_nothing_that_an_author_said_is_dropped_in_silence(
    raised: Any, dialect: str, log: list[dict[str, Any]]
) -> None:
    """It is on the wire, or the event says that the envelope has no place for it."""
    detail = {"code": "unheard-of", "message": "Words.", "hint": "docs-2", "type": "t-1", "details": ["d-1"]}
    reply = raised(409, detail, dialect=dialect)
    event = failures(log)[-1]
    for words in ("unheard-of", "docs-2", "t-1", "d-1"):
        assert words in reply.body.decode() or words in json.dumps(event["unsent"])
    assert "Words." in reply.body.decode()
    assert ("unsent" in event) is ("extensions" not in get_dialect(dialect).carries)


@pytest.mark.parametrize("raised", WAYS)
def test_a_wait_in_a_detail_is_the_errors_wait(raised: Any) -> None:
    """Seconds; anything else is a member."""
    assert raised(429, {"message": "Slow down.", "retry_after": 7}).header("retry-after") == "7"
    assert raised(429, {"message": "Slow down.", "retry_after": "soon"}).json()["retry_after"] == "soon"
    assert raised(429, {"message": "Slow down.", "retry_after": float("nan")}).json()["retry_after"] == "nan"


@pytest.mark.parametrize("raised", WAYS)
@pytest.mark.parametrize("form", ["list", "tuple", "exception", "member"])
@pytest.mark.parametrize(("status", "code"), [(422, "validation_failed"), (400, "bad_request")])
def test_findings_are_findings_however_they_are_given(
    raised: Any, form: str, status: int, code: str, log: list[dict[str, Any]]
) -> None:
    """`HTTPException(422, detail=exc.errors())` and its like: details, without what was submitted; the status stands."""
    found = rejected()
    detail = {
        "list": found.errors(), "tuple": tuple(found.errors()), "exception": found, "member": {"errors": found.errors()},
    }[form]  # fmt: skip
    reply = raised(status, detail, headers={"X-Kept": "1"})
    assert (reply.status, reply.header("x-kept")) == (status, "1")
    body = reply.json()
    assert body["code"] == (code if form != "member" or status == 400 else "unprocessable_content")
    assert body["errors"] == [
        {"detail": "String should have at least 12 characters", "pointer": "#/password", "code": "invalid_value"}
    ]
    assert "hunter2" not in f"{reply.body.decode()} {log}"


@pytest.mark.parametrize("raised", WAYS)
def test_findings_of_another_status_are_a_member(raised: Any, log: list[dict[str, Any]]) -> None:
    """A 409 is no rejected request; what was submitted is gone all the same."""
    body = raised(409, rejected().errors()).json()
    assert body["code"] == "conflict"
    assert body["detail_value"] == [
        {"type": "string_too_short", "loc": ["password"], "msg": "String should have at least 12 characters"}
    ]
    assert "hunter2" not in f"{body} {log}"


@pytest.mark.parametrize("raised", WAYS)
@pytest.mark.parametrize("detail", ["db at 10.0.0.1", {"message": "db at 10.0.0.1", "password": "p-1"}, ["10.0.0.1"]])
def test_the_detail_of_a_5xx_is_logged_and_not_shown(raised: Any, detail: Any, log: list[dict[str, Any]]) -> None:
    """Its secrets neither; and nothing of it where exceptions' words are kept out."""
    reply = raised(503, detail)
    assert "10.0.0.1" not in reply.body.decode()
    assert "10.0.0.1" in failures(log)[0]["error"]
    assert "p-1" not in str(log)
    log.clear()
    raised(503, detail, redact_exception_text=True)
    assert "10.0.0.1" not in str(log)


@pytest.mark.parametrize("raised", WAYS)
def test_of_the_detail_of_a_5xx_a_known_code_and_a_wait_are_shown(raised: Any, log: list[dict[str, Any]]) -> None:
    """In the words of the code's class; what the author said is in the event."""
    reply = raised(503, {"code": "MAINTENANCE", "message": "db at 10.0.0.1", "retry_after": 90, "host": "10.0.0.1"})
    body = reply.json()
    assert (body["code"], body["detail"], reply.header("retry-after")) == ("maintenance", "Maintenance.", "90")
    assert "10.0.0.1" not in reply.body.decode()
    assert "db at 10.0.0.1" in failures(log)[0]["error"]


@pytest.mark.parametrize("raised", WAYS)
def test_a_concealable_code_shows_its_class_alone(raised: Any) -> None:
    """Whatever else the detail holds."""
    body = raised(404, {"code": "HIDDEN_THING", "message": "It is acme's.", "owner": "acme"}).json()
    assert (body["code"], body["detail"]) == ("hidden_thing", "Not here.")
    assert "acme" not in str(body)


def test_no_member_has_two_meanings() -> None:
    """`error` alone may be either, by its form."""
    assert set(CODES) & set(MESSAGES) == {"error"}


# -- Flask's own exceptions


def flask_app(view: Any, **config: Any) -> Any:
    app = Flask(__name__)
    app.config.update(config)
    ErrorKit(app)
    app.route("/", methods=["GET", "POST"])(view)
    return app


def test_werkzeugs_words_for_browsers_are_not_an_authors() -> None:
    """Of every status; the parameter that was missing is named."""
    for status, cls in default_exceptions.items():
        if 400 <= status <= 499:
            body = wsgi(flask_app(lambda cls=cls: abort(cls.code))).json()
            assert body["detail"] != vars(cls).get("description")
            assert "browser" not in body["detail"]
    reply = wsgi(flask_app(lambda: request.form["name"]), "POST")
    assert (reply.status, reply.json()["detail"], reply.json()["param"]) == (400, "The request is invalid.", "name")

    def raised() -> None:
        raise NotFound("No such page.")

    assert wsgi(flask_app(raised)).json()["detail"] == "No such page."

    class SlugGone(NotFound):
        description = "The slug is gone."

    def of_a_class() -> None:
        raise SlugGone

    assert wsgi(flask_app(of_a_class)).json()["detail"] == "The slug is gone."


def test_a_host_that_is_not_trusted_is_not_repeated(log: list[dict[str, Any]]) -> None:
    """werkzeug's message holds it."""
    reply = wsgi(flask_app(lambda: request.host, TRUSTED_HOSTS=["good.example"]), headers=[("host", "evil.example")])
    assert (reply.status, reply.json()["detail"]) == (400, "The request is invalid.")
    assert issubclass(SecurityError, default_exceptions[400])


# -- what an envelope has of its own


def test_an_envelopes_own_members_are_found_wherever_extensions_go() -> None:
    """Absent optional ones, too."""
    assert members_beside(get_dialect("github")) >= {"message", "documentation_url", "errors"}
    assert members_beside(get_dialect("stripe")) >= {"doc_url", "code", "type", "message", "param"}
    assert members_beside(get_dialect("openai")) == {"message", "type", "param", "code", "details"}


class Bare(Dialect):
    name = "bare"
    carries = ("extensions",)

    def write(self, public: Any) -> Any:
        return {"list": [1, [{"code": public.code, **public.extensions}]]}


class Whimsical(Bare):
    def write(self, public: Any) -> Any:
        return {"code": {"conflict": 1, "internal": 2}.get(public.code, 3) if public.status != 500 else 1 / 0}


def test_a_dialect_of_ones_own_is_asked_too() -> None:
    """Without a declared body; one that cannot be asked decides alone."""
    assert members_beside(Bare()) == {"code"}
    assert members_beside(Whimsical()) == frozenset()


@pytest.mark.parametrize("dialect", [name for name in PRESETS if "extensions" in get_dialect(name).carries])
def test_no_extension_takes_the_place_of_a_member_of_the_envelope(dialect: str) -> None:
    """One of the same name stands beside it, under another."""
    for name in sorted(members_beside(get_dialect(dialect)) - {"errors", "instance"}):
        body = by_fastapi(409, {"message": "Words.", name: "intruder"}, dialect=dialect).body.decode()
        if name in ("message", "msg", "detail", "error", "description", "param"):  # they have a meaning
            continue
        assert f'"detail_{name}":"intruder"' in body
        assert f'"{name}":"intruder"' not in body


class Forgetful(TypedDict):
    code: "NotThere"  # type: ignore[name-defined]  # noqa: F821, UP037
    hint: str


class Declaring(Bare):
    Body = Forgetful

    def write(self, public: Any) -> Any:
        return {"code": public.code, **public.extensions}


def test_names_that_are_not_there_at_run_time_cost_nothing() -> None:
    """The members of the body are known all the same."""
    assert members_beside(Declaring()) == {"code", "hint"}


@pytest.mark.parametrize("raised", WAYS)
def test_an_exception_whose_errors_are_none_is_no_finding(raised: Any) -> None:
    """It is an object like any other."""

    class Odd(Exception):
        def errors(self) -> Any:
            raise RuntimeError("canary")

    class Even(Exception):
        def errors(self) -> Any:
            return ["canary"]

    for detail in (Odd("canary"), Even("canary")):
        reply = raised(422, detail)
        assert (reply.status, reply.json()["detail_value"]) == (422, WITHHELD)
        assert "canary" not in reply.body.decode()
