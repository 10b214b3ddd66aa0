"""The exceptions that a handler raises.

    APIError
    ├── BadRequestError 400
    │   └── MalformedJSONError
    ├── AuthenticationError 401
    ├── PaymentRequiredError 402
    ├── ForbiddenError 403
    ├── NotFoundError 404
    ├── MethodNotAllowedError 405
    ├── NotAcceptableError 406
    ├── RequestTimeoutError 408
    ├── ConflictError 409
    ├── GoneError 410
    ├── PreconditionFailedError 412
    ├── ContentTooLargeError 413
    ├── UnsupportedMediaTypeError 415
    ├── UnprocessableContentError 422
    │   └── ValidationError
    ├── LockedError 423
    ├── PreconditionRequiredError 428
    ├── RateLimitError 429
    ├── HeaderFieldsTooLargeError 431
    ├── UnavailableForLegalReasonsError 451
    ├── InternalError 500
    ├── UnimplementedError 501
    ├── BadGatewayError 502
    ├── ServiceUnavailableError 503
    └── GatewayTimeoutError 504

A class declares what is always true of an error, an instance what happened this time.
Neither knows how it will look on the wire.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple, Self

from errorkit import arguments
from errorkit.actions import ADVICE, Action
from errorkit.arguments import public_members, refusal, slips
from errorkit.challenge import Challenge
from errorkit.configuration_error import ConfigurationError
from errorkit.exchange import unsendable
from errorkit.failure import Detail, Public
from errorkit.redaction import QUOTES_INPUT
from errorkit.remarks import remark
from errorkit.retry import RateLimit, Wait, check_quota, check_wait
from errorkit.spelling import nearest
from errorkit.texts import named, plain_text

_CODE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*").fullmatch
_EMPTY: Mapping[str, Any] = MappingProxyType({})
_RESERVED = frozenset(Public._fields) - {"request"} | {"errors", "instance"}
_UNSAID: Any = object()


class Example(NamedTuple):
    """A request that fails and the same request put right, for the reference page."""

    title: str
    bad: str
    fixed: str


class Change(NamedTuple):
    """What clients of the service should know of a release. version: its name. words: a sentence."""

    version: str
    words: str


def is_code(code: object) -> bool:
    """Is it a code: lower snake case."""
    return isinstance(code, str) and bool(_CODE(code))


def check_declaration(cls: type[APIError]) -> None:
    """Refuse a class that could not be served, or that has a slip of an attribute. Raises ConfigurationError."""
    if not is_code(cls.code):
        raise _declared_wrongly(cls, "code", "a code is lower snake case; write for example 'invoice_not_found'")
    if not isinstance(cls.status, int) or isinstance(cls.status, bool) or not 400 <= cls.status <= 599:
        raise _declared_wrongly(cls, "status", "this is no status of an error; use an int in 400..599")
    for name in ("type", "title", "message", "description", "resolution", "area", "since"):
        if not isinstance(getattr(cls, name), str):
            raise _declared_wrongly(cls, name, "this is no text; use a str")
    if cls.action is not None and cls.action not in ADVICE:
        raise _declared_wrongly(cls, "action", f"there is no such action; use {', '.join(ADVICE)}, or None")
    for name in ("retryable", "concealable", "propagate", "answers_for_standard"):
        if not isinstance(getattr(cls, name), bool):
            raise _declared_wrongly(cls, name, "this is neither; use True or False")
    if not (cls.challenge is None or isinstance(cls.challenge, Challenge)):
        raise _declared_wrongly(cls, "challenge", "this is none; use Challenge(...), or None")
    if not isinstance(cls.causes, tuple):
        raise _declared_wrongly(cls, "causes", "this is no tuple; use a tuple of str")
    if not isinstance(cls.changed, tuple) or not all(map(_is_change, cls.changed)):
        raise _declared_wrongly(cls, "changed", 'this is no tuple of changes; write (Change("1.4", "Is retried."),)')
    if cls.deprecated is not None and not _is_change(cls.deprecated):
        raise _declared_wrongly(cls, "deprecated", 'this is no change; write Change("1.5", "Use invoice_missing.")')
    for name, value in vars(cls).items():
        if name == "status_code" and isinstance(value, int):
            raise _declared_wrongly(cls, name, "it is not what is sent; use status")
        meant = nearest(name, _DECLARED) if not name.startswith("_") else None
        if meant is not None and isinstance(value, _type_of(meant)):
            raise _declared_wrongly(cls, name, f"there is no such attribute; did you mean {meant!r}?")


def _is_change(value: object) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and all(isinstance(each, str) and each for each in value)


def _declared_wrongly(cls: type[APIError], name: str, why: str) -> ConfigurationError:
    value: object = vars(cls)[name] if name in vars(cls) else getattr(cls, name)
    return ConfigurationError.of(f"{cls.__module__}.{cls.__qualname__}.{name}", value, why)


def _type_of(attribute: str) -> tuple[type, ...]:
    """What an attribute of a class holds: a name that is only like it, for something else, is its author's own."""
    if attribute == "default_retry_after":
        return (int, float)
    without_default = {"action": str, "challenge": Challenge, "default_headers": Mapping, "deprecated": tuple}
    return (without_default.get(attribute) or type(getattr(APIError, attribute)),)


