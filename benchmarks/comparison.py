"""What errorkit and its alternatives do with the same failures, measured: docs/comparison.md and the README's table.

python -m benchmarks.comparison           write them; dependency group `bench`
python -m benchmarks.comparison --check   exit 1 if one is stale

Every package covers the same application in the way that its documentation gives first, and is asked for every failure
of it once, in process. What is written are counts and facts of these answers, and nothing that was not run.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import structlog
from pydantic import BaseModel

from benchmarks.contenders import BARE, CONTENDERS, ERRORKIT, Contender
from benchmarks.scenarios import Raises

ROOT = Path(__file__).resolve().parents[1]
PAGES = (ROOT / "docs" / "comparison.md", ROOT / "README.md")
BEGIN, END = "<!-- measured: begin -->\n", "<!-- measured: end -->\n"
NAMES = (BARE, ERRORKIT, "asgi-correlation-id", "fastapi-problem", "fastapi-rfc9457", "fastapi-problem-details",
         "starlette-problem", "flask-problem-details")  # fmt: skip
FRAMEWORKS = {"fastapi": "FastAPI", "starlette": "Starlette", "flask": "Flask"}
REQUEST_ID = "0190f0a4c3b2474f9d1e2f3a4b5c6d7e"
CRASH, SUBMITTED = "password=hunter2", "swordfish"


class Ask(NamedTuple):
    """One request that fails. frameworks: where it can."""

    name: str
    path: str
    method: str = "GET"
    body: str = ""
    frameworks: tuple[str, ...] = tuple(FRAMEWORKS)


ASKS = (
    Ask("declared", "/declared"),
    Ask("http_exception", "/forbidden"),
    Ask("unauthenticated", "/login"),
    Ask("limited", "/limited"),
    Ask("unmatched", "/nowhere"),
    Ask("method", "/declared", "DELETE"),
    Ask("malformed", "/orders", "POST", "{", ("fastapi", "flask")),
    Ask("invalid", "/orders", "POST", json.dumps({"quantity": SUBMITTED}), ("fastapi",)),
    Ask("mounted", "/mounted/nowhere", frameworks=("fastapi", "starlette")),
    Ask("crash", "/crash"),
)
STREAM = Ask("stream", "/events")


class Answer(NamedTuple):
    """What one request came to. escaped: an exception reached the server, which logs it once more."""

    status: int
    headers: httpx.Headers
    text: str
    records: tuple[logging.LogRecord, ...]
    escaped: bool

    def has_form_of(self, other: Answer) -> bool:
        """Is it JSON of the same media type, with every member of the other's but those that tell of the occasion."""
        own, others = self._members(), other._members()
        kinds = {each.headers.get("content-type") for each in (self, other)}
        return len(kinds) == 1 and own is not None and others is not None and own >= others - {"detail", "instance"}

    def _members(self) -> set[str] | None:
        try:
            return set(json.loads(self.text))
        except (ValueError, TypeError):
            return None


class Row(NamedTuple):
    """What is said of one package; numbers are of `failures`."""

    package: str
    framework: str
    failures: int
    one_form: int
    crash_hidden: bool
    input_hidden: bool | None
    fields_kept: int
    id_in_header: int
    id_in_body: int
    id_in_log: int
    one_record: int
    stream: str
    packages: int

    def cells(self) -> list[str]:
        """As the table has them."""
        of = self.failures
        words = {True: "yes", False: "**no**", None: ""}
        return [
            self.package, self.framework, f"{self.one_form}/{of}", words[self.crash_hidden], words[self.input_hidden],
            f"{self.fields_kept}/3", f"{self.id_in_header}/{of}", f"{self.id_in_body}/{of}", f"{self.id_in_log}/{of}",
            f"{self.one_record}/{of}", self.stream, str(self.packages),
        ]  # fmt: skip


HEAD = (
    "package", "on", "one form", "crash kept in", "input kept in", "fields kept", "id in header", "in body", "in log",
    "one record", "a stream dies", "packages",
)  # fmt: skip


def chosen() -> list[Contender]:
    """Who is compared, in the order of the table. Raises LookupError where a package is not installed."""
    from benchmarks.contenders import present

    wanted = [each for name in NAMES for each in CONTENDERS if each.name == name and _is_wanted(each)]
    available, absent = present()
    if missing := [each.name for each in wanted if each not in available]:
        raise LookupError(f"not installed: {', '.join(missing)}; {'; '.join(absent)}")
    return sorted(wanted, key=lambda each: (list(FRAMEWORKS).index(each.framework), NAMES.index(each.name)))


