"""The words of an error on every surface: its class's own, or the public ones of the standard error that it is."""

from __future__ import annotations

import json
import re
from functools import cache

import pytest
from fastapi import FastAPI

from errorkit import APIError, Catalog, ConflictError
from errorkit.dialects import get_dialect
from errorkit.errors import STANDARD, AuthenticationError, InternalError, NotFoundError
from errorkit.fastapi import install, raises
from errorkit.publish import Files, Options, generate
from errorkit.publish.public_words import prose


class BadKey(AuthenticationError):
    """The X-API-Key is unknown."""

    code = "bad_key"


class NameTaken(ConflictError):
    code, message = "name_taken", "The name is taken."


class NoSuchPath(NotFoundError):
    """Nothing is served under this path."""

    code = "not_found"


class Refused(AuthenticationError):
    code, title = "unauthenticated", "Refused"


class Crash(InternalError):
    code, answers_for_standard = "crash", True


OWN = (BadKey, NameTaken, NoSuchPath, Refused, Crash)
CATALOG = Catalog(OWN)
PROBLEM = get_dialect("problem")
INHERITED = ("Somebody else", "has changed in the meantime", "Read the resource again", "WWW-Authenticate names")


@cache
def surfaces() -> dict[str, Files]:
    """What each generator writes of the catalogue."""
    app = FastAPI()
    install(app, dialect="problem", catalog=CATALOG)
    app.get("/")(raises(*OWN)(lambda: None))
    words = ("docs html", "docs markdown", "export", "agents", "client python", "client typescript")
    files = {word: generate(word, CATALOG, PROBLEM, Options()) for word in words}
    return {**files, "openapi": {"openapi.json": json.dumps(app.openapi())}}


def test_a_class_with_a_meaning_of_its_own_inherits_no_words() -> None:
    """Neither causes nor a resolution of the standard error that it derives from; its message where it says nothing."""
    assert prose(CATALOG.by_code("bad_key")) == ("The X-API-Key is unknown.", (), "")
    assert prose(CATALOG.by_code("name_taken")) == ("The name is taken.", (), "")
    assert prose(CATALOG.by_code("not_found")) == ("Nothing is served under this path.", (), "")


def test_a_class_that_is_the_standard_error_and_says_nothing_has_its_words() -> None:
    """Under the standard code, under another that answers for it, or renamed."""
    plain = Catalog()
    assert prose(CATALOG.by_code("unauthenticated")) == prose(plain.by_code("unauthenticated"))
    assert prose(CATALOG.by_code("crash")) == prose(plain.by_code("internal"))
    renamed = Catalog(rename={"internal": "internal_error"})
    assert prose(renamed.by_code("internal_error")) == prose(plain.by_code("internal"))


def test_no_surface_says_what_the_class_does_not() -> None:
    """On a page of a code, in an export, in a docstring: no word of another error's."""
    for word, files in surfaces().items():
        for name, text in files.items():
            if name.startswith(("bad_key", "name_taken")):
                assert not any(words in text for words in INHERITED), (word, name)
    errors = {error["code"]: error for error in json.loads(surfaces()["export"]["catalog.json"])["errors"]}
    assert (errors["name_taken"]["causes"], errors["name_taken"]["resolution"]) == ([], "")


@pytest.mark.parametrize("cls", STANDARD)
def test_a_note_for_those_who_raise_an_error_is_published_nowhere(cls: type[APIError]) -> None:
    """The docstring of a standard error tells of `details` and RFCs; its readers get sentences of their own."""
    note = (cls.__doc__ or "").partition("\n")[0]
    assert re.match(r"\d{3}: ", note)
    for files in surfaces().values():
        for text in files.values():
            assert note not in text
    words = prose(Catalog().by_code(cls.code))
    assert words.description.endswith(".")
    assert words.causes
    assert words.resolution
