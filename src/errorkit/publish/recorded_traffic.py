"""Error responses as they happened in a test suite, held against an OpenAPI document."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from typing import Any, NamedTuple

_Send = Callable[[dict[str, Any]], Awaitable[None]]
_DOCUMENT = "urn:document"


class Exchange(NamedTuple):
    """One error response. headers: names in lower case."""

    method: str
    path: str
    status: int
    headers: Mapping[str, str]
    body: bytes


class Traffic:
    """The run-time twin of `errorkit check`: records every error response, and says which the document lacks.

        traffic = Traffic(app.openapi)
        client = TestClient(traffic.asgi(app))
        ...                                     # the whole suite
        traffic.assert_described()

    document: an OpenAPI document, or a function that gives it. Needs the extra `testing`.
    """

    def __init__(self, document: Mapping[str, Any] | Callable[[], Mapping[str, Any]]) -> None:
        self._document = document
        self.exchanges: list[Exchange] = []

    def asgi(self, app: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
        """The application, its error responses recorded."""

        async def recording(scope: dict[str, Any], receive: Callable[..., Any], send: _Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            start: dict[str, Any] = {}
            chunks: list[bytes] = []

            async def record(message: dict[str, Any]) -> None:
                if message["type"] == "http.response.start":
                    start.update(message)
                elif message["type"] == "http.response.body" and start.get("status", 0) >= 400:
                    chunks.append(message.get("body", b""))
                await send(message)

            try:
                await app(scope, receive, record)
            finally:  # some answer and let the exception go on to the server
                if start.get("status", 0) >= 400:
                    pairs = start.get("headers", ())
                    fields = ((name.decode("latin-1"), value.decode("latin-1")) for name, value in pairs)
                    self._record(scope["method"], scope["path"], start["status"], fields, b"".join(chunks))

        return recording

    def wsgi(self, app: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
        """The application, its error responses recorded."""

        def recording(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            said: list[Any] = []

            def note(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
                said[:] = [int(status.split(" ", 1)[0]), headers]
                return start_response(status, headers, *more)

            answer = app(environ, note)
            if not said or said[0] < 400:  # errorkit's middleware has said it by now
                return answer
            try:
                body = b"".join(answer)
            finally:
                getattr(answer, "close", lambda: None)()
            self._record(environ["REQUEST_METHOD"], environ.get("PATH_INFO", ""), said[0], said[1], body)
            return [body]

        return recording

    def faults(self) -> list[str]:
        """What the document does not describe: one line for each different fault.

        Unknown paths and methods that are answered by 404 or 405 belong to no operation.
        """
        document = self._document() if callable(self._document) else self._document
        judge = Judge(document)
        return list(dict.fromkeys(fault for exchange in self.exchanges for fault in judge.faults(exchange)))

    def assert_described(self) -> None:
        """Raises AssertionError with all faults; also if no error was recorded at all."""
        if not self.exchanges:
            raise AssertionError("no error response was recorded: is the application wrapped by Traffic.asgi or .wsgi?")
        faults = self.faults()
        if faults:
            raise AssertionError("responses outside the OpenAPI document:\n" + "\n".join(faults))

    def _record(self, method: str, path: str, status: int, fields: Iterable[tuple[str, str]], body: bytes) -> None:
        headers = {name.lower(): value for name, value in fields}
        self.exchanges.append(Exchange(method, path, status, headers, body))


class Judge:
    """One document, ready to be compared with."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        templates = sorted(document.get("paths", {}), key=lambda path: (path.count("{"), path))
        self.patterns = [(re.compile(_pattern(template)).fullmatch, template) for template in templates]
        self._validators: dict[int, tuple[Any, Any]] = {}

    def faults(self, exchange: Exchange) -> Iterator[str]:
        """What of one response the document does not describe, a line each."""
        operation, where = self._operation(exchange)
        if operation is None:
            if exchange.status not in (404, 405):
                yield f"{where}: {exchange.status} of an operation that the document does not have"
            return
        responses = operation.get("responses", {})
        family = f"{exchange.status // 100}XX"
        described = responses.get(str(exchange.status)) or responses.get(family) or responses.get("default")
        if described is None:
            yield f"{where}: no response {exchange.status} is described; it was {_excerpt(exchange)}"
            return
        for name, header in described.get("headers", {}).items():
            yield from self._header_faults(exchange, name, header, f"{where}: {exchange.status}")
        if exchange.method != "HEAD" and "content" in described:
            yield from self._body_faults(exchange, described["content"], f"{where}: {exchange.status}")

    def _operation(self, exchange: Exchange) -> tuple[Mapping[str, Any] | None, str]:
        paths = self.document.get("paths", {})
        method = exchange.method.lower()
        matching = [template for matches, template in self.patterns if matches(exchange.path)]
        template = next((each for each in matching if method in paths[each]), None)
        if template is None and method == "head" and exchange.status != 405:
            template = next((each for each in matching if "get" in paths[each]), None)
            method = "get"
        where = f"{exchange.method} {template or exchange.path}"
        return (paths[template][method] if template else None), where

    def _header_faults(self, exchange: Exchange, name: str, header: Mapping[str, Any], where: str) -> Iterator[str]:
        value: Any = exchange.headers.get(name.lower())
        schema = header.get("schema", {})
        if value is None:
            if header.get("required"):
                yield f"{where} lacks the header {name}"
            return
        if schema.get("type") in ("integer", "number"):
            with suppress(ValueError):
                value = json.loads(value)
        for error in self._validator(schema).iter_errors(value):
            yield f"{where}: header {name}: {error.message[:200]}"

    def _body_faults(self, exchange: Exchange, content: Mapping[str, Any], where: str) -> Iterator[str]:
        media_type = _essence(exchange.headers.get("content-type", ""))
        ranges = (media_type, media_type.partition("/")[0] + "/*", "*/*")
        by_range = {_essence(name): media for name, media in content.items()}
        media = next((by_range[name] for name in ranges if name in by_range), None)
        if media is None:
            yield f"{where} is {media_type or 'of no media type'}; described are {', '.join(content)}"
            return
        try:
            of_text = media_type.startswith("text/")
            body = exchange.body.decode("utf-8", "replace") if of_text else json.loads(exchange.body)
        except ValueError:
            yield f"{where} is not JSON: {_excerpt(exchange)}"
            return
        for error in self._validator(media.get("schema", {})).iter_errors(body):
            yield f"{where}: {error.json_path}: {error.message[:200]}"

    def _validator(self, schema: Mapping[str, Any]) -> Any:
        """The validator of one of the document's own schemas, made once."""
        known = self._validators.get(id(schema))
        if known is not None:
            return known[1]
        from jsonschema import Draft202012Validator

        absolute = json.loads(json.dumps(schema).replace('"#/', f'"{_DOCUMENT}#/'))
        validator = Draft202012Validator(absolute, registry=self._registry)
        self._validators[id(schema)] = schema, validator  # kept, so that no other schema gets its id
        return validator

    @cached_property
    def _registry(self) -> Any:
        from referencing import Registry
        from referencing.jsonschema import DRAFT202012

        registry: Any = Registry()
        return registry.with_resource(_DOCUMENT, DRAFT202012.create_resource(self.document))


def _pattern(template: str) -> str:
    parts = re.split(r"\{[^}]*\}", template)
    return "[^/]+".join(map(re.escape, parts))


def _essence(media_type: str) -> str:
    """Without parameters such as a charset."""
    return media_type.partition(";")[0].strip().lower()


def _excerpt(exchange: Exchange) -> str:
    return repr(exchange.body[:200].decode("utf-8", "replace"))
