"""Suggestions for words that are nearly right, in start-up errors."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?`, whatever the word's case, or the words to choose from."""
    import difflib  # only a mistake needs it

    names = {name.lower(): name for name in sorted(known)}
    close = difflib.get_close_matches(word.lower(), names, n=3, cutoff=0.6)
    if close and close[0] == word.lower():
        del close[1:]
    if close:
        return "; did you mean " + " or ".join(repr(names[name]) for name in close) + "?"
    return "; known are " + ", ".join(names.values()) if names and len(names) <= 40 else ""


@lru_cache(maxsize=256)
def nearest(word: str, known: tuple[str, ...]) -> str | None:
    """The one of the known words that a word is a slip of; None where it is a word of its own."""
    import difflib

    close = difflib.get_close_matches(word, known, n=1, cutoff=0.85)
    return close[0] if close and word not in known else None
