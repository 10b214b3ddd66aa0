"""What an import loads: in a fresh interpreter, by exact sets."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

IMPORTED = """
import builtins, importlib, json, sys

plain, asked = builtins.__import__, set()


def asking(name, globals=None, locals=None, fromlist=(), level=0):
    if not level and globals and globals.get("__name__", "").partition(".")[0] == "errorkit":
        asked.add(name.partition(".")[0])
    return plain(name, globals, locals, fromlist, level)


builtins.__import__ = asking
importlib.import_module(sys.argv[1])
roots = {name.partition(".")[0] for name in sys.modules}
print(json.dumps([sorted(asked - {"errorkit"} - sys.stdlib_module_names), sorted(roots)]))
"""
WATCHED = {
    "anyio", "fastapi", "flask", "httpx", "jinja2", "jsonschema", "pydantic", "pydantic_core", "starlette",
    "structlog", "typer", "werkzeug", "yaml",
}  # fmt: skip
"""errorkit's dependencies, those of its extras, and what these rest on. What more they load where it happens to be
installed (structlog: rich) is theirs."""
PYDANTIC = {"pydantic", "pydantic_core"}
HANDLER = {"structlog", "typing_extensions", *PYDANTIC}
"""What a handler is made with."""

LOADED: dict[str, tuple[set[str], set[str]]] = {
    "errorkit": (set(), set()),
    "errorkit.errors": (set(), set()),
    "errorkit.declaration": (set(), set()),
    "errorkit.testing": (set(), set()),
    "errorkit.__main__": (set(), set()),
    "errorkit.settings": ({"structlog"}, {"structlog"}),
    "errorkit.asgi": (set(), set()),
    "errorkit.wsgi": (set(), set()),
    "errorkit.config": ({"pydantic", "structlog"}, {*PYDANTIC, "structlog"}),
    "errorkit.structured_logging": ({"pydantic_core", "structlog"}, {"pydantic_core", "structlog"}),
    "errorkit.starlette": (
        {"starlette", *HANDLER},
        {"starlette", "anyio", "structlog", *PYDANTIC},
    ),
    "errorkit.fastapi": (
        {"fastapi", "starlette", *HANDLER},
        {"fastapi", "starlette", "anyio", "structlog", *PYDANTIC},
    ),
    "errorkit.flask": (
        {"flask", "werkzeug", *HANDLER},
        {"flask", "werkzeug", "jinja2", "structlog", *PYDANTIC},
    ),
    "errorkit.httpx": (set(), set()),
}
"""By module: what errorkit's own code asks for, and which of `WATCHED` are loaded thereafter."""


@pytest.mark.parametrize("module", LOADED)
def test_an_import_loads_what_it_is_for(module: str) -> None:
    """An adapter its own framework, the core nothing."""
    done = subprocess.run([sys.executable, "-c", IMPORTED, module], check=True, capture_output=True, text=True)
    asked, roots = map(set, json.loads(done.stdout))
    assert (asked, roots & WATCHED) == LOADED[module]
