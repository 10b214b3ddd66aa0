"""Flask: its exceptions by its own error handlers, everything else by the WSGI middleware."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar, Unpack, cast
from weakref import ref

import flask
from werkzeug.datastructures import Headers
from werkzeug.exceptions import (
    BadRequestKeyError,
    HTTPException,
    InternalServerError,
    SecurityError,
    default_exceptions,
)
from werkzeug.wsgi import ClosingIterator

from errorkit import telemetry
from errorkit.applications import added_twice, wrong_application
from errorkit.declaration import Operation, raises
from errorkit.errors import APIError, MalformedJSONError
from errorkit.exchange import RawHeaders
from errorkit.finding_paths import declared_names_of
from errorkit.handler import build_handler
from errorkit.http_exception import from_http_exception
from errorkit.lifecycle import ERRORKIT, came_through
from errorkit.validation import as_error
from errorkit.wsgi import (
    ENVIRON_KEY,
    Environ,
    ErrorMiddleware,
    StartResponse,
    WSGIApp,
    WSGIExchange,
    raw_fields,
    titled,
)

if TYPE_CHECKING:  # pragma: no cover - building a handler loads pydantic, importing this does not
    from pydantic import BaseModel
    from werkzeug.routing import Rule

    from errorkit.config import Config
    from errorkit.settings import Settings

__all__ = ["ErrorKit", "FlaskExchange", "FlaskMiddleware", "operations", "raises", "validate"]

M = TypeVar("M", bound="BaseModel")
F = TypeVar("F", bound=Callable[..., Any])

_CONVERTER = re.compile(r"<(?:[^:<>]+:)?(\w+)>")
"""A variable part of a rule: `<name>` or `<converter(arguments):name>`."""


class FlaskExchange(WSGIExchange):
    """The exchange of a request that Flask routes."""

    integration = "flask"
    holds_start = False
    rule: Rule | None = None
    """The rule that matched; noted here because Flask forgets it before a response is closed."""
    propagating = False

    def began(self) -> None:
        """Note the rule, and the span: both are gone when a generator fails."""
        self.span = telemetry.noted()
        known: flask.Request | None = self.environ.get("werkzeug.request")
        if known is None and flask.has_request_context():  # a middleware inside has given Flask another environ
            known = flask.request
        self.rule = getattr(known, "url_rule", None)

    @property
    def route(self) -> str | None:
        """The template of the rule that matched."""
        return None if self.rule is None else str(self.rule.rule)

    def propagates(self, exception: BaseException) -> bool:
        """As Flask decides it: in debug mode and in tests."""
        return self.propagating

    def meant(self, exception: BaseException) -> BaseException:
        """An HTTPException that leaves Flask was trapped: it is a crash."""
        if self.propagating and isinstance(exception, HTTPException):
            return InternalServerError(original_exception=exception)
        return exception


class FlaskMiddleware(ErrorMiddleware):
    """The WSGI middleware around one Flask application."""

    exchange_class = FlaskExchange

    def __init__(self, app: WSGIApp, kit: ErrorKit, flask_app: flask.Flask) -> None:
        super().__init__(app, handler=kit.handler)
        self.answers = Answers(kit, flask_app, self)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        answers = self.answers
        if answers.held().handle_user_exception is not answers.asked:  # type: ignore[union-attr]
            answers.see_that_they_are_asked()
        return ErrorMiddleware.__call__(self, environ, start_response)


class ErrorKit:
    """Flask's extension: `ErrorKit(app, dialect="problem")`, or `init_app` in a factory.

    Settings: see `errorkit.config.Config`. Raises ConfigurationError where they cannot be used.
    """

    def __init__(
        self, app: flask.Flask | None = None, *, config: Config | None = None, **settings: Unpack[Settings]
    ) -> None:
        self.handler = build_handler(config, settings)
        self.handler.identifier.add({HTTPException: self._from_http})
        if app is not None:
            self.init_app(app)

    def init_app(self, app: flask.Flask) -> None:
        """Cover one application, whatever is registered with it before and afterwards.

        Raises ConfigurationError for what is no Flask application, or has errorkit already.
        """
        if not isinstance(app, flask.Flask):
            raise wrong_application(app, "a flask.Flask")
        if "errorkit" in app.extensions:
            raise added_twice(app)
        app.extensions["errorkit"] = self
        flask.got_request_exception.connect(_note_rule, app)
        served = _without_holding(app, app.wsgi_app)
        middleware = FlaskMiddleware(served, self, app)
        middleware.answers.at_flask = served is not app.wsgi_app
        app.wsgi_app = middleware  # type: ignore[method-assign]

    def _from_http(self, exception: HTTPException) -> APIError:
        """The error for werkzeug's exceptions: status kept, 5xx words not shown. The answer keeps their fields."""
        if exception.code == 400 and came_through(exception, flask.Request.on_json_loading_failed):
            return MalformedJSONError()
        status = exception.code or 500
        error = from_http_exception(self.handler.catalog, status, _authors_words(exception), None)
        if isinstance(exception, BadRequestKeyError) and exception.args and isinstance(exception.args[0], str):
            error.param = exception.args[0]  # what the view asked the request for
        return error


