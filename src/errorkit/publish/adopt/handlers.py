"""Exception handlers that only say a status and words: what they become in `exceptions=`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import libcst as cst

from errorkit.http_exception import MESSAGES
from errorkit.publish.adopt.code_base import CodeBase, Module, literal
from errorkit.publish.adopt.spellings import Doubt, is_http_exception, status_of

_DECORATORS = frozenset({"exception_handler", "errorhandler"})
_CALLS = frozenset({"add_exception_handler", "register_error_handler"})


class Handler(NamedTuple):
    """A handler of one exception of the service's own.

    exception: the class as it is written. words: what is always said; None where the exception's own words are.
    remove: the statements that it is made of.
    """

    exception: cst.BaseExpression
    application: str
    status: int
    words: str | None
    remove: tuple[cst.CSTNode, ...]


class Registered(NamedTuple):
    """A handler as it is registered: with which application, for what, and its function."""

    statement: cst.CSTNode
    application: str
    exception: cst.BaseExpression
    function: cst.FunctionDef | None


def registered(module: Module) -> Iterator[Registered]:
    """Every handler that is registered in a module, by a decorator or a call."""
    functions = {node.name.value: node for node in module.nodes if isinstance(node, cst.FunctionDef)}
    for node in module.nodes:
        if isinstance(node, cst.FunctionDef):
            for decorator in node.decorators:
                found = _registration(decorator.decorator, _DECORATORS)
                if found is not None:
                    yield Registered(node, *found, node if len(node.decorators) == 1 else None)
        elif isinstance(node, cst.SimpleStatementLine) and len(node.body) == 1 and isinstance(node.body[0], cst.Expr):
            call = node.body[0].value
            found = _registration(call, _CALLS)
            if found is not None and isinstance(call, cst.Call) and len(call.args) == 2:
                given = call.args[1].value
                function = functions.get(given.value) if isinstance(given, cst.Name) else None
                yield Registered(node, *found, function if function and not function.decorators else None)


def _registration(node: cst.CSTNode, names: frozenset[str]) -> tuple[str, cst.BaseExpression] | None:
    if not isinstance(node, cst.Call) or not isinstance(node.func, cst.Attribute) or not node.args:
        return None
    application = node.func.value
    if node.func.attr.value not in names or not isinstance(application, cst.Name):
        return None
    return application.value, node.args[0].value


def mapped(code: CodeBase, module: Module, found: Registered) -> Handler | None:
    """The handler as a mapping; None where it is none of the service's own exceptions. Raises Doubt."""
    meaning = module.meaning(found.exception)
    if not meaning or is_http_exception(module, found.exception) or meaning.startswith("builtins."):
        return None
    if meaning.partition(".")[0] in ("fastapi", "starlette", "flask", "werkzeug", "errorkit"):
        return None
    if status_of(code, module, found.exception) is not None:
        return None
    function = found.function
    if function is None:
        raise Doubt("its function has other decorators, or is not in this module")
    body = [line for line in function.body.body if not _is_docstring(line)]
    if len(body) != 1 or not isinstance(body[0], cst.SimpleStatementLine) or len(body[0].body) != 1:
        raise Doubt("it does more than to map")
    returned = body[0].body[0]
    if not isinstance(returned, cst.Return) or returned.value is None:
        raise Doubt("it does more than to map")
    status, said = _answer(code, module, returned.value)
    uses = sum(isinstance(node, cst.Name) and node.value == function.name.value for node in module.nodes)
    if uses > (1 if found.statement is function else 2):
        raise Doubt(f"{function.name.value} is used elsewhere, too")
    parameters = list(function.params.params)
    own = parameters[-1].name.value if parameters else ""
    words = literal(said)
    if not isinstance(words, str):
        if not _says_itself(module, said, own) or status >= 500:
            raise Doubt("its words are computed")
        words = None
    remove = (function,) if found.statement is function else (function, found.statement)
    return Handler(found.exception, found.application, status, words, remove)


def _answer(code: CodeBase, module: Module, node: cst.BaseExpression) -> tuple[int, cst.BaseExpression]:
    """The status and the words of a response. Raises Doubt."""
    if isinstance(node, cst.Tuple) and len(node.elements) == 2:
        status = status_of(code, module, node.elements[1].value)
        body: cst.BaseExpression | None = node.elements[0].value
        if isinstance(body, cst.Call) and module.meaning(body.func) in ("flask.jsonify", "flask.json.jsonify"):
            keywords = [argument for argument in body.args if argument.keyword is not None]
            if len(body.args) == len(keywords) == 1 and keywords[0].keyword is not None:
                return _checked(status), _message(keywords[0].keyword.value, keywords[0].value)
            body = body.args[0].value if len(body.args) == 1 and not keywords else None
    elif isinstance(node, cst.Call) and module.meaning(node.func).endswith("JSONResponse"):
        given = {
            argument.keyword.value if argument.keyword else ("content", "status_code")[min(position, 1)]: argument.value
            for position, argument in enumerate(node.args)
        }
        if set(given) != {"content", "status_code"}:
            raise Doubt("its response has more than a status and a body")
        status, body = status_of(code, module, given["status_code"]), given["content"]
    else:
        raise Doubt("what it returns is not a JSON response of a status and a body")
    if isinstance(body, cst.Dict) and len(body.elements) == 1:
        element = body.elements[0]
        name = literal(element.key) if isinstance(element, cst.DictElement) else None
        if isinstance(name, str):
            return _checked(status), _message(name, element.value)
    raise Doubt("its body has more than words")


def _checked(status: int | None) -> int:
    if status is None or not 400 <= status <= 599:
        raise Doubt("its status is no error's")
    return status


def _message(name: str, value: cst.BaseExpression) -> cst.BaseExpression:
    if name not in MESSAGES:
        raise Doubt(f"the member {name!r} of its body is not known to be words")
    return value


def _says_itself(module: Module, node: cst.BaseExpression, own: str) -> bool:
    """Is it `str(exception)`."""
    if not isinstance(node, cst.Call) or module.meaning(node.func) != "builtins.str" or len(node.args) != 1:
        return False
    value = node.args[0].value
    return isinstance(value, cst.Name) and value.value == own


def _is_docstring(line: cst.CSTNode) -> bool:
    if not isinstance(line, cst.SimpleStatementLine) or len(line.body) != 1:
        return False
    return isinstance(line.body[0], cst.Expr) and isinstance(literal(line.body[0].value), str)
