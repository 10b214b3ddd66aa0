"""What a team writes wrongly, however errorkit was added: it is refused at start-up, by field, value and fix."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import pytest
from fastapi import FastAPI
from flask import Flask
from starlette.applications import Starlette

import errorkit.asgi
import errorkit.fastapi
import errorkit.starlette
import errorkit.wsgi
from driving import asgi as drive
from errorkit import APIError, ConflictError, Dialect, RateLimit, RateLimitError
from errorkit.catalog import Catalog
from errorkit.config import Config, ConfigurationError
from errorkit.configuration_error import shown
from errorkit.declaration import raises
from errorkit.dialects import PRESETS
from errorkit.dialects.openai import OpenAI
from errorkit.dialects.problem import Problem
from errorkit.flask import ErrorKit
from errorkit.handler import ErrorHandler
from errorkit.request_id import RequestIdFormat

PREFIX = "errorkit configuration: "


# -- the ways of adding errorkit


class NotStarted(Exception):
    """What the server is told in answer to `lifespan.startup`."""


def started(app: Any) -> None:
    """Start an application as a server does. Raises NotStarted."""
    heard: list[Any] = []

    async def receive() -> Any:
        return {"type": "lifespan.shutdown" if heard else "lifespan.startup"}

    async def send(message: Any) -> None:
        heard.append(message)

    with contextlib.suppress(ConfigurationError):  # raised as well, for Starlette's test client
        asyncio.run(app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, receive, send))
    if heard[0]["type"] == "lifespan.startup.failed":
        raise NotStarted(heard[0]["message"])


def handled(**settings: Any) -> None:
    """By a `Config`."""
    ErrorHandler(Config(**settings))


def installed(app: Any = None, **settings: Any) -> None:
    """By `install`, in an app factory."""
    app = app or FastAPI()
    errorkit.fastapi.install(app, **settings)
    started(app)


def added(*args: Any, **settings: Any) -> None:
    """By FastAPI's `add_middleware`."""
    app = FastAPI()
    app.add_middleware(*(args or (errorkit.fastapi.ErrorMiddleware,)), **settings)
    started(app)


def added_generic(**settings: Any) -> None:
    """The middleware for any ASGI application, by Starlette's `add_middleware`."""
    app = Starlette()
    app.add_middleware(errorkit.asgi.ErrorMiddleware, **settings)
    started(app)


def flask(**settings: Any) -> None:
    """By Flask's extension."""
    ErrorKit(Flask(__name__), **settings)


def flask_later(**settings: Any) -> None:
    """By Flask's extension, in a factory."""
    ErrorKit(**settings).init_app(Flask(__name__))


def asgi(app: Any = None, **settings: Any) -> None:
    """By the middleware for any ASGI application."""
    errorkit.asgi.ErrorMiddleware(app or asgi_app, **settings)


def wsgi(app: Any = None, **settings: Any) -> None:
    """By the middleware for any WSGI application."""
    errorkit.wsgi.ErrorMiddleware(app or wsgi_app, **settings)


def environ(**variables: str) -> None:
    """By the environment."""
    ErrorHandler(Config.load(environ={f"ERRORKIT_{name}": value for name, value in variables.items()}))


def toml(text: str, name: str = "errorkit.toml") -> None:
    """By a file."""
    with TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_text(text)
        ErrorHandler(Config.load(file=path, environ={}))


async def asgi_app(scope: Any, receive: Any, send: Any) -> None:
    """An ASGI application."""


def wsgi_app(environ: Any, start_response: Any) -> Any:
    """A WSGI application."""
    return []


# -- what is written wrongly


class Listed(ConflictError):
    """In the catalogue of the rows that list it."""

    code = "listed"


class Unlisted(ConflictError):
    """In no catalogue."""

    code = "unlisted"


class Inherits(ConflictError):
    """Whose author forgot the code."""


class Asks(ConflictError):
    """Whose constructor asks for more."""

    code = "asks"

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} exists")


