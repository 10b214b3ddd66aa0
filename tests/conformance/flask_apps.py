"""A Flask and a WSGI application that can fail in every way, for the conformance table."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flask import Flask, Response, abort, request, send_from_directory
from sqlalchemy.exc import IntegrityError
from werkzeug.exceptions import RequestEntityTooLarge, ServiceUnavailable, TooManyRequests

from conformance.starlette_apps import SECRET, ClientGone, Invoice, Item, Overloaded, UserError, settings
from errorkit import errors
from errorkit.flask import ErrorKit, validate
from errorkit.wsgi import ErrorMiddleware


def flask_app(dialect: Any, directory: Path) -> Flask:
    """Flask with everything that can fail."""
    app = Flask("conformance", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = 1000

    @app.errorhandler(UserError)
    def users_answer(error: UserError) -> tuple[str, int]:
        return "mine", 418

    ErrorKit(app, **settings(dialect))

    @app.before_request
    def before() -> None:
        if request.path == "/before-request":
            raise errors.AuthenticationError("No key.")

    @app.get("/raised")
    def raised() -> None:
        raise errors.ConflictError("Version 7 is already published.", param="/version")

    @app.get("/499")
    def gone() -> None:
        raise ClientGone

    @app.get("/529")
    def busy() -> None:
        raise Overloaded

    @app.get("/http-exception")
    def http_exception() -> None:
        abort(403, "Not yours.")

    @app.get("/http-exception-503")
    def http_exception_503() -> None:
        raise ServiceUnavailable(f"db {SECRET} is down", retry_after=17)

    @app.get("/limited")
    def limited() -> None:
        raise TooManyRequests(retry_after=3600)

    @app.get("/too-large")
    def too_large() -> None:
        raise RequestEntityTooLarge

    @app.get("/abort-response")
    def abort_response() -> None:
        abort(Response('{"mine": true}', 400, content_type="application/json"))

    @app.post("/items")
    def create() -> dict[str, str]:
        validate(Item, request.get_json())
        return {}

    @app.get("/crash")
    def crash() -> None:
        raise RuntimeError(SECRET)

    @app.get("/timeout")
    def timeout() -> None:
        raise TimeoutError(SECRET)

    @app.get("/mapped")
    def mapped() -> None:
        raise IntegrityError(f"INSERT {SECRET}", {}, Exception(SECRET))

    @app.get("/group")
    def group() -> None:
        raise ExceptionGroup("tasks", [errors.ConflictError("in a group")])

    @app.get("/stream-at-once")
    def stream_at_once() -> Response:
        return Response(_chunks(0))

    @app.get("/stream")
    def stream() -> Response:
        return Response(_chunks(2))

    @app.get("/sse")
    def sse() -> Response:
        return Response(_events(), mimetype="text/event-stream")

    @app.get("/empty-404")
    def empty() -> Response:
        return Response(status=404)

    @app.get("/line-409")
    def line() -> tuple[str, int, dict[str, str]]:
        return "Version 7 exists.", 409, {"content-type": "text/plain"}

    @app.get("/tenant/<which>")
    def tenant(which: str) -> None:
        if which == "absent":
            raise Invoice("There is none.")
        raise errors.ForbiddenError("It is t2's.", resource_tenant="t2", caller_tenant="t1", conceal_as=Invoice)

    @app.get("/static/<path:name>")
    def static_file(name: str) -> Any:
        return send_from_directory(directory, name)

    @app.get("/own-json")
    def own_json() -> tuple[dict[str, bool], int]:
        return {"mine": True}, 400

    @app.get("/own-gzip")
    def own_gzip() -> Response:
        return Response(gzip.compress(b"x"), 400, {"content-encoding": "gzip", "content-type": "text/plain"})

    @app.get("/own-handler")
    def own_handler() -> None:
        raise UserError

    @app.get("/ok")
    def ok() -> dict[str, str]:
        return {"ok": "yes"}

    return app


def _chunks(count: int) -> Iterator[bytes]:
    for number in range(count):
        yield b"%d" % number
    raise RuntimeError(SECRET)


def _events() -> Iterator[bytes]:
    yield b"data: 1\n\n"
    raise errors.ServiceUnavailableError("The model went away.")


def wsgi_app(dialect: Any, directory: Path) -> Any:
    """A WSGI application without a framework."""

    def app(environ: Any, start_response: Any) -> Any:
        path = environ["PATH_INFO"]
        if path == "/raised":
            raise errors.ConflictError("Version 7 is already published.", param="/version")
        if path == "/crash":
            raise RuntimeError(SECRET)
        if path == "/mapped":
            raise IntegrityError(f"INSERT {SECRET}", {}, Exception(SECRET))
        if path == "/silent":
            return []
        if path == "/stream-at-once":
            return _chunks(0)
        if path == "/stream":
            start_response("200 OK", [("Content-Type", "text/plain")])
            return _chunks(2)
        if path == "/sse":
            start_response("200 OK", [("Content-Type", "text/event-stream")])
            return _events()
        body, line = (b"Version 7 exists.", "409 Conflict") if path == "/line-409" else (b"Not Found", "404 Not Found")
        start_response(line, [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
        return [body]

    return ErrorMiddleware(app, **settings(dialect))
