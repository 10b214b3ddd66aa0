"""Where a dialect's body holds what: found out by writing marked values; `Dialect.places` tells the rest."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from errorkit.dialects import Dialect
from errorkit.failure import Detail, Public

Step = str | int | tuple[str, str]
"""A member, an index, or the first object of an array whose member has a value."""
Path = tuple[Step, ...]

_STEP = re.compile(
    r"""\.(?P<member>[A-Za-z_]\w*)
      | \['(?P<quoted>[^']+)'\]
      | \[(?P<index>\d+)\]
      | \[\?@(?:\.(?P<key>[A-Za-z_]\w*)|\['(?P<quoted_key>[^']+)'\])\s*==\s*'(?P<value>[^']*)'\]""",
    re.VERBOSE,
)
_FINDINGS = (Detail(("a",), "first finding"), Detail(("b",), "second finding"))
_MARKS: Mapping[str, Any] = {
    "code": "a_marked_code",
    "status": 599,
    "type": "marked type",
    "title": "marked title",
    "message": "marked message",
    "param": "marked_param",
    "details": _FINDINGS,
    "request_id": "marked-id",
    "resume_at": datetime(2031, 2, 3, 4, 5, 6, tzinfo=UTC),
    "doc_url": "https://marked.example/",
}


def written(dialect: Dialect, *, details: bool = True) -> dict[Path, str]:
    """Where `write` puts the fields of `Public`, in the order of the body; a field may be in several places.

    details: of an error with findings; these are where the array of them is.
    """
    marks = _MARKS if details else {**_MARKS, "details": ()}
    wanted = {**marks, "code": dialect.spell(marks["code"]), "resume_at": "2031-02-03T04:05:06Z"}
    found: dict[Path, str] = {}
    for path, value in _leaves(dialect.write(Public(**marks)), ()):
        name = "details" if isinstance(value, list) else next((n for n, mark in wanted.items() if mark == value), None)
        if name is not None:
            found[path] = name
    return found


def places(dialect: Dialect) -> dict[str, tuple[Path, ...]]:
    """Field of `Public` to the places to look for it, in turn. Raises ValueError for a path that is none."""
    found: dict[str, tuple[Path, ...]] = {}
    for details in (True, False):  # some bodies have another form without findings
        for path, field in written(dialect, details=details).items():
            found.setdefault(field, (path,))
    told = ((field, (each,) if isinstance(each, str) else each) for field, each in dialect.places.items())
    return {**found, **{field: tuple(map(parse, paths)) for field, paths in told}}


def code_path(dialect: Dialect) -> tuple[str, ...] | None:
    """The members that lead to the code, from the outside in; None where it is in an array or nowhere."""
    for path in places(dialect).get("code", ()):
        members = tuple(step for step in path if isinstance(step, str))
        if members == path:
            return members
    return None


def parse(path: str) -> Path:
    """The steps of a JSONPath. Raises ValueError for what `Dialect.places` does not take."""
    steps: list[Step] = []
    at = 1
    while path.startswith("$") and at < len(path):
        match = _STEP.match(path, at)
        if match is None:
            break
        at = match.end()
        if match["index"]:
            steps.append(int(match["index"]))
        elif match["value"] is not None:
            steps.append((match["key"] or match["quoted_key"], match["value"]))
        else:
            steps.append(match["member"] or match["quoted"])
    if not steps or at != len(path):
        raise ValueError(f"{path!r} is not a path such as $.error.code, $.errors[0].code or $.a[?@.b=='c'].d")
    return tuple(steps)


def _leaves(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """Path and value of all that is no object and no array, and of the array that holds the findings."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _leaves(item, (*path, str(name)))
    elif isinstance(value, list) and not _holds_findings(value):
        for index, item in enumerate(value):
            yield from _leaves(item, (*path, index))
    else:
        yield path, value


def _holds_findings(items: list[Any]) -> bool:
    return len(items) == len(_FINDINGS) and all(
        finding.message in json.dumps(item) for finding, item in zip(_FINDINGS, items, strict=True)
    )
