"""Kaizen's catalogue: a flat body, one code per status, each with its resolution."""

from __future__ import annotations

from errorkit import errors
from errorkit.catalog import Catalog


class InvalidPayload(errors.ValidationError):
    """The payload misses a field or does not match the schema."""

    code, status, title = "validation_failed", 400, "Invalid payload"
    message = "The request payload is invalid."
    causes = ("A required field is missing.", "A value does not match the schema.")
    resolution = "Validate the payload against the schema before sending it."
    examples = (
        errors.Example(
            "No messages", '{"prompt": {}}', '{"prompt": {"messages": [{"role": "user", "content": "Hi"}]}}'
        ),
        errors.Example("An empty id", '{"deployment_id": ""}', '{"deployment_id": "ZGVwbG95bWVudDox"}'),
        errors.Example("A string for a list", '{"tags": "a"}', '{"tags": ["a"]}'),
        errors.Example("A string for an object", '{"prompt": "Hi"}', '{"prompt": {"messages": []}}'),
    )


class BadAPIKey(errors.AuthenticationError):
    """The API key is missing or invalid."""

    code, title = "unauthenticated", "Missing or invalid API key"
    message = "The API key is missing or invalid."
    resolution = "Regenerate or export the key and send it in the Authorization header."


class NoAccess(errors.ForbiddenError):
    """The key has no access to the requested deployment."""

    code, title = "forbidden", "No access to the deployment"
    message = "The API key has no access to this deployment."
    resolution = "Check the endpoint and the tenant."


class Missing(errors.NotFoundError):
    """The endpoint is mistyped or the id is stale."""

    code, title = "not_found", "Not found"
    message = "There is no such endpoint or resource."
    resolution = "Use the documented routes and check that the id is still valid."


class Limited(errors.RateLimitError):
    """The rate limit is exceeded."""

    code, title = "rate_limited", "Rate limited"
    message = "The rate limit is exceeded."
    resolution = "Honour Retry-After, back off exponentially, or ask for a higher limit."


class Disruption(errors.InternalError):
    """The service is disrupted."""

    code, title = "internal", "Service disruption"
    message = "The service is disrupted."
    resolution = "Retry with jitter; escalate if it persists."


class Upstream(errors.BadGatewayError):
    """An upstream provider failed."""

    code, title = "bad_gateway", "Upstream provider failure"
    message = "An upstream provider failed."
    resolution = "Retry with jitter; escalate if it persists."


class Unavailable(errors.ServiceUnavailableError):
    """The service is not available for the moment."""

    code, title = "service_unavailable", "Service unavailable"
    message = "The service is unavailable."
    resolution = "Retry with jitter; escalate if it persists."


catalog = Catalog([InvalidPayload, BadAPIKey, NoAccess, Missing, Limited, Disruption, Upstream, Unavailable])
settings = {"dialect": "kaizen", "catalog": catalog}