def declare(base: type[APIError] = ConflictError, **attributes: Any) -> type[APIError]:
    """A class of errors."""
    return type("Taken", (base,), {"__module__": "shop.errors", **attributes})


def dialect(**members: Any) -> Dialect:
    """A dialect of one's own that is right but for these members; None leaves one out."""
    right: dict[str, Any] = {
        "name": "own",
        "write": lambda self, public: {"code": self.spell(public.code), "id": public.request_id},
        "read": lambda self, status, headers, body: self.public(status, headers),
    }
    made = type("Own", (Dialect,), {k: v for k, v in {**right, **members}.items() if v is not None})
    return made()  # type: ignore[no-any-return]


def writes(write: Callable[[Any], Any]) -> None:
    """Serve a dialect of one's own by its `write`."""
    handled(dialect=dialect(write=lambda self, public: write(public)))


def twice(*ways: str) -> None:
    """Add errorkit to one application several times."""
    app = FastAPI()
    for way in ways:
        if way == "install":
            errorkit.fastapi.install(app, dialect="openai")
        else:
            app.add_middleware(errorkit.fastapi.ErrorMiddleware, dialect="anthropic")
    started(app)


def added_made() -> None:
    app = FastAPI()
    app.add_middleware(errorkit.fastapi.ErrorMiddleware(app, dialect="openai"))  # type: ignore[arg-type]
    started(app)


def flask_twice() -> None:
    app = Flask(__name__)
    ErrorKit(app, dialect="openai")
    ErrorKit(app, dialect="anthropic")


def install_late() -> None:
    app = FastAPI()
    started(app)
    errorkit.fastapi.install(app)


def promises() -> None:
    """A route declares an error that no catalogue lists."""
    app = FastAPI()

    @app.get("/")
    @raises(Unlisted)
    def endpoint() -> None: ...

    installed(app)


class Row(NamedTuple):
    """One wrong configuration.

    wrong: what is written. write: it, and the start of the service. field, value, fix: what the message must name.
    """

    wrong: str
    write: Callable[[], Any]
    field: str
    value: str
    fix: str


X = {KeyError: "conflict"}
TYPO = {"dialect": "opnai"}

