"""Every documented failure of the example services: status, headers, exact body, one event."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import jsonschema
import pytest
from pydantic import TypeAdapter

from errorkit.dialects import get_dialect

DOCS = "https://docs.example.com/errors/"
ACME = {"Authorization": "Bearer acme-key"}
JSON = {**ACME, "Content-Type": "application/json"}

WHERE = [
    *((kind, dialect) for kind in ("fastapi", "flask") for dialect in ("problem", "openai", "kaplaix")),
    ("uvicorn", "problem"),
    ("gunicorn", "problem"),
]


class Finding(NamedTuple):
    path: str
    message: str
    code: str
    zod: str
    zod_message: str | None = None
    location: str = "body"


class Case(NamedTuple):
    id: str
    method: str
    path: str
    status: int
    code: str
    title: str
    message: str
    sent: dict[str, str] = ACME
    body: bytes = b""
    param: str | None = None
    more: dict[str, Any] = {}
    headers: dict[str, str] = {}
    findings: tuple[Finding, ...] = ()


NO_UUID = Finding(
    "idempotency-key", "Input should be a valid UUID", "invalid_value", "invalid_string", "Invalid uuid", "header"
)
NO_INT = Finding(
    "document_id",
    "Input should be a valid integer, unable to parse string as an integer",
    "invalid_value",
    "invalid_type",
    location="path",
)
TOO_SMALL = Finding("limit", "Input should be greater than or equal to 1", "invalid_value", "too_small", None, "query")
NO_LANGUAGE = Finding(
    "to", "Input should be 'en', 'la', 'eo' or 'tlh'", "unknown_language", "invalid_enum_value", None, "query"
)
BAD_SLUG = Finding("slug", "String should match pattern '^[a-z][a-z0-9-]*$'", "invalid_slug", "invalid_string")
NO_NAME = Finding("name", "Field required", "missing_field", "invalid_type", "Required")


def invalid(id: str, method: str, path: str, *findings: Finding, **more: Any) -> Case:
    message = (
        f"{findings[0].path}: {findings[0].message}" if len(findings) == 1 else f"{len(findings)} fields are invalid."
    )
    return Case(
        id, method, path, 422, "validation_failed", "Validation Failed", message,
        param=findings[0].path, findings=findings, **more,
    )  # fmt: skip


CASES = (
    Case("400 by the domain", "GET", "/v1/projects?cursor=7", 400, "invalid_cursor", "Invalid Cursor",
         "The cursor is not valid.", param="cursor"),
    Case("malformed JSON", "POST", "/v1/projects", 400, "malformed_json", "Malformed JSON",
         "The request body is not valid JSON.", JSON, b'{"slug": '),
    Case("401 no key", "GET", "/v1/projects", 401, "unauthenticated", "Invalid API Key",
         "A valid API key is required.", {}, headers={"WWW-Authenticate": 'Bearer realm="api"'}),
    Case("401 unknown key", "GET", "/v1/projects", 401, "unauthenticated", "Invalid API Key",
         "A valid API key is required.", {"Authorization": "Bearer guess"}, headers={"WWW-Authenticate": 'Bearer realm="api"'}),
    Case("402 plan used up", "POST", "/v1/projects", 402, "plan_limit_reached", "Plan Limit Reached",
         "Your plan allows 1 project(s).", {**JSON, "Authorization": "Bearer hooli-key"},
         b'{"slug": "more", "name": "More"}', more={"max_projects": 1}),
    Case("403 read-only key", "DELETE", "/v1/documents/1", 403, "read_only_key", "Read-only Key",
         "This API key may only read.", {"Authorization": "Bearer acme-read-key"}),
    Case("404 absent document", "GET", "/v1/documents/99", 404, "document_not_found", "Document Not Found",
         "There is no such document."),
    Case("404 another tenant's document", "GET", "/v1/documents/7", 404, "document_not_found", "Document Not Found",
         "There is no such document."),
    Case("404 another tenant's project", "GET", "/v1/projects/plans", 404, "project_not_found", "Project Not Found",
         "There is no such project."),
    Case("404 unknown route", "GET", "/v2/projects", 404, "not_found", "Not Found", "The resource was not found."),
    Case("405 unknown method", "DELETE", "/v1/projects/handbook", 405, "method_not_allowed", "Method Not Allowed",
         "The method is not allowed for this resource."),
    Case("409 by IntegrityError", "POST", "/v1/projects", 409, "duplicate_project", "Duplicate Project",
         "A project with this slug exists already.", JSON, b'{"slug": "handbook", "name": "Again"}'),
    Case("409 by ConflictError", "POST", "/v1/documents/2/publication", 409, "already_published", "Already Published",
         "Version 1 is already published.", param="document_id"),
    Case("410 deleted", "GET", "/v1/documents/5", 410, "document_deleted", "Document Deleted",
         "The document has been deleted."),
    Case("412 another version", "PUT", "/v1/documents/1", 412, "version_mismatch", "Version Mismatch",
         "The document has changed since you read it.", {**JSON, "If-Match": '"7"'},
         b'{"title": "t", "text": ""}', more={"current_version": 1}),
    Case("413 too large", "POST", "/v1/projects", 413, "content_too_large", "Content Too Large",
         "The request body is too large.", JSON, b" " * 65537),
    Case("415 wrong media type", "PUT", "/v1/documents/1/text", 415, "unsupported_media_type", "Unsupported Media Type",
         "Send the text as one of: text/plain, text/markdown.", {**ACME, "Content-Type": "application/pdf"}, b"%PDF",
         headers={"Accept": "text/plain, text/markdown"}),
    invalid("422 body", "POST", "/v1/projects", BAD_SLUG, NO_NAME, sent=JSON, body=b'{"slug": "Bad Slug"}'),
    invalid("422 path", "GET", "/v1/documents/zero", NO_INT),
    invalid("422 query", "GET", "/v1/projects?limit=0", TOO_SMALL),
    invalid("422 query, own code", "GET", "/v1/documents/1/translation?to=xx", NO_LANGUAGE),
    invalid("422 header", "POST", "/v1/projects", NO_UUID, sent={**JSON, "Idempotency-Key": "once"},
            body=b'{"slug": "new", "name": "New"}'),
    Case("423 locked", "DELETE", "/v1/documents/3", 423, "document_locked", "Document Locked",
         "The document is being edited."),
    Case("451 withheld", "GET", "/v1/documents/4", 451, "document_withheld", "Document Withheld",
         "The document is withheld by order of a court.", more={"blocked_by": "https://courts.example"},
         headers={"Link": '<https://courts.example/orders/451>; rel="blocked-by"'}),
    Case("500 crash", "GET", "/v1/projects/empty/statistics", 500, "internal", "Internal Server Error",
         "An internal error occurred."),
    Case("502 upstream's nonsense", "GET", "/v1/documents/1/translation?to=la", 502, "translation_garbled",
         "Translation Garbled", "The translator gave an unusable answer."),
    Case("504 upstream's silence", "GET", "/v1/documents/1/translation?to=tlh", 504, "translator_timeout",
         "Translator Timeout", "The translator did not answer in time."),
)  # fmt: skip

TYPES = {401: "authentication_error", 402: "insufficient_quota", 403: "permission_error"}
KAPLAIX = {
    "unauthenticated": "AUTHENTICATION_FAILED",
    "validation_failed": "VALIDATION_ERROR",
    "internal": "INTERNAL_ERROR",
}


def as_problem(case: Case, request_id: str) -> tuple[int, dict[str, Any]]:
    body: dict[str, Any] = {
        **case.more,
        "type": DOCS + case.code,
        "title": case.title,
        "status": case.status,
        "detail": case.message,
        "code": case.code,
        "request_id": request_id,
    }
    if case.param:
        body["param"] = case.param
    if case.findings:
        body["errors"] = [
            {"detail": f.message, "pointer": f"#/{f.path}", "code": f.code}
            | ({} if f.location == "body" else {"location": f.location})
            for f in case.findings
        ]
    return case.status, body


def as_openai(case: Case, request_id: str) -> tuple[int, dict[str, Any]]:
    coarse = TYPES.get(case.status, "invalid_request_error" if case.status < 500 else "server_error")
    error = {**case.more, "message": case.message, "type": coarse, "param": case.param, "code": case.code}
    if case.findings:
        error["details"] = [{"param": f.path, "code": f.code, "message": f.message} for f in case.findings]
    return 400 if case.findings else case.status, {"error": error}


def as_kaplaix(case: Case, request_id: str) -> tuple[int, dict[str, Any]]:
    error: dict[str, Any] = {"code": KAPLAIX.get(case.code, case.code.upper()), "message": case.message}
    if not case.findings:
        return case.status, {"error": error}
    query = case.findings[0].location == "query"
    error["message"] = "Invalid query parameters" if query else "Invalid request body"
    error["details"] = [{"path": [f.path], "message": f.zod_message or f.message, "code": f.zod} for f in case.findings]
    return 400, {"error": error}


EXPECTED: dict[str, Callable[[Case, str], tuple[int, dict[str, Any]]]] = {
    "problem": as_problem,
    "openai": as_openai,
    "kaplaix": as_kaplaix,
}
SCHEMAS = {name: TypeAdapter(get_dialect(name).Body).json_schema() for name in EXPECTED}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
@pytest.mark.parametrize(("kind", "dialect"), WHERE)
def test_a_failure_is_answered_in_the_dialect_and_recorded_once(service, kind, dialect, case) -> None:  # type: ignore[no-untyped-def]
    """Status, media type, headers and every byte of meaning in the body; one event under the same request ID."""
    if case.code == "malformed_json" and kind in ("fastapi", "uvicorn"):  # FastAPI rejects the request with it
        case = case._replace(status=get_dialect(dialect).status_invalid)
    answer = service(kind, dialect).send(case.method, case.path, case.sent, case.body)
    request_id = answer.headers["X-Request-ID"]
    status, body = EXPECTED[dialect](case, request_id)

    assert (answer.status, answer.json) == (status, body)
    jsonschema.validate(answer.json, SCHEMAS[dialect])
    media_type = "application/problem+json" if dialect == "problem" else "application/json"
    assert answer.headers["Content-Type"] == media_type
    assert {name: answer.headers.get(name) for name in case.headers} == case.headers
    assert answer.headers["Content-Length"] == str(len(answer.body))
    assert answer.headers.get_list("X-Request-ID") == [request_id]
    assert answer.headers["Cache-Control"] == "no-store"

    (event,) = answer.events
    assert (event["code"], event["status"], event["request_id"]) == (case.code, status, request_id)
    assert event["method"] == case.method
    assert event["path"] == case.path.partition("?")[0]
    assert ("exception" in event) == (status >= 500)


@pytest.mark.parametrize(("kind", "dialect"), WHERE)
def test_a_405_names_the_methods_that_there_are(service, kind, dialect) -> None:  # type: ignore[no-untyped-def]
    """Allow is set by the framework and survives."""
    answer = service(kind, dialect).send("DELETE", "/v1/projects/handbook", ACME)
    assert "GET" in answer.headers["Allow"]


@pytest.mark.parametrize(("kind", "dialect"), WHERE)
def test_a_503_says_when_to_come_back_in_whole_seconds(service, kind, dialect) -> None:  # type: ignore[no-untyped-def]
    """12.5 seconds are rounded up once; a problem carries the instant, too."""
    answer = service(kind, dialect).send("GET", "/v1/documents/1/translation?to=eo", ACME)
    assert (answer.status, answer.headers["Retry-After"]) == (503, "13")
    if dialect == "problem":
        assert answer.json["code"] == "translator_busy"
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", answer.json["resume_at"])
    (event,) = answer.events
    assert (event["code"], event["retry_after"]) == ("translator_busy", 13)
    assert "caused by examples.docstore.translator.TranslatorOverloaded" in event["exception"]


@pytest.mark.parametrize(("kind", "dialect"), WHERE)
def test_a_429_carries_retry_after_and_the_quota(service, kind, dialect) -> None:  # type: ignore[no-untyped-def]
    """The request after the last that is allowed: both header families agree with Retry-After."""
    initech = {"Authorization": "Bearer initech-key"}
    answers = [service(kind, dialect).send("GET", "/v1/projects", initech) for _ in range(4)]
    answer = answers[-1]
    assert answer.status == 429
    wait = answer.headers["Retry-After"]
    assert 1 <= int(wait) <= 60
    assert answer.headers["RateLimit-Policy"] == '"tenant";q=3;w=60'
    assert answer.headers["RateLimit"] == f'"tenant";r=0;t={wait}'
    assert answer.headers["X-RateLimit-Remaining"] == "0"
    assert answer.headers["X-RateLimit-Reset"] == wait
    public = get_dialect(dialect).read(answer.status, dict(answer.headers.items()), answer.json)
    assert (public.code, public.message) == ("rate_limited", "Rate limit exceeded: 3 requests/minute.")
    assert (public.retry_after, public.rate_limit and public.rate_limit.limit) == (int(wait), 3)
    (event,) = answer.events
    assert (event["code"], event["level"] if "level" in event else event["log_level"]) == ("rate_limited", "warning")


@pytest.mark.parametrize(("kind", "dialect"), WHERE)
def test_a_success_and_an_error_carry_the_quota_alike(service, kind, dialect) -> None:  # type: ignore[no-untyped-def]
    """A client sees what is left before it is refused; a success leaves no event."""
    globex = {"Authorization": "Bearer globex-key"}
    good = service(kind, dialect).send("GET", "/v1/documents/7", globex)
    bad = service(kind, dialect).send("GET", "/v1/documents/1", globex)
    assert (good.status, bad.status, good.events) == (200, 404, [])
    left = [int(answer.headers["X-RateLimit-Remaining"]) for answer in (good, bad)]
    assert left[1] == left[0] - 1
    assert good.headers["RateLimit-Policy"] == bad.headers["RateLimit-Policy"] == '"tenant";q=1000;w=60'
    assert good.headers["X-Request-ID"] != bad.headers["X-Request-ID"]


@pytest.mark.parametrize(("kind", "dialect"), WHERE)
def test_a_stream_of_events_that_dies_ends_with_an_event_in_the_dialect(service, kind, dialect) -> None:  # type: ignore[no-untyped-def]
    """What was sent stays, the last event tells of the failure, and the log knows what it was."""
    answer = service(kind, dialect).send("GET", "/v1/documents/6/narration", ACME)
    first, second, last, end = answer.body.decode().split("\n\n")
    assert (answer.status, answer.cut, end) == (200, False, "")
    assert [first, second] == ['data: {"line": "The first page."}', 'data: {"line": "The second page."}']
    assert ("event: error" in last) == (dialect != "openai")  # OpenAI's SDKs want it unnamed
    data = json.loads(last.rpartition("data: ")[2])
    crash = next(case for case in CASES if case.id == "500 crash")
    if dialect == "openai":  # what the events of the Responses API have
        assert (data.pop("type"), data.pop("sequence_number")) == ("error", 0)
    assert data == EXPECTED[dialect](crash, answer.headers["X-Request-ID"])[1]
    (event,) = answer.events
    assert (event["outcome"], event["code"], event["status"]) == ("stream_error", "internal", 500)
    assert event["exception_type"] == "builtins.UnicodeDecodeError"
    assert event["request_id"] == answer.headers["X-Request-ID"]


@pytest.mark.parametrize(("kind", "dialect"), WHERE)
def test_a_plain_stream_that_dies_is_visibly_cut(service, kind, dialect) -> None:  # type: ignore[no-untyped-def]
    """No clean end pretends that the document is complete; one event tells why."""
    answer = service(kind, dialect).send("GET", "/v1/projects/handbook/export", ACME)
    assert (answer.status, answer.cut) == (200, True)
    (event,) = answer.events
    assert (event["outcome"], event["exception_type"]) == ("aborted", "builtins.UnicodeDecodeError")
    assert event["path"] == "/v1/projects/handbook/export"


@pytest.mark.parametrize("kind", ["fastapi", "flask", "uvicorn", "gunicorn"])
def test_a_request_id_that_the_client_sends_is_used_throughout(service, kind) -> None:  # type: ignore[no-untyped-def]
    """Header, body and event hold the client's own id."""
    answer = service(kind, "problem").send("GET", "/v1/documents/99", {**ACME, "X-Request-ID": "support-case-4711"})
    (event,) = answer.events
    assert answer.headers["X-Request-ID"] == answer.json["request_id"] == event["request_id"] == "support-case-4711"


@pytest.mark.parametrize(
    ("kind", "path", "route"),
    [
        ("fastapi", "/v1/documents/99", "/v1/documents/{document_id}"),
        ("flask", "/v1/documents/99", "/v1/documents/<ref>"),
        ("uvicorn", "/v1/documents/6/narration", "/v1/documents/{document_id}/narration"),
        ("gunicorn", "/v1/documents/6/narration", "/v1/documents/<ref>/narration"),
    ],
)
def test_the_event_names_the_route(service, kind, path, route) -> None:  # type: ignore[no-untyped-def]
    """The framework's own template, for answers and for streams."""
    (event,) = service(kind, "problem").send("GET", path, ACME).events
    assert event["route"] == route
