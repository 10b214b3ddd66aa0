"""A request that gets an error, and what client code does about it."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from errorkit.catalog import ErrorSpec
from errorkit.dialects import Dialect
from errorkit.publish import Options
from errorkit.publish.envelope_fields import code_path
from errorkit.publish.public_words import prose
from errorkit.publish.wire_example import request_id

_REQUEST_LINE = re.compile(r"(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) (/\S*)").match

_USUAL: dict[int, tuple[str, str, str]] = {
    400: ("POST", "/resources", '{"name": '),
    404: ("GET", "/resources/unknown", ""),
    405: ("DELETE", "/resources", ""),
    410: ("GET", "/resources/former", ""),
    429: ("GET", "/resources", ""),
}
"""Status to a method, path and body that plausibly get it."""


class Sample(NamedTuple):
    """One request. body: text, empty for none."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: str

    @property
    def text(self) -> str:
        """The request as it goes over the wire (HTTP/1.1)."""
        lines = [f"{self.method} {self.path} HTTP/1.1", *(f"{name}: {value}" for name, value in self.headers)]
        return "\n".join(lines) + (f"\n\n{pretty(self.body)}" if self.body else "")


def sample(spec: ErrorSpec, dialect: Dialect, options: Options) -> Sample:
    """A request that gets this error: of an operation that declares it, or a plausible one."""
    method, path, body = _USUAL.get(spec.status, ("POST", "/resources", '{"name": "example"}'))
    if spec.cls.code == "validation_failed" or spec.status == 422:
        method, path, body = "POST", "/resources", '{"limit": "ten"}'
    if options.operations.get(spec.code):
        method, path = options.operations[spec.code][0]
        body = body if method in ("POST", "PUT", "PATCH") else ""
    if spec.examples:
        line = _REQUEST_LINE(spec.examples[0].bad)
        if line:
            method, path, body = line[1], line[2], ""
        else:
            method, body = (method if method in ("PUT", "PATCH") else "POST"), spec.examples[0].bad
    headers = [("Host", options.base_url.partition("://")[2].partition("/")[0])]
    if spec.status != 401:
        headers.append(("Authorization", "Bearer $TOKEN"))
    headers.append((dialect.request_id_header, request_id(dialect)))
    if body:
        headers.append(("Content-Type", "application/json"))
    return Sample(method, path, tuple(headers), body)


def pretty(text: str) -> str:
    """JSON with indentation; any other text as it is."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text


def snippets(spec: ErrorSpec, dialect: Dialect, options: Options) -> list[tuple[str, str, str]]:
    """Name, lexer and text of a snippet in each language: the request, and what to do about the error."""
    request = sample(spec, dialect, options)
    return [
        ("curl", "bash", _curl(request, options)),
        ("Python", "python", _python(spec, dialect, request, options)),
        ("TypeScript", "typescript", _typescript(spec, dialect, request, options)),
    ]


def _curl(request: Sample, options: Options) -> str:
    lines = [f"curl -i -X {request.method} {_quoted(options.base_url + request.path)}"]
    lines += [f'-H "{name}: {value}"' for name, value in request.headers if name != "Host"]
    if request.body:
        lines.append("-d " + _quoted(request.body))
    return " \\\n  ".join(lines)


def _quoted(text: str) -> str:
    """A text as one word of a POSIX shell."""
    return "'" + text.replace("'", "'\\''") + "'"


def _python(spec: ErrorSpec, dialect: Dialect, request: Sample, options: Options) -> str:
    arguments = [f'"{request.method}"', json.dumps(options.base_url + request.path, ensure_ascii=False)]
    value = _json(request.body)
    fields = ['"Authorization": f"Bearer {token}"'] if spec.status != 401 else []
    fields += ['"Content-Type": "application/json"'] if request.body and value is None else []
    if fields:
        arguments.append(f"headers={{{', '.join(fields)}}}")
    if request.body:
        arguments.append(f"json={value!r}" if value is not None else f"content={request.body!r}")
    where = code_path(dialect)
    code = (
        "response.json()" + "".join(f"[{json.dumps(part)}]" for part in where) if where else "str(response.status_code)"
    )
    expected = dialect.spell(spec.code) if where else str(spec.status)
    wait = "    time.sleep(float(response.headers.get('Retry-After', 1)))  # then send it again"
    act = wait.replace("'", '"') if spec.retryable else f'    raise RuntimeError("{_clause(spec)}")'
    lines = ["import httpx", "", "response = httpx.request(", *(f"    {a}," for a in arguments), ")"]
    lines += [f'if response.is_error and {code} == "{expected}":', act]
    if spec.retryable:
        lines.insert(0, "import time")
    return "\n".join(lines)


def _typescript(spec: ErrorSpec, dialect: Dialect, request: Sample, options: Options) -> str:
    settings = [f'method: "{request.method}"']
    value = _json(request.body)
    fields = ["Authorization: `Bearer ${token}`"] if spec.status != 401 else []
    fields += ['"Content-Type": "application/json"'] if request.body else []
    if fields:
        settings.append(f"headers: {{ {', '.join(fields)} }}")
    if request.body:
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
    return "\n".join(
        [
            f"const response = await fetch({json.dumps(options.base_url + request.path, ensure_ascii=False)}, {{",
            *(f"  {setting}," for setting in settings),
            "});",
            f'if (!response.ok && {code} === "{expected}") {{',
            *act,
            "}",
        ]
    )


def _member(name: str) -> str:
    return f".{name}" if name.isidentifier() else f"[{json.dumps(name)}]"


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _clause(spec: ErrorSpec) -> str:
    words = prose(spec).resolution or spec.message
    return re.sub(r'["\\\n]', " ", words)