class Answers:
    """Where Flask answers exceptions: three of an application's methods, asked around what they do bare.

    Nothing is registered with the application: its own handlers are found and called as without errorkit.
    """

    def __init__(self, kit: ErrorKit, app: flask.Flask, middleware: FlaskMiddleware) -> None:
        self.kit = kit
        self.handler = kit.handler
        self.held = ref(app)
        self._middleware = ref(middleware)
        self.asked: Any = None
        """What the application has for its method when all is as it should be."""
        self.at_flask = False
        """Nothing is between the middleware and Flask itself."""
        self._bare_log_exception = _without_holding(app, app.log_exception)
        app.log_exception = self.log_exception  # type: ignore[method-assign]
        self._bare_handle = _without_holding(app, app.handle_user_exception)
        self._bare_finalize = _of_application(app, app.finalize_request)
        app.handle_user_exception = self.handle_user_exception  # type: ignore[assignment,method-assign]
        app.finalize_request = self.finalize_request  # type: ignore[method-assign]

    @property
    def app(self) -> flask.Flask:
        """The application; it holds this, so it is there."""
        app = self.held()
        assert app is not None
        return app

    def see_that_they_are_asked(self) -> None:
        """An extension that came later may answer everything itself (Flask-RESTX): declared errors come here first."""
        app = self.app
        present: Any = app.handle_user_exception
        first, self.asked = self.asked is None, present
        if getattr(present, "__self__", None) is not self:
            self._taken_over = present
            app.handle_user_exception = self.asked = self.before_extension  # type: ignore[assignment,method-assign]
        if first:
            registered = app.error_handler_spec.items()
            kept = [key for scope, table in registered for handlers in table.values() for key in handlers]
            names = [getattr(key, "__name__", str(key)) for key in kept]
            self.handler.announce(user_handlers=names, shadowed=self.handler.shadowed(kept))

    def handle_user_exception(self, exception: Exception) -> Any:
        """Flask's answer to an exception that a view raised; errorkit's for what is declared."""
        exchange = self.exchange()
        if exchange is None:
            return self._bare_handle(exception)
        answer: Any = self._declared(exchange, exception)
        if answer is None:
            answer = self._bare_handle(exception)
            if not isinstance(answer, HTTPException):
                made = self._of_bare(exchange, exception, answer)
                if made is not None:
                    return made
                exchange.answered_by(self._name_of_handler(exception), exception)
        return answer

    def before_extension(self, exception: Exception) -> Any:
        """The same where an extension has taken Flask's method over: what is not declared is its own."""
        exchange = self.exchange()
        answer: Any = None if exchange is None else self._declared(exchange, exception)
        if answer is None:
            answer = self._taken_over(exception)
            if exchange is not None and not exchange.shaped_by and not isinstance(answer, HTTPException):
                made = self._of_bare(exchange, exception, answer)
                if made is not None:
                    return made
                exchange.answered_by(_name(self._taken_over), exception)
        return answer

    def _of_bare(self, exchange: FlaskExchange, exception: Exception, answer: Any) -> flask.Response | None:
        """errorkit's answer where an extension has made a response of a bare HTTPException (Flask-CORS); else None."""
        if not isinstance(exception, HTTPException) or exception.response is not None or (exception.code or 0) < 400:
            return None
        if exchange.is_observed(exception):
            return None
        expected = exception.get_response(flask.request.environ)
        page = expected.get_data()
        if not isinstance(answer, flask.Response) or answer.content_length != len(page):
            return None
        if answer.status_code != expected.status_code or answer.get_data() != page:
            return None
        return self._answer(exchange, exception, _raw_fields(answer))

    def _declared(self, exchange: FlaskExchange, exception: Exception) -> Any:
        """The answer to an error of the catalogue or a mapped one; None for all others."""
        if isinstance(exception, HTTPException) or not self.handler.identifier.handles(exception):
            return None
        if exchange.is_observed(exception):
            return None
        handler = self._own_handler(exception)
        if handler is None:
            return self._answer(exchange, exception)
        exchange.answered_by(_name(handler), exception)
        return self.app.ensure_sync(handler)(exception)

    def finalize_request(self, rv: Any, from_error_handler: bool = False) -> flask.Response:
        """Flask's response made of what a view or a handler gave; errorkit's where that is a bare HTTPException."""
        exchange = self.exchange()
        if exchange is None:
            uncovered: flask.Response = self._bare_finalize(self.app, rv, from_error_handler)
            return uncovered
        if isinstance(rv, HTTPException):
            if rv.response is not None:
                exchange.answered_by("abort", rv)
            elif rv.code is not None and rv.code >= 400:
                original = getattr(rv, "original_exception", None)
                if original is None or isinstance(original, HTTPException):  # one that was trapped is a crash
                    original = rv
                if not (self.handler.observes and exchange.stays(raw_fields(rv.get_headers()))):
                    rv = self._answer(exchange, original, _fields_of(rv)) or rv
                elif original is rv:
                    exchange.answered_by(type(rv).__qualname__, rv)
                else:
                    exchange.crashed(original, leaves=False)
        elif from_error_handler and exchange.exception is not None:
            exchange.answered_by(self._name_of_handler(InternalServerError()), exchange.exception)
        app = self.app
        response: flask.Response = self._bare_finalize(app, rv, from_error_handler)
        if not response.is_streamed:
            if response.status_code >= 400:
                return self._judged(exchange, response)
            if self.at_flask and not response._on_close:
                exchange.whole = ClosingIterator
        else:
            exchange.began()
            exchange.propagating = _propagates(app)
            exchange.raises_on = self._is_watched()
            exchange.holds_start = not exchange.raises_on
        return response

    def _is_watched(self) -> bool:
        """Has somebody put middlewares around errorkit's, who would see a body fail: werkzeug's own do not look."""
        layer: Any = self.app.wsgi_app
        middleware = self._middleware()
        while layer is not middleware:
            if not type(layer).__module__.startswith("werkzeug.middleware."):
                return True
            layer = getattr(layer, "app", None)
        return False

    def log_exception(self, exc_info: Any) -> None:
        """Flask's hook for logging a crash: the event will tell it, once."""
        exchange = self.exchange()
        if exchange is None:
            self._bare_log_exception(exc_info)
            return
        exchange.exception = exc_info[1]
        exchange.reported = True  # Flask's signal has told the reporters

    def exchange(self) -> FlaskExchange | None:
        """The exchange of the request that is being served; None where it is left alone."""
        request: flask.Request = flask.request._get_current_object()  # type: ignore[attr-defined]
        exchange: FlaskExchange | None = request.environ.get(ENVIRON_KEY)  # through the proxy it is dear to read
        return exchange if exchange is not None and exchange.handler is self.handler else None

    def _answer(
        self, exchange: FlaskExchange, exception: BaseException, kept: RawHeaders | None = None
    ) -> flask.Response | None:
        response = exchange.answer(exception, kept)
        declared = isinstance(exception, Exception) and self.handler.identifier.handles(exception)
        if declared and exchange.failure is not None and exchange.failure.private.reason == "unhandled":
            exchange.withdraw()  # by the look of its class it was declared, but nobody answers for it
            return None
        return _as_flask(exchange, response.status, response.headers, response.body)

    def _judged(self, exchange: FlaskExchange, response: flask.Response) -> flask.Response:
        """errorkit's response in place of a default that a view returned, or of what a reader recognises."""
        fields = _raw_fields(response)
        if exchange.shaped_by == ERRORKIT:
            return response
        exchange.status, exchange.headers = response.status_code, fields
        exchange.left_alone = exchange.stays(fields) or self.handler.judge.leaves(
            response.status_code, exchange.shaped_by, fields
        )
        rendered = None if exchange.left_alone else exchange.judged(response.get_data())
        if rendered is None:
            return response
        exchange.replaced_by(rendered)
        return _as_flask(exchange, rendered.status, rendered.headers, rendered.body)

    def _own_handler(self, exception: Exception) -> Any:
        """The user's handler for a declared exception, the nearest as Flask looks for it; none that takes them all."""
        spec = self.app.error_handler_spec
        for scope in (*flask.request.blueprints, None):
            handlers = spec[scope][None] if scope in spec else {}
            for cls in type(exception).__mro__:
                if cls in handlers and cls not in (Exception, BaseException):
                    return handlers[cls]
        return None

    def _name_of_handler(self, exception: Exception) -> str:
        handler = self._own_handler(exception)
        return "application" if handler is None else _name(handler)


