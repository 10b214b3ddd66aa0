"""The reference as a part of the service itself: an ASGI and a WSGI application under any path.

    app.mount("/errors", ReferenceASGI(dialect="openai", catalog=catalog))                # Starlette, FastAPI
    DispatcherMiddleware(app.wsgi_app, {"/errors": ReferenceWSGI(catalog=catalog)})       # Flask

With `docs_url="https://host/errors/{code}"` every error then links to its own page.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import TYPE_CHECKING, Any, Unpack

from errorkit.config import Config
from errorkit.exchange import RawHeaders, Response, phrase
from errorkit.publish import Options
from errorkit.publish.reference import html

if TYPE_CHECKING:  # pragma: no cover - types only
    from errorkit.asgi.messages import Receive, Scope, Send
    from errorkit.settings import Settings

_TYPES = {
    "html": b"text/html; charset=utf-8",
    "css": b"text/css; charset=utf-8",
    "js": b"text/javascript; charset=utf-8",
}
_POLICY = (
    b"default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; "
    b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class Reference:
    """The pages, made at the first request, and which one a path means.

    title: the service's name. base_url: where it is reached, for the examples.
    config, settings: as the middleware takes them. Raises ConfigurationError.
    """

    def __init__(
        self,
        *,
        config: Config | None = None,
        title: str = "API",
        base_url: str = "https://api.example.com",
        **settings: Unpack[Settings],
    ) -> None:
        self.config = config or Config(**settings)
        self._options = Options.of(self.config, title=title, base_url=base_url.rstrip("/"))

    @cached_property
    def _pages(self) -> dict[str, tuple[bytes, bytes]]:
        """Path to body and entity tag."""
        files = html(self.config.catalog, self._options.also[0], self._options)
        bodies = {path: text.encode() for path, text in files.items()}
        return {path: (body, b'"%s"' % _digest(body)) for path, body in bodies.items()}

    def respond(self, method: str, path: str, if_none_match: str) -> Response:
        """The response for a path beneath the mount point (with its leading slash)."""
        if method not in ("GET", "HEAD"):
            return Response(405, [(b"allow", b"GET, HEAD"), (b"content-length", b"0")], b"")
        name = path.lstrip("/")
        if not name or name.endswith("/"):
            name += "index.html"
        if name not in self._pages:
            if f"{name}/index.html" in self._pages:
                # relative to the last segment: right under every prefix, and behind every proxy
                location = name.rpartition("/")[2].encode("ascii") + b"/"
                return Response(308, [(b"location", location), (b"content-length", b"0")], b"")
            return Response(404, [(b"content-length", b"0")], b"")
        body, tag = self._pages[name]
        headers: RawHeaders = [(b"etag", tag), (b"cache-control", b"no-cache"), (b"content-security-policy", _POLICY)]
        if tag.decode("ascii") in if_none_match:
            return Response(304, headers, b"")
        headers += [
            (b"content-type", _TYPES[name.rpartition(".")[2]]),
            (b"content-length", b"%d" % len(body)),
            (b"x-content-type-options", b"nosniff"),
        ]
        return Response(200, headers, body if method == "GET" else b"")


class ReferenceASGI(Reference):
    """The reference as an ASGI application."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; a WebSocket is refused, other kinds of scope are none of its business."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close"})
        if scope["type"] != "http":
            return
        root, path = scope.get("root_path", ""), scope["path"]
        path = path[len(root) :] if root and path.startswith(root) else path
        match = next((value for name, value in scope["headers"] if name == b"if-none-match"), b"")
        status, headers, body = self.respond(scope["method"], path, match.decode("latin-1"))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


class ReferenceWSGI(Reference):
    """The reference as a WSGI application."""

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Serve one request."""
        method, path = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "")
        status, headers, body = self.respond(method, path, environ.get("HTTP_IF_NONE_MATCH", ""))
        fields = [(name.decode("ascii").title(), value.decode("latin-1")) for name, value in headers]
        start_response(f"{status} {phrase(status)}", fields)
        return [body]


def _digest(body: bytes) -> bytes:
    return hashlib.sha256(body).hexdigest()[:20].encode("ascii")
