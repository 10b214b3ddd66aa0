"""Errors of MCP tools, from the same catalogue as those of the API.

A tool that fails answers with a result that says so (Model Context Protocol, tools: `isError`): words for the model,
and the error in the service's dialect as structured content for the client. What the client must not know stays out
of both, and the operator gets the one event.

    tools = ToolErrors(dialect="problem", catalog=catalog)

    @server.tool()
    @tools
    async def invoice(number: str) -> Invoice: ...
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from functools import wraps
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, Unpack, cast

from errorkit.lifecycle import Exchange
from errorkit.markdown_form import markdown
from errorkit.request_id import current
from errorkit.written_body import form_of

if TYPE_CHECKING:  # pragma: no cover - building a handler loads pydantic, importing this does not
    from errorkit.config import Config
    from errorkit.handler import ErrorHandler
    from errorkit.settings import Settings

__all__ = ["ToolErrors"]

P = ParamSpec("P")
R = TypeVar("R")


class ToolCall(Exchange):
    """One call of a tool."""

    method = "tools/call"
    integration = "mcp"
    tool = ""

    @property
    def path(self) -> str:
        """The tool's name."""
        return self.tool

    @property
    def route(self) -> str | None:
        """The same."""
        return self.tool

    def header(self, name: bytes) -> str | None:
        """A call has none."""
        return None


class ToolErrors:
    """A decorator for tools, beneath the server's own: what a tool raises becomes its result.

    config: a `Config`; or its settings as keywords. handler: that of an application in the same process, so that both
    have one catalogue, one log and one `on_failure`.

    What the protocol's own library raises (`mcp`: its ToolError, an elicitation) is raised on. Raises
    ConfigurationError for settings that cannot be used.
    """

    def __init__(
        self, *, config: Config | None = None, handler: ErrorHandler | None = None, **settings: Unpack[Settings]
    ) -> None:
        if handler is None:
            from errorkit.handler import build_handler

            handler = build_handler(config, settings)
        self.handler = handler

    def __call__(self, tool: Callable[P, R]) -> Callable[P, R]:
        """A tool that answers its failures; it is called as before and has the signature that it had."""
        name = getattr(tool, "__name__", type(tool).__name__)
        if iscoroutinefunction(tool):

            @wraps(tool)
            async def answering(*args: P.args, **kwargs: P.kwargs) -> Any:
                call = self._begin(name)
                token = current.set(call.request_id)
                try:
                    return await cast("Awaitable[Any]", tool(*args, **kwargs))
                except Exception as exception:
                    if _is_protocols(exception):
                        raise
                    return _tool_result(self._answer(call, exception))
                finally:
                    current.reset(token)

            return cast("Callable[P, R]", answering)

        @wraps(tool)
        def answering_at_once(*args: P.args, **kwargs: P.kwargs) -> Any:
            call = self._begin(name)
            token = current.set(call.request_id)
            try:
                return tool(*args, **kwargs)
            except Exception as exception:
                if _is_protocols(exception):
                    raise
                return _tool_result(self._answer(call, exception))
            finally:
                current.reset(token)

        return cast("Callable[P, R]", answering_at_once)

    def result(self, exception: Exception, *, tool: str = "") -> dict[str, Any]:
        """The result of a call that has failed, as the protocol's JSON; its event is written.

        tool: its name. For servers that are not made with `mcp`.
        """
        return self._answer(self._begin(tool), exception)

    def _begin(self, tool: str) -> ToolCall:
        handler = self.handler
        renderer = handler.only_renderer or handler.renderer_for("/") or next(r for _, r in handler.renderers if r)
        call = ToolCall(handler, renderer, handler.request_id(renderer, None))
        call.tool = tool
        return call

    def _answer(self, call: ToolCall, exception: Exception) -> dict[str, Any]:
        response = self.handler.respond(call, exception)
        failure = call.failure
        assert failure is not None
        public = failure.public
        words = markdown(public, self.handler.catalog.by_code(public.code))
        self.handler.record(call)
        self.handler.release(call)
        content = [{"type": "text", "text": words}]
        if form_of(call.renderer.dialect.media_type) != "JSON":
            return {"content": content, "isError": True}
        return {"content": content, "structuredContent": json.loads(response.body), "isError": True}


def _is_protocols(exception: Exception) -> bool:
    return any(cls.__module__.partition(".")[0] == "mcp" for cls in type(exception).__mro__)


def _tool_result(result: dict[str, Any]) -> Any:
    """As an object of the protocol's library, which servers that are made with it hand on as it is."""
    from mcp.types import CallToolResult

    return CallToolResult.model_validate(result)
