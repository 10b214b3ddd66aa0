"""The reference for programs: the same words and examples as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from errorkit.publish.reference.entries import Entry, Form


def index_document(title: str, entries: Iterable[Entry]) -> dict[str, Any]:
    """All codes, each with the file that tells more."""
    return {"title": title, "errors": [{**_summary(entry), "url": f"{entry.code}.json"} for entry in entries]}


def code_document(entry: Entry) -> dict[str, Any]:
    """All of one code."""
    deprecated = None if entry.deprecated is None else entry.deprecated._asdict()
    return {
        **_summary(entry),
        "causes": list(entry.causes),
        "resolution": entry.resolution,
        "retry": entry.retry,
        "turn": entry.turn,
        "next_step": entry.todo,
        "propagate": entry.propagate,
        "since": entry.since,
        "changed": [change._asdict() for change in entry.changed],
        "deprecated": deprecated,
        "examples": [{"title": title, "bad": bad, "fixed": fixed} for title, bad, fixed in entry.pairs],
        "forms": [_form(form) for form in entry.forms],
    }


def _summary(entry: Entry) -> dict[str, Any]:
    return {
        "code": entry.code,
        "spelling": entry.spelling,
        "status": entry.status,
        "title": entry.title,
        "area": entry.area,
        "description": entry.description,
        "retryable": entry.retryable,
        "action": entry.action,
    }


def _form(form: Form) -> dict[str, Any]:
    return {
        "dialect": form.name,
        "prefixes": list(form.prefixes),
        "spelling": form.spelling,
        "operations": [{"method": each.method, "path": each.path, "url": each.url} for each in form.operations],
        "request": form.request,
        "response": {
            "status": form.status,
            "headers": {name: value for name, value, _ in form.headers},
            "body": form.body,
        },
    }