WRONG = [
    # settings by name and value
    Row("a dialect's name", lambda: handled(dialect="opnai"), "dialect", "'opnai'", "did you mean 'openai'"),
    Row("a dialect's name, far off", lambda: installed(dialect="xyz"), "dialect", "'xyz'", "known are agentkavach"),
    Row("a dialect's name in another case", lambda: asgi(dialect="OpenAI"), "dialect", "'OpenAI'", "mean 'openai'"),
    Row("a dialect that is none", lambda: flask(dialect=7), "dialect", "7", "use a preset's name such as 'problem'"),
    Row("a setting's name", lambda: wsgi(dialct="openai"), "dialct", "'openai'", "did you mean 'dialect'"),
    Row("normalize", lambda: flask(normalize="all"), "normalize", "'all'", "did you mean 'normalise'"),
    Row("a value of normalise", lambda: asgi(normalise="some"), "normalise", "'some'", "'framework', 'all' or 'off'"),
    Row("docs_url without code", lambda: handled(docs_url="https://x.test/e"), "docs_url", "'https://x.test/e'",
        "needs '{code}'"),
    Row("docs_url with another placeholder", lambda: flask(docs_url="https://x.test/{lang}/{code}"), "docs_url",
        "'https://x.test/{lang}/{code}'", "'{lang}' is never filled in"),
    Row("a code in retry_after", lambda: added(retry_after={"rate_limted": 3}), "retry_after['rate_limted']", "3",
        "did you mean 'rate_limited'"),
    Row("a code in levels", lambda: handled(levels={"conflct": "info"}), "levels['conflct']", "'info'",
        "did you mean 'conflict'"),
    Row("a level", lambda: flask_later(levels={"404": "loud"}), "levels['404']", "'loud'", "'debug', 'info'"),
    Row("a status in levels as a number", lambda: handled(levels={404: "debug"}), "levels", "404", "write '404'"),
    Row("levels as one level", lambda: installed(levels="debug"), "levels", "'debug'", "{'4xx': 'debug'"),
    Row("tenant_status", lambda: installed(tenant_status=405), "tenant_status", "405", "404 or 403"),
    Row("max_retry_wait as text", lambda: wsgi(max_retry_wait="soon"), "max_retry_wait", "'soon'", "seconds"),
    Row("max_retry_wait below zero", lambda: asgi(max_retry_wait=-1), "max_retry_wait", "-1", "seconds"),
    Row("a wait as text", lambda: handled(retry_after={"rate_limited": "ten"}), "retry_after['rate_limited']",
        "'ten'", "seconds"),
    Row("a wait below zero", lambda: handled(retry_after={"rate_limited": -1}), "retry_after['rate_limited']", "-1",
        "seconds"),
    Row("status_missing", lambda: handled(status_missing=500), "status_missing", "500", "400 to 499"),
    Row("redact as one name", lambda: flask(redact="iban"), "redact", "'iban'", "('iban',)"),
    Row("a bool", lambda: handled(negotiate="perhaps"), "negotiate", "'perhaps'", "True or False"),
    Row("on_failure as text", lambda: added(on_failure="page"), "on_failure", "'page'", "a function"),
    Row("on_failure of one argument", lambda: handled(on_failure=lambda failure: None), "on_failure", "<lambda>",
        "called with the failure and its request"),
    Row("request_id as text", lambda: handled(request_id="req-"), "request_id", "'req-'", "{'prefix': 'req-'"),
    Row("request_id with a wrong name", lambda: asgi(request_id={"prefx": "r-"}), "request_id.prefx", "'r-'",
        "did you mean 'prefix'"),
    Row("request_id too short", lambda: wsgi(request_id={"length": 2}), "request_id", "length=2",
        "use more characters"),
    Row("RequestIdFormat too short", lambda: RequestIdFormat(length=2), "RequestIdFormat.length", "2",
        "use more characters"),
    Row("config as a dict", lambda: added(config={"dialect": "openai"}), "config", "{'dialect': 'openai'}",
        "Config(dialect='openai')"),
    Row("config and keywords", lambda: added(config=Config(), dialect="openai"), "config", "Config",
        "put all settings into the Config"),
    # catalogue
    Row("a catalogue that cannot be imported", lambda: handled(catalog="nowhere:catalog"), "catalog",
        "'nowhere:catalog'", "use 'module:name'"),
    Row("one class as the catalogue", lambda: installed(catalog=Listed), "catalog", "Listed", "[Listed]"),
    Row("a set as the catalogue", lambda: flask(catalog={Listed}), "catalog", "{Listed}", "use a list"),
    Row("another class in the catalogue", lambda: added(catalog=[ValueError]), "catalog", "ValueError",
        "classes of APIError"),
    Row("an instance in the catalogue", lambda: handled(catalog=[Listed()]), "catalog", "Listed",
        "classes of APIError"),
    Row("one code twice", lambda: handled(catalog=[declare(code="listed"), Listed]), "catalog", "'listed'",
        "give one of them another code"),
    Row("a standard code again", lambda: handled(catalog=[declare(APIError, code="conflict", status=409)]), "catalog",
        "'conflict'", "derive the first from ConflictError"),
    Row("a code that was forgotten", lambda: flask(catalog=[Inherits]), "Inherits.code", "'conflict'",
        "give it a code of its own"),
    # classes of errors
    Row("a code in camel case", lambda: declare(code="notFound"), "shop.errors.Taken.code", "'notFound'",
        "lower snake case"),
    Row("a code with dashes", lambda: declare(code="not-found"), "shop.errors.Taken.code", "'not-found'",
        "lower snake case"),
    Row("a number as a code", lambda: declare(code=7), "shop.errors.Taken.code", "7", "lower snake case"),
    Row("status 200", lambda: declare(status=200), "shop.errors.Taken.status", "200", "int in 400..599"),
    Row("a status as text", lambda: declare(status="409"), "shop.errors.Taken.status", "'409'", "int in 400..599"),
    Row("status 700", lambda: declare(status=700), "shop.errors.Taken.status", "700", "int in 400..599"),
    Row("an attribute's name", lambda: declare(mesage="Gone."), "shop.errors.Taken.mesage", "'Gone.'",
        "did you mean 'message'"),
    Row("status_code", lambda: declare(status_code=418), "shop.errors.Taken.status_code", "418", "use status"),
    # exceptions
    Row("an exception by its bare name", lambda: handled(exceptions={"KeyError": "conflict"}), "exceptions",
        "'KeyError'", "'builtins:KeyError'"),
    Row("a code of exceptions", lambda: added(exceptions={KeyError: "conflct"}), "exceptions[KeyError]", "'conflct'",
        "did you mean 'conflict'"),
    Row("a number for an exception", lambda: flask(exceptions={KeyError: 3}), "exceptions[KeyError]", "3",
        "an APIError class, a code or a function"),
    Row("another exception for an exception", lambda: handled(exceptions={KeyError: ValueError}),
        "exceptions[KeyError]", "ValueError", "an APIError class, a code or a function"),
    Row("an error that is not listed", lambda: installed(exceptions={KeyError: Unlisted}), "exceptions[KeyError]",
        "Unlisted", "catalog=[Unlisted]"),
    Row("a constructor that asks for more",
        lambda: handled(catalog=[Asks], exceptions={KeyError: Asks}), "exceptions[KeyError]", "Asks", "'name'"),
    Row("a function that takes nothing", lambda: handled(exceptions={KeyError: lambda: Listed()}),
        "exceptions[KeyError]", "<lambda>", "called with the exception"),
    # prefixes
    Row("a prefix without a slash", lambda: wsgi(dialect={"v1": "openai"}), "dialect", "'v1'", "starts with '/'"),
    Row("no dialect at all", lambda: asgi(dialect={"/": None}), "dialect", "{'/': None}", "{'/': 'problem'}"),
    Row("an empty mapping", lambda: flask(dialect={}), "dialect", "{}", "{'/': 'problem'}"),
    Row("a prefix with a glob", lambda: added(dialect={"/v1/*": "openai"}), "dialect", "'/v1/*'", "write '/v1'"),
    Row("a prefix with a parameter", lambda: handled(dialect={"/{tenant}": "openai", "/": "problem"}), "dialect",
        "'/{tenant}'", "by whole segments"),
    Row("a prefix twice", lambda: handled(dialect={"/v1": "openai", "/v1/": "problem"}), "dialect", "'/v1/'",
        "given twice"),
    Row("hold_start with a glob", lambda: handled(hold_start={"/v1/*": True}), "hold_start", "'/v1/*'",
        "write '/v1'"),
    # dialects: presets
    Row("a preset's keyword", lambda: OpenAI(rename={}), "OpenAI.rename", "{}", "did you mean 'renames'"),
    Row("a preset's status as text", lambda: asgi(dialect=OpenAI(status_missing="422")), "OpenAI.status_missing", "'422'",
        "400 to 499"),
    Row("a case of codes", lambda: Problem(code_case="loud"), "Problem.code_case", "'loud'", "snake, upper"),
    Row("a code in renames", lambda: handled(dialect=OpenAI(renames={"confict": "x"})), "OpenAI.renames['confict']",
        "'x'", "did you mean 'conflict'"),
    Row("a rename to another's code", lambda: flask(dialect=OpenAI(renames={"gone": "not_found"})),
        "OpenAI.renames['gone']", "'not_found'", "choose another spelling"),
    Row("two renames alike", lambda: handled(dialect=Problem(renames={"gone": "x", "locked": "x"})),
        "Problem.renames", "'x'", "choose another spelling"),
    Row("a rename to nothing", lambda: handled(dialect=OpenAI(renames={"gone": ""})), "OpenAI.renames['gone']", "''",
        "a str"),
    Row("a header's name", lambda: flask(dialect=Problem(code_header="X Code:")), "Problem.code_header", "'X Code:'", "'X-Code'"),
    # dialects of one's own
    Row("no write", lambda: handled(dialect=dialect(write=None)), "dialect", "Own", "def write(self, public)"),
    Row("no read", lambda: flask(dialect=dialect(read=None)), "dialect", "Own", "def read(self, status, headers, body)"),
    Row("no name", lambda: added(dialect=dialect(name=None)), "Own.name", "''", "name = 'own'"),
    Row("write fails", lambda: writes(lambda public: {"n": {"validation_failed": 1}[public.code]}), "dialect", "Own",
        "'bad_request': KeyError: 'bad_request'; it must take every error"),
    Row("write gives a text", lambda: writes(lambda public: public.code), "dialect", "Own", "for example a dict"),
    Row("write gives an object", lambda: writes(lambda public: {"path": object(), "x": public.code}), "dialect", "Own",
        "JSON values"),
    Row("write fails with findings", lambda: writes(lambda public: {"at": [d.pointer for d in public.details]}),
        "dialect", "Own", "'Detail' object has no attribute 'pointer'"),
    Row("write fails with a parameter", lambda: writes(lambda public: {"p": public.param and public.param.path}),
        "dialect", "Own", "'str' object has no attribute 'path'"),
    Row("write fails with members", lambda: writes(lambda public: {"e": [e.name for e in public.extensions]}),
        "dialect", "Own", "'str' object has no attribute 'name'"),
    Row("write fails with a quota", lambda: writes(lambda public: {"q": public.rate_limit and public.rate_limit.left}),
        "dialect", "Own", "'RateLimit' object has no attribute 'left'"),
    Row("write fails with a wait",
        lambda: writes(lambda public: {"w": public.retry_after and public.retry_after.seconds}), "dialect", "Own",
        "'int' object has no attribute 'seconds'"),
    Row("an unknown field carried", lambda: handled(dialect=dialect(carries=("code", "massage"))), "Own.carries",
        "'massage'", "did you mean 'message'"),
    Row("an unknown part of findings carried", lambda: handled(dialect=dialect(carries=("details.pointer",))),
        "Own.carries", "'details.pointer'", "'details.path'"),
    Row("an unknown field copied", lambda: handled(dialect=dialect(copies=("message", "id"))), "Own.copies", "'id'",
        "known are"),
    Row("carries as one text", lambda: handled(dialect=dialect(carries="code")), "Own.carries", "'code'", "('code',)"),
    Row("a header that cannot be sent",
        lambda: handled(dialect=dialect(headers=lambda self, public: {"X Error": "1"})), "dialect", "Own",
        "'X Error'"),
    Row("read gives nothing", lambda: handled(dialect=dialect(read=lambda self, status, headers, body: None)),
        "dialect", "Own", "read() gives NoneType"),
    Row("a last event without a name",
        lambda: handled(dialect=dialect(stream_event=lambda self, public: {"error": 1})), "dialect", "Own",
        "a name and its data"),
    # environment and files
    Row("a variable's name", lambda: environ(DIALCT="openai"), "ERRORKIT_DIALCT", "'openai'",
        "did you mean 'dialect'"),
    Row("a variable's name, far off", lambda: environ(THINGS="1"), "ERRORKIT_THINGS", "'1'", "known are adopt, catalog"),
    Row("a variable's dialect", lambda: environ(DIALECT="opnai"), "dialect", "'opnai'", "did you mean 'openai'"),
    Row("a variable's JSON", lambda: environ(LEVELS="{"), "ERRORKIT_LEVELS", "'{'", "JSON"),
    Row("a variable's status", lambda: environ(TENANT_STATUS="405"), "tenant_status", "405", "404 or 403"),
    Row("a key of a file", lambda: toml("dialct = 'openai'"), "dialct", "'openai'", "did you mean 'dialect'"),
    Row("a value of a file", lambda: toml("dialect = 'opnai'"), "dialect", "'opnai'", "did you mean 'openai'"),
    Row("the table [errorkit]", lambda: toml("[errorkit]\ndialect = 'openai'"), "errorkit", "'openai'",
        "[tool.errorkit]"),
    Row("the table [tool.erorkit]", lambda: toml("[tool.erorkit]\ndialect = 'openai'", "pyproject.toml"),
        "tool.erorkit", "'openai'", "[tool.errorkit]"),
    Row("no TOML", lambda: toml("="), "file", "errorkit.toml", "is not TOML"),
    Row("no file", lambda: Config.load(file="/nowhere/errorkit.toml"), "file", "'/nowhere/errorkit.toml'",
        "cannot be read"),
    # the application
    Row("add_middleware with a wrong setting", lambda: added(**TYPO), "dialect", "'opnai'", "did you mean 'openai'"),
    Row("the generic one by add_middleware", lambda: added_generic(**TYPO), "dialect", "'opnai'", "mean 'openai'"),
    Row("add_middleware with an instance",
        added_made, "app", "FastAPI", "add_middleware(ErrorMiddleware"),
    Row("install on Flask", lambda: errorkit.fastapi.install(Flask("x")), "app", "Flask",  # type: ignore[arg-type]
        "use errorkit.flask.ErrorKit"),
    Row("Starlette's install on Flask", lambda: errorkit.starlette.install(Flask("x")),  # type: ignore[arg-type]
        "app", "Flask", "use errorkit.flask.ErrorKit"),
    Row("install on a bare application", lambda: errorkit.starlette.install(asgi_app),  # type: ignore[arg-type]
        "app", "asgi_app", "use errorkit.asgi.ErrorMiddleware"),
    Row("install on the class", lambda: errorkit.fastapi.install(FastAPI), "app", "FastAPI",  # type: ignore[arg-type]
        "not the class"),
    Row("ErrorKit on FastAPI", lambda: ErrorKit(FastAPI()), "app", "FastAPI",  # type: ignore[arg-type]
        "use errorkit.fastapi.install"),
    Row("ErrorKit on Starlette", lambda: ErrorKit(Starlette()), "app", "Starlette",  # type: ignore[arg-type]
        "use errorkit.starlette.install"),
    Row("init_app of nothing", lambda: ErrorKit().init_app(None), "app", "None",  # type: ignore[arg-type]
        "a flask.Flask"),
    Row("Flask in the ASGI middleware", lambda: asgi(Flask("x")), "app", "Flask", "use errorkit.flask.ErrorKit"),
    Row("a WSGI application in the ASGI middleware", lambda: asgi(wsgi_app), "app", "wsgi_app",
        "use errorkit.wsgi.ErrorMiddleware"),
    Row("FastAPI in the WSGI middleware", lambda: wsgi(FastAPI()), "app", "FastAPI", "use errorkit.fastapi.install"),
    Row("an ASGI application in the WSGI middleware", lambda: wsgi(asgi_app), "app", "asgi_app",
        "use errorkit.asgi.ErrorMiddleware"),
    Row("install twice", lambda: twice("install", "install"), "app", "FastAPI", "install it once"),
    Row("add, then install", lambda: twice("add", "install"), "app", "FastAPI", "install it once"),
    Row("install, then add", lambda: twice("install", "add"), "app", "FastAPI", "install it once"),
    Row("add twice", lambda: twice("add", "add"), "app", "FastAPI", "install it once"),
    Row("ErrorKit twice", flask_twice, "app", "Flask", "install it once"),
    Row("install after the start", install_late, "app", "FastAPI", "before"),
    Row("a route that promises an unlisted error", promises, "raises of GET /", "'unlisted'", "list its class"),
    # at the raise site
    Row("a quota as text", lambda: RateLimitError(rate_limit=RateLimit("x", 1)),  # type: ignore[arg-type]
        "RateLimit.limit", "'x'", "int"),
    Row("a quota below zero", lambda: RateLimitError(rate_limit=RateLimit(-1, 0)), "RateLimit.limit", "-1", "int"),
]  # fmt: skip


