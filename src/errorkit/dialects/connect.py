"""Connect's unary error, as the connectrpc clients read it.

Source: connectrpc.com/docs/protocol, "Error end-stream" and "Unary-Response"; connect-python
`_protocol.py`; connect-es `protocol-connect/error-json.ts`. The details are base64 of
protobuf messages of `google.rpc`.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from typing_extensions import TypedDict

from errorkit.dialects import google_rpc, items, member, text
from errorkit.failure import Public

_SCHEMA: Mapping[str, tuple[tuple[int, str, str], ...]] = {
    "ErrorInfo": ((1, "reason", "string"), (2, "domain", "string"), (3, "metadata", "map")),
    "RequestInfo": ((1, "requestId", "string"),),
    "BadRequest": ((1, "fieldViolations", "FieldViolation"),),
    "FieldViolation": ((1, "field", "string"), (2, "description", "string"), (3, "reason", "string")),
    "RetryInfo": ((1, "retryDelay", "duration"),),
    "Help": ((1, "links", "Link"),),
    "Link": ((1, "description", "string"), (2, "url", "string")),
    "Entry": ((1, "key", "string"), (2, "value", "string")),
}
"""Number, JSON name and type of the fields of each message (google/rpc/error_details.proto)."""

_PREFIX = "google.rpc."


def _word(code: str) -> str:
    return "canceled" if code == "CANCELLED" else code.lower()


def _request_info(request_id: str) -> str:
    """The value of a RequestInfo."""
    return _base64(encode("RequestInfo", {"requestId": request_id}))


def _base64(data: bytes) -> str:
    return b64encode(data).decode("ascii").rstrip("=")


class Info(TypedDict):
    type: str
    value: str
    debug: dict[str, Any]


class Body(TypedDict):
    code: str
    message: str
    details: list[Info]


class Connect(google_rpc.RPCDialect):
    """The status follows the code, as the protocol has it, within 4xx and within 5xx."""

    name = "connect"
    Body = Body
    places = google_rpc.places("$.details[?@.type=='google.rpc.{}'].debug")
    types = {status: _word(code) for status, code in google_rpc.CODE_OF_STATUS.items()} | {413: "resource_exhausted"}
    status_of_type = {_word(code): status for code, status in google_rpc.STATUS_OF_CODE.items()}
    known_types = frozenset(status_of_type)
    copies = ("message", "request_id", "resume_at")
    id_forms = MappingProxyType({"request_info": _request_info})

    def write(self, public: Public) -> dict[str, Any]:
        details = [
            {
                "type": _PREFIX + name,
                "value": _base64(encode(name, message)),
                "debug": message,
            }
            for name, message in self.messages(public)
        ]
        return {"code": public.type, "message": public.message, "details": details}

    def read(self, status: int, headers: Mapping[str, str], body: Any) -> Public:
        details = {}
        for item in items(member(body, "details")):
            name = text(item.get("type")).removeprefix(_PREFIX)
            if name in _SCHEMA:
                details[name] = decode(name, _bytes(text(item.get("value"))))
        return self.public(
            status,
            headers,
            type=text(member(body, "code")),
            message=text(member(body, "message")),
            **self.fields(details),
        )


def encode(name: str, message: Mapping[str, Any]) -> bytes:
    """A message from its JSON form, as protobuf. All its fields are length-delimited."""
    out = bytearray()
    for number, field, kind in _SCHEMA[name]:
        for part in _parts(kind, message.get(field)):
            out += bytes((number << 3 | 2,)) + _varint(len(part)) + part
    return bytes(out)


def _parts(kind: str, value: Any) -> Iterator[bytes]:
    if kind == "string":
        if value:
            yield value.encode("utf-8", "replace")
    elif kind == "map":
        for key, item in (value or {}).items():
            yield encode("Entry", {"key": key, "value": item})
    elif kind == "duration":
        seconds = int(value.removesuffix("s"))
        yield b"\x08" + _varint(seconds) if seconds else b""
    else:
        for item in value or ():
            yield encode(kind, item)


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def decode(name: str, data: bytes) -> dict[str, Any]:
    """The strings, maps and lists of a message in its JSON form. Total: stops at what it cannot read."""
    fields = {number: (field, kind) for number, field, kind in _SCHEMA[name]}
    message: dict[str, Any] = {}
    for number, part in _chunks(data):
        field, kind = fields.get(number, ("", ""))
        if kind == "string":
            message[field] = part.decode("utf-8", "replace")
        elif kind == "map":
            entry = decode("Entry", part)
            message.setdefault(field, {})[entry.get("key", "")] = entry.get("value", "")
        elif kind in _SCHEMA:
            message.setdefault(field, []).append(decode(kind, part))
    return message


def _chunks(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Number and content of the length-delimited fields of a message, up to one of another kind, or a broken one."""
    position = 0
    while position < len(data) and data[position] & 0x87 == 2:
        number, length = data[position] >> 3, 0
        for index, byte in enumerate(data[position + 1 : position + 6]):
            length |= (byte & 0x7F) << 7 * index
            if byte < 0x80:
                break
        else:
            return
        start = position + 2 + index
        position = start + length
        if position <= len(data):
            yield number, data[start:position]


def _bytes(value: str) -> bytes:
    try:
        return b64decode(value + "=" * (-len(value) % 4))
    except ValueError:
        return b""
