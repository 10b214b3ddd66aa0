"""Envelope dialects: how one public error looks on the wire, and how it is read back.

A dialect is a subclass of `Dialect`, usually about ten lines. The presets are in this
package, one file each, and use nothing that yours cannot:

    class Flat(Dialect):
        name = "flat"
        carries = ("status", "code", "message", "request_id", "retry_after", "rate_limit")
        copies = ("message", "request_id", "param", "retry_after", "resume_at")
        class Body(TypedDict):
            error: str
            text: str
        def write(self, public): return {"error": self.spell(public.code), "text": public.message}
        def read(self, status, headers, body): ...
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any, ClassVar, Literal, dataclass_transform

from errorkit.body_form import Path, fits, place_of_members
from errorkit.configuration_error import ConfigurationError, shown
from errorkit.errors import STANDARD
from errorkit.failure import Detail, Public, undotted
from errorkit.request_id import RequestIdFormat
from errorkit.retry import RateLimit, clock, parse_rate_limit, parse_retry_after, rate_limit_headers
from errorkit.spelling import did_you_mean
from errorkit.written_body import form_of, is_xml, xml_escaped

PRESETS: Mapping[str, str] = MappingProxyType(
    {
        "problem": "Problem",
        "openai": "OpenAI",
        "anthropic": "Anthropic",
        "stripe": "Stripe",
        "google": "Google",
        "azure": "Azure",
        "jsonapi": "JSONAPI",
        "github": "GitHub",
        "kubernetes": "Kubernetes",
        "twilio": "Twilio",
        "aws": "AWS",
        "aws_rest": "AWSRest",
        "connect": "Connect",
        "kaizen": "Kaizen",
        "kaiko": "Kaiko",
        "kaplaix": "Kaplaix",
        "korad": "Korad",
        "agentkavach": "AgentKavach",
        "fastapi": "FastAPI",
        "flask": "Flask",
        "drf": "DRF",
    }
)
"""Name of each preset (its module here) to its class."""

_STANDARD_WORDS = frozenset(cls.message for cls in STANDARD)
_CODES: Mapping[int, str] = MappingProxyType({cls.status: cls.code for cls in reversed(STANDARD)})


def _capitalised(part: str) -> str:
    """A code's part in Pascal case; one that starts with a digit keeps its underscore."""
    return "_" + part if part[:1].isdigit() else part[:1].upper() + part[1:]


CodeCase = Literal["snake", "upper", "kebab", "pascal", "camel"]
_CASES: Mapping[CodeCase, Callable[[str], str]] = {
    "snake": lambda code: code,
    "upper": str.upper,
    "kebab": lambda code: code.replace("_", "-"),
    "pascal": lambda code: "".join(map(_capitalised, code.split("_"))),
    "camel": lambda code: code[:1] + _CASES["pascal"](code)[1:],
}


@dataclass_transform(kw_only_default=True, eq_default=False)
class _Adaptable:
    """Type checkers take it that a subclass's constructor has a keyword for each annotated attribute of an instance."""


