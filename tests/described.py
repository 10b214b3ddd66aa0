"""The examples' OpenAPI documents, their errors described."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import flask
from fastapi import FastAPI

import examples.flask_app
from errorkit.cli.openapi_file import read
from errorkit.flask import operations
from errorkit.publish import Options
from errorkit.publish.openapi import document

FLASK_SOURCE = Path(examples.flask_app.__file__).with_name("openapi.yaml")


def openapi_of(app: FastAPI | flask.Flask) -> dict[str, Any]:
    """FastAPI's own; for Flask the hand-written one, completed with what the views declare."""
    if isinstance(app, FastAPI):
        return app.openapi()
    handler = app.extensions["errorkit"].handler
    declared = {(one.path, one.method.lower()): one.declared for one in operations(app)}

    return document(read(FLASK_SOURCE), handler.catalog, handler.selection.forms, Options.of(handler.config), declared)
