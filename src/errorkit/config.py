"""One validated, frozen configuration: from keywords, the environment and a TOML table."""

from __future__ import annotations

import builtins
import json
import os
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Self, Unpack, get_args

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, field_validator
from pydantic.fields import FieldInfo

from errorkit.adoption import Reader, UnknownCodes
from errorkit.catalog import Catalog, occurrence
from errorkit.challenge import is_realm
from errorkit.choosing import OBSERVE, Chooser, Spoken
from errorkit.configuration_error import ConfigurationError, shown
from errorkit.configuration_rules import (
    by_prefix,
    check_docs_url,
    check_hook,
    check_reader,
    check_request_id,
    check_translator,
    explain,
)
from errorkit.dialects import Dialect, as_dialect, get_dialect
from errorkit.errors import APIError
from errorkit.events import Level
from errorkit.exchange import Request
from errorkit.failure import Failure
from errorkit.identification import Translator
from errorkit.normalisation import Policy
from errorkit.request_id import RequestIdFormat
from errorkit.settings import Html, Settings
from errorkit.spelling import did_you_mean, nearest
from errorkit.tenancy import TenantStatus

__all__ = ["Answer", "Config", "ConfigurationError"]

_PREFIX = "ERRORKIT_"
_WISHES = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
"""How the environment says it."""
_OF_KUBERNETES = re.compile(
    r"ERRORKIT_(?:\w+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT(?:_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?)"
).fullmatch
"""Variables that Kubernetes sets in every pod beside a Service whose name begins with `errorkit`."""
_JSON_SCALAR = re.compile(r"-?\d+(\.\d+)?|true|false|null").fullmatch

Seconds = Annotated[float, Field(ge=0)]