def said(row: Row) -> str:
    """What the service says in place of starting."""
    with pytest.raises((ConfigurationError, NotStarted)) as caught:
        row.write()
    return str(caught.value)


@pytest.mark.parametrize("row", WRONG, ids=lambda row: row.wrong)
def test_a_wrong_setting_stops_the_service_and_is_named(row: Row) -> None:
    """The field, the value and what to do instead, in one bounded line."""
    words = said(row)
    assert words.startswith(PREFIX), words
    assert "\n" not in words
    assert len(words) < 600, words
    for part in (row.field, row.value, row.fix):
        assert part in words, f"{part!r} is not in {words!r}"


@pytest.mark.parametrize("way", [handled, installed, added, added_generic, flask, flask_later, asgi, wsgi])
@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"dialect": "opnai"}, "dialect='opnai': unknown dialect 'opnai'; did you mean 'openai'"),
        ({"dialct": "openai"}, "dialct='openai': no such setting; did you mean 'dialect'"),
        ({"catalog": [ValueError]}, "catalog=ValueError: this cannot be listed"),
    ],
)
def test_every_way_of_adding_says_the_same(way: Callable[..., None], settings: dict[str, Any], words: str) -> None:
    """And by the environment and a file, which the table has."""
    assert said(Row("", lambda: way(**settings), "", "", "")).startswith(PREFIX + words)


