"""OpenAPI: what the document promises of errors is what the service sends."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Any, Literal

import jsonschema
import pytest
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Security
from fastapi.security import HTTPBearer
from openapi_spec_validator import validate
from pydantic import BaseModel
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012
from starlette.testclient import TestClient

from errorkit import Catalog, ConflictError, NotFoundError, RateLimitError
from errorkit import Dialect as BaseDialect
from errorkit.dialects import PRESETS, get_dialect
from errorkit.errors import BadRequestError, MethodNotAllowedError, UnprocessableContentError
from errorkit.fastapi import ErrorMiddleware, errors, install, operations, raises
from errorkit.publish import Options
from errorkit.publish.openapi import document


class InvoiceNotFound(NotFoundError):
    """There is no such invoice."""

    code, title = "invoice_not_found", "Invoice not found"


class CustomerNotFound(NotFoundError):
    """There is no such customer."""

    code, title = "customer_not_found", "Customer not found"


class InvoiceSent(ConflictError):
    """It has been sent."""

    code, title = "invoice_sent", "Invoice sent"


class QuotaUsed(RateLimitError):
    """The quota is used up."""

    code, title = "quota_used", "Quota used up"
    default_retry_after = 60


class MissingField(BadRequestError):
    """A field is missing."""

    code = "missing_field"


class InvalidRole(UnprocessableContentError):
    """The role is unknown."""

    code = "invalid_role"


OWN = (InvoiceNotFound, CustomerNotFound, InvoiceSent, QuotaUsed)
CATALOG = Catalog([*OWN, MissingField, InvalidRole], field_codes={"role": "invalid_role", "colour": "invalid_role"})


class Invoice(BaseModel):
    name: str
    role: Literal["user", "admin"] = "user"


class ValidationError(BaseModel):
    """A service's own model under the name of FastAPI's."""

    loc: str


@raises(QuotaUsed)
def quota(fail: str = "") -> None:
    if fail == "quota":
        raise QuotaUsed


def service(**settings: Any) -> FastAPI:
    app = FastAPI()
    install(app, catalog=CATALOG, **settings)
    router = APIRouter(prefix="/invoices", responses=errors(InvoiceNotFound), dependencies=[Depends(quota)])

    @router.put("/{number}", responses={409: {"description": "Too late."}, 418: {"description": "A teapot."}})
    @raises(CustomerNotFound, InvoiceSent)
    def put(
        number: int,
        body: Invoice,
        key: Annotated[Any, Security(HTTPBearer())],
        fail: str = "",
    ) -> dict[str, str]:
        for cls in OWN:
            if cls.code == fail:
                raise cls
        if fail == "crash":
            raise RuntimeError("no")
        return {"name": body.name}

    @app.get("/health")
    def health() -> dict[str, bool]:
        return {"well": True}

    app.include_router(router, prefix="/v1")
    return app


def codes(document: dict[str, Any], path: str, method: str, media_type: str) -> dict[str, list[str]]:
    """Status to the codes described."""
    responses = document["paths"][path][method]["responses"]
    return {
        status: sorted(response["content"][media_type]["examples"])
        for status, response in responses.items()
        if status[0] in "45" and media_type in response.get("content", {})
    }


def validator(document: dict[str, Any], schema: dict[str, Any]) -> jsonschema.Draft202012Validator:
    registry = Registry().with_resource("urn:document", Resource(contents=document, specification=DRAFT202012))
    absolute = json.loads(json.dumps(schema).replace('"#/components', '"urn:document#/components'))
    return jsonschema.Draft202012Validator(absolute, registry=registry)


def test_an_operation_names_exactly_the_codes_that_it_can_give() -> None:
    """What route, router, handler and dependency declare, and what the operation's form implies."""
    found = service(dialect="problem").openapi()
    assert codes(found, "/v1/invoices/{number}", "put", "application/problem+json") == {
        "400": ["malformed_json"],
        "401": ["unauthenticated"],
        "404": ["customer_not_found", "invoice_not_found"],
        "409": ["invoice_sent"],
        "422": ["malformed_json", "validation_failed"],
        "429": ["quota_used"],
        "500": ["internal"],
    }
    assert codes(found, "/health", "get", "application/problem+json") == {"500": ["internal"]}


