"""Lists of structured fields (RFC 9651 sections 3.1 and 4.2.1), as far as header fields of quotas have them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

Value = bool | int | float | str

MAX_INTEGER = 999_999_999_999_999
"""RFC 9651 section 3.3.1."""

_STRING = re.compile(r'"((?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"')
_NUMBER = re.compile(r"(-?)(\d{1,15})(?:\.(\d{1,3}))?(?![\d.])")
_TOKEN = re.compile(r"[A-Za-z*][!#$%&'*+.^_`|~0-9A-Za-z:/-]*")
_BOOLEAN = re.compile(r"\?([01])")
_KEY = re.compile(r"[a-z*][a-z0-9_.*-]*")
_COMMA = re.compile(r"[ \t]*,[ \t]*")
_SEMICOLON = re.compile(r"; *")


class Item(NamedTuple):
    """A member of a list: a bare item with its parameters. A token is told as its text."""

    value: Value
    parameters: Mapping[str, Value]


def parse_list(text: str) -> list[Item] | None:
    """The members of a field's value; None where it is no such list, or has an item of another type.

    Not read are inner lists, byte sequences, dates and display strings.
    """
    text = text.strip(" ")
    items: list[Item] = []
    at = 0
    while at < len(text):
        read = _item(text, at)
        if read is None:
            return None
        item, at = read
        items.append(item)
        if at == len(text):
            return items
        comma = _COMMA.match(text, at)
        if comma is None or comma.end() == len(text):
            return None
        at = comma.end()
    return items


def string(text: str) -> str:
    """A text as a string of structured fields; characters that it cannot have are left out."""
    kept = "".join(each for each in text if " " <= each <= "~")
    return '"' + kept.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _item(text: str, at: int) -> tuple[Item, int] | None:
    bare = _bare(text, at)
    if bare is None:
        return None
    value, at = bare
    parameters: dict[str, Value] = {}
    while text[at : at + 1] == ";":
        semicolon = _SEMICOLON.match(text, at)
        key = _KEY.match(text, semicolon.end()) if semicolon else None
        if key is None:
            return None
        at = key.end()
        said: Value = True
        if text[at : at + 1] == "=":
            bare = _bare(text, at + 1)
            if bare is None:
                return None
            said, at = bare
        parameters.pop(key[0], None)  # the last one of a name counts, at its place
        parameters[key[0]] = said
    return Item(value, parameters), at


def _bare(text: str, at: int) -> tuple[Value, int] | None:
    found = _STRING.match(text, at)
    if found is not None:
        return re.sub(r"\\(.)", r"\1", found[1]), found.end()
    found = _NUMBER.match(text, at)
    if found is not None:
        sign, whole, fraction = found.groups()
        if fraction is None:
            return int(sign + whole), found.end()
        return (float(f"{sign}{whole}.{fraction}"), found.end()) if len(whole) <= 12 else None
    found = _BOOLEAN.match(text, at)
    if found is not None:
        return found[1] == "1", found.end()
    found = _TOKEN.match(text, at)
    return None if found is None else (found[0], found.end())
