"""Holds the covered run of a service against the bare one."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from errorkit.dialects import get_dialect

from .running import Reply, Run
from .service import WEBSOCKET, Ask, Service, Volatile

DIALECT = get_dialect("problem")
_BODY = TypeAdapter(DIALECT.Body)
_ID = DIALECT.request_id_header.lower()
_DESCRIBE_BODY = frozenset(
    {
        "accept-ranges", "content-digest", "content-encoding", "content-length", "content-range", "content-type",
        "digest", "etag", "last-modified", "repr-digest", "transfer-encoding",
    }
)  # fmt: skip
"""The fields of the old body, which go with it."""
_SERVERS_OWN = frozenset({"connection", "date"})
"""Written by the server: an application that sends no answer at all has its connection closed."""


@dataclass(frozen=True)
class Verdict:
    """What one request showed."""

    ask: Ask
    bare: int
    covered: int
    spoken: bool
    """The covered answer is in the dialect."""
    events: tuple[dict[str, Any], ...]
    """Those that bear the answer's request ID."""
    ids_equal: bool
    """Header = event, and = body where the answer is in the dialect."""
    altered: tuple[str, ...]
    """What differs though it must not, the status apart."""

    @property
    def failed(self) -> bool:
        """The bare service refused it."""
        return self.bare >= 400

    @property
    def differences(self) -> list[str]:
        """What errorkit must not change."""
        changed = [f"{self.bare} became {self.covered}"] if self.bare != self.covered else []
        return [*changed, *self.altered]

    @property
    def faults(self) -> list[str]:
        """Everything that the rule of fidelity and one event for each failure forbid."""
        found = self.differences
        if max(self.bare, self.covered) >= 400:
            if len(self.events) != 1:
                found.append(f"{len(self.events)} events")
            if not self.ids_equal:
                found.append("the ids of header, body and event are not equal")
        elif self.events:
            found.append("an event of a success")
        return found


def compare(service: Service, bare: Run, covered: Run) -> list[Verdict]:
    """A verdict for each request."""
    return [
        _verdict(service, ask, *replies, covered.events)
        for ask, *replies in zip(service.asks, bare.replies, covered.replies, strict=True)
    ]


def unclaimed(verdicts: Iterable[Verdict], covered: Run) -> list[dict[str, Any]]:
    """Events of failures that no answer bears the id of."""
    claimed = {event["request_id"] for verdict in verdicts for event in verdict.events}
    return [event for event in _failures(covered.events) if event["request_id"] not in claimed]


def _verdict(service: Service, ask: Ask, bare: Reply, covered: Reply, log: list[dict[str, Any]]) -> Verdict:
    ids = [value for name, value in covered.headers if name == _ID]
    if ask.headers == WEBSOCKET and not ids:  # a socket that was closed before it was open: the server answers
        path = ask.path.partition("?")[0]
        ids = [e["request_id"] for e in _failures(log) if (e["method"], e["path"]) == ("WEBSOCKET", path)]
    events = tuple(event for event in _failures(log) if event["request_id"] in ids)
    body = _spoken(covered)
    spoken = covered.status >= 400 and (body is not None or (not covered.body and _type(covered) == DIALECT.media_type))
    said = {*ids, *(event["request_id"] for event in events)}
    if body is not None:
        said.add(body["request_id"])
    altered = _altered(service, bare, covered, replaced=spoken)
    return Verdict(
        ask, bare.status, covered.status, spoken, events, len(ids) == 1 and len(said) == 1 and bool(events), altered
    )


def _failures(events: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [event for event in events if event["event"] == "request_failed"]


def _type(reply: Reply) -> str:
    return next((value for name, value in reply.headers if name == "content-type"), "")


def _spoken(reply: Reply) -> dict[str, Any] | None:
    """The body, if it is in the dialect by the dialect's own description."""
    if _type(reply) != DIALECT.media_type:
        return None
    try:
        body: dict[str, Any] = json.loads(reply.body)
        _BODY.validate_python(body, strict=True)
    except (ValueError, ValidationError):
        return None
    return body if body["status"] == reply.status else None


def _altered(service: Service, bare: Reply, covered: Reply, *, replaced: bool) -> tuple[str, ...]:
    """Differences of body and header fields, apart from what may differ."""
    volatile = service.volatile
    left_out = set(_SERVERS_OWN)
    if not any(name == _ID for name, _ in bare.headers):
        left_out.add(_ID)
    if replaced:
        left_out |= _DESCRIBE_BODY
    elif bare.body != covered.body:  # by a volatile value, or for a reason that is told below
        left_out.add("content-length")
    before, after = (
        Counter((name, _masked(value, volatile)) for name, value in reply.headers if name not in left_out)
        for reply in (bare, covered)
    )
    gone, new = before - after, after - before
    found = [_told(name, value, new) for name, value in gone.elements()]
    if not replaced:
        found += [
            f"`{name}: {value}` is added" for name, value in new.elements() if name not in {key for key, _ in gone}
        ]
        texts = [_masked(_text(reply, service), volatile) for reply in (bare, covered)]
        if texts[0] != texts[1]:
            found.append(_first_difference(*texts))
    return tuple(found)


def _told(name: str, value: str, new: Iterable[tuple[str, str]]) -> str:
    instead = " and ".join(f"`{other}`" for key, other in new if key == name)
    return f"`{name}: {value}` " + (f"became {instead}" if instead else "is missing")


def _text(reply: Reply, service: Service) -> str:
    text = reply.body.decode("latin-1")
    if service.unordered and _type(reply).startswith("application/json"):
        try:
            return json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))
        except ValueError:
            pass
    return text


def _first_difference(bare: str, covered: str) -> str:
    at = next((n for n, pair in enumerate(zip(bare, covered, strict=False)) if len(set(pair)) > 1), 0)
    start = max(at - 10, 0)
    return f"the body differs: `{bare[start : at + 30]!r}` became `{covered[start : at + 30]!r}`"


def _masked(text: str, volatile: tuple[Volatile, ...]) -> str:
    for what, pattern in volatile:
        text = re.sub(pattern, f"<{what}>", text)
    return text
