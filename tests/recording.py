"""Every error response that errorkit renders in this suite is one that its own OpenAPI document allows.

Most applications of the suite have no document of their own, or raise on purpose what theirs does
not declare. So each response is held against a document that errorkit's generator makes for the
handler's catalogue, dialect and configuration: one operation that declares every code of the
catalogue, and one for each code that declares it alone. The judge is that of
`errorkit.testing.Traffic`. Responses that no schema could tell apart are judged once.

Recorded is what a handler gives to its adapter, here and in the servers that tests start
(`in_server`); the examples that the generator itself lets handlers render are no traffic.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from catch_all import Documents, Rendered, Unready, as_good, compare, mended, standing_for
from errorkit.catalog import Catalog, ErrorSpec
from errorkit.errors import APIError
from errorkit.events import compact
from errorkit.exchange import Request, Response
from errorkit.failure import Private, Public
from errorkit.handler import ErrorHandler
from errorkit.negotiation import Forms
from errorkit.publish import wire_example
from errorkit.rendering import Renderer
from shapes import Shape

GENERATED = wire_example._Request
TOLD = "RECORDED_IN"
"""Environment variable: the file in which the servers that a test starts tell what they rendered."""
_LACKS = " lacks the header "


class Recorder:
    """Wraps what renders in `ErrorHandler`, remembers what it gave, and judges it after each phase of a test.

    counts: responses by what is remarkable about them. folders: responses by the folder of the test.
    """

    def __init__(self) -> None:
        self.documents = Documents()
        self.counts: Counter[str] = Counter()
        self.folders: Counter[str] = Counter()
        self.folder = ""
        self._pending: dict[Any, Rendered] = {}
        self._verdicts: dict[Any, tuple[str, ...]] = {}
        self._shapes: WeakKeyDictionary[Renderer, Shape] = WeakKeyDictionary()
        self._lost: list[str] = []
        self._read = 0
        self._originals = {name: getattr(ErrorHandler, name) for name in ("respond", "take_over")}

    # -- recording

    def start(self) -> None:
        """From now on every response is recorded."""
        for name, original in self._originals.items():
            setattr(ErrorHandler, name, self._recording(original))

    def stop(self) -> None:
        """As it was."""
        for name, original in self._originals.items():
            setattr(ErrorHandler, name, original)

    def _recording(self, original: Any) -> Any:
        def recording(handler: ErrorHandler, request: Request, *rest: Any) -> Response:
            renderer = request.renderer  # of the path: negotiation may put another into its place
            response: Response = original(handler, request, *rest)
            assert request.failure is not None
            if isinstance(request, GENERATED):
                self.documents.degraded |= request.failure.private.reason == "degraded"
                return response
            if type(rest[0]) is int and rest[0] == 400 and request.failure.public.code == "validation_failed":
                self.counts["in place of another body, whose status stays"] += 1
                return response
            try:
                self._record(handler, request, renderer, response)
            except Exception as error:  # told when the test is over, and not in the midst of it
                self._lost.append(f"a response could not be recorded: {compact(error)}")
            return response

        return recording

    def _record(self, handler: ErrorHandler, request: Request, path: Renderer, response: Response) -> None:
        assert request.failure is not None
        public, private = request.failure
        sent, listed = request.renderer, public.code in handler.catalog
        degraded = private.reason == "degraded"
        self.folders[self.folder] += 1
        self.counts["responses"] += 1
        for what, so in (
            ("made while errorkit degraded", degraded),
            ("with a debug member", handler.config.development and b'"debug":' in response.body),
            ("as problem details that were asked for", sent is not path),
            ("of a dialect without a schema: body not judged", sent.dialect.Body is None),
            ("of a class that the catalogue does not list", not listed),
            ("for the last event of a stream", request.outcome == "stream_error"),
        ):
            self.counts[what] += so
        if listed:
            cls, own = handler.catalog.by_code(public.code).cls, None
            form: Any = public.code, response.status
        else:
            own = _raised(public, private)
            cls = own or standing_for(public.code, public.status)
            form = as_good(ErrorSpec.of(cls)), response.status == cls.status
        shape = self._shape(sent, handler.catalog, response, public.code)
        choices = (choice for _, choice in handler.selection.choices if choice and path in choice.renderers)
        choice = next(choices, None)
        forms = choice and choice.forms
        if forms is None:  # an error of errorkit's own where all else is observed, of which no document tells
            said = (path, sent) if choice is None else choice.renderers
            forms = Forms(tuple(dict.fromkeys(each.dialect for each in said)), page=choice is not None, vary=path.vary)
        key = id(handler.config), id(path.dialect), hash((degraded, form, shape))
        if key not in self._pending:
            fields = b"\n".join(map(b": ".join, response.headers))
            where = f"{type(request).__name__}, dialect {path.dialect.name or type(path.dialect).__name__}"
            self._pending[key] = Rendered(
                handler.config, forms, public.code, cls.status, own,
                response.status, fields, response.body, degraded, where,
            )  # fmt: skip

    def _shape(self, renderer: Renderer, catalog: Catalog, response: Response, code: str) -> Any:
        try:
            if renderer not in self._shapes:
                self._shapes[renderer] = Shape(renderer.dialect, catalog)
            return self._shapes[renderer].of(response, code)
        except Exception:  # the test has broken the dialect
            return response.status, tuple(response.headers), response.body

    # -- judging

    def settle(self, *, last: bool) -> None:
        """Raises AssertionError with what is outside of the documents.

        last: nothing that the test has broken is broken any more.
        """
        pending, self._pending = self._pending, {}
        faults, self._lost = self._lost, []
        for key, rendered in pending.items():
            try:
                faults += self._faults(rendered, key[-1])
            except Unready:
                if last:
                    self.counts["of parts that stay broken: judged by the operation of its code"] += 1
                    faults += self._faults(mended(rendered), key[-1])
                else:
                    self._pending[key] = rendered
        faults += self._told()
        if faults:
            raise AssertionError("outside of errorkit's own OpenAPI document:\n" + "\n".join(dict.fromkeys(faults)))

    def _told(self) -> list[str]:
        """What servers have told since."""
        path = Path(os.environ.get(TOLD, os.devnull))
        if not path.is_file():
            return []
        with path.open() as stream:
            stream.seek(self._read)
            lines = stream.readlines()
            self._read = stream.tell()
        self.counts["of a server in a process of its own"] += len(lines)
        return [fault for line in lines for fault in json.loads(line)]

    def _faults(self, rendered: Rendered, form: Any) -> tuple[str, ...]:
        by = self.documents.key(rendered)
        if (by, form) not in self._verdicts:
            found = list(compare(self.documents.judge(rendered), rendered))
            if rendered.degraded:  # it has the fields that could be made
                self.counts["degraded, without a promised header field"] += any(_LACKS in fault for fault in found)
                found = [fault for fault in found if _LACKS not in fault]
            self._verdicts[by, form] = tuple(found)
        return self._verdicts[by, form]

    def report(self) -> Counter[str]:
        """`counts`, the responses of each folder, and how many differed in what a document can tell apart."""
        found = Counter({what: number for what, number in self.counts.items() if number})
        found["of a shape of their own, by which they were judged"] = len(self._verdicts)
        found["documents"] = len(self.documents)
        found.update({f"responses in tests/{folder}": number for folder, number in self.folders.items()})
        return found


class _Telling(Recorder):
    """In a server's process: judges at once, and writes what it found, a line for each response."""

    def _record(self, handler: ErrorHandler, request: Request, path: Renderer, response: Response) -> None:
        super()._record(handler, request, path, response)
        pending, self._pending = self._pending, {}
        faults = [fault for key, rendered in pending.items() for fault in self._faults(rendered, key[-1])]
        with Path(os.environ[TOLD]).open("a") as stream:
            stream.write(json.dumps(faults) + "\n")


def in_server() -> None:
    """Record in a server's own process, if it was started by a test."""
    if TOLD in os.environ and "pytest" not in sys.modules:
        _Telling().start()


RECORDER = Recorder()
"""That of this suite."""


def _raised(public: Public, private: Private) -> type[APIError] | None:
    """The class of the code that is shown, if that is what was raised."""
    raised = private.exception
    return type(raised) if isinstance(raised, APIError) and raised.code == public.code else None
