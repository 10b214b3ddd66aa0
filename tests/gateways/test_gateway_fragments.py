"""Whatever a catalogue holds, the fragments stay valid and say it to the letter."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from gateway_rig import COMMANDS, Start, ask, gateway, generate, judge, request
from hypothesis import given
from hypothesis import strategies as st

from errorkit.catalog import Catalog
from errorkit.dialects import get_dialect
from errorkit.dialects.openai import OpenAI
from errorkit.encoding import encode
from errorkit.errors import (
    BadGatewayError,
    ForbiddenError,
    NotFoundError,
    RequestTimeoutError,
    ServiceUnavailableError,
)
from errorkit.publish import Options
from errorkit.publish.gateways.error_pages import Page, pages

NASTY = (
    'it\'s $uri ${host} "quoted" \\ \\\\ \\n {host} {http.request.uri} {{x}} {$HOME} %PROTOCOL% 100% %% `tick` '
    "# ; } \t\n\r </script> grüße 漢字 🎉 \u2028 \x7f \x01 'end\\"
)


class Lost(NotFoundError):
    """A not-found error whose every word is trouble."""

    code = "not_found"
    type = "https://errors.example.com/lost"  # else the title would be the status's phrase
    title, message = NASTY, NASTY
    default_headers = {"X-Note": 'it\'s "here" 100% %PROTOCOL% \\ # ; end'}


class Down(BadGatewayError):
    """A 502 with advice of its own."""

    code = "bad_gateway"
    default_retry_after = 30


class Long(ServiceUnavailableError):
    """More words than nginx takes."""

    code = "service_unavailable"
    message = "x" * 5000


@pytest.mark.parametrize("kind", sorted(COMMANDS))
def test_no_character_means_anything_to_a_gateway(kind: str, tmp_path: Path) -> None:
    """Quotes, escapes, variables, placeholders and formats in a message reach the client as they are."""
    dialect = get_dialect("problem")
    with gateway(kind, dialect, tmp_path, generate(kind, dialect, Catalog([Lost]))) as front:
        answer = ask(front.port, request("/nowhere", "X-Request-ID: sent-1"))
    assert answer.status == 404
    told = [answer.json[member] for member in ("title", "detail", "code", "status", "request_id")]
    assert told == [NASTY, NASTY, "not_found", 404, "sent-1"]
    assert answer.header("x-note") == Lost.default_headers["X-Note"]


@pytest.mark.parametrize("kind", sorted(COMMANDS))
def test_a_dialects_own_id_header_is_used_throughout(kind: str, tmp_path: Path) -> None:
    """A dialect that carries the id in `Request-Id` gets it there, from the client to the service and back."""

    class Other(OpenAI):
        request_id_header = "Request-Id"

    with gateway(kind, Other(), tmp_path) as front:
        sent = request("/closed", "Request-Id: sent-1", "X-Request-ID: other")
        assert judge(front, ask(front.port, sent), 503 if kind == "envoy" else 502) == "sent-1"
        echo = ask(front.port, request("/app/echo", "Request-Id: sent-1")).json
        assert echo["seen"] == ["sent-1"]
        (made,) = ask(front.port, request("/app/echo", 'Request-Id: a"b')).json["seen"]
        assert made == ask(front.port, request("/app/echo", f"Request-Id: {made}")).header("Request-Id")


@pytest.mark.parametrize("kind", sorted(COMMANDS))
def test_browsers_may_read_the_gateways_errors(kind: str, tmp_path: Path) -> None:
    """With `allow_origin` the gateway's own errors carry the CORS fields; the service's stay as they are."""
    dialect = get_dialect("openai")
    files = generate(kind, dialect, allow_origin="https://shop.example")
    with gateway(kind, dialect, tmp_path, files) as front:
        answer = ask(front.port, request("/closed"))
        passed = ask(front.port, request("/app/raise/404"))
    assert answer.header("Access-Control-Allow-Origin") == "https://shop.example"
    assert answer.header("Access-Control-Expose-Headers") == "x-request-id, Retry-After"
    assert passed.header("Access-Control-Allow-Origin") is None


@pytest.mark.parametrize("kind", sorted(COMMANDS))
def test_no_id_of_a_client_is_kept_where_none_is_trusted(kind: str, tmp_path: Path) -> None:
    """With `trust_inbound=no` even a safe id is replaced, and what replaces it is the same everywhere."""
    dialect = get_dialect("problem")
    with gateway(kind, dialect, tmp_path, generate(kind, dialect, trust_inbound="no")) as front:
        echo = ask(front.port, request("/app/echo", "X-Request-ID: sent-1"))
        answers = [
            ask(front.port, request(path, "X-Request-ID: sent-1")) for path in ("/closed", "/nowhere", "/private")
        ]
    assert echo.json["seen"] == [echo.header("X-Request-ID")] != ["sent-1"]
    for answer in answers:
        assert answer.json["request_id"] == answer.header("X-Request-ID") != "sent-1"


def test_an_included_location_passes_the_id_on(start: Start) -> None:
    """A location with a `proxy_set_header` of its own sends the checked id once the fragment is included."""
    (seen,) = ask(start("nginx").port, request("/app/echo/own-and-ours", 'X-Request-ID: a"b')).json["seen"]
    assert '"' not in seen


@pytest.mark.parametrize(("path", "status", "body"), [("/health", 200, b"fine"), ("/moved", 301, b"")])
def test_answers_that_are_no_errors_are_untouched(start: Start, path: str, status: int, body: bytes) -> None:
    """Envoy's own answers under 400, which pass the same configuration, keep their bodies."""
    answer = ask(start("envoy").port, request(path))
    assert (answer.status, answer.body) == (status, body)


