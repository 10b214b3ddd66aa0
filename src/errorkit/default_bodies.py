"""Frameworks' default bodies as JSON, XML and lines: each by its exact form, and what it says."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from html import unescape
from types import NoneType
from typing import Any, NamedTuple

from errorkit.default_pages import Words, pyramid_page
from errorkit.failure import NOTHING, Detail
from errorkit.finding_words import are_findings
from errorkit.framework_findings import of_field_dictionary, of_litestar
from errorkit.status_words import says_nothing

_MAX_LINE = 512
_FINDINGS_STATUSES = frozenset({400, 422})
"""Where a list of findings says that the request was rejected; of any other status it is the author's own."""


class Default(NamedTuple):
    """What a default body says: words for people, pydantic's findings as they are, others, and further members.

    doc_url: where it is described.
    """

    message: str | None = None
    findings: tuple[dict[str, Any], ...] = ()
    location: str | None = None
    """Of pydantic's findings, where their `loc` does not begin with it."""
    details: tuple[Detail, ...] = ()
    extensions: Mapping[str, Any] = NOTHING
    doc_url: str = ""


class Answer(NamedTuple):
    """An error response of other code: what a form is compared with.

    said: what the body says as JSON; None if it does not. fields: header fields by names in lower case.
    """

    status: int
    text: str
    said: Any
    fields: Mapping[str, str]


Form = Callable[[Answer], Default | None]


def _worded(status: int, words: str | None, **more: Any) -> Default:
    """Words for people, if they say more than the status."""
    return Default(None if words is None or says_nothing(status, words) else words, **more)


def one_line(answer: Answer) -> Default | None:
    """Starlette's answer to an HTTPException: one line."""
    line = answer.text.strip()
    if len(answer.text.encode()) > _MAX_LINE or len(line.splitlines()) > 1:
        return None
    return _worded(answer.status, line)


def fastapi_body(answer: Answer) -> Default | None:
    """FastAPI's, which Django REST framework's is, too: `detail`, and nothing besides."""
    if not isinstance(answer.said, dict) or list(answer.said) != ["detail"]:
        return None
    detail = answer.said["detail"]
    if isinstance(detail, str):
        return _worded(answer.status, detail)
    if isinstance(detail, list) and detail and all(isinstance(item, dict) and "loc" in item for item in detail):
        if answer.status not in _FINDINGS_STATUSES:  # it is not about the request; of a 5xx no word is shown
            return Default() if answer.status >= 500 else None
        return Default(findings=tuple(detail))
    return Default() if detail is None else None


_LITESTAR_MISSING = re.compile(
    r"Missing required (query|header|cookie|path) parameter (['\"])(.{1,200})\2 for path .*", re.DOTALL
).fullmatch


def litestar_body(answer: Answer) -> Default | None:
    """Litestar's, of whatever media type the route is."""
    said = answer.said
    if not isinstance(said, dict) or list(said) not in (["status_code", "detail"], ["status_code", "detail", "extra"]):
        return None
    detail, extra = said["detail"], said.get("extra")
    if type(said["status_code"]) is not int or said["status_code"] != answer.status or not isinstance(detail, str):
        return None
    details = of_litestar(extra) if answer.status == 400 else None
    if details is not None:  # its own words are `Validation failed for`, and the URL with its query
        return _worded(answer.status, None if detail.startswith("Validation failed for ") else detail, details=details)
    missing = _LITESTAR_MISSING(detail) if answer.status == 400 and extra is None else None
    if missing:
        return Default(details=(Detail((missing[3],), "Field required", "missing_field", missing[1], "missing"),))
    return _worded(answer.status, detail, extensions={} if extra is None else {"extra": extra})


_STATUS_LINE = re.compile(r"[1-5]\d\d ").match
_FALCON_MEMBERS = ("title", "description", "code", "link")
_FALCON_LINK = ["text", "href", "rel"]
_FALCON_XML = re.compile(
    r'<\?xml version="1\.0" encoding="UTF-8"\?><error><title>([^<>]*)</title>'
    r"(?:<description>([^<>]*)</description>)?(?:<code>(-?\d{1,18})</code>)?"
    r"(?:<link><text>([^<>]*)</text><href>([^<>]*)</href><rel>help</rel></link>)?</error>"
).fullmatch


