"""FastAPI: Starlette, validation errors as details, and an OpenAPI document that tells of errors."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Unpack

from fastapi import routing
from fastapi.dependencies.utils import solve_dependencies
from fastapi.exception_handlers import (
    http_exception_handler,
    request_validation_exception_handler,
    websocket_request_validation_exception_handler,
)
from fastapi.exceptions import RequestValidationError, WebSocketRequestValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import Response

from errorkit.declaration import CODES_KEY, Operation, errors, raises
from errorkit.errors import APIError, MalformedJSONError
from errorkit.exchange import RawHeaders
from errorkit.failure import frames_of
from errorkit.finding_paths import UNKNOWN, declared_names_of
from errorkit.starlette import ErrorMiddleware as StarletteMiddleware
from errorkit.starlette import install_with
from errorkit.starlette.routes import layers
from errorkit.starlette.table import STARLETTE_DEFAULTS
from errorkit.validation import as_error

if TYPE_CHECKING:  # pragma: no cover - types only
    from fastapi import FastAPI

    from errorkit.config import Config
    from errorkit.handler import ErrorHandler
    from errorkit.identification import Translator
    from errorkit.settings import Settings

__all__ = ["ErrorMiddleware", "errors", "install", "raises"]


class ErrorMiddleware(StarletteMiddleware):
    """`app.add_middleware(ErrorMiddleware, dialect="openai")`, at any position.

    Settings: see `errorkit.config.Config`.
    """

    defaults = {
        **STARLETTE_DEFAULTS,
        HTTPException: http_exception_handler,
        RequestValidationError: request_validation_exception_handler,
        WebSocketRequestValidationError: websocket_request_validation_exception_handler,
    }

    @classmethod
    def build(cls, config: Config | None, settings: Settings) -> ErrorHandler:
        """A handler that knows where FastAPI keeps what handlers and dependencies set before they raise."""
        handler = super().build(config, settings)
        handler.set_before = set_before
        return handler

    @classmethod
    def translators(cls, handler: ErrorHandler) -> dict[type[BaseException], Translator]:
        """Starlette's, and rejected requests."""

        def invalid(exception: RequestValidationError | WebSocketRequestValidationError) -> APIError:
            error = as_error(
                exception.errors(),
                field_codes=handler.catalog.field_codes,
                submitted=getattr(exception, "body", UNKNOWN),
                declared=_declared(exception),
            )
            error.reason = "validation"  # its words, which hold parts of what was submitted, are not logged
            return error

        translators = super().translators(handler)
        http = translators[HTTPException]

        def unreadable(exception: HTTPException) -> APIError | None:
            return MalformedJSONError() if _is_unreadable_body(exception) else http(exception)

        return {
            **translators,
            HTTPException: unreadable,
            RequestValidationError: invalid,
            WebSocketRequestValidationError: invalid,
        }

    def owner(self, app: Any) -> Starlette | None:
        """A router of FastAPI's knows the application that overrides its dependencies."""
        for layer in layers(app):
            provider = getattr(layer, "dependency_overrides_provider", None)
            if isinstance(provider, Starlette) and provider.router is layer:
                return provider
        return None

    def describe(self, app: Starlette, path: str) -> None:
        """Let its OpenAPI document tell of errors."""
        self.check_declared(operations(app), path)
        document_errors(app, self.handler, path)


def _declared(exception: BaseException) -> frozenset[str] | None:
    """Every name in the schema of the body that was refused; None where it is not at hand.

    FastAPI keeps it in the frame that raised the exception alone.
    """
    field = None
    for frame in frames_of(exception):
        code = frame.f_code
        known = "body_field" in code.co_freevars or "body_field" in code.co_varnames
        if known and frame.f_globals.get("__name__") == routing.__name__:  # its locals are dear to read
            field = frame.f_locals.get("body_field", field)
    if field is None:
        return None
    try:
        return declared_names_of(field, lambda known: known._type_adapter.core_schema)
    except (AttributeError, TypeError):
        return None


def set_before(request: Any, error: APIError) -> RawHeaders:
    """The header fields of FastAPI's `response` parameter when an error was raised: cookies and the like.

    FastAPI keeps it in its own frames alone. What describes the answer that was never made does not come along.
    """
    if not _takes_response(request.scope):  # the frames' locals are dear to read
        return []
    for frame in frames_of(error):
        code = frame.f_code
        if code is _SOLVING:
            response = frame.f_locals.get("response")
        elif "solved_result" in code.co_varnames and frame.f_globals.get("__name__") == routing.__name__:
            response = getattr(frame.f_locals.get("solved_result"), "response", None)
        else:
            continue
        if isinstance(response, Response):
            return [pair for pair in response.raw_headers if not _OF_SUCCESS(pair[0].lower())]
    return []