def _of_application(app: flask.Flask, method: F) -> Callable[..., Any]:
    """A method of an application's as a function of it: held without holding the application."""
    if getattr(method, "__self__", None) is app:
        return method.__func__  # type: ignore[attr-defined,no-any-return]
    return lambda _app, *arguments: method(*arguments)


def _without_holding(app: flask.Flask, method: F) -> F:
    """A method of an application's as it is, but held by it without holding it: no cycle keeps it in memory."""
    if getattr(method, "__self__", None) is not app:
        return method
    function, held = method.__func__, ref(app)  # type: ignore[attr-defined]

    def call(*arguments: Any, **named: Any) -> Any:
        return function(held(), *arguments, **named)

    return cast(F, call)


def _name(handler: Any) -> str:
    return str(getattr(handler, "__qualname__", type(handler).__qualname__))


def _fields_of(exception: HTTPException) -> RawHeaders:
    """The header fields of an exception's own, each as often as it has it."""
    return [pair for pair in raw_fields(exception.get_headers()) if pair[0] != b"content-type"]


def _raw_fields(response: flask.Response) -> RawHeaders:
    return raw_fields(Headers(response.headers))  # an application may have put a plain dict in their place


def _as_flask(exchange: FlaskExchange, status: int, headers: RawHeaders, body: bytes) -> flask.Response:
    left = (b"content-length", exchange.renderer.id_header)  # to werkzeug and to the middleware
    fields = [(titled(name), value.decode("latin-1")) for name, value in headers if name not in left]
    return flask.Response(body, status, fields)


