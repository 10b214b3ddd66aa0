"""One service on each adapter, bare or covered: the same paths, the failures that each kind of application has."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import flask
from fastapi import FastAPI
from fastapi import Request as FastAPIRequest
from flask import Flask
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route

import errorkit.asgi
import errorkit.fastapi
import errorkit.starlette
import errorkit.wsgi
from driving import Reply, asgi, wsgi
from errorkit import ConflictError
from errorkit.flask import ErrorKit

Ask = Callable[..., Reply]
"""(method, path, header fields) -> what left."""

OWN_PAGE = "<!doctype html><title>Gone fishing</title><p>Nobody is here.</p>"


def refuse() -> Any:
    raise ConflictError("Version 7 is published.")


def crash() -> Any:
    return {}["no such key"]


def generic(settings: dict[str, Any] | None) -> Ask:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        async def answer(status: int, kind: bytes, *chunks: bytes) -> None:
            fields = [(b"content-type", kind)]
            if len(chunks) == 1:
                fields.append((b"content-length", b"%d" % len(chunks[0])))
            await send({"type": "http.response.start", "status": status, "headers": fields})
            for chunk in chunks:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body"})

        path = scope["path"].removeprefix("/new").removeprefix("/old")
        if path == "/fine":
            await answer(200, b"text/plain", b"fine")
        elif path == "/refused":
            refuse()
        elif path == "/crash":
            crash()
        elif path == "/page":
            await answer(404, b"text/html; charset=utf-8", OWN_PAGE.encode())
        elif path == "/own":
            await answer(402, b"application/json", b'{"err":"broke"}')
        elif path == "/stream":
            fields = [(b"content-type", b"text/event-stream")]
            await send({"type": "http.response.start", "status": 200, "headers": fields})
            await send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True})
            refuse() if b"refuse" in scope["query_string"] else crash()
        elif path == "/silent":
            return
        else:
            await answer(404, b"application/json", b'{"detail":"Not Found"}')

    return _asgi(app if settings is None else errorkit.asgi.ErrorMiddleware(app, **settings), lifespan=False)


def starlette(settings: dict[str, Any] | None) -> Ask:
    app = Starlette(routes=_routes())
    if settings is not None:
        errorkit.starlette.install(app, **settings)
    return _asgi(app)


def fastapi(settings: dict[str, Any] | None) -> Ask:
    app = FastAPI(routes=_routes())

    def limited(limit: int) -> int:
        return limit

    for prefix in ("", "/new", "/old"):
        app.get(f"{prefix}/limited")(limited)
        app.post(f"{prefix}/json")(_read)
    if settings is not None:
        errorkit.fastapi.install(app, **settings)
    return _asgi(app)


def wsgi_generic(settings: dict[str, Any] | None) -> Ask:
    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        path = environ["PATH_INFO"].removeprefix("/new").removeprefix("/old")

        def answer(line: str, kind: str, body: bytes) -> list[bytes]:
            start_response(line, [("Content-Type", kind), ("Content-Length", str(len(body)))])
            return [body]

        def stream() -> Iterable[bytes]:
            yield b"data: 1\n\n"
            refuse() if "refuse" in environ["QUERY_STRING"] else crash()

        if path == "/fine":
            return answer("200 OK", "text/plain", b"fine")
        if path == "/refused":
            refuse()
        if path == "/crash":
            crash()
        if path == "/page":
            return answer("404 Not Found", "text/html; charset=utf-8", OWN_PAGE.encode())
        if path == "/own":
            return answer("402 Payment Required", "application/json", b'{"err":"broke"}')
        if path == "/stream":
            start_response("200 OK", [("Content-Type", "text/event-stream")])
            return stream()
        return answer("404 Not Found", "application/json", b'{"detail":"Not Found"}')

    return _wsgi(app if settings is None else errorkit.wsgi.ErrorMiddleware(app, **settings))


def of_flask(settings: dict[str, Any] | None) -> Ask:
    app = Flask("five")
    app.config["PROPAGATE_EXCEPTIONS"] = False

    def stream() -> Any:
        def events() -> Iterable[str]:
            yield "data: 1\n\n"
            refuse() if "refuse" in flask.request.query_string.decode() else crash()

        return flask.Response(flask.stream_with_context(events()), mimetype="text/event-stream")

    def teapot() -> Any:
        flask.abort(418, "Short and stout.")

    for prefix in ("", "/new", "/old"):
        name = prefix.strip("/")
        app.add_url_rule(f"{prefix}/fine", f"{name}fine", lambda: "fine")
        app.add_url_rule(f"{prefix}/refused", f"{name}refused", refuse)
        app.add_url_rule(f"{prefix}/crash", f"{name}crash", crash)
        app.add_url_rule(f"{prefix}/page", f"{name}page", lambda: (OWN_PAGE, 404))
        app.add_url_rule(f"{prefix}/own", f"{name}own", lambda: ({"err": "broke"}, 402))
        app.add_url_rule(f"{prefix}/stream", f"{name}stream", stream)
        app.add_url_rule(f"{prefix}/teapot", f"{name}teapot", teapot)
        app.add_url_rule(f"{prefix}/json", f"{name}json", lambda: flask.request.get_json(), methods=["POST"])
    if settings is not None:
        ErrorKit(app, **settings)
    return _wsgi(app)


FIVE: dict[str, Callable[[dict[str, Any] | None], Ask]] = {
    "asgi": generic,
    "starlette": starlette,
    "fastapi": fastapi,
    "wsgi": wsgi_generic,
    "flask": of_flask,
}


def _routes() -> list[Any]:
    def fine(_: Any) -> Response:
        return PlainTextResponse("fine")

    def refused(_: Any) -> Response:
        return refuse()  # type: ignore[no-any-return]

    def crashes(_: Any) -> Response:
        return crash()  # type: ignore[no-any-return]

    def page(_: Any) -> Response:
        return Response(OWN_PAGE, 404, media_type="text/html")

    def own(_: Any) -> Response:
        return JSONResponse({"err": "broke"}, 402)

    def stream(request: Any) -> Response:
        async def events() -> Any:
            yield "data: 1\n\n"
            refuse() if "refuse" in request.url.query else crash()

        return StreamingResponse(events(), media_type="text/event-stream")

    def teapot(_: Any) -> Response:
        raise HTTPException(418, "Short and stout.", headers={"X-Pot": "1"})

    async def read(request: Any) -> Response:
        return JSONResponse(await request.json())

    def served() -> list[Any]:
        gets = {
            "fine": fine, "refused": refused, "crash": crashes, "page": page, "own": own, "stream": stream,
            "teapot": teapot,
        }  # fmt: skip
        inside = [Route(f"/{name}", endpoint) for name, endpoint in gets.items()]
        return [*inside, Route("/read", read, methods=["POST"])]

    mounted = [Mount(f"/{name}", app=Starlette(routes=served())) for name in ("new", "old")]
    return [*mounted, *served()]


async def _read(request: FastAPIRequest, body: dict[str, Any]) -> Any:
    return body


def _asgi(app: Any, **more: Any) -> Ask:
    def ask(path: str = "/", headers: Iterable[tuple[str, str]] = (), method: str = "GET", body: bytes = b"") -> Reply:
        return asgi(app, method, path, headers, body=body, **more)

    return ask


def _wsgi(app: Any) -> Ask:
    def ask(path: str = "/", headers: Iterable[tuple[str, str]] = (), method: str = "GET", body: bytes = b"") -> Reply:
        return wsgi(app, method, path, headers, body=body)

    return ask
