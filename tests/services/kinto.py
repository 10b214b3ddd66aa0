"""kinto: a store of JSON records; Pyramid, every error in a shape of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .service import EPOCHS, HTTP_DATES, UUIDS, Ask, Service, Volatile

_USER = {"Authorization": "Basic dTpw"}
_OTHER = {"Authorization": "Basic djpw"}
_RECORDS = "/v1/buckets/b/collections/c/records"


def application(_folder: Path) -> Any:
    """Everything in memory; whoever logs in may create buckets."""
    from kinto import main

    return main({}, **{
        "kinto.userid_hmac_secret": "0" * 64,
        "kinto.bucket_create_principals": "system.Authenticated",
        "multiauth.policies": "basicauth",
        "multiauth.policy.basicauth.use": "kinto.core.authentication.BasicAuthAuthenticationPolicy",
        "kinto.paginate_by": "2",
    })  # fmt: skip


SERVICE = Service(
    title="kinto",
    requirements=("kinto==26.5.0", "gunicorn"),
    framework="Pyramid",
    packages=("pyramid",),
    adapter="wsgi",
    server="gunicorn",
    application=application,
    volatile=(UUIDS, EPOCHS, HTTP_DATES, Volatile("tokens of pages", r"_token=[\w%=-]+")),
    asks=(
        Ask("hello", "GET", "/v1/"),
        Ask("heartbeat", "GET", "/v1/__lbheartbeat__"),
        Ask("redirect to the version", "GET", "/buckets"),
        Ask("create a bucket", "PUT", "/v1/buckets/b", headers=_USER),
        Ask("create a collection", "PUT", "/v1/buckets/b/collections/c", headers=_USER),
        Ask("create a record", "PUT", f"{_RECORDS}/r1", json={"data": {"n": 1}}, headers=_USER),
        Ask("create one more", "POST", _RECORDS, json={"data": {"n": 2}}, headers=_USER),
        Ask("read it", "GET", f"{_RECORDS}/r1", headers=_USER),
        Ask("list", "GET", f"{_RECORDS}?_sort=n", headers=_USER),
        Ask("HEAD of the list", "HEAD", _RECORDS, headers=_USER),
        Ask("change it", "PATCH", f"{_RECORDS}/r1", json={"data": {"n": 3}}, headers=_USER),
        Ask("batch", "POST", "/v1/batch", json={"requests": [{"path": "/v1/buckets/b"}, {"path": "/v1/nope"}]}, headers=_USER),
        Ask("CORS preflight", "OPTIONS", _RECORDS, headers={"Origin": "http://a.test", "Access-Control-Request-Method": "POST"}),
        Ask("unknown route", "GET", "/v1/nope"),
        Ask("unknown route, another origin", "GET", "/v1/nope", headers={"Origin": "http://a.test"}),
        Ask("unknown version", "GET", "/v9/buckets"),
        Ask("HEAD of an unknown record", "HEAD", f"{_RECORDS}/nope", headers=_USER),
        Ask("wrong method", "DELETE", "/v1/", headers=_USER),
        Ask("no credentials", "GET", _RECORDS),
        Ask("no credentials, another origin", "GET", _RECORDS, headers={"Origin": "http://a.test"}),
        Ask("no credentials for a change", "PUT", "/v1/buckets/x"),
        Ask("forbidden", "GET", _RECORDS, headers=_OTHER),
        Ask("unknown record", "GET", f"{_RECORDS}/nope", headers=_USER),
        Ask("unknown collection", "GET", "/v1/buckets/b/collections/nope/records", headers=_USER),
        Ask("unknown bucket", "GET", "/v1/buckets/nope", headers=_USER),
        Ask("removal of an unknown record", "DELETE", f"{_RECORDS}/nope", headers=_USER),
        Ask("malformed JSON", "POST", _RECORDS, content=b'{"data": ', headers={**_USER, "Content-Type": "application/json"}),
        Ask("body of another type", "POST", _RECORDS, content=b"a=1", headers={**_USER, "Content-Type": "text/plain"}),
        Ask("rejected body", "PUT", f"{_RECORDS}/r1", json={"data": 7}, headers=_USER),
        Ask("rejected name", "PUT", "/v1/buckets/a%20b!", headers=_USER),
        Ask("rejected filter", "GET", f"{_RECORDS}?_since=abc", headers=_USER),
        Ask("rejected limit", "GET", f"{_RECORDS}?_limit=many", headers=_USER),
        Ask("exists already", "PUT", f"{_RECORDS}/r1", json={"data": {"n": 9}}, headers={**_USER, "If-None-Match": "*"}),
        Ask("changed meanwhile", "PUT", f"{_RECORDS}/r1", json={"data": {"n": 9}}, headers={**_USER, "If-Match": '"1"'}),
        Ask("rejected precondition", "GET", _RECORDS, headers={**_USER, "If-Match": "abc"}),
        Ask("rejected batch", "POST", "/v1/batch", json={"requests": "all"}, headers=_USER),
        Ask("all as it was", "GET", f"{_RECORDS}/r1", headers=_USER),
    ),
)  # fmt: skip