def test_a_dialect_that_takes_the_code_from_the_finding_is_described_so() -> None:
    """Missing and invalid fields have their own codes and statuses; only fields of the operation count."""
    found = service(dialect="kaiko").openapi()
    described = codes(found, "/v1/invoices/{number}", "put", "application/json")
    assert described["400"] == ["malformed_json", "missing_field"]
    assert described["422"] == ["invalid_role", "malformed_json", "validation_failed"]


def test_the_configurations_statuses_of_validation_are_described() -> None:
    """As the handler answers."""
    found = service(dialect="problem", status_missing=400, status_invalid=409).openapi()
    described = codes(found, "/v1/invoices/{number}", "put", "application/problem+json")
    assert described["400"] == ["malformed_json", "validation_failed"]
    assert described["409"] == ["invoice_sent", "malformed_json", "validation_failed"]
    assert "422" not in described


@pytest.mark.parametrize("dialect", PRESETS)
def test_the_document_is_valid_and_its_examples_keep_its_schemas(dialect: str) -> None:
    """By openapi-spec-validator; every example by the schema of its response, and by no other code's."""
    found = service(dialect=dialect).openapi()
    validate(found)
    for path in found["paths"].values():
        for operation in path.values():
            for status, response in operation["responses"].items():
                for media in response.get("content", {}).values() if status[0] in "45" else ():
                    check = validator(found, media["schema"])
                    for example in media["examples"].values():
                        check.validate(example["value"])


@pytest.mark.parametrize("dialect", PRESETS)
def test_what_is_sent_is_what_is_described(dialect: str) -> None:
    """Status, media type, headers and body of real failures keep the document."""
    app = service(dialect=dialect)
    described = app.openapi()
    client = TestClient(app)
    key = {"Authorization": "Bearer k"}
    url = "/v1/invoices/1"
    ok: dict[str, Any] = {"json": {"name": "n"}, "headers": key}
    requests: list[tuple[str, dict[str, Any]]] = [
        *((f"{url}?fail={cls.code}", ok) for cls in OWN),
        (f"{url}?fail=crash", ok),
        (f"{url}?fail=quota", ok),
        (url, {"json": {"name": "n"}}),
        (url, {"json": {}, "headers": key}),
        (url, {"json": {"name": 1}, "headers": key}),
        (url, {"json": {"name": "n", "role": "boss"}, "headers": key}),
        ("/v1/invoices/x", ok),
        (url, {"content": "{", "headers": {**key, "Content-Type": "application/json"}}),
        (url, {"content": b'{"name": "\xff"}', "headers": {**key, "Content-Type": "application/json"}}),
    ]
    seen = set()
    for target, arguments in requests:
        response = client.put(target, **arguments)
        promised = described["paths"]["/v1/invoices/{number}"]["put"]["responses"][str(response.status_code)]
        media_type = response.headers["content-type"]
        validator(described, promised["content"][media_type]["schema"]).validate(response.json())
        for name, header in promised["headers"].items():
            if header.get("required"):
                assert name in response.headers, (target, name)
        seen.add(str(response.status_code))
    assert seen == set(codes(described, "/v1/invoices/{number}", "put", media_type))
    success = client.put(url, **ok)
    assert get_dialect(dialect).request_id_header in success.headers


def test_another_code_is_outside_the_schema() -> None:
    """A 404 with a code that the operation does not declare does not validate."""
    for dialect in ("problem", "openai", "kaplaix"):
        found = service(dialect=dialect).openapi()
        media = found["paths"]["/v1/invoices/{number}"]["put"]["responses"]["404"]["content"]
        ((_, described),) = media.items()
        body = described["examples"][get_dialect(dialect).spell("invoice_not_found")]["value"]
        text = json.dumps(body).replace(get_dialect(dialect).spell("invoice_not_found"), "else")
        assert not validator(found, described["schema"]).is_valid(json.loads(text))


