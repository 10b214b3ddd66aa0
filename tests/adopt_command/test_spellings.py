"""How errors are spelt, and what they become: source for source."""

from __future__ import annotations

from pathlib import Path

import pytest

from adopt_command.code_bases import code_base, whys, written

HEAD = """\
import http
from http import HTTPStatus

import fastapi
import flask
import starlette.status
import werkzeug.exceptions
from elsewhere import errors as foreign
from fastapi import FastAPI, HTTPException, status
from flask import abort
from starlette.exceptions import HTTPException as Bare
from werkzeug.exceptions import NotFound, ServiceUnavailable, TooManyRequests

MISSING = 404
GONE = "The seat is gone"


def run(number: int, name: str, other):
    try:
        local = "Seat " + name
        pass
    except ValueError as error:
        LINE
"""

REWRITTEN = {
    'raise HTTPException(404, "Seat not found")': "raise SeatNotFound()",
    'raise HTTPException(status_code=404, detail="Seat not found")': "raise SeatNotFound()",
    'raise HTTPException(detail="Seat not found", status_code=404) from error': "raise SeatNotFound() from error",
    'raise (HTTPException(404, "Seat not found"))': "raise (SeatNotFound())",
    'raise fastapi.HTTPException(fastapi.status.HTTP_409_CONFLICT, "Taken")': "raise Taken()",
    'raise fastapi.exceptions.HTTPException(starlette.status.HTTP_409_CONFLICT, "Taken")': "raise Taken()",
    'raise Bare(status.HTTP_409_CONFLICT, "Seat " "taken")': "raise SeatTaken()",
    'raise HTTPException(HTTPStatus.CONFLICT, "Taken")': "raise Taken()",
    'raise HTTPException(HTTPStatus.CONFLICT.value, "Taken")': "raise Taken()",
    'raise HTTPException(http.HTTPStatus.CONFLICT, "Taken")': "raise Taken()",
    "raise HTTPException(MISSING, GONE)": "raise SeatGone(GONE)",
    'raise HTTPException(404, "Gone!")': "raise Gone404()",
    'raise HTTPException(404, "not_found")': 'raise NotFoundError("not_found")',
    "raise HTTPException(404)": "raise NotFoundError()",
    "raise HTTPException(404, None)": "raise NotFoundError()",
    'raise HTTPException(404, "Not Found")': 'raise NotFoundError("Not Found")',
    'raise HTTPException(418, "No coffee")': "raise NoCoffee()",
    "raise HTTPException(418)": "raise ImATeapot()",
    'raise HTTPException(404, f"Seat {number} not found")': 'raise SeatNotFound(f"Seat {number} not found")',
    'raise HTTPException(404, "Seat %s not found" % number)': 'raise SeatNotFound("Seat %s not found" % number)',
    'raise HTTPException(404, "Seat {} gone".format(number))': 'raise SeatGone("Seat {} gone".format(number))',
    'raise HTTPException(404, "No " + name)': 'raise No("No " + name)',
    "raise HTTPException(400, str(error))": "raise BadRequestError(str(error))",
    "raise HTTPException(400, name)": "raise BadRequestError(name)",
    "raise HTTPException(400, local)": "raise BadRequestError(local)",
    'raise HTTPException(400, "Yes" if number else name)': 'raise Yes("Yes" if number else name)',
    'raise HTTPException(503, "Ledger is closed")': "raise LedgerClosed()",
    'raise HTTPException(401, "Log in", headers={"WWW-Authenticate": "Basic"})': (
        'raise LogIn(headers={"WWW-Authenticate": "Basic"})'
    ),
    'raise HTTPException(429, "Slow down", {"Retry-After": "30"})': "raise SlowDown(retry_after=30)",
    'raise HTTPException(429, "Slow down", {"X-A": "1", "Retry-After": "30"})': (
        'raise SlowDown(retry_after=30, headers={"X-A": "1"})'
    ),
    'raise HTTPException(429, "Slow down", {"Retry-After": str(number)})': (
        'raise SlowDown(headers={"Retry-After": str(number)})'
    ),
    'raise HTTPException(429, "Slow down", headers=other)': "raise SlowDown(headers=other)",
    'raise HTTPException(409, {"code": "SEAT_TAKEN", "message": "Seat is taken", "seat": number})': (
        "raise SeatTaken(seat=number)"
    ),
    'raise HTTPException(409, detail={"message": f"{name} is taken"})': 'raise Taken(f"{name} is taken")',
    'raise HTTPException(404, "The user\\"s \\\\ \'name\'\\n")': "raise UserSName()",
    'raise HTTPException(404, "\\u00c9l\\u00e9ment introuvable")': "raise ElementIntrouvable()",
    'raise HTTPException(404, "\\u7121\\u3044")': 'raise NotFoundError("\\u7121\\u3044")',
    'raise HTTPException(404, "2 seats missing")': "raise SeatsMissing()",
    'raise HTTPException(403, "Permission error")': "raise PermissionErrorError()",
    "abort(404)": "raise NotFoundError()",
    'abort(404, "Seat not found")': "raise SeatNotFound()",
    'flask.abort(404, description="Seat not found")': "raise SeatNotFound()",
    'return abort(404, "Seat not found")': "raise SeatNotFound()",
    'raise abort(404, "Seat not found")': "raise SeatNotFound()",
    "raise NotFound": "raise NotFoundError()",
    'raise NotFound("Seat not found")': "raise SeatNotFound()",
    'raise werkzeug.exceptions.Conflict(description="Taken") from None': "raise Taken() from None",
    'raise TooManyRequests("Slow down", retry_after=3)': "raise SlowDown(retry_after=3)",
}

