"""The catalogue: every error that the service documents beyond the standard ones."""

from __future__ import annotations

import sys

import errorkit
from errorkit.errors import (
    BadGatewayError,
    Example,
    GatewayTimeoutError,
    GoneError,
    LockedError,
    PaymentRequiredError,
    PreconditionFailedError,
    UnavailableForLegalReasonsError,
)


class InvalidCursorError(errorkit.BadRequestError):
    """The cursor was not given out by this service."""

    code, title = "invalid_cursor", "Invalid Cursor"
    message = "The cursor is not valid."
    resolution = "Send the `next` member of the previous page, unchanged, or no cursor."
    examples = (Example("A cursor made up", "GET /v1/projects?cursor=7", "GET /v1/projects"),)


class InvalidAPIKeyError(errorkit.AuthenticationError):
    """The API key is missing or unknown."""

    code, title = "unauthenticated", "Invalid API Key"
    message = "A valid API key is required."
    causes = ("The Authorization header is missing.", "The key was revoked.")
    resolution = "Send `Authorization: Bearer <key>` with a key of your tenant."


class PlanLimitError(PaymentRequiredError):
    """The tenant's plan allows no more projects."""

    code, title = "plan_limit_reached", "Plan Limit Reached"
    message = "Your plan allows no more projects."
    resolution = "Delete a project or choose a larger plan."


class ReadOnlyKeyError(errorkit.ForbiddenError):
    """The API key may read and not write."""

    code, title = "read_only_key", "Read-only Key"
    message = "This API key may only read."
    resolution = "Use a key that may write."


class ProjectNotFoundError(errorkit.NotFoundError):
    """There is no such project in the caller's tenant."""

    code, title, concealable = "project_not_found", "Project Not Found", True
    message = "There is no such project."


class DocumentNotFoundError(errorkit.NotFoundError):
    """There is no such document in the caller's tenant."""

    code, title, concealable = "document_not_found", "Document Not Found", True
    message = "There is no such document."


class DuplicateProjectError(errorkit.ConflictError):
    """A project of the tenant has the slug already."""

    code, title = "duplicate_project", "Duplicate Project"
    message = "A project with this slug exists already."


class AlreadyPublishedError(errorkit.ConflictError):
    """A document is published once."""

    code, title = "already_published", "Already Published"


class DocumentDeletedError(GoneError):
    """The document was deleted by its owner."""

    code, title = "document_deleted", "Document Deleted"
    message = "The document has been deleted."


class VersionMismatchError(PreconditionFailedError):
    """If-Match names another version than the document has."""

    code, title = "version_mismatch", "Version Mismatch"
    message = "The document has changed since you read it."
    resolution = "Read the document again and send its ETag as If-Match."


class DocumentLockedError(LockedError):
    """Somebody else is editing the document."""

    code, title = "document_locked", "Document Locked"
    message = "The document is being edited."


class DocumentWithheldError(UnavailableForLegalReasonsError):
    """A court has ordered that the document be withheld."""

    code, title = "document_withheld", "Document Withheld"
    message = "The document is withheld by order of a court."


class TranslationGarbledError(BadGatewayError):
    """The translator's answer could not be understood."""

    code, title = "translation_garbled", "Translation Garbled"
    message = "The translator gave an unusable answer."


class TranslatorBusyError(errorkit.ServiceUnavailableError):
    """The translator takes no work at the moment."""

    code, title = "translator_busy", "Translator Busy"
    message = "The translator takes no work at the moment."


class TranslatorTimeoutError(GatewayTimeoutError):
    """The translator did not answer in time."""

    code, title = "translator_timeout", "Translator Timeout"
    message = "The translator did not answer in time."


CALLING = (InvalidAPIKeyError, errorkit.RateLimitError)
"""What every call raises."""
READING = (DocumentNotFoundError, DocumentDeletedError, DocumentWithheldError)
"""What reading a document raises, too."""
WRITING = (*READING, ReadOnlyKeyError, DocumentLockedError)
"""What changing one raises, too."""

CATALOG = errorkit.Catalog([sys.modules[__name__]], field_codes={"slug": "invalid_slug", "to": "unknown_language"})
