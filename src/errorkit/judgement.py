"""What becomes of an answer that other code has shaped: looked at or not, taken over or left alone, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from errorkit.adoption import Adopted, field_map, read_by_dialect, read_by_function
from errorkit.catalog import ErrorSpec
from errorkit.config import Config
from errorkit.dialects import Dialect
from errorkit.error_body import PACKED, BoundedBody, is_json, json_of
from errorkit.errors import APIError
from errorkit.events import last_resort
from errorkit.identification import Identifier
from errorkit.normalisation import MAX_BODY, Default, recognise
from errorkit.texts import clean
from errorkit.validation import as_error

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
        self.limit = MAX_READ if self._reads else MAX_BODY
        """Bytes of a body that are held."""

    def leaves(self, shaped_by: str, headers: Sequence[tuple[bytes, bytes]]) -> str:
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
        if coding and not (self._reads and (coding in PACKED or coding == "identity")):
            return f"content-encoding {clean(coding, 40)}"
        if length.isdecimal():
            return f"longer than {self.limit} bytes" if len(length) > 9 or int(length) > self.limit else ""
        if not self._reads:
            return "no content-length"
        return "a stream" if media_type.startswith(_STREAMS) else ""

    def verdict(self, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes, *, head: bool) -> Verdict | str:
        """What takes an answer's place, or why nothing does.

        head: the response is to a HEAD request: its fields tell of a body that is not sent.
        """
        fields = field_map(headers)
        bounded = BoundedBody(fields.get("content-encoding", ""), limit=self.limit)
        bounded.feed(body)
        whole = bounded.decoded()
        if whole is None:
            packed = fields.get("content-encoding", "")
            return f"longer than {self.limit} bytes" + (", or it cannot be unpacked" if packed else "")
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
            default = recognise(status, headers, whole, self._policy, head=head)
        if default is None:
            return NOT_RECOGNISED if self._readers else NOT_A_DEFAULT
        lost = self._policy == "all" and default == Default() and whole
        return Verdict(self._of_default(status, default), _told(said) if lost else None)

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

    def _of_default(self, status: int, default: Default) -> Adopted:
        if default.findings:
            error: APIError = as_error(default.findings, field_codes=self._catalog.field_codes)
            return Adopted(error, self._spec_of(type(error)))
        spec = self._catalog.by_status(status)
        return Adopted(spec.occurrence(default.message if status < 500 else None), spec)


def _told(said: Any) -> Any:
    """A body for the log: as JSON where it was JSON."""
    return clean(said.decode("utf-8", "replace"), _MAX_TOLD) if isinstance(said, bytes) else said
