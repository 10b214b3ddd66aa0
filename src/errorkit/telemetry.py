"""Error reporters that the application already uses. Nothing is imported that is not loaded."""

from __future__ import annotations

import sys

from errorkit.failure import Failure


def report(failure: Failure, *, unhandled: bool, sentry: bool = True) -> None:
    """Tell Sentry and the current OpenTelemetry span of a failure >= 500 with an exception.

    unhandled: nobody declared the exception. sentry: False where its own integration has
    been told of this one.
    """
    exception = failure.private.exception
    if exception is None or failure.public.status < 500:
        return
    if sentry:
        _sentry(exception, unhandled)
    _opentelemetry(failure, exception)


def _sentry(exception: BaseException, unhandled: bool) -> None:
    sdk = sys.modules.get("sentry_sdk")
    if sdk is None or not sdk.get_client().is_active():
        return
    from sentry_sdk.utils import event_from_exception

    event, hint = event_from_exception(
        exception,
        client_options=sdk.get_client().options,
        mechanism={"type": "errorkit", "handled": not unhandled},
    )
    sdk.capture_event(event, hint=hint)


def _opentelemetry(failure: Failure, exception: BaseException) -> None:
    trace = sys.modules.get("opentelemetry.trace")
    if trace is None:
        return
    span = trace.get_current_span()
    if span.is_recording():
        span.record_exception(exception)
        span.set_attribute("error.type", failure.private.code)
        span.set_status(trace.Status(trace.StatusCode.ERROR))
