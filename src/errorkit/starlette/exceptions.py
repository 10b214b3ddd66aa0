"""Starlette's exceptions as errors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException, WebSocketException
from starlette.requests import Request

from errorkit.errors import APIError, MalformedJSONError
from errorkit.failure import Public
from errorkit.lifecycle import came_through
from errorkit.normalisation import is_phrase

if TYPE_CHECKING:  # pragma: no cover - types only
    from errorkit.handler import ErrorHandler
    from errorkit.identification import Translator


def translators(handler: ErrorHandler) -> dict[type[BaseException], Translator]:
    """The framework's exceptions and the errors that answer for them."""

    def http(exception: HTTPException) -> APIError:
        return from_http_exception(handler, exception.status_code, exception.detail, exception.headers)

    def websocket(exception: WebSocketException) -> APIError:
        status = 500 if exception.code in (1011, 1006) else 403
        return handler.catalog.by_status(status).occurrence()

    return {
        HTTPException: http,
        WebSocketException: websocket,
        json.JSONDecodeError: malformed_json,
        UnicodeDecodeError: malformed_json,
    }


def from_http_exception(handler: ErrorHandler, status: int, detail: Any, headers: Mapping[str, str] | None) -> APIError:
    """The error for a framework's HTTP exception: status and headers kept, 5xx words not shown.

    detail: text, or a mapping whose `message` is the text and whose other members are public.
    """
    if not 400 <= status <= 599:
        error = handler.catalog.by_code("internal").occurrence()
        error.context = {"http_exception_status": status}
        return error
    error = handler.catalog.by_status(status).occurrence(headers=headers)
    if status >= 500:
        error.context = {"detail": detail}
    elif isinstance(detail, str):
        if not is_phrase(status, detail):
            error.message = detail
    elif isinstance(detail, Mapping):
        members = dict(detail)
        message = members.pop("message", None)
        if isinstance(message, str):
            error.message = message
        error.extensions = {str(name): value for name, value in members.items() if str(name) not in _PROTECTED}
    else:
        error.extensions = {"detail_value": detail}
    return error


def malformed_json(exception: Exception) -> APIError | None:
    """The error for a body that `Request.json` could not read; other JSON is not the client's."""
    return MalformedJSONError() if came_through(exception, Request.json) else None


_PROTECTED = frozenset(Public._fields) | {"detail", "errors"}
