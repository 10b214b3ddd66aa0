"""Which members an envelope has of its own, beside those that an error's author adds."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, get_args, get_type_hints

from errorkit.body_form import FULL, PROBE
from errorkit.dialects import Dialect


@lru_cache(maxsize=256)
def members_beside(dialect: Dialect) -> frozenset[str]:
    """The names that extension members may not have in a dialect's body: those which stand where they go."""
    try:
        body = dialect.write(FULL)
    except Exception:  # a dialect of the user's that wants a real code: it decides alone
        return frozenset()
    found = _beside(body, dialect.Body)
    return found - {PROBE} if found is not None else frozenset()


def _beside(value: Any, form: Any) -> frozenset[str] | None:
    """The members beside the probe in a body, written or declared; None where it is not."""
    if isinstance(value, Mapping):
        declared = _declared(form)
        if PROBE in value:
            return frozenset(map(str, value)) | frozenset(declared)
        parts = [(item, declared.get(str(name))) for name, item in value.items()]
    elif isinstance(value, list):
        parts = [(item, next(iter(get_args(form)), None)) for item in value]
    else:
        return None
    return next((found for item, inner in parts if (found := _beside(item, inner)) is not None), None)


def _declared(form: Any) -> dict[str, Any]:
    """The members of a `TypedDict` and their types; none for anything else."""
    try:
        return get_type_hints(form) if isinstance(form, type) and hasattr(form, "__total__") else {}
    except Exception:  # names that are not there at run time
        return dict.fromkeys(getattr(form, "__annotations__", {}))
