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
        self.reraise = handler.config.reraise

    def outlet(self, request: ASGIRequest, flow: Flow, send: Send, id_header: bytes | None) -> Send:
        """`send` for what is inside of this place.

        id_header: name under which the request ID is added; None to leave headers alone.
        """

        def sender(message: Message) -> Awaitable[None]:
            if flow.held is not None:
                return self._collect(request, flow, message, send, id_header)
            kind = message["type"]
            if kind == "http.response.body":
                flow.last = message
                if not message.get("more_body"):
                    if request.outcome == "aborted":  # a middleware would make a cut stream look whole
                        return nothing()
                    flow.complete = flow.start is not None
            elif kind == "http.response.start":
                rendered = request.rendered is not None and message.get("headers") is request.rendered
                if message["status"] >= 400 and not rendered and self._replaceable(request, message):
                    message = {**message, "headers": list(message.get("headers", ()))}
                    if (
                        flow.start is None
                        and candidate(message["headers"], self.policy)
                        and not message.get("trailers")
                    ):
                        flow.start, flow.held = message, [message]
                        return nothing()
                if flow.start is None:
                    flow.start = message
                if id_header is not None and not rendered:
                    return send(stamped(message, id_header, request.request_id))
            else:
                flow.used = True
                if kind == "http.response.pathsend":
                    flow.complete = True
                elif kind == "http.response.zerocopysend":
                    flow.complete = not message.get("more_body")
            return send(message)

        return sender

    def _replaceable(self, request: ASGIRequest, start: Message) -> bool:
        """May an error response be somebody's default: nobody has said that it is what shall be sent."""
        return not (
            (request.ours and carries(start, request.request_id))
            or request.deliberate
            or request.outcome
            or self.policy == "off"
        )

    async def caught(self, request: ASGIRequest, flow: Flow, exception: Exception, send: Send, *, edge: bool) -> bool:
        """Answer for an exception as far as that is still possible. False: it must be raised on.

        edge: `send` is the server's own, not that of a middleware further out.
        """
        unsent = flow.start is None or flow.held is not None
        if not unsent and self._answered(request, flow, exception):
            return True
        if (flow.used or not unsent) and came_through(exception, send):
            return self.unsent(request, exception, edge=edge)
        if request.outcome == "client_gone" or isinstance(exception, self.gone):
            self.left(request, exception)
            return True
        if unsent:
            flow.start = flow.held = None
            if self.spared(exception):
                request.deliberate = True
                id_header = request.renderer.id_header if edge else None
                return await self.spare(request, exception, self.outlet(request, flow, send, id_header))
            if self.reraise and not self.handler.identifier.handles(exception):
                self.handler.respond(request, exception)
                return False
            request.claim()
            response = self.handler.respond(request, exception)
            try:
                await respond(request, flow, response, send)
            except OSError:  # the client may have left meanwhile
                if not edge:
                    raise
            return True
        if flow.complete:
            self._broke(request, exception, "background")
            return False
        if self._is_event_stream(flow):
            frame = self.handler.stream_event(request, exception)
            if frame is not None:
                try:
                    await self._end_stream(flow, frame, send)
                except OSError:
                    if not edge:
                        raise
                return True
        self._broke(request, exception, "aborted")
        return False

    def spared(self, exception: Exception) -> bool:
        """Does somebody else answer for an exception."""
        return False

    async def spare(self, request: ASGIRequest, exception: Exception, send: Send) -> bool:
        """Let them answer. False: the exception must be raised on."""
        raise NotImplementedError

    def _answered(self, request: ASGIRequest, flow: Flow, exception: Exception) -> bool:
        """Is the response that was sent the answer to this exception: Starlette raises it again."""
        if not flow.complete or flow.start is None or self.reraise:
            return False
        if request.failure is not None:
            return not request.outcome and request.failure.private.exception is exception
        if flow.start["status"] < 500:
            return False
        request.exception = exception
        return True

    def unsent(self, request: ASGIRequest, exception: Exception, *, edge: bool) -> bool:
        """`send` has failed. True: because the client has left (ASGI 2.4: OSError). False: raise it on."""
        if not edge:
            return False  # it may be a middleware's own failure: the outermost place can tell
        if isinstance(exception, OSError):
            self.left(request, exception)
            return True
        request.recorded = request.recorded or request.failure is None
        return False

    def left(self, request: ASGIRequest, exception: Exception) -> None:
        """The client has left; what had failed before that is still what is told."""
        if request.failure is None:
            self.handler.broke(request, exception, "client_gone")

    def _broke(self, request: ASGIRequest, exception: Exception, outcome: str) -> None:
        """What an inner place has found is not replaced by what was made of it on the way."""
        if not request.outcome:
            self.handler.broke(request, exception, outcome)

    async def finish(self, request: ASGIRequest, flow: Flow, send: Send, id_header: bytes | None) -> None:
        """What remains to be said when the application has returned."""
        if flow.held is not None:
            await self._let_go(request, flow, send, id_header)
        elif flow.start is None:
            if request.outcome == "client_gone":
                return
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
