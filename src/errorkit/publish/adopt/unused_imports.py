"""Imports that nothing needs any more once the raises are rewritten."""

from __future__ import annotations

import re
from collections.abc import Collection

import libcst as cst

from errorkit.publish.source_edits import Source, walk
from errorkit.publish.source_imports import absolute, bound_names

_FRAMEWORKS = ("fastapi", "starlette", "flask", "werkzeug", "http")


def tidied(before: Source, content: bytes, kept: Collection[str]) -> bytes:
    """The content without the frameworks' names that it used before and does not use now.

    kept: full names (`module.name`) that other modules take from this one.
    """
    after = Source(before.path, before.name, content=content)
    gone = {
        name
        for name, meaning in bound_names(after).items()
        if meaning.partition(".")[0] in _FRAMEWORKS
        and f"{after.name}.{name}" not in kept
        and _uses(before, name) > 0
        and _uses(after, name) == 0
    }
    for line in after.module.body:
        if isinstance(line, cst.SimpleStatementLine) and len(line.body) == 1:
            node = line.body[0]
            if isinstance(node, cst.ImportFrom) and absolute(after, node).partition(".")[0] in _FRAMEWORKS:
                _remove(after, line, node, gone)
            elif isinstance(node, cst.Import) and len(node.names) == 1 and _known(node.names[0]) in gone:
                _remove_line(after, line)
    return after.changed


def _uses(source: Source, name: str) -> int:
    """How often a name stands in a module, its imports left out; in a text, too: an annotation may be one."""
    text = re.compile(rf"\b{re.escape(name)}\b")
    imported = {
        id(inner) for node in source.nodes if isinstance(node, (cst.Import, cst.ImportFrom)) for inner in walk(node)
    }
    count = 0
    for node in source.nodes:
        if isinstance(node, cst.Name):
            count += node.value == name and id(node) not in imported
        elif isinstance(node, cst.SimpleString):
            count += " " not in node.value and text.search(node.value) is not None
    return count


def _remove(source: Source, line: cst.SimpleStatementLine, node: cst.ImportFrom, gone: Collection[str]) -> None:
    aliases = list(node.names) if not isinstance(node.names, cst.ImportStar) else []
    kept = [alias for alias in aliases if _known(alias) not in gone]
    if len(kept) == len(aliases):
        return
    if not kept:
        _remove_line(source, line)
        return
    for position, alias in enumerate(aliases):
        if alias in kept:
            continue
        if any(later in kept for later in aliases[position + 1 :]):
            source.edit(source.span(alias)[0], source.span(aliases[position + 1])[0], "")
        elif aliases[position - 1] in kept:  # it and all after it
            source.edit(source.span(aliases[position - 1])[1], source.span(aliases[-1])[1], "")


def _remove_line(source: Source, line: cst.SimpleStatementLine) -> None:
    start, end = source.begin_of_line(source.span(line)[0]), source.after_line(source.span(line)[1])
    between = source.content[:start].endswith((b"\n\n", b"\r\n\r\n"))
    if between and not source.content[end : source.after_line(end)].strip():
        end = source.after_line(end)  # a section of its own, with the blank line after it
    source.edit(start, end, "")


def _known(alias: cst.ImportAlias) -> str:
    name = alias.asname.name if alias.asname else alias.name
    return name.value if isinstance(name, cst.Name) else ""
