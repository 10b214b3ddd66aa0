"""Frameworks' pages of source code, values and tracebacks, known by where they begin: none of it is told.

Each function is given a status and a body, and gives an empty tuple for its page, None for any other.
"""

from __future__ import annotations

Nothing = tuple[()]

_MAX_HEAD = 20_000
_TRACEBACK = "Traceback (most recent call last):\n"


def may_show_traceback(status: int) -> bool:
    """Can an answer of this status be such a page; Django shows one with a suspicious request's 400, too."""
    return status >= 500 or status == 400


def _of(status: int, own: bool) -> Nothing | None:
    return () if own and may_show_traceback(status) else None


def django_debug_page(status: int, page: str) -> Nothing | None:
    """Django's."""
    head = page[:_MAX_HEAD].lstrip()
    own = head.startswith("<!DOCTYPE html>\n") and '<meta name="robots" content="NONE,NOARCHIVE">' in head
    return _of(status, own and '<div id="traceback">' in page)


def litestar_debug_page(status: int, page: str) -> Nothing | None:
    """Litestar's."""
    html = page.startswith("<!doctype html>\n") and "<title>Litestar exception page</title>" in page[:_MAX_HEAD]
    return _of(status, html or page.startswith('{"details":"Traceback (most recent call last):'))


def blacksheep_debug_page(status: int, page: str) -> Nothing | None:
    """BlackSheep's."""
    own = page.startswith("<!DOCTYPE html>\n<html>\n  <head>\n    <title>Internal Server Error.</title>\n")
    return _of(status, own)


def bottle_debug_page(status: int, page: str) -> Nothing | None:
    """Bottle's, also where the making of an answer failed."""
    own = page.startswith(
        ('\n    <!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">\n', "<h1>Critical error while processing request: ")
    )
    return _of(status, own and "<h2>Traceback:</h2>\n" in page)


def werkzeug_debug_page(status: int, page: str) -> Nothing | None:
    """werkzeug's debugger, with or without its console; and Quart's page, which has no head."""
    debugger = page.startswith("<!doctype html>\n") and "// Werkzeug Debugger</title>" in page[:_MAX_HEAD]
    return _of(status, debugger or page.startswith("\n<style>\npre {\n  margin: 0;\n}\n\n.traceback, .locals {\n"))


def sanic_debug_page(status: int, page: str) -> Nothing | None:
    """Sanic's: its page for browsers is the same as the one without a traceback."""
    text = page.startswith(f"⚠️ {status} — ") and "\nTraceback of " in page
    json = page.startswith('{"description":') and '"exceptions":[' in page
    return _of(status, text or json or page.startswith("<!DOCTYPE html><html lang=en id=sanic>"))


def traceback_text(status: int, text: str) -> Nothing | None:
    """A traceback as plain text, whoever shows it."""
    return _of(status, _TRACEBACK in text)
