"""A failed answer of another service as an error of this one.

    raise upstream_error(response.status_code, response.headers, response.content, dialect="stripe")

The upstream's words never reach this service's client: they are in the error's context,
for the log. No HTTP client is needed or known here. To document the errors, list this
module in the catalogue: `Catalog([my_errors, errorkit.upstream])`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from errorkit.dialects import Dialect, get_dialect
from errorkit.errors import APIError
from errorkit.failure import Public
from errorkit.written_body import form_of, from_bytes

MAX_BODY = 1 << 20
"""Bytes of an upstream's error body that are read, on the wire and decoded; a longer one says nothing."""
_BUSY = frozenset({429, 503, 529})
_SLOW = frozenset({408, 504})


class UpstreamError(APIError):
    """502: a service that this one depends on has failed."""

    code, status, title, retryable = "upstream_failed", 502, "Bad Gateway", True
    message = "A service that this one depends on has failed."
    resolution = "Try again later; if it persists, report the request ID."


class UpstreamRejectedError(UpstreamError):
    """502: a service that this one depends on did not accept this service's request."""

    code, retryable = "upstream_rejected", False
    message = "A service that this one depends on did not accept the request."
    resolution = "Nothing that a client can do; report the request ID."


class UpstreamUnavailableError(UpstreamError):
    """503: a service that this one depends on is busy or away."""

    code, status, title = "upstream_unavailable", 503, "Service Unavailable"
    message = "A service that this one depends on is temporarily unavailable."
    default_retry_after = 5


class UpstreamTimeoutError(UpstreamError):
    """504: a service that this one depends on did not answer in time."""

    code, status, title = "upstream_timeout", 504, "Gateway Timeout"
    message = "A service that this one depends on did not answer in time."


def upstream_error(
    status: int,
    headers: Mapping[str, str],
    body: bytes | str | None,
    *,
    dialect: Dialect | str,
    name: str = "",
) -> UpstreamError:
    """The error that answers for an upstream's response of status 400 or above. Never raises.

    dialect: the upstream's, or a preset's name. name: the upstream's, for the log.

    By status: 429, 503 and 529 become 503, with the upstream's Retry-After (its limit is on
    this service as a whole, not on the client); 408 and 504 become 504; any other 5xx becomes
    502; any other 4xx is this service's own mistake: 502, and not retryable. Retry-After is
    passed on with a 503 alone. Raises ValueError for a dialect that does not exist.
    """
    if isinstance(dialect, str):
        dialect = get_dialect(dialect)
    fields = {str(key).lower(): str(value) for key, value in headers.items()}
    parsed = from_bytes(form_of(dialect.media_type), body) if body and len(body) <= MAX_BODY else None
    told = dialect.read(status, fields, parsed)
    context = {"upstream": _facts(told, name, dialect)}
    if status in _BUSY:
        return UpstreamUnavailableError(retry_after=told.retry_after, context=context)
    if status in _SLOW:
        return UpstreamTimeoutError(context=context)
    return (UpstreamError if status >= 500 else UpstreamRejectedError)(context=context)


def _facts(told: Public, name: str, dialect: Dialect) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "name": name or dialect.name,
        "status": told.status,
        "code": told.code,
        "type": told.type,
        "message": told.message,
        "param": told.param,
        "request_id": told.request_id,
        "retry_after": told.retry_after,
        "retryable": told.retryable if dialect.retry_verdict_header else None,
    }
    return {key: value for key, value in facts.items() if value not in (None, "")}
