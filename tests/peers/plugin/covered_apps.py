"""A pytest plugin for other people's suites: errorkit goes into every application that they build.

`--errorkit-mode` says how. The settings are `dialect="problem"` and nothing else, so what an
undeclared exception does afterwards is what a service sees: it is answered, and not raised again.

One thing is taken away: `app.openapi()` of FastAPI is left alone, because the errors that errorkit
writes into a document are promised, are tested elsewhere, and would fail every test that compares one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from typing import Any
from weakref import WeakSet

import pytest

SETTINGS = {"dialect": "problem"}

_covered = 0
"""Applications that errorkit was put into, by this process and by its workers."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The mode."""
    parser.addoption("--errorkit-mode", choices=sorted(MODES), default="bare")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Patch before any module of tests is imported."""
    MODES[config.getoption("--errorkit-mode")]()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker tells its controller."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["covered"] = _covered


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """The controller adds up."""
    _count(getattr(node, "workeroutput", {}).get("covered", 0))


def applications_covered() -> int:
    """How many applications errorkit was put into."""
    return _covered


def _count(applications: int = 1) -> None:
    global _covered
    _covered += applications


def _after_init(framework: type, cover: Callable[[Any], object]) -> None:
    """Call `cover` with every application whose construction ends, of subclasses too, once."""
    original = framework.__init__
    seen: WeakSet[Any] = WeakSet()

    @wraps(original)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        if self not in seen:
            seen.add(self)
            cover(self)
            _count()

    framework.__init__ = __init__  # type: ignore[misc]


def _bare() -> None:
    """Nothing is patched."""


def _each_starlette(cover: Callable[[Any, Any], object]) -> None:
    """Cover every Starlette and FastAPI with the module of errorkit that is for it."""
    from starlette.applications import Starlette

    import errorkit.starlette

    try:
        from fastapi import FastAPI
    except ImportError:  # the environment of Starlette's own suite
        _after_init(Starlette, partial(cover, errorkit.starlette))
        return

    import errorkit.fastapi

    assert errorkit.fastapi.document_errors
    errorkit.fastapi.document_errors = lambda *args, **kwargs: None

    def only_starlette(app: Any) -> None:
        if not isinstance(app, FastAPI):  # whose own constructor may call this one
            cover(errorkit.starlette, app)

    _after_init(Starlette, only_starlette)
    _after_init(FastAPI, partial(cover, errorkit.fastapi))


def _install() -> None:
    """`install(app)` in every Starlette and FastAPI."""
    _each_starlette(lambda module, app: module.install(app, **SETTINGS))


def _add_middleware() -> None:
    """`app.add_middleware(ErrorMiddleware)` in every Starlette and FastAPI, before the test adds its own."""
    _each_starlette(lambda module, app: app.add_middleware(module.ErrorMiddleware, **SETTINGS))


def _asgi() -> None:
    """The generic middleware around every application that a TestClient is given."""
    from starlette import testclient

    from errorkit.asgi import ErrorMiddleware

    client = testclient.TestClient
    original = client.__init__

    @wraps(original)
    def __init__(self: Any, app: Any, *args: Any, **kwargs: Any) -> None:
        original(self, app, *args, **kwargs)
        inner = self.app  # an ASGI 3 application, also where a test gave one of ASGI 2

        async def any_application(scope: Any, receive: Any, send: Any) -> None:
            await inner(scope, receive, send)

        self.app = self._transport.app = ErrorMiddleware(any_application, **SETTINGS)
        _count()

    client.__init__ = __init__  # type: ignore[method-assign]


def _extension() -> None:
    """`ErrorKit(app)` in every Flask."""
    from flask import Flask

    from errorkit.flask import ErrorKit

    _after_init(Flask, lambda app: ErrorKit(app, **SETTINGS))


def _wsgi() -> None:
    """The generic middleware around every Flask's `wsgi_app`; no application holds it, so none is kept alive."""
    from flask import Flask

    from errorkit.handler import build_handler
    from errorkit.wsgi import ErrorMiddleware

    original = Flask.wsgi_app
    handler = build_handler(None, dict(SETTINGS))

    @wraps(original)
    def wsgi_app(self: Any, environ: Any, start_response: Any) -> Any:
        return ErrorMiddleware(partial(original, self), handler=handler)(environ, start_response)

    Flask.wsgi_app = wsgi_app  # type: ignore[method-assign]
    _after_init(Flask, lambda app: None)


MODES: dict[str, Callable[[], None]] = {
    "bare": _bare,
    "install": _install,
    "add_middleware": _add_middleware,
    "asgi": _asgi,
    "extension": _extension,
    "wsgi": _wsgi,
}
