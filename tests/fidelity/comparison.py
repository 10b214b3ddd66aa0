"""The differences between twins that `allowed` does not allow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import ndiff
from typing import Any

from fidelity import allowed
from fidelity.observed import Answer, Call, Observation, Socket


def differences(
    bare: Observation, covered: Observation, calls: Sequence[Call | Socket], *, same: bool = False
) -> list[str]:
    """A line for each.

    same: both are bare, so that nothing may differ at all.
    """
    found = list(_lists("steps", bare.steps, covered.steps))
    found += _records(bare.records, covered.records, same=same)
    if len(bare.answers) != len(covered.answers):
        return [*found, f"{len(covered.answers)} answers, bare {len(bare.answers)}"]
    for number, (call, one, other) in enumerate(zip(calls, bare.answers, covered.answers, strict=False)):
        compare = _Same() if same else _Covered()
        found += [f"[{number}] {call}: {text}" for text in compare.answers(call, one, other)]
    if not same:
        known = Counter(id(event) for answer in covered.answers for event in answer.events)
        strays = [event for event in covered.events if id(event) not in known]
        found += [f"an event of no answer: {_brief(event)}" for event in strays]
    return found


def _lists(what: str, bare: list[str], covered: list[str]) -> Iterator[str]:
    if bare != covered:
        lines = "\n    ".join(line for line in ndiff(bare, covered) if not line.startswith("?"))
        yield f"other {what} (- bare, + covered):\n    {lines}"


def _records(bare: list[str], covered: list[str], *, same: bool) -> Iterator[str]:
    if not same:
        lost = Counter(filter(allowed.is_failures_line, bare)) - Counter(covered)
        bare = [record for record in bare if not lost[record]]
    return _lists("log records", bare, covered)


def _brief(event: dict[str, Any]) -> str:
    return str({key: event.get(key) for key in ("code", "status", "outcome", "log_level", "error") if key in event})


class _Same:
    """Two bare twins: the harness itself makes no difference."""

    def answers(self, call: Call | Socket, bare: Answer, covered: Answer) -> Iterator[str]:
        for name in ("status", "headers", "plain_body", "complete", "raised", "others", "close", "said", "events"):
            one, other = getattr(bare, name), getattr(covered, name)
            if one != other:
                yield f"{name} {other!r}, bare {one!r}"


class _Covered:
    """One bare, one covered."""

    def answers(self, call: Call | Socket, bare: Answer, covered: Answer) -> Iterator[str]:
        yield from self._told(call, covered, bare)
        if isinstance(call, Socket):
            yield from self._socket(call, bare, covered)
        else:
            yield from self._http(call, bare, covered)
        if call.check is not None:
            yield from call.check(bare, covered)

    # -- http

    def _http(self, call: Call, bare: Answer, covered: Answer) -> Iterator[str]:
        status = call.status or bare.status
        if covered.status != status:
            yield f"status {covered.status}, bare {status}; its body is {covered.plain_body[:160]!r}"
        if call.leaves != "send" and covered.others != bare.others:
            yield f"messages {covered.others}, bare {bare.others}"
        yield from self._raised(call, bare, covered)
        if covered.by_server and not call.propagates and call.dialect is not None:
            yield f"nothing was answered, {covered.raised or 'and nothing'} was raised to the server"
            return
        yield from self._id(call, bare, covered)
        if call.status or self._is_default(call, bare, covered):
            if covered.status >= 400 and not covered.by_server:
                assert call.dialect is not None
                wrong = allowed.in_dialect(covered, call.dialect, head=call.method == "HEAD")
                if wrong:
                    yield f"not in the dialect: {wrong}"
            if not call.status:
                yield from self._fields_of_default(bare, covered)
            if not covered.complete and not call.leaves:
                yield "the answer is not complete"
            return
        yield from self._fields(bare, covered)
        yield from self._body(call, bare, covered)

    def _is_default(self, call: Call, bare: Answer, covered: Answer) -> bool:
        if bare.status < 400 or call.dialect is None:
            return False
        if call.shaped is None or call.propagates:
            return not allowed.in_dialect(covered, call.dialect, head=call.method == "HEAD")
        return not call.shaped

    def _raised(self, call: Call, bare: Answer, covered: Answer) -> Iterator[str]:
        if bare.raised == covered.raised or (not call.propagates and allowed.not_raised_again(bare, covered)):
            return
        if call.status and not covered.raised:
            return
        if call.leaves in ("disconnect", "send") and not covered.raised:
            return  # nobody is left whom it could be told
        yield f"raised {covered.raised or 'nothing'} to the server, bare {bare.raised or 'nothing'}"

    def _id(self, call: Call | Socket, bare: Answer, covered: Answer) -> Iterator[str]:
        ids, own = covered.values(allowed.ID), bare.values(allowed.ID)
        if own:
            if ids != own:
                yield f"request ids {ids}, bare {own}"
        elif (covered.status or covered.accepted) and not covered.by_server and len(ids) != 1:
            yield f"{len(ids)} request ids"

    def _fields(self, bare: Answer, covered: Answer) -> Iterator[str]:
        one = [field for field in bare.headers if not self._ignored(field[0], bare)]
        other = [field for field in covered.headers if not self._ignored(field[0], bare)]
        if Counter(one) != Counter(other):
            lost, more = Counter(one) - Counter(other), Counter(other) - Counter(one)
            yield f"fields lost {sorted(lost.elements())}, new {sorted(more.elements())}"
        elif one != other:
            yield f"fields in another order: {other}, bare {one}"

    def _ignored(self, name: str, bare: Answer) -> bool:
        return name in allowed.SERVERS_OWN or (name == allowed.ID and not bare.values(name))

    def _fields_of_default(self, bare: Answer, covered: Answer) -> Iterator[str]:
        for name in sorted(allowed.OF_THE_OLD_BODY):
            if covered.values(name):
                yield f"the field {name} is that of the old body"
        replaced = allowed.DESCRIBE_THE_BODY | allowed.SERVERS_OWN | {allowed.ID}
        waits = bare.values("retry-after"), covered.values("retry-after")
        if allowed.same_wait(*waits):
            replaced |= {"retry-after"}
        one = Counter(field for field in bare.headers if field[0] not in replaced)
        other = Counter(field for field in covered.headers if field[0] not in replaced)
        for field in (one - other).elements():
            yield f"the field {field} is lost"
        for name, value in (other - one).elements():
            if not self._may_come(bare, covered, name, value):
                yield f"the field {(name, value)} is new"

    def _may_come(self, bare: Answer, covered: Answer, name: str, value: str) -> bool:
        crashed = bare.status >= 500 and (bare.raised or bare.by_server)
        if crashed and (name in allowed.CORS or (name == "vary" and "origin" in value.lower())):
            return True
        added = allowed.ADDED.get(name)
        return added is not None and not bare.values(name) and added(covered.status, value)

    def _body(self, call: Call, bare: Answer, covered: Answer) -> Iterator[str]:
        framed = bare.raised and allowed.is_event_stream(bare) and bare.status < 400 and call.dialect
        if framed and (covered.complete or covered.raised) and covered.body != bare.body:
            if not covered.body.startswith(bare.body):
                yield f"the stream {covered.body!r}, bare {bare.body!r}"
            elif b"data:" not in covered.body[len(bare.body) :] or not covered.body.endswith(b"\n\n"):
                yield f"the stream ends with {covered.body[len(bare.body) :]!r}"
            return
        if call.leaves == "send":
            return
        if bare.plain_body != covered.plain_body:
            yield f"body {covered.plain_body[:200]!r}, bare {bare.plain_body[:200]!r}"
        if bare.complete != covered.complete and not allowed.cut_instead_of_whole(bare, covered):
            yield f"the answer is{' ' if covered.complete else ' not '}complete, bare the other way"

    # -- websockets

    def _socket(self, call: Socket, bare: Answer, covered: Answer) -> Iterator[str]:
        for name in ("accepted", "said", "others"):
            if getattr(bare, name) != getattr(covered, name):
                yield f"{name} {getattr(covered, name)}, bare {getattr(bare, name)}"
        if bare.accepted or call.dialect is None:
            yield from self._id(call, bare, covered)
            yield from self._fields(bare, covered)
        if bare.raised != covered.raised and (covered.raised or not (covered.status >= 400 or covered.close)):
            yield f"raised {covered.raised or 'nothing'} to the server, bare {bare.raised or 'nothing'}"
        elif covered.by_server and call.dialect is not None:
            yield "nothing was answered"
        if bare.accepted or call.chosen:
            yield from self._closed(call, bare, covered)
        elif not call.denial:  # the server can only be told by a close or an exception
            if not covered.close and not covered.raised:
                yield "the handshake was not refused"
        else:
            yield from self._refused(call, bare, covered)

    def _closed(self, call: Socket, bare: Answer, covered: Answer) -> Iterator[str]:
        code = call.code or (bare.close and bare.close[0])
        reworded = call.chosen and covered.close != bare.close
        if (covered.close and covered.close[0]) != code or reworded:
            yield f"closed with {covered.close}, bare {bare.close}"

    def _refused(self, call: Socket, bare: Answer, covered: Answer) -> Iterator[str]:
        if not bare.status and allowed.same_refusal(bare.close, covered.close):
            return
        right = covered.status == (call.status or bare.status) if bare.status else allowed.refuses(bare, covered)
        if not right:
            yield f"refused with {covered.status} {covered.close}, bare {bare.status} {bare.close}"
            return
        if call.shaped:
            yield from self._fields(bare, covered)
            if bare.body != covered.body:
                yield f"refused with {covered.body!r}, bare {bare.body!r}"
        elif call.dialect is not None and not covered.by_server:
            wrong = allowed.in_dialect(covered, call.dialect, head=False)
            if wrong:
                yield f"not in the dialect: {wrong}"

    # -- events

    def _told(self, call: Call | Socket, covered: Answer, bare: Answer) -> Iterator[str]:
        events = covered.events
        least, most = _events_of(call, covered, bare)
        if not least <= len(events) <= most:
            yield f"{len(events)} events: {[_brief(event) for event in events]}"
            return
        for event in events:
            sent = covered.value(allowed.ID)
            if sent is not None and event.get("request_id") != sent:
                yield f"the event has the id {event.get('request_id')}, the answer {sent}"
            if covered.status >= 400 and covered.complete and event.get("status") != covered.status:
                yield f"the event says {event.get('status')}, the answer {covered.status}"
            left = isinstance(call, Call) and call.leaves in ("disconnect", "send")
            if left and (event["log_level"] != "info" or event.get("status") != 499):
                yield f"a client that left is told as {_brief(event)}"


def _events_of(call: Call | Socket, covered: Answer, bare: Answer) -> tuple[int, int]:
    """How many events an exchange has, at least and at most."""
    if isinstance(call, Call) and (call.leaves or (call.propagates and covered.by_server)):
        return 0, 1
    if isinstance(call, Socket) and (call.chosen or covered.status < 400):
        return (1, 1) if bare.raised else (0, 1)
    if covered.status >= 400:
        return 1, 1
    broken = bool(bare.raised) or not bare.complete
    return (1, 1) if broken else (0, 0)
