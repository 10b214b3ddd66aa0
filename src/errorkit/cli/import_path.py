"""What a command is told to work on: an import path, and what is found there."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass
from importlib import import_module
from inspect import Parameter, isroutine, signature
from pathlib import Path
from typing import Any

from errorkit.catalog import Catalog
from errorkit.config import Config, ConfigurationError
from errorkit.dialects import Dialect, get_dialect
from errorkit.failure import NOTHING
from errorkit.handler import ErrorHandler
from errorkit.negotiation import Forms
from errorkit.publish import Options


class TargetError(ValueError):
    """Nothing usable is there. The text says what was tried."""


@dataclass(frozen=True, slots=True)
class Target:
    """A catalogue, the dialects it is served in (the one of the shortest prefix first), and the app, if any."""

    path: str
    catalog: Catalog
    config: Config | None
    dialects: tuple[Dialect, ...]
    app: Any = None

    def dialect(self, name: str | None = None) -> Dialect:
        """The dialect of this name (a preset's or one in use) or import path; without a name the service's own."""
        if name is None:
            return self.dialects[0]
        for dialect in self.dialects:
            if dialect.name == name:
                return dialect
        if ":" in name:
            found = _attribute(name)
            if isinstance(found, type) and issubclass(found, Dialect):
                found = _made(found, name)
            if not isinstance(found, Dialect):
                raise TargetError(f"{name!r} is {type(found).__name__}, not a Dialect")
            return found
        try:
            return get_dialect(name)
        except ValueError as error:
            raise TargetError(str(error)) from None

    def dialect_for(self, name: str | None = None) -> Callable[[str], Dialect | None]:
        """The dialect of a path: the one of this name, or what the service speaks there (None: it is left alone)."""
        if name is not None or self.config is None:
            chosen = self.dialect(name)
            return lambda _path: chosen
        handler = ErrorHandler(self.config)

        def configured(path: str) -> Dialect | None:
            renderer = handler.renderer_for(path)
            return None if renderer is None or renderer.observes else renderer.dialect

        return configured

    def forms_for(self, name: str | None = None) -> Callable[[str], Dialect | Forms | None]:
        """All forms of a path's errors: those of the dialect of this name, or what the service gives there."""
        if name is not None or self.config is None:
            return self.dialect_for(name)
        return ErrorHandler(self.config).selection.forms

    def options(
        self,
        *,
        title: str | None = None,
        base_url: str | None = None,
        docs_url: str | None = None,
        operations: Mapping[str, Sequence[tuple[str, str]]] = NOTHING,
        extra: Mapping[str, str] = NOTHING,
    ) -> Options:
        """Options from the configuration; the arguments win over it."""
        return Options.of(
            self.config or Config(),
            title=title or str(getattr(self.app, "title", "")) or "API",
            version=str(getattr(self.app, "version", "")),
            base_url=(base_url or "https://api.example.com").rstrip("/"),
            also=self.dialects,
            operations=operations,
            extra=extra,
            **({} if docs_url is None else {"docs_url": docs_url}),
        )


def load(path: str) -> Target:
    """The target at `module:name`: a Catalog, a Config, an app that errorkit covers, or a factory of one.

    The current directory is importable. Raises TargetError.
    """
    with redirect_stdout(sys.stderr):  # what the service says at start-up is not the command's result
        found = _attribute(path)
        if not _is_known(found) and isroutine(found) and _callable_without_arguments(found):
            found = _made(found, path)
    if isinstance(found, Catalog):
        return Target(path, found, None, (get_dialect("problem"),))
    config = found if isinstance(found, Config) else None
    if config is None:
        handler = handler_of(found)
        if handler is None:
            raise TargetError(
                f"{path!r} is {type(found).__name__}. Looked for: a Catalog; a Config; an application with errorkit's "
                "middleware (install, add_middleware, or wrapped in ErrorMiddleware); a Flask application with "
                "ErrorKit; a function without parameters that gives one of these"
            )
        config = handler.config
    spoken = Options.of(config).also or (get_dialect("problem"),)
    return Target(path, config.catalog, config, spoken, None if isinstance(found, Config) else found)


def handler_of(app: Any) -> ErrorHandler | None:
    """errorkit's handler on an application of any supported framework, or None."""
    if isinstance(app, ErrorHandler):
        return app
    extensions = getattr(app, "extensions", None)
    places = [
        getattr(app, "handler", None),
        getattr(extensions.get("errorkit"), "handler", None) if isinstance(extensions, dict) else None,
        getattr(getattr(app, "state", None), "errorkit", None),
    ]
    for place in places:
        if isinstance(place, ErrorHandler):
            return place
    for middleware in getattr(app, "user_middleware", ()):
        build: Callable[..., Any] | None = getattr(middleware.cls, "build", None)
        if build is not None and "errorkit" in {base.__module__.partition(".")[0] for base in middleware.cls.__mro__}:
            settings = dict(middleware.kwargs)
            handler: ErrorHandler = settings.pop("handler", None) or build(settings.pop("config", None), settings)
            return handler
    return None


def _is_known(found: Any) -> bool:
    return isinstance(found, (Catalog, Config, ErrorHandler)) or handler_of(found) is not None


def _callable_without_arguments(function: Callable[..., Any]) -> bool:
    return all(
        parameter.default is not Parameter.empty or parameter.kind in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)
        for parameter in signature(function).parameters.values()
    )


def _attribute(path: str) -> Any:
    module, colon, name = path.partition(":")
    if not colon or not module or not name:
        raise TargetError(f"{path!r} is no import path; use 'module:name', for example 'my_service.errors:catalog'")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        value: Any = import_module(module)
    except ModuleNotFoundError as error:
        if error.name and (module == error.name or module.startswith(error.name + ".")):
            raise TargetError(f"no module {error.name!r}; looked in {here} and in the installed packages") from None
        raise TargetError(f"importing {module!r} failed: {error}") from error
    except (Exception, SystemExit) as error:
        raise TargetError(f"importing {module!r} failed: {_told(error)}") from error
    for part in name.split("."):
        if not hasattr(value, part):
            names = ", ".join(sorted(name for name, each in vars(value).items() if _is_offered(each)))
            hint = f"; it has: {names}" if names else ""
            raise TargetError(f"module {module!r} has no {name!r}{hint}")
        value = getattr(value, part)
    return value


def _is_offered(value: object) -> bool:
    with suppress(Exception):  # some objects answer nothing outside of a request
        return _is_known(value)
    return False


def _made(factory: Callable[[], Any], path: str) -> Any:
    try:
        return factory()
    except (Exception, SystemExit) as error:
        raise TargetError(f"calling {path!r} failed: {_told(error)}") from error


def _told(error: BaseException) -> str:
    return str(error) if isinstance(error, ConfigurationError) else f"{type(error).__name__}: {error}"