def test_advice_comes_from_the_catalogue_or_the_configuration() -> None:
    """Retry-After is what the service would advise, and the verdict falls with a wait that is too long."""

    def advice(catalog: Catalog, **options: Any) -> tuple[str | None, str]:
        found = {page.status: page for page in pages(catalog, get_dialect("openai"), Options(**options))}[502]
        headers = {header.name: header.value for header in found.headers}
        return headers.get("Retry-After"), headers["x-should-retry"]

    assert advice(Catalog()) == (None, "true")
    assert advice(Catalog([Down])) == ("30", "true")
    assert advice(Catalog(), retry_after={"bad_gateway": 0.2}) == ("1", "true")
    assert advice(Catalog(), retry_after={"bad_gateway": 61}) == ("61", "false")
    assert advice(Catalog([Down]), max_retry_wait=10) == ("30", "false")


@given(st.text(), st.sampled_from(["$", "{}`", "%", "'"]))
def test_an_escape_changes_no_meaning(text: str, characters: str) -> None:
    """A body with JSON escapes for what a gateway would misread is the same JSON, and holds none of it in strings."""
    body = encode({text: {"message": text, "list": [text, 1, None]}}).decode()
    page = Page(404, 404, "not_found", (), body, "application/json")
    escaped = page.escaped(characters)
    assert json.loads(escaped) == json.loads(page.body)
    structure = Counter("{" * 2 + "}" * 2)
    assert all(Counter(escaped)[c] == structure[c] for c in characters)


def test_every_status_of_the_catalogue_has_a_page() -> None:
    """A status that only the service's own catalogue knows is answered, too."""

    class Teapot(NotFoundError):
        code, status = "teapot", 418

    found = {page.status: page.code for page in pages(Catalog([Teapot]), get_dialect("problem"), Options())}
    assert found[418] == "teapot"
    assert {400, 404, 413, 414, 429, 431, 500, 502, 503, 504, 505} < set(found)


def test_a_page_has_the_header_fields_of_the_services_answer() -> None:
    """What a class declares is sent once; what follows from the answer itself cannot be declared."""

    class Cached(NotFoundError):
        code = "not_found"
        default_headers = {
            "Cache-Control": "max-age=60",
            "Retry-After": "99",
            "Content-Type": "text/plain",
            "ETag": "x",
        }

    class Concealed(Cached):
        code = "not_found"
        concealable = True

    def fields(catalog: Catalog) -> dict[str, str]:
        found = {page.status: page for page in pages(catalog, get_dialect("problem"), Options())}[404]
        assert len({header.name.lower() for header in found.headers}) == len(found.headers)
        return {header.name: header.value for header in found.headers}

    same = {"X-Content-Type-Options": "nosniff", "ETag": "x"}
    assert fields(Catalog([Cached])) == {**same, "Cache-Control": "max-age=60"}
    assert fields(Catalog([Concealed])) == {**same, "Cache-Control": "no-store"}


@pytest.mark.parametrize("kind", sorted(COMMANDS))
def test_the_same_input_gives_the_same_files(kind: str) -> None:
    """`--check` can compare: no time, no random value, a newline at the end."""
    files = generate(kind, get_dialect("problem"))
    assert files == generate(kind, get_dialect("problem"))
    assert all(text.endswith("\n") for text in files.values())


def test_what_a_language_cannot_hold_is_refused() -> None:
    """A value that a configuration language has no spelling for is named, not mangled."""

    class Dollar(NotFoundError):
        code = "not_found"
        default_headers = {"X-Price": "$5"}

    class Tick(NotFoundError):
        code = "not_found"
        default_headers = {"X-Tick": "{host}"}

    problem = get_dialect("problem")
    with pytest.raises(ValueError, match=r"header X-Price holds a '\$'"):
        generate("nginx", problem, Catalog([Dollar]))
    with pytest.raises(ValueError, match=r"body of 503 \(service_unavailable\) is too long for nginx"):
        generate("nginx", problem, Catalog([Long]))
    with pytest.raises(ValueError, match="header X-Tick holds a backtick or an opening brace"):
        generate("caddy", problem, Catalog([Tick]))
    with pytest.raises(ValueError, match="trust_inbound='maybe': use yes or no"):
        generate("envoy", problem, trust_inbound="maybe")
    with pytest.raises(ValueError, match="allow_origin"):
        generate("envoy", problem, allow_origin="https://a\r\nX: y")


def test_a_status_that_the_service_conceals_is_concealed_by_its_gateway() -> None:
    """Where every 403 of the service is shown as a 404, one that a gateway invents is, too, byte for byte."""

    class Hidden(ForbiddenError):
        code = "forbidden"
        concealable = True

    found = {page.status: page for page in pages(Catalog([Hidden]), get_dialect("problem"), Options())}
    assert (found[403].sent, found[403].body) == (404, found[404].body)


def test_a_status_whose_error_is_sent_with_another_keeps_its_own() -> None:
    """A catalogue that moves `request_timeout` to 425 has no error for a gateway's 408; the words still fit."""

    class Moved(RequestTimeoutError):
        code = "request_timeout"
        status, message = 425, "Too slow."

    found = {page.status: page for page in pages(Catalog([Moved]), get_dialect("problem"), Options())}
    assert [(page.sent, json.loads(page.body)["status"]) for page in (found[408], found[425])] == [
        (408,) * 2,
        (425,) * 2,
    ]
    assert json.loads(found[408].body)["detail"] == "Too slow."


def test_a_gateway_does_not_claim_to_negotiate() -> None:
    """Where clients of the service may ask for problem details, its gateway still answers in one form."""
    plain = pages(Catalog(), get_dialect("openai"), Options())
    assert pages(Catalog(), get_dialect("openai"), Options(negotiate=True)) == plain
