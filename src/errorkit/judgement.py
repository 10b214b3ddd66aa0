"""What becomes of an answer that other code has shaped: looked at or not, taken over or left alone, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from errorkit.adoption import Adopted, field_map, of_default, read_by_dialect, read_by_function
from errorkit.applications import Inside
from errorkit.catalog import ErrorSpec
from errorkit.config import Config
from errorkit.debug_pages import may_show_traceback
from errorkit.default_bodies import Default
from errorkit.dialects import Dialect
from errorkit.error_body import PACKED, BoundedBody, is_json, json_of
from errorkit.errors import APIError
from errorkit.events import last_resort
from errorkit.framework_defaults import MAX_BODY, MAX_DEBUG_PAGE, SHOW_TRACEBACKS, UNSIZED
from errorkit.identification import Identifier
from errorkit.normalisation import recognise
from errorkit.texts import clean

MAX_READ = 65536
"""Bytes of a body, on the wire and decoded, that a reader is given; a longer one passes."""
_MAX_TOLD = 2000
_STREAMS = ("text/event-stream", "multipart/", "application/x-ndjson", "application/jsonl", "application/stream+json")

NOT_A_DEFAULT = "no framework's default"
NOT_RECOGNISED = "no reader recognises it"


class Verdict(NamedTuple):
    """An answer is taken over: by which error, and what was there, for the operator."""

    adopted: Adopted
    replaced: Any = None


class Judge:
    """Knows by the configuration which answers of other code are put into the dialect."""

    def __init__(self, config: Config, identifier: Identifier) -> None:
        self._policy = config.normalise
        self._readers: tuple[Any, ...] = config.adopt
        self._unknown_codes = config.unknown_codes
        self._catalog = config.catalog
        self._spec_of: Callable[[type[APIError]], ErrorSpec] = identifier.spec
        dialects = [reader for reader in self._readers if isinstance(reader, Dialect)]
        self._json_types = frozenset(dialect.media_type.partition(";")[0].strip().lower() for dialect in dialects)
        """What these call their JSON: `application/x-amz-json-1.0` is not said to be any."""
        self._reads = bool(self._readers) or self._policy == "all"
        self._debug_pages = not config.reraise
        self._inside = _OF_ADAPTERS
        self._opens = self._reads
        """Are bodies looked at that are packed, or that come without a Content-Length."""
        self._limit = self._limit_with_traceback = MAX_READ if self._reads else MAX_BODY

    def serves(self, inside: Inside) -> None:
        """Only what is inside can answer by itself; called once, by an adapter that has looked."""
        self._inside = inside
        self._opens = self._reads or not inside.frameworks.isdisjoint(UNSIZED)
        if self._debug_pages and not inside.frameworks.isdisjoint(SHOW_TRACEBACKS):
            self._limit_with_traceback = MAX_DEBUG_PAGE

    def serves_too(self, inside: Inside) -> None:
        """An application of another framework is mounted in the one that is served."""
        if inside.frameworks - self._inside.frameworks:
            self.serves(self._inside._replace(frameworks=self._inside.frameworks | inside.frameworks))

    def limit(self, status: int) -> int:
        """Bytes of a body that are held."""
        return self._limit_with_traceback if may_show_traceback(status) else self._limit

    def leaves(self, status: int, shaped_by: str, headers: Sequence[tuple[bytes, bytes]]) -> str:
        """Why an error's body is not looked at, by its header fields; empty: its start is held until it is complete.

        shaped_by: who has made it, where that is known.
        """
        if not self._reads:
            if self._policy == "off":
                return "normalise is off"
            if shaped_by:
                return "made by a handler"
        length, coding, media_type = "", "", ""
        for name, value in headers:
            lowered = name.lower()
            if lowered == b"content-length":
                length = value.decode("latin-1")
            elif lowered == b"content-encoding":
                coding = value.decode("latin-1").strip().lower()
            elif lowered == b"content-type":
                media_type = value.decode("latin-1").lower()
        if coding and not (self._opens and (coding in PACKED or coding == "identity")):
            return f"content-encoding {clean(coding, 40)}"
        if length.isdecimal():
            limit = self.limit(status)
            return f"longer than {limit} bytes" if len(length) > 9 or int(length) > limit else ""
        if not self._opens:
            return "no content-length"
        return "a stream" if media_type.startswith(_STREAMS) else ""

    def verdict(self, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes, *, head: bool) -> Verdict | str:
        """What takes an answer's place, or why nothing does.

        head: the response is to a HEAD request: its fields tell of a body that is not sent.
        """
        fields = field_map(headers)
        limit = self.limit(status)
        bounded = BoundedBody(fields.get("content-encoding", ""), limit=limit)
        bounded.feed(body)
        whole = bounded.decoded()
        if whole is None:
            packed = fields.get("content-encoding", "")
            return f"longer than {limit} bytes" + (", or it cannot be unpacked" if packed else "")
        media_type = fields.get("content-type", "").partition(";")[0].strip().lower()
        said: Any = whole
        if self._reads and whole and (is_json(media_type) or media_type in self._json_types):
            said = json_of(whole)
        if self._readers and whole:
            adopted = self._read(status, fields, said)
            if adopted is not None:
                return Verdict(adopted, _told(said))
        default = None
        if self._policy != "off":
            default = recognise(
                status, headers, whole, self._policy, self._inside, head=head, debug_pages=self._debug_pages
            )
        if default is None:
            return NOT_RECOGNISED if self._readers else NOT_A_DEFAULT
        withheld = status >= 500 and default.message is not None
        if withheld and not self._reads and is_json(media_type):
            said = json_of(whole)
        lost = withheld or (self._policy == "all" and default == Default() and whole)
        adopted = of_default(default, self._catalog, self._spec_of, status)
        return Verdict(adopted, _told(said) if lost else None)

    def _read(self, status: int, fields: Mapping[str, str], body: Any) -> Adopted | None:
        for reader in self._readers:
            try:
                if isinstance(reader, Dialect):
                    adopted = read_by_dialect(reader, self._catalog, self._unknown_codes, status, fields, body)
                else:
                    adopted = read_by_function(reader, self._spec_of, status, fields, body)
            except Exception as own:  # the next one is asked
                last_resort("a reader of adopt= failed", own)
                continue
            if adopted is not None:
                return adopted
        return None


_OF_ADAPTERS = Inside(frozenset({"Starlette", "FastAPI", "Flask"}), completely=True)
"""What is inside of an adapter that knows its framework."""


def _told(said: Any) -> Any:
    """A body for the log: as JSON where it was JSON."""
    return clean(said.decode("utf-8", "replace"), _MAX_TOLD) if isinstance(said, bytes) else said