def _is_wanted(contender: Contender) -> bool:
    return contender.name in (BARE, ERRORKIT) or contender.framework != "starlette" or "starlette" in contender.name


def measured(contender: Contender) -> Row:
    """Ask for every failure."""
    framework = contender.framework
    asks = [ask for ask in ASKS if framework in ask.frameworks]
    app = contender.cover(_APPLICATIONS[framework](contender.raises()))
    drive = _wsgi if framework == "flask" else _asgi
    with _recorded() as records:
        answers = {ask.name: _answer(drive, app, ask, records) for ask in asks}
        stream = _answer(drive, app, STREAM, records)
    fields = (("method", "allow"), ("unauthenticated", "www-authenticate"), ("limited", "retry-after"))
    alone = contender.name == BARE
    return Row(
        package="(the framework alone)" if alone else f"{contender.name} {version(contender.name)}",
        framework=f"{FRAMEWORKS[framework]} {version(framework)}",
        failures=len(asks),
        one_form=sum(each.has_form_of(answers["declared"]) for each in answers.values()),
        crash_hidden=CRASH not in answers["crash"].text,
        input_hidden=SUBMITTED not in answers["invalid"].text if "invalid" in answers else None,
        fields_kept=sum(field in answers[ask].headers for ask, field in fields),
        id_in_header=sum(each.headers.get("x-request-id") == REQUEST_ID for each in answers.values()),
        id_in_body=sum(REQUEST_ID in each.text for each in answers.values()),
        id_in_log=sum(any(REQUEST_ID in str(vars(r)) for r in each.records) for each in answers.values()),
        one_record=sum(len(each.records) + each.escaped == 1 for each in answers.values()),
        stream="tells" if stream.text.count("data:") > 1 and not stream.escaped else "cut",
        packages=0 if alone else len(_closure(contender.name) - _closure(framework)),
    )


def _closure(package: str) -> set[str]:
    """The names of a package and of all that it requires without extras."""
    found: set[str] = set()
    open_ = [package]
    while open_:
        name = open_.pop()
        if name in found:
            continue
        found.add(name)
        with contextlib.suppress(PackageNotFoundError):  # for another system or an older Python
            lines = [line for line in requires(name) or () if ";" not in line]
            open_ += [re.match(r"[\w.-]+", line)[0].lower().replace("_", "-") for line in lines]  # type: ignore[index]
    return found


# -- the applications: the same for all who cover one framework


class Order(BaseModel):
    """What FastAPI validates."""

    quantity: int


def _fastapi(raises: Raises) -> Any:
    from fastapi import FastAPI, HTTPException
    from fastapi.responses import StreamingResponse

    app = FastAPI()

    @app.get("/declared")
    async def declared() -> None:
        raise raises.conflict("Version 7 is already published.")

    @app.get("/forbidden")
    async def forbidden() -> None:
        raise HTTPException(403, "closed")

    @app.get("/login")
    async def login() -> None:
        raise HTTPException(401, "who?", {"WWW-Authenticate": 'Basic realm="x"'})

    @app.get("/limited")
    async def limited() -> None:
        raise HTTPException(429, "wait", {"Retry-After": "7"})

    @app.post("/orders")
    async def orders(order: Order) -> None: ...

    @app.get("/crash")
    async def crash() -> None:
        raise RuntimeError(CRASH)

    @app.get("/events")
    async def events() -> StreamingResponse:
        return StreamingResponse(_events(), media_type="text/event-stream")

    app.mount("/mounted", FastAPI())
    return app


def _starlette(raises: Raises) -> Any:
    from starlette.applications import Starlette
    from starlette.exceptions import HTTPException
    from starlette.responses import StreamingResponse
    from starlette.routing import Mount, Route

    def failing(path: str, error: Any) -> Route:
        async def endpoint(request: Any) -> Any:
            raise error()

        return Route(path, endpoint, methods=["GET"])

    async def events(request: Any) -> StreamingResponse:
        return StreamingResponse(_events(), media_type="text/event-stream")

    routes = [
        failing("/declared", lambda: raises.conflict("Version 7 is already published.")),
        failing("/forbidden", lambda: HTTPException(403, "closed")),
        failing("/login", lambda: HTTPException(401, "who?", {"WWW-Authenticate": 'Basic realm="x"'})),
        failing("/limited", lambda: HTTPException(429, "wait", {"Retry-After": "7"})),
        failing("/crash", lambda: RuntimeError(CRASH)),
        Route("/events", events),
        Mount("/mounted", Starlette()),
    ]
    return Starlette(routes=routes)


