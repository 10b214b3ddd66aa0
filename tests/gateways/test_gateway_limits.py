"""What a gateway cannot be made to do. Each is asserted, so that a gateway that learns it fails here."""

from __future__ import annotations

import re
from collections.abc import Callable
from http.client import BadStatusLine, IncompleteRead
from pathlib import Path

import pytest
from gateway_rig import COMMANDS, Gateway, Start, ask, gateway, generate, raw, request

from errorkit.dialects import get_dialect

SENT = "X-Request-ID: sent-1"
DOCS = Path(__file__).parents[2] / "docs" / "gateways.md"


def _is_page(gateway: Gateway, status: int, sent: bytes) -> None:
    answer = ask(gateway.port, sent)
    assert answer.status == status
    assert answer.header("content-type") == "text/html"
    assert answer.body.startswith(b"<html>")


def _is_text(gateway: Gateway, status: int, sent: bytes, text: bytes) -> None:
    answer = ask(gateway.port, sent)
    assert (answer.status, answer.body) == (status, text)
    assert answer.header("x-request-id") is None


def nginx_time_out(gateway: Gateway) -> None:
    assert raw(gateway.port, request("/impatient", SENT, "Content-Length: 9", method="POST")) == b""


def nginx_no_status_line(gateway: Gateway) -> None:
    assert raw(gateway.port, request("/bad/bytes", SENT, "Connection: close")) == b"no HTTP at all\n"


def nginx_own_error_page(gateway: Gateway) -> None:
    _is_page(gateway, 502, request("/own", SENT))


def nginx_own_proxy_header(gateway: Gateway) -> None:
    hostile = 'a"b'
    assert ask(gateway.port, request("/app/echo/own", f"X-Request-ID: {hostile}")).json["seen"] == [hostile]


def nginx_server_return(gateway: Gateway) -> None:
    _is_page(gateway, 503, request("/closed", SENT, "X-Off: 1"))


def nginx_unlisted_status(gateway: Gateway) -> None:
    answer = ask(gateway.port, request("/teapot", SENT))
    assert (answer.status, answer.body, answer.header("content-type")) == (418, b"", None)


def nginx_allow(gateway: Gateway) -> None:
    answer = ask(gateway.port, request("/files/page.txt", SENT, method="POST"))
    assert (answer.status, answer.header("allow")) == (405, None)


def nginx_reason(gateway: Gateway) -> None:
    answer = ask(gateway.port, request("/closed", SENT, "X: " + "z" * 5000))
    assert (answer.status, answer.reason) == (431, "")


def passes_impossible_status(gateway: Gateway) -> None:
    with pytest.raises(BadStatusLine, match="2000"):
        ask(gateway.port, request("/bad/status", SENT))


def envoy_upgrade(gateway: Gateway) -> None:
    answer = ask(gateway.port, request("/closed", SENT, version="HTTP/1.0"))
    assert (answer.status, answer.header("upgrade")) == (426, None)


def envoy_direct_response(gateway: Gateway) -> None:
    answer = ask(gateway.port, request("/maintenance", SENT))
    assert (answer.status, answer.json["code"]) == (503, "service_unavailable")
    assert b"later" not in answer.body


def envoy_order(gateway: Gateway) -> None:
    answer, own = ask(gateway.port, request("/nowhere", SENT)), ask(gateway.app, request("/app/raise/404", SENT))
    assert list(answer.json) == sorted(own.json) != list(own.json)
    assert answer.body.endswith(b"}\n")


def caddy_unreadable(gateway: Gateway) -> None:
    for sent in (
        b"GET\r\n\r\n",
        b"G\x01T / HTTP/1.1\r\nHost: test\r\n\r\n",
        request("/closed", SENT, "no colon"),
        request("/closed", SENT, "Host: other"),
        request("/closed", SENT, "Content-Length: -3", method="POST"),
    ):
        _is_text(gateway, 400, sent, b"400 Bad Request")
    _is_text(gateway, 400, request("/closed", host=None), b"400 Bad Request: missing required Host header")


def caddy_version(gateway: Gateway) -> None:
    text = b"505 HTTP Version Not Supported: unsupported protocol version"
    _is_text(gateway, 505, request("/closed", SENT, version="HTTP/9.1"), text)


def caddy_header_too_large(gateway: Gateway) -> None:
    _is_text(gateway, 431, request("/closed", "X: " + "z" * 20000), b"431 Request Header Fields Too Large")


def caddy_transfer_coding(gateway: Gateway) -> None:
    sent = request("/closed", SENT, "Transfer-Encoding: zig", method="POST")
    _is_text(gateway, 501, sent, b"Unsupported transfer encoding")


def caddy_expectation(gateway: Gateway) -> None:
    _is_text(gateway, 417, request("/closed", SENT, "Expect: 200-maybe"), b"")


def caddy_file_conditions(gateway: Gateway) -> None:
    _is_text(gateway, 416, request("/files/page.txt", "Range: bytes=90-"), b"invalid range: failed to overlap\n")
    _is_text(gateway, 412, request("/files/page.txt", 'If-Match: "other"'), b"")


def caddy_body_too_large(gateway: Gateway) -> None:
    answer = ask(gateway.port, request("/small", SENT, method="POST", body=b"x" * 11))
    assert (answer.status, answer.json["code"]) == (502, "bad_gateway")


def caddy_respond(gateway: Gateway) -> None:
    _is_text(gateway, 403, request("/responds", SENT), b"go away")


def broken_midway(gateway: Gateway) -> None:
    with pytest.raises(IncompleteRead) as caught:
        ask(gateway.port, request("/bad/half", SENT))
    assert caught.value.partial == b"half of it"


