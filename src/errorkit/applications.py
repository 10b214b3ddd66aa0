"""Which adapter an application is for: the wrong one is refused when it is added, by the name of the right one."""

from __future__ import annotations

from typing import Any

from errorkit.configuration_error import ConfigurationError
from errorkit.signatures import refuses

_FRAMEWORKS = {
    ("fastapi.applications", "FastAPI"): ("FastAPI", "errorkit.fastapi.install"),
    ("starlette.applications", "Starlette"): ("Starlette", "errorkit.starlette.install"),
    ("flask.app", "Flask"): ("Flask", "errorkit.flask.ErrorKit"),
    ("quart.app", "Quart"): ("Quart", "errorkit.asgi.ErrorMiddleware"),
    ("django.core.handlers.asgi", "ASGIHandler"): ("Django", "errorkit.asgi.ErrorMiddleware"),
    ("django.core.handlers.wsgi", "WSGIHandler"): ("Django", "errorkit.wsgi.ErrorMiddleware"),
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
    for base in type(app).__mro__:
        known = _FRAMEWORKS.get((base.__module__, base.__name__))
        if known is not None:
            return ConfigurationError.of("app", app, f"this is a {known[0]} application; use {known[1]}")
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
