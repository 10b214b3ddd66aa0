"""Gateways that tests share: of each kind one at a time, ended by its process id."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from gateway_rig import COMMANDS, Gateway, Start, gateway

from errorkit.dialects import get_dialect


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """A running gateway of a kind in a dialect; the one of this kind that was asked for last stays."""
    running: dict[str, tuple[Gateway, ExitStack]] = {}

    def started(kind: str, dialect: str = "problem") -> Gateway:
        if kind in running and running[kind][0].dialect.name != dialect:
            running.pop(kind)[1].close()
        if kind not in running:
            stack = ExitStack()
            found = stack.enter_context(gateway(kind, get_dialect(dialect), tmp_path_factory.mktemp(kind)))
            running[kind] = found, stack
        return running[kind][0]

    yield started
    for _, stack in running.values():
        stack.close()


@pytest.fixture(params=sorted(COMMANDS))
def front(request: pytest.FixtureRequest, start: Start) -> Gateway:
    """Each gateway, in a dialect that carries the request ID in header and body."""
    return start(request.param)
