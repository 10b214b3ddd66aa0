"""The presets that speak frameworks' old shapes, against what these frameworks really answer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi import Depends, FastAPI, Header, HTTPException, Query
from flask import Flask, abort
from pydantic import BaseModel, Field
from werkzeug.exceptions import HTTPException as FlaskHTTPException

import errorkit.fastapi
import errorkit.wsgi
from driving import Reply, asgi, wsgi
from errorkit import APIError, Catalog, Detail, NotFoundError, ValidationError
from errorkit.dialects import get_dialect
from errorkit.failure import Public
from errorkit.flask import ErrorKit

JSON = [("content-type", "application/json")]


class Line(BaseModel):
    sku: str
    count: int = Field(gt=0)


class Order(BaseModel):
    name: str = Field(max_length=3)
    lines: list[Line] = []


def fields_of(reply: Reply) -> dict[str, str]:
    return {name.lower(): value for name, value in reply.headers}


# -- FastAPI


def shop() -> FastAPI:
    app = FastAPI()

    @app.post("/orders")
    def orders(order: Order, limit: int = Query(le=10), x_mode: int = Header()) -> None: ...

    @app.get("/missing")
    def missing() -> None:
        raise HTTPException(404, "No thing 7.")

    @app.get("/denied")
    def denied() -> None:
        raise HTTPException(403)

    return app


WRONG = json.dumps({"name": "toolong", "lines": [{"count": "x"}, {"sku": "a", "count": 0}]}).encode()
REQUESTS: list[tuple[str, str, dict[str, Any]]] = [
    ("GET", "/nope", {}),
    ("DELETE", "/missing", {}),
    ("GET", "/missing", {}),
    ("GET", "/denied", {}),
    ("POST", "/orders?limit=11", {"headers": JSON, "body": WRONG}),
    ("POST", "/orders", {"headers": JSON, "body": b"[]"}),
]


def without_input(body: Any) -> Any:
    """What was submitted, and what it was compared with, errorkit does not repeat."""
    if isinstance(body["detail"], list):
        return {
            "detail": [{k: v for k, v in item.items() if k not in ("input", "ctx", "url")} for item in body["detail"]]
        }
    return body


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda r: f"{r[0]} {r[1]}")
def test_fastapi_says_what_fastapi_says(request_: tuple[str, str, dict[str, Any]]) -> None:
    method, path, more = request_
    bare, covered = shop(), shop()
    errorkit.fastapi.install(covered, dialect="fastapi")
    old, new = asgi(bare, method, path, **more), asgi(covered, method, path, **more)
    assert (new.status, new.header("content-type")) == (old.status, old.header("content-type"))
    expected = without_input(old.json())
    if isinstance(
        expected["detail"], list
    ):  # for one of them errorkit has words of its own: Python's types are no client's
        expected["detail"] = [
            {**item, "msg": "Input should be an object"} if item["type"] == "model_attributes_type" else item
            for item in expected["detail"]
        ]
    assert new.json() == expected
    assert b"toolong" not in new.body


def test_fastapis_own_bodies_are_read() -> None:
    dialect = get_dialect("fastapi")
    reply = asgi(shop(), "POST", "/orders?limit=11", headers=JSON, body=WRONG)
    assert dialect.recognises(422, fields_of(reply), reply.json())
    public = dialect.read(422, fields_of(reply), reply.json())
    assert [(d.location, d.field, d.code, d.message) for d in public.details] == [
        ("query", "limit", "invalid_value", "Input should be less than or equal to 10"),
        ("header", "x-mode", "missing_field", "Field required"),
        ("body", "name", "invalid_value", "String should have at most 3 characters"),
        ("body", "lines[0].sku", "missing_field", "Field required"),
        (
            "body",
            "lines[0].count",
            "invalid_value",
            "Input should be a valid integer, unable to parse string as an integer",
        ),
        ("body", "lines[1].count", "invalid_value", "Input should be greater than 0"),
    ]
    reply = asgi(shop(), "GET", "/missing")
    assert dialect.recognises(404, fields_of(reply), reply.json())
    assert dialect.read(404, fields_of(reply), reply.json()).message == "No thing 7."


class InvoiceNotFound(NotFoundError):
    code, message = "invoice_not_found", "There is no such invoice."


def test_a_service_changes_its_insides_and_its_clients_see_the_same() -> None:
    """The body of an HTTPException, from an error of errorkit's; the code is in a header for who looks there."""
    app = FastAPI()
    errorkit.fastapi.install(app, dialect="fastapi", catalog=Catalog([InvoiceNotFound]))

    def owner() -> None:
        raise InvoiceNotFound

    @app.get("/", dependencies=[Depends(owner)])
    def invoice() -> None: ...

    @app.get("/crash")
    def crash() -> None:
        raise ValueError("10.0.0.1")

    reply = asgi(app)
    assert (reply.status, reply.json()) == (404, {"detail": "There is no such invoice."})
    assert reply.header("x-error-code") == "invoice_not_found"
    assert asgi(app, path="/crash").json() == {"detail": "Internal Server Error"}


