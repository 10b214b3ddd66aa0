"""Whether a function can be called as it will be."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any


def refuses(function: Callable[..., Any], arguments: int = 0) -> str | None:
    """Why a function cannot be called with so many positional arguments; None if it can, or nothing is known of it."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return None
    try:
        signature.bind(*range(arguments))
    except TypeError as error:
        return str(error)
    return None
