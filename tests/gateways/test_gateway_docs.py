"""The configurations that docs/gateways.md shows work as they stand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from gateway_rig import ask, free_port, generate, request, running

from errorkit.dialects import get_dialect
from requirements import require

PAGE = (Path(__file__).parents[2] / "docs" / "gateways.md").read_text()


def shown(heading: str, **replaced: str) -> str:
    """The first block under a heading, with what a test must choose itself replaced."""
    block = re.search(rf"^## {heading}\n.*?```text\n(.*?)```", PAGE, re.DOTALL | re.MULTILINE)
    assert block is not None
    text = block[1]
    for old, new in replaced.items():
        assert old in text
        text = text.replace(old, new)
    return text


def write(folder: Path, kind: str) -> None:
    for name, text in generate(kind, get_dialect("openai")).items():
        (folder / name).write_text(text)


@pytest.mark.parametrize(
    ("kind", "path", "status", "code"),
    [
        ("nginx", "/api/", 502, "bad_gateway"),
        ("nginx", "/reports/", 502, "bad_gateway"),
        ("nginx", "/x", 404, "not_found"),
        ("caddy", "/api/", 502, "bad_gateway"),
        ("caddy", "/x", 404, "not_found"),
    ],
)
def test_the_configuration_shown_works(kind: str, path: str, status: int, code: str, tmp_path: Path) -> None:
    """Copied from the page, with a port to listen on, it answers for an absent service and an unknown path."""
    require(kind)
    write(tmp_path, kind)
    port, closed = free_port(), f"127.0.0.1:{free_port()}"
    if kind == "nginx":
        places = "".join(f" {word}_temp_path {tmp_path}/{word};" for word in ("proxy", "fastcgi", "uwsgi", "scgi"))
        http = f"http {{ access_log off; client_body_temp_path {tmp_path}/body;{places}"
        server = f"server {{ listen 127.0.0.1:{port};"
        text = shown("nginx", **{"http {": http, "server {": server, "127.0.0.1:8000": closed})
        start = "daemon off; master_process off; pid pid; error_log stderr crit; events {}\n"
        command = ["nginx", "-p", str(tmp_path), "-c", str(tmp_path / "config")]
    else:
        text = shown("Caddy", **{"api.example.com {": f":{port} {{\n\tbind 127.0.0.1", "127.0.0.1:8000": closed})
        start = "{\n\tadmin off\n\tauto_https off\n}\n"
        command = ["caddy", "run", "--config", str(tmp_path / "config"), "--adapter", "caddyfile"]
    (tmp_path / "config").write_text(start + text)
    with running(command, tmp_path, port):
        answer = ask(port, request(path, "X-Request-ID: sent-1"))
    assert (answer.status, answer.json["error"]["code"]) == (status, code)
    assert answer.header("x-request-id") == "sent-1"