class Config(BaseModel):
    """Everything that can be chosen.

    dialect: a preset's name, a `Dialect`, a chooser of these by the request (`errorkit.choosing`),
        `"observe"` (request ID and event, bodies as they are), or a mapping of path prefixes to these
        (longest prefix wins, by whole segments; None: errorkit says nothing there, its own errors are crashes).
    catalog: the service's catalogue, or `"module:name"`.
    exceptions: foreign exception classes (or `"module:Class"`) to the APIError class, code or
        function that answers for them; subclasses included.
    docs_url: where a code is described; `{code}` is replaced.
    realm: what a challenge (`WWW-Authenticate`) calls the protected space, where the error names none.
    adopt: readers of error bodies that other code has shaped, asked in turn: dialects, by name
        or as a `Dialect`, and functions `(status, headers, body) -> APIError | None`.
    unknown_codes: what becomes of a code in such a body that the catalogue does not have: `keep`,
        or `status` for the code of the status. The event names it.
    normalise: put error bodies of other code into the dialect: those in a framework's
        default form, `all`, or `off`.
    negotiate: serve RFC 9457 to clients whose Accept asks for `application/problem+json`, on
        any dialect's path; every error response then says `Vary: Accept`.
    html: what a client gets whose Accept prefers HTML to every form of JSON: `dialect`, the same as all;
        `page`, a small page for people; `application`, the page that the application or its framework has
        made, where it has made one, and else that small page; also by path prefix, as dialects are. Every error
        response then says `Vary: Accept`. Default: `page` with `negotiate`, else `dialect`.
    service_name: the service's name on that page.
    hold_start: keep the start of a response back until its first chunk (ASGI), so that a stream that fails
        at once still gets its status; also by path prefix, as dialects are. A stream that is quiet at first
        then looks to its client as if nothing had been answered.
    tenant_status: 404: another tenant's resource looks absent; 403: both are forbidden.
    request_id: format of generated ids; default: the dialect's. trust_inbound: believe a
        safe id that the client sends.
    retry_after: seconds to advise, by code, where the error brings none.
    max_retry_wait: seconds; above it the retry verdict is `false`, Retry-After stays true.
    status_missing, status_invalid: statuses of validation failures; default: the dialect's.
    levels: log level by code, status (`"404"`) or family (`"4xx"`).
    redact: further names of members that are not logged. redact_exception_text: keep
        exceptions' own words out of the log.
    development: add a `debug` member, with the traceback, to error bodies that are not concealed;
        told at start-up, at warning; the log shows the application's own frames. reraise: let unhandled exceptions
        through, so that the framework's debug page or a test sees them.
    on_failure: called with each recorded failure and its request; may not raise.

    Raises ConfigurationError.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, validate_default=True)

    dialect: Any = "problem"
    catalog: Any = Field(default_factory=Catalog)
    exceptions: Mapping[Any, Any] = Field(default_factory=dict)
    docs_url: str = ""
    realm: str = "api"
    normalise: Policy = "framework"
    adopt: Any = ()
    unknown_codes: UnknownCodes = "keep"
    negotiate: bool = False
    html: Any = None
    service_name: str = ""
    hold_start: Any = False
    tenant_status: TenantStatus = 404
    request_id: RequestIdFormat | None = None
    trust_inbound: bool = True
    retry_after: Mapping[str, Seconds] = Field(default_factory=dict)
    max_retry_wait: Seconds = 60
    status_missing: int | None = Field(default=None, ge=400, le=499)
    status_invalid: int | None = Field(default=None, ge=400, le=499)
    levels: Mapping[str, Level] = Field(default_factory=dict)
    redact: tuple[str, ...] = ()
    redact_exception_text: bool = False
    development: bool = False
    reraise: bool = False
    on_failure: Callable[[Failure, Request], None] | None = None

    _sources: dict[str, str] = PrivateAttr(default_factory=dict)

    def __init__(self, **settings: Unpack[Settings]) -> None:
        try:
            super().__init__(**settings)
        except ValidationError as error:
            raise explain(error, type(self).model_fields) from None
        for field, codes in (("retry_after", self.retry_after), ("levels", self.levels)):
            for code, value in codes.items():
                if code not in self.catalog and not (field == "levels" and _is_status(code)):
                    known = [spec.code for spec in self.catalog]
                    raise ConfigurationError.of(
                        f"{field}[{code!r}]", value, f"the catalogue has no such code{did_you_mean(code, known)}"
                    )

    @classmethod
    def load(
        cls,
        *,
        file: str | os.PathLike[str] | None = None,
        environ: Mapping[str, str] | None = None,
        **settings: Unpack[Settings],
    ) -> Self:
        """Keywords over environment over file.

        file: TOML; its `[tool.errorkit]` table, or else the whole of it.
        environ: `ERRORKIT_<FIELD>`; values that are not text are JSON. Default: the process's.
        """
        merged: dict[str, Any] = {}
        sources: dict[str, str] = {}
        if file is not None:
            merged.update(_from_file(Path(file)))
            sources.update(dict.fromkeys(merged, f"file {Path(file).name}"))
        found = _from_environ(os.environ if environ is None else environ, cls.model_fields)
        merged.update(found)
        sources.update((name, f"environment {_PREFIX}{name.upper()}") for name in found)
        merged.update(settings)
        sources.update(dict.fromkeys(settings, "keyword"))
        try:
            config = cls(**merged)
        except ConfigurationError as error:
            wrong = [source for name, source in sources.items() if re.search(rf"\b{name}[=.[]", error.problem)]
            told = ", ".join(source for source in wrong if source != "keyword")
            raise ConfigurationError(f"{error} ({told})" if told else str(error)) from None
        config._sources.update(sources)
        return config

    def source_of(self, field: str) -> str:
        """Where a setting was made: by keyword, environment or file."""
        return self._sources.get(field, "keyword")

    @property
    def spoken(self) -> tuple[tuple[str, Spoken | Chooser | None], ...]:
        """Prefix (without a trailing slash) and what is spoken under it, longest prefix first."""
        chosen: tuple[tuple[str, Spoken | Chooser | None], ...] = self.dialect
        return chosen

    @property
    def dialects(self) -> tuple[tuple[str, Dialect | None], ...]:
        """Prefix and dialect, longest prefix first; of a chooser each dialect that it may give, the default first."""
        return tuple(
            (prefix, each if isinstance(each, Dialect) else None)
            for prefix, spoken in self.spoken
            for each in (spoken.choices if isinstance(spoken, Chooser) else (spoken,))
        )

    @field_validator("dialect")
    @classmethod
    def _dialect(cls, value: Any) -> tuple[tuple[str, Spoken | Chooser | None], ...]:
        chosen: dict[str, Spoken | Chooser | None] = {}
        for prefix, entry in by_prefix(value).items():
            chosen[prefix] = None if entry is None and isinstance(value, Mapping) else _as_spoken(entry)
        if not any(chosen.values()):
            raise ValueError("no dialect is chosen for any prefix; use for example {'/': 'problem'}")
        return tuple(sorted(chosen.items(), key=lambda pair: -len(pair[0])))

    @property
    def pages(self) -> tuple[tuple[str, Html], ...]:
        """Prefix (without a trailing slash) and what is given to those who prefer HTML, longest prefix first."""
        chosen: tuple[tuple[str, Html], ...] = self.html
        return chosen

    @field_validator("html")
    @classmethod
    def _html(cls, value: Any, info: Any) -> tuple[tuple[str, Html], ...]:
        chosen: dict[str, Html] = {}
        for prefix, wish in by_prefix(value).items():
            if wish is None and not isinstance(value, Mapping):
                wish = "page" if info.data.get("negotiate") else "dialect"
            if wish not in get_args(Html):
                raise ValueError(f"{shown(wish)} is none of {', '.join(map(repr, get_args(Html)))}; use one of these")
            chosen[prefix] = wish
        return tuple(sorted(chosen.items(), key=lambda pair: -len(pair[0])))

    @field_validator("hold_start")
    @classmethod
    def _hold_start(cls, value: Any) -> tuple[tuple[str, bool], ...]:
        """Prefix (without a trailing slash) and wish, longest prefix first; none where nothing is held."""
        chosen: dict[str, bool] = {}
        for prefix, wish in by_prefix(value).items():
            wish = _WISHES.get(str(wish).lower(), wish)
            if not isinstance(wish, bool):
                raise ValueError(
                    f"{shown(wish)} is neither True nor False; use one of these, or a mapping of prefixes to them"
                )
            chosen[prefix] = wish
        if not any(chosen.values()):
            return ()
        return tuple(sorted(chosen.items(), key=lambda pair: -len(pair[0])))

    @field_validator("catalog")
    @classmethod
    def _catalog(cls, value: Any) -> Catalog:
        if isinstance(value, str):
            value = _import(value)
        if isinstance(value, Catalog):
            return value
        if isinstance(value, (list, tuple)):
            return Catalog(value)
        if isinstance(value, type):
            raise ValueError(f"this is one class; use a list: [{value.__name__}]")
        raise ValueError("this has no order; use a list" if isinstance(value, (set, frozenset)) else _NO_CATALOG)

    @field_validator("exceptions")
    @classmethod
    def _exceptions(cls, value: Mapping[Any, Any], info: Any) -> dict[type[BaseException], Translator]:
        catalog: Catalog | None = info.data.get("catalog")
        if catalog is None:  # it cannot be used, and that is said
            return {}
        chosen = {_exception_class(key): target for key, target in value.items()}
        return {cls: _translator(cls, target, catalog) for cls, target in chosen.items()}

    @field_validator("request_id", mode="before")
    @classmethod
    def _request_id(cls, value: Any) -> Any:
        check_request_id(value)
        return value

    @field_validator("adopt")
    @classmethod
    def _adopt(cls, value: Any) -> tuple[Reader, ...]:
        alone = isinstance(value, str) or not isinstance(value, Iterable)
        return tuple(_as_reader(each) for each in ((value,) if alone else value))

    @field_validator("realm")
    @classmethod
    def _realm(cls, value: str) -> str:
        if not is_realm(value):
            raise ValueError("a realm is printable ASCII without quotes and backslashes (RFC 6750 section 3)")
        return value

    @field_validator("docs_url")
    @classmethod
    def _docs_url(cls, value: str) -> str:
        check_docs_url(value)
        return value

    @field_validator("on_failure")
    @classmethod
    def _on_failure(cls, value: Any) -> Any:
        check_hook(value)
        return value


_NO_CATALOG = "use a Catalog, a list of APIError classes, or 'module:name' of one"


@dataclass(frozen=True, slots=True)
class Answer:
    """A translator that always gives the same error; the exception's own words stay private."""

    error: type[APIError]

    def __call__(self, exception: BaseException) -> APIError:
        """The error that answers for any such exception."""
        return occurrence(self.error)


