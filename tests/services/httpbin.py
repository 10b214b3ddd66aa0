"""httpbin: answers whatever it is asked for; Flask, with its own challenge and status pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .service import UUIDS, Ask, Service, Volatile


def application(_folder: Path) -> Any:
    """The module's own application."""
    from httpbin import app

    return app


SERVICE = Service(
    title="httpbin",
    requirements=("httpbin==0.10.4", "gunicorn"),
    framework="Flask",
    packages=("flask", "werkzeug"),
    adapter="flask",
    server="gunicorn",
    application=application,
    volatile=(UUIDS, Volatile("digest nonces", r'(?:nonce|opaque)="[0-9a-f]{32}"')),
    asks=(
        Ask("echo", "GET", "/get?a=1"),
        Ask("posted JSON", "POST", "/post", json={"a": [1, 2]}),
        Ask("page", "GET", "/html"),
        Ask("fresh id", "GET", "/uuid"),
        Ask("compressed", "GET", "/gzip"),
        Ask("streamed lines", "GET", "/stream/5"),
        Ask("chunked bytes", "GET", "/stream-bytes/3000?seed=1&chunk_size=700"),
        Ask("range", "GET", "/range/1000", headers={"Range": "bytes=10-29"}),
        Ask("not modified", "GET", "/etag/e1", headers={"If-None-Match": "e1"}),
        Ask("redirect", "GET", "/redirect/2"),
        Ask("cookie set", "GET", "/cookies/set/flavour/oat"),
        Ask("right password", "GET", "/basic-auth/u/p", headers={"Authorization": "Basic dTpw"}),
        Ask("image", "GET", "/image/png"),
        Ask("HEAD", "HEAD", "/get"),
        Ask("OPTIONS", "OPTIONS", "/post"),
        Ask("CORS preflight", "OPTIONS", "/put", headers={"Origin": "http://a.test", "Access-Control-Request-Method": "PUT"}),
        Ask("teapot", "GET", "/status/418"),
        Ask("unknown route", "GET", "/nope"),
        Ask("unknown route, from a browser", "GET", "/nope", headers={"Accept": "text/html", "Origin": "http://a.test"}),
        Ask("HEAD of an unknown route", "HEAD", "/nope"),
        Ask("wrong method", "POST", "/get"),
        Ask("wrong method, DELETE", "DELETE", "/html"),
        Ask("no credentials, Basic", "GET", "/basic-auth/u/p"),
        Ask("wrong credentials, hidden", "GET", "/hidden-basic-auth/u/p"),
        Ask("no token, Bearer", "GET", "/bearer"),
        Ask("no credentials, Digest", "GET", "/digest-auth/auth/u/p/MD5"),
        Ask("chosen 400", "GET", "/status/400"),
        Ask("chosen 404", "GET", "/status/404"),
        Ask("chosen 409", "POST", "/status/409"),
        Ask("chosen 503", "GET", "/status/503"),
        Ask("not a status", "GET", "/status/abc"),
        Ask("precondition failed", "GET", "/etag/e1", headers={"If-Match": "e2"}),
        Ask("range not satisfiable", "GET", "/range/100", headers={"Range": "bytes=500-600"}),
        Ask("too many bytes", "GET", "/range/999999999"),
        Ask("not acceptable", "GET", "/image", headers={"Accept": "application/x-nothing"}),
        Ask("crash: a delay that is no number", "GET", "/delay/abc"),
        Ask("crash: a weight that is no number", "GET", "/status/200:x,500:y"),
    ),
)  # fmt: skip
