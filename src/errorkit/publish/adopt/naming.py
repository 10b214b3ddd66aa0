"""A code and a class's name, from the words that an error was raised with."""

from __future__ import annotations

import builtins
import keyword
import re
import unicodedata

from errorkit import errors
from errorkit.catalog import Catalog
from errorkit.errors import STANDARD

_FILLING = frozenset({
    "a", "an", "the", "this", "that", "these", "those", "it", "its", "is", "are", "was", "were", "be", "been",
    "being", "has", "have", "had", "do", "does", "did", "you", "your", "we", "our", "to", "of", "on", "at",
    "by", "for", "with", "from", "as", "and", "or", "so", "please",
})  # fmt: skip
"""Words that a code does without."""
_WORDS = 5
"""How many of the others it has."""

_TAKEN = frozenset({*vars(errors), *dir(builtins)})
STANDARD_CODES = frozenset(cls.code for cls in STANDARD)


def code_of(words: str) -> str:
    """`Item not found!` -> `item_not_found`; empty where nothing can be said in ASCII."""
    plain = unicodedata.normalize("NFKD", words).replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").lower()
    plain = re.sub(r"n't\b", " not", re.sub(r"\bcan't\b", "cannot", plain))
    plain = re.sub(r"\bthere (is|are|was|were)\b", "", plain)
    plain = re.sub(r"'(s|m|re|ve|ll|d)\b", "", plain).encode("ascii", "ignore").decode()
    said = re.findall(r"[a-z0-9]+", plain)
    kept = [word for word in said if word not in _FILLING]
    if not kept or (len(kept) < 2 < len(said)) or len(kept) * 3 < len(said):
        kept = said  # too little would be left
    while kept and not kept[0][0].isalpha():
        kept.pop(0)
    return "_".join(word[:30] for word in kept[:_WORDS])


def code_of_status(status: int) -> str:
    """The code of an error that has no words but its status's: what a catalogue without it would say."""
    return Catalog().by_status(status).code


def class_name(code: str) -> str:
    """`item_not_found` -> `ItemNotFound`; a name that Python or errorkit has already gets `Error` at its end."""
    name = "".join(part.capitalize() for part in code.split("_"))
    while name in _TAKEN or keyword.iskeyword(name):
        name += "Error"
    return name
