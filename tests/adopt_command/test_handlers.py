"""Handlers that only map become `exceptions=`, and the line that puts errorkit in."""

from __future__ import annotations

from pathlib import Path

import pytest

from adopt_command.code_bases import code_base, imported, written
from driving import asgi, wsgi

FASTAPI = '''\
"""A service."""

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from {package}.stock import Broken, Late, OutOfStock, Strange

app = FastAPI(title="Seats")


@app.exception_handler(OutOfStock)
async def out_of_stock(request: Request, exc: OutOfStock) -> JSONResponse:
    """409."""
    return JSONResponse(status_code=409, content={"detail": "Out of stock"})


async def late(request: Request, exc: Late) -> JSONResponse:
    return JSONResponse({"error": str(exc)}, 400)


app.add_exception_handler(Late, late)


@app.exception_handler(Strange)
async def strange(request: Request, exc: Strange) -> JSONResponse:
    print(exc)
    return JSONResponse(status_code=409, content={"detail": "Strange"})


@app.exception_handler(Broken)
async def broken(request: Request, exc: Broken) -> JSONResponse:
    return JSONResponse(status_code=500, content={"detail": str(exc)})


@app.get("/stock")
def stock():
    raise OutOfStock("the 7th of May")


@app.get("/late")
def is_late():
    raise Late("Too late for seat 7")
'''

STOCK = """\
class OutOfStock(Exception): ...
class Late(Exception): ...
class Strange(Exception): ...
class Broken(Exception): ...
"""

FASTAPI_AFTER = '''\
"""A service."""

from errorkit import BadRequestError
from errorkit.fastapi import install
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from {package} import errors
from {package}.errors import OutStock
from {package}.stock import Broken, Late, OutOfStock, Strange

app = FastAPI(title="Seats")
install(
    app,
    catalog=[errors],
    exceptions={OutOfStock: OutStock, Late: lambda error: BadRequestError(str(error))},
)


@app.exception_handler(Strange)
'''


def test_fastapi(tmp_path: Path) -> None:
    """By decorator and by call; constant words, and the exception's own; what does more stays."""
    package = code_base(tmp_path, main=FASTAPI, stock=STOCK)
    bare = imported(package).app
    proposal = written(package)
    assert proposal.handlers == 2
    assert (package / "main.py").read_text().startswith(FASTAPI_AFTER.replace("{package}", package.name))
    assert [each.why for each in proposal.unsure] == [
        "the handler of Strange stays: it does more than to map",
        "the handler of Broken stays: its words are computed",
    ]
    after = imported(package).app
    for path, status, words in (("/stock", 409, "Out of stock"), ("/late", 400, "Too late for seat 7")):
        old, new = asgi(bare, path=path), asgi(after, path=path)
        assert (old.status, [*old.json().values()]) == (status, [words])
        assert (new.status, new.json()["detail"]) == (status, words)
    again = written(package)
    assert (again.changes, again.handlers) == ({}, 0)


FLASK = """\
from flask import Flask, jsonify


class OutOfStock(Exception): ...


class Late(Exception): ...


class Sold(Exception): ...


def create_app() -> Flask:
    app = Flask(__name__)

    @app.errorhandler(OutOfStock)
    def out_of_stock(error):
        return jsonify(error="Out of stock"), 409

    def late(error):
        return {"message": str(error)}, 400

    @app.errorhandler(Sold)
    def sold(error):
        return jsonify({"error": "Sold", "seat": 7}), 409

    app.register_error_handler(Late, late)

    @app.get("/stock")
    def stock():
        raise OutOfStock("the 7th of May")

    @app.get("/late")
    def is_late():
        raise Late("Too late for seat 7")

    return app
"""


def test_flask_in_a_factory(tmp_path: Path) -> None:
    package = code_base(tmp_path, main=FLASK)
    bare = imported(package).create_app()
    proposal = written(package, dialect="openai")
    text = (package / "main.py").read_text()
    assert (
        "    app = Flask(__name__)\n    ErrorKit(\n        app,\n"
        '        dialect="openai",\n        catalog=[errors],\n'
        "        exceptions={OutOfStock: OutStock, Late: lambda error: BadRequestError(str(error))},\n    )\n"
    ) in text
    assert [each.why for each in proposal.unsure] == [
        "the handler of Sold stays: its body has more than words",
    ]
    after = imported(package).create_app()
    for path, status, words in (("/stock", 409, "Out of stock"), ("/late", 400, "Too late for seat 7")):
        old, new = wsgi(bare, path=path), wsgi(after, path=path)
        assert (old.status, [*old.json().values()]) == (status, [words])
        assert (new.status, new.json()["error"]["message"]) == (status, words)
    assert not written(package).changes


