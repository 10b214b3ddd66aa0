"""What a generated client knows, in any language: class names, codes, statuses, where fields are."""

from __future__ import annotations

import builtins
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple
from unicodedata import normalize

from errorkit.catalog import Catalog, ErrorSpec
from errorkit.dialects import Dialect
from errorkit.errors import InternalError, MalformedJSONError, ValidationError
from errorkit.failure import Public
from errorkit.publish import Options
from errorkit.publish.envelope_fields import Path, places
from errorkit.publish.wire_example import INVALID, MISSING, example, rejected_json, validation
from errorkit.written_body import form_of

FIELDS = ("code", "type", "message", "param", "details", "request_id", "resume_at")
"""What a client reads from a body."""

OPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "directory": "where the files go, within the output; default: client",
        "prefix": "what the common classes' names begin with; default: the title, `Acme API` gives Acme",
        "root": "class above all others; default: <prefix>Exception",
        "api": "class of every error status; default: <prefix>APIError",
        "request": "class of requests without an answer; default: <prefix>RequestError",
        "network": "class of network failures; default: <prefix>NetworkError",
        "timeout": "class of time-outs; default: <prefix>TimeoutError",
        "decode": "class of bodies that are not JSON; default: <prefix>DecodeError",
        "names": "class names of single codes: code=Name, separated by commas",
        "package": "the distribution's name: gives a folder that can be published, with its README",
        "version": "the service's version, which is that of the package; default: the application's",
        "library": "Python: httpx (the default) or httpx2",
        "fail_open": "yes: requests without an answer are logged and do not reach the caller either",
    }
)

_DEFAULT_NAMES = {
    "root": "Exception",
    "api": "APIError",
    "request": "RequestError",
    "network": "NetworkError",
    "timeout": "TimeoutError",
    "decode": "DecodeError",
}
_JAVASCRIPT = ("AggregateError", "DOMException", "EvalError", "RangeError", "ReferenceError", "URIError")
_RESERVED = frozenset({*dir(builtins), *_JAVASCRIPT})
_LONGEST_NAME = 30
_LIBRARIES = ("httpx", "httpx2")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+").findall
_STATUS_CLASS = re.compile(r"Status\d{3}Error").fullmatch
_CLASS = re.compile(r"[A-Za-z][A-Za-z0-9]*").fullmatch


class Form(NamedTuple):
    """What one dialect's errors look like.

    places: paths to try, by field. spellings: how it spells codes that the first dialect spells otherwise, by its own.
    event: the name of the event that ends a stream that fails; empty: one without a name; None: there is none.
    """

    dialect: Dialect
    places: Mapping[str, tuple[Path, ...]]
    spellings: Mapping[str, str]
    event: str | None


class Code(NamedTuple):
    """One documented code: `spelling` on the wire of the first dialect, class `name`, the class it derives from."""

    spec: ErrorSpec
    spelling: str
    name: str
    parent: str
    statuses: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ClientModel:
    """Everything that the templates need.

    directory: within the output, with a slash at its end, or empty. names: the common classes,
    by role. statuses: each documented status with the error that stands for its unknown codes.
    forms: of each dialect that is read, the client's own first. package: the distribution's
    name, empty for a folder that is none. version: of the service, empty where nobody knows.
    """

    title: str
    directory: str
    names: Mapping[str, str]
    codes: tuple[Code, ...]
    statuses: Mapping[int, ErrorSpec]
    forms: tuple[Form, ...]
    propagate_server: bool
    propagate_network: bool
    library: str
    package: str
    version: str

    def family(self, status: int) -> tuple[bool, bool]:
        """What all errors of a family are, unless they say otherwise: retryable, propagate."""
        return False, status < 500 or self.propagate_server

    def inherited(self, code: Code) -> tuple[bool, bool]:
        """What a code's parent class is: retryable, propagate."""
        if len(code.statuses) > 1:
            return self.family(code.statuses[0])
        spec = self.statuses[code.statuses[0]]
        return spec.retryable, spec.propagate


def readable(dialect: Dialect) -> bool:
    """Can a client find the code in this dialect's errors: they are JSON, and it is told where."""
    return form_of(dialect.media_type) == "JSON" and bool(places(dialect).get("code") or dialect.code_header)


def model(catalog: Catalog, dialect: Dialect, options: Options) -> ClientModel:
    """The model of one client. Raises ValueError naming the option that would help.

    It reads the dialect, and those of `options.also` that can be read.
    """
    if not readable(dialect):
        if form_of(dialect.media_type) != "JSON":
            raise ValueError(f"dialect {dialect.name!r} sends {dialect.media_type}; generated clients read JSON")
        raise ValueError(f"dialect {dialect.name!r} does not say where its code is; give it `places`")
    others = dict.fromkeys(other for other in options.also if other is not dialect and readable(other))
    dialects = (dialect, *others)
    names = _common_names(options)
    codes = tuple(_codes(catalog, dialects, options, names))
    statuses = sorted({status for code in codes for status in code.statuses})
    return ClientModel(
        title=options.title,
        directory=_directory(options.extra.get("directory", "client")),
        names=names,
        codes=codes,
        statuses={status: catalog.by_status(status) for status in statuses},
        forms=tuple(_form(each, codes) for each in dialects),
        propagate_server=catalog.by_class(InternalError).propagate,
        propagate_network=not _is_yes("fail_open", options.extra.get("fail_open", "no")),
        library=_one_of("library", options.extra.get("library", _LIBRARIES[0]), _LIBRARIES),
        package=options.extra.get("package", ""),
        version=options.extra.get("version", options.version),
    )


