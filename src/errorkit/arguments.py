"""What the constructor of an error takes: what could not be sent is refused where the error is raised."""

from __future__ import annotations

from itertools import islice
from typing import Any

from errorkit.remarks import remark
from errorkit.spelling import nearest
from errorkit.values import undocumented


def public_members(author: str, extensions: dict[str, Any]) -> dict[str, Any]:
    """Further public members, if they can be sent. Raises TypeError.

    author: the class of the error, for a remark on a keyword that is hardly meant as a member.
    """
    if undocumented(extensions) is not None:
        for name, value in extensions.items():
            kind = undocumented(value)
            if kind is not None:
                raise TypeError(
                    f"the public member {name!r} holds a {kind.__name__}, which has no form of its own in JSON; "
                    "give its public parts, as texts, numbers, dicts, a dataclass or a pydantic model"
                )
    for name in islice(extensions, _MAX_SPELT):
        meant = nearest(name, _PARAMETERS) if len(name) <= _MAX_NAME else None
        if meant is not None:
            remark(f"{author}({name}=...) is a public member of the body; if {meant}= is meant, it is misspelt")
    return extensions


_MAX_SPELT, _MAX_NAME = 16, 20
"""Members whose spelling is looked at, and characters of a name that can be a slip of one of these."""
_PARAMETERS = ("message", "param", "details", "retry_after", "headers", "rate_limit", "context", "resource_tenant",
               "caller_tenant", "conceal_as")  # fmt: skip


def refusal(name: str, value: object, fix: str) -> str:
    """Why an argument is not taken: its type alone is named, whatever it may hold."""
    return f"{name}= is of type {type(value).__name__}; use {fix}"
