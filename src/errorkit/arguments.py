"""What the constructor of an error takes: what could not be sent is refused where the error is raised."""

from __future__ import annotations

import sys
from itertools import islice
from typing import Any

from errorkit.remarks import remark
from errorkit.spelling import nearest
from errorkit.values import undocumented

STRICT = sys.flags.dev_mode
"""Python's development mode (`python -X dev`): what is otherwise left out of an answer is refused with an exception."""

_MAX_SPELT, _MAX_NAME = 16, 20
"""Members whose spelling is looked at, and characters of a name that can be a slip of a parameter's."""
_OF_ALL = ("message", "param", "details", "retry_after", "headers", "rate_limit", "challenge", "context", "extensions")
_OF_FORBIDDEN = ("resource_tenant", "caller_tenant", "conceal_as")
"""Parameters of ForbiddenError, whose values no client may see: to another class they are a slip."""


def slips(author: str, members: dict[str, Any]) -> dict[str, Any]:
    """Those of the further keywords of an error that are nearly a parameter, and hardly meant as public members.

    author: the class of the error. A remark tells of each; where that is `STRICT`, it is a TypeError.
    """
    found: dict[str, Any] = {}
    for name in islice(members, _MAX_SPELT):
        meant = slip(name)
        if meant is not None:
            if STRICT:
                raise TypeError(f"{author}() got an unexpected keyword argument {name!r}: {meant}")
            remark(f"{author}({name}=...) at {_place()}: {name!r} is left out of the answer: {meant}")
            found[name] = members[name]
    return found


def slip(name: str) -> str | None:
    """What to write in place of a keyword that is nearly a parameter of errors; None where it is a public member."""
    if len(name) > _MAX_NAME:
        return None
    if name in _OF_FORBIDDEN:
        return "it is a parameter of ForbiddenError alone"
    meant = nearest(name, _OF_ALL + _OF_FORBIDDEN)
    if meant is None or name.startswith(f"{meant}_"):
        return None
    return f"did you mean {meant}=? A public member of that name is given by extensions={{{name!r}: ...}}"


def _place() -> str:
    """The line that calls a constructor."""
    frame: Any = sys._getframe(2)
    while frame.f_back is not None and frame.f_code.co_name == "__init__":
        frame = frame.f_back
    return f"{frame.f_globals.get('__name__')}:{frame.f_lineno}"


def public_members(members: dict[str, Any]) -> dict[str, Any]:
    """Further public members, if they can be sent. Raises TypeError."""
    if undocumented(members) is not None:
        for name, value in members.items():
            kind = undocumented(value)
            if kind is not None:
                raise TypeError(
                    f"the public member {name!r} holds a {kind.__name__}, which has no form of its own in JSON; "
                    "give its public parts, as texts, numbers, dicts, a dataclass or a pydantic model"
                )
    return members


def refusal(name: str, value: object, fix: str) -> str:
    """Why an argument is not taken: its type alone is named, whatever it may hold."""
    return f"{name}= is of type {type(value).__name__}; use {fix}"
