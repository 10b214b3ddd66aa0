"""Flask applications that fail."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import flask
from flask import Blueprint, abort, jsonify, make_response, request, stream_with_context
from flask.views import MethodView
from pydantic import BaseModel
from werkzeug.exceptions import Conflict, Forbidden, HTTPException, InternalServerError, NotFound, TooManyRequests
from werkzeug.routing import RequestRedirect

from errorkit import RateLimitError
from fidelity.observed import Answer, Call
from fidelity.twins import FLASK_WAYS, Collection, Twin, Way

scenario = Collection("wsgi", "flask", FLASK_WAYS)
JSON = (("content-type", "application/json"),)
PAGE = "<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Lost?</h1>\n" + "<p>Mine.</p>\n" * 30


class Missing(Exception):
    """An exception of the application's own."""


class Row(BaseModel):
    name: str
    cents: int


def _fill(twin: Twin, app: Any) -> Any:
    """Views that fail in the usual ways."""

    @app.get("/crash")
    def crash() -> str:
        raise twin.raising(RuntimeError("a crash"))

    @app.get("/http")
    def http() -> str:
        raise twin.raising(Forbidden("closed"))

    @app.get("/declared")
    def declared() -> str:
        raise twin.declared(Conflict("v7"))

    app.get("/ok")(lambda: "fine")
    return app


ALL = (Call("/crash"), Call("/http"), Call("/declared"), Call("/nope"), Call("/ok"), Call("/ok", "POST"))


def _watch(twin: Twin, app: Any) -> None:
    """Everything in Flask that hears of a request."""
    flask.request_started.connect(lambda sender, **told: twin.step("started"), app, weak=False)
    flask.request_finished.connect(
        lambda sender, response, **told: twin.step(f"finished {response.status_code}"), app, weak=False
    )
    flask.got_request_exception.connect(
        lambda sender, exception, **told: twin.saw("signal", exception), app, weak=False
    )
    flask.request_tearing_down.connect(lambda sender, exc=None, **told: twin.saw("tearing", exc), app, weak=False)

    @app.before_request
    def before() -> None:
        twin.step("before")

    @app.after_request
    def after(response: Any) -> Any:
        twin.step(f"after {response.status_code}")
        response.headers["x-after"] = "1"
        return response

    @app.teardown_request
    def teardown(error: BaseException | None) -> None:
        twin.saw("teardown", error)

    @app.teardown_appcontext
    def context(error: BaseException | None) -> None:
        twin.saw("appcontext", error)


@scenario(*ALL)
def everybody_hears_of_it(twin: Twin) -> Any:
    app = _fill(twin, twin.flask())
    _watch(twin, app)
    return app


@scenario(*ALL)
def a_unit_of_work_by_teardown(twin: Twin) -> Any:
    app = _fill(twin, twin.flask())

    @app.teardown_request
    def close(error: BaseException | None) -> None:
        twin.step(f"ROLLBACK for {twin.label(error)}" if error else "COMMIT")

    return app


# -- the user's own handlers


@scenario(Call("/crash", shaped=True), Call("/http", shaped=True), Call("/nope", shaped=True), Call("/ok"),
          Call("/declared", status=409))  # fmt: skip
def a_handler_for_exception(twin: Twin) -> Any:
    """F-04."""
    app = _fill(twin, twin.flask())

    @app.errorhandler(Exception)
    def catch_all(error: Exception) -> Any:
        if request.path != "/declared":
            twin.saw("catch-all", error)
        status = error.code if isinstance(error, HTTPException) else 500
        return f"mine {type(error).__name__}", status

    return app


@scenario(*(Call("/crash", shaped=True), *ALL[1:]))
def a_handler_for_500(twin: Twin) -> Any:
    app = _fill(twin, twin.flask())
    _watch(twin, app)

    @app.errorhandler(500)
    def catch_all(error: Any) -> Any:
        twin.saw("500", error.original_exception)
        return jsonify(detail="an own one"), 500

    return app


@scenario(
    Call("/crash", shaped=True), Call("/http", shaped=True), Call("/nope", shaped=True), Call("/declared", status=409)
)
def a_handler_for_http_exception(twin: Twin) -> Any:
    app = _fill(twin, twin.flask())

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Any:
        if request.path != "/declared":
            twin.step(f"http {error.code}")
        response = error.get_response()
        response.data = json.dumps({"code": error.code, "name": error.name})
        response.content_type = "application/json"
        return response

    return app


