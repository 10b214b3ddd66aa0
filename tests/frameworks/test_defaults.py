"""What each framework answers by itself is said in the dialect: every row with the real framework."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.debug import DebuggedApplication

import errorkit.asgi
import errorkit.wsgi
from driving import Reply, asgi, failures, wsgi
from errorkit.applications import ANYTHING, Inside
from errorkit.default_bodies import Default
from errorkit.framework_defaults import TABLE, recognised
from frameworks.applications import (
    SECRET,
    blacksheep,
    bottle,
    falcon_asgi,
    falcon_wsgi,
    litestar,
    patient,
    pyramid,
    quart,
)

JSON = [("content-type", "application/json")]


def django_wsgi() -> Any:
    from frameworks import django_project

    return django_project.wsgi


def django_asgi() -> Any:
    from frameworks import django_project

    return django_project.asgi


APPLICATIONS: dict[str, tuple[Callable[[], Any], Callable[..., Reply]]] = {
    "litestar": (litestar, asgi),
    "falcon": (falcon_wsgi, wsgi),
    "falcon.asgi": (falcon_asgi, asgi),
    "bottle": (bottle, wsgi),
    "quart": (quart, asgi),
    "pyramid": (pyramid, wsgi),
    "blacksheep": (blacksheep, asgi),
    "django": (django_wsgi, wsgi),
    "django.asgi": (django_asgi, asgi),
}


def ask(name: str, covered: bool | dict[str, Any], method: str, path: str, **more: Any) -> Reply:
    make, drive = APPLICATIONS[name]
    app = make()
    if covered is not False:
        adapter = errorkit.asgi if drive is asgi else errorkit.wsgi
        app = adapter.ErrorMiddleware(app, **(covered if isinstance(covered, dict) else {}))
    if drive is asgi:
        return asgi(patient(app), method, path, lifespan=False, **more)
    return wsgi(app, method, path, **more)


ACCEPTS_HTML = {"headers": [("accept", "text/html")]}
ACCEPTS_JSON = {"headers": [("accept", "application/json")]}
ACCEPTS_XML = {"headers": [("accept", "text/xml")]}
BAD_JSON = {"headers": JSON, "body": b"{"}
NOT_FOUND, FORBIDDEN = "The resource was not found.", "You are not allowed to do this."
INTERNAL, DOWN = "An internal error occurred.", "The service is temporarily unavailable."
INVALID = "The request is invalid."

ROWS: list[tuple[str, str, str, dict[str, Any], int, str, str]] = [
    ("litestar", "GET", "/nope", {}, 404, "not_found", NOT_FOUND),
    ("litestar", "GET", "/own", {}, 409, "conflict", "Seat 7 is taken."),
    ("litestar", "GET", "/extra", {}, 409, "conflict", "Seat 7 is taken."),
    ("litestar", "GET", "/crash", {}, 500, "internal", INTERNAL),
    ("litestar", "GET", "/down", {}, 503, "service_unavailable", DOWN),
    ("litestar", "GET", "/denied", {}, 403, "forbidden", FORBIDDEN),
    ("litestar", "GET", "/text", {}, 401, "unauthenticated", "Log in again."),
    ("litestar", "DELETE", "/own", {}, 405, "method_not_allowed", "The method is not allowed for this resource."),
    ("litestar", "POST", "/items", BAD_JSON, 400, "bad_request", "Input data was truncated"),
    (
        "litestar",
        "POST",
        "/items",
        {"headers": JSON, "body": b'{"name": 1}'},
        400,
        "validation_failed",
        "name: Expected `str`, got `int`",
    ),
    ("litestar", "GET", "/page?limit=1", {}, 400, "validation_failed", "offset: Field required"),
    *(
        row
        for name in ("falcon", "falcon.asgi")
        for row in [
            (name, "GET", "/nope", {}, 404, "not_found", NOT_FOUND),
            (name, "GET", "/nope", ACCEPTS_XML, 404, "not_found", NOT_FOUND),
            (name, "GET", "/nope", ACCEPTS_HTML, 404, "not_found", NOT_FOUND),
            (name, "GET", "/own", {}, 409, "conflict", "Taken: Seat 7 <is> taken."),
            (name, "GET", "/own", ACCEPTS_XML, 409, "conflict", "Taken: Seat 7 <is> taken."),
            (name, "GET", "/coded", {}, 409, "conflict", "Seat 7 is taken."),
            (name, "GET", "/coded", ACCEPTS_XML, 409, "conflict", "Seat 7 is taken."),
            (name, "GET", "/crash", {}, 500, "internal", INTERNAL),
            (name, "GET", "/down", {}, 503, "service_unavailable", DOWN),
            (name, "GET", "/denied", {}, 403, "forbidden", FORBIDDEN),
            (name, "GET", "/challenge", {}, 401, "unauthenticated", "Valid credentials are required."),
            (name, "GET", "/number", {}, 400, "bad_request", 'Missing parameter: The "n" parameter is required.'),
            (name, "DELETE", "/own", {}, 405, "method_not_allowed", "The method is not allowed for this resource."),
            (
                name,
                "POST",
                "/items",
                {"headers": JSON},
                400,
                "bad_request",
                "Invalid JSON: Could not parse an empty JSON body",
            ),
        ]
    ),
    ("bottle", "GET", "/nope", {}, 404, "not_found", "Not found: '/nope'"),
    ("bottle", "GET", "/own", {}, 409, "conflict", "Seat 7 <is> 'taken'."),
    ("bottle", "GET", "/crash", {}, 500, "internal", INTERNAL),
    ("bottle", "GET", "/down", {}, 503, "service_unavailable", DOWN),
    ("bottle", "GET", "/denied", {}, 403, "forbidden", FORBIDDEN),
    ("bottle", "DELETE", "/own", {}, 405, "method_not_allowed", "The method is not allowed for this resource."),
    ("bottle", "POST", "/items", BAD_JSON, 400, "bad_request", "Invalid JSON"),
    ("quart", "GET", "/nope", {}, 404, "not_found", NOT_FOUND),
    ("quart", "GET", "/own", {}, 409, "conflict", "Seat 7 <is>\ntaken."),
    ("quart", "GET", "/crash", {}, 500, "internal", INTERNAL),
    ("quart", "GET", "/down", {}, 503, "service_unavailable", DOWN),
    ("quart", "GET", "/denied", {}, 403, "forbidden", FORBIDDEN),
    ("quart", "DELETE", "/own", {}, 405, "method_not_allowed", "The method is not allowed for this resource."),
    ("quart", "POST", "/items", BAD_JSON, 400, "bad_request", INVALID),
    *(
        row
        for accepts in ({}, ACCEPTS_HTML, ACCEPTS_JSON)
        for row in [
            ("pyramid", "GET", "/nope", accepts, 404, "not_found", "The resource could not be found. /nope"),
            ("pyramid", "GET", "/own", accepts, 409, "conflict", "Seat 7 <is> taken."),
            ("pyramid", "GET", "/down", accepts, 503, "service_unavailable", DOWN),
            ("pyramid", "GET", "/denied", accepts, 403, "forbidden", "Access was denied to this resource."),
            ("pyramid", "DELETE", "/own", accepts, 404, "not_found", "The resource could not be found."),
        ]
    ),
    ("pyramid", "GET", "/crash", {}, 500, "internal", INTERNAL),
    ("blacksheep", "GET", "/nope", {}, 404, "not_found", NOT_FOUND),
    ("blacksheep", "GET", "/own", {}, 409, "conflict", "The request conflicts with the current state of the resource."),
    ("blacksheep", "GET", "/crash", {}, 500, "internal", INTERNAL),
    ("blacksheep", "GET", "/down", {}, 503, "service_unavailable", DOWN),
    ("blacksheep", "GET", "/denied", {}, 403, "forbidden", FORBIDDEN),
    ("blacksheep", "GET", "/number", {}, 400, "bad_request", "Missing query parameter `n`"),
    *(
        row
        for name in ("django", "django.asgi")
        for row in [
            (name, "GET", "/nope", {}, 404, "not_found", NOT_FOUND),
            (name, "GET", "/missing", {}, 404, "not_found", NOT_FOUND),
            (name, "GET", "/crash", {}, 500, "internal", INTERNAL),
            (name, "GET", "/denied", {}, 403, "forbidden", FORBIDDEN),
            (name, "GET", "/suspicious", {}, 400, "bad_request", INVALID),
            (name, "POST", "/get", {}, 403, "forbidden", "CSRF verification failed. Request aborted."),
            (name, "GET", "/rest/own", {}, 404, "not_found", "No thing 7."),
            (name, "GET", "/rest/denied", {}, 403, "forbidden", "You do not have permission to perform this action."),
            (
                name,
                "GET",
                "/rest/throttled",
                {},
                429,
                "rate_limited",
                "Request was throttled. Expected available in 7 seconds.",
            ),
            (name, "GET", "/rest/down", {}, 500, "internal", INTERNAL),
            (name, "GET", "/rest/crash", {}, 500, "internal", INTERNAL),
            (name, "GET", "/rest/words", {}, 400, "validation_failed", "2 fields are invalid."),
            (name, "DELETE", "/rest/own", {}, 405, "method_not_allowed", 'Method "DELETE" not allowed.'),
        ]
    ),
]


@pytest.mark.parametrize(
    "row", ROWS, ids=lambda row: f"{row[0]} {row[1]} {row[2]}" + "".join(f" {v}" for _, v in row[3].get("headers", ()))
)
def test_a_frameworks_default_is_said_in_the_dialect(
    row: tuple[str, str, str, dict[str, Any], int, str, str], log: list[dict[str, Any]]
) -> None:
    name, method, path, more, status, code, words = row
    bare = ask(name, False, method, path, **more)
    log.clear()
    reply = ask(name, True, method, path, **more)
    assert reply.raised is None
    assert (reply.status, reply.header("content-type")) == (status, "application/problem+json")
    if bare.raised is None:  # Pyramid lets what it does not know out
        assert bare.status == status
        assert bare.header("content-type") != "application/problem+json"
        own = {"content-type", "content-length", "x-request-id", "x-content-type-options", "cache-control"}
        kept = [(name.lower(), value) for name, value in bare.headers if name.lower() not in own]
        assert [pair for pair in kept if pair not in [(k.lower(), v) for k, v in reply.headers]] == []
    said = reply.json()
    assert (said["status"], said["code"], said["detail"]) == (status, code, words)
    assert SECRET not in reply.body.decode()
    (event,) = failures(log)
    assert (event["status"], event["code"], event["request_id"]) == (status, code, said["request_id"])


def findings(reply: Reply) -> list[tuple[str, str, str]]:
    return [(each["pointer"], each["code"], each["detail"]) for each in reply.json()["errors"]]


def test_findings_of_django_rest_framework_keep_their_places() -> None:
    """Nested members, items of lists, and what is about the whole."""
    wrong = {
        "name": "toolong",
        "lines": [{"sku": "a", "count": 1}, {"count": "x"}],
        "tags": [1, "x"],
        "address": 5,
    }
    reply = ask("django", True, "POST", "/rest/orders", headers=JSON, body=json.dumps(wrong).encode())
    assert (reply.status, reply.header("allow")) == (400, "POST, OPTIONS")
    assert findings(reply) == [
        ("#/name", "invalid_value", "Ensure this field has no more than 3 characters."),
        ("#/lines/1/sku", "missing_field", "This field is required."),
        ("#/lines/1/count", "invalid_value", "A valid integer is required."),
        ("#/tags/1", "invalid_value", "A valid integer is required."),
        ("#/address", "invalid_value", "Invalid data. Expected a dictionary, but got int."),
    ]
    right = {"name": "abc", "lines": [{"sku": "a", "count": 1}]}
    reply = ask("django", True, "POST", "/rest/orders", headers=JSON, body=json.dumps(right).encode())
    assert findings(reply) == [("#", "invalid_value", "The whole is wrong.")]


def test_what_litestar_tells_besides_survives() -> None:
    assert ask("litestar", True, "GET", "/extra").json()["extra"] == {"seat": 7}
    assert findings(ask("litestar", True, "GET", "/page?limit=1&token=abc")) == [
        ("#/offset", "missing_field", "Field required")
    ]
    assert ask("litestar", True, "GET", "/own").header("x-seat") == "7"


def test_an_authors_words_beside_litestars_findings_survive() -> None:
    fields = {"content-type": "application/json"}
    body = b'{"status_code":400,"detail":"Bad seats.","extra":[{"message":"Taken.","key":"seats.0"}]}'
    found = recognised(400, fields, body, of("litestar"))
    assert found is not None
    assert (found.message, [(d.path, d.message) for d in found.details]) == ("Bad seats.", [(("seats", "0"), "Taken.")])


def test_falcons_code_and_link_survive() -> None:
    for fields in ([], [("accept", "application/xml")]):
        said = ask("falcon", True, "GET", "/coded", headers=fields).json()
        assert (said["detail_code"], said["type"]) == (17, "https://api.test/17")


@pytest.mark.parametrize(
    ("name", "replaced"),
    [
        ("falcon", {"title": "Down", "description": SECRET}),
        ("litestar", {"status_code": 503, "detail": SECRET}),
        ("pyramid", "503 Service Unavailable\n\nThe server is currently unavailable."),
    ],
)
def test_the_words_of_a_5xx_are_in_the_event_alone(name: str, replaced: Any, log: list[dict[str, Any]]) -> None:
    reply = ask(name, True, "GET", "/down")
    assert SECRET not in reply.body.decode()
    told = failures(log)[0]["replaced"]
    assert told == replaced or (isinstance(told, str) and SECRET in told)


@pytest.mark.parametrize(
    ("name", "path", "body", "left"),
    [
        ("django", "/branded", b"<h1>Acme</h1><p>Not yours.</p>", "no framework's default"),
        ("django", "/form", b'{"name": ["This field is required."]}', "no framework's default"),
        ("falcon", "/status", b'{"title": 7}', "no framework's default"),
        ("falcon.asgi", "/status", b'{"title": 7}', "no framework's default"),
    ],
)
def test_what_somebody_shaped_on_purpose_passes(
    name: str, path: str, body: bytes, left: str, log: list[dict[str, Any]]
) -> None:
    reply = ask(name, True, "GET", path)
    assert reply.body == body
    assert failures(log)[0]["left"] == left


def test_fields_that_do_not_describe_the_body_stay() -> None:
    assert ask("falcon", True, "GET", "/challenge").header("www-authenticate") == 'Basic realm="x"'
    assert ask("falcon", True, "GET", "/down").header("retry-after") == "7"
    assert ask("litestar", True, "GET", "/down").json()["status"] == 503
    assert ask("quart", True, "DELETE", "/own").header("allow") is not None
    assert ask("django", True, "GET", "/rest/throttled").header("retry-after") == "7"
    cookies = [v for k, v in ask("bottle", True, "GET", "/cookie").headers if k.lower() == "set-cookie"]
    assert cookies == ["a=1", "b=2"]


@pytest.mark.parametrize("policy", ["off"])
@pytest.mark.parametrize("name", APPLICATIONS)
def test_off_leaves_them_as_they_are(name: str, policy: Any) -> None:
    bare, reply = (ask(name, covered, "GET", "/nope") for covered in (False, {"normalise": policy}))
    assert reply.body == bare.body
    assert reply.header("content-type") == bare.header("content-type")


@pytest.mark.parametrize("name", APPLICATIONS)
def test_head_has_no_body_and_the_length_of_what_get_has_or_the_frameworks_own(name: str) -> None:
    """Of a page or of words that are not sent nobody can tell: these keep the framework's fields."""
    reply = ask(name, True, "HEAD", "/nope")
    assert (reply.status, reply.body) == (404, b"")
    whole = ask(name, name not in ("bottle", "pyramid"), "GET", "/nope")
    assert (reply.header("content-type"), reply.header("content-length")) == (
        whole.header("content-type"),
        whole.header("content-length"),
    )


