"""The exchange of an ASGI scope: an application's HTTP messages as its events, and its answers as messages."""

from __future__ import annotations

from collections.abc import Awaitable

from errorkit.asgi.messages import Message, Receive, Scope, Send, listed_headers, nothing
from errorkit.exchange import RawHeaders, Response
from errorkit.header_fields import varying
from errorkit.lifecycle import (
    ENDED,
    HELD,
    HOLD,
    PASS,
    PASSING,
    RAISE,
    RELEASE,
    WAITING,
    Exchange,
    Fate,
    Frame,
    came_through,
)


class ASGIExchange(Exchange):
    """The exchange of one ASGI scope, between the application inside and what is outside of errorkit.

    A place of errorkit's gives `receive` and `send` to what is inside of it.
    """

    scope: Scope
    server_receive: Receive
    onward: Send
    """What is outside: the server's own `send`, or that of a layer further out."""
    held: list[Message] = []
    withheld: Message | None = None
    used = False
    alone: object = None
    """The application in the middle of whose stack it began: there is no place of errorkit's at its outside."""

    @property
    def method(self) -> str:  # type: ignore[override]
        """The HTTP method; WEBSOCKET for a websocket."""
        return str(self.scope.get("method", "WEBSOCKET"))

    @property
    def path(self) -> str:
        """The path without its query."""
        return str(self.scope.get("path", ""))

    def header(self, name: bytes) -> str | None:
        """A request header's value; of several lines one list (RFC 9110 section 5.3)."""
        found: str | None = None
        for key, value in self.scope.get("headers", ()):
            if key == name:
                said = str(value, "latin-1")
                found = said if found is None else f"{found}, {said}"
        return found

    async def receive(self) -> Message:
        """One message of the server, with a note on the exchange when the client has left."""
        message = await self.server_receive()
        if message["type"] == "http.disconnect":
            self.client_left = True
        return message

    def send(self, message: Message) -> Awaitable[None]:
        """One message of the application."""
        kind = message["type"]
        if kind == "http.response.body":
            if self.state is not PASSING:
                if self.state is HELD and self.failing is not None and not message.get("more_body"):
                    self.withheld = message
                    return nothing()
                return self._body(message)
            if message.get("more_body"):
                self.tail = message.get("body", b"")
            elif self.failing is None and self.status < 400:
                self.state = ENDED  # nothing is to be told
            elif self.failing is None or self.answered is self.failing or self.status >= 400:
                self.chunk(message.get("body", b""), False)
            else:  # a middleware would make a cut stream look whole, unless it has caught the exception for good
                self.withheld = {**message, "body": b""}
                body = message.get("body")
                return self.onward({**message, "more_body": True}) if body else nothing()
            return self.onward(message)
        if kind == "http.response.start":
            fields = self.succeeds(message["status"], message.get("headers"))
            return self._start(message) if fields is None else self.onward({**message, "headers": fields})
        if self.state is HELD:
            return self._release(message)
        self.used = True
        if kind == "http.response.pathsend" or (kind == "http.response.zerocopysend" and not message.get("more_body")):
            self.chunk(b"", False)
        return self.onward(message)

    def _start(self, message: Message) -> Awaitable[None]:
        if self.state is HELD:  # against the protocol: the server shall hear of both
            return self._release(message)
        headers = message.get("headers")
        if self.state is not WAITING or self.answers(message["status"], headers):
            return self.onward(message)
        if type(headers) is not list:
            headers = listed_headers(message)
        stamped = self.stamped(headers)
        if stamped is not headers:
            message = {**message, "headers": stamped}
        if not self.start(message["status"], stamped):
            if self.varies:
                message = {**message, "headers": varying(stamped, self.varies)}
            if self.rendered is None:
                return self.onward(message)
        elif not message.get("trailers"):
            self.held = [message]
            return nothing()
        self.let_go()  # where trailers follow the body, it is not looked at
        reissued = self.reissued(stamped)
        return self.onward(message) if reissued is None else self._reissue(message, *reissued)

    def _body(self, message: Message) -> Awaitable[None]:
        fate = self.chunk(message.get("body", b""), bool(message.get("more_body")))
        if fate is PASS:
            return self.onward(message)
        self.held.append(message)
        return nothing() if fate is HOLD else self.carry_out(fate)

    def _release(self, message: Message) -> Awaitable[None]:
        """Something that belongs to no body was sent while a start was held: all goes out."""
        self.held.append(message)
        self.let_go()
        if message["type"] == "http.response.pathsend" or not message.get("more_body", True):
            self.chunk(b"", False)
        return self.carry_out(RELEASE)

    async def _reissue(self, message: Message, headers: RawHeaders, body: bytes) -> None:
        """errorkit's answer, whose fields somebody has changed on the way: the body says the same."""
        await self.onward({**message, "headers": headers})
        onward = self.onward

        def replaced(message: Message) -> Awaitable[None]:
            if message.get("more_body"):  # a middleware may hand on one body in parts
                return nothing()
            self.onward = onward
            return onward({"type": "http.response.body", "body": b"" if self.method == "HEAD" else body})

        self.onward = replaced

    async def settle(self, exception: Exception) -> bool:
        """Do what is still possible about an exception. False: it must be raised on."""
        self.raises_on = self.raises_on or self.is_observed(exception)
        sending = self.state in (PASSING, ENDED) or self.used
        if sending and exception is not self.answered and came_through(exception, self.onward):
            if isinstance(exception, OSError):  # ASGI 2.4: the client has left
                self.left(exception)
                return not self.raises_on
            self.recorded = self.recorded or self.failure is None  # the server has said it
            return False
        fate = self.raised(exception)
        try:
            await self.carry_out(fate)
        except OSError as gone:
            if not came_through(gone, self.onward):
                raise
        if isinstance(fate, Frame):
            return not self.is_raised_on(exception)
        return fate is not RAISE and not self.raises_on

    async def finish(self) -> None:
        """The application has returned without having sent the end of a response."""
        if self.withheld is not None:  # whoever caught the exception has ended the body well
            self.failing = None
            await self.send(self.withheld)
            return
        fate = self.returned()
        await self.carry_out(fate)
        if fate is RELEASE:
            self.returned()  # it stays incomplete

    async def send_held(self) -> None:
        """Send what is held or withheld, if there is any."""
        if self.state is HELD:
            self.let_go()
            await self.carry_out(RELEASE)
        elif self.withheld is not None:
            await self.finish()

    async def carry_out(self, fate: Fate | Response | Frame) -> None:
        """Send what the exchange wants to be sent."""
        if isinstance(fate, Response):
            self.held = []
            await respond(self, fate, self.send)
        elif isinstance(fate, Frame):
            await self.onward({"type": "http.response.body", "body": fate.data, "more_body": False})
        elif fate is RELEASE:
            held, self.held = self.held, []
            for message in held:
                await self.onward(message)


async def respond(exchange: ASGIExchange, response: Response, send: Send) -> None:
    """Send a rendered response."""
    status, headers, body = response
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if exchange.method == "HEAD" else body})