LEFT = {
    "raise HTTPException(number)": "its status is number, which is not a literal",
    "raise HTTPException()": "its status is not given",
    'raise foreign.HTTPException(404, "Left")': "elsewhere.errors.HTTPException is not known to be a framework's",
    "raise HTTPException(*other)": "its arguments are computed",
    "raise HTTPException(404, **other)": "its arguments are computed",
    'raise HTTPException(302, "Elsewhere")': "302 is no error",
    "raise HTTPException(400, other)": "its words are other, which may be something else than text",
    "raise HTTPException(400, error.args[0])": "its words are error.args[0], which may be something else than text",
    'raise HTTPException(400, other or "x")': 'its words are other or "x", which may be something else than text',
    "raise HTTPException(400, [])": "its words are [], which may be something else than text",
    'raise HTTPException(500, f"Broken: {error}")': (
        "the words of a server's failure are computed: what of them may a client see?"
    ),
    "raise HTTPException(500, str(error))": (
        "the words of a server's failure are computed: what of them may a client see?"
    ),
    'raise HTTPException(409, {"code": "taken"})': "its detail has no words",
    'raise HTTPException(409, {name: "taken"})': "the members of its detail are not all literals",
    'raise HTTPException(409, {"message": "a", "status": 3})': (
        "the member 'status' of its detail cannot be one of an error"
    ),
    'raise HTTPException(409, {"message": "a", "parm": 3})': (
        "the member 'parm' of its detail cannot be one of an error"
    ),
    'raise HTTPException(503, {"message": "a", "node": 3})': (
        "the detail of a server's failure has members: which of them may a client see?"
    ),
    "abort(other)": "its status is other, which is not a literal",
    "other or abort(404)": "abort() is made here, and not raised at once",
    "return HTTPException(404)": "HTTPException() is made here, and not raised at once",
    'NotFound("gone")': "NotFound() is made here, and not raised at once",
    "raise werkzeug.exceptions.MethodNotAllowed([])": "MethodNotAllowed is made from more than words",
    "raise ServiceUnavailable(retry_after=number)": "its wait is computed",
    "raise NotFound(response=other)": "response= has no counterpart",
    'return {"no": 1}, 404': "returns a 404 with a body of its own",
    'return flask.jsonify(no=1), HTTPStatus.CONFLICT, {"X": "y"}': "returns a 409 with a body of its own",
    "return fastapi.responses.JSONResponse({}, status_code=404)": "returns a 404 with a body of its own",
}


def line_of(text: str) -> str:
    return text.splitlines()[-1].strip()


@pytest.mark.parametrize(("before", "after"), REWRITTEN.items(), ids=list(REWRITTEN))
def test_a_raise_is_rewritten(tmp_path: Path, before: str, after: str) -> None:
    """Once; and the second time there is nothing to do."""
    package = code_base(tmp_path, main=HEAD.replace("LINE", before))
    proposal = written(package)
    assert (line_of((package / "main.py").read_text()), proposal.unsure) == (after, ())
    again = written(package)
    assert (again.raises, again.changes, again.classes) == (0, {}, ())


@pytest.mark.parametrize(("line", "why"), LEFT.items(), ids=list(LEFT))
def test_what_is_not_sure_stays_and_is_listed(tmp_path: Path, line: str, why: str) -> None:
    package = code_base(tmp_path, main=HEAD.replace("LINE", line))
    proposal = written(package)
    assert (proposal.changes, proposal.classes) == ({}, ())
    assert whys(proposal) == {HEAD.count("\n"): why}


