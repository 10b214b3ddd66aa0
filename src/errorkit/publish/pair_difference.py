"""What is wrong with the bad request of an author's example: the first thing in which the fixed one differs."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from errorkit.catalog import ErrorSpec
from errorkit.failure import Detail
from errorkit.finding_words import UNKNOWN_WORDS, WORDS

_REQUEST_LINE = re.compile(r"(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) (/\S*)").fullmatch

_MISSING = Detail((), WORDS["missing"], "missing_field", "body", "missing")
_EXTRA = Detail((), WORDS["extra_forbidden"], "invalid_value", "body", "extra_forbidden")
_KINDS: dict[type, str] = {
    str: "string_type",
    list: "list_type",
    dict: "dict_type",
    bool: "bool_type",
    int: "int_type",
    float: "float_type",
}


class RequestLine(NamedTuple):
    """The first line of a request, without the version."""

    method: str
    target: str


def request_line(text: str) -> RequestLine | None:
    """An author's example as a request line, if it is one and no body."""
    match = _REQUEST_LINE(text)
    return None if match is None else RequestLine(match[1], match[2])


def difference(spec: ErrorSpec) -> Detail | None:
    """Of a spec's first example; None where it has none, or where no finding can be told from it."""
    if not spec.examples:
        return None
    pair = spec.examples[0]
    lines = request_line(pair.bad), request_line(pair.fixed)
    if lines[0] is not None and lines[1] is not None:
        return _of_queries(lines[0].target, lines[1].target)
    try:
        bad, fixed = json.loads(pair.bad), json.loads(pair.fixed)
    except ValueError:
        return None
    return _of_values(bad, fixed, ())


def unacceptable(path: tuple[str | int, ...], location: str = "body") -> Detail:
    """A finding of which no more is known than where it is."""
    return Detail(path, UNKNOWN_WORDS, "invalid_value", location, "value_error")


def _of_queries(bad: str, fixed: str) -> Detail | None:
    sent, right = (dict(parse_qsl(urlsplit(target).query, keep_blank_values=True)) for target in (bad, fixed))
    for name in right:
        if name not in sent:
            return _MISSING._replace(path=(name,), location="query")
        if sent[name] != right[name]:
            return unacceptable((name,), "query")
    extra = next((name for name in sent if name not in right), None)
    return None if extra is None else unacceptable((extra,), "query")


def _of_values(bad: Any, fixed: Any, path: tuple[str | int, ...]) -> Detail | None:
    if isinstance(bad, dict) and isinstance(fixed, dict):
        for name, value in fixed.items():
            if name not in bad:
                return _MISSING._replace(path=(*path, name))
            found = _of_values(bad[name], value, (*path, name))
            if found is not None:
                return found
        extra = next((name for name in bad if name not in fixed), None)
        return None if extra is None else _EXTRA._replace(path=(*path, extra))
    if isinstance(bad, list) and isinstance(fixed, list):
        pairs = enumerate(zip(bad, fixed, strict=False))
        inner = next((found for n, (b, f) in pairs if (found := _of_values(b, f, (*path, n)))), None)
        return inner or (None if len(bad) == len(fixed) else unacceptable(path))
    if bad == fixed and isinstance(bad, bool) == isinstance(fixed, bool):
        return None
    kind = _KINDS.get(type(fixed))
    if type(bad) is type(fixed) or kind is None:
        return unacceptable(path)
    return Detail(path, WORDS[kind], "invalid_value", "body", kind)
