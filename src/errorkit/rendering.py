"""One dialect's public errors as response bytes.

A body differs from one occurrence to the next in a few strings. For a dialect that says
which ones it copies (`Dialect.copies`), `write` is called once with marks in their places,
and from then on only these strings are encoded and spliced in. Whatever does not fit is
written and encoded whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import chain
from typing import Any, NamedTuple, TypeVar

from errorkit.dialects import Dialect
from errorkit.encoding import CUT, clean, encode, encode_body, encode_string, quote, safe
from errorkit.exchange import RawHeaders, Response, raw_header
from errorkit.failure import Public, new_tuple
from errorkit.retry import end_of, rfc3339
from errorkit.written_body import form_of

MAX_BODY = 65536
"""Bytes of the largest body that is sent."""
_MAX_TEMPLATES = 1024
OBSERVED = "the path is observed"

_INSTANT = datetime(9876, 5, 4, 3, 2, 1, tzinfo=UTC)
_MARKS: dict[str, Any] = {
    "message": "\x02message\x03",
    "request_id": "\x02request_id\x03",
    "param": "\x02param\x03",
    "retry_after": 8765432109,
    "resume_at": _INSTANT,
}
_TEXT_MARKS = {**_MARKS, **{name: f"errorkit.mark.of.{name}" for name in ("message", "request_id", "param")}}
"""For text: of characters that XML can hold and that no `escape` changes."""
_HARD = "<\"&'>]]>%+\\{}\t\r\n \x02\x7f\xe9\u20ac\ud800\U0001f600;=,-- "
"""A text with which a gap of a text body is tried: what stands there must be what `escape` gives."""
_CHANGING = ("message", "request_id", "resume_at")
"""What tells two occurrences of the same kind apart."""

K = TypeVar("K")
V = TypeVar("V")


class Template(NamedTuple):
    """A body in parts. gaps: the index of each part that changes, and the field that belongs there."""

    parts: list[bytes]
    gaps: tuple[tuple[int, str], ...]


class Prepared(NamedTuple):
    """All of a response that does not change from one occurrence of an error to the next.

    public: with the class's own message; before, after: its fields around those that change.
    words: they stand whatever the occurrence says. head: header fields, without length and request ID.
    """

    public: Public
    before: tuple[Any, ...]
    after: tuple[Any, ...]
    words: str | None
    template: Template
    head: RawHeaders


class Renderer:
    """Public errors of one dialect as responses.

    vary: the request's header fields that have decided about it, for `Vary`. observes: what the
    application and its framework answer stays as it is; the dialect is for what these do not know.
    answers_own: it does say that; else errorkit's own errors, too, are exceptions like any other.
    """

    def __init__(
        self, dialect: Dialect, *, vary: tuple[str, ...] = (), observes: bool = False, answers_own: bool = True
    ) -> None:
        self.dialect = dialect
        self.vary = vary
        self.observes = observes
        self.answers_own = answers_own
        self.id_header = dialect.request_id_header.lower().encode("ascii")
        self.content_type = (b"content-type", dialect.media_type.encode("ascii"))
        wrote_headers = next(cls for cls in type(dialect).__mro__ if "headers" in vars(cls))
        own_headers = wrote_headers is not Dialect and "copies" not in vars(wrote_headers)
        self._own_headers = own_headers or dialect.sees_request
        """The dialect derives header fields itself, and its author does not say from what, or from the request."""
        self.derives = wrote_headers is not Dialect
        self._own_words = type(dialect).settle is not Dialect.settle
        self._copies = frozenset(dialect.copies)
        self._form = form_of(dialect.media_type)
        self._string = encode_string if self._form == "JSON" else self._escaped
        self._marks = _MARKS if self._form == "JSON" else _TEXT_MARKS
        texts = {name: mark for name, mark in self._marks.items() if isinstance(mark, str)}
        self._marked = {self._string(mark): name for name, mark in texts.items()}
        self._marked[b"%d" % _MARKS["retry_after"]] = "retry_after"
        self._marked[rfc3339(_INSTANT).encode()] = "resume_at"
        for name, form in dialect.id_forms.items():
            self._marked[self._string(form(self._marks["request_id"]))] = name
        self._find = re.compile(b"(" + b"|".join(map(re.escape, self._marked)) + b")")
        self.prepared: dict[object, Prepared] = {}
        """By what the occurrences have in common."""
        self._templates: dict[tuple[Any, ...], Template | None] = {}
        self._headers: dict[tuple[Any, ...], RawHeaders] = {}

    def render(
        self,
        public: Public,
        headers: RawHeaders,
        *,
        cache_control: bool = False,
        debug: dict[str, Any] | None = None,
    ) -> Response:
        """The response for one public error.

        headers: the error's own fields. cache_control: they include one that shall stand.
        debug: a member to add to the body, in development.
        """
        if debug is None:
            body = self.body(public)
        else:
            body = self.body_with(public, debug)
        out = [self.content_type, *self._fixed(public), *headers]
        if not cache_control:
            out.append((b"cache-control", b"no-store"))
        out += [(b"content-length", b"%d" % len(body)), (self.id_header, public.request_id.encode("ascii"))]
        return Response(public.status, out, body)

    def prepare(self, kind: object, public: Public, headers: RawHeaders, *, cache_control: bool) -> None:
        """Keep what further occurrences of a kind are made from: they differ in message, request ID and instant.

        Nothing is kept where the dialect does not copy these, or where its own code may look at them.
        """
        if self._own_headers or self._own_words:
            return
        template = self._learned(public, _CHANGING)
        if template is None:
            return
        own = (b"content-length", self.id_header)
        rendered = self.render(public, headers, cache_control=cache_control)
        head = [pair for pair in rendered.headers if pair[0] not in own]
        words = self.dialect.phrases.get(public.status)
        bounded(self.prepared)[kind] = Prepared(public, public[:4], public[10:], words, template, head)

    def again(self, prepared: Prepared, message: str | None, request_id: str) -> tuple[Public, Response]:
        """A further occurrence: the same as `render` would make.

        message: its own, or None.
        """
        known, before, after, words, template, head = prepared
        if words is None and message is not None:
            said, quoted = quote(message) if self._form == "JSON" else self._cleaned(message)
        else:
            said = words or known.message
            quoted = self._string(said)
        wait = known.retry_after
        resume_at = None if wait is None else end_of(wait)
        public = new_tuple(Public, before + (said, None, (), request_id, wait, resume_at) + after)  # noqa: RUF005 - dearer
        ident = request_id.encode("ascii")
        parts = template.parts.copy()
        for index, field in template.gaps:
            parts[index] = (
                quoted if field == "message" else ident if field == "request_id" else self._part(public, field)
            )
        body = b"".join(parts)
        if len(body) > MAX_BODY:
            body = self._whole(public)
        own = (b"content-length", b"%d" % len(body)), (self.id_header, ident)
        return public, new_tuple(Response, (known.status, [*head, *own], body))

    def leaves(self, headers: Iterable[tuple[bytes, bytes]]) -> str:
        """Why an answer of these header fields, which other code has made, stays as it is; empty: nothing says so."""
        return OBSERVED if self.observes else ""

    def body(self, public: Public) -> bytes:
        """The body, spliced where it can be, within `MAX_BODY`."""
        if public.details or public.extensions or public.rate_limit is not None:
            return self._whole(public)
        key = _key(public)
        try:
            template = self._templates[key]
        except KeyError:
            template = bounded(self._templates)[key] = self._learned(public, _MARKS)
        if template is None:
            return self._whole(public)
        body = self._splice(template, public)
        return body if len(body) <= MAX_BODY else self._whole(public)

    def body_with(self, public: Public, debug: dict[str, Any]) -> bytes:
        """The body with a member for development."""
        written = self.dialect.write(public)
        return encode_body(self._form, {**written, "debug": debug} if isinstance(written, dict) else written)

    def around_id(self, public: Public) -> list[bytes]:
        """The body in the parts between which a request ID belongs; whole where the dialect does not copy it."""
        template = self._learned(public, ("request_id",))
        if template is None or any(field != "request_id" for _, field in template.gaps):
            return [self.body(public)]
        return template.parts[::2]

    def frame(self, public: Public) -> bytes | None:
        """The last event of a stream (HTML, server-sent events 9.2.6), if the dialect has one; bounded as a body."""
        frame = None
        for each in chain((public,), shrunk(public)):
            event = self.dialect.stream_event(each)
            if event is None:
                return None
            name, data = event
            head = f"event: {name}\n".encode() if name else b""
            frame = head + self._data(data) + b"\n\n"
            if len(frame) <= MAX_BODY:
                break
        return frame

    def _data(self, data: object) -> bytes:
        """An event's data, a field for each line."""
        if self._form == "JSON" or not isinstance(data, str):
            return b"data: " + encode(data)
        return b"\n".join(b"data: " + line for line in encode_body(self._form, data).splitlines() or [b""])

    def _fixed(self, public: Public) -> RawHeaders:
        if public.rate_limit is not None or self._own_headers:
            return self.vendor(public)
        key = (*public[:4], public.doc_url, public.retryable, public.retry_after)
        fixed = self._headers.get(key)
        if fixed is None:
            fixed = bounded(self._headers)[key] = self.vendor(public)
        return fixed

    def vendor(self, public: Public) -> RawHeaders:
        """The fields that the dialect derives from an error."""
        pairs = (raw_header(name, value) for name, value in self.dialect.headers(public).items())
        return [(b"x-content-type-options", b"nosniff"), *(pair for pair in pairs if pair is not None)]

    def _learned(self, public: Public, names: Iterable[str]) -> Template | None:
        """The template of a body in which these fields change; None where the dialect does not copy them all."""
        present = {name: self._marks[name] for name in names if getattr(public, name) is not None}
        if not self._copies.issuperset(present) or self._form == "bytes" or self.dialect.sees_request:
            return None
        parts = self._find.split(self._written(public._replace(**present)))
        template = Template(parts, tuple((index, self._marked[parts[index]]) for index in range(1, len(parts), 2)))
        tried = [public]
        if self._form == "text":
            hard: dict[str, Any] = {name: _HARD for name in ("message", "param") if name in present}
            tried.append(public._replace(**hard))
        return template if all(self._splice(template, each) == self._written(each) for each in tried) else None

    def _splice(self, template: Template, public: Public) -> bytes:
        parts = template.parts.copy()
        for index, field in template.gaps:
            parts[index] = self._part(public, field)
        return b"".join(parts)

    def _part(self, public: Public, field: str) -> bytes:
        """What belongs in one gap of a template."""
        if field == "message":
            return self._string(public.message)
        if field == "request_id":
            return public.request_id.encode("ascii")
        if field == "param":
            return self._string(public.param or "")
        if field == "retry_after":
            return b"%d" % (public.retry_after or 0)
        if field == "resume_at":
            return rfc3339(public.resume_at or _INSTANT).encode("ascii")
        return self._string(self.dialect.id_forms[field](public.request_id))

    def _written(self, public: Public) -> bytes:
        return encode_body(self._form, self.dialect.write(public))

    def _escaped(self, value: str) -> bytes:
        return encode_body(self._form, self.dialect.escape(value))

    def _cleaned(self, message: str) -> tuple[str, bytes]:
        text = clean(message)
        return text, self._escaped(text)

    def _whole(self, public: Public) -> bytes:
        body = self._written(public)
        if len(body) > MAX_BODY:
            for smaller in shrunk(public):
                body = self._written(smaller)
                if len(body) <= MAX_BODY:
                    break
        return body


def _key(public: Public) -> tuple[Any, ...]:
    """All that a body may depend on and that is not copied into it."""
    return (*public[:4], public.doc_url, public.retryable, public.param is None, public.retry_after is None)


def shrunk(public: Public) -> Iterable[Public]:
    """Ever less of it: shorter values, fewer findings, no extensions, a short message. The message is marked."""
    for values, findings, words in ((50, 50, 4000), (0, 20, 1000), (0, 0, 100)):
        message = clean(public.message, words)
        yield public._replace(
            message=message if message.endswith(CUT) else f"{message} {CUT}",
            param=clean(public.param or "", 100) or None,
            details=tuple(detail._replace(message=clean(detail.message, 200)) for detail in public.details[:findings]),
            extensions={name: safe(value, 200) for name, value in list(public.extensions.items())[:values]},
        )


def bounded(cache: dict[K, V]) -> dict[K, V]:
    """A cache that may take one entry more: emptied where it has become large."""
    if len(cache) >= _MAX_TEMPLATES:
        cache.clear()
    return cache
