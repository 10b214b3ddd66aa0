"""What people paste into an application: exception handlers, or a BaseHTTPMiddleware."""

from __future__ import annotations

import uuid
from typing import Any

from benchmarks.scenarios import Raises


class AppError(Exception):
    """The usual application error."""

    def __init__(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.headers = status, code, message, headers


RAISES = Raises(
    conflict=lambda message: AppError(409, "conflict", message),
    not_found=lambda message: AppError(404, "not_found", message),
    limited=lambda message: AppError(429, "rate_limited", message, {"Retry-After": "7"}),
)


def _envelope(code: str, message: Any) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}


def handlers_starlette(app: Any) -> Any:
    """Three `async` exception handlers with JSONResponse."""
    from starlette.exceptions import HTTPException
    from starlette.responses import JSONResponse

    async def app_error(request: Any, exc: AppError) -> Any:
        return JSONResponse(_envelope(exc.code, exc.message), exc.status, exc.headers)

    async def http_error(request: Any, exc: HTTPException) -> Any:
        return JSONResponse(_envelope("http_error", exc.detail), exc.status_code, exc.headers)

    async def crash(request: Any, exc: Exception) -> Any:
        return JSONResponse(_envelope("internal", "Internal server error"), 500)

    app.add_exception_handler(AppError, app_error)
    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(Exception, crash)
    return app


def handlers_fastapi(app: Any) -> Any:
    """The same, and one for rejected requests."""
    from fastapi.encoders import jsonable_encoder
    from fastapi.exceptions import RequestValidationError
    from fastapi.responses import JSONResponse

    async def invalid(request: Any, exc: RequestValidationError) -> Any:
        return JSONResponse(_envelope("validation_error", jsonable_encoder(exc.errors())), 422)

    app.add_exception_handler(RequestValidationError, invalid)
    return handlers_starlette(app)


def base_http(app: Any) -> Any:
    """An id and a try around `call_next`, in a BaseHTTPMiddleware; errors by the handlers above."""
    from starlette.middleware.base import BaseHTTPMiddleware
    from starlette.responses import JSONResponse

    class RequestIdMiddleware(BaseHTTPMiddleware):
        async def dispatch(self, request: Any, call_next: Any) -> Any:
            request_id = str(uuid.uuid4())
            request.state.request_id = request_id
            try:
                response = await call_next(request)
            except Exception:
                response = JSONResponse(_envelope("internal", "Internal server error"), 500)
            response.headers["X-Request-ID"] = request_id
            return response

    app.add_middleware(RequestIdMiddleware)
    return app


def base_http_starlette(app: Any) -> Any:
    return base_http(handlers_starlette(app))


def base_http_fastapi(app: Any) -> Any:
    return base_http(handlers_fastapi(app))


def handlers_flask(app: Any) -> Any:
    """Error handlers with jsonify, and an id by `before_request` and `after_request`."""
    import flask
    from werkzeug.exceptions import HTTPException

    @app.before_request
    def stamp() -> None:
        flask.g.request_id = str(uuid.uuid4())

    @app.after_request
    def repeat(response: Any) -> Any:
        response.headers["X-Request-ID"] = flask.g.request_id
        return response

    @app.errorhandler(AppError)
    def app_error(exc: AppError) -> Any:
        return flask.jsonify(_envelope(exc.code, exc.message)), exc.status, exc.headers or {}

    @app.errorhandler(HTTPException)
    def http_error(exc: HTTPException) -> Any:
        return flask.jsonify(_envelope("http_error", exc.description)), exc.code

    return app
