"""Flask applications as extensions and middlewares leave them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from flask import abort, request
from werkzeug.exceptions import Conflict, HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix

from fidelity.observed import Call
from fidelity.twins import FLASK_WAYS, Collection, Twin

scenario = Collection("wsgi", "flask-extension", FLASK_WAYS)


def _fill(twin: Twin, app: Any) -> Any:
    """Views that fail in the usual ways."""

    @app.get("/crash")
    def crash() -> str:
        raise twin.raising(RuntimeError("a crash"))

    @app.get("/http")
    def http() -> str:
        abort(403, "closed")

    @app.get("/declared")
    def declared() -> str:
        raise twin.declared(Conflict("v7"))

    @app.get("/key")
    def key() -> str:
        return str(request.args["missing"])

    @app.post("/json")
    def json() -> Any:
        return request.get_json()

    @app.get("/at-once")
    def at_once() -> Any:
        def chunks() -> Iterator[str]:
            raise twin.raising(RuntimeError("at once"))
            yield ""

        return app.response_class(chunks(), mimetype="text/plain")

    @app.get("/events")
    def events() -> Any:
        def chunks() -> Iterator[str]:
            yield "data: a\n\n"
            raise twin.raising(RuntimeError("broken"))

        return app.response_class(chunks(), mimetype="text/event-stream")

    app.get("/ok")(lambda: "fine")
    return app


BROKEN_JSON = Call("/json", "POST", (("content-type", "application/json"),), b"{")
ALL = (
    *(Call(path) for path in ("/crash", "/http", "/declared", "/nope", "/key", "/ok")),
    Call("/ok", "POST"),
    BROKEN_JSON,
)


def _makes_responses(app: Any) -> None:
    """As Flask-CORS does: what answers exceptions gives responses, to which fields are added at once."""

    def with_field(method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            response = app.make_response(method(*arguments))
            response.headers["X-Extension"] = "1"
            return response

        return call

    app.handle_exception = with_field(app.handle_exception)
    app.handle_user_exception = with_field(app.handle_user_exception)


@scenario(*(call for call in ALL if call.path != "/declared"))
def an_extension_that_makes_responses_of_exceptions(twin: Twin) -> Any:
    app = _fill(twin, twin.flask())
    _makes_responses(app)
    return app


@scenario(Call("/http", shaped=True), Call("/nope"), Call("/key"), Call("/crash"))
def an_extension_that_makes_responses_beside_the_users_handlers(twin: Twin) -> Any:
    app = _fill(twin, twin.flask())
    _makes_responses(app)

    @app.errorhandler(403)
    def closed(error: HTTPException) -> Any:
        twin.saw("handler", error)
        return {"mine": error.description}, 403

    @app.errorhandler(404)
    def lost(error: HTTPException) -> Any:
        twin.saw("handler", error)
        return error

    return app


@scenario(*ALL, Call("/events"), Call("/at-once", status=500))
def behind_a_proxy(twin: Twin) -> Any:
    app = _fill(twin, twin.flask())
    app.wsgi_app = ProxyFix(app.wsgi_app)
    twin.cover()
    app.wsgi_app = ProxyFix(app.wsgi_app)
    return app


@scenario(Call("/at-once", propagates=True), Call("/events", propagates=True), Call("/ok"))
def bodies_that_break_where_exceptions_propagate(twin: Twin) -> Any:
    return _fill(twin, twin.flask(PROPAGATE_EXCEPTIONS=True))


@scenario(Call("/events"), *ALL)
def a_middleware_that_sees_a_body_break(twin: Twin) -> Any:
    app = _fill(twin, twin.flask())
    twin.cover()
    inner = app.wsgi_app

    def watching(environ: Any, start_response: Any) -> Iterator[bytes]:
        body = inner(environ, start_response)
        try:
            yield from body
        except Exception as error:
            twin.saw("middleware", error)
            raise
        finally:
            if hasattr(body, "close"):
                body.close()

    app.wsgi_app = watching
    return app
