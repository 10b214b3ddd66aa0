"""The reference as a part of the service itself: an ASGI and a WSGI application under any path.

    app.mount("/errors", ReferenceASGI(dialect="openai", catalog=catalog))                # Starlette, FastAPI
    DispatcherMiddleware(app.wsgi_app, {"/errors": ReferenceWSGI(catalog=catalog)})       # Flask

With `docs_url="https://host/errors/{code}"` every error then links to its own page.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Unpack

from errorkit.accept import media_ranges, preferred
from errorkit.config import Config
from errorkit.exchange import RawHeaders, Response, phrase
from errorkit.failure import NOTHING
from errorkit.publish import Options
from errorkit.publish.reference import OPTIONS, html
from errorkit.publish.reference.brand import brand

if TYPE_CHECKING:  # pragma: no cover - types only
    from errorkit.asgi.messages import Receive, Scope, Send
    from errorkit.settings import Settings

_TYPES = {
    "html": b"text/html; charset=utf-8",
    "css": b"text/css; charset=utf-8",
    "js": b"text/javascript; charset=utf-8",
    "json": b"application/json",
    "md": b"text/markdown; charset=utf-8",
    "txt": b"text/plain; charset=utf-8",
    "xml": b"application/xml",
}
_POLICY = (
    b"default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; "
    b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_FORMS = {"text/html": "/index.html", "text/markdown": ".md", "application/json": ".json"}
"""What one address is given in, by `Accept`, and how the file of a code ends."""


class Reference:
    """The pages, made at the first request, and which one a path means.

    title: the service's name. base_url: where it is reached, for the examples.
    openapi: the service's document, errors described, or what gives it at the first request (`app.openapi`): with it
        pages know the operations that give an error, and samples are requests that these take.
    options: how it looks, as `errorkit docs --option` names it (`errorkit.publish.reference.OPTIONS`).
    config, settings: as the middleware takes them. Raises ConfigurationError, ValueError for an option.
    """

    def __init__(
        self,
        *,
        config: Config | None = None,
        title: str = "API",
        base_url: str = "https://api.example.com",
        openapi: Mapping[str, Any] | Callable[[], Mapping[str, Any]] = NOTHING,
        options: Mapping[str, str] = NOTHING,
        **settings: Unpack[Settings],
    ) -> None:
        self.config = config or Config(**settings)
        self._openapi = openapi
        self._given = {"title": title, "base_url": base_url.rstrip("/"), "extra": options}
        unknown = sorted(set(options) - set(OPTIONS))
        if unknown:
            raise ValueError(f"the reference has no option {unknown[0]!r}; it takes: {', '.join(OPTIONS)}")
        brand(title, options)

    @cached_property
    def _pages(self) -> dict[str, tuple[bytes, bytes]]:
        """Path to body and entity tag."""
        document = self._openapi() if callable(self._openapi) else self._openapi
        reads_json = hasattr(self._openapi, "errorkit")  # FastAPI's, as `errorkit.fastapi` completes it
        options = Options.of(self.config, document=document, reads_json=reads_json, **self._given)
        files = html(self.config.catalog, options.also[0], options)
        bodies = {path: text.encode() for path, text in files.items()}
        return {path: (body, b'"%s"' % _digest(body)) for path, body in bodies.items()}

    def respond(self, method: str, path: str, if_none_match: str = "", accept: str = "") -> Response:
        """The response for a path beneath the mount point (with its leading slash)."""
        if method not in ("GET", "HEAD"):
            return Response(405, [(b"allow", b"GET, HEAD"), (b"content-length", b"0")], b"")
        name, vary = self._named(path.lstrip("/"), accept)
        headers: RawHeaders = [(b"vary", b"Accept")] if vary else []
        if name not in self._pages:
            if f"{name}/index.html" in self._pages:
                # relative to the last segment: right under every prefix, and behind every proxy
                location = name.rpartition("/")[2].encode("ascii") + b"/"
                return Response(308, [*headers, (b"location", location), (b"content-length", b"0")], b"")
            return Response(404, [(b"content-length", b"0")], b"")
        body, tag = self._pages[name]
        headers += [(b"etag", tag), (b"cache-control", b"no-cache"), (b"content-security-policy", _POLICY)]
        if if_none_match.strip() == "*" or tag.decode("ascii") in if_none_match:
            return Response(304, headers, b"")
        headers += [
            (b"content-type", _TYPES[name.rpartition(".")[2]]),
            (b"content-length", b"%d" % len(body)),
            (b"x-content-type-options", b"nosniff"),
        ]
        return Response(200, headers, body if method == "GET" else b"")

    def _named(self, path: str, accept: str) -> tuple[str, bool]:
        """The file that a path means, and whether that depends on `Accept`; of HTML it is the directory's."""
        whole = path.removesuffix("/")
        if whole and f"{whole}/index.html" not in self._pages:
            return path, False
        form = _FORMS[preferred(media_ranges(accept), list(_FORMS)) or "text/html"]
        if not whole:
            return "index.html" if form == "/index.html" else f"index{form}", True
        if form == "/index.html":
            return (whole if path == whole else f"{whole}{form}"), True
        return f"{whole}{form}", True


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
        match, accept = (_field(scope, name) for name in (b"if-none-match", b"accept"))
        status, headers, body = self.respond(scope["method"], path, match, accept)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


class ReferenceWSGI(Reference):
    """The reference as a WSGI application."""

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Serve one request."""
        method, path = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "")
        match, accept = environ.get("HTTP_IF_NONE_MATCH", ""), environ.get("HTTP_ACCEPT", "")
        status, headers, body = self.respond(method, path, match, accept)
        fields = [(name.decode("ascii").title(), value.decode("latin-1")) for name, value in headers]
        start_response(f"{status} {phrase(status)}", fields)
        return [body]


def _field(scope: Scope, wanted: bytes) -> str:
    """All fields of a name as one list (RFC 9110 5.3)."""
    return ", ".join(value.decode("latin-1") for name, value in scope["headers"] if name == wanted)


def _digest(body: bytes) -> bytes:
    return hashlib.sha256(body).hexdigest()[:20].encode("ascii")
