"""The request ID: its format, which inbound ids are believed, and where it is found.

An id is a reference for support, not a secret; it is made from `os.urandom` all the
same, so that no tenant can guess another's.
"""

from __future__ import annotations

import math
import os
import re
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from os import urandom

from errorkit.configuration_error import ConfigurationError

HEX = "0123456789abcdef"
_SAFE = re.compile(r"[A-Za-z0-9._:\-]{1,128}").fullmatch
_SAFE_BYTES = re.compile(rb"[A-Za-z0-9._:\-]{1,128}").fullmatch

current: ContextVar[str | None] = ContextVar("errorkit_request_id", default=None)
"""The id of the request being served; None outside of one."""


def get_request_id() -> str | None:
    """The id of the request being served, also in thread-pool endpoints and background tasks."""
    return current.get()


def is_safe(value: str) -> bool:
    """May an id from outside be believed: 1..128 of letters, digits and `._:-`."""
    return _SAFE(value) is not None


def accept(value: bytes) -> str | None:
    """An inbound header value as an id, or None if it is not safe to repeat or to log."""
    return value.decode("ascii") if _SAFE_BYTES(value) else None


def uuid7() -> str:
    """A UUID version 7 (RFC 9562 section 5.7) as 32 hex digits: sortable and unguessable."""
    global _millisecond
    try:
        tail = _tails.pop()
    except IndexError:
        tail = _more_tails()
    now = int(time.time_ns()) // 1_000_000  # a test may have put a clock in its place that gives fractions
    known = _millisecond
    if known[0] != now:  # one tuple, so that threads see a millisecond and its text together
        known = _millisecond = (now, f"{now:012x}7"[-13:])
    return known[1] + tail


def _more_tails() -> str:
    """The random digits of the next ids, three before and sixteen with the variant: one of them, the others kept."""
    digits = urandom(10 * _POOL).hex()
    made = [
        digits[at : at + 3] + _VARIANT[digits[at + 3]] + digits[at + 4 : at + 19] for at in range(0, 20 * _POOL, 20)
    ]
    _tails.extend(made[1:])
    return made[0]


_POOL = 64
_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in HEX}
_millisecond: tuple[int, str] = (0, "")
_tails: list[str] = []
"""Random digits for the next ids: a system call for each would cost more than the rest of it."""
if hasattr(os, "register_at_fork"):  # pragma: no branch - Windows has none
    os.register_at_fork(after_in_child=_tails.clear)  # else both processes would give the same ids


@dataclass(frozen=True, slots=True)
class RequestIdFormat:
    """How ids are made.

    prefix: put before. length: characters after the prefix. alphabet: what they are
    taken from. generate: your own function instead; its results must be safe.

    The default (32 hex digits) is a UUIDv7. Other formats start with the time, so that
    they sort, if at least 64 random bits remain; shorter ones are random throughout.
    Raises ConfigurationError where ids could not be told apart or are unsafe.
    """

    prefix: str = ""
    length: int = 32
    alphabet: str = HEX
    generate: Callable[[], str] | None = None
    new: Callable[[], str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "new", self.generate or self._maker())
        if len(set(self.alphabet)) != len(self.alphabet) or len(self.alphabet) < 2:
            raise ConfigurationError.of(
                "RequestIdFormat.alphabet", self.alphabet, "it needs two or more different characters; give these"
            )
        if self.generate is None and self.length * math.log2(len(self.alphabet)) < 32:
            raise ConfigurationError.of(
                "RequestIdFormat.length", self.length, "it leaves under 32 random bits; use more characters"
            )
        sample = self.new()
        if not isinstance(sample, str) or not is_safe(sample):
            raise ConfigurationError.of(
                "RequestIdFormat", sample, "ids such as this are not safe; use 1 to 128 of letters, digits and ._:-"
            )

    def _maker(self) -> Callable[[], str]:
        if (self.prefix, self.length, self.alphabet) == ("", 32, HEX):
            return uuid7
        prefix, length, alphabet = self.prefix, self.length, self.alphabet
        base = len(alphabet)
        capacity = base**length if base > 1 and length > 0 else 1
        sortable = capacity >= 1 << (48 + 64)
        spread = capacity >> 48 if sortable else capacity
        width = (spread.bit_length() + 7) // 8 + 8  # 64 spare bits: no visible modulo bias

        def make() -> str:
            number = int.from_bytes(urandom(width), "big") % spread
            if sortable:
                number += (int(time.time_ns()) // 1_000_000) * spread
            digits = []
            for _ in range(length):
                number, digit = divmod(number, base)
                digits.append(alphabet[digit])
            return prefix + "".join(reversed(digits))

        return make
