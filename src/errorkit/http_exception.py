"""A framework's HTTP exception as an error: what its author meant by `detail`, and nothing that must not leave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from errorkit.catalog import Catalog
from errorkit.errors import APIError, InternalError
from errorkit.finding_words import are_findings
from errorkit.retry import check_wait
from errorkit.status_words import says_nothing
from errorkit.texts import plain_text, words_in
from errorkit.validation import LOCATIONS, details_of, invalid

CODES = ("code", "error_code", "errorCode", "error")
"""Members of a `detail` that may name a code of the catalogue, in any spelling; the first that does counts."""
MESSAGES = ("message", "detail", "error_message", "errorMessage", "msg", "error_description", "description", "error")
"""Members of a `detail` that may be its words for people; the first that is text counts."""

_UNPROCESSABLE = 422


def from_http_exception(
    catalog: Catalog, status: int, detail: Any, headers: Mapping[str, str] | None = None
) -> APIError:
    """The error that answers for an HTTP exception of a framework. Its status and its header fields are kept.

    detail: text is the message, if it says more than the status. In a mapping, `code` is the
        error's code where the catalogue has it for that status, `message` its words, `param`,
        `retry_after` and findings in `details` or `errors` what they are; all else becomes public
        members under their own names. A list of pydantic's findings, or its ValidationError
        itself, makes the details of a 400 and of a 422. Any other value is the member
        `detail_value`. Of a 5xx a code of the catalogue and a wait are shown: the event has the rest.
    """
    if not 400 <= status <= 599:
        error = catalog.by_class(InternalError).occurrence()
        error.context = {"http_exception_status": status}
        return error
    if status >= 500:
        members = dict(detail) if isinstance(detail, Mapping) else {}
        error = _named(catalog, status, members, headers)
        _take_wait(error, members)
        return error
    if detail is None or isinstance(detail, str):
        error = catalog.by_status(status).occurrence(headers=headers)
        if detail is not None and not says_nothing(status, detail):
            error.message = detail
        return error
    findings = _findings(detail)
    if findings is not None:
        return _rejected(catalog, status, findings, headers)
    if isinstance(detail, Mapping):
        return _structured(catalog, status, detail, headers)
    error = catalog.by_status(status).occurrence(headers=headers)
    error.extensions = {"detail_value": detail}
    return error


def _findings(detail: Any) -> list[Mapping[str, Any]] | None:
    """Findings of pydantic, given as a list or as the exception that holds them."""
    if are_findings(detail):
        return list(detail)
    if isinstance(detail, BaseException) and hasattr(type(detail), "errors"):
        try:
            found = list(detail.errors())  # type: ignore[attr-defined]
        except Exception:
            return None
        return found if are_findings(found) else None
    return None


def _rejected(
    catalog: Catalog, status: int, findings: list[Mapping[str, Any]], headers: Mapping[str, str] | None
) -> APIError:
    """A 422 is what the framework itself answers to a rejected request; another status is its author's choice."""
    error: APIError
    if status == _UNPROCESSABLE:
        error = invalid(findings, field_codes=catalog.field_codes, location=_location(findings))
    else:
        error = catalog.by_status(status).occurrence()
        if status == 400:
            error.details = details_of(findings, field_codes=catalog.field_codes, location=_location(findings))
        else:
            error.extensions = {"detail_value": findings}
    if headers is not None:
        error.headers = headers
    error.reason = "validation"  # the exception's words repeat what was submitted
    return error


def _location(findings: Sequence[Mapping[str, Any]]) -> str | None:
    """None where the paths begin with it, as FastAPI's do and pydantic's do not."""
    begin = list(findings[0]["loc"])[:1]
    return None if begin and isinstance(begin[0], str) and begin[0] in LOCATIONS else "body"


def _structured(
    catalog: Catalog, status: int, detail: Mapping[Any, Any], headers: Mapping[str, str] | None
) -> APIError:
    members = {told: value for name, value in detail.items() if (told := plain_text(name, 200)) is not None}
    error = _named(catalog, status, members, headers)
    for name in MESSAGES:
        words = members.get(name)
        if isinstance(words, str) and words and not (name == "error" and " " not in words):
            del members[name]
            if not says_nothing(status, words):
                error.message = words
            break
    param = members.get("param")
    if isinstance(param, str):
        error.param = members.pop("param")
    for name in ("details", "errors"):
        if are_findings(members.get(name)):
            found = members.pop(name)
            error.details = details_of(found, field_codes=catalog.field_codes, location=_location(found))
            break
    _take_wait(error, members)
    if members:
        error.extensions = members
    return error


def _named(catalog: Catalog, status: int, members: dict[str, Any], headers: Mapping[str, str] | None) -> APIError:
    """The error of the code that the members name, which is taken out of them; else that of the status."""
    for name in CODES:
        code = members.get(name)
        spelt = "_".join(words_in(code)) if isinstance(code, str) and len(code) <= 100 else ""
        if spelt in catalog and catalog.by_code(spelt).status == status:
            del members[name]
            return catalog.by_code(spelt).occurrence(headers=headers)
    return catalog.by_status(status).occurrence(headers=headers)


def _take_wait(error: APIError, members: dict[str, Any]) -> None:
    wait = members.get("retry_after")
    if plain_text(wait) is None or isinstance(wait, str):
        return
    try:
        error.retry_after = check_wait(wait)
    except (TypeError, ValueError):
        return
    del members["retry_after"]
