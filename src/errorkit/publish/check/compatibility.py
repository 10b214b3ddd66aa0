"""What a release changes for clients: two exported catalogues, compared.

Breaking is what can make a client that was right become wrong: a code that is gone, spelled
otherwise or reused; another status, type, retry verdict or propagation; a header or a member
of the body that is gone, optional now, or of another type. Additions and wording are not.
What the classes say of their own history (`since`, `changed`, `deprecated`) is held against it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from errorkit.publish.export import Exported, ExportedError

_MEANING: tuple[tuple[str, str], ...] = (
    ("spelling", "is spelled otherwise"),
    ("status", "has another status"),
    ("type", "has another type"),
    ("retryable", "has another retry verdict"),
    ("propagate", "propagates otherwise"),
)
_WORDING = ("title", "message", "description", "causes", "resolution", "examples", "doc_url", "retry_after")
_ENVELOPE: tuple[tuple[str, str], ...] = (
    ("media_type", "the media type changed"),
    ("request_id_header", "the header of the request ID changed"),
    ("status_missing", "the status of a missing field changed"),
    ("status_invalid", "the status of an invalid field changed"),
)


class Change(NamedTuple):
    """One difference. `subject` is the code, or the part of the envelope, that it is about."""

    breaking: bool
    subject: str
    text: str


def compare(old: Exported, new: Exported) -> list[Change]:
    """All differences, breaking ones first."""
    changes = [*_codes(old, new), *_retired(old, new), *_envelope(old, new), *_field_codes(old, new)]
    return sorted(changes, key=lambda change: not change.breaking)


def _codes(old: Exported, new: Exported) -> Iterator[Change]:
    before = {error["code"]: error for error in old["errors"]}
    after = {error["code"]: error for error in new["errors"]}
    added = [error for code, error in after.items() if code not in before]
    warns = any(error.get("deprecated") or error.get("since") for error in (*before.values(), *after.values()))
    for code, error in before.items():
        if code in after:
            yield from _error(error, after[code])
            continue
        heir = next((other for other in added if _same(error, other)), None)
        how = f"renamed to {heir['code']!r}" if heir else "removed"
        warned = "" if error.get("deprecated") or not warns else ", and was never deprecated"
        yield Change(True, code, f"the code was {how}{warned}")
    for error in added:
        if error["code"] in old["retired"]:
            yield Change(True, error["code"], "a retired code is used again; clients may know its old meaning")
        else:
            yield Change(False, error["code"], f"new code, status {error['status']}")
        if not error.get("since") and any(other.get("since") for other in after.values()):
            yield Change(False, error["code"], "does not say `since` which release it is there, as others do")


def _same(error: ExportedError, other: ExportedError) -> bool:
    """Is it one error under two codes: the same class, or the same words."""
    if error["status"] != other["status"]:
        return False
    return error["name"] == other["name"] or (error["title"], error["message"]) == (other["title"], other["message"])


def _error(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    code = old["code"]
    broken = [
        Change(True, code, f"{what}: {_shown(old[member])} became {_shown(new[member])}")
        for member, what in _MEANING
        if old[member] != new[member]
    ]
    yield from broken
    yield from _history(old, new, changed=bool(broken))
    for name in sorted(set(old["headers"]) - set(new["headers"])):
        yield Change(True, code, f"the header {name} is no longer sent")
    for name in sorted(set(new["headers"]) - set(old["headers"])):
        yield Change(False, code, f"the header {name} is sent now")
    if old["concealable"] != new["concealable"]:
        yield Change(False, code, f"is concealed {'now' if new['concealable'] else 'no longer'}")
    words = [member for member in _WORDING if old[member] != new[member]]
    if words:
        yield Change(False, code, f"new wording: {', '.join(words)}")


def _history(old: Mapping[str, Any], new: Mapping[str, Any], *, changed: bool) -> Iterator[Change]:
    """What a class says of its own past, and whether it is true and enough."""
    code = old["code"]
    before, after = old.get("changed", []), new.get("changed", [])
    told = [each for each in after if each not in before]
    for each in told:
        yield Change(False, code, f"changed in {each['version']}: {each['words']}")
    if changed and not told and (new.get("since") or after):
        yield Change(False, code, "does not say in `changed` what is new about it")
    if [each for each in before if each not in after]:
        yield Change(False, code, "an entry of `changed` is gone; it is history, keep it")
    if old.get("since") and old["since"] != new.get("since"):
        yield Change(False, code, f"`since` was {_shown(old['since'])}; it is history, keep it")
    was, now = old.get("deprecated"), new.get("deprecated")
    if now and not was:
        yield Change(False, code, f"deprecated since {now['version']}: {now['words']}")
    elif was and not now:
        yield Change(False, code, "is deprecated no longer")


def _retired(old: Exported, new: Exported) -> Iterator[Change]:
    after = {error["code"] for error in new["errors"]}
    for code in old["retired"]:
        if code not in new["retired"] and code not in after:
            yield Change(True, code, "a retired code was forgotten; keep it, or it will be used again")
    for code in new["retired"]:
        if code not in old["retired"]:
            yield Change(False, code, "the code is retired")


def _envelope(old: Exported, new: Exported) -> Iterator[Change]:
    before, after = old["dialect"], new["dialect"]
    if before["name"] != after["name"]:
        yield Change(True, "dialect", f"{before['name']!r} became {after['name']!r}")
    for member, what in _ENVELOPE:
        was, now = before[member], after[member]  # type: ignore[literal-required]
        if was != now:
            yield Change(True, "dialect", f"{what}: {_shown(was)} became {_shown(now)}")
    yield from _members(_Node(before["body"]), _Node(after["body"]), "body", 0)


def _field_codes(old: Exported, new: Exported) -> Iterator[Change]:
    before, after = old["field_codes"], new["field_codes"]
    for field, code in before.items():
        if after.get(field) != code:
            became = _shown(after.get(field, "invalid_value"))
            yield Change(True, f"field {field}", f"its own code changed: {_shown(code)} became {became}")
    for field in after.keys() - before.keys():
        yield Change(True, f"field {field}", f"its own code changed: 'invalid_value' became {_shown(after[field])}")


class _Node:
    """A JSON Schema with its definitions, references followed."""

    def __init__(self, schema: Mapping[str, Any], definitions: Mapping[str, Any] | None = None) -> None:
        self.definitions = schema.get("$defs", {}) if definitions is None else definitions
        name = str(schema.get("$ref", "")).rpartition("/")[2]
        self.schema: Mapping[str, Any] = self.definitions.get(name, {}) if name else schema

    @property
    def types(self) -> frozenset[str]:
        options = self.schema.get("anyOf") or self.schema.get("oneOf") or [self.schema]
        return frozenset(str(_Node(option, self.definitions).schema.get("type", "any")) for option in options)

    @property
    def members(self) -> dict[str, _Node]:
        return {name: _Node(part, self.definitions) for name, part in self.schema.get("properties", {}).items()}

    @property
    def items(self) -> _Node | None:
        return _Node(self.schema["items"], self.definitions) if "items" in self.schema else None


def _members(old: _Node, new: _Node, path: str, depth: int) -> Iterator[Change]:
    if old.types != new.types:
        was, now = "/".join(sorted(old.types)), "/".join(sorted(new.types))
        yield Change(True, path, f"another type: {was} became {now}")
        return
    if depth > 10:
        return
    before, after = old.members, new.members
    for name, part in before.items():
        if name not in after:
            yield Change(True, f"{path}.{name}", "the member is gone")
            continue
        if name in old.schema.get("required", ()) and name not in new.schema.get("required", ()):
            yield Change(True, f"{path}.{name}", "the member may be absent now")
        yield from _members(part, after[name], f"{path}.{name}", depth + 1)
    for name in after.keys() - before.keys():
        yield Change(False, f"{path}.{name}", "new member")
    if old.items is not None and new.items is not None:
        yield from _members(old.items, new.items, f"{path}[]", depth + 1)


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if isinstance(value, int) else repr(value)
