"""What the classes say of their own history, by release of the service."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from errorkit.publish.reference.entries import Entry


class News(NamedTuple):
    """kind: new, changed or deprecated. words: empty of a new code."""

    kind: str
    entry: Entry
    words: str = ""


class Release(NamedTuple):
    """A version and what it brought, in the order new, changed, deprecated."""

    version: str
    news: tuple[News, ...]


def releases(entries: Iterable[Entry]) -> list[Release]:
    """The newest first; none where no class tells of its history."""
    found: dict[str, list[News]] = {}
    for entry in entries:
        if entry.since:
            found.setdefault(entry.since, []).append(News("new", entry))
        for version, words in entry.changed:
            found.setdefault(version, []).append(News("changed", entry, words))
        if entry.deprecated is not None:
            found.setdefault(entry.deprecated.version, []).append(News("deprecated", entry, entry.deprecated.words))
    order = ("new", "changed", "deprecated")
    sort = {version: tuple(sorted(news, key=lambda one: order.index(one.kind))) for version, news in found.items()}
    return [Release(version, sort[version]) for version in sorted(sort, key=_natural, reverse=True)]


def _natural(version: str) -> list[tuple[int, int | str]]:
    """1.10 is behind 1.9, and 2026-11-03 behind 2026-02-01."""
    return [(1, int(part)) if part.isdigit() else (0, part) for part in re.split(r"(\d+)", version) if part]
