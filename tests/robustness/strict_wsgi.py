"""PEP 3333 by the standard library's own validator, and a driver for one exchange."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import Any
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator


@dataclass
class Answer:
    """What left a WSGI application."""

    status: int = 0
    fields: list[tuple[str, str]] = field(default_factory=list)
    chunks: list[bytes] = field(default_factory=list)
    escaped: BaseException | None = None
    errors: str = ""
    starts: int = 0

    @property
    def body(self) -> bytes:
        """All chunks."""
        return b"".join(self.chunks)

    @property
    def headers(self) -> dict[str, str]:
        """The fields, names in lower case; several of one name are joined."""
        joined: dict[str, str] = {}
        for name, value in self.fields:
            key = name.lower()
            joined[key] = f"{joined[key]}, {value}" if key in joined else value
        return joined


def serve(
    app: Any, path: str = "/", method: str = "GET", headers: dict[str, str] | None = None, *, stop_after: int = -1
) -> Answer:
    """One request, validated on both sides of the application; a HEAD body counts as a violation.

    stop_after: chunks after which the client leaves (the iterable is closed unread).
    """
    environ: dict[str, Any] = {"SCRIPT_NAME": "", "PATH_INFO": path, "REQUEST_METHOD": method, "QUERY_STRING": ""}
    setup_testing_defaults(environ)
    environ["wsgi.input"], errors = io.BytesIO(b""), io.StringIO()
    environ["wsgi.errors"] = errors
    for name, value in (headers or {}).items():
        environ["HTTP_" + name.upper().replace("-", "_")] = value
    answer = Answer()

    def start_response(line: str, fields: list[tuple[str, str]], exc_info: Any = None) -> Any:
        if answer.starts and exc_info is None:
            raise AssertionError("start_response was called twice")
        answer.starts += 1
        answer.status, answer.fields = int(line[:3]), list(fields)
        return answer.chunks.append

    body = None
    try:
        body = validator(app)(environ, start_response)
        iterator = iter(body)
        while len(answer.chunks) != stop_after:
            try:
                chunk = next(iterator)
            except StopIteration:
                break
            assert answer.starts, "a chunk before start_response"
            if chunk:
                answer.chunks.append(chunk)
    except BaseException as exception:
        answer.escaped = exception
    finally:
        if body is not None:
            try:
                body.close()
            except Exception as exception:
                answer.escaped = answer.escaped or exception
    answer.errors = errors.getvalue()
    return answer
