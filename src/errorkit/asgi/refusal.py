"""What stands in the place of an application whose errorkit cannot be configured.

`add_middleware` makes a middleware only when the first scope comes, which is the server's `lifespan`. Servers take an
exception there for an application without a lifespan, and serve it all the same; after `lifespan.startup.failed` they
print the message and stop.
"""

from __future__ import annotations

import sys
from types import FrameType

from errorkit.asgi.messages import Receive, Scope, Send
from errorkit.configuration_error import ConfigurationError


class Refusal:
    """Refuses to start, and fails every request, with the reason."""

    def __init__(self, reason: Exception) -> None:
        self.reason = str(reason) if isinstance(reason, ConfigurationError) else f"errorkit: {reason!r}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a lifespan, and raise the reason: as Starlette does it, whose test client listens for that alone."""
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.failed", "message": self.reason})
        raise ConfigurationError(self.reason)


def made_by_stack() -> bool:
    """Is a middleware being made by Starlette's `build_middleware_stack`, and not by an import."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_name == "build_middleware_stack":
            return True
        frame = frame.f_back
    return False