@pytest.mark.parametrize(
    ("dialect", "where"), [("problem", ()), ("kaizen", ()), ("openai", (1, "properties", "error"))]
)
def test_codes_are_told_apart_by_a_discriminator(dialect: str, where: tuple[Any, ...]) -> None:
    """At the object that holds the code; its mapping leads to one component for each code."""
    found = service(dialect=dialect).openapi()
    (media,) = found["paths"]["/v1/invoices/{number}"]["put"]["responses"]["404"]["content"].values()
    node = media["schema"]["allOf"] if where else media["schema"]
    for part in where:
        node = node[part]
    assert node["discriminator"]["propertyName"] == "code"
    mapping = node["discriminator"]["mapping"]
    assert set(mapping) == {"customer_not_found", "invoice_not_found"}
    assert [{"$ref": reference} for reference in mapping.values()] == node["oneOf"]
    for reference in mapping.values():
        assert reference.removeprefix("#/components/schemas/") in found["components"]["schemas"]


def test_headers_are_described_with_real_examples() -> None:
    """Retry-After where it is sent, WWW-Authenticate on 401, the request ID everywhere, successes included."""
    responses = service(dialect="openai").openapi()["paths"]["/v1/invoices/{number}"]["put"]["responses"]
    assert responses["429"]["headers"]["Retry-After"]["example"] == 60
    assert responses["429"]["headers"]["Retry-After"]["required"] is True
    assert "Retry-After" not in responses["404"]["headers"]
    assert responses["401"]["headers"]["WWW-Authenticate"]["example"] == 'Bearer realm="api"'
    assert all("x-request-id" in response["headers"] for response in responses.values())


def test_no_header_is_promised_that_an_occurrence_may_lack() -> None:
    """Allow, which only the raiser knows, and the milliseconds, which a wait that is too long does not get."""
    app = FastAPI()
    install(app, dialect="openai", catalog=Catalog([QuotaUsed]))

    @app.get("/")
    @raises(QuotaUsed, MethodNotAllowedError)
    def read(fail: str) -> None:
        raise QuotaUsed(retry_after=3600) if fail == "quota" else MethodNotAllowedError

    responses = app.openapi()["paths"]["/"]["get"]["responses"]
    client = TestClient(app)
    for fail, header in (("quota", "retry-after-ms"), ("method", "Allow")):
        reply = client.get(f"/?fail={fail}")
        described = responses[str(reply.status_code)]["headers"]
        assert header not in reply.headers
        assert "example" in described[header]
        assert not described[header].get("required")
        assert all(name in reply.headers for name, field in described.items() if field.get("required"))


@pytest.mark.parametrize("dialect", [name for name in PRESETS if name != "problem"])
def test_problem_details_that_clients_may_ask_for_are_described(dialect: str) -> None:
    """Beside the path's own form, under the same statuses; and that the answer depends on Accept."""
    app = service(dialect=dialect, negotiate=True)
    found = app.openapi()
    validate(found)
    responses = found["paths"]["/v1/invoices/{number}"]["put"]["responses"]
    client = TestClient(app, raise_server_exceptions=False)
    for accept, media_type in (("application/problem+json", "application/problem+json"), ("*/*", None)):
        headers = {"Accept": accept, "Authorization": "Bearer x"}
        for body in ({}, {"name": "n"}):
            reply = client.put("/v1/invoices/1?fail=invoice_not_found", json=body, headers=headers)
            promised = responses[str(reply.status_code)]
            own = media_type or get_dialect(dialect).media_type
            assert reply.headers["content-type"] == own
            validator(found, promised["content"][own]["schema"]).validate(reply.json())
            assert promised["headers"]["Vary"] == {
                "schema": {"type": "string"}, "example": "Accept", "required": True
            }  # fmt: skip
            assert reply.headers["vary"] == "Accept"
    plain = service(dialect=dialect).openapi()["paths"]["/v1/invoices/{number}"]["put"]["responses"]
    assert "application/problem+json" not in plain["404"]["content"]


