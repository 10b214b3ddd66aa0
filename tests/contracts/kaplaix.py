"""Kaplaix's catalogue: upper-case codes and strict tenant isolation."""

from __future__ import annotations

from errorkit import errors
from errorkit.catalog import Catalog


class AuthenticationFailed(errors.AuthenticationError):
    """The credentials are missing or wrong."""

    code = "unauthenticated"
    message = "Authentication failed"


class Missing(errors.NotFoundError):
    """The resource is absent or another tenant's."""

    code = "not_found"
    message = "Resource not found"
    concealable = True


class AgentExists(errors.ConflictError):
    """An agent with this agentId exists."""

    code = "conflict"
    message = "The resource already exists"


class NormalizationFailed(errors.UnprocessableContentError):
    """The event could not be normalised."""

    code, title = "normalization_failed", "Normalization failed"
    message = "The event could not be normalized"


catalog = Catalog([AuthenticationFailed, Missing, AgentExists, NormalizationFailed])
settings = {"dialect": "kaplaix", "catalog": catalog}
