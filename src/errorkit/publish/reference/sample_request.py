"""A request that gets an error: of an operation that gives it, as the service's document describes it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from errorkit.catalog import Catalog, ErrorSpec
from errorkit.dialects import Dialect
from errorkit.errors import MalformedJSONError, ValidationError
from errorkit.failure import Detail
from errorkit.publish import Options
from errorkit.publish.described_operations import Finding, Operation
from errorkit.publish.pair_difference import difference, request_line
from errorkit.publish.reference.credentials import Credential, challenged, required
from errorkit.publish.reference.giving_operations import plainest
from errorkit.publish.wire_example import MISSING, request_id

JSON, FORM, MULTIPART = "application/json", "application/x-www-form-urlencoded", "multipart/form-data"
_WITH_BODY = ("POST", "PUT", "PATCH")
BOUNDARY = "part"
_PLACE = re.compile(r"\{([^{}]*)\}")
_METHODS = ("DELETE", "PUT", "PATCH", "POST", "GET")


class Sample(NamedTuple):
    """One request.

    target: path and query, beginning with a slash. headers: in values `$TOKEN` and the like stand for secrets.
    body: text, empty for none; of a media type. parts: of a body of multipart/form-data, which has no text of its own.
    finding: what is wrong with it, of a validation failure. allow: the methods that its resource has, where it is
    about these. id_header: the name of the one for the request ID.
    """

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    media_type: str = JSON
    parts: tuple[tuple[str, str], ...] = ()
    finding: Detail | None = None
    allow: str = "GET, POST"
    id_header: str = ""

    def text(self, host: str) -> str:
        """The request as it goes over the wire (HTTP/1.1)."""
        lines = [f"{self.method} {self.target} HTTP/1.1", f"Host: {host}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        if self.parts:
            head = f"--{BOUNDARY}\nContent-Disposition: form-data; name="
            return "\n".join(
                [*lines, "", *(f'{head}"{name}"\n\n{value}' for name, value in self.parts), f"--{BOUNDARY}--"]
            )
        return "\n".join(lines) + (f"\n\n{pretty(self.body)}" if self.body else "")


def sample(catalog: Catalog, spec: ErrorSpec, dialect: Dialect, options: Options) -> Sample:
    """A request that gets this error in this dialect: of an operation that gives it, or a plausible one."""
    operation = plainest(spec, dialect, options)
    if operation is None or not options.document:
        made, credentials = _usual(spec, operation), challenged(catalog)
    else:
        made, credentials = _Request(operation, spec).sample(), required(operation)
    made = _as_the_author_shows(made, spec)
    return _completed(made, () if spec.status == 401 else credentials, dialect)


def pretty(text: str) -> str:
    """JSON with indentation; any other text as it is."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text


