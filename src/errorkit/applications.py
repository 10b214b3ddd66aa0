"""Which adapter an application is for: the wrong one is refused when it is added, by the name of the right one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

from errorkit.configuration_error import ConfigurationError
from errorkit.signatures import refuses

_FRAMEWORKS = {
    ("fastapi.applications", "FastAPI"): ("FastAPI", "errorkit.fastapi.install"),
    ("starlette.applications", "Starlette"): ("Starlette", "errorkit.starlette.install"),
    ("flask.app", "Flask"): ("Flask", "errorkit.flask.ErrorKit"),
    ("quart.app", "Quart"): ("Quart", "errorkit.asgi.ErrorMiddleware"),
    ("django.core.handlers.asgi", "ASGIHandler"): ("Django", "errorkit.asgi.ErrorMiddleware"),
    ("django.core.handlers.wsgi", "WSGIHandler"): ("Django", "errorkit.wsgi.ErrorMiddleware"),
    ("litestar.app", "Litestar"): ("Litestar", "errorkit.asgi.ErrorMiddleware"),
    ("falcon.asgi.app", "App"): ("Falcon", "errorkit.asgi.ErrorMiddleware"),
    ("falcon.app", "App"): ("Falcon", "errorkit.wsgi.ErrorMiddleware"),
    ("bottle", "Bottle"): ("Bottle", "errorkit.wsgi.ErrorMiddleware"),
    ("pyramid.router", "Router"): ("Pyramid", "errorkit.wsgi.ErrorMiddleware"),
    ("blacksheep.server.application", "Application"): ("BlackSheep", "errorkit.asgi.ErrorMiddleware"),
    ("sanic.app", "Sanic"): ("Sanic", "errorkit.asgi.ErrorMiddleware"),
}
"""Module and name of each framework's class, none of which is imported here: what it is called, its adapter."""
_PROTOCOLS = {3: ("ASGI", "errorkit.asgi.ErrorMiddleware"), 2: ("WSGI", "errorkit.wsgi.ErrorMiddleware")}
"""By the number of arguments that an application is called with."""


def check_protocol(app: Any, arguments: int) -> None:
    """Refuse what cannot be called with so many arguments: 3 in ASGI, 2 in WSGI. Raises ConfigurationError."""
    if not callable(app) or (not isinstance(app, type) and refuses(app, arguments) is not None):
        raise wrong_application(app, f"an application that is called as {_PROTOCOLS[arguments][0]} has it")


def wrong_application(app: Any, wanted: str) -> ConfigurationError:
    """What is said of an application that an adapter cannot be added to.

    wanted: what it takes.
    """
    if isinstance(app, type):
        return ConfigurationError.of("app", app, f"this is a class; give {wanted}, not the class")
    for name, adapter in _known(type(app)):
        return ConfigurationError.of("app", app, f"this is a {name} application; use {adapter}")
    for arguments, (protocol, adapter) in _PROTOCOLS.items():
        if callable(app) and refuses(app, arguments) is None:
            return ConfigurationError.of("app", app, f"this is called as {protocol} has it; use {adapter}")
    return ConfigurationError.of("app", app, f"this is no application; give {wanted}")


def added_late(app: Any) -> ConfigurationError:
    """What is said of an application that serves already."""
    return ConfigurationError.of("app", app, "it has served a request; add errorkit before the first one")


def added_twice(app: Any) -> ConfigurationError:
    """What is said of an application that has errorkit already: nobody could tell which configuration counts."""
    return ConfigurationError.of(
        "app", app, "this application has errorkit already; install it once, with all settings in one place"
    )


class Inside(NamedTuple):
    """What can have made an answer.

    frameworks: by name. completely: there is nothing else inside.
    """

    frameworks: frozenset[str]
    completely: bool


ANSWER_THEMSELVES = frozenset({"Litestar", "Falcon", "Bottle", "Quart", "Django", "BlackSheep", "Sanic"})
"""Frameworks that answer every exception, so that nothing that is raised in them gets out, until they are told so."""
ANYTHING = Inside(frozenset(), completely=False)
_NEXT = ("app", "application", "wsgi_app", "asgi_app", "wsgi_application", "asgi_application", "wrapped", "_app")
"""What middlewares call the application that they are around."""
_MOUNTS = frozenset({("starlette.routing", "Mount"), ("starlette.routing", "Host")})
_MAX_LAYERS = 200


def inside(app: Any) -> Inside:
    """The frameworks that are inside of middlewares, dispatchers and Starlette's mounts, as far as these show it."""
    found: set[str] = set()
    completely = True
    stack = [app]
    seen: set[int] = set()
    while stack and len(seen) < _MAX_LAYERS:
        layer = stack.pop()
        if id(layer) in seen:
            continue
        seen.add(id(layer))
        names = {name for name, _ in _known(type(layer))}
        found |= names
        further = list(_further(layer, framework=bool(names)))
        completely = completely and bool(names or further)
        stack += further
    return Inside(frozenset(found), completely and not stack)


def _known(kind: type) -> Iterator[tuple[str, str]]:
    for base in kind.__mro__:
        known = _FRAMEWORKS.get((base.__module__, base.__name__))
        if known is not None:
            yield known


def _further(layer: Any, *, framework: bool) -> Iterator[Any]:
    """What a layer hands requests on to: its own attributes are read, nothing is called."""
    own = getattr(layer, "__dict__", None)
    own = own if isinstance(own, dict) else {}
    if framework:  # what it is made of is its own; Starlette's mounts are further applications
        routes = getattr(own.get("router"), "routes", None)
        yield from (route.app for route in (routes if isinstance(routes, list) else ()) if _is_mount(route))
        return
    if isinstance(own.get("mounts"), Mapping):  # werkzeug's dispatcher
        yield from own["mounts"].values()
    bound = getattr(layer, "__self__", None) if callable(layer) else None
    if bound is not None:
        yield bound
        return
    if "__wrapped__" in own:
        yield own["__wrapped__"]
        return
    handed = layer.func if isinstance(layer, partial) else next((own[name] for name in _NEXT if name in own), None)
    if callable(handed):
        yield handed


def _is_mount(route: Any) -> bool:
    return any(
        base.__name__ in ("Mount", "Host") and base.__module__ == "starlette.routing" for base in type(route).__mro__
    )
