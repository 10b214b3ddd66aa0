"""One application of each framework, all with the same failures as far as the framework has them.

/own        the framework's own HTTP exception with status 409 and an author's words
/crash      an exception that nobody declared, with words that must not leave
/down       the framework's own HTTP exception with status 503 and words that must not leave
/denied     the framework's own 403 without words
/declared   an error of errorkit's
/items      POST: a body that is validated, or read as JSON
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from errorkit import ConflictError

SECRET = "db-at-10.0.0.1"


def litestar(debug: bool = False, **more: Any) -> Any:
    from litestar import Litestar, get, post
    from litestar.exceptions import HTTPException, NotAuthorizedException, PermissionDeniedException

    @get("/own")
    async def own() -> None:
        raise HTTPException("Seat 7 is taken.", status_code=409, headers={"X-Seat": "7"})

    @get("/extra")
    async def extra() -> None:
        raise HTTPException("Seat 7 is taken.", status_code=409, extra={"seat": 7})

    @get("/crash")
    async def crash() -> None:
        raise ValueError(SECRET)

    @get("/down")
    async def down() -> None:
        raise HTTPException(SECRET, status_code=503, headers={"Retry-After": "7"})

    @get("/denied")
    async def denied() -> None:
        raise PermissionDeniedException

    @get("/text")
    async def text() -> str:
        raise NotAuthorizedException("Log in again.")

    @get("/declared")
    async def declared() -> None:
        raise ConflictError("Version 7 is already published.")

    @get("/page")
    async def page(limit: int, offset: int) -> None: ...

    @dataclass
    class Item:
        name: str

    Item.__module__ = __name__
    globals()["Item"] = Item

    @post("/items")
    async def items(data: Item) -> None: ...

    return Litestar([own, extra, crash, down, denied, text, declared, page, items], debug=debug, **more)


def _falcon(module: Any, respond: Callable[[Callable[[Any], None]], Any], **more: Any) -> Any:
    import falcon

    def raising(error: Exception) -> Any:
        def responder(request: Any) -> None:
            raise error

        return respond(responder)

    app = module.App(**more)
    app.add_route("/own", raising(falcon.HTTPConflict(title="Taken", description="Seat 7 <is> taken.")))
    app.add_route(
        "/coded",
        raising(
            falcon.HTTPConflict(description="Seat 7 is taken.", code=17, href="https://api.test/17", href_text="17")
        ),
    )
    app.add_route("/crash", raising(ValueError(SECRET)))
    app.add_route("/down", raising(falcon.HTTPServiceUnavailable(title="Down", description=SECRET, retry_after=7)))
    app.add_route("/denied", raising(falcon.HTTPForbidden()))
    app.add_route("/challenge", raising(falcon.HTTPUnauthorized(challenges=['Basic realm="x"'])))
    app.add_route("/status", raising(falcon.HTTPStatus(409, text='{"title": 7}')))
    app.add_route("/declared", raising(ConflictError("Version 7 is already published.")))
    app.add_route("/number", respond(lambda request: request.get_param_as_int("n", required=True)))
    return app


def falcon_wsgi(**more: Any) -> Any:
    import falcon

    class Items:
        def on_post(self, request: Any, response: Any) -> None:
            request.get_media()

    def respond(responder: Callable[[Any], None]) -> Any:
        class Resource:
            def on_get(self, request: Any, response: Any) -> None:
                responder(request)

        return Resource()

    app = _falcon(falcon, respond, **more)
    app.add_route("/items", Items())
    return app


def falcon_asgi(**more: Any) -> Any:
    import falcon.asgi

    class Items:
        async def on_post(self, request: Any, response: Any) -> None:
            await request.get_media()

    def respond(responder: Callable[[Any], None]) -> Any:
        class Resource:
            async def on_get(self, request: Any, response: Any) -> None:
                responder(request)

        return Resource()

    app = _falcon(falcon.asgi, respond, **more)
    app.add_route("/items", Items())
    return app


def bottle(**more: Any) -> Any:
    import bottle

    app = bottle.Bottle(**more)
    app.get("/own", callback=lambda: bottle.abort(409, "Seat 7 <is> 'taken'."))
    app.get("/down", callback=lambda: bottle.abort(503, SECRET))
    app.post("/items", callback=lambda: {"got": bottle.request.json})

    @app.get("/denied")
    def denied() -> None:
        raise bottle.HTTPError(403)

    @app.get("/crash")
    def crash() -> None:
        raise ValueError(SECRET)

    @app.get("/declared")
    def declared() -> None:
        raise ConflictError("Version 7 is already published.")

    @app.get("/cookie")
    def cookie() -> None:
        error = bottle.HTTPError(403, "Not yours.")
        error.add_header("Set-Cookie", "a=1")
        error.add_header("Set-Cookie", "b=2")
        raise error

    return app


def quart(**config: Any) -> Any:
    from quart import Quart, abort, request

    app = Quart(__name__)
    app.config.update(config)

    @app.get("/own")
    async def own() -> None:
        abort(409, "Seat 7 <is>\ntaken.")

    @app.get("/crash")
    async def crash() -> None:
        raise ValueError(SECRET)

    @app.get("/down")
    async def down() -> None:
        abort(503, SECRET)

    @app.get("/denied")
    async def denied() -> None:
        abort(403)

    @app.get("/declared")
    async def declared() -> None:
        raise ConflictError("Version 7 is already published.")

    @app.post("/items")
    async def items() -> Any:
        return await request.get_json()

    return app


def pyramid(**more: Any) -> Any:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pkg_resources
        from pyramid import httpexceptions
        from pyramid.config import Configurator

    raised: dict[str, Callable[[], Exception]] = {
        "own": lambda: httpexceptions.HTTPConflict("Seat 7 <is> taken.", comment=SECRET),
        "crash": lambda: ValueError(SECRET),
        "down": lambda: httpexceptions.HTTPServiceUnavailable(SECRET),
        "denied": httpexceptions.HTTPForbidden,
        "declared": lambda: ConflictError("Version 7 is already published."),
    }
    with Configurator() as config:
        for name, make in raised.items():

            def view(request: Any, make: Callable[[], Exception] = make) -> Any:
                raise make()

            config.add_route(name, f"/{name}")
            config.add_view(view, route_name=name, request_method="GET")
        return config.make_wsgi_app()


def blacksheep(**more: Any) -> Any:
    from blacksheep import Application, FromJSON
    from blacksheep.exceptions import Conflict, Forbidden, HTTPException
    from blacksheep.server.routing import Router

    app = Application(router=Router(), **more)

    async def own() -> None:
        raise Conflict("Seat 7 is taken.")

    async def crash() -> None:
        raise ValueError(SECRET)

    async def down() -> None:
        raise HTTPException(503, SECRET)

    async def denied() -> None:
        raise Forbidden()

    async def declared() -> None:
        raise ConflictError("Version 7 is already published.")

    async def number(n: Any) -> None: ...

    async def items(data: Any) -> None: ...

    items.__annotations__["data"] = FromJSON[dict]  # names in strings are not found in a function
    number.__annotations__["n"] = int
    for handler in (own, crash, down, denied, declared, number):
        app.router.get(f"/{handler.__name__}")(handler)
    app.router.post("/items")(items)
    return app


def patient(app: Any) -> Any:
    """An ASGI application whose client stays until the response has been sent."""

    async def waiting(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        first, done = [await receive()], asyncio.Event()

        async def receive_once() -> Any:
            if first:
                return first.pop()
            await done.wait()
            return {"type": "http.disconnect"}

        async def sent(message: Any) -> None:
            await send(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                done.set()

        await app(scope, receive_once, sent)

    return waiting