# -- what is right, although it looks wrong


def test_the_environment_says_statuses_numbers_and_truths() -> None:
    """A literal is no text: it is read as JSON, as the documentation says."""
    config = Config.load(
        environ={
            "ERRORKIT_TENANT_STATUS": "403",
            "ERRORKIT_STATUS_MISSING": "400",
            "ERRORKIT_MAX_RETRY_WAIT": "2.5",
            "ERRORKIT_NEGOTIATE": "yes",
            "ERRORKIT_REDACT": '["iban"]',
            "ERRORKIT_REQUEST_ID": "null",
            "ERRORKIT_HOLD_START": "0",
        }
    )
    known = (config.tenant_status, config.status_missing, config.max_retry_wait, config.negotiate, config.redact)
    assert known == (403, 400, 2.5, True, ("iban",))
    assert (config.request_id, config.hold_start) == (None, ())


async def crashes(scope: Any, receive: Any, send: Any) -> None:
    """An application that fails."""
    raise KeyError("x")


def fastapi_app() -> FastAPI:
    app = FastAPI()

    @app.get("/unlisted")
    def unlisted() -> None:
        raise Unlisted("Taken.")

    @app.get("/number")
    def number(n: int) -> None: ...

    return app


def test_an_error_that_no_catalogue_lists_is_served_all_the_same() -> None:
    """`errorkit check` finds it."""
    app = fastapi_app()
    errorkit.fastapi.install(app)
    assert drive(app, path="/unlisted").json()["code"] == "unlisted"