HEAD = "from fastapi import FastAPI\nfrom fastapi.responses import JSONResponse\n\n\nclass Own(Exception): ...\n\n\n"
RETURN = 'return JSONResponse({"detail": "No"}, 409)\n'
STAYS = {
    "defined after the application": (
        f"app = FastAPI()\nclass Late(Exception): ...\n@app.exception_handler(Late)\ndef f(request, error):\n    {RETURN}",
        "the handler of Late stays: Late is defined after the application",
    ),
    "another decorator": (
        f"app = FastAPI()\n@staticmethod\n@app.exception_handler(Own)\ndef f(request, error):\n    {RETURN}",
        "the handler of Own stays: its function has other decorators, or is not in this module",
    ),
    "called elsewhere": (
        f"app = FastAPI()\n@app.exception_handler(Own)\ndef f(request, error):\n    {RETURN}answer = f\n",
        "the handler of Own stays: f is used elsewhere, too",
    ),
    "header fields": (
        "app = FastAPI()\n@app.exception_handler(Own)\ndef f(request, error):\n    "
        + RETURN.replace("409)", '409, headers={"X": "y"})'),
        "the handler of Own stays: its response has more than a status and a body",
    ),
    "words under a name of its own": (
        'app = FastAPI()\n@app.exception_handler(Own)\ndef f(request, error):\n    return JSONResponse({"why": "No"}, 409)\n',
        "the handler of Own stays: the member 'why' of its body is not known to be words",
    ),
    "no error": (
        'app = FastAPI()\n@app.exception_handler(Own)\ndef f(request, error):\n    return JSONResponse({"detail": "No"}, 200)\n',
        "the handler of Own stays: its status is no error's",
    ),
    "another application": (
        f"app = FastAPI()\nother = make()\n@other.exception_handler(Own)\ndef f(request, error):\n    {RETURN}",
        "the handler of Own stays: it is not registered where one application is made",
    ),
}


@pytest.mark.parametrize(("source", "why"), STAYS.values(), ids=STAYS)
def test_a_handler_that_stays(tmp_path: Path, source: str, why: str) -> None:
    """And what it answers is still there."""
    package = code_base(tmp_path, main=HEAD + source)
    proposal = written(package)
    assert (proposal.handlers, proposal.unsure[0].why) == (0, why)
    text = (package / "main.py").read_text()
    assert "exceptions=" not in text
    assert source.partition("\n")[2] in text


def test_several_applications_and_one_that_has_errorkit(tmp_path: Path) -> None:
    """Where the line goes is then not for a machine to say."""
    several = code_base(tmp_path, main="from fastapi import FastAPI\n\napp = FastAPI()\nadmin = FastAPI()\n")
    proposal = written(several)
    assert not proposal.changes
    assert [(each.line, each.why) for each in proposal.unsure] == [
        (3, "one of several applications: put errorkit in by hand"),
        (4, "one of several applications: put errorkit in by hand"),
    ]
    covered = code_base(
        tmp_path,
        main="from fastapi import FastAPI, HTTPException\nfrom errorkit.fastapi import ErrorMiddleware\n\napp = FastAPI()\n"
        'app.add_middleware(ErrorMiddleware)\n\n\ndef run():\n    raise HTTPException(404, "No seat")\n',
    )
    proposal = written(covered)
    text = (covered / "main.py").read_text()
    assert "install" not in text
    assert "raise NoSeat()" in text
    assert proposal.by_hand == f"errorkit is put in already: list {covered.name}.errors in its catalog="
    assert not written(covered).by_hand
    library = code_base(tmp_path, main='from flask import abort\n\n\ndef run():\n    abort(404, "No seat")\n')
    expected = f"put errorkit in where the application is made, with catalog=[{library.name}.errors]"
    assert written(library).by_hand == expected
