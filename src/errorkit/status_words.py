"""Lines that say no more than a status."""

from __future__ import annotations

from functools import lru_cache

from errorkit.exchange import phrase
from errorkit.redaction import QUOTES_INPUT

_OLD_PHRASES = {
    413: "Request Entity Too Large",
    414: "Request-URI Too Long",
    416: "Requested Range Not Satisfiable",
    422: "Unprocessable Entity",
}


def is_phrase(status: int, line: str) -> bool:
    """Does the line say no more than the status."""
    return line.rstrip(".").lower() in _lowered(status)


def says_nothing(status: int, line: str) -> bool:
    """Is there nothing in the line that may be told: no more than the status, or a validator's quotation of a value."""
    return is_phrase(status, line) or QUOTES_INPUT in line


@lru_cache(maxsize=256)
def phrases(status: int) -> tuple[str, ...]:
    """The reason phrases of a status, as standards have it and as they had it."""
    return tuple(dict.fromkeys(words for words in (phrase(status), _OLD_PHRASES.get(status)) if words))


@lru_cache(maxsize=256)
def _lowered(status: int) -> frozenset[str]:
    words = phrases(status)
    return frozenset(each.lower() for each in (*words, f"{status} {words[0]}", ""))
