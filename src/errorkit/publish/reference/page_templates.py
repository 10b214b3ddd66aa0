"""The templates of the pages, and what may become of an author's words in them."""

from __future__ import annotations

import re
from functools import lru_cache

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name

_FORMATTER: HtmlFormatter[str] = HtmlFormatter(nowrap=True)
_lexer = lru_cache(get_lexer_by_name)


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The templates beside this module."""
    found = Environment(
        loader=PackageLoader("errorkit.publish.reference"),
        autoescape=select_autoescape(["html", "xml"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters["coloured"] = _coloured
    found.filters["md"] = _prose
    found.filters["cell"] = lambda text: str(text).replace("|", "\\|").replace("\n", " ")
    found.filters["anchor"] = _anchor
    return found


def _prose(text: str) -> str:
    """An author's words in Markdown: no markup of HTML's, and no link but to a page or an address."""
    return _ACTIVE_LINK(r"\1#", text.replace("&", "&amp;").replace("<", "&lt;"))


_ACTIVE_LINK = re.compile(
    r"(\]\(\s*|\]:\s*)(?!(?:https?|mailto):)[a-z][a-z0-9+.\s&#;-]{0,100}:[^)\s]*", re.IGNORECASE
).sub
"""The beginning of a link, in the text or as a reference, with a scheme that may run what it holds."""


def _coloured(text: str, language: str) -> Markup:
    return Markup(highlight(text, _lexer(language), _FORMATTER).rstrip("\n"))  # noqa: S704 - pygments escapes


def _anchor(text: str) -> str:
    """A heading's words as an id."""
    return re.sub(r"[^\w.]+", "-", text.lower()).strip("-") or "section"
