"""Quotas by the `limits` package, in memory or in Redis."""

from __future__ import annotations

import time

from limits import parse
from limits.storage import storage_from_string
from limits.strategies import MovingWindowRateLimiter

from errorkit import RateLimit, RateLimitError


class Limiter:
    """Counts a tenant's requests.

    url: storage of the `limits` package, for example `redis://localhost:6379`.
    """

    def __init__(self, url: str) -> None:
        self._window = MovingWindowRateLimiter(storage_from_string(url))

    def hit(self, tenant: str, rate: str) -> RateLimit:
        """Count one request of a rate such as `3/minute`. Raises RateLimitError if it is one too many."""
        item = parse(rate)
        allowed = self._window.hit(item, tenant)
        stats = self._window.get_window_stats(item, tenant)
        quota = RateLimit(
            limit=item.amount,
            remaining=stats.remaining,
            reset=max(0.0, stats.reset_time - time.time()),
            window=item.get_expiry(),
            policy="tenant",
        )
        if not allowed:
            raise RateLimitError(
                f"Rate limit exceeded: {rate.replace('/', ' requests/')}.", rate_limit=quota, retry_after=quota.reset
            )
        return quota
