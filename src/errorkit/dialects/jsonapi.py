"""JSON:API 1.1 error documents.

Source: jsonapi.org/format/1.1, "Error Objects"; the media type takes no parameters.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NotRequired

from typing_extensions import TypedDict

from errorkit.dialects import Dialect, extensions, items, member, text
from errorkit.failure import Detail, Public, pointer, undotted, unpointer

_SOURCES = {"body": "pointer", "query": "parameter", "header": "header"}
"""Location to the member of `source` that names it; other locations are told in `meta`."""


class Version(TypedDict):
    version: str


class Links(TypedDict):
    about: str
    type: str


class Source(TypedDict, total=False):
    pointer: str
    parameter: str
    header: str


class Place(TypedDict):
    location: str
    field: str


class Error(TypedDict):
    id: str
    status: str
    code: str
    title: str
    detail: str
    links: NotRequired[Links]
    source: NotRequired[Source]
    meta: NotRequired[Place]


class Meta(TypedDict):
    request_id: str
    code: str
    message: str
    param: NotRequired[str]


class Body(TypedDict):
    jsonapi: Version
    errors: list[Error]
    meta: Meta


class JSONAPI(Dialect):
    """One error object per finding; the whole's code and message stay in `meta`."""

    name = "jsonapi"
    media_type = "application/vnd.api+json"
    Body = Body
    places = {
        "code": ("$.meta.code", "$.errors[0].code"),
        "message": ("$.meta.message", "$.errors[0].detail"),
        "details": (),
    }
    carries = (
        "status",
        "code",
        "title",
        "message",
        "param",
        "request_id",
        "doc_url",
        "retry_after",
        "rate_limit",
        "extensions",
        "details.path",
        "details.message",
        "details.code",
        "details.location",
    )
    copies = ("message", "request_id", "param", "retry_after", "resume_at")

    def write(self, public: Public) -> dict[str, Any]:
        meta = {
            **public.extensions,
            "request_id": public.request_id,
            "code": self.spell(public.code),
            "message": public.message,
        }
        if public.param is not None:
            meta["param"] = public.param
        if public.details:
            errors = [self._finding(public, n, detail) for n, detail in enumerate(public.details)]
        else:
            errors = [self._error(public, public.request_id, self.spell(public.code), public.message)]
        return {"jsonapi": {"version": "1.1"}, "errors": errors, "meta": meta}

    def _error(self, public: Public, id: str, code: str, detail: str) -> dict[str, Any]:
        error: dict[str, Any] = {
            "id": id,
            "status": str(public.status),
            "code": code,
            "title": public.title,
            "detail": detail,
        }
        if public.doc_url:
            query = "&" if "?" in public.doc_url else "?"
            error["links"] = {
                "about": f"{public.doc_url}{query}request={public.request_id}",
                "type": public.doc_url,
            }
        return error

    def _finding(self, public: Public, number: int, detail: Detail) -> dict[str, Any]:
        error = self._error(public, f"{public.request_id}.{number}", detail.code, detail.message)
        source = _SOURCES.get(detail.location)
        if source is None:
            error["meta"] = {"location": detail.location, "field": detail.field}
        else:
            error["source"] = {source: pointer(detail.path) if source == "pointer" else detail.field}
        return error

    def read(self, status: int, headers: Mapping[str, str], body: Any) -> Public:
        meta = member(body, "meta")
        errors = items(member(body, "errors"))
        first: dict[str, Any] = errors[0] if errors else {}
        found = [error for error in errors if "source" in error or member(error.get("meta"), "location")]
        message = member(meta, "message")
        return self.public(
            status,
            headers,
            code=self.canonical(text(member(meta, "code")) or text(first.get("code"))),
            title=text(first.get("title")),
            message=text(first.get("detail") if message is None else message),
            param=text(member(meta, "param")),
            request_id=text(member(meta, "request_id")),
            doc_url=text(member(first.get("links"), "type")),
            details=tuple(map(_detail, found)),
            extensions=extensions(meta, Meta.__annotations__),
        )


def _detail(error: dict[str, Any]) -> Detail:
    message, code = text(error.get("detail")), text(error.get("code"))
    source, place = error.get("source"), error.get("meta")
    for location, name in _SOURCES.items():
        where = member(source, name)
        if isinstance(where, str):
            return Detail(unpointer(where) if name == "pointer" else undotted(where), message, code, location)
    return Detail(undotted(text(member(place, "field"))), message, code, text(member(place, "location")) or "body")