def test_the_frameworks_own_validation_schema_is_gone() -> None:
    """Neither HTTPValidationError nor ValidationError is left, unless the service itself uses it."""
    assert "HTTPValidationError" not in json.dumps(service(dialect="problem").openapi())
    assert "ValidationError" not in service(dialect="problem").openapi()["components"]["schemas"]

    app = FastAPI()
    install(app)

    @app.post("/")
    def post(body: ValidationError) -> None: ...

    assert "ValidationError" in app.openapi()["components"]["schemas"]


def test_what_the_service_describes_itself_is_kept() -> None:
    """Its words stand before ours, and a status that no code has stays."""
    responses = service(dialect="problem").openapi()["paths"]["/v1/invoices/{number}"]["put"]["responses"]
    assert responses["409"]["description"].startswith("Too late.\n\n`invoice_sent`: It has been sent.")
    assert responses["418"]["description"] == "A teapot."


def test_every_dialect_describes_its_own_paths() -> None:
    """A path that is left alone keeps FastAPI's schema; two dialects have their own components."""
    app = service(dialect={"/": None, "/v1": "openai", "/health": "problem"})
    app.get("/plain/{n}")(lambda n: n)
    found = app.openapi()
    validate(found)
    assert "application/problem+json" in found["paths"]["/health"]["get"]["responses"]["500"]["content"]
    assert "application/json" in found["paths"]["/v1/invoices/{number}"]["put"]["responses"]["500"]["content"]
    assert list(found["paths"]["/plain/{n}"]["get"]["responses"]) == ["200", "422"]
    assert "HTTPValidationError" in found["components"]["schemas"]


def test_add_middleware_is_enough() -> None:
    """The served document tells of errors, without any call."""
    app = FastAPI()
    app.add_middleware(ErrorMiddleware, dialect="kaiko")

    @app.get("/{number}")
    def read(number: int) -> None: ...

    found = TestClient(app).get("/openapi.json").json()
    assert sorted(found["paths"]["/{number}"]["get"]["responses"]) == ["200", "422", "500"]
    assert found["components"]["schemas"].keys() == {
        "KaikoError",
        "Kaiko.Error",
        "KaikoError.internal",
        "KaikoError.validation_failed",
    }


def test_a_mounted_applications_own_document_is_completed_too() -> None:
    """In the dialect of the path that it is mounted under."""
    inner = FastAPI()

    @inner.get("/x")
    @raises(InvoiceSent)
    def x() -> None: ...

    app = FastAPI()
    install(app, dialect={"/": "problem", "/inner": "kaiko"}, catalog=CATALOG)
    app.mount("/inner", inner)
    found = TestClient(app).get("/inner/openapi.json").json()
    assert found["paths"]["/x"]["get"]["responses"].keys() == {"200", "409", "500"}
    assert "KaikoError" in found["components"]["schemas"]


def test_websockets_and_hidden_routes_are_listed_and_not_described() -> None:
    """`operations` knows them for `check`; the document leaves them out."""
    app = service(dialect="problem")

    @app.websocket("/ws/{room}")
    async def chat(room: str) -> None: ...

    @app.get("/hidden", include_in_schema=False)
    def hidden() -> None: ...

    found = {(op.method, op.path): op.documented for op in operations(app)}
    assert found[("WEBSOCKET", "/ws/{room}")] is False
    assert found[("GET", "/hidden")] is False
    assert found[("PUT", "/v1/invoices/{number}")] is True
    assert list(app.openapi()["paths"]) == ["/health", "/v1/invoices/{number}"]


def test_routes_added_later_are_described_too() -> None:
    """The document is made anew when the routes change, else kept."""
    app = service(dialect="problem")
    assert app.openapi() is app.openapi()

    @app.get("/later")
    @raises(InvoiceSent)
    def later() -> None: ...

    app.openapi_schema = None
    assert "409" in app.openapi()["paths"]["/later"]["get"]["responses"]


def test_a_documents_own_function_is_wrapped_not_replaced() -> None:
    """A service that shapes its document itself keeps its changes."""
    app = FastAPI()
    own: Callable[[], dict[str, Any]] = app.openapi

    def shaped() -> dict[str, Any]:
        return {**own(), "x-mine": True}

    app.openapi = shaped  # type: ignore[method-assign]
    install(app)
    app.get("/")(lambda: None)
    found = app.openapi()
    assert found["x-mine"] is True
    assert "500" in found["paths"]["/"]["get"]["responses"]