async def _events() -> Any:
    yield "data: 1\n\n"
    raise RuntimeError(CRASH)


def _flask(raises: Raises) -> Any:
    import flask
    from werkzeug.datastructures import WWWAuthenticate
    from werkzeug.exceptions import Forbidden, TooManyRequests, Unauthorized

    app = flask.Flask("comparison")

    def failing(path: str, error: Any) -> None:
        def view() -> Any:
            raise error()

        app.add_url_rule(path, path.strip("/"), view, methods=["GET"])

    failing("/declared", lambda: raises.conflict("Version 7 is already published."))
    failing("/forbidden", lambda: Forbidden("closed"))
    failing("/login", lambda: Unauthorized("who?", www_authenticate=WWWAuthenticate("basic", {"realm": "x"})))
    failing("/limited", lambda: TooManyRequests("wait", retry_after=7))
    failing("/crash", lambda: RuntimeError(CRASH))

    @app.post("/orders")
    def orders() -> Any:
        return flask.request.get_json()

    @app.get("/events")
    def events() -> Any:
        def rows() -> Iterator[str]:
            yield "data: 1\n\n"
            raise RuntimeError(CRASH)

        return flask.Response(rows(), mimetype="text/event-stream")

    return app


_APPLICATIONS = {"fastapi": _fastapi, "starlette": _starlette, "flask": _flask}


# -- asking


@contextlib.contextmanager
def _recorded() -> Iterator[list[logging.LogRecord]]:
    """Every record of any logger; structlog hands its events over to `logging`."""
    records: list[logging.LogRecord] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.name.partition(".")[0] not in ("httpx", "asyncio"):
                records.append(record)

    with contextlib.suppress(ImportError):
        from asgi_correlation_id import CorrelationIdFilter

        Keep.filter = CorrelationIdFilter().filter  # type: ignore[assignment] # as its documentation says
    handler = Keep()
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel("DEBUG")
    structlog.configure(
        processors=[structlog.stdlib.render_to_log_kwargs],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    try:
        yield records
    finally:
        structlog.reset_defaults()
        root.removeHandler(handler)
        root.setLevel(level)


def _answer(drive: Any, app: Any, ask: Ask, records: list[logging.LogRecord]) -> Answer:
    records.clear()
    response, escaped = drive(app, ask)
    failed = tuple(record for record in records if record.getMessage() != "errorkit_installed")
    return Answer(response.status_code, response.headers, response.text, failed, escaped)


def _request(ask: Ask) -> dict[str, Any]:
    fields = {"X-Request-ID": REQUEST_ID, **({"Content-Type": "application/json"} if ask.body else {})}
    return {"method": ask.method, "url": ask.path, "headers": fields, "content": ask.body or None}


def _asgi(app: Any, ask: Ask) -> tuple[httpx.Response, bool]:
    escaped = False

    async def served(scope: Any, receive: Any, send: Any) -> None:
        nonlocal escaped
        try:
            await app(scope, receive, send)
        except Exception:
            escaped = True
            raise

    async def asked() -> httpx.Response:
        transport = httpx.ASGITransport(served, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.request(**_request(ask))

    return asyncio.run(asked()), escaped


def _wsgi(app: Any, ask: Ask) -> tuple[httpx.Response, bool]:
    started: list[Any] = []
    chunks: list[bytes] = []
    escaped = False

    def served(environ: Any, start_response: Any) -> Any:
        nonlocal escaped
        try:
            body = app(environ, lambda *words: started.append(words) or chunks.append)
            try:
                chunks.extend(body)
            finally:
                getattr(body, "close", lambda: None)()
        except Exception:
            escaped = True
        status, fields = started[-1][:2]
        start_response(status, fields)
        return chunks

    with httpx.Client(transport=httpx.WSGITransport(served), base_url="http://test") as client:
        return client.request(**_request(ask)), escaped


# -- writing


def table(rows: list[Row]) -> str:
    """As Markdown."""
    lines = [HEAD, ["---"] * len(HEAD), *(row.cells() for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def main() -> int:
    """Measure and write, or compare."""
    made = table([measured(contender) for contender in chosen()])
    stale = 0
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        before, _, rest = text.partition(BEGIN)
        new = before + BEGIN + made + END + rest.partition(END)[2]
        if "--check" in sys.argv[1:]:
            stale += new != text
        else:
            page.write_text(new, encoding="utf-8")
    return int(stale > 0)


if __name__ == "__main__":
    sys.exit(main())
