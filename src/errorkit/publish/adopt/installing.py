"""The one line that puts errorkit into an application."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import libcst as cst

from errorkit.publish.adopt.code_base import CodeBase, Module
from errorkit.publish.source_imports import LINE, Imports, absolute

_APPLICATIONS: Mapping[str, tuple[str, str]] = {
    "fastapi.FastAPI": ("errorkit.fastapi", "install"),
    "fastapi.applications.FastAPI": ("errorkit.fastapi", "install"),
    "starlette.applications.Starlette": ("errorkit.starlette", "install"),
    "flask.Flask": ("errorkit.flask", "ErrorKit"),
    "flask.app.Flask": ("errorkit.flask", "ErrorKit"),
}


class Application(NamedTuple):
    """Where an application is made: `name = FastAPI(...)`."""

    module: Module
    statement: cst.SimpleStatementLine
    name: str
    adapter: str
    call: str

    @property
    def in_a_function(self) -> bool:
        """Is it made by a factory."""
        return next(self.module.functions_around(self.statement), None) is not None


def applications(code: CodeBase) -> Iterator[Application]:
    """Every application that is made and given a name."""
    for module in code.concerned:
        for line in module.nodes:
            if not isinstance(line, cst.SimpleStatementLine) or len(line.body) != 1:
                continue
            small = line.body[0]
            target: cst.CSTNode | None = None
            if isinstance(small, cst.Assign) and len(small.targets) == 1:
                target = small.targets[0].target
            elif isinstance(small, cst.AnnAssign):
                target = small.target
            value = getattr(small, "value", None)
            if isinstance(target, cst.Name) and isinstance(value, cst.Call):
                known = _APPLICATIONS.get(module.meaning(value.func))
                if known is not None:
                    yield Application(module, line, target.value, *known)


_ENTRIES = frozenset({"install", "ErrorMiddleware", "ErrorKit"})


def is_installed(code: CodeBase) -> bool:
    """Does the code base put errorkit in already."""
    return any(_enters(module, node) for module in code.concerned for node in module.nodes)


def _enters(module: Module, node: cst.CSTNode) -> bool:
    if isinstance(node, cst.ImportFrom) and not isinstance(node.names, cst.ImportStar):
        names = {alias.name.value for alias in node.names if isinstance(alias.name, cst.Name)}
        return absolute(module, node).partition(".")[0] == "errorkit" and bool(names & _ENTRIES)
    if isinstance(node, cst.Attribute) and node.attr.value in _ENTRIES:
        return module.meaning(node).startswith("errorkit.")
    return False


def install(
    application: Application, imports: Imports, catalog: str | None, exceptions: Sequence[str], dialect: str | None
) -> None:
    """Note the line after the application is made.

    catalog: the errors module; None where it would be empty. exceptions: `Exception: Class`, as source.
    """
    module, line = application.module, application.statement
    start = module.begin_of_line(module.span(line)[0])
    before = None if application.in_a_function else start
    arguments = [application.name]
    if dialect is not None:
        arguments.append(f'dialect="{dialect}"')
    if catalog is not None:
        package, _, name = catalog.rpartition(".")
        arguments.append(f"catalog=[{imports.name(package, name, before=before)}]")
    if exceptions:
        arguments.append("exceptions={" + ", ".join(exceptions) + "}")
    call = imports.name(application.adapter, application.call, before=before)
    at = module.after_line(module.span(line)[1])
    gap = "" if module.content[:at].endswith(b"\n") else module.newline
    indent = module.indent(line)
    text = f"{indent}{call}({', '.join(arguments)})"
    if len(text) > LINE:
        text = f"{indent}{call}({module.newline}" + "".join(
            f"{indent}    {argument},{module.newline}" for argument in arguments
        )
        text += f"{indent})"
    module.edit(at, at, f"{gap}{text}{module.newline}")
