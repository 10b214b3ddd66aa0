"""What an `Accept` field says: media ranges and their weights (RFC 9110 sections 12.4.2 and 12.5.1).

Total: an item that the grammar does not allow asks for nothing, and what begins beyond `MAX_ACCEPT`
characters is not read. Several fields are one list, joined by commas (section 5.3).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

MAX_ACCEPT = 1024
"""Characters of a field that are read: what a client really prefers stands there."""

_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"  # noqa: S105 - a grammar's rule
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_ITEM = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*(?:"|\\?\Z))+', re.DOTALL)
"""What stands between two commas that are not quoted; a quotation that is not closed goes on to the end."""
_RANGE = re.compile(rf"[ \t]*({_TOKEN})/({_TOKEN})[ \t]*")
_PARAMETER = re.compile(rf";[ \t]*(?:({_TOKEN})=({_TOKEN}|{_QUOTED}))?[ \t]*", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_WEIGHT = re.compile(r"(?=[0-9.])[01]?(?:\.[0-9]*)?").fullmatch
"""A weight as clients write it, `.5` included (Java's own client does)."""

Parameters = frozenset[tuple[str, str]]


class MediaRange(NamedTuple):
    """One media range: `*` stands for any type or subtype. weight: 0 (not acceptable) to 1."""

    type: str
    subtype: str
    parameters: Parameters
    weight: float

    @property
    def precision(self) -> tuple[bool, bool, int]:
        """The more precise of two ranges, the greater."""
        return self.type != "*", self.subtype != "*", len(self.parameters)

    def covers(self, type: str, subtype: str, parameters: Parameters) -> bool:
        """Is a media type one of this range's."""
        return self.type in ("*", type) and self.subtype in ("*", subtype) and self.parameters <= parameters


def media_ranges(field: str) -> tuple[MediaRange, ...]:
    """The ranges that a field lists, in its order."""
    cut = len(field) > MAX_ACCEPT
    found = (
        _media_range(item[0])
        for item in _ITEM.finditer(field[:MAX_ACCEPT])
        if not (cut and item.end() == MAX_ACCEPT)  # its rest may say something else
    )
    return tuple(each for each in found if each is not None)


def weight(ranges: Iterable[MediaRange], media_type: str) -> float:
    """The weight of a media type: that of the most precise range that covers it; 0 where none does."""
    offered = _media_range(media_type)
    if offered is None:
        return 0.0
    covering = [each for each in ranges if each.covers(*offered[:3])]
    return max(covering, key=lambda each: each.precision).weight if covering else 0.0


def preferred(ranges: Sequence[MediaRange], offers: Sequence[str]) -> str | None:
    """The offer of the highest weight, the first of equals; None where none is acceptable.

    No range at all (no field, or an empty one) prefers nothing: the first offer.
    """
    if not ranges:
        return offers[0] if offers else None
    weights = [weight(ranges, offer) for offer in offers]
    best = max(weights, default=0.0)
    return offers[weights.index(best)] if best > 0 else None


def _media_range(item: str) -> MediaRange | None:
    """One item of the list; None for what is no media range. `charset`, which JSON does not have, is no part of it."""
    head = _RANGE.match(item)
    if head is None:
        return None
    kind, subtype = head[1].lower(), head[2].lower()
    if kind == "*" != subtype:
        return None
    parameters: set[tuple[str, str]] = set()
    given: float | None = None
    at = head.end()
    while at < len(item):
        parameter = _PARAMETER.match(item, at)
        if parameter is None:
            return None
        at = parameter.end()
        name, value = (parameter[1] or "").lower(), parameter[2] or ""
        if value[:1] == '"':
            value = _ESCAPED.sub(r"\1", value[1:-1])
        if name == "q":
            if not _WEIGHT(value) or value == ".":
                return None
            given = min(float(value), 1.0) if given is None else given
        elif name and name != "charset":
            parameters.add((name, value.lower()))
    return MediaRange(kind, subtype, frozenset(parameters), 1.0 if given is None else given)