_DECLARED = (
    "code", "status", "type", "title", "message", "retryable", "concealable", "description", "causes", "resolution",
    "examples", "action", "propagate", "answers_for_standard", "default_retry_after", "default_headers", "area",
    "since", "changed", "deprecated",
    "challenge",
)  # fmt: skip
"""What a class declares."""


class APIError(Exception):
    """An error of the API, in the words of its author.

    Class attributes:
        code: stable and unique, lower snake case. status: 400..599.
        type: coarse class; empty for the dialect's own table by status.
        title: what this kind of error is called. message: shown if the instance brings none.
        retryable: may the same request succeed later.
        concealable: only the class's public words and headers are ever shown, so that an
            absent resource and somebody else's cannot be told apart.
        default_retry_after: seconds to advise if the instance does not.
        default_headers: sent with every occurrence.
        description, causes, resolution, examples: for the reference.
        action: what its reader should do next, a word of `errorkit.actions`; None: it follows from status and
            `retryable`.
        propagate: should a client library raise it, or log it and go on (fail-open).
        area: what it is about ("Invoices"), by which the reference groups codes.
        since: the release of the service that has it first. changed: what later ones changed, `Change(version, words)`
            each. deprecated: the release that advises against it, and what takes its place. Not inherited.
        answers_for_standard: listed, it takes the place of the standard error that it derives from: under its
            code goes out what the framework, or a crash, would have brought. Not inherited.

    Parameters:
        message: for the client's developer; public.
        param: the one parameter at fault.
        details: findings, for errors about several fields.
        retry_after: seconds, a timedelta, or an aware datetime. Zero is a value.
        headers: response header fields.
        rate_limit: the quota that was exceeded.
        challenge: what WWW-Authenticate says; also of a class, for all its occurrences.
        context: facts for the log only; never sent.
        members: further public members, by keyword. extensions: the same as a mapping.

    Raises TypeError or ValueError at the raise site for values that could not be sent: words that
    are no str, details that are no Detail, members of a type without a documented form
    (`errorkit.values`). Header fields that cannot be sent or belong to the connection are left
    out, with a line in the log: an upstream's fields must not cost the answer its status. So is a
    keyword that is nearly a parameter (`parm=`); its value stands in `context`. In Python's
    development mode (`python -X dev`) it is a TypeError, and an illegal header field a ValueError.
    Survives pickle, copy and deepcopy.
    """

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    type: ClassVar[str] = ""
    title: ClassVar[str] = ""
    message: str = ""
    retryable: ClassVar[bool] = False
    concealable: ClassVar[bool] = False
    description: ClassVar[str] = ""
    causes: ClassVar[tuple[str, ...]] = ()
    resolution: ClassVar[str] = ""
    examples: ClassVar[tuple[Example, ...]] = ()
    action: ClassVar[Action | None] = None
    propagate: ClassVar[bool] = True
    answers_for_standard: ClassVar[bool] = False
    default_retry_after: ClassVar[float | None] = None
    default_headers: ClassVar[Mapping[str, str]] = _EMPTY
    area: ClassVar[str] = ""
    since: ClassVar[str] = ""
    changed: ClassVar[tuple[Change, ...]] = ()
    deprecated: ClassVar[Change | None] = None

    param: str | None = None
    details: tuple[Detail, ...] = ()
    retry_after: Wait | None = None
    headers: Mapping[str, str] = _EMPTY
    rate_limit: RateLimit | None = None
    challenge: Challenge | None = None
    context: Mapping[str, Any] = _EMPTY
    extensions: Mapping[str, Any] = _EMPTY
    concealed: bool = False
    """This occurrence shows only its class's words, whatever the class says."""
    found: int | None = None
    """How many findings there were, where `details` holds fewer."""
    reason: str = ""
    owner: Any = None
    caller: Any = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        check_declaration(cls)

    def __init__(
        self,
        message: str | None = None,
        *,
        param: str | None = None,
        details: Iterable[Detail] = (),
        retry_after: Wait | None = None,
        headers: Mapping[str, str] | None = None,
        rate_limit: RateLimit | None = None,
        challenge: Challenge | None = None,
        context: Mapping[str, Any] | None = None,
        extensions: Mapping[str, Any] | None = None,
        **members: Any,
    ) -> None:
        if message is not None:
            if not isinstance(message, str):
                raise TypeError(refusal("message", message, "a str: what a client may read"))
            super().__init__(message)
            if QUOTES_INPUT in message:  # the text of a pydantic error: the class's words stand
                remark(
                    f"the message of a {type(self).__name__} is a pydantic error's text, which repeats what was sent"
                )
            else:
                self.message = message
        else:
            super().__init__()
        if param is not None:
            if not isinstance(param, str):
                raise TypeError(refusal("param", param, "the parameter's name, a str"))
            self.param = param
        if details:
            self.details = tuple(details)
            for detail in self.details:
                if not isinstance(detail, Detail):
                    raise TypeError(refusal("details", detail, "Detail(...) for each finding"))
        if retry_after is not None:
            self.retry_after = check_wait(retry_after)
        if headers is not None:
            if not isinstance(headers, Mapping):
                raise TypeError(refusal("headers", headers, "a mapping of names to texts"))
            if arguments.STRICT:
                illegal = unsendable(headers)
                if illegal is not None:
                    raise ValueError(f"the header field {illegal!r} cannot be sent; use ASCII and Latin-1, one line")
            self.headers = headers
        if rate_limit is not None:
            self.rate_limit = check_quota(rate_limit)
        if challenge is not None:
            if not isinstance(challenge, Challenge):
                raise TypeError(refusal("challenge", challenge, "Challenge(...)"))
            self.challenge = challenge
        if context is not None:
            self.context = context
        if members:
            misspelt = slips(type(self).__name__, members)
            if misspelt:
                self.context = {**misspelt, **self.context}
                members = {name: value for name, value in members.items() if name not in misspelt}
        if extensions is not None:
            if not isinstance(extensions, Mapping):
                raise TypeError(refusal("extensions", extensions, "a mapping of names to public values"))
            members = {**extensions, **members}
        if members:
            clash = sorted(_RESERVED.intersection(members))
            if clash:
                raise TypeError(f"{clash[0]!r} has a meaning of its own; give the extension member another name")
            self.extensions = public_members(members)

    @property
    def status_code(self) -> int:
        """The status under the name that Sentry and other observers read."""
        return self.status

    def __str__(self) -> str:
        said = self.message or self.title or self.code
        return said if isinstance(said, str) else plain_text(said) or named(said)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__.copy())

    @classmethod
    def _rebuilt(cls, args: tuple[Any, ...], state: dict[str, Any]) -> Self:
        error = cls.__new__(cls)
        error.args = args
        error.__dict__.update(state)
        return error


