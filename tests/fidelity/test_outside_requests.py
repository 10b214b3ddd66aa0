"""What an application is beside its answers: its output, its memory, and bodies that are read in turns."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import errorkit
from errorkit.request_id import get_request_id
from fidelity.observed import Call
from fidelity.twins import FLASK_WAYS, Twin, Way
from fidelity.wsgi_client import Exchange

SITE = """
import json, click
from flask import Flask
app = Flask("site", static_folder=None)
{cover}
@app.cli.command("export")
def export():
    click.echo(json.dumps({{"rows": [1, 2]}}))
"""
SERVICE = """
import json
from fastapi import FastAPI
app = FastAPI()
{cover}
app.openapi()
print(json.dumps({{"rows": [1, 2]}}))
"""


def _output(folder: Path, name: str, source: str, *arguments: str) -> str:
    (folder / f"{name}.py").write_text(source)
    path = str(Path(errorkit.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env={"PYTHONPATH": path, "PATH": ""}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "cover",
    ['from errorkit.flask import ErrorKit\nErrorKit(app)', 'from errorkit.flask import ErrorKit\nErrorKit().init_app(app)'],
    ids=["ErrorKit", "init_app"],
)  # fmt: skip
def test_a_command_of_a_flask_application_prints_the_same(tmp_path: Path, cover: str) -> None:
    """F-23."""
    bare = _output(tmp_path, "bare", SITE.format(cover=""), "-m", "flask", "--app", "bare", "export")
    covered = _output(tmp_path, "covered", SITE.format(cover=cover), "-m", "flask", "--app", "covered", "export")
    assert covered == bare == '{"rows": [1, 2]}\n'


@pytest.mark.parametrize(
    "cover",
    [
        "from errorkit.fastapi import install\ninstall(app)",
        "from errorkit.fastapi import ErrorMiddleware\napp.add_middleware(ErrorMiddleware)",
    ],
    ids=["install", "add_middleware"],
)
def test_a_command_of_a_fastapi_application_prints_the_same(tmp_path: Path, cover: str) -> None:
    bare = _output(tmp_path, "bare", SERVICE.format(cover=""), "bare.py")
    covered = _output(tmp_path, "covered", SERVICE.format(cover=cover), "covered.py")
    assert covered == bare == '{"rows": [1, 2]}\n'


@pytest.mark.parametrize("way", [Way("bare"), *FLASK_WAYS], ids=str)
def test_a_flask_application_is_freed_at_once(way: Way) -> None:
    """F-38: errorkit makes no cycle of it."""

    def made() -> weakref.ref[Any]:
        twin = Twin(way, {})
        app = twin.finished(twin.flask(), "wsgi")
        return weakref.ref(app)

    gc.collect()
    gc.disable()
    try:
        assert made()() is None
    finally:
        gc.enable()


def _generator(twin: Twin) -> Any:
    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        for _ in range(3):
            yield f"{get_request_id()} ".encode()

    return app


def _flask_generator(twin: Twin) -> Any:
    import flask

    app = twin.flask()

    @app.get("/x")
    def view() -> Any:
        def chunks() -> Iterator[str]:
            for _ in range(3):
                yield f"{get_request_id()} "

        return flask.Response(chunks(), mimetype="text/plain")

    return app


@pytest.mark.parametrize(
    ("build", "way"), [(_generator, Way("around")), (_flask_generator, Way("before"))], ids=["wsgi", "flask"]
)
@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["first one first", "last one first"])
def test_bodies_that_are_read_in_turns_know_their_own_request(build: Any, way: Way, order: tuple[int, int]) -> None:
    """F-31."""
    twin = Twin(way, {})
    app = twin.finished(build(twin), "wsgi")
    both = [Exchange(Call("/x"), twin), Exchange(Call("/x"), twin)]
    for exchange in both:
        exchange.begin(app)
    for _ in range(4):
        for exchange in both:
            exchange.pull()
    for exchange in (both[order[0]], both[order[1]]):
        exchange.close()
        own = exchange.answer.value("x-request-id")
        assert own
        assert exchange.answer.body.decode().split() == [own] * 3
    assert both[0].answer.value("x-request-id") != both[1].answer.value("x-request-id")
    assert get_request_id() is None
