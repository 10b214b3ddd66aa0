"""Faults that are seeded into the adapters themselves: small patches, each a regression that may happen.

    @seeded("asgi-websockets", "closed with (1000")
    def the_close_code_of_a_crash_is_lost(patch):
        patch.setattr(websocket, "close_code", lambda status: 1000)

The twins of that scenario must tell the difference, in these words.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

Seed = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True)
class Fault:
    """A fault, and where it must be seen.

    way: of the scenario's ways, the one that is driven; empty: the first. told: a part of a difference.
    """

    name: str
    seed: Seed
    scenario: str
    told: str
    way: str

    def __str__(self) -> str:
        return self.name


class Faults(list[Fault]):
    """The faults of a module."""

    def __call__(self, scenario: str, told: str, way: str = "") -> Callable[[Seed], Seed]:
        """Register one by its function."""

        def register(seed: Seed) -> Seed:
            self.append(Fault(seed.__name__, seed, scenario, told, way))
            return seed

        return register
