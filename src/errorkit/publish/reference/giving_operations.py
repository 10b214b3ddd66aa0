"""Which operations of a service give an error, as far as its document and its declarations tell."""

from __future__ import annotations

from errorkit.catalog import ErrorSpec
from errorkit.dialects import Dialect
from errorkit.errors import STANDARD, MalformedJSONError, ValidationError
from errorkit.publish import Options
from errorkit.publish.described_operations import Operation, operations


def givers(spec: ErrorSpec, dialect: Dialect, options: Options) -> list[Operation]:
    """The operations that give an error in this dialect, as far as document and declarations tell."""
    known = {(each.method, each.path): each for each in operations(options.document)}
    found = {place: each for place, each in known.items() if _spelled(spec, dialect, each, options) in each.codes}
    for method, path in options.operations.get(spec.code, ()):
        if (method, path) in known or not known:  # what a document leaves out is not for everybody
            found.setdefault((method, path), known.get((method, path)) or Operation.of({}, path, method, {}))
    return [each for each in found.values() if _speaks(dialect, each.path, options)]


def _spelled(spec: ErrorSpec, dialect: Dialect, operation: Operation, options: Options) -> str:
    """How the document, whose codes are in the dialect that a path has by default, spells a code there."""
    spoken = next(iter(options.spoken_at(operation.path)), None) or dialect
    return spoken.spell(spec.code)


def _speaks(dialect: Dialect, path: str, options: Options) -> bool:
    spoken = [each for _, each in options.prefixes]
    return dialect not in spoken or dialect in options.spoken_at(path)


def plainest(spec: ErrorSpec, dialect: Dialect, options: Options) -> Operation | None:
    """The giver whose own form brings the error about most plainly.

    Of a standard error that nobody declares, any operation that can.
    """
    giving = givers(spec, dialect, options)
    if not giving and spec.cls in STANDARD:
        giving = [each for each in operations(options.document) if _speaks(dialect, each.path, options)]
        giving = [each for each in giving if _can_give(each, spec)] or giving
    if issubclass(spec.cls, ValidationError):
        plain = [each for each in giving if each.missing() is not None or each.invalid() is not None]
        return next(iter(plain or giving), None)
    return next(iter([each for each in giving if _can_give(each, spec)] or giving), None)


def _can_give(operation: Operation, spec: ErrorSpec) -> bool:
    if issubclass(spec.cls, MalformedJSONError):
        return "json" in operation.media_type
    if spec.status in (413, 415):
        return operation.takes_body
    if spec.status == 401:
        return bool(operation.schemes) or operation.wants_authorization
    return "{" in operation.path if spec.status in (404, 410) else True
