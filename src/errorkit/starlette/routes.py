"""What Starlette's routes lead to: endpoints, and applications that are mounted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from starlette.applications import Starlette
from starlette.routing import Host, Mount, Router

from errorkit.asgi import ErrorMiddleware
from errorkit.declaration import Operation


def operations(app: Starlette) -> Iterator[Operation]:
    """Every route that a function serves, those of mounted applications too."""
    yield from _operations(app.routes, "")


def _operations(routes: Iterable[Any], prefix: str) -> Iterator[Operation]:
    for route in routes:
        endpoint = getattr(route, "endpoint", None)
        if endpoint is None:
            yield from _operations(getattr(route, "routes", None) or (), prefix + getattr(route, "path", ""))
            continue
        path = prefix + getattr(route, "path_format", route.path)
        for method in sorted(getattr(route, "methods", None) or ("*",)):
            if method != "HEAD" or "GET" not in route.methods:
                yield from _operation(method, path, endpoint)


def _operation(method: str, path: str, endpoint: Any) -> Iterator[Operation]:
    """One of a function; of an `HTTPEndpoint` one for each of its methods."""
    own = [name for name in _METHODS if hasattr(endpoint, name)] if isinstance(endpoint, type) else []
    for name in own:
        yield Operation(name.upper(), path, (getattr(endpoint, name),))
    if not own:
        yield Operation(method, path, (endpoint,))


_METHODS = ("delete", "get", "head", "options", "patch", "post", "put")


def mounted(routes: Iterable[Any], path: str) -> Iterator[tuple[str, Starlette]]:
    """Every application under these routes, with the path that it is reached by."""
    for route in routes:
        prefix = path + getattr(route, "path", "")
        app = getattr(route, "_base_app", None) or getattr(route, "app", None)
        app = _served(app)
        if isinstance(app, Starlette):
            yield prefix or getattr(route, "host", "/"), app
            continue
        router = getattr(route, "original_router", None) or route
        inner = getattr(router, "routes", None)
        if inner:
            yield from mounted(inner, prefix)


def of_others(routes: Iterable[Any]) -> Iterator[Any]:
    """What is mounted under these routes and is no Starlette application."""
    for route in routes:
        app = _served(getattr(route, "_base_app", None) or getattr(route, "app", None))
        router = app if isinstance(app, (Starlette, Router)) else getattr(route, "original_router", None)
        if router is not None:
            yield from of_others(router.routes)
        elif isinstance(route, (Mount, Host)):
            yield app


def _served(app: Any) -> Any:
    """What is inside of the middlewares that an application was mounted with, if an application is."""
    for layer in layers(app):
        if isinstance(layer, ErrorMiddleware):
            break
        if isinstance(layer, Starlette):
            return layer
    return app


def layers(outermost: Any) -> Iterator[Any]:
    """A stack of middlewares from the outside in, as far as each calls the next one `app`."""
    seen: set[int] = set()
    layer = outermost
    while layer is not None and id(layer) not in seen:
        seen.add(id(layer))
        yield layer
        layer = getattr(layer, "app", None)
