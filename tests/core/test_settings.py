"""The types of the settings are those of `Config`, which checks them when they are used."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any, Literal, Unpack, get_args, get_origin, get_type_hints

import pytest

import errorkit.asgi
import errorkit.fastapi
import errorkit.flask
import errorkit.starlette
import errorkit.wsgi
from errorkit import Catalog, ConflictError
from errorkit.choosing import by_header
from errorkit.config import Config
from errorkit.dialects import PRESETS
from errorkit.dialects.openai import OpenAI
from errorkit.settings import PresetName, Settings
from examples.docstore import errors as own

TYPES = get_type_hints(Settings)
FIELDS = get_type_hints(Config)


def reads_nothing(status: int, headers: Any, body: Any) -> None:
    """A reader that recognises no body."""


CONVERTED = {
    "adopt": ["openai", OpenAI(), OpenAI, reads_nothing, ["openai", reads_nothing], (OpenAI(),)],
    "dialect": [
        "openai",
        OpenAI(),
        OpenAI,
        "observe",
        by_header("API-Version", {"1": OpenAI}, "observe"),
        {"/v1": "openai", "/v2": OpenAI, "/v3": by_header("API-Version", {"1": OpenAI}, "problem"), "/": None},
    ],
    "html": [None, "dialect", "application", "page", {"/api": "dialect", "/": "page"}],
    "catalog": [Catalog(), [ConflictError], (ConflictError, own), "errorkit.errors:STANDARD"],
    "exceptions": [{KeyError: ConflictError}, {"builtins:KeyError": "conflict", OSError: lambda error: None}],
    "hold_start": [True, {"/v1": True, "/": False}],
    "redact": [["iban"], ("iban",), {"iban"}, frozenset({"iban"})],
}
"""Settings that `Config` turns into one form: a value of each type that a caller may give."""


def test_every_setting_has_a_type_and_no_other() -> None:
    """A new field of `Config` needs its line in `Settings`."""
    assert set(TYPES) == set(Config.model_fields)
    assert not Settings.__required_keys__


@pytest.mark.parametrize("name", sorted(set(TYPES) - set(CONVERTED)))
def test_a_type_is_that_of_the_field(name: str) -> None:
    """Where `Config` takes a value as it is, both say the same of it."""
    assert TYPES[name] == FIELDS[name]


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in CONVERTED for value in CONVERTED[name]])
def test_what_a_converted_type_allows_is_accepted(name: str, value: Any) -> None:
    """What the type lets pass, `Config` takes."""
    Config(**{name: value})


def literals(kind: Any) -> Iterator[Any]:
    """All values of the literals in a type."""
    if get_origin(kind) is Literal:
        yield from get_args(kind)
    else:
        for part in get_args(kind):
            yield from literals(part)


def test_the_presets_names_are_those_that_there_are() -> None:
    """A new preset needs its name in `PresetName`."""
    assert get_args(PresetName) == tuple(PRESETS)


@pytest.mark.parametrize("name", [name for name in TYPES if any(literals(TYPES[name]))])
def test_every_literal_is_accepted(name: str) -> None:
    """A value that completion offers is a value that works."""
    for value in literals(TYPES[name]):
        Config(**{name: {"404": value} if name == "levels" else value})


ENTRANCES: list[Callable[..., Any]] = [
    errorkit.fastapi.install,
    errorkit.starlette.install,
    errorkit.asgi.ErrorMiddleware.__init__,
    errorkit.wsgi.ErrorMiddleware.__init__,
    errorkit.starlette.ErrorMiddleware.__init__,
    errorkit.fastapi.ErrorMiddleware.__init__,
    errorkit.flask.ErrorKit.__init__,
    Config.__init__,
    Config.load,
]


@pytest.mark.parametrize("entrance", ENTRANCES, ids=lambda each: f"{each.__module__}.{each.__qualname__}")
def test_every_entrance_takes_them(entrance: Callable[..., Any]) -> None:
    """One type for all places where settings are given."""
    written = entrance.__annotations__["settings"]
    assert eval(written, {"Unpack": Unpack, "Settings": Settings}) == Unpack[Settings]


def test_importing_the_types_loads_neither_pydantic_nor_a_preset() -> None:
    """A service may name `Settings` in a module that configures nothing."""
    program = "import sys, errorkit.settings; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.split()
    assert {"pydantic", "errorkit.config", *(f"errorkit.dialects.{name}" for name in PRESETS)}.isdisjoint(loaded)
