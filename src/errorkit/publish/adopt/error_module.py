"""The errors module: a class for each status and words, those that are there already among them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import libcst as cst

from errorkit.errors import STANDARD, APIError
from errorkit.exchange import phrase
from errorkit.publish.adopt.code_base import literal
from errorkit.publish.adopt.naming import STANDARD_CODES, class_name, code_of, code_of_status
from errorkit.publish.source_edits import Source, dotted
from errorkit.publish.source_imports import Imports, home_of, import_line
from errorkit.status_words import says_nothing

_BY_STATUS: dict[int, type[APIError]] = {cls.status: cls for cls in reversed(STANDARD)}
"""The first of a status is its default."""


class ErrorClass(NamedTuple):
    """One class. module: where it is imported from. message: its words; None where they are another's."""

    module: str
    name: str
    status: int
    code: str
    message: str | None


class ErrorModule:
    """What stands in the errors module, and what will.

    path: its file, which may not be there yet. name: its import name. Raises Unreadable.
    """

    def __init__(self, path: Path, name: str) -> None:
        self.path = path
        self.name = name
        self.source = Source(path, name) if path.exists() else None
        self.known: list[ErrorClass] = []
        self.added: list[ErrorClass] = []
        if self.source is not None:
            self._read(self.source)

    def error(self, status: int, words: str | None, *, code: str = "", constant: bool = True) -> ErrorClass:
        """The class for a status and its words, made if there is none.

        words: None where nothing was said. constant: they are the same at every raise, so the class says them.
        code: the author's own, if there is one.
        """
        standard = _BY_STATUS.get(status)
        if not code and (words is None or says_nothing(status, words)):
            code = "" if standard else code_of_status(status)
            words = None
        elif not code:
            code = code_of(words or "")
        if standard is not None and (not code or code == standard.code):
            return ErrorClass(home_of(standard.__name__), standard.__name__, status, standard.code, None)
        code = code or code_of_status(status)
        if code in STANDARD_CODES or any(each.code == code and each.status != status for each in self._all):
            code = f"{code}_{status}"
        found = next((each for each in self._all if (each.status, each.code) == (status, code)), None)
        if found is None:
            found = ErrorClass(self.name, self._free(code), status, code, words if constant else None)
            self.added.append(found)
        return found

    @property
    def _all(self) -> list[ErrorClass]:
        return [*self.known, *self.added]

    def _free(self, code: str) -> str:
        name = class_name(code)
        while any(each.name == name for each in self._all):
            name += "Error"
        return name

    def _read(self, source: Source) -> None:
        """The classes that are there: their code, status and words as literals, inherited ones included."""
        statuses = {cls.__name__: cls.status for cls in STANDARD}
        for node in source.module.body:
            if not isinstance(node, cst.ClassDef):
                continue
            base = dotted(node.bases[0].value).rpartition(".")[2] if node.bases else ""
            said = dict(_attributes(node))
            status = said.get("status", statuses.get(base))
            code, message = said.get("code"), said.get("message")
            if isinstance(status, int):
                statuses[node.name.value] = status
            if isinstance(code, str):
                known_status = status if isinstance(status, int) else 0
                words = message if isinstance(message, str) else None
                self.known.append(ErrorClass(self.name, node.name.value, known_status, code, words))

    def changed(self) -> bytes | None:
        """The file with what is added; None where nothing is."""
        if not self.added:
            return None
        bases = {_base(each) for each in self.added}
        classes = "".join(f"\n\n{_written(each, base)}" for each in self.added for base in (_base(each),))
        if self.source is None:
            homes = {home: sorted(base for base in bases if home_of(base) == home) for home in map(home_of, bases)}
            lines = "".join(import_line(home, homes[home], "\n") for home in sorted(homes))
            return f"{_DOCSTRING}\n\n{lines}{classes}".encode()
        imports = Imports(self.source)
        called = {base: imports.name(home_of(base), base) for base in sorted(bases)}
        text = "".join(f"\n\n{_written(each, called[_base(each)])}" for each in self.added)
        imports.write()
        end = len(self.source.content)
        gap = "" if self.source.content.endswith(b"\n") else "\n"
        self.source.edit(end, end, (gap + text).replace("\n", self.source.newline))
        return self.source.changed


_DOCSTRING = '"""The errors of this service, each with a code that clients can rely on."""'


def _attributes(node: cst.ClassDef) -> list[tuple[str, int | str | None]]:
    """What a class sets to a literal: `code = "x"`, and `code, status = "x", 404`."""
    pairs: list[tuple[str, int | str | None]] = []
    for line in node.body.body:
        for small in line.body if isinstance(line, cst.SimpleStatementLine) else ():
            if isinstance(small, cst.AnnAssign) and isinstance(small.target, cst.Name) and small.value is not None:
                pairs.append((small.target.value, literal(small.value)))
            if not isinstance(small, cst.Assign):
                continue
            target, value = small.targets[0].target, small.value
            if isinstance(target, cst.Name):
                pairs.append((target.value, literal(value)))
            elif isinstance(target, cst.Tuple) and isinstance(value, cst.Tuple):
                both = zip(target.elements, value.elements, strict=False)
                pairs += [(dotted(name.value), literal(given.value)) for name, given in both]
    return pairs


def _base(error: ErrorClass) -> str:
    standard = _BY_STATUS.get(error.status)
    return "APIError" if standard is None else standard.__name__


def _written(error: ErrorClass, base: str) -> str:
    """A class's source."""
    rows = [f"class {error.name}({base}):", f'    """{_sentence(error)}"""', "", f"    code = {quoted(error.code)}"]
    if error.status not in _BY_STATUS:
        rows += [f"    status = {error.status}", f"    title = {quoted(phrase(error.status))}"]
    if error.message is not None:
        rows.append(f"    message = {quoted(error.message)}")
    return "\n".join(rows) + "\n"


def _sentence(error: ErrorClass) -> str:
    """Its docstring: the words in one line, or what the code says."""
    said = " ".join((error.message or "").split()) or error.code.replace("_", " ").capitalize()
    said = re.sub(r'["\\]', "'", "".join(each for each in said if each.isprintable()))
    if len(said) > 80:
        said = said[:79].rstrip() + "…"
    return said if said.endswith((".", "!", "?", "…")) else f"{said}."


def quoted(text: str) -> str:
    """A literal of a text, in double quotes where it needs no escape for them."""
    shown = repr(text)
    return f'"{shown[1:-1]}"' if shown[0] == "'" and '"' not in shown else shown
