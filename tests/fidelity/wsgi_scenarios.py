"""WSGI applications of no framework, and what PEP 3333 allows them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from typing import Any
from wsgiref.util import FileWrapper

from errorkit import ConflictError
from fidelity.observed import Call
from fidelity.twins import AROUND, Collection, Twin

scenario = Collection("wsgi", "wsgi", AROUND)
PLAIN = [("Content-Type", "text/plain")]


def paths(**apps: Any) -> Any:
    """An application by the first segment of the path."""

    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        name = environ["PATH_INFO"].strip("/").partition("/")[0].replace("-", "_")
        found: Iterable[bytes] = apps[name](environ, start_response)
        return found

    return app


def answers(status: str, *chunks: bytes, headers: Any = PLAIN, length: bool = True) -> Any:
    """An application that answers."""

    def app(environ: Any, start_response: Any) -> list[bytes]:
        size = [("Content-Length", str(sum(map(len, chunks))))] if length else []
        start_response(status, [*headers, *size])
        return list(chunks)

    return app


class Body:
    """An iterable that notes what is done with it. last: what happens instead of a further chunk."""

    def __init__(self, twin: Twin, *chunks: bytes, last: Callable[[], Any] | None = None, closes: Any = None) -> None:
        self.twin, self.chunks, self.last, self.closes = twin, iter(chunks), last, closes

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self.chunks)
        except StopIteration:
            self.twin.step("exhausted")
            if self.last is not None:
                self.last()
            raise

    def close(self) -> None:
        self.twin.step("closed")
        if self.closes is not None:
            self.closes()


def raises(twin: Twin, make: Callable[[], BaseException]) -> Callable[[], Any]:
    """A function that does."""

    def failing() -> Any:
        raise twin.raising(make())

    return failing


def starts(twin: Twin, status: str = "200 OK", headers: Any = PLAIN) -> Any:
    """An application that starts and returns a noting body."""

    def with_body(*chunks: bytes, last: Any = None, closes: Any = None) -> Any:
        def app(environ: Any, start_response: Any) -> Any:
            start_response(status, list(headers))
            return Body(twin, *chunks, last=last, closes=closes)

        return app

    return with_body


@scenario(Call("/crash"), Call("/declared", status=409), Call("/after-start"), Call("/ok"))
def failures_before_the_first_byte(twin: Twin) -> Any:
    def crash(environ: Any, start_response: Any) -> Any:
        raise twin.raising(RuntimeError("x"))

    def declared(environ: Any, start_response: Any) -> Any:
        raise twin.raising(ConflictError("v7"))

    def after_start(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", list(PLAIN))
        raise twin.raising(RuntimeError("x"))

    return paths(crash=crash, declared=declared, after_start=after_start, ok=answers("200 OK", b"fine"))


@scenario(Call("/at-once"), Call("/declared", status=409), Call("/lazy"), Call("/lazy-ok"))
def generators_that_fail_at_once(twin: Twin) -> Any:
    def at_once(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", list(PLAIN))
        raise twin.raising(RuntimeError("x"))
        yield b"never"

    def lazy_ok(environ: Any, start_response: Any) -> Any:
        start_response("201 Created", list(PLAIN))
        yield b"made"

    return paths(
        at_once=starts(twin)(last=raises(twin, lambda: RuntimeError("x"))),
        declared=starts(twin)(last=raises(twin, lambda: ConflictError("v7"))),
        lazy=at_once,
        lazy_ok=lazy_ok,
    )


@scenario(Call("/empties"), Call("/then-one"))
def generators_that_fail_after_empty_chunks(twin: Twin) -> Any:
    """PEP 3333: headers are sent with the first chunk that is not empty."""
    failing = raises(twin, lambda: RuntimeError("x"))
    return paths(empties=starts(twin)(b"", b"", last=failing), then_one=starts(twin)(b"", b"a", last=failing))


@scenario(Call("/late"), Call("/sse"), Call("/sse-length"), Call("/close"), Call("/whole"), Call("/error", shaped=True))
def bodies_that_fail_later(twin: Twin) -> Any:
    torn = raises(twin, lambda: RuntimeError("torn"))
    sse = [("Content-Type", "text/event-stream")]
    return paths(
        late=starts(twin)(b"half", last=torn),
        sse=starts(twin, headers=sse)(b"data: 1\n\n", last=torn),
        sse_length=starts(twin, headers=[*sse, ("Content-Length", "99")])(b"data: 1\n\n", last=torn),
        close=starts(twin)(b"all", closes=raises(twin, lambda: RuntimeError("in close"))),
        whole=starts(twin)(b"a", b"", b"b"),
        error=starts(twin, "503 Service Unavailable")(b"two\n", b"lines"),
    )


@scenario(Call("/written"), Call("/written-fails"), Call("/written-and-body"), Call("/empty-write"))
def the_write_callable(twin: Twin) -> Any:
    def written(environ: Any, start_response: Any) -> Any:
        write = start_response("200 OK", list(PLAIN))
        write(b"a")
        write(b"b")
        return []

    def written_fails(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", list(PLAIN))(b"half")
        raise twin.raising(RuntimeError("x"))

    def written_and_body(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", list(PLAIN))(b"a")
        return [b"b"]

    def empty_write(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", list(PLAIN))(b"")
        return [b"b"]

    return paths(
        written=written, written_fails=written_fails, written_and_body=written_and_body, empty_write=empty_write
    )


@scenario(Call("/replaced", shaped=True), Call("/replaced-default"), Call("/late"))
def exc_info(twin: Twin) -> Any:
    """An application that answers its own exception by starting once more."""

    def again(status: str, *chunks: bytes) -> Any:
        def app(environ: Any, start_response: Any) -> Any:
            start_response("200 OK", [*PLAIN, ("X-First", "1")])
            try:
                raise twin.raising(RuntimeError("x"))
            except RuntimeError:
                size = str(sum(map(len, chunks)))
                start_response(status, [*PLAIN, ("X-Own", "1"), ("Content-Length", size)], sys.exc_info())
            return list(chunks)

        return app

    def late(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", list(PLAIN))
        yield b"half"
        try:
            raise twin.raising(RuntimeError("x"))
        except RuntimeError:
            start_response("500 Oops", list(PLAIN), sys.exc_info())
        yield b"never"

    return paths(
        replaced=again("500 Oops", b"mine\ntoo"),
        replaced_default=again("500 Internal Server Error", b"Internal Server Error"),
        late=late,
    )


@scenario(Call("/whole"), Call("/whole", leaves="send"), Call("/unclosed"))
def close_is_called_once(twin: Twin) -> Any:
    def unclosed(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", list(PLAIN))
        return (chunk for chunk in (b"a", b"b"))

    return paths(
        whole=starts(twin)(b"a", b"b"),
        unclosed=unclosed,
    )


class Wrapper(FileWrapper):
    """That of a server, by which it knows the file again."""


@scenario(Call("/file", extra={"wsgi.file_wrapper": Wrapper}), Call("/file"))
def file_wrapper(twin: Twin) -> Any:
    def file(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", list(PLAIN))
        wrapper = environ.get("wsgi.file_wrapper", FileWrapper)
        twin.step(f"wrapped by {wrapper.__name__}")
        return wrapper(BytesIO(b"0123456789"), 4)

    return paths(file=file)


@scenario(
    Call("/none"), Call("/not-called"), Call("/empty"), Call("/no-content"), Call("/not-modified"), Call("/redirect")
)
def odd_answers(twin: Twin) -> Any:
    return paths(
        none=lambda environ, start_response: None,
        not_called=lambda environ, start_response: [b"x"],
        empty=answers("200 OK"),
        no_content=answers("204 No Content", headers=[], length=False),
        not_modified=answers("304 Not Modified", headers=[("ETag", '"1"')], length=False),
        redirect=answers("302 Found", b"there", headers=[("Location", "/x")]),
    )


_JSON = [("Content-Type", "application/json")]


@scenario(Call("/phrase"), Call("/line"), Call("/detail"), Call("/chunks"), Call("/empty"), Call("/challenge"),
          Call("/fields"), Call("/lengthless", shaped=None), Call("/lines", shaped=True), Call("/json", shaped=True), Call("/generator", shaped=True))  # fmt: skip
def answers_of_other_code(twin: Twin) -> Any:
    return paths(
        phrase=answers("404 Not Found", b"Not Found"),
        line=answers("403 Forbidden", b"No such door."),
        detail=answers("409 Conflict", b'{"detail": "v7"}', headers=_JSON),
        chunks=answers("404 Not Found", b"Not ", b"Found"),
        empty=answers("404 Not Found", headers=[]),
        challenge=answers(
            "401 Unauthorized", b"Unauthorized", headers=[*PLAIN, ("WWW-Authenticate", 'Basic realm="x"')]
        ),
        fields=answers("404 Not Found", b"Not Found", headers=[*PLAIN, ("Set-Cookie", "a=1"), ("ETag", '"1"')]),
        lengthless=answers("404 Not Found", b"Not Found", length=False),
        lines=answers("500 Oops", b"one\ntwo"),
        json=answers("400 Bad", b'{"detail": "x", "code": 1}', headers=_JSON),
        generator=starts(twin, "404 Not Found")(b"one\n", b"two"),
    )


@scenario(
    Call("/page", "HEAD", shaped=True), Call("/page", shaped=True), Call("/empty", "HEAD"), Call("/crash", "HEAD")
)
def head_is_as_get(twin: Twin) -> Any:
    """F-22."""
    page = b"<h1>Lost?</h1>" * 40

    def html(environ: Any, start_response: Any) -> Any:
        start_response("404 Not Found", [("Content-Type", "text/html"), ("Content-Length", str(len(page)))])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [page]

    def crash(environ: Any, start_response: Any) -> Any:
        raise twin.raising(RuntimeError("x"))

    return paths(page=html, empty=answers("404 Not Found", headers=[]), crash=crash)


@scenario(Call("/own"), Call("/own-default"), Call("/own-shaped", shaped=True))
def request_ids_of_the_application(twin: Twin) -> Any:
    """F-29."""
    own = [*PLAIN, ("X-Request-ID", "upstream-77")]
    return paths(
        own=answers("200 OK", b"x", headers=own),
        own_default=answers("404 Not Found", b"Not Found", headers=own),
        own_shaped=answers("404 Not Found", b"one\ntwo", headers=own),
    )


class Layer:
    """A middleware that is a unit of work, and notes the status."""

    def __init__(self, twin: Twin, inner: Any) -> None:
        self.twin, self.inner = twin, inner

    def __call__(self, environ: Any, start_response: Any) -> Any:
        def start(status: str, headers: Any, exc_info: Any = None) -> Any:
            self.twin.step(f"layer: {status}")
            return start_response(status, headers, *([exc_info] if exc_info else []))

        try:
            chunks = self.inner(environ, start)
        except Exception as error:
            self.twin.step(f"ROLLBACK for {self.twin.label(error)}")
            raise
        self.twin.step("COMMIT")
        return chunks


@scenario(Call("/crash"), Call("/ok"), Call("/torn"))
def a_layer_inside(twin: Twin) -> Any:
    def crash(environ: Any, start_response: Any) -> Any:
        raise twin.raising(RuntimeError("x"))

    torn = starts(twin)(b"half", last=raises(twin, lambda: RuntimeError("torn")))
    return Layer(twin, paths(crash=crash, ok=answers("200 OK", b"fine"), torn=torn))


@scenario(*[Call(path, dialect=dialect, extra={"SCRIPT_NAME": "/v1"}) for path, dialect in (
    ("/v1/error", "openai"), ("/raw/error", None), ("/error", "problem"), ("/raw/crash", None))],
    dialect={"/v1": "openai", "/raw": None, "/": "problem"})  # fmt: skip
def prefixes_behind_a_script_name(twin: Twin) -> Any:
    def app(environ: Any, start_response: Any) -> Any:
        if environ["PATH_INFO"].endswith("crash"):
            raise twin.raising(RuntimeError("x"))
        return answers("404 Not Found", b"Not Found")(environ, start_response)

    return app


@scenario(Call("/seen", headers=(("x-request-id", "inbound-1"), ("x-own", "1"))), Call("/seen"))
def what_an_application_is_given(twin: Twin) -> Any:
    def seen(environ: Any, start_response: Any) -> Any:
        own = sorted(key for key in environ if key.startswith("HTTP_"))
        twin.step(f"{own} {environ['PATH_INFO']!r} {environ['wsgi.input'].read()!r}")
        return answers("200 OK", b"fine")(environ, start_response)

    return paths(seen=seen)
