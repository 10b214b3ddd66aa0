"""Every code block of the README and of docs/ is run."""

from __future__ import annotations

import json
import logging
import re
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from driving import asgi
from errorkit import ConflictError
from errorkit.asgi import ErrorMiddleware
from errorkit.config import Config
from unpatched import put_back

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *sorted(DOCS.rglob("*.md"))]
FOLLOWED = (DOCS / "tutorial.md", DOCS / "how-to" / "logging.md")
"""Run whole by test_tutorial.py, and block by block, each in a process of its own, in tests/logging_setups."""
FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w+)?[^\n]*\n(?P<code>.*?)^ *```", re.MULTILINE | re.DOTALL)
COMMANDS = {"python3 dev.py demo", "python3 dev.py test", "python3 dev.py floors"}
"""Commands that tests of their own run."""
INSTALL = re.compile(r'pip install "\./errorkit\[(?P<extras>[\w,]+)\]" uvicorn')
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]


@contextmanager
def root_logger_kept() -> Iterator[None]:
    """Its handlers and its level are the next page's, too."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page not in FOLLOWED], ids=lambda page: str(page.relative_to(ROOT))
)
def test_every_code_block_runs(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python is executed in order, one module a page; other blocks are compared with what they show."""
    module = ModuleType(f"page_{page.stem}")
    module.ConflictError = ConflictError  # type: ignore[attr-defined] # the README's first line raises it
    monkeypatch.setitem(sys.modules, module.__name__, module)  # a page's classes are pickled
    with put_back(), root_logger_kept():  # a page starts Sentry, another a worker that sets up logging
        _run(page, page.read_text(), vars(module))


def _run(page: Path, text: str, namespace: dict[str, Any]) -> None:
    for match in FENCE.finditer(text):
        code, line = match["code"], text.count("\n", 0, match.start()) + 1
        match match["language"]:
            case "python":
                _python(code, f"{page.name}:{line}", namespace)
            case "json":
                shown = namespace["reply"].json() if "reply" in namespace else None
                assert shown == json.loads(code), f"{page.name}:{line}"
            case "toml":
                Config(**tomllib.loads(code))
            case "sh":
                for command in code.strip().splitlines():
                    _shell(command.partition("#")[0].strip(), f"{page.name}:{line}")
            case "http":
                _http(code, text[: match.start()])
            case "text" | "typescript" | "diff":  # generated_clients/test_clients_page.py, adopt_command/test_page.py
                pass
            case language:
                pytest.fail(f"{page.name}:{line}: a block in {language!r} that nobody runs")


def _shell(command: str, where: str) -> None:
    if installs := INSTALL.fullmatch(command):
        assert set(installs["extras"].split(",")) <= set(EXTRAS), where
    else:
        assert command in COMMANDS, f"{where}: {command}"


def _python(code: str, where: str, namespace: dict[str, Any]) -> None:
    program = compile("\n" * int(where.rpartition(":")[2]) + code, where, "exec", dont_inherit=True)
    if code.startswith("raise "):
        with pytest.raises(ConflictError) as caught:
            exec(program, namespace)
        namespace["raised"] = caught.value
    else:
        exec(program, namespace)


def _http(shown: str, before: str) -> None:
    """A response on the front page is what the service really sends."""
    dialect = re.findall(r'dialect="(\w+)"', before)[-1]

    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise ConflictError("Version 7 is already published.", param="/version")

    reply = asgi(ErrorMiddleware(app, dialect=dialect), headers=[("X-Request-ID", "req-5d41402abc")])
    head, _, body = shown.partition("\n\n")
    status, *fields = head.splitlines()
    assert status == f"HTTP/1.1 {reply.status} Conflict"
    for field in fields:
        name, _, value = field.partition(": ")
        assert reply.header(name) == value, name
    assert reply.json() == json.loads(body)


def test_every_link_between_pages_resolves() -> None:
    """No page points to one that is not there."""
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} -> {target}"
