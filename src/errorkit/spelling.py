"""Suggestions for words that are nearly right, in start-up errors."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?`, or the words to choose from."""
    import difflib  # only a mistake needs it

    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=3, cutoff=0.6)
    if close:
        return "; did you mean " + " or ".join(map(repr, close)) + "?"
    return "; known are " + ", ".join(names) if names and len(names) <= 40 else ""


@lru_cache(maxsize=256)
def nearest(word: str, known: tuple[str, ...]) -> str | None:
    """The one of the known words that a word is a slip of; None where it is a word of its own."""
    import difflib

    close = difflib.get_close_matches(word, known, n=1, cutoff=0.85)
    return close[0] if close and word not in known else None