@pytest.mark.parametrize("style", ["<style >", '<style nonce="aB3+/=">'])
def test_the_csrf_page_of_django_6_1_is_recognised(style: str) -> None:
    """It has one line more, and an attribute; the rest is that of Django 5.2."""
    page = ask("django", False, "POST", "/get").body.decode()
    robots = '  <meta name="robots"'
    page = page.replace(robots, '  <meta name="color-scheme" content="light dark" />\n' + robots)
    page = page.replace("<style>", style)
    found = recognised(403, {"content-type": "text/html"}, page.encode(), of("django"))
    assert found == Default("CSRF verification failed. Request aborted.")


# -- pages with tracebacks


def crash() -> None:
    raise ValueError(SECRET)


def debugging(name: str) -> tuple[Any, Callable[..., Reply]]:
    if name == "litestar":
        return litestar(debug=True), asgi
    if name == "bottle":
        return bottle(), wsgi
    if name == "quart":
        app = quart()
        app.debug = True
        return app, asgi
    if name == "flask":
        site = Flask(__name__)
        site.config["PROPAGATE_EXCEPTIONS"] = True
        site.add_url_rule("/crash", view_func=crash)
        return DebuggedApplication(site, evalex=False), wsgi
    if name == "blacksheep":
        return blacksheep(show_error_details=True), asgi
    return django_wsgi(), wsgi