# -- Flask


def site() -> Flask:
    app = Flask(__name__)

    @app.get("/missing")
    def missing() -> None:
        abort(404, "No thing 7.")

    @app.get("/denied")
    def denied() -> None:
        abort(403, "Not yours.")

    return app


def documented(error: FlaskHTTPException) -> Any:
    """Flask's documentation, Generic Exception Handlers."""
    response: Any = error.get_response()
    response.data = json.dumps({"code": error.code, "name": error.name, "description": error.description})
    response.content_type = "application/json"
    return response


@pytest.mark.parametrize("path", ["/missing", "/denied"])
def test_flask_says_what_the_documented_handler_says(path: str) -> None:
    bare, covered = site(), site()
    bare.register_error_handler(FlaskHTTPException, documented)
    ErrorKit(covered, dialect="flask")
    old, new = wsgi(bare, path=path), wsgi(covered, path=path)
    assert (new.status, new.header("content-type"), new.json()) == (old.status, old.header("content-type"), old.json())
    dialect = get_dialect("flask")
    assert dialect.recognises(old.status, fields_of(old), old.json())
    public = dialect.read(old.status, fields_of(old), old.json())
    assert (public.message, public.title) == (old.json()["description"], old.json()["name"])


# -- Django REST framework


def django(path: str, covered: bool, method: str = "GET", **more: Any) -> Reply:
    from frameworks import django_project

    app: Any = django_project.wsgi
    return wsgi(errorkit.wsgi.ErrorMiddleware(app, dialect="drf") if covered else app, method, path, **more)


def without_whole(findings: Any) -> Any:
    """What is about the whole of a member is said of the member."""
    return findings["non_field_errors"] if list(findings) == ["non_field_errors"] else findings


BAD_ORDERS = [
    {},
    {"name": "toolong", "lines": [{"sku": "a", "count": 1}, {"count": "x"}], "tags": [1, "x"], "address": 5},
    {"name": "abc", "lines": [{"sku": "a", "count": 1}]},
    {"name": "abc", "lines": 7},
]


@pytest.mark.parametrize("order", BAD_ORDERS)
def test_drf_says_the_findings_of_django_rest_framework(order: Any) -> None:
    old, new = (
        django("/rest/orders", covered, "POST", headers=JSON, body=json.dumps(order).encode())
        for covered in (False, True)
    )
    assert (new.status, old.status) == (400, 400)
    assert new.json() == {name: without_whole(value) for name, value in old.json().items()}
    assert new.header("x-error-code") == "validation_failed"


@pytest.mark.parametrize("path", ["/rest/own", "/rest/denied", "/rest/throttled"])
def test_drf_says_the_words_of_django_rest_framework(path: str) -> None:
    old, new = (django(path, covered) for covered in (False, True))
    assert (new.status, new.json()) == (old.status, old.json())
    dialect = get_dialect("drf")
    assert dialect.recognises(old.status, fields_of(old), old.json())
    assert dialect.read(old.status, fields_of(old), old.json()).message == old.json()["detail"]