@scenario(Call("/crash", shaped=True), Call("/http"), Call("/500", shaped=True))
def a_handler_for_internal_server_error(twin: Twin) -> Any:
    app = _fill(twin, twin.flask())

    @app.get("/500")
    def by_hand() -> str:
        abort(500, "by hand")

    @app.errorhandler(InternalServerError)
    def broken(error: Any) -> Any:
        twin.saw("handler", error.original_exception)
        return "<h1>we are sorry</h1>", 500

    return app


def _form(name: str) -> Any:
    forms: dict[str, Any] = {
        "page": (PAGE, 404),
        "text": ("gone", 404),
        "plain": ("gone", 404, {"content-type": "text/plain"}),
        "empty": ("", 404),
        "dict": ({"detail": "row"}, 404),
        "json": (jsonify(detail="row"), 404),
        "response": make_response("no\nway", 403, {"x-own": "1"}),
        "headers": ({"mine": 1}, 429, [("retry-after", "60"), ("set-cookie", "a=1"), ("set-cookie", "b=2")]),
        "ok": {"fallback": True},
    }
    return forms[name]


_FORMS = ("page", "text", "plain", "empty", "dict", "json", "response", "headers", "ok")


@scenario(*[Call(f"/{form}", shaped=True) for form in _FORMS])
def answers_of_a_users_handler_for_a_class(twin: Twin) -> Any:
    """F-06."""
    app = twin.flask()

    @app.errorhandler(Missing)
    def mine(error: Missing) -> Any:
        twin.saw("mine", error)
        return _form(str(error))

    @app.get("/<form>")
    def missing(form: str) -> str:
        raise twin.raising(Missing(form))

    return app


@scenario(*[Call(f"/{form}", shaped=True) for form in _FORMS])
def answers_of_a_users_handler_for_a_code(twin: Twin) -> Any:
    app = twin.flask()
    app.register_error_handler(404, lambda error: _form(error.description))

    @app.get("/<form>")
    def missing(form: str) -> str:
        raise twin.raising(NotFound(form))

    return app


@scenario(*[Call(f"/shop/{form}", shaped=True) for form in _FORMS], Call("/nope"))
def answers_of_a_blueprints_handler(twin: Twin) -> Any:
    app = twin.flask()
    shop = Blueprint("shop", __name__, url_prefix="/shop")

    @shop.errorhandler(NotFound)
    def mine(error: Any) -> Any:
        twin.saw("blueprint", error)
        return _form(error.description)

    @shop.get("/<form>")
    def missing(form: str) -> str:
        raise twin.raising(NotFound(form))

    app.register_blueprint(shop)
    return app


@scenario(Call("/http", shaped=True), Call("/mine"), Call("/delegates"), Call("/crash"))
def handlers_that_raise_and_delegate(twin: Twin) -> Any:
    app = _fill(twin, twin.flask())
    _watch(twin, app)

    @app.errorhandler(Forbidden)
    def forbidden(error: Any) -> Any:
        twin.saw("forbidden", error)
        return "own words", 403

    @app.errorhandler(Missing)
    def missing(error: Missing) -> Any:
        raise twin.raising(KeyError("in the handler"))

    @app.errorhandler(404)
    def delegates(error: Any) -> Any:
        twin.saw("delegating", error)
        return error

    @app.get("/mine")
    def mine() -> str:
        raise twin.raising(Missing("x"))

    @app.get("/delegates")
    def not_there() -> str:
        abort(404)

    return app


@scenario(Call("/a/crash", shaped=True), Call("/a/b/crash", shaped=True), Call("/a/b/http", shaped=True), Call("/a/http"),
          Call("/a/b/nope"), Call("/a/b/declared", status=409))  # fmt: skip
def nested_blueprints(twin: Twin) -> Any:
    app = twin.flask()
    outer, inner = Blueprint("a", __name__, url_prefix="/a"), Blueprint("b", __name__, url_prefix="/b")
    _fill(twin, outer)
    _fill(twin, inner)

    @outer.errorhandler(RuntimeError)
    def crashed(error: Any) -> Any:
        twin.saw("outer blueprint", error)
        return {"outer": 1}, 500

    @inner.errorhandler(HTTPException)
    def http(error: Any) -> Any:
        if not request.path.endswith("/declared"):
            twin.saw("inner blueprint", error)
        return {"inner": error.code}, error.code

    @inner.teardown_request
    def teardown(error: BaseException | None) -> None:
        twin.saw("inner teardown", error)

    outer.register_blueprint(inner)
    app.register_blueprint(outer)
    return app