def _note_rule(_app: flask.Flask, **_told: Any) -> None:
    """Flask's signal, which comes also where the exception will leave it without a response."""
    exchange: FlaskExchange | None = flask.request.environ.get(ENVIRON_KEY)
    if exchange is not None:
        exchange.began()
        exchange.propagating = _propagates(_app)


def _propagates(app: flask.Flask) -> bool:
    """Does Flask let exceptions through to the server."""
    wish = app.config["PROPAGATE_EXCEPTIONS"]
    return bool(app.testing or app.debug) if wish is None else bool(wish)


def validate(model: type[M], data: Any, *, location: str = "body") -> M:
    """`data` as a pydantic model, for the parts of a request that are not its body.

    location: where the data came from: body, query, path, header or cookie.

    Raises ValidationError of errorkit, with the findings at that location.
    """
    from pydantic import ValidationError

    try:
        return model.model_validate(data)
    except ValidationError as error:
        findings = error.errors(include_url=False)
    kit: ErrorKit | None = flask.current_app.extensions.get("errorkit")
    invalid = as_error(
        findings,
        field_codes=kit.handler.catalog.field_codes if kit is not None else {},
        location=location,
        submitted=data,
        declared=declared_names_of(model, lambda known: known.__pydantic_core_schema__),
    )
    invalid.reason = "validation"
    raise invalid  # outside of the handler: it holds neither the validator's exception nor its frames


def operations(app: flask.Flask) -> Iterator[Operation]:
    """Every rule that a view function serves, its path as OpenAPI writes it, and what runs before it."""
    for rule in app.url_map.iter_rules():
        blueprint = rule.endpoint.rpartition(".")[0] or None
        before = [f for scope in (None, blueprint) for f in app.before_request_funcs.get(scope, ())]
        view = app.view_functions[rule.endpoint]
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            handler = getattr(getattr(view, "view_class", None), method.lower(), view)  # of a MethodView
            path = _CONVERTER.sub(r"{\1}", rule.rule)
            yield Operation(method, path, tuple(dict.fromkeys((handler, *before))))


def _authors_words(exception: HTTPException) -> Any:
    """What the application said in raising it: no words of werkzeug's, which may repeat a host."""
    if isinstance(exception, SecurityError):
        return None
    said = vars(exception).get("description")
    if said is None:
        declared = next(base for base in type(exception).__mro__ if "description" in vars(base))
        said = None if declared.__module__.startswith("werkzeug.") else exception.description
    return None if said in _WERKZEUGS_WORDS else said


_WERKZEUGS_WORDS = tuple(
    {vars(cls)["description"] for cls in default_exceptions.values() if "description" in vars(cls)}
)
