"""One exchange of a scope that Starlette or FastAPI routes."""

from __future__ import annotations

from typing import Any

from starlette.routing import Mount

from errorkit.asgi.exchange import ASGIExchange

LATE = "Caught handled exception, but response already started."
"""What Starlette raises then."""


class StarletteExchange(ASGIExchange):
    """Knows the matched route, and what Starlette makes of an exception that comes too late."""

    integration = "starlette"

    def meant(self, exception: BaseException) -> BaseException:
        """Starlette raises another exception for a handled one that comes after the response has begun."""
        if type(exception) is RuntimeError and exception.args == (LATE,) and exception.__cause__ is not None:
            return exception.__cause__
        return exception

    @property
    def route(self) -> str | None:
        """The template of the matched route, with the prefixes of includes and mounts."""
        template = _template(self.scope)
        if template is None:
            return None
        root: str = self.scope.get("root_path", "").removeprefix(self.scope.get("app_root_path", "")).rstrip("/")
        route = self.scope.get("route")
        if isinstance(route, Mount):  # what it leads to has matched no route: its own path is in root_path already
            root = "/".join(root.split("/")[: -route.path.count("/") or None])
        return f"{root}{template}"


def _template(scope: Any) -> str | None:
    route = scope.get("route")
    included = _included(scope, route)
    if included is not None:
        return included
    template: str | None = getattr(route, "path_format", None)
    if template is None and "endpoint" in scope and "app" in scope:  # older versions note no route
        for each in getattr(scope["app"], "routes", ()):
            if getattr(each, "endpoint", None) is scope["endpoint"]:
                return getattr(each, "path_format", None)
    return template


def _included(scope: Any, route: Any) -> str | None:
    """FastAPI from 0.137: `route` is the one in the router; what includes have put before it is elsewhere.

    The note may be of an earlier route, above a mount.
    """
    noted = scope.get("fastapi")
    context = noted.get("effective_route_context") if isinstance(noted, dict) else None
    if context is None:
        return None
    starlette_route = getattr(context, "starlette_route", None)
    if route is not None and getattr(context, "original_route", None) is route:
        return getattr(starlette_route, "path_format", None) or getattr(context, "path_format", None) or None
    if starlette_route is not None and getattr(starlette_route, "endpoint", None) is scope.get("endpoint"):
        return getattr(starlette_route, "path_format", None)
    return None