# -- abort, redirects, statuses (F-21, F-41)


@scenario(*[Call(f"/{name}", shaped=True) for name in ("json", "detail", "text", "empty", "page")])
def abort_with_a_response(twin: Twin) -> Any:
    """F-41."""
    app = twin.flask()

    @app.get("/<name>")
    def view(name: str) -> str:
        forms: dict[str, Any] = {
            "json": lambda: make_response(jsonify(mine=1), 422),
            "detail": lambda: make_response(jsonify(detail="own"), 422),
            "text": lambda: make_response("own", 409, {"content-type": "text/plain"}),
            "empty": lambda: make_response("", 410),
            "page": lambda: make_response(PAGE, 404),
        }
        abort(forms[name]())

    return app


@scenario(Call("/slash"), Call("/redirect"), Call("/see"), Call("/304"), Call("/abort-303"), Call("/204"))
def exceptions_below_400(twin: Twin) -> Any:
    """F-21."""
    app = twin.flask()
    _watch(twin, app)
    app.get("/slash/")(lambda: "there")

    class NotModified(HTTPException):
        code, description = 304, None

        def get_headers(self, *args: Any, **more: Any) -> Any:
            return [("etag", '"1"')]

    class SeeOther(HTTPException):
        code = 303

        def get_headers(self, *args: Any, **more: Any) -> Any:
            return [*super().get_headers(*args, **more), ("location", "/ok")]

    class Nothing(HTTPException):
        code = 204

    def view(path: str, make: Any) -> None:
        def raises() -> str:
            raise twin.raising(make())

        app.add_url_rule(path, path.strip("/"), raises)

    view("/redirect", lambda: RequestRedirect("http://api.test/ok"))
    view("/see", SeeOther)
    view("/304", NotModified)
    view("/204", Nothing)

    @app.get("/abort-303", endpoint="abort-303")
    def redirect() -> str:
        abort(flask.redirect("/ok", 303))

    return app


@scenario(Call("/ok", "DELETE"), Call("/item"), Call("/item", "PUT"), Call("/ok", "OPTIONS"), Call("/form", "POST"),
          Call("/big", "POST", body=b"x" * 100))  # fmt: skip
def the_frameworks_own_errors(twin: Twin) -> Any:
    app = _fill(twin, twin.flask(MAX_CONTENT_LENGTH=50))

    class Item(MethodView):
        def get(self) -> str:
            raise twin.raising(TooManyRequests("slow", retry_after=9))

    app.add_url_rule("/item", view_func=Item.as_view("item"))
    app.post("/form", endpoint="form")(lambda: request.form["no-such"])
    app.post("/big", endpoint="big")(lambda: request.get_data())
    return app


@scenario(Call("/401"), Call("/basic"), Call("/far"), Call("/405"), Call("/many"))
def fields_of_an_http_exception_stay(twin: Twin) -> Any:
    """F-39, F-42."""
    from werkzeug.datastructures import WWWAuthenticate
    from werkzeug.exceptions import MethodNotAllowed, ServiceUnavailable, Unauthorized

    app = twin.flask()

    class Many(Conflict):
        def get_headers(self, *args: Any, **more: Any) -> Any:
            return [*super().get_headers(*args, **more), ("x-a", "1"), ("x-a", "2"), ("cache-control", "max-age=5")]

    from datetime import UTC, datetime

    forms: dict[str, Any] = {
        "401": lambda: Unauthorized(),
        "basic": lambda: Unauthorized(www_authenticate=WWWAuthenticate("basic", {"realm": "x"})),
        "far": lambda: ServiceUnavailable(retry_after=datetime(2099, 10, 21, 7, 28, tzinfo=UTC)),
        "405": lambda: MethodNotAllowed(["GET", "PATCH"]),
        "many": lambda: Many("m"),
    }

    @app.get("/<name>")
    def view(name: str) -> str:
        raise twin.raising(forms[name]())

    return app


# -- validation (F-13, F-16)