def _as_spoken(value: Any) -> Spoken | Chooser:
    if isinstance(value, str) and ":" in value:
        value = _import(value)
    if isinstance(value, Chooser):
        return value
    if value == OBSERVE:
        return OBSERVE
    if callable(value) and not isinstance(value, (type, Dialect)):
        raise ValueError(
            "what a function may choose is named beforehand, and what it looks at; use "
            f"errorkit.choosing.by_function({shown(value)}, {{'old': 'openai'}}, default='problem', vary='X-Client')"
        )
    return as_dialect(value)


def _as_reader(value: Any) -> Reader:
    if isinstance(value, str):
        value = _import(value) if ":" in value else get_dialect(value)
    if isinstance(value, type) and issubclass(value, Dialect):
        value = value()
    check_reader(value)
    reader: Reader = value
    return reader


def _exception_class(key: Any) -> type[BaseException]:
    if isinstance(key, str):
        key = _import(key)
    if not (isinstance(key, type) and issubclass(key, Exception)):
        raise ValueError(f"{shown(key)} is no exception class; use a class or 'module:Class'")
    return key


def _translator(exception: type[BaseException], target: Any, catalog: Catalog) -> Translator:
    if isinstance(target, str):
        try:
            target = _import(target) if ":" in target else catalog.by_code(target).cls
        except (KeyError, ValueError) as error:
            raise ConfigurationError.of(f"exceptions[{exception.__name__}]", target, str(error.args[0])) from None
    check_translator(exception, target, catalog)
    if isinstance(target, type) and issubclass(target, APIError):
        return Answer(target)
    function: Translator = target
    return function


