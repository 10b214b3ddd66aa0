"""An error as a small page for people: title, words, request ID, the service's name.

No script, no image, no font, nothing from elsewhere; the browser's own colours, light and dark. Every word is escaped,
and the policy in its header allows the one style sheet that is in it.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha256
from html import escape
from itertools import chain
from typing import Any

from errorkit.dialects import Dialect
from errorkit.encoding import clean
from errorkit.exchange import RawHeaders, phrase
from errorkit.failure import Public
from errorkit.header_fields import is_html
from errorkit.rendering import MAX_BODY, Renderer, shrunk

_STYLE = """
:root { color-scheme: light dark; }
body { margin: 0 auto; max-width: 40rem; padding: 2rem 1.25rem; font: 1.0625rem/1.6 system-ui, sans-serif; }
body { background: Canvas; color: CanvasText; overflow-wrap: anywhere; }
header { margin-bottom: 3rem; font-weight: 600; }
h1 { margin: 0 0 1rem; font-size: 1.75rem; line-height: 1.25; }
dl { margin: 2.5rem 0 0; font-size: 0.9375rem; }
dd { margin: 0 0 0.75rem; }
code, pre { font: 0.9375rem/1.5 ui-monospace, monospace; }
pre { overflow: auto; white-space: pre-wrap; }
"""
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{b64encode(sha256(_STYLE.encode()).digest()).decode()}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_ID = "errorkit-request-id"
_MAX_FINDINGS = 50
A_PAGE = "a page, and the client prefers one"


class PageRenderer(Renderer):
    """Public errors as pages, under the statuses and header fields of a dialect.

    service: the name of the service, for people; empty: none is shown. keeps: pages of the application's own stay.
    """

    def __init__(
        self, dialect: Dialect, *, service: str, keeps: bool, vary: tuple[str, ...] = (), observes: bool = False
    ) -> None:
        super().__init__(dialect, vary=vary, observes=observes)
        self.content_type = (b"content-type", b"text/html; charset=utf-8")
        self._service = service
        self._keeps = keeps

    def leaves(self, headers: Iterable[tuple[bytes, bytes]]) -> str:
        """A page of the application's own stays, where that is wished."""
        return super().leaves(headers) or (A_PAGE if self._keeps and is_html(headers) else "")

    def prepare(self, kind: object, public: Public, headers: RawHeaders, *, cache_control: bool) -> None:
        """Nothing is kept: a page is made for a person."""

    def body(self, public: Public) -> bytes:
        """The page, within `MAX_BODY`."""
        page = b""
        for each in chain((public,), shrunk(public)):
            page = self._page(each)
            if len(page) <= MAX_BODY:
                break
        return page

    def body_with(self, public: Public, debug: dict[str, Any]) -> bytes:
        """The page with a traceback, in development."""
        return self._page(public, f"{debug['exception']}\n\n{debug['traceback']}")

    def around_id(self, public: Public) -> list[bytes]:
        """The page in the two parts between which a request ID belongs."""
        return self._page(public._replace(request_id=_ID)).split(_ID.encode())

    def vendor(self, public: Public) -> RawHeaders:
        """The dialect's fields, and what the page may do."""
        return [*super().vendor(public), (b"content-security-policy", _POLICY.encode("ascii"))]

    def _page(self, public: Public, debug: str = "") -> bytes:
        title = public.title or phrase(public.status)
        named = f"{title} - {self._service}" if self._service else title
        head = (
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f'<meta name="robots" content="noindex">\n<title>{escape(named)}</title>\n<style>{_STYLE}</style>\n'
            "</head>\n<body>\n"
        )
        about = (
            f"<dl>\n<dt>Status</dt>\n<dd>{public.status}</dd>\n<dt>Request ID</dt>\n"
            f"<dd><code>{escape(public.request_id)}</code></dd>\n</dl>\n"
        )
        parts = [
            head,
            f"<header>{escape(self._service)}</header>\n" if self._service else "",
            f"<main>\n<h1>{escape(title)}</h1>\n<p>{escape(public.message)}</p>\n",
            _findings(public),
            f"<p>You can try again in {_duration(public.retry_after)}.</p>\n" if public.retry_after else "",
            about,
            f"<pre>{escape(debug)}</pre>\n" if debug else "",
            "</main>\n</body>\n</html>\n",
        ]
        return clean("".join(parts), 4 * MAX_BODY).encode()


def _findings(public: Public) -> str:
    if not public.details:
        return ""
    items = (f"{finding.field}: {finding.message}" if finding.path else finding.message for finding in public.details)
    return "<ul>\n" + "".join(f"<li>{escape(item)}</li>\n" for item in [*items][:_MAX_FINDINGS]) + "</ul>\n"


def _duration(seconds: int) -> str:
    """A wait in words, rounded up to whole minutes from two minutes on."""
    if seconds >= 120:
        return f"{-(-seconds // 60)} minutes"
    return "1 second" if seconds == 1 else f"{seconds} seconds"