@scenario(Call("/response"), Call("/upstream"), Call("/row"))
def pydantic_errors_of_the_services_own(twin: Twin) -> Any:
    """F-16."""
    app = twin.flask()
    _watch(twin, app)

    @app.get("/response")
    def response() -> Any:
        return Row(name="n", cents="12,50").model_dump()  # type: ignore[arg-type]

    @app.get("/upstream")
    def upstream() -> Any:
        return Row.model_validate_json("{}").model_dump()

    @app.get("/row")
    def row() -> Any:
        return Row.model_validate({"name": None}).model_dump()

    return app


@scenario(Call("/file"), Call("/cursor?cursor={no"), Call("/conflict"), Call("/from"),
          Call("/item", "POST", JSON, b"{no"), Call("/item", "POST", JSON, b"\xff"), Call("/item", "POST", body=b"{}"))  # fmt: skip
def errors_beside_a_decode_error(twin: Twin) -> Any:
    """F-13: only what came through `request.get_json` is malformed JSON, and its status is the same."""
    app = twin.flask()

    @app.get("/file")
    def file() -> Any:
        try:
            json.loads("{corrupt")
        except ValueError:
            abort(400, "The stored file is corrupt.")

    @app.get("/cursor")
    def cursor() -> Any:
        try:
            return json.loads(request.args["cursor"])
        except ValueError:
            abort(400, "A cursor is what the last page gave.")

    @app.get("/conflict")
    def conflict() -> Any:
        try:
            b"\xff".decode()
        except UnicodeDecodeError:
            abort(409, "own words")

    @app.get("/from")
    def chained() -> Any:
        try:
            b"\xff".decode()
        except UnicodeDecodeError as error:
            raise twin.raising(Conflict("own words")) from error

    @app.post("/item")
    def item() -> Any:
        return request.get_json()

    return app


def _keeps_words(bare: Answer, covered: Answer) -> Iterator[str]:
    """F-13."""
    for event in covered.events:
        if event.get("code") == "malformed_json":
            yield "it is called malformed JSON"


@scenario(Call("/file", check=_keeps_words), Call("/cursor?cursor={no", check=_keeps_words))
def a_400_that_is_not_about_the_body(twin: Twin) -> Any:
    app = twin.flask()

    @app.get("/file")
    def file() -> Any:
        try:
            json.loads("{corrupt")
        except ValueError as error:
            raise twin.raising(_bad("The stored file is corrupt.")) from error

    @app.get("/cursor")
    def cursor() -> Any:
        try:
            return json.loads(request.args["cursor"])
        except ValueError:
            abort(400, "A cursor is what the last page gave.")

    return app


def _bad(words: str) -> Exception:
    from werkzeug.exceptions import BadRequest

    return BadRequest(words)


# -- around the view


@scenario(Call("/ok"), Call("/declared"), Call("/private"), Call("/broken"))
def before_request_refuses(twin: Twin) -> Any:
    app = _fill(twin, twin.flask())
    _watch(twin, app)

    @app.before_request
    def gate() -> Any:
        if request.path == "/private":
            abort(401)
        if request.path == "/declared":
            raise twin.declared(Conflict("v7"))
        if request.path == "/broken":
            raise twin.raising(RuntimeError("in the gate"))
        return None

    return app


@scenario(Call("/ok"), Call("/http"))
def before_request_answers(twin: Twin) -> Any:
    app = _fill(twin, twin.flask())
    app.before_request(lambda: "maintenance")
    return app


@scenario(Call("/ok"), Call("/http"), Call("/crash"))
def after_request_raises(twin: Twin) -> Any:
    app = _fill(twin, twin.flask())

    @app.teardown_request
    def teardown(error: BaseException | None) -> None:
        twin.saw("teardown", error)

    @app.after_request
    def after(response: Any) -> Any:
        raise twin.raising(RuntimeError("afterwards"))

    return app


_SIGNED_AT = {"itsdangerous.timed.TimestampSigner.get_timestamp": lambda _: 1}


@scenario(Call("/cookie"), Call("/session"), Call("/after-this"), Call("/ok"), patches=_SIGNED_AT)
def fields_set_before_an_error(twin: Twin) -> Any:
    app = twin.flask(SECRET_KEY="k", SESSION_REFRESH_EACH_REQUEST=False)
    app.get("/ok")(lambda: "fine")

    @app.after_request
    def after(response: Any) -> Any:
        response.headers["server-timing"] = "db;dur=53"
        return response

    @app.get("/cookie")
    def cookie() -> Any:
        @flask.after_this_request
        def keep(response: Any) -> Any:
            response.set_cookie("seen", "1")
            return response

        abort(403)

    @app.get("/session")
    def session() -> Any:
        flask.session["n"] = 1
        twin.step(f"session {dict(flask.session)}")
        raise twin.raising(Conflict("x"))

    @app.get("/after-this")
    def after_this() -> Any:
        flask.after_this_request(lambda response: twin.step(f"this: {response.status_code}") or response)
        raise twin.raising(RuntimeError("x"))

    return app