def test_a_mapping_needs_no_root() -> None:
    """What is under no prefix is left alone."""
    app = errorkit.asgi.ErrorMiddleware(crashes, dialect={"/v1": "openai"})
    assert drive(app, path="/v1/x").json()["error"]["code"] == "internal"
    assert isinstance(drive(app, path="/other").raised, KeyError)


@pytest.mark.parametrize("adapter", [errorkit.starlette, errorkit.fastapi, errorkit.asgi])
def test_the_adapter_of_a_wider_framework_repeats_nothing_that_was_submitted(adapter: Any) -> None:
    """Starlette's and the generic one on FastAPI: findings, without the value."""
    app = fastapi_app()
    app.add_middleware(adapter.ErrorMiddleware)
    reply = drive(app, path="/number?n=hunter2")
    assert (reply.status, reply.json()["code"]) == (422, "validation_failed")
    assert b"hunter2" not in reply.body


def test_fastapis_adapter_serves_starlette() -> None:
    """It knows more than it needs."""
    app = Starlette()
    errorkit.fastapi.install(app)  # type: ignore[arg-type]
    assert drive(app).json()["code"] == "not_found"


def test_flask_is_covered_from_whenever_it_was_added() -> None:
    """After the first request, too."""
    app = Flask(__name__)
    assert app.test_client().get("/nope").is_json is False
    ErrorKit(app)
    assert app.test_client().get("/nope").get_json()["code"] == "not_found"


