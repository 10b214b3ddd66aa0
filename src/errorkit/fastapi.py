"""FastAPI: Starlette, and validation errors as details."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi.exception_handlers import (
    http_exception_handler,
    request_validation_exception_handler,
    websocket_request_validation_exception_handler,
)
from fastapi.exceptions import RequestValidationError, WebSocketRequestValidationError
from starlette.exceptions import HTTPException

from errorkit.errors import APIError, MalformedJSONError
from errorkit.starlette import ErrorMiddleware as StarletteMiddleware
from errorkit.starlette import install_with
from errorkit.validation import as_error

if TYPE_CHECKING:  # pragma: no cover - types only
    from fastapi import FastAPI

    from errorkit.config import Config
    from errorkit.handler import ErrorHandler
    from errorkit.identification import Translator


class ErrorMiddleware(StarletteMiddleware):
    """`app.add_middleware(ErrorMiddleware, dialect="openai")`, at any position.

    Settings: see `errorkit.config.Config`.
    """

    defaults = frozenset(
        {
            http_exception_handler,
            request_validation_exception_handler,
            websocket_request_validation_exception_handler,
        }
    )

    @classmethod
    def translators(cls, handler: ErrorHandler) -> dict[type[BaseException], Translator]:
        """Starlette's, and rejected requests."""

        def invalid(exception: RequestValidationError | WebSocketRequestValidationError) -> APIError:
            error = as_error(exception.errors(), field_codes=handler.catalog.field_codes)
            error.reason = "validation"  # its words, which hold parts of what was submitted, are not logged
            return error

        translators = super().translators(handler)
        http = translators[HTTPException]

        def unreadable(exception: HTTPException) -> APIError | None:
            if isinstance(exception.__cause__, UnicodeDecodeError):  # a body that is not UTF-8
                return MalformedJSONError()
            return http(exception)

        return {
            **translators,
            HTTPException: unreadable,
            RequestValidationError: invalid,
            WebSocketRequestValidationError: invalid,
        }


def install(app: FastAPI, *, config: Config | None = None, **settings: Any) -> ErrorHandler:
    """Cover an application from an app factory; the same as `add_middleware(ErrorMiddleware)`.

    Returns the handler. Raises ConfigurationError; RuntimeError if the application has started.
    """
    return install_with(ErrorMiddleware, app, config, settings)