class _Request:
    """A request of a described operation, wrong in the way that an error is about."""

    def __init__(self, operation: Operation, spec: ErrorSpec) -> None:
        self.operation, self.spec = operation, spec
        self.path = operation.values("path")
        self.query = operation.values("query")
        self.headers = operation.values("header")
        self.content: Any = operation.content() if operation.takes_body else None

    def sample(self) -> Sample:
        finding = None
        if issubclass(self.spec.cls, ValidationError):
            finding = self.operation.missing() or self.operation.invalid() or self.operation.unacceptable()
        if finding is not None:
            self._spoil(finding)
        method, allow = self.operation.method, "GET, POST"
        if self.spec.status == 405:
            method, allow = self._other_method()
        if self.spec.status in (404, 410):
            self._look_for_nothing()
        if self.spec.status == 412:
            self.headers = {**self.headers, "If-Match": '"1"'}
        body, parts = ("", ()) if self.content is None else self._body()
        media_type = self.operation.media_type or JSON
        if self.spec.status == 415 and body:
            media_type = "application/octet-stream"
        return Sample(
            method,
            self._target(),
            tuple((name.title(), _plain(value)) for name, value in self.headers.items()),
            body,
            media_type,
            parts,
            None if finding is None else finding.detail,
            allow,
        )

    def _spoil(self, finding: Finding) -> None:
        name, place = str(finding.detail.path[0]), finding.detail.location
        holder = {"path": self.path, "query": self.query, "header": self.headers}.get(place, self.content)
        if isinstance(holder, dict):
            holder.pop(name, None)
            if not finding.missing:
                holder[name] = finding.value

    def _other_method(self) -> tuple[str, str]:
        item = self.operation.document.get("paths", {}).get(self.operation.path, {})
        allowed = [method.upper() for method in item if method.upper() in (*_METHODS, "HEAD", "OPTIONS")]
        self.content = None
        return next((method for method in _METHODS if method not in allowed), "TRACE"), ", ".join(allowed)

    def _look_for_nothing(self) -> None:
        for name, value in reversed(self.path.items()):
            if value == "example":  # a text without a form of its own
                self.path[name] = "unknown" if self.spec.status == 404 else "former"
                break

    def _body(self) -> tuple[str, tuple[tuple[str, str], ...]]:
        media_type = self.operation.media_type
        if "json" in media_type:
            text = json.dumps(self.content, ensure_ascii=False)
            broken = issubclass(self.spec.cls, MalformedJSONError)
            return (f"{text[:-1]}," if broken and text[-1:] in "]}" else "{" if broken else text), ()
        fields = self.content if isinstance(self.content, dict) else {}
        if media_type == MULTIPART:
            return "", tuple((name, _plain(value)) for name, value in fields.items()) or (("", ""),)
        if media_type == FORM:
            return urlencode({name: _plain(value) for name, value in fields.items()}), ()
        return str(self.content), ()

    def _target(self) -> str:
        path = self.operation.path
        for name, value in self.path.items():
            path = path.replace(f"{{{name}}}", quote(_plain(value), safe=""))
        query = urlencode({name: _plain(value) for name, value in self.query.items()})
        return _filled(path) + (f"?{query}" if query else "")


def _usual(spec: ErrorSpec, operation: Operation | None) -> Sample:
    """Where no document tells more than a method and a path, if that."""
    method, path, body = {
        400: ("POST", "/resources", '{"name": '),
        404: ("GET", "/resources/unknown", ""),
        405: ("DELETE", "/resources", ""),
        410: ("GET", "/resources/former", ""),
        429: ("GET", "/resources", ""),
    }.get(spec.status, ("POST", "/resources", '{"name": "example"}'))
    rejected = issubclass(spec.cls, ValidationError)
    if rejected:
        method, path, body = "POST", "/resources", "{}"
    if operation is not None:
        method, path = operation.method, _filled(operation.path)
        body = (body or '{"name": "example"}') if method in _WITH_BODY else ""
    return Sample(method, path, body=body, finding=MISSING if rejected and body else None)


def _as_the_author_shows(made: Sample, spec: ErrorSpec) -> Sample:
    if not spec.examples:
        return made
    bad = spec.examples[0].bad
    finding = difference(spec) or (made.finding if bad == made.body else None)
    line = request_line(bad)
    if line is not None:
        return made._replace(method=line.method, target=line.target, body="", parts=(), finding=finding)
    method = made.method if made.method in _WITH_BODY else "POST"
    return made._replace(method=method, body=bad, parts=(), finding=finding or MISSING)


def _completed(made: Sample, credentials: Iterable[Credential], dialect: Dialect) -> Sample:
    """With what every request has: credentials, an ID, the media type of its body."""
    headers, target = [*made.headers], made.target
    for place, name, value in credentials:
        if place == "query":
            target += f"{'&' if '?' in target else '?'}{name}={value}"
        else:
            headers.append(("Cookie", f"{name}={value}") if place == "cookie" else (name, value))
    headers.append((dialect.request_id_header, request_id(dialect)))
    if made.parts:
        headers.append(("Content-Type", f"{MULTIPART}; boundary={BOUNDARY}"))
    elif made.body:
        headers.append(("Content-Type", made.media_type))
    return made._replace(target=target, headers=tuple(headers), id_header=dialect.request_id_header)


def _filled(path: str) -> str:
    """A path without the places for parameters that nothing more is known of."""
    return _PLACE.sub(lambda place: "1" if place[1].endswith(("id", "number")) else "example", path)


def _plain(value: Any) -> str:
    """A value as text: of a list its first, since the others go under the same name."""
    if isinstance(value, list):
        return _plain(value[0]) if value else ""
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
