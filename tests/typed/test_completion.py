"""Editors offer settings, dialects and levels: asked of pyright's language server, which VS Code and others run."""

from __future__ import annotations

import json
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from errorkit.dialects import PRESETS
from errorkit.events import Level
from errorkit.settings import Settings
from requirements import node_tool

pytestmark = pytest.mark.timeout(300)  # the first run installs programs from npm

ROOT = Path(__file__).resolve().parents[2]
KEYWORDS = {f"{name}=" for name in Settings.__annotations__}
WRITTEN = """\
from errorkit.config import Config
from errorkit.dialects.openai import OpenAI
from errorkit.errors import ConflictError
from errorkit.fastapi import ErrorMiddleware, install
from errorkit.flask import ErrorKit
from errorkit.starlette import ErrorMiddleware as Plain
from fastapi import FastAPI

app = FastAPI()
"""


class LanguageServer:
    """The client's half of the Language Server Protocol, as far as completion needs it."""

    def __init__(self, root: Path) -> None:
        command = [node_tool("pyright-langserver"), "--stdio"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.root = root
        self.asked = 0
        folders = [{"uri": root.as_uri(), "name": root.name}]
        self.ask("initialize", {"processId": None, "workspaceFolders": folders, "capabilities": {}})
        self.send({"method": "initialized", "params": {}})

    def completions(self, line: str) -> set[str]:
        """What is offered at the `|` in a line that is written at the end of the module."""
        uri = (self.root / f"written_{self.asked}.py").as_uri()
        text = WRITTEN + line.replace("|", "")
        document = {"uri": uri, "languageId": "python", "version": 1, "text": text}
        self.send({"method": "textDocument/didOpen", "params": {"textDocument": document}})
        position = {"line": WRITTEN.count("\n"), "character": line.index("|")}
        found = self.ask("textDocument/completion", {"textDocument": {"uri": uri}, "position": position})
        return {item["label"] for item in found["items"]}

    def ask(self, method: str, params: dict[str, Any]) -> Any:
        """The result of one request; what the server itself asks meanwhile gets no answer but null."""
        self.asked += 1
        self.send({"id": self.asked, "method": method, "params": params})
        while True:
            message = self.receive()
            if "method" in message:
                if "id" in message:
                    self.send({"id": message["id"], "result": None})
            elif message["id"] == self.asked:
                return message["result"]

    def send(self, message: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self.process.stdin.flush()

    def receive(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        length = 0
        while (field := self.process.stdout.readline()) not in (b"\r\n", b""):
            name, _, value = field.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        message: dict[str, Any] = json.loads(self.process.stdout.read(length))
        return message

    def close(self) -> None:
        self.ask("shutdown", {})
        self.send({"method": "exit"})
        self.process.communicate(timeout=60)


@pytest.fixture(name="editor", scope="module")
def _editor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LanguageServer]:
    root = tmp_path_factory.mktemp("project")
    paths = [str(ROOT / "src"), sysconfig.get_path("purelib")]
    (root / "pyrightconfig.json").write_text(json.dumps({"extraPaths": paths}))
    server = LanguageServer(root)
    yield server
    server.close()


@pytest.mark.parametrize(
    "line",
    ["install(app, |)", "ErrorKit(|)", "ErrorMiddleware(app, |)", "Plain(app, |)", "Config(|)", "Config.load(|)"],
)  # fmt: skip
def test_every_setting_is_offered(editor: LanguageServer, line: str) -> None:
    """Wherever settings are given; through `add_middleware` (a ParamSpec) pyright checks them and offers none."""
    assert editor.completions(line) >= KEYWORDS


def quoted(words: Any) -> set[str]:
    return {f'"{word}"' for word in words}


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ('install(app, dialect="|")', quoted(PRESETS)),
        ('ErrorKit(dialect={"/v1": "|"})', quoted(PRESETS)),
        ('Config(levels={"404": "|"})', quoted(get_args(Level))),
        ('OpenAI(code_case="|")', quoted(["snake", "kebab", "upper", "pascal", "camel"])),
        ("OpenAI(code_|)", {"code_case=", "code_header=", "code_from_finding="}),
        ("raise ConflictError(|)", {"param=", "details=", "retry_after=", "context=", "extensions="}),
    ],
)
def test_words_are_offered(editor: LanguageServer, line: str, offered: set[str]) -> None:
    """The values that a setting can have, where these are words."""
    assert editor.completions(line) >= offered
