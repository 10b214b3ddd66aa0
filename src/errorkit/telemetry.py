"""Error reporters that the application already uses. Nothing is imported that is not loaded."""

from __future__ import annotations

import sys
from typing import Any

from errorkit.failure import Failure

LOGGER = "errorkit"
"""Sentry's logging integration is told to leave this logger alone: it would report each failure again."""


def present() -> bool:
    """Is there anybody to tell."""
    return "sentry_sdk" in sys.modules or "opentelemetry.trace" in sys.modules


def report(failure: Failure, *, unhandled: bool) -> None:
    """Tell Sentry of a failure >= 500 with an exception.

    unhandled: nobody declared the exception.
    """
    sdk = _active_sentry()
    exception = failure.private.exception
    if sdk is None or exception is None or failure.public.status < 500:
        return
    from sentry_sdk.utils import event_from_exception

    event, hint = event_from_exception(
        exception,
        client_options=sdk.get_client().options,
        mechanism={"type": "errorkit", "handled": not unhandled},
    )
    sdk.capture_event(event, hint=hint)


def hush(failure: Failure) -> None:
    """Keep Sentry from taking the log line of a failure >= 500 for another failure."""
    if failure.public.status >= 500 and _active_sentry() is not None:
        from sentry_sdk.integrations.logging import ignore_logger

        ignore_logger(LOGGER)


def annotate(failure: Failure, *, record: bool) -> None:
    """Tell the current OpenTelemetry span of a failure >= 500 with an exception.

    record: add the exception itself, which is done once.
    Source: OpenTelemetry semantic conventions for HTTP spans and for recording errors.
    """
    trace = sys.modules.get("opentelemetry.trace")
    exception = failure.private.exception
    if trace is None or exception is None or failure.public.status < 500:
        return
    span = trace.get_current_span()
    if span.is_recording():
        if record:
            span.record_exception(exception)
        span.set_attribute("error.type", failure.private.code)
        span.set_status(trace.Status(trace.StatusCode.ERROR))


def _active_sentry() -> Any:
    sdk = sys.modules.get("sentry_sdk")
    return sdk if sdk is not None and sdk.get_client().is_active() else None
