"""Kaiko's catalogue: typed codes; a missing field is a 400, a bad value a 422 of its own code."""

from __future__ import annotations

from errorkit import errors
from errorkit.catalog import Catalog


class MissingField(errors.BadRequestError):
    """A required field is missing."""

    code, title = "missing_field", "Missing field"
    resolution = "Send the field that `param` names."


class InvalidAPIKey(errors.AuthenticationError):
    """The API key is not valid."""

    code, title = "unauthenticated", "Invalid API key"
    message = "Invalid API key"
    resolution = "Check the key or create a new one."


class KeyRevoked(errors.ForbiddenError):
    """The API key has been revoked."""

    code, title = "key_revoked", "Key revoked"
    message = "The API key has been revoked"
    resolution = "Create a new key."


class ContextNotFound(errors.NotFoundError):
    """The context does not exist or has expired: ids live for 24 hours."""

    code, title = "context_not_found", "Context not found"
    message = "The context was not found or has expired"
    resolution = "Create the context again."
    concealable = True


class DuplicateId(errors.ConflictError):
    """The id is taken."""

    code, title = "duplicate_id", "Duplicate id"
    message = "The id is already in use"
    resolution = "Choose another id."


class PayloadTooLarge(errors.ContentTooLargeError):
    """The payload is too large."""

    code, title = "content_too_large", "Payload too large"
    message = "The payload is too large"
    resolution = "Send less."


class InvalidRole(errors.UnprocessableContentError):
    """A message's role is unknown."""

    code, title = "invalid_role", "Invalid role"
    message = "The role is invalid"
    resolution = "Use system, user or assistant."


class TooManyRequests(errors.RateLimitError):
    """The rate limit is exceeded."""

    code, title = "rate_limited", "Too many requests"
    message = "Too many requests"
    resolution = "Wait as long as Retry-After says."


catalog = Catalog(
    [
        MissingField,
        InvalidAPIKey,
        KeyRevoked,
        ContextNotFound,
        DuplicateId,
        PayloadTooLarge,
        InvalidRole,
        TooManyRequests,
    ],
    field_codes={"role": "invalid_role"},
)
settings = {"dialect": "kaiko", "catalog": catalog}
