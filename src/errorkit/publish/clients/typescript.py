"""A TypeScript client's errors: ES modules that need nothing, one of them a `fetch`."""

from __future__ import annotations

import json
import re
import textwrap

from errorkit.catalog import Catalog, ErrorSpec
from errorkit.dialects import Dialect
from errorkit.publish import Files, Options
from errorkit.publish.clients.client_model import OPTIONS, ClientModel, Code, Form, model
from errorkit.publish.clients.client_text import described, fill, headers, plain
from errorkit.publish.clients.package_folder import typescript_package

__all__ = ["OPTIONS", "generate"]

_WIDTH = 100


def generate(catalog: Catalog, dialect: Dialect, options: Options) -> Files:
    """The modules `errors.ts` and `fetch.ts`. Raises ValueError for options that cannot be used."""
    client = model(catalog, dialect, options)
    common = {**client.names, "title": _prose(client.title)}
    folder = typescript_package(client) if client.package else {}
    return {
        f"{client.directory}errors.ts": fill("errors.ts.in", {**common, **_errors(client)}),
        f"{client.directory}fetch.ts": fill("fetch.ts.in", common),
        **folder,
    }


def _errors(client: ClientModel) -> dict[str, str]:
    codes = client.codes
    return {
        "version": _literal(client.version),
        "forms": "\n".join(map(_form, client.forms)),
        "propagate_network": "" if client.propagate_network else f"{_override('propagate', False)}\n\n",
        "propagate_server": "" if client.propagate_server else f"\n{_override('propagate', False)}\n",
        "statuses": "\n\n".join(_status_class(client, status, spec) for status, spec in client.statuses.items()),
        "codes": "\n\n".join(_code_class(client, code) for code in codes),
        "union": "\n".join(f"  | {code.name}" for code in codes),
        "by_code": "\n".join(_entry(code) for code in codes),
        "by_status": "\n".join(f"  [{status}, Status{status}Error]," for status in client.statuses),
    }


def _form(form: Form) -> str:
    places = "".join(
        f"      {field}: {_array(paths, 6, len(field) + 2)},\n" for field, paths in form.places.items() if paths
    )
    spellings = "".join(f"      {_key(own)}: {_literal(code)},\n" for own, code in form.spellings.items())
    members = {
        "places": f"{{\n{places}    }}",
        **{_camel(name): _literal(header) for name, header in headers(form).items()},
        "spellings": f"{{\n{spellings}    }}" if spellings else "{}",
        "event": json.dumps(form.event),
    }
    return "\n".join(["  {", *(f"    {name}: {value}," for name, value in members.items()), "  },"])


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(part.capitalize() for part in others)


def _key(name: str) -> str:
    """The name of a member, quoted where it has to be."""
    return name if re.fullmatch(r"[A-Za-z_$][\w$]*", name, re.ASCII) else _literal(name)


def _array(value: object, indent: int, before: int = 0) -> str:
    """An array on one line, or else one item a line, as a formatter would have it."""
    if not isinstance(value, tuple):
        return json.dumps(value, ensure_ascii=False)
    items = [_array(item, indent + 2) for item in value]
    line = f"[{', '.join(items)}]"
    matrix = len(value) > 1 and all(isinstance(item, tuple) and len(item) > 1 for item in value)
    if not matrix and "\n" not in line and indent + before + len(line) < _WIDTH:
        return line
    inner = "".join(f"{' ' * indent}  {item},\n" for item in items)
    return f"[\n{inner}{' ' * indent}]"


def _status_class(client: ClientModel, status: int, spec: ErrorSpec) -> str:
    declared = _declared(spec.retryable, spec.propagate, *client.family(status))
    body = "\n" + "\n\n".join(declared) + "\n" if declared else ""
    return (
        f"/** {status}: {_prose(spec.title)}. */\n"
        f"export class Status{status}Error extends Status{status // 100}xxError {{{body}}}"
    )


def _code_class(client: ClientModel, code: Code) -> str:
    literal = _literal(code.spelling)
    member = f"  override readonly code: {literal} = {literal};"
    members = [
        member if len(member) <= _WIDTH else member.replace(" = ", " =\n    "),
        *_declared(code.spec.retryable, code.spec.propagate, *client.inherited(code)),
    ]
    return "\n".join([_comment(code), f"export class {code.name} extends {code.parent} {{", "\n\n".join(members), "}"])


def _entry(code: Code) -> str:
    literal = _literal(code.spelling)
    line = f"    [{literal}, {code.name}],"
    return line if len(line) <= _WIDTH else f"    [\n      {literal},\n      {code.name},\n    ],"


def _declared(retryable: bool, propagate: bool, inherited_retryable: bool, inherited_propagate: bool) -> list[str]:
    """What a class says otherwise than the one that it derives from."""
    members = [_override("propagate", propagate)] if propagate != inherited_propagate else []
    if retryable != inherited_retryable:
        members.append(f"  override get documentedRetryable(): boolean {{\n    return {json.dumps(retryable)};\n  }}")
    return members


def _override(name: str, value: bool) -> str:
    return f"  override readonly {name}: boolean = {json.dumps(value)};"


def _comment(code: Code) -> str:
    lines: list[str] = []
    for paragraph in described(code):
        lines += ["", *textwrap.wrap(_prose(paragraph), _WIDTH - 3, break_long_words=False)]
    return "\n".join(["/**", *(f" * {line}".rstrip() for line in lines[1:]), " */"])


def _prose(text: str) -> str:
    """Text that may stand in a comment."""
    return plain(text).replace("*/", "*\\/")


def _literal(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
