"""Frameworks' own pages for errors, as HTML and as text: byte for byte but for their variable parts.

Each function is given a status and a body. It gives the words for people in a tuple, an empty
one where there are none that may be told, and None for any other page.
"""

from __future__ import annotations

import re
import sys
from functools import lru_cache
from html import unescape

Words = tuple[str] | tuple[()]

_WERKZEUG = re.compile(
    r"<!doctype html>\n<html lang=en>\n<title>(\d{3}) ([^<>\n]*)</title>\n<h1>\2</h1>\n"
    r"(?:<p>([^<>]*(?:<br>[^<>]*)*)</p>\n?)?"
).fullmatch


def werkzeug_page(status: int, page: str) -> Words | None:
    """Flask's and Quart's page of an HTTPException: a description that is not the class's own stands."""
    found = _WERKZEUG(page)
    if found is None or int(found[1]) != status:
        return None
    said = unescape((found[3] or "").replace("<br>", "\n"))
    return () if not said or said in _descriptions() else (said,)


def _descriptions() -> frozenset[str]:
    """werkzeug's words for browsers, of the version that is there; none where it is not loaded."""
    module = sys.modules.get("werkzeug.exceptions")
    return frozenset() if module is None else _descriptions_in(module)


@lru_cache(maxsize=1)
def _descriptions_in(module: object) -> frozenset[str]:
    known = getattr(module, "default_exceptions", {}).values()
    return frozenset(str(vars(cls)["description"]) for cls in known if "description" in vars(cls))


_DJANGO = re.compile(
    r'\n<!doctype html>\n<html lang="en">\n<head>\n  <title>([^<>\n]*)</title>\n</head>\n'
    r"<body>\n  <h1>\1</h1><p>([^<>\n]*)</p>\n</body>\n</html>\n"
).fullmatch
_DJANGO_PAGES = {
    (400, "Bad Request (400)"): "",
    (403, "403 Forbidden"): "",
    (404, "Not Found"): "The requested resource was not found on this server.",
    (500, "Server Error (500)"): "",
}


def django_page(status: int, page: str) -> Words | None:
    """Django's pages for 400, 403, 404 and 500, where the project has no template of its own."""
    found = _DJANGO(page)
    return () if found and _DJANGO_PAGES.get((status, found[1])) == found[2] else None


_CSRF_STYLE = (
    "    html * { padding:0; margin:0; }\n"
    "    body * { padding:10px 20px; }\n"
    "    body * * { padding:0; }\n"
    "    body { font-family: sans-serif; background:#eee; color:#000; }\n"
    "    body>div { border-bottom:1px solid #ddd; }\n"
    "    h1 { font-weight:normal; margin-bottom:.4em; }\n"
    "    h1 span { font-size:60%; color:#666; font-weight:normal; }\n"
    "    #info { background:#f6f6f6; }\n"
    "    #info ul { margin: 0.5em 4em; }\n"
    "    #info p, #summary p { padding-top:10px; }\n"
    "    #summary { background: #ffc; }\n"
    "    #explanation { background:#eee; border-bottom: 0px none; }\n"
    "  </style>\n"
)
_DJANGO_CSRF = re.compile(
    r'<!DOCTYPE html>\n<html lang="en">\n<head>\n'
    r'  <meta http-equiv="content-type" content="text/html; charset=utf-8">\n'
    r'(?:  <meta name="color-scheme" content="light dark" />\n)?'  # Django 6.1, as the style's nonce
    r'  <meta name="robots" content="NONE,NOARCHIVE">\n'
    r'  <title>403 Forbidden</title>\n  <style(?: (?:nonce="[^<>"]*")?)?>\n'
    + re.escape(_CSRF_STYLE)
    + r"</head>\n<body>\n"
    r'<div id="summary">\n  <h1>[^<>]* <span>\(403\)</span></h1>\n  <p>([^<>]*)</p>\n'
    r'\n(?:\n?  <p>[^\n]*</p>\n)*\n*</div>\n\n<div id="(?:info|explanation)">\n.*</div>\n\n</body>\n</html>\n',
    re.DOTALL,
).fullmatch


def django_csrf_page(status: int, page: str) -> Words | None:
    """Django's page for a form without its token, in whatever language."""
    found = _DJANGO_CSRF(page) if status == 403 else None
    return None if found is None else (unescape(found[1]),)


_BOTTLE_STYLE = (
    '            <style type="text/css">\n'
    "              html {background-color: #eee; font-family: sans-serif;}\n"
    "              body {background-color: #fff; border: 1px solid #ddd;\n"
    "                    padding: 15px; margin: 15px;}\n"
    "              pre {background-color: #eee; border: 1px solid #ddd; padding: 5px;}\n"
    "            </style>\n"
)
_BOTTLE = re.compile(
    r'\n    <!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2\.0//EN">\n    <html>\n        <head>\n'
    r"            <title>Error: ([^<>\n]*)</title>\n" + re.escape(_BOTTLE_STYLE) + r"        </head>\n        <body>\n"
    r"            <h1>Error: \1</h1>\n"
    r"            <p>Sorry, the requested URL <tt>[^<>]*</tt>\n               caused an error:</p>\n"
    r"            <pre>([^<>]*)</pre>\n"
    r"        </body>\n    </html>\n"
).fullmatch


def bottle_page(status: int, page: str) -> Words | None:
    """Bottle's page."""
    found = _BOTTLE(page)
    if found is None or not found[1].startswith(f"{status} "):
        return None
    return (unescape(found[2]),) if found[2] else ()


_BOTTLE_CRITICAL = re.compile(r"<h1>Critical error while processing request: [^<>]*</h1>").fullmatch


def bottle_critical_page(status: int, page: str) -> Words | None:
    """Bottle's answer where the making of an answer failed."""
    return () if status == 500 and _BOTTLE_CRITICAL(page) else None


_PYRAMID = re.compile(
    r"<html>\n <head>\n  <title>((\d{3}) [^<>\n]*)</title>\n </head>\n <body>\n  <h1>\1</h1>\n"
    r"  ([^<>]*)<br/><br/>\n([^<>]*)\n(?:<!-- [^<>]* -->)?\n\n </body>\n</html>"
).fullmatch


def pyramid_page(status: int, page: str) -> str | None:
    """The body of Pyramid's page in the form of its text: explanation, detail."""
    found = _PYRAMID(page)
    if found is None or int(found[2]) != status:
        return None
    return f"{unescape(found[3])}\n\n\n{unescape(found[4])}\n\n"


_SANIC = re.compile(r"(⚠️ (\d{3}) — [^\n]*)\n(=+)\n(.*)\n\n(?:\nContext\n.*)?", re.DOTALL).fullmatch


def sanic_page(status: int, page: str) -> Words | None:
    """Sanic's answer as text."""
    found = _SANIC(page)
    return (found[4],) if found and int(found[2]) == status and len(found[3]) == len(found[1]) else None