@pytest.mark.parametrize("accept", ["text/html", "application/json", "*/*"])
@pytest.mark.parametrize("name", ["litestar", "bottle", "blacksheep", "quart", "flask", "django"])
def test_a_page_with_a_traceback_does_not_leak(name: str, accept: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import bottle as bottle_module
    from django.conf import settings as django_settings

    django_wsgi()
    monkeypatch.setattr(bottle_module, "DEBUG", True)
    monkeypatch.setattr(django_settings, "DEBUG", True)
    app, drive = debugging(name)
    adapter = errorkit.asgi if drive is asgi else errorkit.wsgi
    fields = [("accept", accept)]
    drive = partial(drive, lifespan=False) if drive is asgi else drive
    bare = drive(app, "GET", "/crash", headers=fields)
    assert SECRET in bare.body.decode()
    reply = drive(adapter.ErrorMiddleware(app), "GET", "/crash", headers=fields)
    assert (reply.status, reply.json()["code"]) == (500, "internal")
    assert SECRET not in reply.body.decode()
    wished = drive(adapter.ErrorMiddleware(app, reraise=True), "GET", "/crash", headers=fields)
    assert SECRET in wished.body.decode()


# -- bodies that look nearly like one


def samples() -> list[tuple[str, int, dict[str, str], bytes]]:
    """Real defaults, as the frameworks have written them."""
    found = []
    for name, method, path, more, status, _, _ in ROWS:
        bare = ask(name, False, method, path, **more)
        if bare.raised is None and bare.body:
            found.append((name, status, {k.lower(): v for k, v in bare.headers}, bare.body))
    return found


INSIDE = {
    "litestar": "Litestar", "falcon": "Falcon", "falcon.asgi": "Falcon", "bottle": "Bottle", "quart": "Quart",
    "pyramid": "Pyramid", "blacksheep": "BlackSheep", "django": "Django", "django.asgi": "Django",
}  # fmt: skip


@pytest.fixture(scope="module")
def defaults() -> list[tuple[str, int, dict[str, str], bytes]]:
    return samples()


def of(name: str) -> Inside:
    return Inside(frozenset({INSIDE[name]}), completely=True)


def says_its_status(name: str, body: bytes) -> bool:
    """Does a default repeat the status: one line, and `detail` alone, do not; nor does Falcon's with a title."""
    if name == "blacksheep" or b"Taken" in body or b"parameter" in body or b"Invalid JSON" in body or b"Down" in body:
        return False
    return body[:1] not in b"{[" or list(json.loads(body)) != ["detail"]


def test_another_status_or_media_type_is_no_default(defaults: list[tuple[str, int, dict[str, str], bytes]]) -> None:
    for name, status, fields, body in defaults:
        assert recognised(status, fields, body, of(name)) is not None, (name, body)
        if name != "litestar":  # its answers have the media type of the route
            assert recognised(status, {**fields, "content-type": "image/png"}, body, of(name)) is None
        if says_its_status(name, body):
            assert recognised(451, fields, body, of(name)) is None, (name, body)


def test_anything_added_is_somebody_elses(defaults: list[tuple[str, int, dict[str, str], bytes]]) -> None:
    for name, status, fields, body in defaults:
        text = body.decode()
        if text[:1] == "{" and "allow" not in fields:
            changed = [json.dumps({**json.loads(text), "further": 1}), json.dumps({"further": 1, **json.loads(text)})]
        elif text.lstrip()[:1] == "<":
            changed = [
                text.replace("<style", '<link rel="stylesheet" href="/own.css"><style'),
                text.replace("#eee", "#fed"),
            ]
            changed += [text + "<p>More.</p>", "<!-- ours -->" + text, text.replace("</title>", " | Acme</title>")]
            if b"<title>Taken" in body:  # where it is Falcon, any title may be the author's
                changed.pop()
        else:
            continue
        for each in changed:
            if each != text:
                assert recognised(status, fields, each.encode(), of(name)) is None, (name, each)


def test_what_is_of_another_framework_is_somebodys_own() -> None:
    """Where it is known what is inside, nothing else is a default."""
    fields = {"content-type": "application/json"}
    falcon, litestar_body = b'{"title": "404 Not Found"}', b'{"status_code":404,"detail":"Not Found"}'
    assert recognised(404, fields, falcon, of("falcon")) == Default()
    assert recognised(404, fields, falcon, of("litestar")) is None
    assert recognised(404, fields, litestar_body, of("falcon")) is None
    assert recognised(404, fields, falcon, ANYTHING) == recognised(404, fields, litestar_body, ANYTHING) == Default()
    assert recognised(404, fields, b'{"title": "Gone fishing"}', ANYTHING) is None
    assert recognised(404, fields, b'{"title": "Gone fishing"}', of("falcon")) == Default("Gone fishing")
    assert recognised(400, {**fields, "allow": "GET"}, b'{"name": ["No."]}', ANYTHING) is None
    assert recognised(400, fields, b'{"name": ["No."]}', of("django")) is None


@pytest.mark.parametrize(
    "body",
    [
        b'{"name": ["No."], "code": 7}', b'{"name": []}', b"[]", b"{}", b'{"name": "No."}', b'{"name": [1]}',
        b'{"name": [["No."]]}', b'{"name": {"a": null}}', b'[{"a": 1}]', b'{"a":' * 30 + b'["No."]' + b"}" * 30,
    ],
)  # fmt: skip
def test_what_is_no_field_dictionary_is_somebodys_own(body: bytes) -> None:
    fields = {"content-type": "application/json", "allow": "GET"}
    assert recognised(400, fields, body, of("django")) is None


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["detail", "status_code", "extra", "title", "description", "code", "link", "message", "status", "a"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from([400, 404, 409, 422, 500]),
    st.sampled_from(["application/json", "text/html", "text/plain", "application/xml", ""]),
    st.binary(max_size=60) | st.text(max_size=60).map(str.encode) | anything.map(lambda v: json.dumps(v).encode()),
    st.sampled_from([ANYTHING, *(Inside(row.frameworks, completely=True) for row in TABLE)]),
)
def test_no_body_makes_recognition_fail(status: int, media_type: str, body: bytes, inside: Inside) -> None:
    found = recognised(status, {"content-type": media_type, "allow": "GET"}, body, inside)
    assert found is None or isinstance(found, Default)


@pytest.mark.parametrize(
    "piece", [b"\n", b"\n\n\n", b"<p>", b"<br>", b"  <p>x</p>\n", b"<!-- ", b"Bad Request: ", b"[", b'{"a":', b"&lt;"]
)
@pytest.mark.parametrize("media_type", ["text/html", "text/plain", "application/json", "application/xml"])
def test_no_long_body_takes_long(
    piece: bytes, media_type: str, defaults: list[tuple[str, int, dict[str, str], bytes]]
) -> None:
    """Every form is linear in a body's length: half a megabyte of a troublesome piece is through at once."""
    heads = {body[: len(body) // 2] for _, _, fields, body in defaults if fields["content-type"].startswith(media_type)}
    for head in (b"", *sorted(heads)):
        for size in (8192, 1 << 19):
            body = (head + piece * (size // len(piece)))[:size]
            for status in (404, 500):
                recognised(status, {"content-type": media_type, "allow": "GET"}, body, ANYTHING)


# -- how it arrives


def page(status: int, fields: list[tuple[str, str]], chunks: Iterable[bytes]) -> Any:
    """A Django handler by its name, that answers what it is told."""

    class WSGIHandler:
        def __call__(self, environ: Any, start_response: Any) -> Any:
            start_response(f"{status} X", fields)
            return list(chunks)

    WSGIHandler.__module__ = "django.core.handlers.wsgi"
    return WSGIHandler()


DJANGO_404 = (
    b'\n<!doctype html>\n<html lang="en">\n<head>\n  <title>Not Found</title>\n</head>\n<body>\n'
    b"  <h1>Not Found</h1><p>The requested resource was not found on this server.</p>\n</body>\n</html>\n"
)
HTML = [("Content-Type", "text/html; charset=utf-8")]


def test_the_sample_is_djangos_own() -> None:
    assert ask("django", False, "GET", "/nope").body == DJANGO_404


@pytest.mark.parametrize(
    ("fields", "chunks"),
    [
        (HTML, [DJANGO_404]),
        (HTML, [DJANGO_404[:50], b"", DJANGO_404[50:]]),
        ([*HTML, ("Content-Encoding", "gzip")], [gzip.compress(DJANGO_404)]),
        ([*HTML, ("Content-Length", str(len(DJANGO_404)))], [DJANGO_404]),
    ],
    ids=["no length", "in parts", "gzip", "length"],
)
def test_a_known_frameworks_default_is_recognised_however_it_comes(fields: Any, chunks: list[bytes]) -> None:
    reply = wsgi(errorkit.wsgi.ErrorMiddleware(page(404, fields, chunks)))
    assert (reply.status, reply.json()["code"], reply.header("content-encoding")) == (404, "not_found", None)


@pytest.mark.parametrize(
    ("fields", "chunks", "left"),
    [
        (HTML, [DJANGO_404, b" " * 9000], "longer than 8192 bytes"),
        ([*HTML, ("Content-Encoding", "br")], [DJANGO_404], "content-encoding br"),
        ([*HTML, ("Content-Encoding", "gzip")], [DJANGO_404], "longer than 8192 bytes, or it cannot be unpacked"),
        ([("Content-Type", "text/event-stream")], [DJANGO_404], "a stream"),
        ([("Content-Type", "image/png")], [DJANGO_404], "no framework's default"),
    ],
    ids=["long", "unknown coding", "no gzip", "stream", "picture"],
)
def test_what_is_none_passes_byte_for_byte(
    fields: Any, chunks: list[bytes], left: str, log: list[dict[str, Any]]
) -> None:
    reply = wsgi(errorkit.wsgi.ErrorMiddleware(page(404, fields, chunks)))
    assert reply.body == b"".join(chunks)
    assert failures(log)[0]["left"] == left


def test_a_huge_page_that_unpacks_is_not_unpacked(log: list[dict[str, Any]]) -> None:
    bomb = gzip.compress(b"\n" * 50_000_000)
    reply = wsgi(errorkit.wsgi.ErrorMiddleware(page(500, [*HTML, ("Content-Encoding", "gzip")], [bomb])))
    assert reply.body == bomb
    assert failures(log)[0]["left"].startswith("longer than")
