"""How frameworks' errors are spelt: which call is one, and what its status and its words are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import NamedTuple

import libcst as cst

from errorkit.publish.adopt.code_base import CodeBase, Module, literal
from errorkit.publish.source_edits import walk

HTTP_EXCEPTIONS = frozenset(
    {
        "fastapi.HTTPException",
        "fastapi.exceptions.HTTPException",
        "starlette.exceptions.HTTPException",
        "fastapi.exceptions.StarletteHTTPException",
        "werkzeug.exceptions.HTTPException",
    }
)
ABORTS = frozenset({"flask.abort", "flask.helpers.abort", "werkzeug.exceptions.abort"})

WERKZEUG: Mapping[str, int] = {
    "BadRequest": 400, "Unauthorized": 401, "Forbidden": 403, "NotFound": 404, "NotAcceptable": 406,
    "RequestTimeout": 408, "Conflict": 409, "Gone": 410, "LengthRequired": 411, "PreconditionFailed": 412,
    "RequestEntityTooLarge": 413, "RequestURITooLarge": 414, "UnsupportedMediaType": 415, "ExpectationFailed": 417,
    "ImATeapot": 418, "MisdirectedRequest": 421, "UnprocessableEntity": 422, "Locked": 423, "FailedDependency": 424,
    "PreconditionRequired": 428, "TooManyRequests": 429, "RequestHeaderFieldsTooLarge": 431,
    "UnavailableForLegalReasons": 451, "InternalServerError": 500, "NotImplemented": 501, "BadGateway": 502,
    "ServiceUnavailable": 503, "GatewayTimeout": 504, "HTTPVersionNotSupported": 505,
}  # fmt: skip
"""werkzeug's classes that are made from a description alone, and their statuses. Source: werkzeug.exceptions."""

_STATUS_NAME = re.compile(r"(?:fastapi|starlette)\.status\.HTTP_(\d{3})_\w+").fullmatch


class Doubt(ValueError):
    """Why something is left as it is."""


class Given(NamedTuple):
    """What an error is raised with. status: 400..599. The rest as expressions, where it is there."""

    status: int
    detail: cst.BaseExpression | None = None
    headers: cst.BaseExpression | None = None
    retry_after: cst.BaseExpression | None = None


def werkzeug_status(meaning: str) -> int | None:
    """The status of a class of werkzeug's."""
    module, _, name = meaning.rpartition(".")
    return WERKZEUG.get(name) if module == "werkzeug.exceptions" else None


def is_http_exception(module: Module, node: cst.CSTNode) -> bool:
    """Is it a framework's HTTP exception, a class of werkzeug's that derives from it, or anything called so."""
    meaning = module.meaning(node)
    return meaning.rpartition(".")[2] == "HTTPException" or meaning.startswith("werkzeug.exceptions.")


def given_to(code: CodeBase, module: Module, node: cst.BaseExpression) -> Given | None:
    """What a framework's error is made with; None where the expression is none. Raises Doubt."""
    call = node if isinstance(node, cst.Call) else None
    meaning = module.meaning(call.func if call else node)
    status = werkzeug_status(meaning)
    if meaning in HTTP_EXCEPTIONS and not meaning.startswith("werkzeug"):
        return _given(code, module, call, ("status_code", "detail", "headers"))
    if meaning in ABORTS and call is not None:
        return _given(code, module, call, ("code", "description"))
    if status is not None:
        return _given(code, module, call, ("description",), status)
    if meaning.rpartition(".")[2] == "HTTPException":
        raise Doubt(f"{meaning} is not known to be a framework's")
    if meaning.startswith("werkzeug.exceptions."):
        raise Doubt(f"{meaning.rpartition('.')[2]} is made from more than words")
    return None


def _given(
    code: CodeBase, module: Module, call: cst.Call | None, names: tuple[str, ...], status: int | None = None
) -> Given:
    said: dict[str, cst.BaseExpression] = {}
    for position, argument in enumerate(call.args if call else ()):
        if argument.star:
            raise Doubt("its arguments are computed")
        if argument.keyword is None and position >= len(names):
            raise Doubt("it has more arguments than are known")
        said[argument.keyword.value if argument.keyword else names[position]] = argument.value
    known = {*names, "headers", "retry_after"} if names[0] != "status_code" else set(names)
    unknown = sorted(set(said) - known)
    if unknown:
        raise Doubt(f"{unknown[0]}= has no counterpart")
    if status is None:
        if names[0] not in said:
            raise Doubt("its status is not given")
        status = status_of(code, module, said[names[0]])
    if status is None:
        raise Doubt(f"its status is {module.text(said[names[0]])}, which is not a literal")
    if not 400 <= status <= 599:
        raise Doubt(f"{status} is no error")
    detail, headers, wait = (
        None if value is None or module.meaning(value) == "builtins.None" or _is_none(value) else value
        for value in (said.get(names[-1] if len(names) < 3 else "detail"), said.get("headers"), said.get("retry_after"))
    )
    return Given(status, detail, headers, wait)