PLAIN: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "T", "version": "1"},
    "security": [{"key": []}],
    "paths": {
        "/things/{id}": {
            "parameters": [{"$ref": "#/components/parameters/Id"}],
            "get": {"x-errorkit-codes": ["invoice_not_found"], "responses": {"200": {"description": "OK"}}},
            "post": {
                "security": [],
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}},
                "responses": {"404": {"description": "Gone.", "x-errorkit-codes": ["customer_not_found"]}},
            },
        }
    },
    "components": {
        "parameters": {"Id": {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}},
        "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        "schemas": {
            "Thing": {"type": "object", "properties": {"inner": {"$ref": "#/components/schemas/Inner"}}},
            "Inner": {
                "type": "object",
                "properties": {"colour": {"type": "string"}, "again": {"$ref": "#/components/schemas/Thing"}},
            },
        },
    },
}


@pytest.mark.parametrize("dialect", PRESETS)
def test_any_document_is_completed(dialect: str) -> None:
    """OpenAPI 3.0 without FastAPI: references followed, security read, null spelled the old way, input untouched."""
    before = json.dumps(PLAIN)
    chosen = get_dialect(dialect)
    found = document(PLAIN, CATALOG, lambda _path: chosen, Options())
    validate(found)
    assert json.dumps(PLAIN) == before
    assert "x-errorkit-codes" not in json.dumps(found)
    media = chosen.media_type
    described = codes(found, "/things/{id}", "get", media)
    spell = chosen.spell
    assert described["401"] == [spell("unauthenticated")]
    assert described["404"] == [spell("invoice_not_found")]
    posted = codes(found, "/things/{id}", "post", media)
    assert "401" not in posted
    assert posted["404"] == [spell("customer_not_found")]
    assert spell("malformed_json") in posted["400"]
    if dialect == "kaiko":
        assert posted["422"] == ["invalid_role", "malformed_json", "validation_failed"]
    if dialect == "openai":
        assert found["components"]["schemas"]["OpenAI.Error"]["properties"]["param"] == {
            "title": "Param",
            "type": "string",
            "nullable": True,
        }


def test_an_own_dialect_without_a_schema_or_a_code_is_described_all_the_same() -> None:
    """Anything where it declares no body; no discriminator where the body holds no code."""

    class Bare(BaseDialect):
        name = "bare"

        def read(self, status: int, headers: Any, body: Any) -> Any:
            return self.public(status, headers)

        def write(self, public: Any) -> Any:
            return [public.message]

    bare = Bare()
    found = document(PLAIN, CATALOG, lambda _path: bare, Options())
    validate(found)
    response = found["paths"]["/things/{id}"]["get"]["responses"]["404"]
    assert response["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/BareError"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"openapi": "2.0"}, "openapi='2.0': only OpenAPI 3 documents are understood"),
        ({"openapi": None}, "only OpenAPI 3"),
        (
            {"paths": {"/x": {"get": {"x-errorkit-codes": ["invoice_not_fond"]}}}},
            "GET /x declares a code that the catalogue does not have: .* did you mean 'invoice_not_found'",
        ),
    ],
)
def test_a_document_that_cannot_be_completed_is_refused(change: dict[str, Any], words: str) -> None:
    """With the place and the nearest code."""
    problem = get_dialect("problem")
    with pytest.raises(ValueError, match=words):
        document({**PLAIN, **change}, CATALOG, lambda _path: problem, Options())


@pytest.mark.parametrize("declare", [raises, errors])
@pytest.mark.parametrize("wrong", ["not_found", NotFoundError(), HTTPException])
def test_only_classes_of_errors_are_declared(declare: Any, wrong: Any) -> None:
    """A string, an instance or a foreign class is refused where it is written."""
    with pytest.raises(TypeError, match="declare classes, for example NotFoundError"):
        declare(wrong)
