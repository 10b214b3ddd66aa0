"""Each gateway once per dialect, ended when the module's last test with it has run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from typing import Any

import pytest
from gateway_rig import COMMANDS, Gateway, gateway

from errorkit.dialects import PRESETS, get_dialect


def _for_every_dialect(kind: str) -> Any:
    @pytest.fixture(scope="module", params=sorted(PRESETS), name=kind)
    def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
        with gateway(kind, get_dialect(request.param), tmp_path_factory.mktemp(kind)) as started:
            yield started

    return running


nginx = _for_every_dialect("nginx")
envoy = _for_every_dialect("envoy")
caddy = _for_every_dialect("caddy")


@pytest.fixture(scope="module", params=sorted(COMMANDS))
def front(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Each gateway, in a dialect that carries the request ID in header and body."""
    with gateway(request.param, get_dialect("problem"), tmp_path_factory.mktemp("front")) as started:
        yield started


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Gateway]]:
    """A gateway of the kind that a test names, in the same dialect as `front`; one for the module."""
    with ExitStack() as stack:
        yield cache(
            lambda kind: stack.enter_context(gateway(kind, get_dialect("problem"), tmp_path_factory.mktemp(kind)))
        )
