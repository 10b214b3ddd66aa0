"""What each framework answers by itself: its default error bodies, recognised by their exact form.

A form that somebody may well have shaped on purpose is recognised only where the framework is
known to be inside (`applications.inside`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import NamedTuple

from errorkit.applications import Inside
from errorkit.debug_pages import (
    blacksheep_debug_page,
    bottle_debug_page,
    django_debug_page,
    litestar_debug_page,
    may_show_traceback,
    sanic_debug_page,
    traceback_text,
    werkzeug_debug_page,
)
from errorkit.default_bodies import (
    Answer,
    Default,
    Form,
    blacksheep_body,
    drf_findings,
    falcon_body,
    falcon_status_line,
    fastapi_body,
    litestar_body,
    of_page,
    one_line,
    pyramid_html,
    pyramid_json,
    pyramid_text,
    sanic_json,
)
from errorkit.default_pages import (
    bottle_critical_page,
    bottle_page,
    django_csrf_page,
    django_page,
    sanic_page,
    werkzeug_page,
)
from errorkit.error_body import json_of
from errorkit.status_words import phrases

MAX_BODY = 8192
"""Bytes; a longer body is not a default."""
MAX_DEBUG_PAGE = 1 << 19
"""Bytes; a page for whoever wrote the application may be so long."""


def recognised(
    status: int, fields: Mapping[str, str], body: bytes, inside: Inside, *, debug_pages: bool = True
) -> Default | None:
    """What a default body says; None if it is none of those that can come from what is inside.

    debug_pages: those with a traceback count, too, and say nothing.
    """
    if len(body) > (MAX_DEBUG_PAGE if debug_pages and may_show_traceback(status) else MAX_BODY):
        return None
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return None
    short = len(body) <= MAX_BODY
    media_type = fields.get("content-type", "").partition(";")[0].strip().lower()
    answer = Answer(status, text, json_of(text) if short and text[:1] in ("{", "[") else None, fields)
    for frameworks, media_types, form, loose, debug in TABLE:
        if (media_types and media_type not in media_types) or not (debug_pages if debug else short):
            continue
        if _can_answer(inside, frameworks, loose=loose):
            found = form(answer)
            if found is not None:
                return found
    return None


def _can_answer(inside: Inside, frameworks: frozenset[str], *, loose: bool = False) -> bool:
    return not (inside.frameworks.isdisjoint(frameworks) and (inside.completely or loose))


def unsent(status: int, fields: Mapping[str, str], inside: Inside) -> Default | None:
    """A default by the header fields of the answer to a HEAD request: no body, or one that repeats the status.

    A default with further words, or a page, cannot be told so.
    """
    length = fields.get("content-length", "")
    media_type = fields.get("content-type", "").partition(";")[0].strip().lower()
    if not (length.isascii() and length.isdigit()) or int(length) == 0:
        return Default() if length or not media_type else None
    known = [body for own, wanted, body in _OF_PHRASES if wanted == media_type and _can_answer(inside, own)]
    return Default() if int(length) in {len(body(status, each)) for body in known for each in phrases(status)} else None


_OF_PHRASES: tuple[tuple[frozenset[str], str, Callable[[int, str], str]], ...] = (
    (frozenset({"Starlette"}), "text/plain", lambda _, words: words),
    (
        frozenset({"FastAPI", "Starlette"}),
        "application/json",
        lambda _, words: json.dumps({"detail": words}, separators=(",", ":")),
    ),
    (
        frozenset({"Litestar"}),
        "application/json",
        lambda status, words: json.dumps({"status_code": status, "detail": words}, separators=(",", ":")),
    ),
    (frozenset({"Falcon"}), "application/json", lambda status, words: json.dumps({"title": f"{status} {words}"})),
)
"""What a body is that says no more than its status."""


_PLAIN, _HTML, _JSON = frozenset({"text/plain"}), frozenset({"text/html"}), frozenset({"application/json"})
_XML = frozenset({"application/xml", "text/xml"})
_ANY: frozenset[str] = frozenset()


class Row(NamedTuple):
    """One form, and whose it is.

    media_types: of its answer; none: whatever it is. loose: somebody else may well answer so.
    debug: it is a page for whoever wrote the application.
    """

    frameworks: frozenset[str]
    media_types: frozenset[str]
    form: Form
    loose: bool = False
    debug: bool = False


def _row(name: str, media_types: frozenset[str], form: Form, *, loose: bool = False, debug: bool = False) -> Row:
    return Row(frozenset(name.split()), media_types, form, loose, debug)


TABLE: tuple[Row, ...] = (
    _row("Litestar", _ANY, litestar_body),
    _row("Falcon", _JSON | _XML, falcon_status_line),
    _row("Falcon", _JSON | _XML, falcon_body, loose=True),
    _row("Bottle", _HTML, of_page(bottle_page)),
    _row("Bottle", _HTML, of_page(bottle_critical_page)),
    _row("Django", _HTML, of_page(django_page)),
    _row("Django", _HTML, of_page(django_csrf_page)),
    _row("Django", _JSON, drf_findings, loose=True),
    _row("Pyramid", _PLAIN, pyramid_text),
    _row("Pyramid", _HTML, pyramid_html),
    _row("Pyramid", _JSON, pyramid_json),
    _row("BlackSheep", _PLAIN | _JSON, blacksheep_body, loose=True),
    _row("Sanic", _JSON, sanic_json),
    _row("Sanic", _PLAIN, of_page(sanic_page)),
    _row("Flask Quart", _HTML, of_page(werkzeug_page)),
    _row("Starlette", _PLAIN | {""}, one_line),
    _row("FastAPI Starlette Django", _JSON, fastapi_body),
    _row("Litestar", _HTML | _JSON, of_page(litestar_debug_page), debug=True),
    _row("Bottle", _HTML, of_page(bottle_debug_page), debug=True),
    _row("Django", _HTML, of_page(django_debug_page), debug=True),
    _row("BlackSheep", _HTML, of_page(blacksheep_debug_page), debug=True),
    _row("Quart Flask", _HTML, of_page(werkzeug_debug_page), debug=True),
    _row("Sanic", _PLAIN | _JSON | _HTML, of_page(sanic_debug_page), debug=True),
    _row("Starlette FastAPI Flask Quart Django Litestar", _PLAIN, of_page(traceback_text), debug=True),
)
"""Every form of every framework, the stricter first."""

UNSIZED = frozenset({"Django", "Bottle", "Sanic"})
"""Frameworks whose defaults may come without a Content-Length."""
SHOW_TRACEBACKS = frozenset({"Litestar", "Bottle", "Django", "BlackSheep", "Quart", "Flask", "Sanic"})
"""Frameworks that have a page for whoever wrote the application."""
