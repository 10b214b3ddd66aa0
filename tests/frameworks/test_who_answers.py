"""The table in docs/frameworks.md of what the generic middlewares see: each cell with the real framework."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from flask import Flask
from starlette.applications import Starlette
from starlette.middleware.wsgi import WSGIMiddleware
from starlette.routing import Mount, Route
from werkzeug.middleware.dispatcher import DispatcherMiddleware

import errorkit.asgi
import errorkit.fastapi
import errorkit.starlette
import errorkit.wsgi
from driving import Reply, asgi, wsgi
from errorkit import APIError, ConflictError
from errorkit.applications import ANYTHING, Inside, inside
from errorkit.flask import ErrorKit
from frameworks import applications
from frameworks.applications import patient

PAGE = Path(__file__).parents[2] / "docs" / "frameworks.md"


def declared(*given: Any) -> None:
    raise ConflictError("Version 7 is already published.")


def crash(*given: Any) -> None:
    raise ValueError


def asgi_of(app: Any) -> Callable[[str], Reply]:
    covered = errorkit.asgi.ErrorMiddleware(app)
    return lambda path: asgi(patient(covered), path=path, lifespan=False)


def wsgi_of(app: Any) -> Callable[[str], Reply]:
    covered = errorkit.wsgi.ErrorMiddleware(app)
    return lambda path: wsgi(covered, path=path)


def leave(*given: Any) -> None:
    raise next(each for each in given if isinstance(each, Exception))


async def leave_async(request: Any, response: Any, error: Exception, params: Any) -> None:
    raise error


def falcon(app: Any, handler: Any = None) -> Any:
    if handler is not None:
        app.add_error_handler(APIError, handler)
    return app


def blacksheep_that_lets_out() -> Any:
    app = applications.blacksheep()

    class Open(type(app)):  # type: ignore[misc]
        async def handle_exception(self, request: Any, exc: Exception) -> Any:
            raise exc

    app.__class__ = Open
    return app


def django(protocol: str, prefix: str = "", **settings: Any) -> Callable[[str], Reply]:
    from django.test import override_settings

    from frameworks import django_project

    answer = (asgi_of if protocol == "asgi" else wsgi_of)(getattr(django_project, protocol))

    def ask(path: str) -> Reply:
        with override_settings(**settings):
            return answer(prefix + path)

    return ask


def flask() -> Flask:
    app = Flask(__name__)
    app.add_url_rule("/declared", view_func=declared)
    app.add_url_rule("/crash", view_func=crash)
    return app


def flask_by_its_adapter() -> Callable[[str], Reply]:
    app = flask()
    ErrorKit(app)
    return lambda path: wsgi(app, path=path)


def starlette() -> Starlette:
    return Starlette(routes=[Route("/declared", declared), Route("/crash", crash)])


def fastapi() -> FastAPI:
    app = FastAPI()
    app.get("/declared")(lambda: declared())
    app.get("/crash")(lambda: crash())
    return app


def by_its_adapter(app: Any, adapter: Any) -> Callable[[str], Reply]:
    adapter.install(app)
    return lambda path: asgi(app, path=path)


WAYS: dict[str, tuple[Callable[[], Callable[[str], Reply]], Callable[[], Callable[[str], Reply]]]] = {
    "Litestar": (
        lambda: asgi_of(applications.litestar()),
        lambda: asgi_of(applications.litestar(exception_handlers={APIError: leave})),
    ),
    "Falcon, WSGI": (
        lambda: wsgi_of(applications.falcon_wsgi()),
        lambda: wsgi_of(falcon(applications.falcon_wsgi(), leave)),
    ),
    "Falcon, ASGI": (
        lambda: asgi_of(applications.falcon_asgi()),
        lambda: asgi_of(falcon(applications.falcon_asgi(), leave_async)),
    ),
    "Bottle": (lambda: wsgi_of(applications.bottle()), lambda: wsgi_of(applications.bottle(catchall=False))),
    "Quart": (lambda: asgi_of(applications.quart()), lambda: asgi_of(applications.quart(PROPAGATE_EXCEPTIONS=True))),
    "Django, WSGI": (lambda: django("wsgi"), lambda: django("wsgi", DEBUG_PROPAGATE_EXCEPTIONS=True)),
    "Django, ASGI": (lambda: django("asgi"), lambda: django("asgi", DEBUG_PROPAGATE_EXCEPTIONS=True)),
    "Django REST framework": (
        lambda: django("wsgi", "/rest"),
        lambda: django("wsgi", "/rest", DEBUG_PROPAGATE_EXCEPTIONS=True),
    ),
    "Pyramid": (lambda: wsgi_of(applications.pyramid()), lambda: wsgi_of(applications.pyramid())),
    "BlackSheep": (lambda: asgi_of(applications.blacksheep()), lambda: asgi_of(blacksheep_that_lets_out())),
    "Flask": (lambda: wsgi_of(flask()), flask_by_its_adapter),
    "Starlette": (lambda: asgi_of(starlette()), lambda: by_its_adapter(starlette(), errorkit.starlette)),
    "FastAPI": (lambda: asgi_of(fastapi()), lambda: by_its_adapter(fastapi(), errorkit.fastapi)),
}


def said(reply: Reply) -> str:
    if reply.header("content-type") != "application/problem+json":
        return f"{reply.status} {reply.header('content-type')}"
    return f"{reply.status} `internal`" if reply.json()["code"] == "internal" else f"{reply.status} in the dialect"


def own(ask: Callable[[str], Reply]) -> str:
    replies = [ask("/nope"), ask("/crash")]
    assert [reply.status for reply in replies] == [404, 500]
    kinds = {reply.header("content-type") for reply in replies}
    return "in the dialect" if kinds == {"application/problem+json"} else ", ".join(sorted(map(str, kinds)))


def rows() -> dict[str, list[str]]:
    table = PAGE.read_text().partition("| framework | its own 404 and exceptions |")[2].partition("\n\n")[0]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()[2:]]
    return {row[0].strip(): row[1:] for row in cells}


def test_the_table_has_a_row_for_each() -> None:
    assert list(rows()) == list(WAYS)


@pytest.mark.parametrize("framework", WAYS)
def test_the_table_says_what_is(framework: str) -> None:
    bare, open_ = (make() for make in WAYS[framework])
    defaults, shut, _, let_out = rows()[framework]
    assert (own(bare), said(bare("/declared")), said(open_("/declared"))) == (defaults, shut, let_out.strip())
    assert own(open_) == "in the dialect"


# -- what is inside


def hosts() -> dict[str, tuple[Any, Inside]]:
    class Layer:
        def __init__(self, app: Any) -> None:
            self.app = app

        def __call__(self, environ: Any, start_response: Any) -> Any:
            return self.app(environ, start_response)

    def closure(environ: Any, start_response: Any) -> Any: ...

    web, bottle = flask(), applications.bottle()
    return {
        "itself": (bottle, Inside(frozenset({"Bottle"}), True)),
        "layers": (Layer(Layer(bottle)), Inside(frozenset({"Bottle"}), True)),
        "a bound method": (web.wsgi_app, Inside(frozenset({"Flask"}), True)),
        "a dispatcher": (
            DispatcherMiddleware(web, {"/old": Layer(bottle)}),
            Inside(frozenset({"Flask", "Bottle"}), True),
        ),
        "a dispatcher to somebody": (
            DispatcherMiddleware(closure, {"/old": bottle}),
            Inside(frozenset({"Bottle"}), False),
        ),
        "mounts": (
            Starlette(routes=[Mount("/old", WSGIMiddleware(bottle))]),
            Inside(frozenset({"Starlette", "Bottle"}), True),
        ),
        "a function": (closure, ANYTHING),
    }


@pytest.mark.parametrize("host", hosts())
def test_what_is_inside_is_found(host: str) -> None:
    app, expected = hosts()[host]
    assert inside(app) == expected


def test_a_ring_of_layers_is_no_loop() -> None:
    class Layer:
        app: Any

        def __call__(self, environ: Any, start_response: Any) -> Any: ...

    first, second = Layer(), Layer()
    first.app, second.app = second, first
    assert inside(first).frameworks == frozenset()


def test_the_start_is_told_with_what_cannot_be_seen(log: list[dict[str, Any]]) -> None:
    errorkit.wsgi.ErrorMiddleware(applications.bottle())
    (line,) = log
    assert (line["event"], line["inside"]) == ("errorkit_installed", ["Bottle"])
    assert line["unseen"].startswith("Bottle answers every exception itself")
    log.clear()
    errorkit.wsgi.ErrorMiddleware(applications.pyramid())
    assert "unseen" not in log[0]


def test_a_mounted_frameworks_defaults_are_recognised_by_the_adapter_of_the_host() -> None:
    from frameworks import django_project

    app = Starlette(
        routes=[
            Mount("/old", WSGIMiddleware(django_project.wsgi)),
            Mount("/api", Starlette(routes=[Mount("/new", applications.litestar())])),
        ]
    )
    errorkit.starlette.install(app)
    for path in ("/old/nope", "/api/new/nope"):
        reply = asgi(patient(app), path=path, lifespan=False)
        assert (reply.status, reply.json()["code"]) == (404, "not_found")


def test_another_frameworks_form_is_somebodys_own_in_starlette() -> None:
    from starlette.responses import JSONResponse

    own = {"title": "404 Not Found"}
    app = Starlette(routes=[Route("/", lambda request: JSONResponse(own, 404))])
    errorkit.starlette.install(app)
    assert asgi(app).json() == own
