"""Flask: its exceptions by its own error handlers, everything else by the WSGI middleware."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import flask
from werkzeug.exceptions import BadRequestKeyError, HTTPException, SecurityError, default_exceptions

from errorkit.declaration import Operation
from errorkit.errors import APIError, MalformedJSONError
from errorkit.finding_paths import declared_names
from errorkit.handler import build_handler
from errorkit.http_exception import from_http_exception
from errorkit.validation import as_error
from errorkit.wsgi import ENVIRON_KEY, ErrorMiddleware, WSGIApp, WSGIRequest, titled

if TYPE_CHECKING:  # pragma: no cover - building a handler loads pydantic, importing this does not
    from pydantic import BaseModel
    from werkzeug.routing import Rule

    from errorkit.config import Config
    from errorkit.handler import ErrorHandler
    from errorkit.identification import Translator

M = TypeVar("M", bound="BaseModel")

_DROPPED = frozenset({"content-type", "content-length"})
_CONVERTER = re.compile(r"<(?:[^:<>]+:)?(\w+)>")
"""A variable part of a rule: `<name>` or `<converter(arguments):name>`."""


class FlaskRequest(WSGIRequest):
    """A request that Flask routes."""

    rule: Rule | None = None
    """The rule that matched; noted here because Flask forgets it before a response is closed."""

    def began(self) -> None:
        """Note the rule."""
        known: flask.Request | None = self.environ.get("werkzeug.request")
        if known is None and flask.has_request_context():  # a middleware inside has given Flask another environ
            known = flask.request
        self.rule = getattr(known, "url_rule", None)

    @property
    def route(self) -> str | None:
        """The template of the rule that matched."""
        return None if self.rule is None else str(self.rule.rule)


class FlaskMiddleware(ErrorMiddleware):
    """The WSGI middleware around one Flask application."""

    request_class = FlaskRequest

    def __init__(self, app: WSGIApp, handler: ErrorHandler, flask_app: flask.Flask) -> None:
        super().__init__(app, handler=handler)
        self.flask_app = flask_app

    def propagates(self, exception: Exception) -> bool:
        """As Flask decides it: in debug mode and in tests."""
        wish = self.flask_app.config["PROPAGATE_EXCEPTIONS"]
        return bool(self.flask_app.testing or self.flask_app.debug) if wish is None else bool(wish)


class ErrorKit:
    """Flask's extension: `ErrorKit(app, dialect="problem")`, or `init_app` in a factory.

    Settings: see `errorkit.config.Config`. Raises ConfigurationError where they cannot be used.
    """

    def __init__(self, app: flask.Flask | None = None, *, config: Config | None = None, **settings: Any) -> None:
        self.handler = build_handler(config, settings)
        self.handler.identifier.add({HTTPException: self._from_http, **_pydantic(self.handler)})
        if app is not None:
            self.init_app(app)

    def init_app(self, app: flask.Flask) -> None:
        """Cover one application. A handler that it has registered itself is kept."""
        app.extensions["errorkit"] = self
        own = app.error_handler_spec[None][None]
        kept = [key for key in (*own, *app.error_handler_spec[None]) if key is not None]
        for exception in (HTTPException, APIError, *_pydantic(self.handler), *self.handler.config.exceptions):
            if exception not in own:
                app.register_error_handler(exception, self._answer)
        flask.got_request_exception.connect(self._crashed, app)
        app.log_exception = self._remember  # type: ignore[method-assign]
        app.wsgi_app = FlaskMiddleware(app.wsgi_app, self.handler, app)  # type: ignore[method-assign]
        self.handler.announce(user_handlers=[getattr(key, "__name__", str(key)) for key in kept])

    def _crashed(self, _app: flask.Flask, **_told: Any) -> None:
        """Flask's signal, which comes also where the exception will leave it without a response."""
        request: FlaskRequest | None = flask.request.environ.get(ENVIRON_KEY)
        if request is not None:
            request.began()

    def _answer(self, exception: Exception) -> Any:
        request: FlaskRequest | None = flask.request.environ.get(ENVIRON_KEY)
        if request is None or request.owner is not self.handler:  # a prefix that opted out
            if isinstance(exception, HTTPException):
                return exception
            raise exception
        if isinstance(exception, HTTPException) and exception.response is not None:
            request.deliberate = True
            return exception
        original = getattr(exception, "original_exception", None) or exception
        request.reported = original is not exception  # Flask's signal has told the reporters
        response = self.handler.respond(request, original)
        self.handler.annotate(request)
        request.claim()
        left = (b"content-length", request.renderer.id_header)  # to werkzeug and to the middleware
        headers = [(titled(name), value.decode("latin-1")) for name, value in response.headers if name not in left]
        return flask.Response(response.body, response.status, headers)

    def _remember(self, exc_info: Any) -> None:
        """Flask's hook for logging a crash: the event will tell it, once."""
        request: FlaskRequest | None = flask.request.environ.get(ENVIRON_KEY)
        if request is not None:
            request.exception = exc_info[1]
            request.reported = True
        else:
            flask.Flask.log_exception(flask.current_app, exc_info)

    def _from_http(self, exception: HTTPException) -> APIError:
        """The error for werkzeug's exceptions: status and headers kept, 5xx words not shown."""
        if exception.code == 400 and _is_malformed_json(exception):
            return MalformedJSONError()
        status = exception.code or 500
        headers: dict[str, str] = {}
        for name, value in exception.get_headers():
            if name.lower() not in _DROPPED:  # several challenges are one list (RFC 9110 5.3)
                headers[name] = f"{headers[name]}, {value}" if name in headers else value
        error = from_http_exception(self.handler.catalog, status, _authors_words(exception), headers or None)
        if isinstance(exception, BadRequestKeyError) and exception.args and isinstance(exception.args[0], str):
            error.param = exception.args[0]  # what the view asked the request for
        return error


def validate(model: type[M], data: Any, *, location: str = "body") -> M:
    """`data` as a pydantic model, for the parts of a request that are not its body.

    location: where the data came from: body, query, path, header or cookie.

    Raises ValidationError of errorkit, with the findings at that location.
    """
    from pydantic import ValidationError

    try:
        return model.model_validate(data)
    except ValidationError as refused:
        kit: ErrorKit | None = flask.current_app.extensions.get("errorkit")
        field_codes = kit.handler.catalog.field_codes if kit is not None else {}
        names = declared_names(model.__pydantic_core_schema__)
        invalid = as_error(
            refused.errors(include_url=False),
            field_codes=field_codes,
            location=location,
            submitted=data,
            declared=names,
        )
        invalid.reason = "validation"
        raise invalid from None


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


def _pydantic(handler: ErrorHandler) -> dict[type[BaseException], Translator]:
    from pydantic import ValidationError

    def invalid(exception: ValidationError) -> APIError | None:
        return as_error(exception.errors(include_url=False), field_codes=handler.catalog.field_codes, location="body")

    return {ValidationError: invalid}


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


def _is_malformed_json(exception: BaseException) -> bool:
    link: BaseException | None = exception
    for _ in range(5):
        if link is None:
            return False
        if isinstance(link, (json.JSONDecodeError, UnicodeDecodeError)):
            return True
        link = link.__cause__ or link.__context__
    return False