def _is_none(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.Name) and node.value == "None"


def status_of(code: CodeBase, module: Module, node: cst.BaseExpression) -> int | None:
    """The number that an expression is: a literal, a framework's or Python's name of it, a constant."""
    value = literal(node)
    if value is not None:
        return value if isinstance(value, int) else None
    meaning = module.meaning(node)
    named = _STATUS_NAME(meaning)
    if named:
        return int(named[1])
    if meaning.startswith("http.HTTPStatus."):
        return getattr(HTTPStatus.__members__.get(meaning.split(".")[2]), "value", None)
    constant = code.constants.get(meaning)
    return constant if isinstance(constant, int) else None


def is_text(code: CodeBase, module: Module, node: cst.BaseExpression) -> bool:
    """Is an expression surely a str, whatever happens."""
    if isinstance(node, (cst.SimpleString, cst.ConcatenatedString, cst.FormattedString)):
        return not isinstance(node, cst.SimpleString) or "b" not in node.prefix
    if isinstance(node, cst.IfExp):
        return is_text(code, module, node.body) and is_text(code, module, node.orelse)
    if isinstance(node, cst.BinaryOperation):
        left = is_text(code, module, node.left)
        if isinstance(node.operator, cst.Modulo):
            return left
        return isinstance(node.operator, cst.Add) and (left or is_text(code, module, node.right))
    if isinstance(node, cst.Call):
        if module.meaning(node.func) in ("builtins.str", "builtins.repr"):
            return True
        if isinstance(node.func, cst.Attribute) and node.func.attr.value in ("format", "join", "strip", "title"):
            return is_text(code, module, node.func.value)
        return False
    if isinstance(node, cst.Name):
        if isinstance(code.constants.get(module.meaning(node)), str):
            return True
        return _is_text_here(code, module, node)
    return isinstance(code.constants.get(module.meaning(node)), str)


def _is_text_here(code: CodeBase, module: Module, name: cst.Name) -> bool:
    """A variable that its function sets to texts alone, or a parameter that says it is a str."""
    function = next(module.functions_around(name), None)
    if function is None:
        return False
    everything = list(walk(function))
    if any(isinstance(node, (cst.Nonlocal, cst.Global)) for node in everything):
        return False
    bound = [node for node in everything if _binds(node, name.value)]
    if len(bound) == 1 and isinstance(bound[0], cst.Param):
        annotation = bound[0].annotation
        return annotation is not None and module.meaning(annotation.annotation) == "builtins.str"
    return bool(bound) and all(
        isinstance(node, cst.Assign) and not _mentions(node.value, name.value) and is_text(code, module, node.value)
        for node in bound
    )


def _binds(node: cst.CSTNode, name: str) -> bool:
    """Does it set a variable: an assignment (its targets all its own), a parameter, or anything else that does."""
    if isinstance(node, cst.Param):
        return node.name.value == name
    if isinstance(node, cst.Assign):
        return any(_mentions(target.target, name) for target in node.targets)
    if isinstance(node, (cst.AnnAssign, cst.AugAssign, cst.NamedExpr, cst.For, cst.CompFor)):
        return _mentions(node.target, name)
    if isinstance(node, (cst.AsName, cst.NameItem, cst.ImportAlias, cst.MatchAs, cst.MatchStar)):
        return any(_mentions(child, name) for child in node.children)
    return False


def _mentions(node: cst.CSTNode, name: str) -> bool:
    return any(isinstance(each, cst.Name) and each.value == name for each in walk(node))


def placeholders(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """What of a text is computed when it is raised."""
    for each in walk(node):
        if isinstance(each, (cst.FormattedStringExpression, cst.Call, cst.Name, cst.Attribute, cst.BinaryOperation)):
            yield each


def fixed_words(node: cst.CSTNode) -> str:
    """What of a text is always the same."""
    parts = []
    for each in walk(node):
        if isinstance(each, cst.FormattedStringText):
            parts.append(each.value)
        elif isinstance(each, cst.SimpleString):
            value = each.evaluated_value
            parts.append(re.sub(r"\{[^{}]*\}|%\(?\w*\)?[sdrf]", " ", value) if isinstance(value, str) else "")
    return " ".join(parts)
