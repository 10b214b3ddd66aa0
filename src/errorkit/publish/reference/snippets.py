"""What client code does about an error: the request that gets it, and the next step, in three languages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from errorkit.catalog import ErrorSpec
from errorkit.dialects import Dialect
from errorkit.publish.envelope_fields import code_path
from errorkit.publish.public_words import prose
from errorkit.publish.reference.credentials import VARIABLES
from errorkit.publish.reference.sample_request import JSON, Sample

_VARIABLE = re.compile(rf"\$({'|'.join(VARIABLES)})\b")


class Snippet(NamedTuple):
    """language: for people. lexer: what colours it."""

    language: str
    lexer: str
    text: str


def snippets(spec: ErrorSpec, dialect: Dialect, request: Sample, base_url: str) -> tuple[Snippet, ...]:
    """curl, Python and TypeScript."""
    return (
        Snippet("curl", "bash", _curl(request, base_url)),
        Snippet("Python", "python", _python(spec, dialect, request, base_url)),
        Snippet("TypeScript", "typescript", _typescript(spec, dialect, request, base_url)),
    )


def _curl(request: Sample, base_url: str) -> str:
    lines = [f"curl -i -X {request.method} {_shell(base_url + request.target)}"]
    lines += [
        f'-H "{name}: {value}"' for name, value in request.headers if not (request.parts and name == "Content-Type")
    ]
    lines += [f"-F {_shell(f'{name}={value}')}" for name, value in request.parts]
    if request.body:
        lines.append("-d " + _shell(request.body))
    return " \\\n  ".join(lines)


def _shell(text: str) -> str:
    """A text as one word of a POSIX shell; variables of credentials are read."""
    quoted = "'" + text.replace("'", "'\\''") + "'"
    return _VARIABLE.sub(r"""'"$\1"'""", quoted)


def _python(spec: ErrorSpec, dialect: Dialect, request: Sample, base_url: str) -> str:
    arguments = [f'"{request.method}"', _python_text(base_url + request.target)]
    value = _json(request)
    fields = [
        f"{json.dumps(name)}: {_python_text(text)}" for name, text in _fields(request, by_itself=value is not None)
    ]
    if fields:
        arguments.append(f"headers={{{', '.join(fields)}}}")
    if request.parts:
        arguments.append(f"files={{{', '.join(f'{name!r}: (None, {text!r})' for name, text in request.parts)}}}")
    elif request.body:
        arguments.append(f"json={value!r}" if value is not None else f"content={request.body!r}")
    where = code_path(dialect)
    code = (
        "response.json()" + "".join(f"[{json.dumps(part)}]" for part in where) if where else "str(response.status_code)"
    )
    expected = dialect.spell(spec.code) if where else str(spec.status)
    wait = '    time.sleep(float(response.headers.get("Retry-After", 1)))  # then send it again'
    act = wait if spec.retryable else f'    raise RuntimeError("{_clause(spec)}")'
    lines = ["import httpx", "", "response = httpx.request(", *(f"    {a}," for a in arguments), ")"]
    lines += [f'if response.is_error and {code} == "{expected}":', act]
    if spec.retryable:
        lines.insert(0, "import time")
    return "\n".join(lines)


def _python_text(text: str) -> str:
    if not _VARIABLE.search(text):
        return json.dumps(text, ensure_ascii=False)
    braced = text.replace("{", "{{").replace("}", "}}")
    return "f" + _VARIABLE.sub(lambda found: f"{{{found[1].lower()}}}", json.dumps(braced, ensure_ascii=False))


def _typescript(spec: ErrorSpec, dialect: Dialect, request: Sample, base_url: str) -> str:
    settings = [f'method: "{request.method}"']
    value = _json(request)
    fields = [f"{_key(name)}: {_typescript_text(text)}" for name, text in _fields(request, by_itself=False)]
    if fields:
        settings.append(f"headers: {{ {', '.join(fields)} }}")
    if request.parts:
        settings.append("body: form")
    elif request.body:
        settings.append(
            f"body: JSON.stringify({json.dumps(value)})" if value is not None else f"body: {json.dumps(request.body)}"
        )
    where = code_path(dialect)
    code = "(await response.json())" + "".join(map(_member, where)) if where else "String(response.status)"
    expected = dialect.spell(spec.code) if where else str(spec.status)
    act = [f'  throw new Error("{_clause(spec)}");']
    if spec.retryable:
        act = [
            '  const seconds = Number(response.headers.get("Retry-After") ?? 1);',
            "  await new Promise((resolve) => setTimeout(resolve, seconds * 1000)); // then send it again",
        ]
    form = [f"form.set({json.dumps(name)}, {json.dumps(text)});" for name, text in request.parts]
    return "\n".join(
        [
            *(["const form = new FormData();", *form] if form else []),
            f"const response = await fetch({_typescript_text(base_url + request.target)}, {{",
            *(f"  {setting}," for setting in settings),
            "});",
            f'if (!response.ok && {code} === "{expected}") {{',
            *act,
            "}",
        ]
    )


def _typescript_text(text: str) -> str:
    if not _VARIABLE.search(text):
        return json.dumps(text, ensure_ascii=False)
    plain = text.replace("\\", "\\\\").replace("`", "\\`")
    return "`" + _VARIABLE.sub(lambda found: f"${{{_camel(found[1])}}}", plain) + "`"


def _camel(variable: str) -> str:
    first, *others = variable.lower().split("_")
    return first + "".join(word.title() for word in others)


def _key(name: str) -> str:
    return name if name.isidentifier() else json.dumps(name)


def _member(name: str) -> str:
    return f".{name}" if name.isidentifier() else f"[{json.dumps(name)}]"


def _fields(request: Sample, *, by_itself: bool) -> Iterable[tuple[str, str]]:
    """Header fields that code has to name: not the last two, an ID and the type of a body that is made by itself."""
    return [
        (name, value)
        for name, value in request.headers
        if name != request.id_header and not (name == "Content-Type" and (by_itself or request.parts))
    ]


def _json(request: Sample) -> Any:
    if request.media_type != JSON:
        return None
    try:
        return json.loads(request.body)
    except ValueError:
        return None


def _clause(spec: ErrorSpec) -> str:
    words = prose(spec).resolution or spec.message
    return re.sub(r'["\\\n]', " ", words)
