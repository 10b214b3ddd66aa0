"""Korad's catalogue: an OpenAI-compatible gateway with budgets and virtual keys."""

from __future__ import annotations

from errorkit import errors
from errorkit.catalog import Catalog


class InvalidVirtualKey(errors.AuthenticationError):
    """The virtual key is unknown."""

    code, type, title = "unauthenticated", "invalid_request_error", "Invalid virtual key"
    message = "Invalid Virtual Key"
    causes = ("The key is mistyped.", "The key was deleted.")
    resolution = "Check the key in the dashboard."


class BudgetExceeded(errors.PaymentRequiredError):
    """The key's budget is used up."""

    code, title = "budget_exceeded", "Budget exceeded"
    message = "Budget exceeded"
    causes = ("The key's spending limit is reached.",)
    resolution = "Raise the budget or wait for its reset."


class InvalidModel(errors.BadRequestError):
    """The model's name is unknown."""

    code, title = "invalid_model", "Invalid model"
    message = "Invalid model name"
    causes = ("The model is mistyped or not enabled.",)
    resolution = "List the models and use one of them."


class RateLimited(errors.RateLimitError):
    """The key's rate limit is exceeded."""

    code, title = "rate_limited", "Rate limit exceeded"
    message = "Rate limit exceeded"
    resolution = "Wait as long as Retry-After says."


class Internal(errors.InternalError):
    """The gateway failed."""

    code = "internal"
    message = "Internal server error"
    resolution = "Retry; report the request ID if it persists."


class Unavailable(errors.ServiceUnavailableError):
    """No provider is available."""

    code = "service_unavailable"
    message = "Service temporarily unavailable"
    resolution = "Retry with backoff."


catalog = Catalog([InvalidVirtualKey, BudgetExceeded, InvalidModel, RateLimited, Internal, Unavailable])
settings = {"dialect": "korad", "catalog": catalog}