def _form(dialect: Dialect, codes: Iterable[Code]) -> Form:
    where = places(dialect)
    spelled = {dialect.spell(code.spec.code): code.spelling for code in codes}
    event = dialect.stream_event(Public(status=500, request_id="0" * 32))
    return Form(
        dialect,
        {field: where.get(field, ()) for field in FIELDS},
        {own: spelling for own, spelling in spelled.items() if own != spelling},
        None if event is None else event[0] or "",
    )


def _directory(path: str) -> str:
    """With a slash at its end, or empty for the output itself."""
    parts = path.split("/")
    if path.startswith("/") or ".." in parts:
        raise ValueError(f"directory={path!r}: use a path within the output")
    inner = "/".join(part for part in parts if part not in ("", "."))
    return f"{inner}/" if inner else ""


def _common_names(options: Options) -> dict[str, str]:
    title = normalize("NFKD", options.title).encode("ascii", "ignore").decode()  # "Zürich" gives Zurich
    words = [word for word in _WORD(title) if word not in ("API", "Api")]
    prefix = options.extra.get("prefix") or "".join(word[0].upper() + word[1:] for word in words) or "Service"
    names = {role: options.extra.get(role) or prefix + suffix for role, suffix in _DEFAULT_NAMES.items()}
    for role, name in names.items():
        if not _CLASS(name) or name in _RESERVED or len(name) > _LONGEST_NAME:
            raise ValueError(
                f"{name!r} cannot be the {role} class: use a name of up to {_LONGEST_NAME} letters and digits "
                f"that the languages do not use themselves (options prefix and {role})"
            )
    twice = next((name for name in names.values() if list(names.values()).count(name) > 1), None)
    if twice:
        raise ValueError(f"{twice!r} is the name of two classes; choose another by the option of its role")
    return names


def _codes(catalog: Catalog, dialects: Sequence[Dialect], options: Options, names: Mapping[str, str]) -> Iterator[Code]:
    chosen = dict(_pairs(options.extra.get("names", ""), catalog))
    taken = dict.fromkeys(names.values(), "a common class")
    spelled: set[str] = set()
    for spec in catalog:
        spelling = dialects[0].spell(spec.code)
        if spelling in spelled:
            continue  # no client can tell it from the code before
        spelled.add(spelling)
        name = chosen.get(spec.code) or _class_name(spelling, names)
        if not _CLASS(name) or name in taken or name in _RESERVED:
            other = taken.get(name, "the language")
            raise ValueError(
                f"class {name!r} of code {spec.code!r} is taken by {other}; use names={spec.code}=OtherName"
            )
        taken[name] = f"code {spec.code!r}"
        statuses = tuple(sorted({s for dialect in dialects for s in _statuses(catalog, spec, dialect, options)}))
        parent = f"Status{statuses[0]}Error" if len(statuses) == 1 else f"Status{statuses[0] // 100}xxError"
        yield Code(spec, spelling, name, parent, statuses)


def _class_name(spelling: str, common: Mapping[str, str]) -> str:
    words = [word.capitalize() for word in _WORD(spelling)]
    if len(words) > 1 and words[-1] == "Error":
        words.pop()
    stem = "".join(words)
    stem = stem if not stem[:1].isdigit() else f"Code{stem}"
    name = f"{stem}Error"
    free = name not in _RESERVED and name not in common.values() and not _STATUS_CLASS(name)
    return name if free else f"{stem}CodeError"


def _statuses(catalog: Catalog, spec: ErrorSpec, dialect: Dialect, options: Options) -> set[int]:
    """The statuses that a code comes with: a rejected request's may depend on what is found, or on the framework."""
    if issubclass(spec.cls, MalformedJSONError):
        shown = example(catalog, spec, dialect, options), rejected_json(catalog, dialect, options)
        return {each.public.status for each in shown}
    if not issubclass(spec.cls, ValidationError):
        return {example(catalog, spec, dialect, options).public.status}
    return {validation(catalog, dialect, options, found, spec).public.status for found in (MISSING, INVALID)}


def _pairs(text: str, catalog: Catalog) -> Iterator[tuple[str, str]]:
    for pair in filter(None, (part.strip() for part in text.split(","))):
        code, _, name = pair.partition("=")
        if code not in catalog or not name:
            raise ValueError(f"names: {pair!r} is not code=Name with a code of the catalogue")
        yield code, name


def _one_of(option: str, value: str, known: tuple[str, ...]) -> str:
    if value not in known:
        raise ValueError(f"{option}={value!r}: use {' or '.join(known)}")
    return value


def _is_yes(option: str, value: str) -> bool:
    if value.lower() not in ("yes", "no", "true", "false"):
        raise ValueError(f"{option}={value!r}: use yes or no")
    return value.lower() in ("yes", "true")
