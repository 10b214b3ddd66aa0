"""Drives a WSGI application as a server does (PEP 3333)."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any
from wsgiref.util import setup_testing_defaults

from fidelity.observed import Answer, Call, Observation, Socket

if TYPE_CHECKING:
    from fidelity.twins import Twin


def drive_wsgi(app: Any, calls: Sequence[Call | Socket], twin: Twin, seen: Observation) -> list[Answer]:
    """One request after the other."""
    answers: list[Answer] = []
    for call in calls:
        assert isinstance(call, Call)
        twin.begin(call)
        before = len(seen.events)
        answer = Exchange(call, twin).run(app)
        answer.events = [event for event in seen.events[before:] if event["event"] == "request_failed"]
        answers.append(answer)
    return answers


class Exchange:
    """One request, its steps one by one, so that two can be interleaved."""

    def __init__(self, call: Call, twin: Twin) -> None:
        self.call, self.twin, self.answer = call, twin, Answer()
        self.chunks: Any = ()
        self.sent = 0

    def environ(self) -> dict[str, Any]:
        """What a server says of the request."""
        path, _, query = self.call.path.partition("?")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.call.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "wsgi.input": BytesIO(self.call.body),
            "CONTENT_LENGTH": str(len(self.call.body)) if self.call.body else "",
            "HTTP_HOST": "api.test",
        }
        for name, value in self.call.headers:
            key = name.upper().replace("-", "_")
            environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
        environ.update(self.call.extra)
        setup_testing_defaults(environ)
        return environ

    def _start(self, line: str, fields: list[tuple[str, str]], exc_info: Any = None) -> Any:
        if exc_info is not None and self.sent:
            raise exc_info[1].with_traceback(exc_info[2])
        assert exc_info is not None or not self.answer.status, "start_response was called twice"
        self.answer.status = int(line[:3])
        self.answer.take_headers(fields)
        return self._write

    def _write(self, data: bytes) -> None:
        assert self.answer.status, "a body came before start_response"
        self.sent += len(data)
        self.answer.body += data

    def begin(self, app: Any) -> None:
        """Call the application."""
        environ = self.environ()
        wrapper = environ.get("wsgi.file_wrapper")
        self.chunks = app(environ, self._start)
        if isinstance(wrapper, type) and isinstance(self.chunks, wrapper):
            self.twin.step("the server's own file")
        self.iterator = iter(self.chunks)

    def pull(self) -> bool:
        """The next chunk. False: there is none."""
        for chunk in self.iterator:
            self._write(chunk)
            return True
        self.answer.complete = bool(self.answer.status)
        return False

    def close(self) -> None:
        """As servers do it."""
        close = getattr(self.chunks, "close", None)
        if close is not None:
            close()

    def run(self, app: Any) -> Answer:
        """All of it."""
        answer = self.answer
        try:
            try:
                self.begin(app)
                while self.pull():
                    if self.call.leaves == "send" and self.sent:
                        self.twin.step("the client has left")
                        break
            finally:
                self.close()
        except Exception as raised:
            answer.raised = self.twin.label(raised)
        if not self.sent and not answer.complete and not self.call.leaves:
            answer.by_server, answer.status, answer.complete = True, 500, True
            answer.body = b"Internal Server Error"
            answer.headers = [("content-type", "text/plain"), ("content-length", "21")]
        return answer
