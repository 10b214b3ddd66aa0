"""An event as one line of `name=value` pairs, as people read and search logs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from json import dumps
from typing import Any


def logfmt(event: str, fields: Mapping[str, Any]) -> str:
    """`request_failed code=conflict status=409 context={"version": 7}`: one line, whatever the values hold."""
    return " ".join((event, *pairs(fields)))


def pairs(fields: Mapping[str, Any]) -> Iterator[str]:
    """Each field as `name=value`: text as it is or, where it would be unclear, quoted; all else as JSON."""
    for name, value in fields.items():
        if type(value) is str and value.isprintable() and not _UNCLEAR.intersection(value) and value:
            yield f"{name}={value}"
        else:
            text = dumps(value, ensure_ascii=False, default=str)
            yield f"{name}={text if text.isprintable() else dumps(value, default=str)}"


def beside_traceback(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that a traceback below them does not tell again."""
    return {name: value for name, value in fields.items() if name not in ("exception_type", "error")}


_UNCLEAR = frozenset(' "=')