def _import(path: str) -> Any:
    module, _, name = path.partition(":")
    try:
        value: Any = import_module(module)
        for part in name.split(".") if name else ():
            value = getattr(value, part)
    except (ImportError, AttributeError) as error:
        fix = f"builtins:{path}" if hasattr(builtins, path) else "module:name"
        raise ValueError(f"{path!r} cannot be imported ({error}); use {fix!r}") from None
    return value


def _is_status(key: str) -> bool:
    return key in ("4xx", "5xx") or (len(key) == 3 and key.isdecimal() and 400 <= int(key) <= 599)


def _from_file(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as stream:
            table = tomllib.load(stream)
    except OSError as error:
        raise ConfigurationError.of("file", str(path), f"it cannot be read ({error.strerror}); give its path") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError.of("file", str(path), f"it is not TOML; put right: {error}") from None
    if path.name != "pyproject.toml" and "tool" not in table:
        return table
    tools: dict[str, Any] = table.get("tool", {})
    for where, names in (("tool.", tools), ("", table)):
        for name, settings in names.items():
            if nearest(name, ("errorkit",)) or (not where and name == "errorkit"):
                why = "this table is not read; name it [tool.errorkit]"
                raise ConfigurationError.of(f"{where}{name}", settings, why)
    return dict(tools.get("errorkit", {}))


def _from_environ(environ: Mapping[str, str], fields: Mapping[str, FieldInfo]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in environ.items():
        if not name.startswith(_PREFIX):
            continue
        field = name.removeprefix(_PREFIX).lower()
        if field not in fields:
            if _OF_KUBERNETES(name):
                continue
            raise ConfigurationError.of(name, value, f"there is no such setting{did_you_mean(field, fields)}")
        if value[:1] in ("{", "[") or (_JSON_SCALAR(value) and fields[field].annotation is not str):
            try:
                found[field] = json.loads(value)
            except ValueError as error:
                raise ConfigurationError.of(name, value, f"it is not JSON ({error}); write it as JSON") from None
        else:
            found[field] = value
    return found
