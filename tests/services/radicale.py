"""radicale: calendars and contacts; WSGI without a framework, its errors one line of text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .service import HTTP_DATES, UUIDS, Ask, Service, Volatile

_USER = {"Authorization": "Basic dTpw"}
_XML = {**_USER, "Content-Type": "application/xml"}
_EVENT = b"""BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//sample//EN
BEGIN:VEVENT
UID:tide
DTSTAMP:20260101T000000Z
DTSTART:20260102T100000Z
SUMMARY:High tide
END:VEVENT
END:VCALENDAR
"""


def application(folder: Path) -> Any:
    """One user, nothing stored."""
    from radicale import config
    from radicale.app import Application

    (folder / "users").write_text("u:p\n")
    configuration = config.load()
    configuration.update(
        {
            "auth": {"type": "htpasswd", "htpasswd_filename": str(folder / "users"), "htpasswd_encryption": "plain", "delay": "0"},
            "storage": {"filesystem_folder": str(folder / "store")},
            "server": {"max_content_length": "100000"},
        },
        "tests", privileged=True,
    )  # fmt: skip
    return Application(configuration)


SERVICE = Service(
    title="radicale",
    requirements=("radicale==3.9.0", "gunicorn"),
    framework="none, WSGI",
    packages=("gunicorn",),
    adapter="wsgi",
    server="gunicorn",
    application=application,
    volatile=(UUIDS, HTTP_DATES, Volatile("tags of contents", r'[0-9a-f]{64}')),
    asks=(
        Ask("OPTIONS", "OPTIONS", "/u/", headers=_USER),
        Ask("redirect", "GET", "/"),
        Ask("page", "GET", "/.web/"),
        Ask("create a calendar", "MKCALENDAR", "/u/sea/", headers=_USER),
        Ask("put an event", "PUT", "/u/sea/tide.ics", content=_EVENT, headers={**_USER, "Content-Type": "text/calendar"}),
        Ask("get it", "GET", "/u/sea/tide.ics", headers=_USER),
        Ask("HEAD of it", "HEAD", "/u/sea/tide.ics", headers=_USER),
        Ask("get the calendar", "GET", "/u/sea/", headers=_USER),
        Ask("properties", "PROPFIND", "/u/sea/", headers={**_USER, "Depth": "1"}),
        Ask("unknown item", "GET", "/u/sea/nope.ics", headers=_USER),
        Ask("HEAD of an unknown item", "HEAD", "/u/sea/nope.ics", headers=_USER),
        Ask("unknown collection", "GET", "/u/nope/", headers=_USER),
        Ask("removal of an unknown item", "DELETE", "/u/sea/nope.ics", headers=_USER),
        Ask("no credentials", "GET", "/u/sea/tide.ics"),
        Ask("no credentials for a removal", "DELETE", "/u/sea/tide.ics"),
        Ask("wrong credentials", "GET", "/u/sea/tide.ics", headers={"Authorization": "Basic dTp4"}),
        Ask("somebody else's", "GET", "/v/sea/", headers=_USER),
        Ask("unknown method", "BREW", "/u/sea/", headers=_USER),
        Ask("wrong method", "POST", "/u/sea/", headers=_USER),
        Ask("conflict: same calendar", "MKCALENDAR", "/u/sea/", headers=_USER),
        Ask("conflict: nothing above it", "PUT", "/u/nope/a.ics", content=_EVENT, headers={**_USER, "Content-Type": "text/calendar"}),
        Ask("precondition failed", "PUT", "/u/sea/tide.ics", content=_EVENT, headers={**_USER, "If-Match": '"nope"'}),
        Ask("removal, precondition failed", "DELETE", "/u/sea/tide.ics", headers={**_USER, "If-Match": '"nope"'}),
        Ask("no calendar", "PUT", "/u/sea/b.ics", content=b"hello", headers={**_USER, "Content-Type": "text/calendar"}),
        Ask("malformed XML", "PROPFIND", "/u/sea/", content=b"<not xml", headers=_XML),
        Ask("malformed XML of a report", "REPORT", "/u/sea/", content=b"<not xml", headers=_XML),
        Ask("report of an unknown kind", "REPORT", "/u/sea/", content=b'<a:nope xmlns:a="DAV:"/>', headers=_XML),
        Ask("unusual depth", "PROPFIND", "/u/sea/", headers={**_USER, "Depth": "seven"}),
        Ask("move to another host", "MOVE", "/u/sea/tide.ics", headers={**_USER, "Destination": "http://a.test/u/sea/x.ics"}),
        Ask("move of an unknown item", "MOVE", "/u/sea/nope.ics", headers={**_USER, "Destination": "/u/sea/x.ics"}),
        Ask("too large", "PUT", "/u/sea/c.ics", content=b"x" * 200_000, headers={**_USER, "Content-Type": "text/calendar"}),
        Ask("unknown page", "GET", "/.web/nope.js"),
        Ask("all as it was", "PROPFIND", "/u/sea/", headers={**_USER, "Depth": "1"}),
    ),
)  # fmt: skip
