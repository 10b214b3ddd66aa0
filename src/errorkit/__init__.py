"""One catalogue of errors; every answer of an HTTP service speaks it."""

from errorkit.catalog import Catalog, ErrorSpec
from errorkit.challenge import Challenge
from errorkit.dialects import Dialect
from errorkit.errors import (
    APIError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
    RateLimitError,
    ServiceUnavailableError,
    ValidationError,
)
from errorkit.failure import Detail
from errorkit.request_id import get_request_id
from errorkit.retry import RateLimit
from errorkit.tenancy import visible

__all__ = [
    "APIError",
    "AuthenticationError",
    "BadRequestError",
    "Catalog",
    "Challenge",
    "ConflictError",
    "Detail",
    "Dialect",
    "ErrorSpec",
    "ForbiddenError",
    "NotFoundError",
    "RateLimit",
    "RateLimitError",
    "ServiceUnavailableError",
    "ValidationError",
    "__version__",
    "get_request_id",
    "visible",
]

__version__ = "0.1.0"
