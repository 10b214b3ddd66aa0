"""WSGI (PEP 3333): an application's calls as events of the exchange, and the exchange's answers as a response.

The application's first chunk is pulled before the server's `start_response` is called, so
that a generator that fails at once still gets an error response on every server.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Unpack
from weakref import WeakValueDictionary

from errorkit.applications import check_protocol
from errorkit.declaration import raises
from errorkit.exchange import RawHeaders, Response, phrase
from errorkit.header_fields import varying
from errorkit.lifecycle import DONE, ENDED, HELD, HOLD, PASSING, RAISE, Exchange, Fate, Frame
from errorkit.request_id import current

if TYPE_CHECKING:  # pragma: no cover - building a handler loads pydantic, importing this does not
    from errorkit.config import Config
    from errorkit.handler import ErrorHandler
    from errorkit.settings import Settings

__all__ = ["ErrorMiddleware", "WSGIExchange", "raises"]

Environ = dict[str, Any]
StartResponse = Callable[..., Callable[[bytes], object]]
WSGIApp = Callable[[Environ, StartResponse], Iterable[bytes]]

ENVIRON_KEY = "errorkit.exchange"
_MAX_EMPTY = 64
"""Empty chunks after which an application is taken to be waiting for something."""


class WSGIExchange(Exchange):
    """The exchange of one WSGI environ."""

    holds_start = True
    tells_at_start = True
    whole: type | None = None
    """The class of a body of which it is known that it is complete: it cannot fail any more."""

    environ: Environ

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

    def began(self) -> None:
        """The application has called start_response for an error."""


class ErrorMiddleware:
    """The outermost place, for any WSGI application.

    config: a `Config`; or its settings as keywords (`dialect="problem"`, ...).

    Raises ConfigurationError where these cannot be used.
    """

    exchange_class: type[WSGIExchange] = WSGIExchange

    def __init__(
        self,
        app: WSGIApp,
        *,
        config: Config | None = None,
        handler: ErrorHandler | None = None,
        **settings: Unpack[Settings],
    ) -> None:
        if handler is None:
            from errorkit.handler import build_handler

            check_protocol(app, 2)
            handler = build_handler(config, settings)
            handler.look_inside(app)
        self.app = app
        self.handler = handler

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        handler = self.handler
        renderer = handler.only_renderer or handler.renderer_for(environ.get("PATH_INFO", ""))
        if renderer is None:
            return self.app(environ, start_response)
        begun: WSGIExchange | None = environ.get(ENVIRON_KEY)
        if begun is not None:  # for what is inside, the innermost errorkit answers
            begun.taken_over(handler, renderer)
            return self.app(environ, start_response)
        inbound = environ.get(_environ_name(renderer.id_header))
        request_id = handler.request_id(renderer, None if inbound is None else inbound.encode("latin-1", "replace"))
        exchange = self.exchange_class(handler, renderer, request_id)
        exchange.environ = environ
        environ[ENVIRON_KEY] = exchange
        body = Body(self.app, exchange, start_response)
        try:
            return body.open()
        except BaseException:
            body.close()
            raise


class Body:
    """One response's body: the application's, or errorkit's in its place."""

    inner: Iterable[bytes] = ()
    iterator: Iterator[bytes] = iter(())
    exhausted = False
    closed = False
    entered: str = ""
    """The request ID under which the rest is read."""
    before: str | None = None
    """What was in its place."""
    outer: Body | None = None
    """The body that had put it there, if it is one that is still read."""
    sent = False
    """The server's start_response has been called."""
    _reissued: bytes | None = None
    """errorkit's body, where the application's header fields made another one necessary."""
    line = ""
    headers: list[tuple[str, str]] = []

    def __init__(self, app: WSGIApp, exchange: WSGIExchange, start_response: StartResponse) -> None:
        self.app = app
        self.exchange = exchange
        self.outer_start_response = start_response
        self.pending: list[bytes] = []

    def open(self) -> Iterable[bytes]:
        """Run the application until it is known what is answered."""
        exchange, environ = self.exchange, self.exchange.environ
        token = current.set(exchange.request_id)
        try:
            self.inner = self.app(environ, self.start_response)
            if self.sent and type(self.inner) is exchange.whole and exchange.status < 400:
                self.closed = True
                del environ[ENVIRON_KEY]  # else the two would hold each other
                return self.inner
            wrapper = environ.get("wsgi.file_wrapper")
            if isinstance(wrapper, type) and isinstance(self.inner, wrapper) and exchange.status < 400:
                return self._handed_through()
            self.iterator = iter(self.inner)
            if self._reissued is not None:
                self._body_instead(b"" if exchange.method == "HEAD" else self._reissued)
            self._pull()
        except Exception as exception:
            self._settle(exception)
        finally:
            current.reset(token)
        return self

    def start_response(
        self, line: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], object]:
        """PEP 3333's start_response, for the application."""
        exchange = self.exchange
        if exc_info is not None:
            try:
                if self.sent:
                    raise exc_info[1].with_traceback(exc_info[2])
                exchange.restarted(exc_info[1])
            finally:
                exc_info = None
        elif self.line:
            raise AssertionError("start_response was called twice without exc_info")
        status = int(line[:3])
        if status >= 400:
            exchange.began()
            if exchange.rendered is not None:
                stamped = [*headers, (exchange.renderer.dialect.request_id_header, exchange.request_id)]
                if exchange.answers(status, raw_fields(stamped)):
                    self.line, self.headers = line, stamped
                    self._begin()
                    return self._write
        self.line, self.headers = line, self._stamped(headers)
        held = exchange.start(status, raw_fields(self.headers) if status >= 400 else ())
        if exchange.varies:
            fields = varying(raw_fields(self.headers), exchange.varies)
            own = [pair for pair in self.headers if pair[0].lower() != "vary"]
            self.headers = [*own, *(("Vary", value.decode("latin-1")) for name, value in fields if name == b"vary")]
        if not held:
            self._begin()
        return self._write

    def __iter__(self) -> Iterator[bytes]:
        """What is left of the body, the event at its end."""
        while self.pending:
            yield self.pending.pop(0)
        try:
            yield from self._rest()
        except Exception as exception:
            fate = self._raised(exception)
            if fate is RAISE:
                raise
            self.exhausted = True
            if isinstance(fate, Frame):
                yield fate.data
                if self.exchange.is_raised_on(exception):
                    raise
        self.exchange.conclude()

    def _rest(self) -> Iterator[bytes]:
        """What `_next` gives until there is no more, in one loop: a stream may have many chunks.

        The request ID stays between them, as giving it back costs more than all else of a chunk; `close` does.
        """
        exchange, request_id = self.exchange, self.exchange.request_id
        if self.exhausted:
            return
        self.before, self.entered = current.get(), request_id
        self.outer = None if self.before is None else _READ.get(self.before)
        _READ[request_id] = self
        current.set(request_id)
        for chunk in self.iterator:
            exchange.tail = chunk
            yield chunk
            if current.get() is not request_id:  # another body is read in turns with this one
                current.set(request_id)
        self._no_more()

    def close(self) -> None:
        """Close the application's iterable and write the event, both once."""
        if self.closed:
            return
        self.closed = True
        exchange = self.exchange
        try:
            close = getattr(self.inner, "close", None)
            if close is not None:
                close()
        except Exception as exception:
            exchange.broke(exception, "background")
            raise
        finally:
            exchange.conclude(by_exit=not self.sent)
            if self.entered and current.get() is self.entered:
                current.set(self._restored())
            exchange.environ.pop(ENVIRON_KEY, None)  # else the two would hold each other

    def _restored(self) -> str | None:
        """What was in the place of the request ID before it: of bodies read in turns, the first one's predecessor."""
        before, outer = self.before, self.outer
        while outer is not None and outer.closed:
            before, outer = outer.before, outer.outer
        return before

    def _pull(self) -> None:
        """Chunks until the start is no longer held; without one, what an application without a response gets."""
        exchange = self.exchange
        empty = 0
        while exchange.state is HELD or (not self.line and not self.exhausted):
            chunk = self._next()
            if chunk is not None:
                self.pending.append(chunk)
            empty = empty + 1 if chunk == b"" else 0
            if exchange.state is HELD:
                fate = exchange.chunk(chunk or b"", not self.exhausted)
                if isinstance(fate, Response):
                    self._answer(fate)
                elif fate is not HOLD or empty >= _MAX_EMPTY:
                    exchange.let_go()
                    self._begin()
        if not self.line:
            missing = exchange.returned()
            if isinstance(missing, Response):
                self._answer(missing)

    def _next(self) -> bytes | None:
        """The application's next chunk, under its own request ID; None at the end."""
        exchange = self.exchange
        token = current.set(exchange.request_id) if current.get() is not exchange.request_id else None
        try:
            chunk = next(self.iterator)
            if exchange.state is PASSING:
                exchange.tail = chunk
            return chunk
        except StopIteration:
            self._no_more()
            return None
        finally:
            if token is not None:
                current.reset(token)

    def _no_more(self) -> None:
        """The application has given its last chunk."""
        self.exhausted = True
        if self.exchange.state is PASSING:
            self.exchange.chunk(self.exchange.tail, False)

    def _write(self, data: bytes) -> object:
        """The legacy way of sending: nothing can be held back."""
        if not self.sent:
            self.exchange.let_go()
            self._begin()
        return self._server_write(data)

    def _stamped(self, headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """The application's header fields with the request ID once, and in step with errorkit's body."""
        exchange = self.exchange
        id_header = exchange.renderer.dialect.request_id_header
        wanted, length = id_header.lower(), len(id_header)
        for name, _ in headers:
            if len(name) == length and name.lower() == wanted:
                break
        else:
            if exchange.rendered is None:
                return [*headers, (id_header, exchange.request_id)]
        raw = raw_fields(headers)
        stamped = exchange.stamped(raw)
        reissued = exchange.reissued(stamped)
        if reissued is not None:
            stamped, self._reissued = reissued
        spelled = {name.lower(): name for name, _ in headers}
        return [
            (spelled.get(name.decode("latin-1")) or titled(name), value.decode("latin-1")) for name, value in stamped
        ]

    def _begin(self) -> None:
        """Call the server's `start_response`."""
        if not self.sent:
            self.sent = True
            self._server_write = self.outer_start_response(self.line, self.headers)

    def _handed_through(self) -> Iterable[bytes]:
        """The server's own object, so that it may use sendfile."""
        self.exchange.let_go()
        self._begin()
        inner, self.inner = self.inner, ()
        self.exhausted = True
        self.close()
        return inner

    def _settle(self, exception: Exception) -> None:
        """Do what is still possible about an exception, or raise it on."""
        if self.sent and self.exchange.state is HELD:  # through write(): headers are out
            self.exchange.let_go()
        fate = self._raised(exception)
        if isinstance(fate, Response):
            self._answer(fate)
        elif isinstance(fate, Frame):
            self._body_instead(fate.data)
        elif fate is not DONE:
            raise exception

    def _raised(self, exception: Exception) -> Fate | Response | Frame:
        self.exchange.headers = raw_fields(self.headers)  # of a success they are looked at only now
        return self.exchange.raised(exception)

    def _answer(self, response: Response) -> None:
        """errorkit's response, in place of the application's."""
        exchange = self.exchange
        self.line = f"{response.status} {phrase(response.status)}"
        named = {exchange.renderer.id_header: exchange.renderer.dialect.request_id_header}
        self.headers = [(named.get(name) or titled(name), value.decode("latin-1")) for name, value in response.headers]
        exchange.start(response.status, response.headers)
        self._body_instead(b"" if exchange.method == "HEAD" else response.body)
        self._begin()

    def _body_instead(self, body: bytes) -> None:
        self.pending = [body]
        self.iterator = iter(())
        self.exhausted = True
        if self.exchange.state is not ENDED:
            self.exchange.chunk(body, False)


_READ: WeakValueDictionary[str, Body] = WeakValueDictionary()
"""Bodies whose rest is read, by request ID."""


def raw_fields(headers: Iterable[tuple[str, str]]) -> RawHeaders:
    """WSGI's header fields as bytes, their names in lower case."""
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]


@lru_cache(maxsize=256)
def _environ_name(name: bytes) -> str:
    return "HTTP_" + name.decode("ascii").upper().replace("-", "_")


@lru_cache(maxsize=256)
def titled(name: bytes) -> str:
    """A header's name as WSGI applications spell it: `X-Request-Id`."""
    return name.decode("ascii").title()
