"""Services that cannot start: a wrong setting by each way of adding errorkit, and a bare application that says no."""

from __future__ import annotations

import os
import sys
from typing import Any

import structlog
from flask import Flask
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse

import errorkit.asgi
import errorkit.starlette
import errorkit.wsgi
from errorkit.flask import ErrorKit

structlog.configure(
    processors=[structlog.processors.JSONRenderer()], logger_factory=structlog.WriteLoggerFactory(sys.stderr)
)


async def bare(scope: Any, receive: Any, send: Any) -> None:
    """An application without errorkit that refuses to start."""
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "the bare application says no"})


def service() -> Starlette:
    app = Starlette()
    app.add_route("/", lambda request: PlainTextResponse("served"))
    return app


way = os.environ.get("WAY")
app: Any = service()
if way == "add_middleware":
    app.add_middleware(errorkit.starlette.ErrorMiddleware, dialect="opnai")
elif way == "add_middleware, outside another":
    app.add_middleware(errorkit.starlette.ErrorMiddleware, dialect="opnai")
    app.add_middleware(errorkit.asgi.ErrorMiddleware)
elif way == "add_middleware, the generic one":
    app.add_middleware(errorkit.asgi.ErrorMiddleware, dialect="opnai")
elif way == "add_middleware, by the environment":
    app.add_middleware(errorkit.starlette.ErrorMiddleware)
elif way == "install":
    errorkit.starlette.install(app, dialect="opnai")
elif way == "around":
    app = errorkit.asgi.ErrorMiddleware(app, dialect="opnai")
elif way == "Flask":
    app = Flask(__name__)
    ErrorKit(app, dialect="opnai")
elif way == "around, WSGI":
    app = errorkit.wsgi.ErrorMiddleware(Flask(__name__), dialect="opnai")
