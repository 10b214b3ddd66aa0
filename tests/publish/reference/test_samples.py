"""A sample request is one that the service takes, and the response beside it is what the service answers to it."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from fastapi import Depends, FastAPI, Form, Header, Security
from fastapi.security import APIKeyCookie, APIKeyHeader, APIKeyQuery, HTTPBasic, HTTPBearer, OAuth2PasswordBearer
from pydantic import BaseModel, Field
from starlette.testclient import TestClient

from errorkit import APIError, Catalog, NotFoundError, ValidationError
from errorkit.config import Config
from errorkit.dialects import get_dialect
from errorkit.errors import AuthenticationError, Example
from errorkit.fastapi import install, raises
from errorkit.publish import Options
from errorkit.publish.reference import markdown
from errorkit.publish.reference.entries import entries, spoken_dialects
from errorkit.publish.reference.sample_request import Sample, sample


class InvoiceMissing(NotFoundError):
    """There is no such invoice."""

    code = "invoice_missing"


class InvoiceSent(APIError):
    """It has been sent."""

    code, status = "invoice_sent", 409


class BadKey(AuthenticationError):
    """The key is unknown."""

    code = "unauthenticated"


CATALOG = Catalog([InvoiceMissing, InvoiceSent, BadKey])
SCHEMES = {
    "header": (APIKeyHeader(name="X-API-Key"), ("X-API-Key", "$API_KEY")),
    "cookie": (APIKeyCookie(name="session"), ("Cookie", "session=$API_KEY")),
    "bearer": (HTTPBearer(), ("Authorization", "Bearer $TOKEN")),
    "basic": (HTTPBasic(), ("Authorization", "Basic $CREDENTIALS")),
    "oauth2": (OAuth2PasswordBearer("token"), ("Authorization", "Bearer $TOKEN")),
}


class Line(BaseModel):
    text: str = Field(min_length=3)
    amount: int = Field(gt=5, multiple_of=5)


class Invoice(BaseModel):
    customer: UUID
    currency: Literal["EUR", "CHF"]
    reference: str = Field(pattern=r"^[A-Z]{2}$")
    lines: list[Line] = Field(min_length=2)
    note: str | None = None


@raises(BadKey)
def caller(key: Annotated[Any, Security(HTTPBearer(auto_error=False))]) -> None:
    if key is None:
        raise BadKey


def service(dialect: str = "problem") -> FastAPI:
    app = FastAPI(title="Invoices")
    install(app, dialect=dialect, catalog=CATALOG, realm="invoices")

    @app.get("/invoices/{number}")
    @raises(InvoiceMissing)
    def read(number: str, page: int = 1) -> None:
        if number == "unknown":
            raise InvoiceMissing

    @app.put("/invoices/{number}/lines/{line}")
    @raises(InvoiceSent)
    def write(number: int, line: int, body: Invoice, by: Annotated[None, Depends(caller)]) -> None:
        raise InvoiceSent

    @app.post("/uploads")
    def upload(
        name: Annotated[str, Form()], size: Annotated[int, Form()], if_none_match: Annotated[str, Header()]
    ) -> None:
        """A form."""

    return app


def options(app: FastAPI, dialect: str = "problem") -> Options:
    config = Config(dialect=dialect, catalog=CATALOG, realm="invoices")
    return Options.of(config, base_url="http://testserver", document=app.openapi(), reads_json=True)


def sent(app: FastAPI, request: Sample) -> Any:
    """What the service really answers to a sample."""
    headers = {name: value.replace("$", "") for name, value in request.headers}
    client = TestClient(app, raise_server_exceptions=False)
    return client.request(request.method, request.target, headers=headers, content=request.body or None)


@pytest.mark.parametrize("dialect", ["problem", "openai", "kaiko", "google"])
@pytest.mark.parametrize(
    "code", ["validation_failed", "malformed_json", "unauthenticated", "invoice_missing", "invoice_sent",
             "method_not_allowed"]
)  # fmt: skip
def test_the_sample_gets_the_response_that_is_shown_beside_it(code: str, dialect: str) -> None:
    """Body and every header."""
    app = service(dialect)
    spec, known = CATALOG.by_code(code), options(app, dialect)
    spoken = spoken_dialects(known.also[0], known)
    entry = next(each for each in entries(CATALOG, spoken, known) if each.code == code)
    got = sent(app, sample(CATALOG, spec, known.also[0], known))
    (form,) = entry.forms
    assert (got.status_code, got.json()) == (form.status, form.body)
    assert {name: got.headers.get(name) for name, _, _ in form.headers} == {name: v for name, v, _ in form.headers}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_credentials_are_shown_where_the_operation_wants_them(scheme: str) -> None:
    """As its security scheme says; none in the request that gets a 401, and none where nothing is asked for."""
    security, field = SCHEMES[scheme]
    app = FastAPI()
    install(app, dialect="problem", catalog=CATALOG)
    app.get("/open")(raises(InvoiceMissing)(lambda: None))
    app.get("/closed", dependencies=[Depends(security)])(raises(InvoiceSent)(lambda: None))
    known = options(app)
    by_code = {
        code: sample(CATALOG, CATALOG.by_code(code), known.also[0], known)
        for code in ("invoice_missing", "invoice_sent", "unauthenticated")
    }
    assert field in by_code["invoice_sent"].headers
    names = {name for name, _ in (*by_code["invoice_missing"].headers, *by_code["unauthenticated"].headers)}
    assert names == {"X-Request-ID"}
    assert by_code["unauthenticated"].target == "/closed"


def test_a_key_in_the_query_is_a_variable_in_every_language() -> None:
    """Shells, Python and TypeScript read it; nothing quotes it away."""
    app = FastAPI()
    install(app, dialect="problem", catalog=CATALOG)
    app.get("/closed", dependencies=[Depends(APIKeyQuery(name="key"))])(raises(InvoiceSent)(lambda: None))
    page = markdown(CATALOG, get_dialect("problem"), options(app))["invoice_sent.md"]
    assert "curl -i -X GET 'http://testserver/closed?key='\"$API_KEY\"''" in page
    assert 'f"http://testserver/closed?key={api_key}"' in page
    assert "`http://testserver/closed?key=${apiKey}`" in page


def test_a_form_is_sent_as_a_form() -> None:
    """Its media type, its fields, and what it misses."""
    app = FastAPI()
    install(app, dialect="problem", catalog=CATALOG)

    @app.post("/uploads")
    @raises(InvoiceSent)
    def upload(name: Annotated[str, Form()], size: Annotated[int, Form()]) -> None:
        raise InvoiceSent

    known = options(app)
    right = sample(CATALOG, CATALOG.by_code("invoice_sent"), known.also[0], known)
    assert (right.body, right.media_type) == ("name=example&size=1", "application/x-www-form-urlencoded")
    assert sent(app, right).json()["code"] == "invoice_sent"
    wrong = sample(CATALOG, CATALOG.by_code("validation_failed"), known.also[0], known)
    assert wrong.body == "size=1"
    assert sent(app, wrong).json()["errors"][0]["pointer"] == "#/name"


@pytest.mark.parametrize("dialect", ["problem", "openai", "kaplaix"])
def test_without_a_document_request_and_response_agree_all_the_same(dialect: str) -> None:
    """The stock page of a validation failure: the field that is said to be missing is missing."""
    pages = markdown(Catalog(), get_dialect(dialect), Options())
    request, response = (pages["validation_failed.md"].split(f"## {part}")[1] for part in ("Request", "Response"))
    assert request.split("```")[1].endswith("\n\n{}\n")
    assert "name" in response.split("```")[1]
    assert ("Required" if dialect == "kaplaix" else "Field required") in response.split("```")[1]
    assert "limit" not in pages["validation_failed.md"]


@pytest.mark.parametrize(
    ("bad", "fixed", "detail"),
    [
        ("GET /jobs", "GET /jobs?limit=10", "limit: Field required"),
        ("GET /jobs?limit=ten", "GET /jobs?limit=10", "limit: Input is invalid"),
        ("GET /jobs?limt=10", "GET /jobs", "limt: Input is invalid"),
    ],
)
def test_the_response_is_about_the_query_that_an_author_shows(bad: str, fixed: str, detail: str) -> None:
    """What differs between the two request lines."""
    pair = Example("A query", bad, fixed)
    cls = type("Refused", (ValidationError,), {"code": "refused", "examples": (pair,)})
    page = markdown(Catalog([cls]), get_dialect("problem"), Options())["refused.md"]
    assert f'"detail": "{detail}"' in page
    assert '"location": "query"' in page


def test_no_sample_holds_a_place_for_a_parameter() -> None:
    """Nor any page: what stands in braces is filled."""
    declared = Options(operations={"invoice_sent": [("PUT", "/invoices/{number}/lines/{line}")]})
    targets = {
        sample(CATALOG, spec, known.also[0] if known.also else get_dialect("problem"), known).target
        for known in (options(service()), declared)
        for spec in CATALOG
    }
    assert "/invoices/1/lines/example" in targets
    assert "/invoices/1/lines/1" in targets
    assert not any("{" in target for target in targets)


def test_openapi_tells_of_a_field_that_the_operation_has() -> None:
    """The example of a rejected request, in the document itself."""
    document = service().openapi()
    for path, method, pointers in (
        ("/invoices/{number}", "get", {"#/page"}),
        ("/invoices/{number}/lines/{line}", "put", {"#/customer"}),
        ("/uploads", "post", {"#/name"}),
    ):
        response = document["paths"][path][method]["responses"]["422"]
        value = response["content"]["application/problem+json"]["examples"]["validation_failed"]["value"]
        assert {finding["pointer"] for finding in value["errors"]} == pointers, json.dumps(value)