def _rebuild(cls: type[APIError], args: tuple[Any, ...], state: dict[str, Any]) -> APIError:
    return cls._rebuilt(args, state)


class BadRequestError(APIError):
    """400: the request cannot be understood or served as it is (RFC 9110 15.5.1)."""

    code, status, title = "bad_request", 400, "Bad Request"
    message = "The request is invalid."


class MalformedJSONError(BadRequestError):
    """400: the body is not JSON (RFC 8259). Where FastAPI rejects a request for it: the status of a rejected one."""

    code, title = "malformed_json", "Malformed JSON"
    message = "The request body is not valid JSON."


class AuthenticationError(APIError):
    """401: no credentials, or wrong ones (RFC 9110 15.5.2)."""

    code, status, title = "unauthenticated", 401, "Unauthorized"
    message = "Valid credentials are required."
    challenge = Challenge()


class PaymentRequiredError(APIError):
    """402: nothing is served until something is paid (RFC 9110 15.5.3)."""

    code, status, title = "payment_required", 402, "Payment Required"
    message = "Payment is required."


class ForbiddenError(APIError):
    """403: the caller is known and may not do this (RFC 9110 15.5.4).

    resource_tenant: whose resource it was; given, even as None, the error is concealed as a 404.
    caller_tenant: who asked, for the log.
    conceal_as: the class shown instead; default: the catalogue's not-found error.
    """

    code, status, title = "forbidden", 403, "Forbidden"
    message = "You are not allowed to do this."
    conceal_as: type[APIError] | None = None

    def __init__(
        self,
        message: str | None = None,
        *,
        resource_tenant: Any = _UNSAID,
        caller_tenant: Any = None,
        conceal_as: type[APIError] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(message, **kwargs)
        if conceal_as is not None and not (isinstance(conceal_as, type) and issubclass(conceal_as, APIError)):
            raise TypeError(f"conceal_as={conceal_as!r}: use a class of APIError, for example NotFoundError")
        if resource_tenant is not _UNSAID or conceal_as is not None:
            self.reason = "cross_tenant"
            self.concealed = True
            self.owner = None if resource_tenant is _UNSAID else resource_tenant
            self.caller, self.conceal_as = caller_tenant, conceal_as


class NotFoundError(APIError):
    """404: there is no such resource, or the caller may not know of it (RFC 9110 15.5.5)."""

    code, status, title = "not_found", 404, "Not Found"
    message = "The resource was not found."


class MethodNotAllowedError(APIError):
    """405: the resource exists, the method does not (RFC 9110 15.5.6)."""

    code, status, title = "method_not_allowed", 405, "Method Not Allowed"
    message = "The method is not allowed for this resource."


class NotAcceptableError(APIError):
    """406: no representation that the client accepts (RFC 9110 15.5.7)."""

    code, status, title = "not_acceptable", 406, "Not Acceptable"
    message = "No acceptable representation is available."


class RequestTimeoutError(APIError):
    """408: the request did not arrive in time (RFC 9110 15.5.9)."""

    code, status, title, retryable = "request_timeout", 408, "Request Timeout", True
    message = "The request did not arrive in time."


class ConflictError(APIError):
    """409: the request conflicts with the resource's state (RFC 9110 15.5.10)."""

    code, status, title = "conflict", 409, "Conflict"
    message = "The request conflicts with the current state of the resource."


class GoneError(APIError):
    """410: the resource existed and will not come back (RFC 9110 15.5.11)."""

    code, status, title = "gone", 410, "Gone"
    message = "The resource is no longer available."


class PreconditionFailedError(APIError):
    """412: a condition in the request's header fields is false (RFC 9110 15.5.13)."""

    code, status, title = "precondition_failed", 412, "Precondition Failed"
    message = "A precondition of the request is not met."


class ContentTooLargeError(APIError):
    """413: the request's content is larger than will be processed (RFC 9110 15.5.14)."""

    code, status, title = "content_too_large", 413, "Content Too Large"
    message = "The request body is too large."


class UnsupportedMediaTypeError(APIError):
    """415: the content's format is not supported (RFC 9110 15.5.16)."""

    code, status, title = "unsupported_media_type", 415, "Unsupported Media Type"
    message = "The media type of the request body is not supported."


class UnprocessableContentError(APIError):
    """422: well-formed, understood, and impossible to carry out (RFC 9110 15.5.21)."""

    code, status, title = "unprocessable_content", 422, "Unprocessable Content"
    message = "The request cannot be processed."


class ValidationError(UnprocessableContentError):
    """422: one or more fields are missing or invalid; `details` says which."""

    code, title = "validation_failed", "Validation Failed"
    message = "The request is invalid."


class LockedError(APIError):
    """423: the resource is locked (RFC 4918 11.3)."""

    code, status, title = "locked", 423, "Locked"
    message = "The resource is locked."


class PreconditionRequiredError(APIError):
    """428: the request must be conditional (RFC 6585 section 3)."""

    code, status, title = "precondition_required", 428, "Precondition Required"
    message = "The request must be conditional."


class RateLimitError(APIError):
    """429: too many requests; `retry_after` says when to come back (RFC 6585 section 4)."""

    code, status, title, retryable = "rate_limited", 429, "Too Many Requests", True
    message = "Too many requests."
    default_retry_after = 1


class HeaderFieldsTooLargeError(APIError):
    """431: the header fields are too large (RFC 6585 section 5)."""

    code, status, title = "header_fields_too_large", 431, "Request Header Fields Too Large"
    message = "The request's header fields are too large."


class UnavailableForLegalReasonsError(APIError):
    """451: access is denied by law (RFC 7725)."""

    code, status, title = "unavailable_for_legal_reasons", 451, "Unavailable For Legal Reasons"
    message = "The resource is unavailable for legal reasons."


class InternalError(APIError):
    """500: a failure nobody declared; its own words stay in the log (RFC 9110 15.6.1)."""

    code, status, title, retryable = "internal", 500, "Internal Server Error", True
    message = "An internal error occurred."


class UnimplementedError(APIError):
    """501: the service cannot do this (RFC 9110 15.6.2)."""

    code, status, title = "not_implemented", 501, "Not Implemented"
    message = "This is not implemented."


class BadGatewayError(APIError):
    """502: an upstream service gave no usable answer (RFC 9110 15.6.3)."""

    code, status, title, retryable = "bad_gateway", 502, "Bad Gateway", True
    message = "An upstream service gave an invalid answer."


class ServiceUnavailableError(APIError):
    """503: not able to serve at the moment (RFC 9110 15.6.4)."""

    code, status, title, retryable = "service_unavailable", 503, "Service Unavailable", True
    message = "The service is temporarily unavailable."
    default_retry_after = 5


class GatewayTimeoutError(APIError):
    """504: an upstream service did not answer in time (RFC 9110 15.6.5)."""

    code, status, title, retryable = "gateway_timeout", 504, "Gateway Timeout", True
    message = "An upstream service did not answer in time."


STANDARD: tuple[type[APIError], ...] = (
    BadRequestError,
    MalformedJSONError,
    AuthenticationError,
    PaymentRequiredError,
    ForbiddenError,
    NotFoundError,
    MethodNotAllowedError,
    NotAcceptableError,
    RequestTimeoutError,
    ConflictError,
    GoneError,
    PreconditionFailedError,
    ContentTooLargeError,
    UnsupportedMediaTypeError,
    UnprocessableContentError,
    ValidationError,
    LockedError,
    PreconditionRequiredError,
    RateLimitError,
    HeaderFieldsTooLargeError,
    UnavailableForLegalReasonsError,
    InternalError,
    UnimplementedError,
    BadGatewayError,
    ServiceUnavailableError,
    GatewayTimeoutError,
)
"""Every catalogue holds these, unless it overrides one; the first of a status is its default."""
