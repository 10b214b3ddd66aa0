"""WSGI (PEP 3333): carries failures of any WSGI application to the handler.

The application's first chunk is pulled before the server's `start_response` is called, so
that a generator that fails at once still gets an error response on every server.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextvars import Token
from functools import lru_cache
from time import perf_counter
from typing import TYPE_CHECKING, Any

from errorkit.exchange import RawHeaders, Request, Response, phrase
from errorkit.normalisation import MAX_BODY, candidate, recognise
from errorkit.request_id import current

if TYPE_CHECKING:  # pragma: no cover - building a handler loads pydantic, importing this does not
    from errorkit.config import Config
    from errorkit.handler import ErrorHandler

Environ = dict[str, Any]
StartResponse = Callable[..., Callable[[bytes], object]]
WSGIApp = Callable[[Environ, StartResponse], Iterable[bytes]]

ENVIRON_KEY = "errorkit.request"
_MAX_EMPTY = 64
"""Empty chunks after which an application is taken to be waiting for something."""


class WSGIRequest(Request):
    """A request of one WSGI environ."""

    def __init__(self, environ: Environ, owner: object) -> None:
        self.environ = environ
        self.owner = owner
        """The handler that answers for it."""
        self.started = perf_counter()

    def began(self) -> None:
        """The application has called start_response."""

    @property
    def method(self) -> str:  # type: ignore[override]
        """The HTTP method."""
        return str(self.environ.get("REQUEST_METHOD", "GET"))

    @property
    def path(self) -> str:
        """The path without its query, as it was sent."""
        raw = self.environ.get("SCRIPT_NAME", "") + self.environ.get("PATH_INFO", "")
        return str(raw.encode("latin-1", "replace").decode("utf-8", "replace"))

    def header(self, name: bytes) -> str | None:
        """A request header's first value."""
        value = self.environ.get(_environ_name(name))
        return None if value is None else str(value)


class Answer:
    """What the application has said so far: its status, headers, and what followed."""

    status = 0
    line = ""
    headers: Iterable[tuple[str, str]] = ()
    called = False
    sent = False

    def __init__(self, start_response: StartResponse) -> None:
        self.start_response = start_response

    def begin(self, request: WSGIRequest, id_name: str | None) -> Callable[[bytes], object]:
        """Call the server's `start_response` with what the application gave."""
        self.sent = True
        headers = list(self.headers)
        if id_name is not None:
            lowered = id_name.lower()
            for name, _ in headers:
                if name.lower() == lowered:
                    headers = [pair for pair in headers if pair[0].lower() != lowered]
                    break
            headers.append((id_name, request.request_id))
        return self.start_response(self.line, headers)


class ErrorMiddleware:
    """The outermost place, for any WSGI application.

    config: a `Config`; or its settings as keywords (`dialect="problem"`, ...).

    Raises ConfigurationError where these cannot be used.
    """

    request_class: type[WSGIRequest] = WSGIRequest

    def __init__(
        self, app: WSGIApp, *, config: Config | None = None, handler: ErrorHandler | None = None, **settings: Any
    ) -> None:
        if handler is None:
            from errorkit.handler import build_handler

            handler = build_handler(config, settings)
        self.app = app
        self.handler = handler
        self.policy = self.handler.config.normalise

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        handler = self.handler
        outer: WSGIRequest | None = environ.get(ENVIRON_KEY)
        request = self.request_class(environ, handler)
        renderer = handler.renderer_for(environ.get("PATH_INFO", "") if outer is None else request.path)
        if renderer is None or (outer is not None and outer.owner is handler):
            return self.app(environ, start_response)
        request.renderer = renderer
        id_name: str | None = renderer.dialect.request_id_header
        if outer is None:
            inbound = environ.get(_environ_name(renderer.id_header))
            request.request_id = handler.request_id(
                renderer, None if inbound is None else inbound.encode("latin-1", "replace")
            )
        else:
            request.request_id, request.outer, id_name = outer.request_id, outer, None
        environ[ENVIRON_KEY] = request
        token = current.set(request.request_id)
        body = Body(self, request, Answer(start_response), outer, token, id_name)
        try:
            return body.open()
        except BaseException:
            body.close()
            raise

    def propagates(self, exception: Exception) -> bool:
        """Shall an exception that nobody declared reach the server."""
        return self.handler.config.reraise and not self.handler.identifier.handles(exception)