@pytest.mark.parametrize(
    "cls", ["NotAuthenticated", "PermissionDenied", "NotFound", "ParseError", "APIException", "NotAcceptable"]
)
def test_an_error_without_words_says_those_of_django_rest_framework(cls: str) -> None:
    from frameworks import django_project

    error = getattr(django_project.exceptions, cls)
    spec = Catalog().by_status(error.status_code)
    dialect = get_dialect("drf")
    assert dialect.settle(spec.status, spec.type, spec.message)[2] == str(error.default_detail)


def test_findings_of_one_field_stand_together() -> None:
    dialect = get_dialect("drf")
    details = (
        Detail(("lines", 1, "sku"), "One."), Detail((), "Whole."), Detail(("lines",), "Too many."), Detail(("lines", 1, "sku"), "Two."),
    )  # fmt: skip
    body = dialect.write(Public(status=400, details=details))
    assert body == {
        "lines": {"1": {"sku": ["One.", "Two."]}, "non_field_errors": ["Too many."]},
        "non_field_errors": ["Whole."],
    }
    assert {(d.path, d.message) for d in dialect.read(400, {}, body).details} == {(d.path, d.message) for d in details}


@pytest.mark.parametrize(
    ("status", "body", "own"),
    [
        (404, {"detail": "x"}, True), (404, {"detail": "x", "code": "y"}, False), (404, {"name": [7]}, False), (404, {"name": ["x"]}, True),
        (400, {"name": ["x"]}, True), (400, ["x"], True), (400, {"name": "x"}, False), (400, {}, False), (400, None, False),
    ],
)  # fmt: skip
def test_drf_recognises_its_own_strictly(status: int, body: Any, own: bool) -> None:
    assert get_dialect("drf").recognises(status, {"content-type": "application/json"}, body) is own
    assert not get_dialect("drf").recognises(status, {"content-type": "text/plain"}, body)


def test_an_old_shape_is_read_and_said_in_another() -> None:
    """The last step: the inside is new, and new clients get the new form of what old code still shapes."""

    def old(environ: Any, start_response: Any) -> Any:
        start_response("400 Bad Request", [("Content-Type", "application/json")])
        return [b'{"lines": {"1": {"sku": ["This field is required."]}}}']

    said = wsgi(errorkit.wsgi.ErrorMiddleware(old, adopt=["drf"])).json()
    assert said["errors"] == [
        {"detail": "This field is required.", "pointer": "#/lines/1/sku", "code": "missing_field"}
    ]


def test_an_error_with_findings_in_each_of_them() -> None:
    def of(dialect: str) -> Any:
        app = FastAPI()
        errorkit.fastapi.install(app, dialect=dialect)  # type: ignore[arg-type]

        @app.get("/")
        def rejected() -> None:
            raise ValidationError(details=[Detail(("lines", 0, "sku"), "Unknown.", "unknown_sku")])

        reply = asgi(app)
        return reply.status, reply.json()

    assert of("fastapi") == (
        422,
        {"detail": [{"type": "unknown_sku", "loc": ["body", "lines", 0, "sku"], "msg": "Unknown."}]},
    )
    assert of("drf") == (400, {"lines": {"0": {"sku": ["Unknown."]}}})
    assert of("flask") == (
        422,
        {
            "code": 422,
            "name": ValidationError.title,
            "description": "lines[0].sku: Unknown.",
            "errors": [{"param": "lines[0].sku", "code": "unknown_sku", "message": "Unknown."}],
        },
    )


def test_each_is_for_every_standard_error() -> None:
    """None of errorkit's own words is in what an error without words says in `fastapi` and `drf`."""
    own = {cls.message for cls in APIError.__subclasses__()}
    for name in ("fastapi", "drf"):
        for spec in Catalog():
            assert get_dialect(name).settle(spec.status, spec.type, spec.message)[2] not in own
