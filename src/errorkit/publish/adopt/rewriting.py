"""The raises of one module, rewritten."""

from __future__ import annotations

from collections.abc import Collection

import libcst as cst

from errorkit.publish.adopt.catching import Catchers
from errorkit.publish.adopt.code_base import CodeBase, Module, Unsure
from errorkit.publish.adopt.error_module import ErrorModule
from errorkit.publish.adopt.raised import as_error
from errorkit.publish.adopt.spellings import (
    ABORTS,
    HTTP_EXCEPTIONS,
    Doubt,
    Given,
    given_to,
    is_http_exception,
    status_of,
    werkzeug_status,
)
from errorkit.publish.source_edits import walk
from errorkit.publish.source_imports import Imports


class Rewriter:
    """Notes the edits of one module. handlers: functions (by `id`) that are told of elsewhere."""

    def __init__(
        self,
        code: CodeBase,
        module: Module,
        catchers: Catchers,
        errors: ErrorModule,
        imports: Imports,
        handlers: Collection[int],
    ) -> None:
        self.code = code
        self.module = module
        self.catchers = catchers
        self.errors = errors
        self.imports = imports
        self.handlers = handlers
        self.count = 0
        self.unsure: list[Unsure] = []
        self._seen: set[int] = set()
        self._uses_flask = any(
            isinstance(node, cst.Name) and node.value in ("flask", "Flask", "quart") for node in module.nodes
        )

    def rewrite(self) -> None:
        """Every raise of a framework's error, and a list of what is not sure."""
        for node in self.module.nodes:
            if isinstance(node, cst.Raise) and node.exc is not None:
                self._statement(node, node.exc)
            elif isinstance(node, (cst.Expr, cst.Return)) and node.value is not None:
                self._statement(node, node.value)
            elif isinstance(node, cst.Assign):
                self._variable(node)
            elif isinstance(node, cst.ClassDef):
                for base in node.bases:
                    if is_http_exception(self.module, base.value):
                        self._doubt(
                            node, f"{node.name.value} derives from a framework's error: give it a class by hand"
                        )
            elif isinstance(node, cst.Call) and id(node) not in self._seen:
                meaning = self.module.meaning(node.func)
                if meaning in HTTP_EXCEPTIONS | ABORTS or werkzeug_status(meaning) is not None:
                    self._doubt(node, f"{self.module.text(node.func)}() is made here, and not raised at once")

    def _doubt(self, node: cst.CSTNode, why: str) -> None:
        self.unsure.append(self.module.unsure(node, why))

    def _statement(self, node: cst.Raise | cst.Expr | cst.Return, value: cst.BaseExpression) -> None:
        try:
            given = given_to(self.code, self.module, value)
        except Doubt as why:
            self._seen.add(id(value))
            self._doubt(node, str(why))
            return
        if given is None:
            if isinstance(node, cst.Return):
                self._returned(node, value)
            return
        is_abort = isinstance(value, cst.Call) and self.module.meaning(value.func) in ABORTS
        if not isinstance(node, cst.Raise) and not is_abort:
            return  # an error that is made and forgotten: told as a call
        self._seen.add(id(value))
        text = self._rewritten(node, value, given)
        if text is None:
            return
        if is_abort:
            self.module.edit(self.module.span(node)[0], self.module.span(value)[1], f"raise {text}")
        else:
            self.module.replace(value, text)
        self.count += 1

    def _rewritten(self, node: cst.CSTNode, value: cst.BaseExpression, given: Given) -> str | None:
        """The expression that makes our error instead; None where it stays."""
        caught = self.catchers.why_not(self.module, node, given.status)
        if caught:
            self._doubt(node, f"raises {given.status}, but {caught}")
            return None
        try:
            error, arguments = as_error(self.code, self.module, given, self.errors)
        except Doubt as why:
            self._doubt(node, str(why))
            return None
        self._keep_comments(node, value)
        name = self.imports.name(error.module, error.name)
        return f"{name}({', '.join(arguments)})"

    def _keep_comments(self, node: cst.CSTNode, value: cst.BaseExpression) -> None:
        """Comments in a call that is rewritten stand in front of it."""
        at = self.module.begin_of_line(self.module.span(node)[0])
        indent = self.module.indent(node)
        for comment in walk(value):
            if isinstance(comment, cst.Comment):
                self.module.edit(at, at, f"{indent}{comment.value}{self.module.newline}")

    def _variable(self, node: cst.Assign) -> None:
        """An error that a function makes first and raises afterwards."""
        try:
            given = given_to(self.code, self.module, node.value) if isinstance(node.value, cst.Call) else None
        except Doubt as why:
            self._seen.add(id(node.value))
            self._doubt(node, str(why))
            return
        target = node.targets[0].target
        function = next(self.module.functions_around(node), None)
        if given is None or function is None or len(node.targets) > 1 or not isinstance(target, cst.Name):
            return
        raised = [
            each
            for each in walk(function)
            if isinstance(each, cst.Raise) and isinstance(each.exc, cst.Name) and each.exc.value == target.value
        ]
        mentions = sum(isinstance(each, cst.Name) and each.value == target.value for each in walk(function))
        if not raised or mentions != len(raised) + 1:
            return
        self._seen.add(id(node.value))
        for each in raised:
            caught = self.catchers.why_not(self.module, each, given.status)
            if caught:
                self._doubt(each, f"raises {given.status}, but {caught}")
                return
        text = self._rewritten(node, node.value, given)
        if text is not None:
            self.module.replace(node.value, text)
            self.count += 1

    def _returned(self, node: cst.Return, value: cst.BaseExpression) -> None:
        """An error that is an answer: whether its body is wanted so, only its author knows."""
        status = None
        if isinstance(value, cst.Tuple) and len(value.elements) > 1 and self._uses_flask:
            status = status_of(self.code, self.module, value.elements[1].value)
        elif isinstance(value, cst.Call):
            name = self.module.text(value.func).rpartition(".")[2]
            given = [a.value for a in value.args if a.keyword and a.keyword.value in ("status_code", "status")]
            if name.endswith("Response") and given:
                status = status_of(self.code, self.module, given[0])
        told = any(id(function) in self.handlers for function in self.module.functions_around(node))
        if status is not None and 400 <= status <= 599 and not told:
            self._doubt(node, f"returns a {status} with a body of its own")


def remove(module: Module, node: cst.CSTNode, *, dry: bool = False) -> bool:
    """Take a statement out, with the blank lines after it. False: it may not go, its block would be empty.

    dry: only ask.
    """
    block = next(module.parents(node))
    body = block.body if isinstance(block, (cst.Module, cst.IndentedBlock)) else ()
    if len(body) < 2:
        return False
    if dry:
        return True
    first = node.decorators[0] if isinstance(node, cst.FunctionDef) and node.decorators else node
    start = module.begin_of_line(module.span(first)[0])
    end = module.after_line(module.span(node)[1])
    while end < len(module.content) and not module.content[end : module.after_line(end)].strip():
        end = module.after_line(end)
    module.edit(start, end, "")
    return True
