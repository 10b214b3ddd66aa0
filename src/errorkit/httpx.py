"""httpx: calls to an upstream carry the request ID, and its failures become the service's own.

    client = httpx.AsyncClient(transport=AsyncUpstreamTransport(dialect="openai", name="models"))

A handler that awaits `client.post(...)` needs no `try`: what goes wrong leaves it as a 502,
503 or 504 in the service's dialect, with the upstream's facts in the event.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import httpx

from errorkit.dialects import Dialect, get_dialect
from errorkit.request_id import get_request_id
from errorkit.upstream import (
    BoundedBody,
    UpstreamError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
    upstream_error,
)

_OURS = (httpx.LocalProtocolError, httpx.UnsupportedProtocol)
"""Not the upstream's fault: a request that we built wrongly."""
_UNREACHABLE = (httpx.ConnectError, httpx.PoolTimeout)


class _Upstream:
    """What both transports know of the service that they call."""

    def __init__(self, dialect: str | Dialect, name: str) -> None:
        self.dialect = get_dialect(dialect) if isinstance(dialect, str) else dialect
        self.name = name

    def introduce(self, request: httpx.Request) -> None:
        """Give the request the current request ID, unless the caller gave it one."""
        request_id = get_request_id()
        if request_id is not None:
            request.headers.setdefault(self.dialect.request_id_header, request_id)

    def error(self, response: httpx.Response, body: BoundedBody) -> UpstreamError:
        """The service's error for an error response of which as much as may be has been read."""
        status, headers = response.status_code, response.headers
        return upstream_error(status, headers, body.decoded(), dialect=self.dialect, name=self.name)

    @contextmanager
    def watch(self) -> Iterator[None]:
        """Turn what httpx raises into the service's own errors, with the original as their cause."""
        try:
            yield
        except _OURS:
            raise
        except (httpx.TransportError, httpx.DecodingError) as exception:
            cls = UpstreamError
            if isinstance(exception, _UNREACHABLE):
                cls = UpstreamUnavailableError
            elif isinstance(exception, httpx.TimeoutException):
                cls = UpstreamTimeoutError
            facts = {"name": self.name or self.dialect.name, "failure": type(exception).__name__}
            raise cls(context={"upstream": facts}) from exception


class UpstreamTransport(httpx.BaseTransport):
    """A transport for `httpx.Client`.

    dialect: the upstream's, by name or as a `Dialect`. name: the upstream's, for the log.
    transport: what really sends; default: `httpx.HTTPTransport()`.

    Raises, instead of returning a response of 400 and above or an exception of httpx:
    UpstreamTimeoutError for a time-out, UpstreamUnavailableError where no connection came
    about, UpstreamError for another failure of the network, also while a body is read; for
    an answer, what `errorkit.upstream.upstream_error` says.
    """

    def __init__(
        self, *, dialect: str | Dialect = "problem", name: str = "", transport: httpx.BaseTransport | None = None
    ) -> None:
        self._upstream = _Upstream(dialect, name)
        self._transport = transport or httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request."""
        self._upstream.introduce(request)
        with self._upstream.watch():
            response = self._transport.handle_request(request)
            assert isinstance(response.stream, httpx.SyncByteStream)
            if response.is_error:
                body = BoundedBody(response.headers.get("content-encoding", ""))
                try:
                    for chunk in response.stream:
                        if not body.feed(chunk):
                            break
                finally:
                    response.close()
                raise self._upstream.error(response, body)
        response.stream = _Stream(response.stream, self._upstream)
        return response

    def close(self) -> None:
        """Close what really sends."""
        self._transport.close()


class AsyncUpstreamTransport(httpx.AsyncBaseTransport):
    """The same as `UpstreamTransport` for `httpx.AsyncClient`."""

    def __init__(
        self, *, dialect: str | Dialect = "problem", name: str = "", transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._upstream = _Upstream(dialect, name)
        self._transport = transport or httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request."""
        self._upstream.introduce(request)
        with self._upstream.watch():
            response = await self._transport.handle_async_request(request)
            assert isinstance(response.stream, httpx.AsyncByteStream)
            if response.is_error:
                body = BoundedBody(response.headers.get("content-encoding", ""))
                try:
                    async for chunk in response.stream:
                        if not body.feed(chunk):
                            break
                finally:
                    await response.aclose()
                raise self._upstream.error(response, body)
        response.stream = _AsyncStream(response.stream, self._upstream)
        return response

    async def aclose(self) -> None:
        """Close what really sends."""
        await self._transport.aclose()


class _Stream(httpx.SyncByteStream):
    """A body under watch."""

    def __init__(self, stream: httpx.SyncByteStream, upstream: _Upstream) -> None:
        self._stream, self._upstream = stream, upstream

    def __iter__(self) -> Iterator[bytes]:
        with self._upstream.watch():
            yield from self._stream

    def close(self) -> None:
        self._stream.close()


class _AsyncStream(httpx.AsyncByteStream):
    """A body under watch, read without blocking."""

    def __init__(self, stream: httpx.AsyncByteStream, upstream: _Upstream) -> None:
        self._stream, self._upstream = stream, upstream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with self._upstream.watch():
            async for chunk in self._stream:
                yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()