class Body:
    """One response's body: the application's, or errorkit's in its place."""

    inner: Iterable[bytes] = ()
    iterator: Iterator[bytes] = iter(())
    tail = b""
    ended = False

    def __init__(
        self,
        middleware: ErrorMiddleware,
        request: WSGIRequest,
        answer: Answer,
        outer: WSGIRequest | None,
        token: Token[str | None],
        id_name: str | None,
    ) -> None:
        self.middleware = middleware
        self.handler = middleware.handler
        self.request = request
        self.answer = answer
        self.outer = outer
        self.token: Token[str | None] | None = token
        self.id_name = id_name
        self.pending: list[bytes] = []

    def open(self) -> Iterable[bytes]:
        """Run the application as far as its first chunk, and decide what is answered."""
        answer, request = self.answer, self.request
        try:
            self.inner = self.middleware.app(request.environ, self.start_response)
            wrapper = request.environ.get("wsgi.file_wrapper")
            if isinstance(wrapper, type) and isinstance(self.inner, wrapper) and answer.status < 400:
                answer.begin(request, self.id_name)  # the server's own object, so that it may use sendfile
                inner, self.inner = self.inner, ()
                self.ended = True
                self.close()
                return inner
            self.iterator = iter(self.inner)
            self._pull()
        except Exception as exception:
            if answer.sent:  # through write(): headers are out
                self._broken(exception)
                raise
            if self.middleware.propagates(exception):
                self.handler.respond(request, exception)
                raise
            self._replace(self.handler.respond(request, exception))
            return self
        if not answer.called:
            missing = RuntimeError("the application returned without calling start_response")
            self._replace(self.handler.respond(request, missing))
        elif not answer.sent and (answer.status < 400 or not self._normalised()):
            answer.begin(request, self.id_name)
        return self

    def start_response(
        self, line: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], object]:
        """PEP 3333's start_response, for the application."""
        answer = self.answer
        if exc_info is not None:
            try:
                if answer.sent:
                    raise exc_info[1].with_traceback(exc_info[2])
                self.request.exception = exc_info[1]
            finally:
                exc_info = None
        elif answer.called:
            raise AssertionError("start_response was called twice without exc_info")
        answer.called = True
        answer.line, answer.headers = line, list(headers)
        answer.status = int(line[:3])
        self.request.began()
        return self._write

    def __iter__(self) -> Iterator[bytes]:
        """What is left of the body, the event at its end."""
        while self.pending:
            yield self.pending.pop(0)
        if not self.ended:
            try:
                for chunk in self.iterator:
                    self.tail = chunk
                    yield chunk
            except Exception as exception:
                frame = self._broken(exception)
                if frame is None:
                    raise
                yield frame
            finally:
                self.ended = True
        self._record()

    def close(self) -> None:
        """Close the application's iterable and write the event, both once."""
        token, self.token = self.token, None
        if token is None:
            return
        try:
            close = getattr(self.inner, "close", None)
            if close is not None:
                close()
        except Exception as exception:
            if self.request.failure is None:
                self.handler.broke(self.request, exception, "background")
            raise
        finally:
            self._record()
            try:
                current.reset(token)
            except ValueError:  # closed in another context than it was opened in
                current.set(None)
            if self.outer is not None:
                self.request.environ[ENVIRON_KEY] = self.outer
            else:
                self.request.environ.pop(ENVIRON_KEY, None)  # else the two would hold each other

    def _pull(self) -> None:
        """Chunks up to the first that is not empty, or up to a bound."""
        for chunk in self.iterator:
            self.pending.append(chunk)
            if chunk or len(self.pending) == _MAX_EMPTY:
                self.tail = chunk
                return
        self.ended = True

    def _write(self, data: bytes) -> object:
        """The legacy way of sending: nothing can be held back."""
        if not self.answer.sent:
            self._server_write = self.answer.begin(self.request, self.id_name)
        return self._server_write(data)

    def _normalised(self) -> bool:
        """Put a default error body into the dialect. False: it is somebody's own."""
        answer, request = self.answer, self.request
        if request.ours or request.deliberate or self.middleware.policy == "off":
            return False
        headers: RawHeaders = [(n.encode("latin-1"), v.encode("latin-1")) for n, v in answer.headers]
        if not candidate(headers, self.middleware.policy):
            return False
        size = sum(map(len, self.pending))
        while not self.ended and size <= MAX_BODY:
            try:
                chunk = next(self.iterator)
            except StopIteration:
                self.ended = True
                break
            self.pending.append(chunk)
            size += len(chunk)
        if not self.ended:
            return False
        default = recognise(answer.status, headers, b"".join(self.pending), self.middleware.policy)
        if default is None:
            return False
        self._replace(self.handler.renormalise(request, answer.status, headers, default))
        return True

    def _replace(self, response: Response) -> None:
        """Answer with errorkit's response instead of the application's."""
        answer, request = self.answer, self.request
        self.handler.annotate(request)
        request.claim()
        answer.status = response.status
        answer.line = f"{response.status} {phrase(response.status)}"
        own = request.renderer.id_header
        answer.headers = [(titled(n), v.decode("latin-1")) for n, v in response.headers if n != own]
        self.pending = [] if request.method == "HEAD" else [response.body]
        self.ended = True
        answer.begin(request, self.id_name)

    def _broken(self, exception: Exception) -> bytes | None:
        """A failure after the first byte: the dialect's last event, or an honest abort."""
        fields = {name.lower(): value for name, value in self.answer.headers}
        if (
            fields.get("content-type", "").lower().startswith("text/event-stream")
            and "content-length" not in fields
            and "content-encoding" not in fields
        ):
            frame = self.handler.stream_event(self.request, exception)
            if frame is not None:
                return frame if self.tail.endswith(b"\n\n") else b"\n\n" + frame
        self.handler.broke(self.request, exception, "aborted")
        return None

    def _record(self) -> None:
        request, status = self.request, self.answer.status
        if request.recorded:
            return
        if request.failure is None:
            if status < 400:
                return
            self.handler.observe(request, status)
        self.handler.record(request)
        if self.outer is not None:
            self.outer.recorded = True


@lru_cache(maxsize=256)
def _environ_name(name: bytes) -> str:
    return "HTTP_" + name.decode("ascii").upper().replace("-", "_")


@lru_cache(maxsize=256)
def titled(name: bytes) -> str:
    """A header's name as WSGI applications spell it: `X-Request-Id`."""
    return name.decode("ascii").title()
