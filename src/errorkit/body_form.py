"""Whether a body has the form that a dialect declares: every member there, of its type, and none besides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from errorkit.failure import Detail, Public
from errorkit.retry import RateLimit

PROBE = "errorkit-probe"
FULL = Public(
    type="t", title="t", message="m", param="p", details=(Detail(("p",), "m"),), request_id="r", retry_after=1,
    resume_at=datetime(2026, 1, 1, tzinfo=UTC), retryable=True, rate_limit=RateLimit(1, 0), doc_url="d",
    extensions={PROBE: True},
)  # fmt: skip
"""An error with everything that there can be; its one extension member is the probe."""

Path = tuple[str | int, ...]


def fits(form: type, body: Any, open_at: Path | None = None) -> bool:
    """Does a body from outside have a declared form, strictly: no conversion, no member that is not declared.

    form: a `TypedDict`. open_at: the path of the object that may hold further members; None: there is none.
    """
    try:
        declared = _validator(form)(body)
    except Exception:  # whatever it is, it is not this form
        return False
    return _is_all_of(declared, body, open_at)


def has_members(form: type, body: Any) -> bool:
    """Has a body every member that a form requires, of its type, whatever else it has: as JSON Schema takes it."""
    try:
        _validator(form)(body)
    except Exception:
        return False
    return True


@lru_cache(maxsize=256)
def _validator(form: type) -> Any:
    from pydantic import TypeAdapter  # the first foreign body asks for it, no import

    validate = TypeAdapter(form).validator.validate_python
    return lambda body: validate(body, strict=True)


def _is_all_of(declared: Any, body: Any, open_at: Path | None) -> bool:
    """Has validation kept everything; further members are allowed at one place."""
    if isinstance(declared, dict) and isinstance(body, dict):
        if body.keys() != declared.keys() and open_at != ():
            return False
        return all(_is_all_of(value, body[name], _within(open_at, name)) for name, value in declared.items())
    if isinstance(declared, list) and isinstance(body, list):
        pairs = zip(declared, body, strict=True)
        return all(_is_all_of(kept, item, _within(open_at, index)) for index, (kept, item) in enumerate(pairs))
    return bool(declared == body)


def place_of_members(write: Callable[[Public], Any]) -> Path | None:
    """The path of the object that holds extension members in a dialect's bodies; None: it has no place for them."""
    try:
        return _of_probe(write(FULL))
    except Exception:  # a dialect of the user's that wants a real code
        return None


def _of_probe(value: Any) -> Path | None:
    parts: list[tuple[str | int, Any]] = []
    if isinstance(value, Mapping):
        if PROBE in value:
            return ()
        parts = [(str(name), item) for name, item in value.items()]
    elif isinstance(value, list):
        parts = list(enumerate(value))
    return next(((step, *inner) for step, item in parts if (inner := _of_probe(item)) is not None), None)


def _within(path: Path | None, step: str | int) -> Path | None:
    """The path as seen from a member or an item; None where it does not lead there."""
    return path[1:] if path and path[0] == step else None
