"""The two plugins, under a small suite of this project's own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

STARLETTE = """
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount, Route
from starlette.testclient import TestClient

class Subclass(Starlette):
    def __init__(self):
        super().__init__(routes=[Mount("/inner", app=Starlette(routes=[Route("/", crash)]))])

def crash(request):
    raise RuntimeError

def get(path):
    return TestClient(Subclass()).get(path)
"""
FASTAPI = """
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

def get(path):
    app = FastAPI()
    assert "default" not in str(app.openapi())
    app.get("/inner/")(crash)
    return TestClient(app).get(path)

def crash():
    raise RuntimeError
"""
FLASK = """
import pytest
from flask import Flask

def get(path):
    app = Flask("x")
    app.add_url_rule("/inner/", view_func=crash)
    app.config["PROPAGATE_EXCEPTIONS"] = WISH
    return app.test_client().get(path)

def crash():
    raise RuntimeError
"""
TESTS = """
def test_passes():
    assert get("/").status_code == 404

def test_content_type():
    response = get("/")
    assert response.headers["content-type"] == "application/problem+json", response.text

def test_body():
    response = get("/")
    assert sorted(word for word in str(READ)[:1]) == ["n"]

def test_body_in_a_variable():
    response = get("/")
    body = READ
    assert body == "nothing here"

def test_status():
    response = get("/")
    assert response.status_code == 200, READ

def test_exception():
    with pytest.raises(RuntimeError):
        get("/inner/")

def test_other():
    assert False
"""
ALL = {
    "test_passes": "passed",
    "test_content_type": "passed",
    "test_body": "body",
    "test_body_in_a_variable": "body",
    "test_status": "status",
    "test_exception": "exception",
    "test_other": "other",
}
RAISED = {**ALL, "test_exception": "passed"}
"""The exception reaches the client, too."""
MODES = [
    ("starlette", "install", 2, ALL),
    ("fastapi", "add_middleware", 1, RAISED),  # it is the application's first request, and there is no lifespan
    ("flask", "wsgi", 1, ALL),
]
"""Framework, mode, applications per test that builds any, what becomes of the tests."""


def outcomes(folder: Path, framework: str, mode: str, *arguments: str, propagate: bool = False) -> dict[str, Any]:
    module = {"starlette": STARLETTE, "fastapi": FASTAPI, "flask": FLASK}[framework]
    read = "response.get_data(True)" if framework == "flask" else "response.text"
    file, told = folder / "test_it.py", folder / "told.json"
    file.write_text((module + TESTS).replace("READ", read).replace("WISH", str(propagate)))
    (folder / "pytest.ini").touch()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    root = Path(__file__).parents[2]
    subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "covered_apps", "-p", "told_outcomes"),
            *("--errorkit-mode", mode, "--outcomes", str(told), *arguments, "test_it.py"),
        ],
        cwd=folder,
        env={**kept, "PYTHONPATH": os.pathsep.join([str(root / "src"), str(root / "tests/peers/plugin")])},
        capture_output=True,
    )
    return json.loads(told.read_text())


def kinds(told: dict[str, Any]) -> dict[str, str]:
    return {test.partition("::")[2]: seen.get("kind", seen["outcome"]) for test, seen in told["outcomes"].items()}


@pytest.mark.parametrize(("framework", "mode", "applications", "expected"), MODES)
def test_errorkit_is_in_every_application(
    tmp_path: Path, framework: str, mode: str, applications: int, expected: dict[str, str]
) -> None:
    told = outcomes(tmp_path, framework, mode)
    assert kinds(told) == expected
    assert told["covered"] == applications * 6


def test_flasks_extension_leaves_propagation_to_flask(tmp_path: Path) -> None:
    assert kinds(outcomes(tmp_path, "flask", "extension")) == ALL
    assert kinds(outcomes(tmp_path, "flask", "extension", propagate=True)) == RAISED


def test_around_a_client_what_starlette_raises_after_its_answer_does_not_come(tmp_path: Path) -> None:
    told = outcomes(tmp_path, "starlette", "asgi")
    assert kinds(told) == ALL
    assert told["covered"] == 6


def test_bare_nothing_is_patched(tmp_path: Path) -> None:
    told = outcomes(tmp_path, "fastapi", "bare")
    assert kinds(told) == {**ALL, "test_content_type": "headers", "test_exception": "passed"}
    assert told["covered"] == 0


def test_workers_tell_their_controller(tmp_path: Path) -> None:
    told = outcomes(tmp_path, "starlette", "install", "-n", "2")
    assert kinds(told) == ALL
    assert told["covered"] == 12
