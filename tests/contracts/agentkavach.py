"""AgentKavach's catalogue: limits that reach the caller, and failures that do not (fail-open)."""

from __future__ import annotations

from errorkit import errors
from errorkit.catalog import Catalog


class Unauthorized(errors.AuthenticationError):
    """The API key is missing or wrong."""

    code, title = "unauthenticated", "Unauthorized"
    message = "Unauthorized"
    causes = ("The API key is missing or wrong.",)
    resolution = "Set the key."
    propagate = False


class SubscriptionEnded(errors.ForbiddenError):
    """The subscription is cancelled or expired."""

    code, title = "forbidden", "Forbidden"
    message = "The subscription is cancelled or expired"
    causes = ("The subscription was cancelled.", "The subscription has expired.")
    resolution = "Reactivate the subscription."
    propagate = False


class RateLimited(errors.RateLimitError):
    """The daily quota or the burst rate is exceeded."""

    code, title = "rate_limited", "Too many requests"
    message = "Too many requests"
    causes = ("The daily quota is used up.", "The burst rate is exceeded.")
    resolution = "Wait until resume_at, or upgrade."
    propagate = False


class Internal(errors.InternalError):
    """The service failed; the caller's own work goes on."""

    code = "internal"
    propagate = False


class BudgetExceeded(errors.RateLimitError):
    """The agent's budget is used up."""

    code, title, retryable = "budget_exceeded", "Budget exceeded", False
    message = "The agent's budget is used up"
    default_retry_after = None


class TokenLimit(errors.RateLimitError):
    """The agent's token limit is reached."""

    code, title, retryable = "token_limit", "Token limit", False
    message = "The agent's token limit is reached"
    default_retry_after = None


class CallLimit(errors.RateLimitError):
    """The agent's call limit is reached."""

    code, title, retryable = "call_limit", "Call limit", False
    message = "The agent's call limit is reached"
    default_retry_after = None


class RuntimeLimit(errors.RateLimitError):
    """The agent has run too long."""

    code, title, retryable = "runtime_limit", "Runtime limit", False
    message = "The agent has run too long"
    default_retry_after = None


class LoopDetected(errors.RateLimitError):
    """The agent repeats itself."""

    code, title, retryable = "loop_detected", "Loop detected", False
    message = "The agent repeats itself"
    default_retry_after = None


catalog = Catalog(
    [
        Unauthorized,
        SubscriptionEnded,
        RateLimited,
        Internal,
        BudgetExceeded,
        TokenLimit,
        CallLimit,
        RuntimeLimit,
        LoopDetected,
    ]
)
settings = {"dialect": "agentkavach", "catalog": catalog}