@scenario(Call("/late"), Call("/at-once"), Call("/context"), Call("/whole"), Call("/sse"), Call("/404", shaped=True))
def streams(twin: Twin) -> Any:
    app = twin.flask()

    @app.teardown_request
    def teardown(error: BaseException | None) -> None:
        twin.saw("teardown", error)

    def late(first: str) -> Iterator[str]:
        yield first
        raise twin.raising(RuntimeError("torn"))

    def at_once() -> Iterator[str]:
        raise twin.raising(RuntimeError("at once"))
        yield "never"

    @app.get("/late")
    def torn() -> Any:
        return flask.Response(late("half"), mimetype="text/csv")

    @app.get("/at-once")
    def first() -> Any:
        return flask.Response(at_once(), mimetype="text/csv")

    @app.get("/context")
    def context() -> Any:
        def chunks() -> Iterator[str]:
            yield request.path
            twin.step(f"still {request.path}")
            yield "."

        return flask.Response(stream_with_context(chunks()), mimetype="text/csv")

    @app.get("/whole")
    def whole() -> Any:
        response = flask.Response(iter(["a", "b"]), mimetype="text/csv")
        response.call_on_close(lambda: twin.step("closed"))
        return response

    @app.get("/sse")
    def sse() -> Any:
        return flask.Response(late("data: 1\n\n"), mimetype="text/event-stream")

    @app.get("/404")
    def missing() -> Any:
        return flask.Response(iter(["no ", "such\n", "row"]), 404, mimetype="text/plain")

    return app


@scenario(Call("/late"), Call("/whole", leaves="send"), Call("/handled", shaped=True))
def call_on_close(twin: Twin) -> Any:
    app = twin.flask()

    @app.get("/late")
    def late() -> Any:
        def chunks() -> Iterator[str]:
            try:
                yield "half"
                raise twin.raising(RuntimeError("torn"))
            finally:
                twin.step("generator closed")

        response = flask.Response(stream_with_context(chunks()), mimetype="text/csv")
        response.call_on_close(lambda: twin.step("closed"))
        return response

    @app.get("/whole")
    def whole() -> Any:
        response = flask.Response(iter(["a", "b"]), mimetype="text/csv")
        response.call_on_close(lambda: twin.step("closed"))
        return response

    @app.errorhandler(Missing)
    def mine(error: Missing) -> Any:
        response = make_response({"mine": 1}, 404)
        response.call_on_close(lambda: twin.step("closed"))
        return response

    @app.get("/handled")
    def handled() -> Any:
        raise twin.raising(Missing("x"))

    return app


# -- what views answer


@scenario(Call("/detail"), Call("/empty"), Call("/phrase"), Call("/line"), Call("/abort-404"), Call("/none"),
          *[Call(f"/{form}", shaped=True) for form in ("page", "word", "json", "two")])  # fmt: skip
def answers_of_views(twin: Twin) -> Any:
    app = twin.flask()
    plain = {"content-type": "text/plain"}

    @app.get("/<name>")
    def view(name: str) -> Any:
        if name == "abort-404":
            abort(404)
        return {
            "detail": ({"detail": "row"}, 404), "empty": ("", 404), "phrase": ("Not Found", 404, plain),
            "line": ("No such row.", 404, plain), "page": (PAGE, 404), "word": ("<b>no</b>", 404),
            "json": ({"mine": 1}, 404), "two": ("a\nb", 404, plain), "none": None,
        }[name]  # fmt: skip

    return app


@scenario(*[Call(f"/{name}", method, shaped=True) for name in ("page", "json") for method in ("GET", "HEAD")],
          Call("/crash", "HEAD"), Call("/http", "HEAD"), Call("/nope", "HEAD"), Call("/ok", "HEAD"))  # fmt: skip
def head_is_as_get(twin: Twin) -> Any:
    """F-22."""
    app = _fill(twin, twin.flask())
    app.get("/page", endpoint="page")(lambda: (PAGE, 404))
    app.get("/json", endpoint="json")(lambda: ({"mine": 1}, 418))
    return app


