"""Which members an envelope has of its own, beside those that an error's author adds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, get_args, get_type_hints

from errorkit.dialects import Dialect
from errorkit.failure import Detail, Public
from errorkit.retry import RateLimit

_PROBE = "errorkit-probe"
_FULL = Public(
    type="t", title="t", message="m", param="p", details=(Detail(("p",), "m"),), request_id="r", retry_after=1,
    resume_at=datetime(2026, 1, 1, tzinfo=UTC), retryable=True, rate_limit=RateLimit(1, 0), doc_url="d",
    extensions={_PROBE: True},
)  # fmt: skip


@lru_cache(maxsize=256)
def members_beside(dialect: Dialect) -> frozenset[str]:
    """The names that extension members may not have in a dialect's body: those which stand where they go."""
    try:
        body = dialect.write(_FULL)
    except Exception:  # a dialect of the user's that wants a real code: it decides alone
        return frozenset()
    found = _beside(body, dialect.Body)
    return found - {_PROBE} if found is not None else frozenset()


def _beside(value: Any, form: Any) -> frozenset[str] | None:
    """The members beside the probe in a body, written or declared; None where it is not."""
    if isinstance(value, Mapping):
        declared = _declared(form)
        if _PROBE in value:
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
