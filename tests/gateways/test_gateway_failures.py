"""What a gateway invents looks like the service's own, in every dialect."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from gateway_rig import Gateway, Start, ask, free_port, gateway, judge, request

from errorkit.dialects import PRESETS, get_dialect
from requirements import require

SENT = "X-Request-ID: sent-1"


class Failing(NamedTuple):
    """A request that the gateway itself answers.

    kept: the id that the client sent can be read and is used. times: asked so often, the
    last answer counts. but: header fields that the gateway sets better than the service.
    """

    status: int
    request: bytes
    kept: bool = True
    times: int = 1
    but: frozenset[str] = frozenset()


NGINX = {
    "upstream refuses the connection": Failing(502, request("/closed", SENT)),
    "upstream is too slow": Failing(504, request("/bad/slow", SENT)),
    "upstream closes without an answer": Failing(502, request("/bad/closes", SENT)),
    "upstream sends a broken header": Failing(502, request("/bad/header", SENT)),
    "a location includes the fragment beside its own error_page": Failing(502, request("/own-and-ours", SENT)),
    "maintenance": Failing(503, request("/maintenance", SENT)),
    "a status by the configuration's own choice": Failing(451, request("/legal", SENT)),
    "no route": Failing(404, request("/nowhere", SENT)),
    "the internal location asked for directly": Failing(404, request("/__errorkit/502", SENT)),
    "no such file": Failing(404, request("/files/nothing", SENT)),
    "access denied": Failing(403, request("/forbidden", SENT)),
    "method denied": Failing(403, request("/read", SENT, method="POST")),
    "no credentials": Failing(401, request("/private", SENT), but=frozenset({"www-authenticate"})),
    "the authorisation service says no": Failing(401, request("/asks", SENT)),
    "method not allowed for a file": Failing(405, request("/files/page.txt", SENT, method="POST")),
    "TRACE": Failing(405, request("/closed", SENT, method="TRACE")),
    "CONNECT": Failing(400, request("a:1", SENT, method="CONNECT"), kept=False),
    "precondition of a file failed": Failing(412, request("/files/page.txt", SENT, 'If-Match: "other"')),
    "range of a file not satisfiable": Failing(416, request("/files/page.txt", SENT, "Range: bytes=90-")),
    "body too large": Failing(413, request("/small", SENT, method="POST", body=b"x" * 11)),
    "rate limit": Failing(429, request("/few", SENT), times=2),
    "unreadable request line": Failing(400, b"GET\r\n\r\n", kept=False),
    "control character in the method": Failing(400, b"G\x01T / HTTP/1.1\r\nHost: test\r\n\r\n", kept=False),
    "escaped NUL in the path": Failing(400, request("/a%00", SENT), kept=False),
    "line without a colon": Failing(400, request("/closed", SENT, "no colon")),
    "no Host": Failing(400, request("/closed", SENT, host=None)),
    "two Hosts": Failing(400, request("/closed", SENT, "Host: other")),
    "negative Content-Length": Failing(400, request("/closed", SENT, "Content-Length: -3", method="POST")),
    "length and chunks": Failing(
        400, request("/closed", SENT, "Content-Length: 3", "Transfer-Encoding: chunked", method="POST")
    ),
    "broken chunk": Failing(400, request("/closed", SENT, "Transfer-Encoding: chunked", method="POST") + b"zz\r\n"),
    "unknown transfer coding": Failing(501, request("/closed", SENT, "Transfer-Encoding: zig", method="POST")),
    "unknown HTTP version": Failing(505, request("/closed", SENT, version="HTTP/9.1"), kept=False),
    "header too large": Failing(431, request("/closed", SENT, "X: " + "z" * 5000)),
    "URI too long": Failing(414, request("/closed?" + "q" * 3000, SENT), kept=False),
}

ENVOY = {
    "upstream refuses the connection": Failing(503, request("/closed", SENT)),
    "upstream is too slow": Failing(504, request("/bad/slow", SENT)),
    "upstream closes without an answer": Failing(503, request("/bad/closes", SENT)),
    "upstream speaks no HTTP": Failing(502, request("/bad/bytes", SENT)),
    "upstream sends a broken header": Failing(502, request("/bad/header", SENT)),
    "no healthy upstream": Failing(503, request("/empty", SENT)),
    "maintenance": Failing(503, request("/maintenance", SENT)),
    "no route": Failing(404, request("/nowhere", SENT)),
    "access denied": Failing(403, request("/forbidden", SENT)),
    "rate limit": Failing(429, request("/few", SENT), times=2),
    "body too large": Failing(413, request("/small", SENT, method="POST", body=b"x" * 11)),
    "request that never ends": Failing(408, request("/closed", SENT, "Content-Length: 9", method="POST")),
    "unreadable request line": Failing(400, b"GET\r\n\r\n", kept=False),
    "control character in the method": Failing(400, b"G\x01T / HTTP/1.1\r\nHost: test\r\n\r\n", kept=False),
    "line without a colon": Failing(400, request("/closed", SENT, "no colon"), kept=False),
    "no Host": Failing(400, request("/closed", SENT, host=None)),
    "negative Content-Length": Failing(400, request("/closed", SENT, "Content-Length: -3", method="POST"), kept=False),
    "length and chunks": Failing(
        400, request("/closed", SENT, "Content-Length: 3", "Transfer-Encoding: chunked", method="POST"), kept=False
    ),
    "broken chunk": Failing(400, request("/closed", SENT, "Transfer-Encoding: chunked", method="POST") + b"zz\r\n"),
    "unknown transfer coding": Failing(
        501, request("/closed", SENT, "Transfer-Encoding: zig", method="POST"), kept=False
    ),
    "HTTP/1.0": Failing(426, request("/closed", SENT, version="HTTP/1.0"), kept=False),
    "unknown HTTP version": Failing(426, request("/closed", SENT, version="HTTP/9.1"), kept=False),
    "header too large": Failing(431, request("/closed", SENT, "X: " + "z" * 5000), kept=False),
    "a 4xx that nobody foresaw": Failing(400, request("/teapot", SENT)),
    "a 5xx that nobody foresaw": Failing(500, request("/odd", SENT)),
}

CADDY = {
    "upstream refuses the connection": Failing(502, request("/closed", SENT)),
    "upstream is too slow": Failing(504, request("/bad/slow", SENT)),
    "upstream closes without an answer": Failing(502, request("/bad/closes", SENT)),
    "upstream speaks no HTTP": Failing(502, request("/bad/bytes", SENT)),
    "upstream sends a broken header": Failing(502, request("/bad/header", SENT)),
    "upstream sends an impossible status": Failing(502, request("/bad/status", SENT)),
    "maintenance": Failing(503, request("/maintenance", SENT)),
    "no route": Failing(404, request("/nowhere", SENT)),
    "no such file": Failing(404, request("/files/nothing", SENT)),
    "hidden file": Failing(404, request("/files/secret.txt", SENT)),
    "access denied, with words that are nobody's business": Failing(
        403, request('/forbidden?"{system.hostname}', SENT)
    ),
    "no credentials": Failing(401, request("/private", SENT), but=frozenset({"www-authenticate"})),
    "rate limit": Failing(429, request("/few", SENT)),
    "CONNECT": Failing(404, request("a:1", SENT, method="CONNECT")),
    "no Host in HTTP/1.0": Failing(502, request("/closed", SENT, host=None, version="HTTP/1.0")),
    "a 4xx that nobody foresaw": Failing(400, request("/teapot", SENT)),
    "a 5xx that nobody foresaw": Failing(500, request("/odd", SENT)),
}


FAILURES = {"nginx": NGINX, "envoy": ENVOY, "caddy": CADDY}


def cases() -> Iterator[object]:
    """Every failure in one dialect, and the first of each status in every other."""
    for kind, failures in FAILURES.items():
        for dialect in PRESETS:
            seen: set[int] = set()
            for name, failing in failures.items():
                if dialect == "problem" or failing.status not in seen:
                    yield pytest.param(kind, dialect, failing, id=f"{kind}-{dialect}-{name}")
                seen.add(failing.status)


@pytest.mark.parametrize(("kind", "dialect", "failing"), list(cases()))
def test_a_gateway_answers_as_the_service_would(start: Start, kind: str, dialect: str, failing: Failing) -> None:
    """Status, body, content type and header fields are the service's; the client's id stays where it could be read."""
    gateway = start(kind, dialect)
    header = gateway.dialect.request_id_header.encode()
    for _ in range(failing.times):
        answer = ask(gateway.port, failing.request.replace(b"X-Request-ID", header))
    request_id = judge(gateway, answer, failing.status, failing.but)
    assert (request_id == "sent-1") is failing.kept


def test_head_has_the_fields_of_get_and_no_body(front: Gateway) -> None:
    """A HEAD request that the gateway answers tells the same as GET, without a body (RFC 9110 9.3.2)."""
    get, head = (ask(front.port, request("/closed", SENT, method=method)) for method in ("GET", "HEAD"))
    assert head.status == get.status
    assert head.body == b""
    assert [pair for pair in head.headers if pair[0].lower() != "date"] == [
        pair for pair in get.headers if pair[0].lower() != "date"
    ]


@pytest.mark.parametrize("kind", ["nginx", "caddy"])
def test_a_challenge_of_the_gateways_own_stands(start: Start, kind: str) -> None:
    """A 401 by the gateway's basic authentication says Basic, once, and not the catalogue's Bearer."""
    answer = ask(start(kind).port, request("/private"))
    assert (answer.header("WWW-Authenticate") or "").startswith("Basic realm=")


def test_nginx_answers_failures_of_tls_as_the_service_would(tmp_path: Path) -> None:
    """Its internal statuses for plain HTTP on a TLS port (497) and an absent client certificate (496) are a 400."""
    require("openssl")
    key, certificate, tls = tmp_path / "key.pem", tmp_path / "certificate.pem", free_port()
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-subj", "/CN=test", "-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    more = (
        f"listen 127.0.0.1:{tls} ssl; ssl_certificate {certificate}; ssl_certificate_key {key}; "
        f"ssl_verify_client on; ssl_client_certificate {certificate};"
    )
    context = ssl.create_default_context(cafile=str(certificate))
    context.check_hostname = False
    with gateway("nginx", get_dialect("problem"), tmp_path, more=more) as nginx:
        assert judge(nginx, ask(tls, request("/closed", SENT)), 400) == "sent-1"
        assert judge(nginx, ask(tls, request("/closed", SENT), context), 400) == "sent-1"