@scenario(Call("/own"), Call("/own-default"), Call("/own-shaped", shaped=True), Call("/after"))
def request_ids_of_the_application(twin: Twin) -> Any:
    """F-29."""
    app = twin.flask()
    own = {"X-Request-ID": "upstream-77"}
    app.get("/own", endpoint="own")(lambda: ("x", 200, own))
    app.get("/own-default", endpoint="default")(lambda: ("Not Found", 404, {**own, "content-type": "text/plain"}))
    app.get("/own-shaped", endpoint="shaped")(lambda: ({"m": 1}, 404, own))

    @app.after_request
    def after(response: Any) -> Any:
        if request.path == "/after":
            response.headers["x-request-id"] = "after-3"
        return response

    return app


@scenario(Call("/418", shaped=True), Call("/200"), Call("/404"))
def header_fields_as_a_plain_dict(twin: Twin) -> Any:
    """httpbin puts one in the place of werkzeug's."""
    app = twin.flask()

    @app.get("/<int:status>")
    def answer(status: int) -> Any:
        response = app.make_response(({"mine": 1}, status))
        if status == 404:
            response = app.response_class("Not Found", status, content_type="text/plain")
        response.headers = {"content-type": response.content_type, "x-more-info": "at home"}
        return response

    return app


# -- configuration


@scenario(Call("/crash", propagates=True), Call("/http"), Call("/declared"), Call("/ok"))
def testing(twin: Twin) -> Any:
    app = _fill(twin, twin.flask(TESTING=True))
    _watch(twin, app)
    return app


@scenario(Call("/crash", propagates=True), Call("/http"))
def propagate_exceptions(twin: Twin) -> Any:
    app = _fill(twin, twin.flask(PROPAGATE_EXCEPTIONS=True))
    _watch(twin, app)
    return app


@scenario(Call("/crash"), Call("/http"))
def testing_without_propagation(twin: Twin) -> Any:
    app = _fill(twin, twin.flask(TESTING=True, PROPAGATE_EXCEPTIONS=False))
    _watch(twin, app)
    return app


@scenario(Call("/form", "POST", propagates=True), Call("/http"))
def trapped_bad_requests(twin: Twin) -> Any:
    app = _fill(twin, twin.flask(TRAP_BAD_REQUEST_ERRORS=True, TESTING=True))
    app.post("/form", endpoint="form")(lambda: request.form["no-such"])
    return app


# -- other libraries (F-17, F-18, F-40)


class Takeover:
    """An extension that, like some for REST, answers for its endpoints alone by taking Flask's place."""

    def __init__(self, twin: Twin, app: Any) -> None:
        self.twin = twin
        for name in ("handle_exception", "handle_user_exception"):
            setattr(app, name, self.instead(getattr(app, name)))

    def instead(self, original: Any) -> Any:
        def handle(error: Any) -> Any:
            if not request.path.startswith("/rest/"):
                return original(error)
            flask.got_request_exception.send(flask.current_app._get_current_object(), exception=error)
            if isinstance(error, HTTPException):
                return make_response(jsonify(message=error.description), error.code)
            return make_response(jsonify(message="Internal Server Error"), 500)

        return handle


@scenario(Call("/rest/declared", status=409), Call("/rest/limited", status=429), Call("/rest/http", shaped=True),
          Call("/rest/crash", shaped=None), Call("/crash"), Call("/http"))  # fmt: skip
def an_extension_that_takes_over(twin: Twin) -> Any:
    """F-17."""
    app = _fill(twin, twin.flask())
    Takeover(twin, app)
    rest = Blueprint("rest", __name__, url_prefix="/rest")
    _fill(twin, rest)

    @rest.get("/limited")
    def limited() -> Any:
        raise twin.declared(TooManyRequests("slow", retry_after=7), RateLimitError("slow", retry_after=7))

    app.register_blueprint(rest)
    return app


def _one_wait(bare: Answer, covered: Answer) -> Iterator[str]:
    """F-18."""
    if covered.values("retry-after") != ["60"] or covered.values("retry-after-ms") not in ([], ["60000"]):
        yield f"waits {covered.values('retry-after')} s and {covered.values('retry-after-ms')} ms"


