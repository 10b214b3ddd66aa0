"""A framework's error that is raised, as the error that it becomes."""

from __future__ import annotations

import re
from keyword import iskeyword
from typing import NamedTuple

import libcst as cst

from errorkit.arguments import slips
from errorkit.errors import APIError
from errorkit.failure import Public
from errorkit.http_exception import CODES, MESSAGES
from errorkit.publish.adopt.code_base import CodeBase, Module, literal
from errorkit.publish.adopt.error_module import ErrorClass, ErrorModule
from errorkit.publish.adopt.naming import code_of
from errorkit.publish.adopt.spellings import Doubt, Given, fixed_words, is_text, placeholders


class Call(NamedTuple):
    """A call that makes an error: its class, and the arguments as source."""

    error: ErrorClass
    arguments: tuple[str, ...]


def as_error(code: CodeBase, module: Module, given: Given, errors: ErrorModule) -> Call:
    """The call of errorkit's that answers the same status and the same words. Raises Doubt."""
    header = _headers(module, given)
    if isinstance(given.detail, cst.Dict):
        return _structured(code, module, given, given.detail, errors, header)
    error, words = _worded(code, module, given.status, given.detail, errors)
    return Call(error, (*words, *header))


def _worded(
    code: CodeBase,
    module: Module,
    status: int,
    detail: cst.BaseExpression | None,
    errors: ErrorModule,
    own: str = "",
) -> tuple[ErrorClass, tuple[str, ...]]:
    """The class for a status and what was said, and the words that it has to be told. own: the author's code."""
    if detail is None:
        return errors.error(status, None, code=own), ()
    words = literal(detail)
    if isinstance(words, str):
        error = errors.error(status, words or None, code=own)
        return error, () if error.message == words or not words else (_expression(module, detail),)
    if not is_text(code, module, detail):
        raise Doubt(f"its words are {_short(module, detail)}, which may be something else than text")
    if status >= 500 and next(placeholders(detail), None) is not None:
        raise Doubt("the words of a server's failure are computed: what of them may a client see?")
    fixed = code.constants.get(module.meaning(detail))
    said = fixed if isinstance(fixed, str) else fixed_words(detail)
    return errors.error(status, said if code_of(said) else None, code=own, constant=False), (
        _expression(module, detail),
    )


def _structured(
    code: CodeBase, module: Module, given: Given, detail: cst.Dict, errors: ErrorModule, header: tuple[str, ...]
) -> Call:
    """A dictionary: its code, its words, and further members that a client may see."""
    members: dict[str, cst.BaseExpression] = {}
    for element in detail.elements:
        name = literal(element.key) if isinstance(element, cst.DictElement) else None
        if not isinstance(name, str):
            raise Doubt("the members of its detail are not all literals")
        members[name] = element.value
    own = ""
    for name in CODES:
        value = literal(members[name]) if name in members else None
        if isinstance(value, str) and " " not in value and code_of(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", value)):
            own = code_of(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", value))
            del members[name]
            break
    said = next((members.pop(name) for name in MESSAGES if name in members), None)
    if said is None:
        raise Doubt("its detail has no words")
    if given.status >= 500 and members:
        raise Doubt("the detail of a server's failure has members: which of them may a client see?")
    for name in members:
        if name in _RESERVED or not name.isidentifier() or iskeyword(name) or slips("APIError", {name: None}):
            raise Doubt(f"the member {name!r} of its detail cannot be one of an error")
    error, words = _worded(code, module, given.status, said, errors, own)
    more = tuple(f"{name}={_expression(module, value)}" for name, value in members.items())
    return Call(error, (*words, *header, *more))


_RESERVED = frozenset(
    {*Public._fields, *vars(APIError), "errors", "instance", "message", "rate_limit", "resource_tenant", "conceal_as"}
)


def _headers(module: Module, given: Given) -> tuple[str, ...]:
    """Header fields; a wait in seconds becomes what errorkit calls it."""
    wait = given.retry_after
    arguments = [] if wait is None else [f"retry_after={_expression(module, wait)}"]
    if wait is not None and not isinstance(literal(wait), int):
        raise Doubt("its wait is computed")
    if given.headers is None:
        return tuple(arguments)
    if not isinstance(given.headers, cst.Dict):
        return (*arguments, f"headers={_expression(module, given.headers)}")
    kept: list[str] = []
    for element in given.headers.elements:
        name = literal(element.key) if isinstance(element, cst.DictElement) else None
        value = literal(element.value)
        is_wait = isinstance(name, str) and name.lower() == "retry-after" and not arguments
        if is_wait and isinstance(value, str) and re.fullmatch(r"[0-9]{1,7}", value):
            arguments.append(f"retry_after={int(value)}")
        else:
            kept.append(module.text(element))
    if kept:
        text = module.text(given.headers)
        arguments.append(f"headers={text if len(kept) == len(given.headers.elements) else _braces(kept)}")
    return tuple(arguments)


def _braces(kept: list[str]) -> str:
    return "{" + ", ".join(each.rstrip(", ") for each in kept) + "}"


def _expression(module: Module, node: cst.BaseExpression) -> str:
    """An expression's source; a generator or a walrus in its parentheses."""
    text = module.text(node)
    if node.__class__.__name__ in ("GeneratorExp", "NamedExpr") and not text.startswith("("):
        return f"({text})"
    return text


def _short(module: Module, node: cst.CSTNode) -> str:
    text = " ".join(module.text(node).split())
    return text if len(text) <= 60 else f"{text[:57]}..."
