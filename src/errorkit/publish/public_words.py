"""The words of an error for those who call the service: its class's own, or those of the standard error that it is."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from errorkit.catalog import ErrorSpec
from errorkit.errors import STANDARD, APIError


class Prose(NamedTuple):
    """Meaning, common causes, and what to do."""

    description: str
    causes: tuple[str, ...] = ()
    resolution: str = ""


_STANDARD: Mapping[str, Prose] = MappingProxyType(
    {
        "bad_request": Prose(
            "The request cannot be understood or served as it is.",
            ("A parameter contradicts another.", "The request is malformed."),
            "Compare the request with the reference of the endpoint, then send it corrected.",
        ),
        "malformed_json": Prose(
            "The request body is not JSON.",
            ("A comma, quote or bracket is missing.", "The body is cut off or is not UTF-8."),
            "Produce the body with a JSON encoder and send it as UTF-8.",
        ),
        "unauthenticated": Prose(
            "The request carries no valid credentials.",
            ("No credentials were sent.", "They are mistyped, expired or revoked."),
            "Send current credentials in the way that WWW-Authenticate names.",
        ),
        "payment_required": Prose(
            "Nothing more is served until something is paid.",
            ("A budget or a prepaid balance is used up.",),
            "Settle the account or raise its limit, then repeat the request.",
        ),
        "forbidden": Prose(
            "The credentials are valid and do not allow this.",
            ("A permission is missing.",),
            "Use credentials that have the permission, or ask for it.",
        ),
        "not_found": Prose(
            "There is no such resource, or you may not know of it.",
            ("The path or the identifier is mistyped.", "The resource has been deleted."),
            "Check the path and the identifier.",
        ),
        "method_not_allowed": Prose(
            "The resource exists and does not have this method.",
            ("GET was sent where POST is due, or the other way round.",),
            "Use one of the methods in the Allow header.",
        ),
        "not_acceptable": Prose(
            "There is no representation that the request accepts.",
            ("The Accept header names only media types that are not produced.",),
            "Accept a media type that the resource has, or leave the header out.",
        ),
        "request_timeout": Prose(
            "The request did not arrive in time.",
            ("The connection is slow or was interrupted.",),
            "Send the request again.",
        ),
        "conflict": Prose(
            "The request conflicts with the current state of the resource.",
            ("The resource has changed in the meantime.", "Such a resource exists already."),
            "Read the resource again and decide on its present state.",
        ),
        "gone": Prose(
            "The resource existed and will not come back.",
            ("It has been deleted, or its life has ended.",),
            "Stop asking for it.",
        ),
        "precondition_failed": Prose(
            "A condition in the request's header fields is false.",
            ("If-Match names a version that is no longer the current one.",),
            "Read the resource again and use its current ETag.",
        ),
        "content_too_large": Prose(
            "The request body is larger than is accepted.",
            ("A file or a batch is over the limit.",),
            "Send less at a time.",
        ),
        "unsupported_media_type": Prose(
            "The format of the request body is not supported.",
            ("The Content-Type header is missing or wrong.",),
            "Send the body in a supported format and name it in Content-Type.",
        ),
        "unprocessable_content": Prose(
            "The request is well-formed and cannot be carried out.",
            ("A value breaks a rule of the service.",),
            "Correct the request; the message says what is wrong.",
        ),
        "validation_failed": Prose(
            "One or more fields of the request are missing or invalid.",
            ("A required field is missing.", "A value has the wrong type or is out of range."),
            "Correct the fields that the error names, then send the request again.",
        ),
        "locked": Prose(
            "The resource is locked.",
            ("Another operation holds it.",),
            "Wait until the lock is released.",
        ),
        "precondition_required": Prose(
            "The request must say which version it is about.",
            ("If-Match is missing.",),
            "Read the resource and send its ETag in If-Match.",
        ),
        "rate_limited": Prose(
            "Too many requests in too short a time.",
            ("A quota is used up.", "Requests come in bursts."),
            "Wait as long as Retry-After says, and spread requests out.",
        ),
        "header_fields_too_large": Prose(
            "The request's header fields are too large.",
            ("Cookies or tokens have grown too long.",),
            "Send fewer or shorter header fields.",
        ),
        "unavailable_for_legal_reasons": Prose(
            "Access is denied by law.",
            ("A legal demand covers this resource.",),
            "Nothing on the client's side changes this.",
        ),
        "internal": Prose(
            "The service failed. It is not the request's fault.",
            ("An unexpected condition in the service.",),
            "Try again with increasing pauses. If it persists, report it with the request ID.",
        ),
        "not_implemented": Prose(
            "The service cannot do this.",
            ("The feature is announced and not yet built, or is switched off.",),
            "Do without it.",
        ),
        "bad_gateway": Prose(
            "A service that this one depends on gave no usable answer.",
            ("That service is failing.",),
            "Try again with increasing pauses.",
        ),
        "service_unavailable": Prose(
            "The service cannot answer at the moment.",
            ("It is overloaded, or being maintained.",),
            "Wait as long as Retry-After says, then try again.",
        ),
        "gateway_timeout": Prose(
            "A service that this one depends on did not answer in time.",
            ("That service is slow.",),
            "Try again with increasing pauses; the first attempt may have had its effect.",
        ),
    }
)


def prose(spec: ErrorSpec) -> Prose:
    """What the class says itself; the words here for a standard error, or for a class that is one and says nothing.

    Nothing is taken over by a class that has a meaning of its own: what causes a conflict is not what causes this one.
    """
    own = Prose(spec.description, spec.causes, spec.resolution)
    base = next((cls for cls in spec.cls.__mro__ if cls in STANDARD), None)
    if base is not None and not any(own) and _is_the_same(spec, base):
        return _STANDARD[base.code]
    return own if own.description else own._replace(description=spec.message)


def _is_the_same(spec: ErrorSpec, base: type[APIError]) -> bool:
    return base.code == spec.cls.code or bool(vars(spec.cls).get("answers_for_standard"))
