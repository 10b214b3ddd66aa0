"""Any module of raises: rewritten it runs, answers as before, and there is nothing left to do."""

from __future__ import annotations

import json
import tempfile
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adopt_command.code_bases import code_base, imported, written
from driving import Reply, asgi, wsgi

STATUSES = sorted({status.value for status in HTTPStatus if status >= 400})
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40).filter(lambda text: text != "")
WORDS = (
    st.sampled_from(["Item not found", "Item not found.", "Not Found", "Taken", "conflict", 'It\'s "gone"\n']) | TEXT
)


class Raise(NamedTuple):
    """One raise. words: what a client of the bare framework reads; None where the author says nothing."""

    line: str
    status: int
    words: str | None
    wait: str | None = None


def literal(words: str, form: str) -> str:
    """Words as Python writes them, in one of several ways."""
    if form == "two parts":
        return f"{words[: len(words) // 2]!r} {words[len(words) // 2 :]!r}"
    if form == "double":
        return json.dumps(words, ensure_ascii=False)
    return ascii(words) if form == "ascii" else repr(words)


@st.composite
def fastapi_raises(draw: st.DrawFn) -> Raise:
    """By number, name and constant; words as a literal, computed, in a dictionary, or absent."""
    status = draw(st.sampled_from(STATUSES))
    number = draw(st.sampled_from([f"{status}", f"HTTPStatus.{HTTPStatus(status).name}.value", f"STATUS_{status}"]))
    words = draw(WORDS)
    form = draw(st.sampled_from(["plain", "two parts", "double", "ascii", "computed", "dictionary", "absent"]))
    detail, told = f"detail={literal(words, form)}", words
    if form == "computed":
        detail = f"detail=f'{{name}}: ' + {words!r}"
        told = "Ada: " + words
        if status >= 500:
            detail, told = f"detail={words!r}", words
    elif form == "dictionary":
        detail = f"detail={{'message': {words!r}}}"
    wait = draw(st.sampled_from([None, "30"]))
    headers = "" if wait is None else ", headers={'Retry-After': '30', 'X-Kept': 'yes'}"
    detail = "" if form == "absent" else f", {detail}"
    how = draw(st.sampled_from(["status_code=", ""]))
    text = f"raise HTTPException({how}{number}{detail}{headers})"
    return Raise(text, status, None if form == "absent" else told, wait)


def fastapi_module(raises: list[Raise]) -> str:
    rows = ["from http import HTTPStatus", "", "from fastapi import FastAPI, HTTPException", "", "app = FastAPI()"]
    rows += [f"STATUS_{status} = {status}" for status in STATUSES]
    for number, each in enumerate(raises):
        rows += ["", "", f"@app.get('/{number}')", f"def run_{number}(name: str = 'Ada'):", f"    {each.line}"]
    return "\n".join(rows) + "\n"


SETTINGS = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def checked(source: str, count: int) -> tuple[Any, Any]:
    """The application, installed and not rewritten, and as it is proposed; all raises rewritten, nothing left."""
    with tempfile.TemporaryDirectory() as folder:
        before = code_base(Path(folder), main=source)
        bare = imported(before).app
        proposal = written(before)
        assert (proposal.raises, proposal.unsure) == (count, ())
        after = imported(before).app
        again = written(before)
        assert (again.raises, again.changes, again.unsure) == (0, {}, ())
    return bare, after


@SETTINGS
@given(st.lists(fastapi_raises(), min_size=1, max_size=6))
def test_fastapi(raises: list[Raise]) -> None:
    """Status, words and waits as the bare framework's; a body in the dialect."""
    bare, after = checked(fastapi_module(raises), len(raises))
    for number, each in enumerate(raises):
        old, new = asgi(bare, path=f"/{number}"), asgi(after, path=f"/{number}")
        assert new.status == old.status == each.status
        assert new.header("content-type") == "application/problem+json"
        assert new.header("x-kept") == old.header("x-kept")
        if each.wait is not None:
            assert new.header("retry-after") == old.header("retry-after") == each.wait
        if each.words is not None:
            assert new.json()["detail"] == each.words == said(old)


def said(reply: Reply) -> str:
    """The words of FastAPI's own body."""
    detail = reply.json()["detail"]
    words = detail["message"] if isinstance(detail, dict) else detail
    assert isinstance(words, str)
    return words


@st.composite
def flask_raises(draw: st.DrawFn) -> Raise:
    """`abort`, in its forms, and werkzeug's classes."""
    kind, status = draw(
        st.sampled_from([("NotFound", 404), ("Conflict", 409), ("BadGateway", 502), ("", 403), ("", 429)])
    )
    words = draw(WORDS)
    form = draw(st.sampled_from(["plain", "two parts", "double", "ascii"]))
    text = literal(words, form)
    if kind:
        return Raise(f"raise {kind}({draw(st.sampled_from(['', 'description=']))}{text})", status, words)
    how = draw(st.sampled_from(["abort", "flask.abort"]))
    return Raise(f"{how}({status}, {draw(st.sampled_from(['', 'description=']))}{text})", status, words)


@SETTINGS
@given(st.lists(flask_raises(), min_size=1, max_size=6))
def test_flask(raises: list[Raise]) -> None:
    """The bare body is a page; its words are what the author wrote."""
    rows = [
        "import flask",
        "from flask import Flask, abort",
        "from werkzeug.exceptions import BadGateway, Conflict, NotFound",
    ]
    rows += ["", "app = Flask(__name__)"]
    for number, each in enumerate(raises):
        rows += ["", "", f"@app.get('/{number}')", f"def run_{number}():", f"    {each.line}"]
    bare, after = checked("\n".join(rows) + "\n", len(raises))
    for number, each in enumerate(raises):
        old, new = wsgi(bare, path=f"/{number}"), wsgi(after, path=f"/{number}")
        assert new.status == old.status == each.status
        assert new.json()["detail"] == each.words