def test_comments_in_a_call_stay(tmp_path: Path) -> None:
    call = 'raise HTTPException(\n            404,\n            # so that nobody knows\n            "Left",  # forever\n        )'
    package = code_base(tmp_path, main=HEAD.replace("LINE", call))
    written(package)
    text = (package / "main.py").read_text()
    assert text.endswith("        # so that nobody knows\n        # forever\n        raise Left()\n")


CLASSES = '''\
"""The errors of this service, each with a code that clients can rely on."""

from errorkit import APIError, BadRequestError, ConflictError, NotFoundError


class SeatNotFound(NotFoundError):
    """Seat not found."""

    code = "seat_not_found"
    message = "Seat not found"


class SeatNotFound400(BadRequestError):
    """Seat not found."""

    code = "seat_not_found_400"
    message = "Seat not found"


class Taken(ConflictError):
    """Taken."""

    code = "taken"


class NoCoffee(APIError):
    """No coffee!"""

    code = "no_coffee"
    status = 418
    title = "I'm a Teapot"
    message = "No coffee!"
'''

RAISES = """\
from fastapi import HTTPException


def run(name: str):
    raise HTTPException(404, "Seat not found")
    raise HTTPException(404, "Seat not found!")
    raise HTTPException(400, "Seat not found")
    raise HTTPException(409, f"{name} is taken")
    raise HTTPException(418, "No coffee!")
    raise HTTPException(404)
"""


def test_the_errors_module_has_a_class_for_each_status_and_words(tmp_path: Path) -> None:
    """The same words with another status are another error; words that differ by a sign are one."""
    package = code_base(tmp_path, main=RAISES)
    assert written(package).raises == 6
    assert (package / "errors.py").read_text() == CLASSES
    assert (package / "main.py").read_text() == (
        "from errorkit import NotFoundError\n\n"
        f"from {package.name}.errors import NoCoffee, SeatNotFound, SeatNotFound400, Taken\n\n\n"
        "def run(name: str):\n"
        "    raise SeatNotFound()\n"
        '    raise SeatNotFound("Seat not found!")\n'
        "    raise SeatNotFound400()\n"
        '    raise Taken(f"{name} is taken")\n'
        "    raise NoCoffee()\n"
        "    raise NotFoundError()\n"
    )


def test_an_errors_module_is_gone_on_with(tmp_path: Path) -> None:
    """Its classes are used, new ones stand at its end; what is about something else is left alone."""
    package = code_base(
        tmp_path,
        main=RAISES,
        errors=(
            "from errorkit import NotFoundError\n\n\nclass Seatless(NotFoundError):\n"
            '    code, message = "seat_not_found", "Seat not found!"\n'
        ),
    )
    written(package)
    text = (package / "errors.py").read_text()
    assert text.startswith(
        "from errorkit import APIError, BadRequestError, ConflictError, NotFoundError\n\n\nclass Seatless"
    )
    assert "class SeatNotFound(" not in text
    main = (package / "main.py").read_text()
    assert '    raise Seatless("Seat not found")\n    raise Seatless()\n' in main

    other = code_base(tmp_path, main=RAISES, errors="class Broken(Exception): ...\n")
    written(other)
    assert (other / "errors.py").read_text() == "class Broken(Exception): ...\n"
    assert "class SeatNotFound(" in (other / "api_errors.py").read_text()
    assert f"from {other.name}.api_errors import" in (other / "main.py").read_text()


def test_a_name_that_is_taken_gets_another_one(tmp_path: Path) -> None:
    source = RAISES.replace("def run", "class Taken: ...\n\n\ndef run")
    package = code_base(tmp_path, main=source)
    written(package)
    text = (package / "main.py").read_text()
    assert "Taken as APITaken" in text
    assert 'raise APITaken(f"{name} is taken")' in text


def test_one_file_is_a_code_base_too(tmp_path: Path) -> None:
    """Without a package the errors module lies beside it."""
    file = tmp_path / "service.py"
    file.write_text('from flask import Flask, abort\n\napp = Flask(__name__)\n\n\ndef run():\n    abort(404, "Left")\n')
    written(file)
    assert file.read_text() == (
        "from errorkit.flask import ErrorKit\nfrom flask import Flask\n\nimport errors\nfrom errors import Left\n\n"
        "app = Flask(__name__)\nErrorKit(app, catalog=[errors])\n\n\ndef run():\n    raise Left()\n"
    )
