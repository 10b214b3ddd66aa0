"""Which form a body has, JSON, text or bytes: its media type says so; and such a body read."""

from __future__ import annotations

import json
import re
from typing import Any, Literal

from errorkit.error_body import json_of

BodyForm = Literal["JSON", "text", "bytes"]


def form_of(media_type: str) -> BodyForm:
    """JSON where the subtype names it (RFC 6839), text where it is `text/*` or XML (RFC 7303), else bytes."""
    essence = essence_of(media_type)
    kind, _, subtype = essence.partition("/")
    if "json" in subtype:
        return "JSON"
    return "text" if kind == "text" or subtype == "xml" or subtype.endswith("+xml") else "bytes"


def is_xml(media_type: str) -> bool:
    """Is a media type XML (RFC 7303)."""
    subtype = essence_of(media_type).partition("/")[2]
    return subtype == "xml" or subtype.endswith("+xml")


def essence_of(media_type: str) -> str:
    """Without parameters such as a charset, in lower case."""
    return media_type.partition(";")[0].strip().lower()


def from_bytes(form: BodyForm, body: bytes | str) -> Any:
    """What `read` is given: JSON values, a str or bytes; None for bytes that are not of that form."""
    if form == "JSON":
        return json_of(body)
    if form == "bytes":
        return body.encode() if isinstance(body, str) else body
    try:
        return body if isinstance(body, str) else body.decode()
    except UnicodeDecodeError:
        return None


def as_shown(media_type: str, body: str) -> str:
    """A body for people: JSON with indentation, anything else as it is."""
    return json.dumps(json.loads(body), indent=2, ensure_ascii=False) if form_of(media_type) == "JSON" else body


def xml_escaped(value: str) -> str:
    """A text as it stands in an XML element or in a quoted attribute, the same after parsing.

    What XML cannot hold (XML 1.0 section 2.2) becomes U+FFFD; white space that a parser
    would change (2.11, 3.3.3) a reference.
    """
    return _ILLEGAL.sub("\N{REPLACEMENT CHARACTER}", value).translate(_REFERENCES)


_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_REFERENCES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
)
