"""Telemetry and error reporters that the application already uses. Nothing is imported that is not loaded.

What they record of their own accord stays as it is: here is only added what nobody else records.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from errorkit.exception_copy import is_copy
from errorkit.failure import Failure
from errorkit.standard_logging import LOGGER

Span = Any
"""A span of OpenTelemetry's, whose package may be absent."""

_ERROR_TYPE = "error.type"

_TELL_THEMSELVES = frozenset({"fastapi", "opentelemetry.instrumentation.flask"})
"""FastAPI's own telemetry writes log records; Flask's records what Flask tears a request down with."""


def present(span: Span | None = None) -> bool:
    """Is there anybody to tell: Sentry, the noted span, or an active one."""
    return "sentry_sdk" in sys.modules or span is not None or noted() is not None


# -- OpenTelemetry


def noted() -> Span | None:
    """The active span, to be kept until the failure that was raised in it is told; None without one. Never raises."""
    trace = sys.modules.get("opentelemetry.trace")
    if trace is None:
        return None
    try:
        span = trace.get_current_span()
        if span is trace.INVALID_SPAN:  # what there is where nobody traces
            return None
        return span if span.get_span_context().is_valid else None
    except Exception:  # half imported, or somebody's own span
        return None


def trace_id(span: Span | None = None) -> str | None:
    """The trace of the active span, else of the noted one, as 32 hexadecimal digits. Never raises."""
    active = noted()
    if active is None:
        active = span
    try:
        return None if active is None else f"{active.get_span_context().trace_id:032x}"
    except Exception:
        return None


def is_open() -> bool:
    """Does the active span still record: what is logged now belongs to it, later it may have ended. Never raises."""
    span = noted()
    try:
        return span is not None and bool(span.is_recording())
    except Exception:
        return False


def is_watched() -> bool:
    """Does somebody further out wait for exceptions to come by: an open span's owner, or Sentry. Never raises."""
    try:
        return is_open() or _active_sentry() is not None
    except Exception:
        return False


def within(span: Span | None, tell: Callable[..., None], *told: Any) -> None:
    """Tell with the noted span as the active one, where there is none any more: log processors find its ids."""
    if span is None or noted() is not None:
        tell(*told)
        return
    use: AbstractContextManager[Any] = sys.modules["opentelemetry.trace"].use_span(
        span, end_on_exit=False, record_exception=False, set_status_on_exception=False
    )
    with use:
        tell(*told)


def annotate(failure: Failure, span: Span | None = None, *, record: bool = True) -> None:
    """Tell the server's span of a failure >= 500 that errorkit answers.

    Its `error.type` is the code, unless an instrumentation has set another; its status is left to the
    instrumentation, which knows the answer's.
    span: the noted one, for where another or none is active. record: add the exception, unless it is there
    already; False for one that the framework answers by itself: nobody exports its words without errorkit.
    Source: OpenTelemetry semantic conventions for HTTP spans and for recording errors.
    """
    private = failure.private
    if failure.public.status < 500 or private.answered_by != "errorkit":
        return
    server = _open_server_span(noted(), span)
    if server is None:
        return
    if _ERROR_TYPE not in (server.attributes or ()):
        server.set_attribute(_ERROR_TYPE, private.code)
    exception = private.exception
    if record and exception is not None and not (_tells_itself(server, private.reason) or _has(server, exception)):
        server.record_exception(exception)


def _open_server_span(*spans: Span | None) -> Span | None:
    """The first that records, serves a request and can be read: what is there already must be seen."""
    for span in spans:
        if (
            span is not None
            and getattr(getattr(span, "kind", None), "name", "") == "SERVER"
            and hasattr(span, "attributes")
            and span.is_recording()
        ):
            return span
    return None


def _tells_itself(span: Span, reason: str) -> bool:
    """Will the span's instrumentation record an exception that nobody has declared, elsewhere or later."""
    scope = getattr(span, "instrumentation_scope", None)
    return reason == "unhandled" and getattr(scope, "name", "") in _TELL_THEMSELVES


def _has(span: Span, exception: BaseException) -> bool:
    """Is this exception, or one that cannot be told from it, among the span's events."""
    kind, words = type(exception).__qualname__, str(exception)
    for event in getattr(span, "events", None) or ():
        known = event.attributes or {}
        name = str(known.get("exception.type", ""))
        if event.name == "exception" and name.endswith(kind) and known.get("exception.message") == words:
            return True
    return False


# -- Sentry


def report(failure: Failure, *, unhandled: bool, integration: str = "", seen: bool = False) -> None:
    """Tell Sentry of a failure with an exception: of those >= 500, or of what its integration is set to report.

    unhandled: nobody declared the exception. integration: what Sentry calls its integration of the framework.
    seen: the exception comes to where that integration reports it by itself, if it is active.
    """
    sdk = _active_sentry()
    exception = failure.private.exception
    if sdk is None or exception is None:
        return
    client = sdk.get_client()
    theirs = client.get_integration(integration) if integration else None
    if (seen and theirs is not None) or not (unhandled or _asked_for(failure, theirs)):
        return
    from sentry_sdk.utils import event_from_exception

    event, hint = event_from_exception(
        exception,
        client_options=client.options,
        mechanism={"type": "errorkit", "handled": not unhandled},
    )
    sdk.capture_event(event, hint=hint)


def hush() -> None:
    """Keep Sentry from taking the log line of a failure for another one, from this logger or one that it went on to.

    Sentry's own logs still have it.
    """
    if _active_sentry() is None:
        return
    from sentry_sdk.integrations.logging import ignore_logger
    from sentry_sdk.scope import add_global_event_processor, global_event_processors

    ignore_logger(LOGGER)
    if _without_copies not in global_event_processors:
        add_global_event_processor(_without_copies)


def _without_copies(event: Any, hint: Any) -> Any:
    """Sentry's event processor: no event of an exception that log handlers were given a copy of."""
    exc_info = hint.get("exc_info")
    return None if isinstance(exc_info, tuple) and is_copy(exc_info[1]) else event


def _asked_for(failure: Failure, integration: Any) -> bool:
    """By `failed_request_status_codes`, where the framework's integration has it, else each 5xx."""
    status = getattr(failure.private.exception, "status_code", None)
    if not isinstance(status, int):
        status = failure.public.status
    chosen = getattr(integration, "failed_request_status_codes", None)
    return status >= 500 if chosen is None else status in chosen


def _active_sentry() -> Any:
    sdk = sys.modules.get("sentry_sdk")
    return sdk if sdk is not None and sdk.get_client().is_active() else None
