"""Starlette's exceptions as errors."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException, WebSocketException
from starlette.requests import Request

from errorkit.errors import APIError, MalformedJSONError
from errorkit.http_exception import from_http_exception
from errorkit.lifecycle import came_through

if TYPE_CHECKING:  # pragma: no cover - building a handler loads pydantic, importing this does not
    from errorkit.handler import ErrorHandler
    from errorkit.identification import Translator


def translators(handler: ErrorHandler) -> dict[type[BaseException], Translator]:
    """The framework's exceptions and the errors that answer for them."""

    def http(exception: HTTPException) -> APIError:
        return from_http_exception(handler.catalog, exception.status_code, exception.detail, exception.headers)

    def websocket(exception: WebSocketException) -> APIError:
        status = 500 if exception.code in (1011, 1006) else 403
        return handler.catalog.by_status(status).occurrence()

    return {
        HTTPException: http,
        WebSocketException: websocket,
        json.JSONDecodeError: malformed_json,
        UnicodeDecodeError: malformed_json,
    }


def malformed_json(exception: Exception) -> APIError | None:
    """The error for a body that `Request.json` could not read; other JSON is not the client's."""
    return MalformedJSONError() if came_through(exception, Request.json) else None
