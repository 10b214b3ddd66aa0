"""A place at which the failures of an ASGI application are caught.

Nothing is buffered but the small error bodies that may have to be put into the dialect.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING

from errorkit.asgi.messages import (
    ASGIApp,
    ASGIRequest,
    Flow,
    Message,
    Send,
    came_through,
    carries,
    close_code,
    nothing,
    reason,
    respond,
    stamped,
)
from errorkit.exchange import Response
from errorkit.normalisation import MAX_BODY, candidate, recognise

if TYPE_CHECKING:
    from errorkit.handler import ErrorHandler


class Boundary:
    """A place at which failures are caught and foreign error bodies are put into the dialect."""

    gone: tuple[type[BaseException], ...] = ()
    """Exception classes by which a framework says that the client has left."""

    def __init__(self, app: ASGIApp, handler: ErrorHandler) -> None:
        self.app = app
        self.handler = handler
        self.policy = handler.config.normalise

    def outlet(self, request: ASGIRequest, flow: Flow, send: Send, id_header: bytes | None) -> Send:
        """`send` for what is inside of this place.

        id_header: name under which the request ID is added; None to leave headers alone.
        """

        def sender(message: Message) -> Awaitable[None]:
            kind = message["type"]
            if flow.held is not None:
                return self._collect(request, flow, message, send, id_header)
            if kind == "http.response.body":
                flow.last = message
                if not message.get("more_body"):
                    if request.outcome == "aborted":  # a middleware would make a cut stream look whole
                        return nothing()
                    flow.complete = True
            elif kind == "http.response.start":
                flow.start = message
                if (
                    message["status"] >= 400
                    and not (request.ours and carries(message, request.request_id))
                    and not request.deliberate
                    and self.policy != "off"
                    and candidate(message.get("headers", ()), self.policy)
                ):
                    flow.held = [message]
                    return nothing()
                if id_header is not None:
                    return send(stamped(message, id_header, request.request_id))
            elif kind == "http.response.pathsend":
                flow.complete = True
            elif kind == "http.response.zerocopysend":
                flow.complete = not message.get("more_body")
            return send(message)

        return sender

    async def caught(self, request: ASGIRequest, flow: Flow, exception: Exception, send: Send) -> bool:
        """Answer for an exception as far as that is still possible. False: it must be raised on."""
        if request.outcome == "client_gone" or self._answered(request, flow, exception):
            return True
        if self.has_gone(exception, send):
            if request.failure is None:
                self.handler.broke(request, exception, "client_gone")
            return True
        if came_through(exception, send):
            request.recorded = True
            return False
        if flow.start is None or flow.held is not None:
            flow.held = None
            if self.handler.config.reraise and not self.handler.identifier.handles(exception):
                self.handler.respond(request, exception)
                return False
            request.claim()
            await respond(request, flow, self.handler.respond(request, exception), send)
            return True
        if flow.complete:
            self.handler.broke(request, exception, "background")
            return False
        if self._is_event_stream(flow):
            frame = self.handler.stream_event(request, exception)
            if frame is not None:
                await self._end_stream(flow, frame, send)
                return True
        else:
            self.handler.broke(request, exception, "aborted")
        return False

    def _answered(self, request: ASGIRequest, flow: Flow, exception: Exception) -> bool:
        """Is the response that was sent the answer to this exception: Starlette raises it again."""
        if not flow.complete or flow.start is None or self.handler.config.reraise:
            return False
        if request.failure is not None:
            return not request.outcome and request.failure.private.exception is exception
        if flow.start["status"] < 500:
            return False
        request.exception = exception
        return True

    def has_gone(self, exception: BaseException, send: Send) -> bool:
        """Does the exception say that the client has left (ASGI 2.4: `send` raises OSError)."""
        return isinstance(exception, self.gone) or (isinstance(exception, OSError) and came_through(exception, send))

    async def finish(self, request: ASGIRequest, flow: Flow, send: Send, id_header: bytes | None) -> None:
        """What remains to be said when the application has returned."""
        if flow.held is not None:
            await self._let_go(request, flow, send, id_header)
        elif flow.start is None:
            missing = RuntimeError("the application returned without a response")
            request.claim()
            await respond(request, flow, self.handler.respond(request, missing), send)
        if not flow.complete and request.failure is None:
            request.status = flow.start["status"] if flow.start else 0
            self.handler.broke(request, None, "incomplete")

    def refusal(self, request: ASGIRequest) -> int:
        """The status of a handshake that was closed before it was accepted."""
        return 403

    def closing(self, request: ASGIRequest, exception: Exception, response: Response) -> Message:
        """The close message for a failure after the handshake."""
        words = reason(f"{self.handler.spelled(request)}: {self.handler.words(request)}")
        return {"type": "websocket.close", "code": close_code(response.status), "reason": words}

    async def _collect(
        self, request: ASGIRequest, flow: Flow, message: Message, send: Send, id_header: bytes | None
    ) -> None:
        """One message more while an error's start is held."""
        assert flow.held is not None
        flow.held.append(message)
        if message["type"] != "http.response.body":
            await self._let_go(request, flow, send, id_header)
            return
        size = sum(len(part.get("body", b"")) for part in flow.held[1:])
        if message.get("more_body"):
            if size > MAX_BODY:
                await self._let_go(request, flow, send, id_header)
            return
        start = flow.held[0]
        headers = [(bytes(name), bytes(value)) for name, value in start.get("headers", ())]
        body = b"".join(part.get("body", b"") for part in flow.held[1:])
        default = recognise(start["status"], headers, body, self.policy)
        if default is None:
            await self._let_go(request, flow, send, id_header)
            return
        flow.held = None
        request.claim()
        await respond(request, flow, self.handler.renormalise(request, start["status"], headers, default), send)

    async def _let_go(self, request: ASGIRequest, flow: Flow, send: Send, id_header: bytes | None) -> None:
        """Send on, untouched, what was held."""
        held, flow.held = flow.held or [], None
        for message in held:
            if message["type"] == "http.response.start" and id_header is not None:
                message = stamped(message, id_header, request.request_id)
            elif message["type"] == "http.response.body":
                flow.last = message
                if not message.get("more_body"):
                    flow.complete = True
            elif message["type"] in ("http.response.pathsend", "http.response.zerocopysend"):
                flow.complete = not message.get("more_body")
            await send(message)

    def _is_event_stream(self, flow: Flow) -> bool:
        assert flow.start is not None
        fields = {bytes(name).lower(): bytes(value) for name, value in flow.start.get("headers", ())}
        return (
            fields.get(b"content-type", b"").lower().startswith(b"text/event-stream")
            and b"content-length" not in fields
            and b"content-encoding" not in fields
        )

    async def _end_stream(self, flow: Flow, frame: bytes, send: Send) -> None:
        tail = b"\n\n" if flow.last is None else bytes(flow.last.get("body", b"")[-2:])
        flow.complete = True
        gap = b"" if tail == b"\n\n" else b"\n\n"
        await send({"type": "http.response.body", "body": gap + frame, "more_body": False})
