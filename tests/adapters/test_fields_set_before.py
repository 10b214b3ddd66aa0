"""FastAPI: what was set on the `response` parameter before an error was raised."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, Response

from driving import Reply, asgi
from errorkit import AuthenticationError, ConflictError, NotFoundError, RateLimitError, visible
from errorkit.fastapi import install


def set_all(response: Response) -> None:
    response.delete_cookie("session")
    response.set_cookie("seen", "1")
    response.headers["X-Plan"] = "free"
    for name in (
        "Content-Disposition", "Content-Language", "Cache-Control", "CDN-Cache-Control", "Expires", "ETag", "Location",
        "X-Accel-Redirect", "X-Sendfile", "Last-Modified", "Link",
    ):  # fmt: skip
        response.headers[name] = "of the success"
    response.status_code = 201


def in_dependency(response: Response) -> None:
    set_all(response)
    raise AuthenticationError("Log in again.")


def in_handler(error: Exception, run: Any = None) -> Callable[..., Any]:
    async def handler(response: Response) -> None:
        set_all(response)
        raise error

    def in_a_thread(response: Response) -> None:
        set_all(response)
        raise error

    return in_a_thread if run == "thread" else handler


def ask(build: Callable[[FastAPI], None], **settings: Any) -> Reply:
    app = FastAPI()
    install(app, **settings)
    build(app)
    return asgi(app)


def by_route(app: FastAPI) -> None:
    app.get("/", dependencies=[Depends(in_dependency)])(lambda: None)


def by_include(app: FastAPI) -> None:
    router = APIRouter()
    router.get("/")(lambda: None)
    app.include_router(router, dependencies=[Depends(in_dependency)])


def by_nested(app: FastAPI) -> None:
    def outer(inner: None = Depends(in_dependency)) -> None: ...

    app.get("/", dependencies=[Depends(outer)])(lambda: None)


def by_override(app: FastAPI) -> None:
    def plain() -> None: ...

    app.get("/", dependencies=[Depends(plain)])(lambda: None)
    app.dependency_overrides[plain] = in_dependency


def by_mount(app: FastAPI) -> None:
    """Behind a router whose routes take no response."""
    inner, router = FastAPI(), APIRouter()
    by_include(inner)
    router.get("/other/{name}")(lambda name: None)
    app.include_router(router)
    app.mount("/", inner)


def by_handler(app: FastAPI) -> None:
    app.get("/")(in_handler(AuthenticationError("Log in again.")))


def by_thread(app: FastAPI) -> None:
    app.get("/")(in_handler(AuthenticationError("Log in again."), "thread"))


@pytest.mark.parametrize("build", [by_route, by_include, by_mount, by_nested, by_override, by_handler, by_thread])
def test_cookies_go_out_with_the_error(build: Callable[[FastAPI], None]) -> None:
    reply = ask(build)
    assert (reply.status, reply.json()["detail"]) == (401, "Log in again.")
    cookies = [value for name, value in reply.headers if name == "set-cookie"]
    assert [cookie.partition("=")[0] for cookie in cookies] == ["session", "seen"]
    assert reply.header("x-plan") == "free"
    assert reply.header("www-authenticate") is not None
    assert reply.header("cache-control") == "no-store"
    assert reply.header("content-type") == "application/problem+json"
    assert "of the success" not in [value for _, value in reply.headers]


def test_each_occurrence_has_its_own() -> None:
    """Nothing of one is in what is prepared for the next."""
    app = FastAPI()
    install(app)

    @app.get("/{n}")
    def of(n: int, response: Response) -> None:
        if n:
            response.set_cookie("n", str(n))
        raise ConflictError

    for n in (0, 1, 0, 2, 0):
        cookie = asgi(app, path=f"/{n}").header("set-cookie")
        assert cookie == (f"n={n}; Path=/; SameSite=lax" if n else None)


def test_the_errors_own_field_wins_and_a_wait_is_told() -> None:
    def build(app: FastAPI) -> None:
        @app.get("/")
        def limited(response: Response) -> None:
            response.headers["Retry-After"] = "7"
            response.headers["X-Plan"] = "free"
            raise RateLimitError(headers={"X-Plan": "paid"})

    reply = ask(build, dialect="kaizen")
    assert (reply.header("retry-after"), reply.header("x-plan")) == ("7", "paid")


def test_an_http_exception_has_what_it_has_without_errorkit() -> None:
    """They are lost there."""
    assert ask(lambda app: app.get("/")(in_handler(HTTPException(409)))).header("set-cookie") is None  # type: ignore[func-returns-value]


def test_a_crash_has_nothing_of_it() -> None:
    reply = ask(lambda app: app.get("/")(in_handler(ValueError())))  # type: ignore[func-returns-value]
    assert (reply.status, reply.header("set-cookie")) == (500, None)


def test_what_conceals_tells_nothing() -> None:
    """An absent resource and another tenant's look alike, whatever was set for either."""

    class Invoice:
        tenant_id = "b"

    def build(app: FastAPI) -> None:
        @app.get("/")
        def invoice(request: Request, response: Response) -> None:
            resource = None if request.headers.get("x-absent") else Invoice()
            if resource is not None:
                response.headers["X-Owner"] = resource.tenant_id
            visible(resource, tenant="tenant_id", caller="a", error=NotFoundError())

    app = FastAPI()
    install(app)
    build(app)
    foreign, absent = asgi(app), asgi(app, headers=[("x-absent", "1")])
    assert foreign.status == absent.status == 404
    assert foreign.header("x-owner") is None
    assert {name for name, _ in foreign.headers} == {name for name, _ in absent.headers}
