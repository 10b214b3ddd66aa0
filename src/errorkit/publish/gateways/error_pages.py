"""What a gateway answers to each status: the service's own bytes, with a mark for the request ID.

Each gateway puts its own variable in the place of the mark.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple

from errorkit.catalog import Catalog
from errorkit.dialects import Dialect
from errorkit.exchange import raw_header
from errorkit.publish import Options
from errorkit.publish.wire_example import Example, answer
from errorkit.written_body import form_of, is_xml

ID_MARK = "errorkit.place.of.the.request.id"
"""Stands in bodies for the request ID; safe in any dialect, unlikely in any text."""
_OTHER_ID = "another.id"

SAFE_ID = "A-Za-z0-9._:-"
"""The characters of a request ID, as a class of a regular expression (see `errorkit.request_id`)."""
LONGEST_ID = 128

INVENTED = (
    *(400, 401, 403, 404, 405, 408, 411, 412, 413, 414, 415, 416, 417, 421, 426, 429, 431),
    *(500, 501, 502, 503, 504, 505, 507),
)
"""Statuses that nginx, Envoy or Caddy answer with by themselves."""

OPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "allow_origin": "Access-Control-Allow-Origin of the gateway's own errors, so that browsers can read them",
        "trust_inbound": "no: replace every request ID that a client sends (default yes: keep a safe one)",
    }
)

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')


class Header(NamedTuple):
    """A response header field. `yields`: one that the gateway has set by itself stands."""

    name: str
    value: str
    yields: bool = False


class Page(NamedTuple):
    """The answer to one status, without the request ID's header and the content type.

    status: what the gateway failed with. sent: what the dialect sends instead, or the same.
    """

    status: int
    sent: int
    code: str
    headers: tuple[Header, ...]
    body: str
    media_type: str

    def escaped(self, characters: str) -> str:
        """The body with each of `characters`, where a string holds it, as a JSON escape; in XML as a reference.

        Raises ValueError where other text has one of them.
        """
        if form_of(self.media_type) != "JSON":
            if not is_xml(self.media_type) and (found := next((c for c in characters if c in self.body), None)):
                raise ValueError(
                    f"the body of {self.status} ({self.code}) has {found!r}, which text cannot escape here"
                )
            return self.body.translate({ord(c): f"&#{ord(c)};" for c in characters})
        table = {ord(c): f"\\u{ord(c):04x}" for c in characters}
        return _STRING.sub(lambda string: string[0].translate(table), self.body)


def id_prefix(dialect: Dialect) -> str:
    """What ids of the dialect begin with; the rest is of the gateway's making."""
    return dialect.request_id_format.prefix if dialect.request_id_format else ""


def believes(options: Options) -> bool:
    """Is a client's id kept, if it is safe. Raises ValueError for anything but yes and no."""
    answer = options.extra.get("trust_inbound", "yes")
    if answer not in ("yes", "no"):
        raise ValueError(f"trust_inbound={answer!r}: use yes or no")
    return answer == "yes"


def pages(catalog: Catalog, dialect: Dialect, options: Options) -> list[Page]:
    """One page for each status that a gateway invents or the catalogue knows, by status.

    Raises ValueError for a dialect of bytes, which no configuration file can hold.
    """
    if form_of(dialect.media_type) == "bytes":
        raise ValueError(f"dialect {dialect.name!r} sends bytes, which a gateway's file cannot hold")
    statuses = sorted({*INVENTED, *(spec.status for spec in catalog)})
    options = replace(options, negotiate=False)  # a fixed text asks for no Accept
    return [_page(catalog, dialect, options, status) for status in statuses]


def everywhere(answers: list[Page]) -> list[Header]:
    """The header fields that are the same on every page."""
    return [header for header in answers[0].headers if all(header in page.headers for page in answers)]


def _page(catalog: Catalog, dialect: Dialect, options: Options, status: int) -> Page:
    spec = catalog.by_status(status)
    cls = spec.cls
    if spec.status != status:  # the words of another status, which stays with its own errors
        cls = type(cls.__name__, (cls,), {"status": status})

    def told(request_id: str) -> Example:
        return answer(catalog, dialect, options, cls.__new__(cls), request_id=request_id, at=None)

    shown = told(ID_MARK)
    body = shown.body
    if body.replace(ID_MARK, _OTHER_ID) != told(_OTHER_ID).body:
        body = told("").body  # encoded further: the header alone has it
    own = {name.lower(): value for name, value in spec.default_headers.items()}
    headers = [
        Header(name, value, yields=own.get(name.lower()) == value or name in ("Retry-After", "WWW-Authenticate"))
        for name, value in shown.headers
        if name.lower() not in ("content-type", "content-length", dialect.request_id_header.lower())
    ]
    return Page(
        status, shown.public.status, spec.code, (*headers, *_cross_origin(dialect, options)), body, dialect.media_type
    )


def _cross_origin(dialect: Dialect, options: Options) -> list[Header]:
    """What lets a browser read the answer (fetch.spec.whatwg.org, CORS protocol), where it is asked for."""
    origin = options.extra.get("allow_origin")
    if not origin:
        return []
    if raw_header("Access-Control-Allow-Origin", origin) is None:
        raise ValueError(f"allow_origin={origin!r} cannot be sent in a header")
    return [
        Header("Access-Control-Allow-Origin", origin, yields=True),
        Header("Access-Control-Expose-Headers", f"{dialect.request_id_header}, Retry-After", yields=True),
    ]
