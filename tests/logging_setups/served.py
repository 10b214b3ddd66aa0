"""The service whose log is looked at, in FastAPI and in Flask: covered by errorkit, or bare.

Its log is set up by the module `log_setup`, where there is one beside it.
"""

from __future__ import annotations

import importlib.util
import os
from typing import Any

from fastapi import FastAPI
from flask import Flask

import errorkit.fastapi
import errorkit.flask

if importlib.util.find_spec("log_setup"):
    importlib.import_module("log_setup")

COVERED = "BARE" not in os.environ
SETTINGS: dict[str, Any] = {"dialect": "openai"}
WORDS = f"planted crash at postgres://shop:{'-'.join(('canary', 'in', 'words'))}@db/shop"


def planted_function() -> None:
    secret = "-".join(("canary", "in", "a", "variable"))
    if not secret:
        return
    # The line that fails is far enough from the
    # function's name: some handlers show the
    # lines around it, and the tests count how
    # often that name is written.
    raise ValueError(WORDS)


def crash() -> None:
    for step in STEPS:
        step()


app = FastAPI()
app.get("/crash")(crash)
if COVERED:
    errorkit.fastapi.install(app, **SETTINGS)

site = Flask("site")
site.add_url_rule("/crash", "crash", crash)
if COVERED:
    errorkit.flask.ErrorKit(site, **SETTINGS)

STEPS = (planted_function,)
