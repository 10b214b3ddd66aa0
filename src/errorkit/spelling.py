"""Suggestions for words that are nearly right, in start-up errors."""

from __future__ import annotations

from collections.abc import Iterable


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?`, or the words to choose from."""
    import difflib  # only a mistake needs it

    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=3, cutoff=0.6)
    if close:
        return "; did you mean " + " or ".join(map(repr, close)) + "?"
    return "; known are " + ", ".join(names) if names and len(names) <= 40 else ""
