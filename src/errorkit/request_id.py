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

HEX = "0123456789abcdef"
_SAFE = re.compile(r"[A-Za-z0-9._:\-]{1,128}").fullmatch
_SAFE_BYTES = re.compile(rb"[A-Za-z0-9._:\-]{1,128}").fullmatch
_KEEP = (1 << 128) - 1 ^ (0xF << 76) ^ (0b11 << 62)
_MARK = (0x7 << 76) | (0b10 << 62)

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
    try:
        random = _random.pop()
    except IndexError:
        pool = urandom(10 * _POOL)
        random = pool[:10]
        _random.extend(pool[at : at + 10] for at in range(10, 10 * _POOL, 10))
    try:
        milliseconds = time.time_ns() // 1_000_000 << 80
    except TypeError:  # a test has put a clock in its place that gives fractions
        milliseconds = int(time.time_ns()) // 1_000_000 << 80
    return ((milliseconds | int.from_bytes(random)) & _KEEP | _MARK).to_bytes(16).hex()


_POOL = 64
_random: list[bytes] = []
"""Random bytes for the next ids: a system call for each would cost more than the rest of it."""
if hasattr(os, "register_at_fork"):  # pragma: no branch - Windows has none
    os.register_at_fork(after_in_child=_random.clear)  # else both processes would give the same ids


@dataclass(frozen=True, slots=True)
class RequestIdFormat:
    """How ids are made.

    prefix: put before. length: characters after the prefix. alphabet: what they are
    taken from. generate: your own function instead; its results must be safe.

    The default (32 hex digits) is a UUIDv7. Other formats start with the time, so that
    they sort, if at least 64 random bits remain; shorter ones are random throughout.
    Raises ValueError, naming the field, where ids could not be told apart or are unsafe.
    """

    prefix: str = ""
    length: int = 32
    alphabet: str = HEX
    generate: Callable[[], str] | None = None
    new: Callable[[], str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "new", self.generate or self._maker())
        if len(set(self.alphabet)) != len(self.alphabet) or len(self.alphabet) < 2:
            raise ValueError(f"alphabet={self.alphabet!r} needs two or more different characters")
        if self.generate is None and self.length * math.log2(len(self.alphabet)) < 32:
            raise ValueError(f"length={self.length} leaves under 32 random bits; use more characters")
        sample = self.new()
        if not isinstance(sample, str) or not is_safe(sample):
            raise ValueError(f"request ids such as {sample!r} are not safe; use 1 to 128 of letters, digits and ._:-")

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
