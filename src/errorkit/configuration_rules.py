"""What a setting may be beyond its type, and how it is said that one is not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from pydantic import ValidationError

from errorkit.catalog import Catalog
from errorkit.configuration_error import PREFIX, ConfigurationError, shown
from errorkit.dialects import Dialect
from errorkit.errors import APIError
from errorkit.request_id import RequestIdFormat
from errorkit.signatures import refuses
from errorkit.spelling import did_you_mean

_FIXES = {
    "catalog": "use a Catalog, a list of APIError classes, or 'module:name' of one",
    "realm": "use a text such as 'invoices', without quotes",
    "docs_url": "use a text such as 'https://docs.example.com/errors/{code}'",
    "exceptions": "use for example {KeyError: 'not_found'}",
    "levels": "use for example {'4xx': 'debug', 'not_found': 'info'}",
    "max_retry_wait": "use seconds, zero or more",
    "on_failure": "use a function that is called with the failure and its request",
    "redact": "use names of members, for example ('iban',)",
    "request_id": "use for example {'prefix': 'req-', 'length': 16}",
    "retry_after": "use seconds by code, zero or more, for example {'rate_limited': 10}",
    "status_invalid": "use a status from 400 to 499",
    "status_missing": "use a status from 400 to 499",
}
"""By setting, what is right, where the type's own words do not say it."""

_UNMATCHED = re.compile(r"[*?#{}<>\[\]\s]")
_PLACEHOLDER = re.compile(r"\{[^{}]*\}")


def explain(error: ValidationError, settings: Iterable[str]) -> ConfigurationError:
    """All of pydantic's findings about settings in one line."""
    return ConfigurationError(PREFIX + "; ".join(_problem(item, settings) for item in error.errors(include_url=False)))


def _problem(item: Mapping[str, Any], settings: Iterable[str]) -> str:
    name, *inner = map(str, item["loc"])
    value, words, kind = item["input"], item["msg"], item["type"]
    if kind == "extra_forbidden":
        return _of_unknown(name, value, settings)
    cause = item.get("ctx", {}).get("error")
    if isinstance(cause, ConfigurationError):
        return cause.problem.replace("RequestIdFormat", name)
    if kind == "value_error":
        return ConfigurationError.of(name, value, str(cause)).problem
    if inner[-1:] == ["[key]"]:
        return ConfigurationError.of(name, value, f"a key of it is a text; write '{value}'").problem
    field = name + "".join(f"[{part!r}]" for part in inner)
    fix = "use True or False" if kind.startswith("bool") else _FIXES.get(name)
    if kind == "literal_error":
        fix = None  # the words are one
    return ConfigurationError.of(field, value, f"{words}; {fix}" if fix else words).problem


def _of_unknown(name: str, value: Any, settings: Iterable[str]) -> str:
    hint = did_you_mean(name, settings)
    if name == "errorkit" and isinstance(value, Mapping):
        hint = "; put settings at the top of a file of their own, or under [tool.errorkit]"
    return ConfigurationError.of(name, value, f"no such setting{hint}").problem


def by_prefix(value: object) -> dict[str, Any]:
    """A setting's values by path prefix, without trailing slashes; one for all paths is that of the empty prefix.

    Raises ValueError for what is never matched.
    """
    if not isinstance(value, Mapping):
        return {"": value}
    chosen: dict[str, Any] = {}
    for prefix, entry in value.items():
        if not isinstance(prefix, str) or not prefix.startswith("/"):
            raise ValueError(f"path prefix {prefix!r} must be a str that starts with '/', for example '/v1'")
        wild = _UNMATCHED.search(prefix)
        if wild is not None:
            plain = prefix[: wild.start()].rpartition("/")[0]
            raise ValueError(
                f"path prefix {prefix!r} holds {wild[0]!r}, and prefixes are compared by whole segments, letter by "
                f"letter; write {plain or '/'!r}"
            )
        bare = prefix.rstrip("/")
        if bare in chosen:
            raise ValueError(f"path prefix {prefix!r} is given twice, with a slash at its end and without; leave one")
        chosen[bare] = entry
    return chosen


def check_request_id(value: object) -> None:
    """Refuse parts that an ID's format does not have: old pydantic passes them over. Raises ConfigurationError."""
    if not isinstance(value, Mapping):
        return
    known = [field.name for field in fields(RequestIdFormat) if field.init]
    for name, part in value.items():
        if name not in known:
            raise ConfigurationError.of(
                f"request_id.{name}", part, f"there is no such part{did_you_mean(str(name), known)}"
            )


def check_docs_url(url: str) -> None:
    """Refuse a template that would be sent as it is. Raises ValueError."""
    if not url:
        return
    if "{code}" not in url:
        raise ValueError("needs '{code}', for example 'https://docs.example.com/errors/{code}'")
    other = next((found for found in _PLACEHOLDER.findall(url) if found != "{code}"), None)
    if other is not None:
        raise ValueError(f"{other!r} is never filled in; '{{code}}' alone is")


def check_translator(exception: type[BaseException], target: Any, catalog: Catalog) -> None:
    """Refuse what could not answer for an exception. Raises ConfigurationError."""
    why = None
    if isinstance(target, type) and issubclass(target, APIError):
        code = catalog.current(target.code)
        listed = catalog.by_code(code).cls if code in catalog else None
        if listed is None or not (issubclass(listed, target) or issubclass(target, listed)):
            why = f"the catalogue does not list it; add it: catalog=[{target.__name__}]"
        else:
            asks = refuses(target)
            if asks is not None:
                why = f"its constructor asks for more: {asks}; give a function that makes one of the exception"
    elif not callable(target) or (isinstance(target, type) and issubclass(target, BaseException)):
        why = "this cannot answer for an exception; use an APIError class, a code or a function"
    elif refuses(target, 1) is not None:
        why = f"it is called with the exception: {refuses(target, 1)}; let it take one argument"
    if why is not None:
        raise ConfigurationError.of(f"exceptions[{exception.__name__}]", target, why)


def check_reader(reader: Any) -> None:
    """Refuse what could not read a response. Raises ValueError."""
    if isinstance(reader, Dialect):
        if reader.Body is None and type(reader).recognises is Dialect.recognises:
            raise ValueError(
                f"{shown(reader)} cannot tell its own bodies from others; give it a Body (a TypedDict), or define "
                "recognises(self, status, headers, body)"
            )
        return
    if not callable(reader) or isinstance(reader, type):
        raise ValueError(
            f"{shown(reader)} reads no bodies; use a preset's name such as 'openai', a Dialect or a function"
        )
    why = refuses(reader, 3)
    if why is not None:
        raise ValueError(f"{shown(reader)} is called with status, headers and body: {why}; let it take the three")


def check_hook(function: Any) -> None:
    """Refuse a function that could not be called with a failure and its request. Raises ValueError."""
    why = None if function is None else refuses(function, 2)
    if why is not None:
        raise ValueError(f"it is called with the failure and its request: {why}; let it take both")
