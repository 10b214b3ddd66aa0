"""Every ordered pair of presets: a body written in the one, adopted, spoken in the other, says the same.

That is, in each field that both carry. What is left out of the comparison, and why:

- a type that the other one does not know: its list is closed, and the table by status decides;
- a message where the other one has one fixed message for the status, as its vendor's clients know it;
- members whose names the other one uses itself: they go out under another name; and values that are no words, where the
  other one's members are a map of strings;
- a title where `problem` has no page of the code: that of about:blank is the status's phrase;
- a wait where there was none: the catalogue may advise one for the code;
- a message where in one of the two findings stand in its place; and the order of findings where one of them says these
  by their fields.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import Phase, given, settings

from dialects.test_preset_dialects import FINDINGS_ALONE, GROUPED, WORDS_ONLY, own_members, publics, sent
from driving import asgi
from errorkit.asgi import ErrorMiddleware
from errorkit.dialects import PRESETS, Dialect, get_dialect
from errorkit.failure import Public


def common(old: Dialect, new: Dialect) -> tuple[str, ...]:
    """The fields that both carry."""
    return tuple(field for field in old.carries if field in new.carries)


def same(before: Public, after: Public, old: Dialect, new: Dialect) -> tuple[Public, Public]:
    """Of both, what must be the same."""
    fields = set(common(old, new))
    if new.known_types:
        fields.discard("type")
    if before.status in new.phrases:
        fields.discard("message")
    if new.name == "problem" and not before.doc_url:
        fields.discard("title")
    if before.retry_after is None:
        fields -= {"retry_after", "resume_at"}
    if before.details and not FINDINGS_ALONE.isdisjoint((old.name, new.name)):
        fields.discard("message")
    if not GROUPED.isdisjoint((old.name, new.name)):
        before, after = (each._replace(details=tuple(sorted(each.details, key=str))) for each in (before, after))
    taken = own_members(new)
    members = [
        name
        for name, value in before.extensions.items()
        if name.lower() not in taken and (new.name not in WORDS_ONLY or isinstance(value, str))
    ]
    both = (each.only(tuple(fields)) for each in (before, after))
    first, second = (
        each._replace(extensions={name: each.extensions[name] for name in members if name in each.extensions})
        for each in both
    )
    return first, second


@pytest.mark.unrecorded  # the statuses are the other code's, which no document of errorkit's describes
@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("other", PRESETS)
def test_what_both_carry_survives(name: str, other: str) -> None:
    old, new = get_dialect(name), get_dialect(other)
    answer: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        public, headers, body = answer
        raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": public.status, "headers": raw})
        await send({"type": "http.response.body", "body": body})

    covered = ErrorMiddleware(app, dialect=other, adopt=[name])

    @settings(max_examples=4, derandomize=True, database=None, deadline=None, phases=[Phase.generate])
    @given(publics(name))
    def check(public: Public) -> None:
        headers, body = sent(old, public)
        answer[:] = [public, headers, json.dumps(body).encode()]
        headers["content-length"] = str(len(answer[2]))
        reply = asgi(covered, lifespan=False)
        before = old.read(public.status, headers, body)
        fields = {key.lower(): value for key, value in reply.headers}
        after = new.read(reply.status, fields, json.loads(reply.body))
        was, is_now = same(before, after, old, new)
        assert is_now == was

    check()