LIMITS: dict[tuple[str, str], Callable[[Gateway], None]] = {
    ("nginx", "a client that is too slow"): nginx_time_out,
    ("nginx", "an upstream without a status line"): nginx_no_status_line,
    ("nginx", "a location with an error_page of its own"): nginx_own_error_page,
    ("nginx", "a location with a proxy_set_header of its own"): nginx_own_proxy_header,
    ("nginx", "a return outside of a location"): nginx_server_return,
    ("nginx", "a status that nobody listed"): nginx_unlisted_status,
    ("nginx", "405 without Allow"): nginx_allow,
    ("nginx", "431 without a reason phrase"): nginx_reason,
    ("nginx", "an upstream's impossible status"): passes_impossible_status,
    ("envoy", "426 without Upgrade"): envoy_upgrade,
    ("envoy", "the body of a direct_response"): envoy_direct_response,
    ("envoy", "the order of members"): envoy_order,
    ("envoy", "an upstream's impossible status"): passes_impossible_status,
    ("caddy", "a request that cannot be read"): caddy_unreadable,
    ("caddy", "an unknown HTTP version"): caddy_version,
    ("caddy", "a header that is too large"): caddy_header_too_large,
    ("caddy", "an unknown transfer coding"): caddy_transfer_coding,
    ("caddy", "an unknown expectation"): caddy_expectation,
    ("caddy", "ranges and conditions of files"): caddy_file_conditions,
    ("caddy", "a body that is too large"): caddy_body_too_large,
    ("caddy", "the body of a respond"): caddy_respond,
    **{(kind, "an upstream that breaks off midway"): broken_midway for kind in COMMANDS},
}


@pytest.mark.parametrize(
    ("kind", "limit"),
    [pytest.param(kind, check, id=f"{kind}: {name}") for (kind, name), check in LIMITS.items()],
)
def test_a_limit_stands(start: Start, kind: str, limit: Callable[[Gateway], None]) -> None:
    """What the documentation says a gateway cannot do, it still cannot."""
    limit(start(kind))


def test_an_unmatched_route_needs_an_error_directive(tmp_path: Path) -> None:
    """Caddy answers 200 without a body where nothing matches and no `error 404` stands last."""
    with gateway("caddy", get_dialect("problem"), tmp_path, last="") as caddy:
        answer = ask(caddy.port, request("/nowhere", SENT))
    assert (answer.status, answer.body) == (200, b"")


@pytest.mark.parametrize("kind", sorted(COMMANDS))
def test_a_generated_id_has_the_dialects_prefix_and_the_gateways_length(kind: str, tmp_path: Path) -> None:
    """The prefix is the dialect's; the rest is a UUID or 32 hex digits, whatever length the dialect has."""
    with gateway(kind, get_dialect("kaiko"), tmp_path) as front:
        made = ask(front.port, request("/closed")).json["error"]["request_id"]
    assert re.fullmatch(r"req-([0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})", made)


def test_envoy_repeats_an_untrusted_id_to_a_client_without_a_host(tmp_path: Path) -> None:
    """With `trust_inbound=no` a safe id is still in the answer to a request that is refused before it is replaced."""
    dialect = get_dialect("problem")
    with gateway("envoy", dialect, tmp_path, generate("envoy", dialect, trust_inbound="no")) as envoy:
        assert ask(envoy.port, request("/closed", SENT, host=None)).json["request_id"] == "sent-1"


@pytest.mark.parametrize("kind", sorted(COMMANDS))
def test_no_gateway_tells_the_instant_to_come(start: Start, kind: str) -> None:
    """`resume_at` of the service's answer is left out; Retry-After says the same."""
    own = ask(start(kind).app, request("/app/raise/503"))
    answer = ask(start(kind).port, request("/maintenance"))
    assert "resume_at" in own.json
    assert "resume_at" not in answer.json
    assert answer.header("retry-after") == own.header("retry-after")


@pytest.mark.parametrize("kind", sorted(COMMANDS))
def test_no_gateway_encodes_an_id_for_connect(start: Start, kind: str) -> None:
    """Connect's body has the id within base64: a gateway sends it in the header alone, and the detail empty."""
    connect = start(kind, "connect")
    own, answer = ask(connect.app, request("/app/raise/404")), ask(connect.port, request("/nowhere"))
    (written,) = (each for each in own.json["details"] if each["type"] == "google.rpc.RequestInfo")
    (found,) = (each for each in answer.json["details"] if each["type"] == "google.rpc.RequestInfo")
    assert written["debug"] == {"requestId": own.header("X-Request-ID")}
    assert found["debug"] == {"requestId": ""}
    assert answer.header("X-Request-ID")


def test_the_documentation_lists_exactly_these_limits() -> None:
    """Every limit asserted here is named in docs/gateways.md under its gateway, and no other."""
    named = set()
    kind = ""
    for line in DOCS.read_text().splitlines():
        if line.startswith("### "):
            kind = line.removeprefix("### ").lower()
        row = re.match(r"\| \*\*(.+?)\*\* \|", line)
        if row:
            named.add((kind, row[1].replace("`", "")))
    everywhere = {"an upstream that breaks off midway"}
    asserted = {("all three", name) if name in everywhere else (kind, name) for kind, name in LIMITS}
    others = {
        ("caddy", "an unmatched route"),
        ("envoy", "a client's ID that is not trusted"),
        ("all three", "the length of generated ids"),
        ("all three", "resume_at"),
        ("all three", "the ID in Connect's body"),
    }
    assert named == asserted | others
