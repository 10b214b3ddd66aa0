"""A Python client's errors: an exceptions module that needs nothing, and transports for httpx."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable

from errorkit.catalog import Catalog, ErrorSpec
from errorkit.dialects import Dialect
from errorkit.publish import Files, Options
from errorkit.publish.clients.client_model import OPTIONS, ClientModel, Code, Form, model
from errorkit.publish.clients.client_text import described, fill, headers, plain
from errorkit.publish.clients.package_folder import python_package
from errorkit.publish.envelope_fields import Path, Step

__all__ = ["OPTIONS", "generate"]

_WIDTH = 88
"""Columns, as Python's formatters have them by default."""


def generate(catalog: Catalog, dialect: Dialect, options: Options) -> Files:
    """A package of `errors` and `transport`. Raises ValueError for options that cannot be used."""
    client = model(catalog, dialect, options)
    common = {**client.names, "title": _prose(client.title), "httpx": client.library}
    files = {
        "__init__.py": f'"""Errors of {common["title"]}: `errors`, and `transport` for {client.library}."""\n',
        "errors.py": fill("errors.py.in", {**common, **_errors(client)}),
        "py.typed": "\n",
        "transport.py": fill("transport.py.in", common),
    }
    folder = python_package(client) if client.package else {}
    return {**{f"{client.directory}{name}": text for name, text in files.items()}, **folder}


def _errors(client: ClientModel) -> dict[str, str]:
    codes = client.codes
    return {
        "version": _literal(client.version),
        "forms": "\n".join(map(_form, client.forms)),
        "propagate_network": "" if client.propagate_network else "\n    propagate = False\n",
        "propagate_server": "" if client.propagate_server else "\n\n    propagate = False",
        "statuses": "\n\n\n".join(_status_class(client, status, spec) for status, spec in client.statuses.items()),
        "codes": "\n\n\n".join(_code_class(client, code) for code in codes),
        "documented": "\n".join(f"    {code.name}," for code in codes),
        "union": "\n".join(f"    {'| ' if n else ''}{code.name}" for n, code in enumerate(codes)),
        "by_code": "\n".join(f"    {_literal(code.spelling)}: {code.name}," for code in codes),
        "by_status": "\n".join(f"    {status}: Status{status}Error," for status in client.statuses),
    }


def _form(form: Form) -> str:
    places = "".join(
        f"            {_literal(field)}: {_row([_path(path) for path in paths], 12, len(field) + 4)},\n"
        for field, paths in form.places.items()
        if paths
    )
    spellings = "".join(f"            {_literal(own)}: {_literal(code)},\n" for own, code in form.spellings.items())
    members = {
        "places": f"{{\n{places}        }}",
        **{name: _literal(header) for name, header in headers(form).items()},
        "spellings": f"{{\n{spellings}        }}" if spellings else "{}",
        "event": "None" if form.event is None else _literal(form.event),
    }
    return "\n".join(["    _Form(", *(f"        {name}={value}," for name, value in members.items()), "    ),"])


def _path(path: Path) -> str:
    return _row([_step(step) for step in path], 16)


def _row(items: list[str], indent: int, before: int = 0) -> str:
    """A tuple on one line, or else one item a line, as a formatter would have it."""
    line = f"({', '.join(items)}{',' if len(items) == 1 else ''})"
    if indent + before + len(line) < _WIDTH and "\n" not in line:
        return line
    inner = "".join(f"{' ' * indent}    {item},\n" for item in items)
    return f"(\n{inner}{' ' * indent})"


def _step(step: Step) -> str:
    if isinstance(step, tuple):
        return f"({_literal(step[0])}, {_literal(step[1])})"
    return str(step) if isinstance(step, int) else _literal(step)


def _status_class(client: ClientModel, status: int, spec: ErrorSpec) -> str:
    return "\n".join(
        [
            f"class Status{status}Error(Status{status // 100}xxError):",
            f'    """{status}: {_prose(spec.title)}."""',
            *_declared(spec.retryable, spec.propagate, *client.family(status)),
        ]
    )


def _code_class(client: ClientModel, code: Code) -> str:
    head = f"class {code.name}({code.parent}):"
    if len(head) > _WIDTH:
        head = f"class {code.name}(\n    {code.parent}\n):"
    literal = _literal(code.spelling)
    getter = f"    def code(self) -> Literal[{literal}]:"
    if len(getter) > _WIDTH:
        getter = f"    def code(\n        self,\n    ) -> Literal[{literal}]:"
    return "\n".join(
        [
            head,
            _docstring(described(code)),
            *_declared(code.spec.retryable, code.spec.propagate, *client.inherited(code)),
            "",
            "    @property",
            getter,
            f"        return {literal}",
        ]
    )


def _declared(retryable: bool, propagate: bool, inherited_retryable: bool, inherited_propagate: bool) -> list[str]:
    """What a class says otherwise than the one that it derives from."""
    lines = [f"    documented_retryable = {retryable}"] if retryable != inherited_retryable else []
    lines += [f"    propagate = {propagate}"] if propagate != inherited_propagate else []
    return ["", *lines] if lines else []


def _docstring(paragraphs: Iterable[str]) -> str:
    lines: list[str] = []
    for paragraph in paragraphs:
        lines += ["", *textwrap.wrap(_prose(paragraph), _WIDTH - 4, break_long_words=False)]
    first = lines[1]
    opening = '    """ ' if first.startswith('"') else '    """'
    return "\n".join([opening + first, *(f"    {line}".rstrip() for line in lines[2:]), '    """'])


def _prose(text: str) -> str:
    """Text that may stand in a docstring."""
    return plain(text).replace("\\", "\\\\").replace('"""', r"\"\"\"")


def _literal(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
