"""pypiserver: a package index; Bottle, which makes its own error pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .service import HTTP_DATES, Ask, Service

_FORM = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": "Basic dTpw"}


def application(folder: Path) -> Any:
    """An index of one package; uploading needs the password."""
    import pypiserver

    (folder / "sample-1.0.tar.gz").write_bytes(b"not really a package")
    return pypiserver.app(
        roots=[folder], authenticate=["update"], auther=lambda user, password: (user, password) == ("u", "p"),
        disable_fallback=True,
    )  # fmt: skip


SERVICE = Service(
    title="pypiserver",
    requirements=("pypiserver==2.4.2", "gunicorn"),
    framework="Bottle (vendored)",
    packages=(),
    adapter="wsgi",
    server="gunicorn",
    application=application,
    volatile=(HTTP_DATES,),
    asks=(
        Ask("front page", "GET", "/"),
        Ask("index", "GET", "/simple/"),
        Ask("project", "GET", "/simple/sample/"),
        Ask("project as JSON", "GET", "/sample/json"),
        Ask("all packages", "GET", "/packages/"),
        Ask("download", "GET", "/packages/sample-1.0.tar.gz"),
        Ask("HEAD of a download", "HEAD", "/packages/sample-1.0.tar.gz"),
        Ask("health", "GET", "/health"),
        Ask("redirect", "GET", "/simple/sample"),
        Ask("removal", "POST", "/", content=b":action=doc_upload&name=sample", headers=_FORM),
        Ask("unknown project", "GET", "/simple/nope/"),
        Ask("unknown project as JSON", "GET", "/nope/json"),
        Ask("unknown file", "GET", "/packages/nope-1.0.tar.gz"),
        Ask("HEAD of an unknown file", "HEAD", "/packages/nope-1.0.tar.gz"),
        Ask("no icon", "GET", "/favicon.ico"),
        Ask("unknown route", "GET", "/a/b/c/d"),
        Ask("wrong method", "DELETE", "/simple/"),
        Ask("OPTIONS", "OPTIONS", "/simple/"),
        Ask("no credentials", "POST", "/", content=b":action=file_upload"),
        Ask("wrong credentials", "POST", "/", headers={"Authorization": "Basic dTp4"}),
        Ask("no action", "POST", "/", headers=_FORM),
        Ask("unknown action", "POST", "/", content=b":action=dance", headers=_FORM),
        Ask("upload without a file", "POST", "/", content=b":action=file_upload", headers=_FORM),
        Ask("removal of an unknown version", "POST", "/", content=b":action=remove_pkg&name=sample&version=9", headers=_FORM),
        Ask("malformed XML", "POST", "/RPC2", content=b"<not xml", headers={"Content-Type": "text/xml"}),
    ),
)  # fmt: skip