@scenario(Call("/limited", dialect="openai", check=_one_wait), dialect="openai")
def a_limiter_that_writes_the_wait_afterwards(twin: Twin) -> Any:
    """F-18."""
    app = twin.flask()

    @app.after_request
    def limiter(response: Any) -> Any:
        if response.status_code == 429:
            response.headers["Retry-After"] = "60"
            response.headers["X-RateLimit-Limit"] = "5"
        return response

    @app.get("/limited")
    def limited() -> Any:
        raise twin.raising(TooManyRequests("slow"))

    return app


class Instrumentation:
    """Wraps `wsgi_app` and looks at Flask's request when the response starts, as instrumentations do."""

    def __init__(self, twin: Twin, app: Any) -> None:
        self.twin, self.inner, self.name = twin, app.wsgi_app, app.name

    def __call__(self, environ: Any, start_response: Any) -> Any:
        def start(status: str, headers: Any, exc_info: Any = None) -> Any:
            rule = str(flask.request.url_rule) if flask.has_request_context() else "no request"
            self.twin.step(f"instrumentation: {status} for {rule}")
            return start_response(status, headers, *([exc_info] if exc_info else []))

        return self.inner(environ, start)


@scenario(*ALL)
def an_instrumentation_put_in_after_errorkit(twin: Twin) -> Any:
    """F-40."""
    app = _fill(twin, twin.flask())
    twin.cover()
    app.wsgi_app = Instrumentation(twin, app)
    return app


@scenario(*ALL, ways=(Way("after"),))
def an_instrumentation_put_in_before_errorkit(twin: Twin) -> Any:
    app = _fill(twin, twin.flask())
    app.wsgi_app = Instrumentation(twin, app)
    return app


class RaisingLayer:
    """A WSGI middleware of the user's that fails."""

    def __init__(self, twin: Twin, inner: Any) -> None:
        self.twin, self.inner = twin, inner

    def __call__(self, environ: Any, start_response: Any) -> Any:
        if environ["PATH_INFO"] == "/layer":
            raise self.twin.raising(RuntimeError("in the layer"))
        return self.inner(environ, start_response)


@scenario(Call("/layer"), Call("/crash"), Call("/ok"), ways=(Way("after"),))
def a_wsgi_layer_that_fails(twin: Twin) -> Any:
    app = _fill(twin, twin.flask())
    app.wsgi_app = RaisingLayer(twin, app.wsgi_app)
    return app


# -- prefixes, logs


_PATHS = [("/v1/http", "openai"), ("/raw/http", None), ("/http", "problem"), ("/v1/crash", "openai"), ("/raw/crash", None),
          ("/raw/nope", None), ("/v1/nope", "openai"), ("/v1x", "problem")]  # fmt: skip
_DIALECTS = {"/v1": "openai", "/raw": None, "/": "problem"}


def _prefixed(twin: Twin) -> Any:
    app = _fill(twin, twin.flask())
    _watch(twin, app)
    for prefix in ("v1", "raw"):
        blueprint = Blueprint(prefix, __name__, url_prefix=f"/{prefix}")
        app.register_blueprint(_fill(twin, blueprint))
    return app


@scenario(*[Call(path, dialect=dialect) for path, dialect in _PATHS], dialect=_DIALECTS)
def prefixes(twin: Twin) -> Any:
    return _prefixed(twin)


@scenario(*[Call(path, dialect=dialect, extra={"SCRIPT_NAME": "/sub"}) for path, dialect in _PATHS], dialect=_DIALECTS)
def prefixes_behind_a_script_name(twin: Twin) -> Any:
    return _prefixed(twin)


@scenario(Call("/log"), Call("/declared"), Call("/crash"))
def log_records_of_the_application(twin: Twin) -> Any:
    """Flask's own line about a crash may be the event's; every other line stays."""
    app = _fill(twin, twin.flask())

    @app.get("/log")
    def log() -> Any:
        app.logger.warning("low on %s", "disk")
        twin.log.info("fine")
        abort(409)

    @app.teardown_request
    def teardown(error: BaseException | None) -> None:
        if error is not None:
            twin.log.error("teardown", exc_info=error)

    return app


@scenario(Call("/crash"), environ={"ERRORKIT_SERVICE_HOST": "10.0.0.1", "ERRORKIT_PORT": "tcp://10.0.0.1:80"})
def a_kubernetes_service_called_errorkit(twin: Twin) -> Any:
    """F-34."""
    return _fill(twin, twin.flask())
