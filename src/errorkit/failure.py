"""One failure, split by who may see it.

`Public` is all that a client may see and the only thing a dialect ever receives.
`Private` is the operator's part. They are separate objects, so a dialect cannot
leak what it never gets.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from types import FrameType, MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

from errorkit.retry import RateLimit

NOTHING: Mapping[str, Any] = MappingProxyType({})

new_tuple = tuple.__new__
"""Makes a named tuple from all of its fields, for half of what its class takes."""


class Detail(NamedTuple):
    """One finding about one part of a request.

    path: where, from the outside in; an index is an int, a member is a str.
    message: for people.
    code: canonical code, lower snake case.
    location: body, query, path, header or cookie.
    kind: the validator's own word (pydantic's `missing`, `uuid_parsing`); a dialect
        may translate it into its vocabulary, it is never shown as it is.
    """

    path: tuple[str | int, ...] = ()
    message: str = ""
    code: str = "invalid_value"
    location: str = "body"
    kind: str = ""

    @property
    def field(self) -> str:
        """The path as clients write it: `items[0].name`."""
        return dotted(self.path)


class RequestFacts(NamedTuple):
    """What a dialect that asks (`Dialect.sees_request`) may know of the request: what its client has sent.

    method, path (without the query), accept: of at most 2048 characters each; accept is empty where there is none.
    """

    method: str = ""
    path: str = ""
    accept: str = ""


class Public(NamedTuple):
    """All that a client may know of one failure.

    status: HTTP status, 400..599. type: the dialect's coarse class of the error.
    retry_after: whole seconds. resume_at: the instant that retry_after ends (UTC).
    retryable: may the same request succeed later. doc_url: where the code is described.
    extensions: members the error's author made public. request: for dialects that ask for it,
    else None; no dialect reads it back.
    """

    code: str = "internal"
    status: int = 500
    type: str = ""
    title: str = ""
    message: str = ""
    param: str | None = None
    details: tuple[Detail, ...] = ()
    request_id: str = ""
    retry_after: int | None = None
    resume_at: datetime | None = None
    retryable: bool = False
    rate_limit: RateLimit | None = None
    doc_url: str = ""
    extensions: Mapping[str, Any] = NOTHING
    request: RequestFacts | None = None

    def only(self, fields: Iterable[str]) -> Public:
        """The part that a dialect carrying `fields` can transport.

        A name is a field of this class or `details.<field of Detail>`; all else is
        set back to its default.
        """
        wanted = frozenset(fields)
        kept = {name: value for name, value in self._asdict().items() if name in wanted}
        inner = [name.removeprefix("details.") for name in wanted if name.startswith("details.")]
        if inner:
            kept["details"] = tuple(
                Detail(**{name: getattr(detail, name) for name in inner}) for detail in self.details
            )
        return Public(**kept)


class Private(NamedTuple):
    """What the operator is told and the client is not.

    code: the true code, before concealment. reason: why, in one word (cross_tenant,
    absent, unhandled, ...). owner, caller: tenants. context: the author's own facts.
    answered_by: errorkit, or application where it shaped the answer itself.
    """

    exception: BaseException | None = None
    code: str = "internal"
    reason: str = ""
    owner: Any = None
    caller: Any = None
    context: Mapping[str, Any] = NOTHING
    answered_by: str = "errorkit"


class Failure(NamedTuple):
    """One occurrence: what is shown and what is known."""

    public: Public
    private: Private


def leaves(exception: BaseException, limit: int) -> list[BaseException]:
    """The exceptions in a group of any depth, or the one that is no group; at most `limit`."""
    found: list[BaseException] = []
    stack = [exception]
    while stack and len(found) < limit:
        each = stack.pop()
        if isinstance(each, BaseExceptionGroup):
            stack.extend(reversed(each.exceptions))
        else:
            found.append(each)
    return found


def release(exception: BaseException) -> None:
    """Let go of the frames that an exception, its causes and its members hold: an instance may be shared.

    An exception that is still being handled further out on this stack is left alone.
    """
    if not (_cause(exception) or _context(exception) or issubclass(type(exception), BaseExceptionGroup)):
        BaseException.with_traceback(exception, None)
        return
    stack, seen = [exception], {id(exception)}
    running: set[object] = set()
    while stack and len(seen) < _MAX_RELEASED:
        each = stack.pop()
        group = issubclass(type(each), BaseExceptionGroup)
        inner = [_cause(each), _context(each), *(_members(each) if group else ())]
        traceback = traceback_of(each)
        if traceback is not None and (each is exception or traceback.tb_frame not in running):
            BaseException.with_traceback(each, None)  # works for frozen exceptions, too
        for link in inner:
            if link is not None and id(link) not in seen:
                running = running or _running()
                seen.add(id(link))
                stack.append(link)


def _running() -> set[object]:
    frames: set[object] = set()
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        frames.add(frame)
        frame = frame.f_back
    return frames


_MAX_RELEASED = 100
# read past an attribute access that the exception overrides
_cause, _context, traceback_of = (
    BaseException.__dict__[name].__get__ for name in ("__cause__", "__context__", "__traceback__")
)
_members = BaseExceptionGroup.__dict__["exceptions"].__get__


def frames_of(exception: BaseException) -> Iterator[FrameType]:
    """The frames that an exception has come through, from the outside in."""
    traceback = traceback_of(exception)
    while traceback is not None:
        yield traceback.tb_frame
        traceback = traceback.tb_next


def dotted(path: tuple[str | int, ...]) -> str:
    """`("items", 0, "name")` as `items[0].name`."""
    out = ""
    for part in path:
        if isinstance(part, int):
            out += f"[{part}]"
        else:
            out += f".{part}" if out else part
    return out


def undotted(field: str) -> tuple[str | int, ...]:
    """The inverse of `dotted`, for paths whose members hold no dot and no bracket."""
    path: list[str | int] = []
    for chunk in field.split("."):
        member, *indices = chunk.split("[")
        if member:
            path.append(member)
        path.extend(step(index.rstrip("]")) for index in indices)
    return tuple(path)


def pointer(path: tuple[str | int, ...]) -> str:
    """The path as a JSON Pointer (RFC 6901): `/items/0/name`."""
    steps = [str(part) for part in path]
    text = "/".join(["", *steps])
    if "~" in text or text.count("/") > len(steps):
        return "/".join(["", *(step.replace("~", "~0").replace("/", "~1") for step in steps)])
    return text


def unpointer(text: str) -> tuple[str | int, ...]:
    """The inverse of `pointer`; a part of digits is an index."""
    if not text.startswith("/"):
        return ()
    parts = (part.replace("~1", "/").replace("~0", "~") for part in text[1:].split("/"))
    return tuple(map(step, parts))


def fragment(path: tuple[str | int, ...]) -> str:
    """The path as a JSON Pointer in a URI's fragment (RFC 6901 section 6): `#/first%20name`."""
    text = pointer(path)
    return "#" + (text if _PLAIN_FRAGMENT(text) else quote(text, safe=_IN_FRAGMENTS, errors="replace"))


def unfragment(text: str) -> tuple[str | int, ...]:
    """The inverse of `fragment`."""
    return unpointer(unquote(text.removeprefix("#"), errors="replace"))


_IN_FRAGMENTS = "!$&'()*+,;=:@/?-._~"
_PLAIN_FRAGMENT = re.compile(rf"[A-Za-z0-9{re.escape(_IN_FRAGMENTS)}]*").fullmatch


def step(text: str) -> str | int:
    """One part of a path that came as text; digits of an index's size are an index."""
    return int(text) if text.isdecimal() and len(text) < 10 else text