def test_names_that_are_only_like_ours_are_an_authors_own() -> None:
    """Where they hold something else."""
    made = declare(code="taken", messages={"de": "Vergeben."}, codes=("a", "b"), title_of=len, retry_after=5)
    assert made().status == 409


def test_renames_of_findings_and_of_bare_statuses_are_known() -> None:
    """They are no errors of the catalogue, and have codes all the same."""
    renames = {"missing_field": "missing", "role_invalid": "role", "im_a_teapot": "teapot", "gone": "went"}
    handled(dialect=OpenAI(renames=renames), catalog=Catalog([Listed], field_codes={"role": "role_invalid"}))


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_every_preset_passes_the_trial(name: str) -> None:
    """With an overriding class, and with codes of a service's own."""
    handled(dialect=name, catalog=[Listed, Asks])


# -- without a lifespan, and at the raise site


@pytest.mark.parametrize("build", [
    lambda app: app.add_middleware(errorkit.starlette.ErrorMiddleware, dialect="opnai"),
    lambda app: app.add_middleware(errorkit.asgi.ErrorMiddleware, dialect="opnai"),
    lambda app: [app.add_middleware(errorkit.starlette.ErrorMiddleware) for _ in range(2)],
    lambda app: [errorkit.starlette.install(app), app.add_middleware(errorkit.starlette.ErrorMiddleware)],
])  # fmt: skip
def test_without_a_lifespan_every_request_gets_the_bare_envelope(
    build: Callable[[Any], Any], log: list[dict[str, Any]]
) -> None:
    """The reason is in its event, and not in its body."""
    app = Starlette()
    build(app)
    for _ in range(2):
        reply = drive(app, lifespan=False)
        assert (reply.status, reply.json()["code"], reply.raised) == (500, "internal", None)
        assert b"configuration" not in reply.body
    events = [event for event in log if event["event"] == "request_failed"]
    assert [event["error"].startswith(PREFIX) for event in events] == [True, True]


