"""httpx and httpx2: calls to an upstream carry the request ID, and its failures become the service's own.

    client = httpx.AsyncClient(transport=AsyncUpstreamTransport(dialect="openai", name="models"))

A handler that awaits `client.post(...)` needs no `try`: what goes wrong leaves it as a 502,
503 or 504 in the service's dialect, with the upstream's facts in the event.

Which of the two libraries it is, is known from each request: neither is imported here.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from errorkit.dialects import Dialect, get_dialect
from errorkit.error_body import BoundedBody
from errorkit.request_id import get_request_id
from errorkit.upstream import (
    MAX_BODY,
    UpstreamError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
    upstream_error,
)

if TYPE_CHECKING:
    Transport = Any
    """What type checkers take the transports for: the base classes of both libraries have no ancestor in common."""
else:
    Transport = object


def library_of(request: Any) -> Any:
    """The module of the library that a request is of: httpx, httpx2, or another that names things as they do.

    Raises TypeError for anything else.
    """
    for cls in type(request).__mro__:
        module = sys.modules.get(cls.__module__.partition(".")[0])
        if hasattr(module, "TransportError"):
            return module
    raise TypeError(f"{type(request).__module__}.{type(request).__qualname__} is no request of httpx or httpx2")


class _Upstream:
    """What both transports know of the service that they call."""

    def __init__(self, dialect: str | Dialect, name: str) -> None:
        self.dialect = get_dialect(dialect) if isinstance(dialect, str) else dialect
        self.name = name

    def introduce(self, request: Any) -> None:
        """Give the request the current request ID, unless the caller gave it one."""
        request_id = get_request_id()
        if request_id is not None:
            request.headers.setdefault(self.dialect.request_id_header, request_id)

    def error(self, response: Any, body: BoundedBody) -> UpstreamError:
        """The service's error for an error response of which as much as may be has been read."""
        status, headers = response.status_code, response.headers
        return upstream_error(status, headers, body.decoded(), dialect=self.dialect, name=self.name)

    @contextmanager
    def watch(self, library: Any) -> Iterator[None]:
        """Turn what the library raises into the service's own errors, with the original as their cause."""
        try:
            yield
        except (library.LocalProtocolError, library.UnsupportedProtocol):
            raise  # not the upstream's fault: a request that we built wrongly
        except (library.TransportError, library.DecodingError) as exception:
            cls = UpstreamError
            if isinstance(exception, (library.ConnectError, library.PoolTimeout)):
                cls = UpstreamUnavailableError
            elif isinstance(exception, library.TimeoutException):
                cls = UpstreamTimeoutError
            facts = {"name": self.name or self.dialect.name, "failure": type(exception).__name__}
            raise cls(context={"upstream": facts}) from exception


class UpstreamTransport(Transport):  # type: ignore[misc]
    """A transport for `httpx.Client` or `httpx2.Client`.

    dialect: the upstream's, by name or as a `Dialect`. name: the upstream's, for the log.
    transport: what really sends; default: the library's own `HTTPTransport()`.

    Raises, instead of returning a response of 400 and above or an exception of the library:
    UpstreamTimeoutError for a time-out, UpstreamUnavailableError where no connection came
    about, UpstreamError for another failure of the network, also while a body is read; for
    an answer, what `errorkit.upstream.upstream_error` says.
    """

    def __init__(self, *, dialect: str | Dialect = "problem", name: str = "", transport: Any = None) -> None:
        self._upstream = _Upstream(dialect, name)
        self._transport = transport

    def handle_request(self, request: Any) -> Any:
        """Send one request."""
        library = library_of(request)
        if self._transport is None:
            self._transport = library.HTTPTransport()
        self._upstream.introduce(request)
        with self._upstream.watch(library):
            response = self._transport.handle_request(request)
            if response.is_error:
                body = BoundedBody(response.headers.get("content-encoding", ""), limit=MAX_BODY)
                try:
                    for chunk in response.stream:
                        if not body.feed(chunk):
                            break
                finally:
                    response.close()
                raise self._upstream.error(response, body)
        response.stream = _stream(library)(response.stream, self._upstream)
        return response

    def close(self) -> None:
        """Close what really sends."""
        if self._transport is not None:
            self._transport.close()

    def __enter__(self) -> UpstreamTransport:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class AsyncUpstreamTransport(Transport):  # type: ignore[misc]
    """The same as `UpstreamTransport` for `httpx.AsyncClient` or `httpx2.AsyncClient`."""

    def __init__(self, *, dialect: str | Dialect = "problem", name: str = "", transport: Any = None) -> None:
        self._upstream = _Upstream(dialect, name)
        self._transport = transport

    async def handle_async_request(self, request: Any) -> Any:
        """Send one request."""
        library = library_of(request)
        if self._transport is None:
            self._transport = library.AsyncHTTPTransport()
        self._upstream.introduce(request)
        with self._upstream.watch(library):
            response = await self._transport.handle_async_request(request)
            if response.is_error:
                body = BoundedBody(response.headers.get("content-encoding", ""), limit=MAX_BODY)
                try:
                    async for chunk in response.stream:
                        if not body.feed(chunk):
                            break
                finally:
                    await response.aclose()
                raise self._upstream.error(response, body)
        response.stream = _async_stream(library)(response.stream, self._upstream)
        return response

    async def aclose(self) -> None:
        """Close what really sends."""
        if self._transport is not None:
            await self._transport.aclose()

    async def __aenter__(self) -> AsyncUpstreamTransport:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()


@cache
def _stream(library: Any) -> Any:
    """A library's class of a body under watch: each asks for a stream of its own kind."""

    class Watched(library.SyncByteStream):  # type: ignore[misc]
        def __init__(self, stream: Any, upstream: _Upstream) -> None:
            self._stream, self._upstream = stream, upstream

        def __iter__(self) -> Iterator[bytes]:
            with self._upstream.watch(library):
                yield from self._stream

        def close(self) -> None:
            self._stream.close()

    return Watched


@cache
def _async_stream(library: Any) -> Any:
    """The same, read without blocking."""

    class Watched(library.AsyncByteStream):  # type: ignore[misc]
        def __init__(self, stream: Any, upstream: _Upstream) -> None:
            self._stream, self._upstream = stream, upstream

        async def __aiter__(self) -> AsyncIterator[bytes]:
            with self._upstream.watch(library):
                async for chunk in self._stream:
                    yield chunk

        async def aclose(self) -> None:
            await self._stream.aclose()

    return Watched
