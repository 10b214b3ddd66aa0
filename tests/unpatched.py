"""The frameworks as they are: an instrumentation (Sentry's SDK) puts itself into their classes, and stays there."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

FRAMEWORKS = ("fastapi", "flask", "starlette", "werkzeug")


@contextmanager
def put_back() -> Iterator[None]:
    """Put back what a block replaces in the frameworks' modules and classes; Sentry forgets that it has been there."""
    before = [(owner, dict(vars(owner))) for owner in _owners()]
    try:
        yield
    finally:
        for owner, known in before:
            for name, value in list(vars(owner).items()):
                if name not in known:
                    delattr(owner, name)
                elif value is not known[name] and not name.startswith("__abc"):
                    setattr(owner, name, known[name])
        sentry = sys.modules.get("sentry_sdk.integrations")
        if sentry is not None:
            sentry._installed_integrations.difference_update(FRAMEWORKS)
            sentry._processed_integrations.difference_update(FRAMEWORKS)


def _owners() -> Iterator[Any]:
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in FRAMEWORKS:
            yield module
            for value in list(vars(module).values()):
                if isinstance(value, type) and value.__module__ == name:
                    yield value