def test_a_wrong_application_within_a_right_one_fails_as_a_crash_of_it(log: list[dict[str, Any]]) -> None:
    """In the form of the one that has begun the request."""
    inner, outer = Starlette(), Starlette()
    inner.add_middleware(errorkit.starlette.ErrorMiddleware, dialect="opnai")
    outer.mount("/inner", inner)
    errorkit.starlette.install(outer, dialect="openai")
    assert drive(outer, path="/inner/x").json()["error"]["code"] == "internal"
    (event,) = [event for event in log if event["event"] == "request_failed"]
    assert event["error"].startswith(PREFIX + "dialect='opnai'")


def test_a_function_that_gives_no_error_is_told_of_when_it_does(caplog: pytest.LogCaptureFixture) -> None:
    """What it gives is known no sooner; the client gets the envelope."""
    reply = drive(errorkit.asgi.ErrorMiddleware(crashes, exceptions={KeyError: lambda error: "conflict"}))
    assert (reply.status, reply.json()["code"]) == (500, "internal")
    assert "gave str for an exception; it must give an APIError" in caplog.text


# -- how a value is shown


class Loud:
    """Whose words are not for a log."""

    def __repr__(self) -> str:
        raise RuntimeError("secret")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("x" * 500, None),
        (["x" * 500] * 500, None),
        (dict.fromkeys(range(500), "x"), None),
        (Loud(), "<Loud>"),
        ([Loud(), ValueError], "[<Loud>, ValueError]"),
        (lambda: None, "<lambda>"),
        (Listed, "Listed"),
        ("opnai", "'opnai'"),
    ],
)
def test_a_value_is_shown_bounded_and_by_no_repr_of_its_own(value: Any, words: str | None) -> None:
    """One line of a log, whatever was given."""
    told = shown(value)
    assert len(told) < 1000
    assert words is None or told == words
