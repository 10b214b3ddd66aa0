"""When to come back: Retry-After, the instant it ends, and rate-limit fields.

Retry-After is sent as whole seconds, rounded up once and never negative (RFC 9110
section 10.2.3 knows only digits and dates; fractions make urllib3 raise). Zero is a value.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from time import time
from typing import NamedTuple

from errorkit.configuration_error import ConfigurationError
from errorkit.structured_fields import MAX_INTEGER, parse_list, string

Wait = float | timedelta | datetime
"""Seconds, a duration, or the instant at which waiting ends."""

LONGEST = 366 * 24 * 3600
"""Seconds. A longer wait is sent as this one, and a client asks again then; an instant further ahead keeps its date
in `resume_at`."""

MAX_FIELD = 1024
"""Characters of a response field that are read; a longer one says nothing."""


class Advice(NamedTuple):
    """One instant in the two spellings that clients read."""

    seconds: int
    resume_at: datetime


class RateLimit(NamedTuple):
    """The state of one quota.

    limit: requests allowed per window. remaining: requests left. reset: seconds until
    more quota. window: seconds, 0 if unknown. policy: the quota's name.
    """

    limit: int
    remaining: int
    reset: float = 0
    window: int = 0
    policy: str = "default"


def clock() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


def check_wait(wait: object) -> Wait:
    """`wait` if it can be turned into advice.

    Raises TypeError or ValueError that name the value and the fix.
    """
    if isinstance(wait, timedelta):
        return wait
    if isinstance(wait, datetime):
        if wait.tzinfo is None:
            raise ValueError(
                f"retry_after={wait!r} has no time zone; use an aware datetime, "
                "for example datetime.now(UTC) + timedelta(...)"
            )
        return wait
    if isinstance(wait, (int, float)) and not isinstance(wait, bool):
        if math.isnan(wait):
            raise ValueError("retry_after is NaN; use seconds, a timedelta or an aware datetime")
        return wait
    raise TypeError(
        f"retry_after={wait!r} is of type {type(wait).__name__}; use seconds, a timedelta or an aware datetime"
    )


def check_quota(quota: object) -> RateLimit:
    """`quota` if it can be sent; fewer requests left than none, and a reset in the past, count as zero.

    Raises ConfigurationError, naming the value and the fix.
    """
    if not isinstance(quota, RateLimit):
        raise ConfigurationError.of("rate_limit", quota, "this is no quota; use RateLimit(limit=..., remaining=...)")
    for name in ("limit", "remaining", "reset", "window"):
        value: object = getattr(quota, name)
        if not isinstance(value, (int, float) if name == "reset" else int) or isinstance(value, bool):
            kind = "a number of seconds" if name == "reset" else "an int"
            raise ConfigurationError.of(f"RateLimit.{name}", value, f"this is no number; use {kind}")
    if not math.isfinite(quota.reset):
        raise ConfigurationError.of("RateLimit.reset", quota.reset, "this ends never; use a number of seconds")
    if quota.limit < 0 or quota.window < 0:
        name, value = ("limit", quota.limit) if quota.limit < 0 else ("window", quota.window)
        raise ConfigurationError.of(f"RateLimit.{name}", value, "this is below zero; use an int of zero or more")
    return quota


def advise(wait: Wait, now: datetime) -> Advice:
    """One wait as whole seconds and as the whole-second instant it ends at."""
    if isinstance(wait, datetime):
        exact = (wait - now).total_seconds()
    elif isinstance(wait, timedelta):
        exact = wait.total_seconds()
    else:
        exact = wait
    seconds = math.ceil(max(0, min(exact, LONGEST)))
    try:
        instant = wait if isinstance(wait, datetime) else now + timedelta(seconds=seconds)
        instant = max(instant.astimezone(UTC), now)
        if instant.microsecond:
            instant = instant.replace(microsecond=0) + timedelta(seconds=1)
    except OverflowError:  # at the end of the calendar
        instant = now.replace(microsecond=0) + timedelta(seconds=seconds + 1)
    return Advice(seconds, instant)


def end_of(seconds: int) -> datetime:
    """The instant at which a wait of so many seconds ends, as `advise` gives it; kept for the others of its second."""
    return _instant(math.ceil(time()) + seconds)


@lru_cache(maxsize=64)
def _instant(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)


def parse_retry_after(value: str, now: datetime) -> int | None:
    """Whole seconds from a Retry-After field, or None if it says nothing usable.

    Takes digits and HTTP-dates, and the fractions that some limiters send.
    """
    wait = read_retry_after(value)
    return None if wait is None else advise(wait, now).seconds


def read_retry_after(value: str) -> Wait | None:
    """What a Retry-After field says, as seconds or as an instant; None if nothing usable."""
    if len(value) > MAX_FIELD:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        return min(int(value[:12]), LONGEST)
    try:
        exact = float(value)
    except ValueError:
        try:
            instant = parsedate_to_datetime(value)
        except (TypeError, ValueError, OverflowError):
            return None
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant
    return exact if math.isfinite(exact) else None


@lru_cache(maxsize=64)
def rfc3339(instant: datetime) -> str:
    """`2026-01-31T12:00:00Z`."""
    return instant.astimezone(UTC).isoformat(timespec="seconds")[:19] + "Z"


def parse_rfc3339(text: str) -> datetime | None:
    """The inverse of `rfc3339`; None if the text is not such an instant."""
    try:
        instant = datetime.fromisoformat(text)
        return instant.astimezone(UTC) if instant.tzinfo else None
    except (ValueError, OverflowError):
        return None


def ends_at(quota: RateLimit) -> datetime:
    """The instant of more quota, rounded up to a whole second."""
    return advise(quota.reset, clock()).resume_at


def duration(seconds: float) -> str:
    """Whole seconds, rounded up, as `45s`, `6m0s` or `1h0m0s`."""
    total = max(0, math.ceil(min(seconds, LONGEST)))
    minutes, rest = divmod(total, 60)
    hours, minutes = divmod(minutes, 60)
    return (f"{hours}h" if hours else "") + (f"{minutes}m" if hours or minutes else "") + f"{rest}s"


def rate_limit_headers(quota: RateLimit, *others: RateLimit) -> dict[str, str]:
    """The IETF draft's RateLimit and RateLimit-Policy, and the X-RateLimit family.

    others: further quotas of the same request; the X-RateLimit family, which knows one, tells of the most limiting.
    X-RateLimit-Reset is in seconds from now. Put these on successful responses, too.
    Source: draft-ietf-httpapi-ratelimit-headers (structured field lists, RFC 9651).
    """
    quotas = (quota, *others)
    most = min(quotas, key=_slack)
    return {
        "RateLimit-Policy": ", ".join(map(_policy, quotas)),
        "RateLimit": ", ".join(
            f"{string(each.policy)};r={_integer(each.remaining)};t={_integer(each.reset)}" for each in quotas
        ),
        "X-RateLimit-Limit": str(_integer(most.limit)),
        "X-RateLimit-Remaining": str(_integer(most.remaining)),
        "X-RateLimit-Reset": str(_integer(most.reset)),
    }


def _policy(quota: RateLimit) -> str:
    window = f";w={_integer(quota.window)}" if quota.window > 0 else ""
    return f"{string(quota.policy)};q={_integer(quota.limit)}{window}"


def _integer(value: float) -> int:
    """As an Integer of structured fields, zero or more."""
    return min(MAX_INTEGER, max(0, math.ceil(value)))


def _slack(quota: RateLimit) -> tuple[float, float]:
    """How little a quota limits: the share that is left; of two used up, the one that is free later is less."""
    return max(0, quota.remaining) / max(1, quota.limit), -quota.reset


def parse_rate_limit(headers: Mapping[str, str]) -> RateLimit | None:
    """The quota from the fields that `rate_limit_headers` writes (lower-case names); of several the most limiting."""
    policies, states = (parse_list(headers.get(name, "")[:MAX_FIELD]) for name in ("ratelimit-policy", "ratelimit"))
    if not policies or not states:
        return None
    declared = {item.value: item.parameters for item in policies if isinstance(item.value, str)}
    quotas = []
    for name, state in states:
        policy = declared.get(name, {}) if isinstance(name, str) else {}
        limit, remaining = policy.get("q"), state.get("r")
        if type(limit) is int and type(remaining) is int:
            reset, window = state.get("t", 0), policy.get("w", 0)
            quotas.append(
                RateLimit(
                    limit,
                    remaining,
                    reset if type(reset) is int else 0,
                    window if type(window) is int else 0,
                    str(name),
                )
            )
    return min(quotas, key=_slack, default=None)
