"""Text of generated clients: templates, and a code's documentation as paragraphs."""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping
from importlib.resources import files

from errorkit.publish.clients.client_model import Code, Form
from errorkit.publish.public_words import prose


class _Template(string.Template):
    """`@@name`, which neither Python nor TypeScript knows."""

    delimiter = "@@"


def fill(template: str, values: Mapping[str, str]) -> str:
    """A template of this package with its values. Raises KeyError for one that is missing."""
    text = (files("errorkit.publish.clients") / "templates" / template).read_text(encoding="utf-8")
    return _Template(text).substitute(values)


def plain(text: str) -> str:
    """Text on one line, without anything that is not printed."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def described(code: Code) -> Iterator[str]:
    """What is to be known of a code: meaning, how it comes, causes, resolution."""
    spec, words = code.spec, prose(code.spec)
    yield plain(words.description) or plain(spec.title)
    statuses = " or ".join(map(str, code.statuses))
    again = "worth repeating" if spec.retryable else "not worth repeating"
    opened = "" if spec.propagate else "; does not reach the caller (fail-open)"
    yield f"Code `{code.spelling}`, status {statuses}; {again}{opened}."
    if words.causes:
        yield "Causes: " + " ".join(map(plain, words.causes))
    if words.resolution:
        yield "Resolution: " + plain(words.resolution)


def headers(form: Form) -> dict[str, str]:
    """Names of the header fields that a client reads of a dialect, in lower case; empty for none."""
    dialect = form.dialect
    named = {
        "code_header": dialect.code_header,
        "id_header": dialect.request_id_header,
        "retry_header": dialect.retry_verdict_header,
        "retry_ms_header": dialect.retry_after_ms_header,
    }
    return {name: (header or "").lower() for name, header in named.items()}