class Dialect(_Adaptable):
    """One envelope, both ways.

    The attributes below are the defaults; a subclass overrides them, and so does a keyword
    of the constructor: `OpenAI(renames={"internal": "internal_error"})`. Unknown keywords
    raise ConfigurationError. What your own class adds, annotate (`tone: str = "dry"`): so
    type checkers know it as a keyword, too.
    """

    name: str = ""
    media_type: str = "application/json"
    """It decides what `write` gives and `read` is given: JSON values where the subtype names JSON, a str where it is
    `text/*` or XML, bytes otherwise."""
    Body: ClassVar[type | None] = None
    """The body as a `typing_extensions.TypedDict`; JSON Schema and documentation come from it."""

    request_id_header: str = "X-Request-ID"
    code_header: str | None = None
    """A header that repeats the code, for HEAD requests and gateways."""
    retry_verdict_header: str | None = None
    """A header that says `true` or `false`: may a client retry by itself."""
    retry_after_ms_header: str | None = None
    """A header that repeats Retry-After in milliseconds, where a client may retry."""

    code_case: CodeCase = "snake"
    renames: Mapping[str, str] = MappingProxyType({})
    """Canonical code to this dialect's spelling, where the case alone does not give it. The constructor's keyword
    is laid over the class's."""
    types: Mapping[int, str] = MappingProxyType({})
    """Status to `type`, for errors whose class names none; 400 and 500 stand for their families."""
    known_types: frozenset[str] = frozenset()
    """All types there are, where the vendor's list is closed: a class's own type that is not
    among them gives way to the table."""
    uri_types: bool = False
    """A class's own type may be a URI (RFC 9457 section 3.1.1). Elsewhere such a one gives way to the table."""
    status_of_type: Mapping[str, int] = MappingProxyType({})
    """Type to the status that is sent with it, where the vendor derives the one from the other.
    A status never leaves its family by it: a 4xx stays a 4xx."""
    phrases: Mapping[int, str] = MappingProxyType({})
    """Status to the one message that the vendor's clients know it by, in place of the author's."""
    vocabulary: Mapping[str, tuple[str, str | None]] = MappingProxyType({})
    """A validator's word (`Detail.kind`) to this dialect's detail code and message (None: keep)."""
    request_id_format: RequestIdFormat | None = None
    status_missing: int = 422
    """Status when a required field is missing; it wins over `status_invalid`."""
    status_invalid: int = 422
    code_from_finding: bool = False
    """A validation failure takes its code from the finding that decides its status."""

    carries: ClassVar[tuple[str, ...]] = ()
    """Fields of `Public` that survive `read(write(...))`, as `Public.only` takes them."""
    copies: ClassVar[tuple[str, ...]] = ()
    """Of message, request_id, param, retry_after and resume_at, those that `write` only copies
    or does not use: it puts the first three into strings unchanged, retry_after anywhere as its
    decimal digits, resume_at as `rfc3339` writes it, and decides nothing by their values (by
    their absence it may). In text they stand as `escape` gives them; bytes are always written
    anew. No number of trials could prove it, so it is promised. A `headers` that the same class
    defines uses none of them but retry_after. The handler then splices them into prepared bytes."""
    sees_request: ClassVar[bool] = False
    """`write`, `headers` and `stream_event` are told of the request, as `public.request`; each body is then written
    anew. It is None all the same where errorkit's own failure is answered; in generated files the path is `/`."""
    reserved: frozenset[str] = frozenset()
    """Names, in lower case, that no extension member may have beside those of the envelope itself: an error's
    member of such a name, in any case, is sent as `detail_<name>`."""
    id_forms: Mapping[str, Callable[[str], str]] = MappingProxyType({})
    """By a name of its own, each further form in which `write` puts the request ID into the body."""

    places: Mapping[str, str | tuple[str, ...]] = MappingProxyType({})
    """Where generated clients, which cannot call `read`, look for code, type, message, param,
    details, request_id and resume_at, as far as `write` itself does not show it: JSONPath
    (RFC 9535) of members, indices and filters such as `[?@.kind=='x']`; several are tried in
    turn, an empty tuple means nowhere."""

    _open_at: Path | Literal[False] | None = False
    """Where further members of a body may be, once that has been found out."""

    def __init__(self, **attributes: Any) -> None:
        for name, value in attributes.items():
            if not hasattr(type(self), name) or name.startswith("_") or callable(getattr(type(self), name)):
                known = [n for n in dir(type(self)) if not n.startswith("_") and not callable(getattr(type(self), n))]
                raise ConfigurationError.of(
                    f"{type(self).__name__}.{name}", value, f"there is no such attribute{did_you_mean(name, known)}"
                )
            setattr(self, name, value)
        if "renames" in attributes:
            self.renames = {**type(self).renames, **self.renames}
        self._chosen: Mapping[str, str] = attributes.get("renames", {})
        if self.code_case not in _CASES:
            raise ConfigurationError.of(
                f"{type(self).__name__}.code_case", self.code_case, f"there is no such case; use {', '.join(_CASES)}"
            )
        self._canonical: dict[str, str] = {}
        for code, spelling in self.renames.items():
            self._canonical.setdefault(spelling, code)

    def write(self, public: Public) -> Any:
        """The body for one public error: JSON values, a str or bytes, as the media type says."""
        raise NotImplementedError

    def read(self, status: int, headers: Mapping[str, str], body: Any) -> Public:
        """The public error in a response. Total: a foreign body gives what its status tells.

        headers: names in lower case. body: parsed JSON, a str or bytes, as the media type says; or None.
        """
        raise NotImplementedError

    def recognises(self, status: int, headers: Mapping[str, str], body: Any) -> bool:
        """Has somebody else's response this dialect's form: then `read` may be believed to understand all of it.

        headers: names in lower case. body: parsed JSON, or None. By the media type and by `Body`,
        strictly; never where there is no `Body`.
        """
        media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
        if self.Body is None or media_type != self.media_type.partition(";")[0]:
            return False
        if self._open_at is False:
            self._open_at = place_of_members(self.write)
        return fits(self.Body, body, self._open_at)

    def stream_event(self, public: Public) -> tuple[str | None, Any] | None:
        """The last event of a `text/event-stream` that fails: its name and its data.

        None where the dialect has no such event, as one of bytes: the stream is then aborted.
        Text is sent as lines of data, anything else as JSON.
        """
        return None if form_of(self.media_type) == "bytes" else ("error", self.write(public))

    def escape(self, value: str) -> str:
        """A text as it stands in the body of a text dialect; in XML escaped, else as it is.

        Whatever `write` puts into such a body goes through here.
        """
        return xml_escaped(value) if is_xml(self.media_type) else value

    def headers(self, public: Public) -> dict[str, str]:
        """Response header fields that this dialect derives from the error."""
        fields: dict[str, str] = {}
        if self.code_header:
            fields[self.code_header] = self.spell(public.code)
        if self.retry_verdict_header:
            fields[self.retry_verdict_header] = "true" if public.retryable else "false"
        if public.retry_after is not None:
            fields["Retry-After"] = str(public.retry_after)
            if self.retry_after_ms_header and public.retryable:
                fields[self.retry_after_ms_header] = str(public.retry_after * 1000)
        if public.rate_limit is not None:
            fields.update(self.quota_headers(public.rate_limit))
        return fields

    def quota_headers(self, quota: RateLimit) -> dict[str, str]:
        """The state of a quota as header fields; put them on successful responses, too.

        Here the IETF draft's fields, which `read` understands, and the X-RateLimit family.
        """
        return rate_limit_headers(quota)

    def settle(self, status: int, type: str, message: str) -> tuple[int, str, str]:
        """Status, type and message as this dialect sends them, from those an error declares.

        type: the class's own, or empty.
        """
        if not type or (self.known_types and type not in self.known_types) or (not self.uri_types and is_uri(type)):
            type = self.type_for(status)
        sent = self.status_of_type.get(type, status)
        if sent // 100 != status // 100:
            sent = status
        return sent, type, self.phrases.get(status, message)

    def spell(self, code: str) -> str:
        """A canonical code in this dialect's spelling."""
        return self.renames.get(code) or _CASES[self.code_case](code)

    def page_of(self, code: str) -> str:
        """What stands for a code in `docs_url`: its name in the constructor's `renames`, else the code itself."""
        return self._chosen.get(code, code)

    def canonical(self, spelling: str) -> str:
        """The canonical code for a spelling of this dialect."""
        known = self._canonical.get(spelling)
        if known is not None:
            return known
        if self.code_case == "kebab":
            return spelling.replace("-", "_")
        if self.code_case in ("pascal", "camel"):
            return "".join("_" + c.lower() if c.isupper() else c for c in spelling).lstrip("_")
        return spelling.lower()

    def type_for(self, status: int) -> str:
        """The coarse `type` of a status."""
        return self.types.get(status) or self.types.get(400 if status < 500 else 500, "")

    def translate(self, detail: Detail) -> Detail:
        """A finding in this dialect's vocabulary."""
        word = self.vocabulary.get(detail.kind)
        if word is None:
            return detail
        code, message = word
        return detail._replace(code=code, message=detail.message if message is None else message)

    def describe(self, details: tuple[Detail, ...]) -> str:
        """The message of the whole for findings whose author gave none."""
        if len(details) == 1:
            detail = details[0]
            return f"{detail.field}: {detail.message}" if detail.path else detail.message
        return f"{len(details)} fields are invalid."

    def describe_many(self, details: tuple[Detail, ...], found: int) -> str:
        """The message of the whole where more findings were made than are listed."""
        if type(self).describe is not Dialect.describe:
            return self.describe(details)
        return f"{found} fields are invalid; the first {len(details)} are listed."

    def deciding(self, details: tuple[Detail, ...]) -> Detail:
        """The finding that speaks for the whole: the first, or the first missing where that decides the status."""
        if self.status_missing == self.status_invalid and not self.code_from_finding:
            return details[0]
        return next((detail for detail in details if detail.code == "missing_field"), details[0])

    def public(self, status: int, headers: Mapping[str, str], **fields: Any) -> Public:
        """A public error read from a response: `fields`, completed from status and headers.

        An empty field counts as absent; an absent code is that of the status.
        """
        verdict = headers.get((self.retry_verdict_header or "").lower())
        retry_after = headers.get("retry-after")
        return Public(
            **{
                "status": status,
                "code": _CODES.get(status) or _CODES[400 if status < 500 else 500],
                "request_id": headers.get(self.request_id_header.lower(), ""),
                "retry_after": None if retry_after is None else parse_retry_after(retry_after, clock()),
                "rate_limit": parse_rate_limit(headers),
                "retryable": verdict == "true",
                **{name: value for name, value in fields.items() if value not in (None, "")},
            }
        )


