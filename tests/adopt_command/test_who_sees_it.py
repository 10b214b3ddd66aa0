"""What else looks at HTTP exceptions: a raise that would no longer be seen there stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from adopt_command.code_bases import code_base, imported, written
from driving import asgi

SEEN = {
    "caught around it": (
        """
def run():
    try:
        raise HTTPException(404, "No seat")
    except HTTPException:
        return None
""",
        "main.py:8 catches it",
    ),
    "caught around what calls it": (
        """
class Store:
    def find(self):
        self._check()
    def _check(self):
        raise HTTPException(404, "No seat")
def run():
    try:
        Store().find()
    except (ValueError, HTTPException) as error:
        print(error)
""",
        "main.py:13 catches it",
    ),
    "caught around its constructor": (
        """
class Store:
    def __init__(self):
        raise HTTPException(404, "No seat")
def run():
    with suppress(HTTPException):
        Store()
""",
        "main.py:9 suppresses it",
    ),
    "handed over to be called": (
        """
def find():
    raise HTTPException(404, "No seat")
def run(pool):
    try:
        pool.run(find)
    except HTTPException as error:
        raise ValueError from error
""",
        "main.py:10 catches it",
    ),
    "caught by a dependency": (
        """
def transaction():
    try:
        yield
    except HTTPException:
        print("rolled back")
        raise
def run():
    raise HTTPException(404, "No seat")
""",
        "main.py:8 catches it, from whatever runs at its yield",
    ),
    "caught by a decorator": (
        """
def logged(function):
    def inner():
        try:
            return function()
        except HTTPException as error:
            return error.detail
    return inner
def run():
    raise HTTPException(404, "No seat")
""",
        "main.py:9 catches it, from whatever function is",
    ),
    "caught by a middleware": (
        """
async def middleware(request, call_next):
    try:
        return await call_next(request)
    except HTTPException:
        return None
def run():
    raise HTTPException(404, "No seat")
""",
        "main.py:8 catches it, from whatever call_next is",
    ),
    "asked for": (
        """
def log(error):
    return isinstance(error, (ValueError, HTTPException))
def run():
    raise HTTPException(404, "No seat")
""",
        "main.py:6 asks whether an exception is one",
    ),
    "handled": (
        """
@app.exception_handler(HTTPException)
async def handle(request, error):
    return None
def run():
    raise HTTPException(404, "No seat")
""",
        "main.py:5 handles HTTPException",
    ),
    "handled by its status": (
        """
app.add_exception_handler(404, handle)
def run():
    raise HTTPException(404, "No seat")
""",
        "main.py:5 handles 404",
    ),
    "handled in a table": (
        """
app = FastAPI(exception_handlers={HTTPException: handle})
def run():
    raise HTTPException(404, "No seat")
""",
        "main.py:5 handles HTTPException",
    ),
    "handled by Flask for all": (
        """
@app.errorhandler(Exception)
def handle(error):
    return None
def run():
    raise HTTPException(404, "No seat")
""",
        "main.py:5 handles Exception, and Flask gives it HTTP exceptions, too",
    ),
}


@pytest.mark.parametrize(("source", "why"), SEEN.values(), ids=SEEN)
def test_who_sees_it(tmp_path: Path, source: str, why: str) -> None:
    """Nothing is changed, and the place that sees it is named."""
    head = "from contextlib import suppress\n\nfrom fastapi import FastAPI, HTTPException\n"
    package = code_base(tmp_path, main=head + source)
    proposal = written(package)
    assert proposal.raises == 0
    assert f"raises 404, but {package.name}/{why}" in [each.why for each in proposal.unsure]
    assert "No seat" in (package / "main.py").read_text()


def test_another_status_and_another_function_are_not_meant(tmp_path: Path) -> None:
    source = """
app.add_exception_handler(409, handle)
def other():
    raise HTTPException(404, "No seat")
def run():
    try:
        own()
    except HTTPException:
        return None
"""
    package = code_base(tmp_path, main="from fastapi import HTTPException\n" + source)
    assert written(package).raises == 1


PASSING = """\
from fastapi import FastAPI, HTTPException

app = FastAPI()


@app.get("/seat")
def seat():
    try:
        raise HTTPException(404, "No seat")
    except HTTPException:
        raise
    except Exception:
        raise HTTPException(500, "All is lost")


@app.get("/row")
def row():
    try:
        raise HTTPException(404, "No row")
    except (HTTPException, KeyError):
        raise
    except Exception:
        raise HTTPException(500, "All is lost")
"""


def test_what_only_passes_it_on_passes_errorkits_on_as_well(tmp_path: Path) -> None:
    """The usual clause in front of `except Exception`; the answers are the same."""
    package = code_base(tmp_path, main=PASSING)
    proposal = written(package)
    assert (proposal.raises, proposal.unsure) == (4, ())
    text = (package / "main.py").read_text()
    assert "    except (HTTPException, APIError):\n" in text
    assert "    except (HTTPException, KeyError, APIError):\n" in text
    app = imported(package).app
    for path, words in (("/seat", "No seat"), ("/row", "No row")):
        reply = asgi(app, path=path)
        assert (reply.status, reply.json()["detail"]) == (404, words)
    assert not written(package).changes


def test_an_error_that_is_made_first_and_raised_afterwards(tmp_path: Path) -> None:
    """If that is all that is done with it."""
    source = """\
from fastapi import HTTPException

shared = HTTPException(401, "Who are you")


def run(token: str):
    wrong = HTTPException(401, "Could not validate credentials", headers={"WWW-Authenticate": "Bearer"})
    if not token:
        raise wrong
    try:
        int(token)
    except ValueError as error:
        raise wrong from error


def log():
    wrong = HTTPException(401, "Could not log")
    print(wrong)
    raise wrong


def out():
    raise shared
"""
    package = code_base(tmp_path, main=source)
    proposal = written(package)
    assert (proposal.raises, proposal.classes) == (1, ("CouldNotValidateCredentials",))
    text = (package / "main.py").read_text()
    assert '    wrong = CouldNotValidateCredentials(headers={"WWW-Authenticate": "Bearer"})\n' in text
    assert [each.line for each in proposal.unsure] == [3, 17]
    assert {each.why for each in proposal.unsure} == {"HTTPException() is made here, and not raised at once"}


def test_classes_of_the_services_own_are_listed(tmp_path: Path) -> None:
    source = 'from werkzeug.exceptions import NotFound\n\n\nclass NoSeat(NotFound):\n    description = "No seat"\n'
    package = code_base(tmp_path, main=source + "\n\ndef run():\n    raise NoSeat\n")
    proposal = written(package)
    assert [(each.line, each.why) for each in proposal.unsure] == [
        (4, "NoSeat derives from a framework's error: give it a class by hand")
    ]
    assert not proposal.changes


def test_files_that_cannot_be_read_are_listed(tmp_path: Path) -> None:
    """A file in another encoding, one that is no Python, and tests, which are the service's own."""
    package = code_base(tmp_path, main="def run(:\n")
    (package / "latin.py").write_bytes(b'# -*- coding: latin-1 -*-\nNAME = "\xe9"\n')
    tests = package / "tests"
    tests.mkdir()
    (tests / "test_it.py").write_text('from fastapi import HTTPException\nraise HTTPException(404, "No")\n')
    proposal = written(package)
    assert not proposal.changes
    assert [each.path.name for each in proposal.unsure] == ["latin.py", "main.py"]
    assert proposal.unsure[0].why == "it is written in iso-8859-1, and not in plain UTF-8"
    assert proposal.unsure[1].why.startswith("it cannot be read as Python: ")