def _takes_response(scope: Any) -> bool:
    """Can a function of the matched route have got the `response` parameter: then somebody may have set something."""
    noted = scope.get("fastapi")
    context = noted.get("effective_route_context") if isinstance(noted, dict) else None
    route = scope.get("route")
    if (
        context is not None and getattr(context, "original_route", None) is route
    ):  # else the note is of a mount further out
        route = context
    dependant = getattr(route, "dependant", None)
    if dependant is None:
        return True
    overridden = getattr(scope.get("app"), "dependency_overrides", None)
    return bool(overridden) or _has_response(dependant)


def _has_response(dependant: Any) -> bool:
    return dependant.response_param_name is not None or any(map(_has_response, dependant.dependencies))


_SOLVING = solve_dependencies.__code__
_OF_SUCCESS = re.compile(
    rb"content-.*|cache-control|.*-cache-control|expires|age|etag|last-modified|accept-ranges|location|refresh|link"
    rb"|x-accel-.*|x-sendfile"
).fullmatch
"""Fields of an answer that was not made: what is in it, how long it may be kept, where it is, who sends it."""


def install(app: FastAPI, *, config: Config | None = None, **settings: Unpack[Settings]) -> ErrorHandler:
    """Cover an application from an app factory; the same as `add_middleware(ErrorMiddleware)`.

    Returns the handler. Raises ConfigurationError, also for an application that has started.
    """
    handler = install_with(ErrorMiddleware, app, ErrorMiddleware.build(config, settings))
    document_errors(app, handler)
    return handler


def _is_unreadable_body(exception: HTTPException) -> bool:
    """Is it FastAPI's own answer to a body that is not UTF-8: only where it reads bodies itself."""
    if exception.status_code != 400 or not isinstance(exception.__cause__, UnicodeDecodeError):
        return False
    innermost = None
    for innermost in frames_of(exception):  # noqa: B007 - the last one is wanted
        pass
    return innermost is not None and innermost.f_globals.get("__name__") == routing.__name__


def document_errors(app: Any, handler: ErrorHandler, mounted: str = "") -> None:
    """Let `app.openapi()` describe the errors of every operation, once.

    mounted: the path that the application is reached under.

    It happens by itself: in `install`, and for `add_middleware` and mounted applications when
    the application starts.
    """
    describe: Callable[[], dict[str, Any]] | None = getattr(app, "openapi", None)
    if describe is None or getattr(describe, "errorkit", None) is not None:
        return
    seen: list[dict[str, Any]] = []  # FastAPI's document and ours, while FastAPI keeps giving the same

    def openapi() -> dict[str, Any]:
        plain = describe()
        if not seen or seen[0] is not plain:
            seen[:] = [plain, _described(app, plain, handler, mounted)]
        return seen[1]

    openapi.errorkit = handler  # type: ignore[attr-defined]
    app.openapi = openapi


def _described(app: FastAPI, plain: dict[str, Any], handler: ErrorHandler, mounted: str) -> dict[str, Any]:
    from errorkit.publish import Options
    from errorkit.publish.openapi import document

    options = Options.of(handler.config, title=app.title)

    def forms_for(path: str) -> Any:
        return handler.selection.forms(mounted + path)

    declared_codes = {(op.path, op.method.lower()): op.declared for op in operations(app)}
    return document(plain, handler.catalog, forms_for, options, declared_codes)


def operations(app: Starlette) -> Iterator[Operation]:
    """Every operation of an application, included routers' too."""
    for route in _contexts(app.routes):
        dependant = getattr(route, "dependant", None)
        if dependant is None:
            continue
        functions = tuple(_functions(dependant))
        if not hasattr(route, "responses"):
            yield Operation("WEBSOCKET", route.path_format, functions, documented=False)
            continue
        codes = [code for response in route.responses.values() for code in response.get(CODES_KEY, ())]
        for method in sorted(route.methods):
            yield Operation(method, route.path_format, functions, tuple(codes), route.include_in_schema)


def _contexts(routes: Iterable[Any]) -> Iterator[Any]:
    """Routes with what includes have put around them; before FastAPI 0.137 they are copied into one list."""
    for route in routes:
        included: Callable[[], Iterable[Any]] | None = getattr(route, "effective_route_contexts", None)
        if included is None:
            yield route
        else:
            for context in included():
                yield getattr(context, "starlette_route", None) or context


def _functions(dependant: Any) -> Iterator[Callable[..., Any]]:
    yield dependant.call
    for inner in dependant.dependencies:
        yield from _functions(inner)