def is_uri(type: str) -> bool:
    """Is a type a URI with a scheme (RFC 3986 section 3)."""
    return _SCHEME(type) is not None


_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S").match


def get_dialect(name: str) -> Dialect:
    """A preset by name. Raises ValueError with the nearest names."""
    try:
        cls = PRESETS[name]
    except KeyError:
        raise ValueError(f"unknown dialect {name!r}{did_you_mean(name, PRESETS)}") from None
    dialect = getattr(import_module(f"{__name__}.{name}"), cls)()
    assert isinstance(dialect, Dialect)
    return dialect


def as_dialect(value: Any) -> Dialect:
    """A dialect by its preset's name or its class, or as it is. Raises ValueError."""
    if isinstance(value, str):
        value = get_dialect(value)
    if isinstance(value, type) and issubclass(value, Dialect):
        value = value()
    if not isinstance(value, Dialect):
        raise ValueError(f"{shown(value)} is no dialect; use a preset's name such as 'problem', or a Dialect")
    return value


def member(body: Any, name: str) -> Any:
    """A member of a JSON object; None where there is no such object or member."""
    return body.get(name) if isinstance(body, dict) else None


def text(value: Any) -> str:
    """A JSON string, or nothing."""
    return value if isinstance(value, str) else ""


def texts(body: Any, *names: str) -> dict[str, str]:
    """Members of a JSON object that are strings, or nothing, by name."""
    return {name: text(member(body, name)) for name in names}


def own_words(message: str, of_framework: str) -> str:
    """A message; what the framework says instead, where it is no more than a standard error's own."""
    return of_framework if message in _STANDARD_WORDS else message


def items(value: Any) -> list[dict[str, Any]]:
    """The objects of a JSON array."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def extensions(body: Any, own: Iterable[str]) -> dict[str, Any]:
    """The members of an object that the dialect itself does not define."""
    known = frozenset(own)
    return {k: v for k, v in body.items() if k not in known} if isinstance(body, dict) else {}


def findings(details: Iterable[Detail]) -> list[dict[str, str]]:
    """Findings as `[{"param", "code", "message"}]`, a form that several dialects share."""
    return [{"param": detail.field, "code": detail.code, "message": detail.message} for detail in details]


def fields_of(value: Any) -> tuple[Detail, ...]:
    """The inverse of `findings`."""
    return tuple(
        Detail(undotted(text(item.get("param"))), text(item.get("message")), text(item.get("code")))
        for item in items(value)
    )