def falcon_body(answer: Answer) -> Default | None:
    """Falcon's, as JSON and as XML."""
    members = _of_xml(answer.text) if answer.said is None else answer.said
    if not isinstance(members, dict) or list(members) != [name for name in _FALCON_MEMBERS if name in members]:
        return None
    title, description, code, link = (members.get(name) for name in _FALCON_MEMBERS)
    if not isinstance(title, str) or not isinstance(description, (str, NoneType)) or type(code) not in (int, NoneType):
        return None
    if link is not None and not (isinstance(link, dict) and list(link) == _FALCON_LINK and link["rel"] == "help"):
        return None
    said = [each for each in (title, description) if each and not _is_status_line(answer.status, each)]
    if title in said and _STATUS_LINE(title):  # of another status, or with something added
        return None
    return _worded(
        answer.status,
        ": ".join(said) or None,
        extensions={} if code is None else {"code": code},
        doc_url=str(link["href"]) if link else "",
    )


def falcon_status_line(answer: Answer) -> Default | None:
    """Falcon's where its title is the status line: nobody else writes it so."""
    members = _of_xml(answer.text) if answer.said is None else answer.said
    title = members.get("title") if isinstance(members, dict) else None
    return falcon_body(answer) if isinstance(title, str) and _is_status_line(answer.status, title) else None


def _of_xml(page: str) -> dict[str, Any] | None:
    found = _FALCON_XML(page)
    if found is None:
        return None
    title, description, code, words, href = (None if part is None else unescape(part) for part in found.groups())
    members = {
        "title": title,
        "description": description,
        "code": None if code is None else int(code),
        "link": None if href is None else {"text": words, "href": href, "rel": "help"},
    }
    return {name: value for name, value in members.items() if value is not None}


def _is_status_line(status: int, line: str) -> bool:
    return line.startswith(f"{status} ") and says_nothing(status, line.removeprefix(f"{status} "))


def drf_findings(answer: Answer) -> Default | None:
    """Django REST framework's findings: every answer of its views has an Allow field."""
    if answer.status != 400 or "allow" not in answer.fields:
        return None
    details = of_field_dictionary(answer.said)
    return None if details is None else Default(details=details)


def pyramid_json(answer: Answer) -> Default | None:
    """Pyramid's as JSON."""
    said = answer.said
    if not isinstance(said, dict) or list(said) != ["message", "code", "title"]:
        return None
    message, code, title = said.values()
    if not (isinstance(message, str) and code == f"{answer.status} {title}"):
        return None
    return pyramid_words(answer.status, message)


def pyramid_text(answer: Answer) -> Default | None:
    """Pyramid's as text."""
    line, _, body = answer.text.partition("\n\n")
    return pyramid_words(answer.status, body) if line.startswith(f"{answer.status} ") and "\n" not in line else None


def pyramid_words(status: int, body: str) -> Default | None:
    """What Pyramid's explanation, detail and comment say: the author's words, where there are any."""
    explanation, gap, tail = body.partition("\n\n\n")
    detail, end, _ = tail.removesuffix("\n").rpartition("\n")
    if not (gap and end and tail.endswith("\n")):
        return None
    explanation, detail = explanation.strip(), detail.strip()
    if detail.startswith("predicate mismatch for view "):
        detail = ""
    return _worded(status, detail if " " in detail else f"{explanation} {detail}".strip())


def pyramid_html(answer: Answer) -> Default | None:
    """Pyramid's page."""
    body = pyramid_page(answer.status, answer.text)
    return None if body is None else pyramid_words(answer.status, body)


def blacksheep_body(answer: Answer) -> Default | None:
    """BlackSheep's line; or pydantic's findings, whose paths begin in the body."""
    if answer.status == 400 and isinstance(answer.said, list):
        return Default(findings=tuple(answer.said), location="body") if are_findings(answer.said) else None
    if (answer.status, answer.text) == (404, "Resource not found"):
        return Default()
    if answer.status == 400 and answer.text.startswith("Bad Request: "):
        words = answer.text
        while words.startswith("Bad Request: "):
            words = words.removeprefix("Bad Request: ")
        return one_line(answer._replace(text=words))
    return one_line(answer)


def sanic_json(answer: Answer) -> Default | None:
    """Sanic's as JSON, without its debug members."""
    said = answer.said
    members = ["description", "status", "message"]
    if not isinstance(said, dict) or list(said)[:3] != members:
        return None
    if said["status"] != answer.status or not isinstance(said["message"], str):
        return None
    further = list(said)[3:]
    if further and further != ["context"]:
        return None
    context = said.get("context")
    return _worded(answer.status, said["message"], extensions={"context": context} if further else {})


def of_page(page: Callable[[int, str], Words | None]) -> Form:
    """The form of a page, from the function that knows it."""

    def form(answer: Answer) -> Default | None:
        found = page(answer.status, answer.text)
        return None if found is None else _worded(answer.status, *(found or (None,)))

    return form
