"""HTTP over ASGI: an application's messages as events of the exchange, and the exchange's answers as messages."""

from __future__ import annotations

from collections.abc import Awaitable

from errorkit.asgi.messages import (
    ASGIApp,
    ASGIExchange,
    Message,
    Receive,
    Scope,
    Send,
    in_python,
    listed_headers,
    nothing,
)
from errorkit.exchange import RawHeaders, Response
from errorkit.lifecycle import ENDED, HELD, HOLD, PASS, PASSING, RAISE, RELEASE, WAITING, Fate, Frame, came_through


async def serve(exchange: ASGIExchange, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one HTTP request at the outermost place: what fails inside is answered here, if it has not been."""
    send = in_python(send)
    place = Place(exchange, send)
    by_exit = True
    try:
        try:
            await app(scope, heard(exchange, receive), place.send)
            if exchange.state is not ENDED:
                await place.finish()
        except Exception as exception:
            by_exit = False
            if not await place.settle(exception):
                raise
        by_exit = False
    finally:
        exchange.conclude(by_exit=by_exit)


class Place:
    """A place between an application and `send`: what is sent passes the exchange first."""

    def __init__(self, exchange: ASGIExchange, send: Send) -> None:
        self.exchange = exchange
        self.onward = send
        self.held: list[Message] = []
        self.withheld: Message | None = None
        self.used = False

    def send(self, message: Message) -> Awaitable[None]:
        """One message of the application."""
        exchange = self.exchange
        kind = message["type"]
        if kind == "http.response.body":
            if exchange.state is not PASSING:
                return self._body(message)
            if message.get("more_body"):
                exchange.tail = message.get("body", b"")
            elif exchange.failing is None:
                exchange.chunk(message.get("body", b""), False)
            else:  # a middleware would make a cut stream look whole, unless it has caught the exception for good
                self.withheld = {**message, "body": b""}
                body = message.get("body")
                return self.onward({**message, "more_body": True}) if body else nothing()
            return self.onward(message)
        if kind == "http.response.start":
            return self._start(message)
        if exchange.state is HELD:
            return self._release(message)
        self.used = True
        if kind == "http.response.pathsend" or (kind == "http.response.zerocopysend" and not message.get("more_body")):
            exchange.chunk(b"", False)
        return self.onward(message)

    def _start(self, message: Message) -> Awaitable[None]:
        exchange = self.exchange
        if exchange.state is not WAITING:
            return self.onward(message)
        headers = listed_headers(message)
        stamped = exchange.stamped(headers)
        if stamped is not headers:
            message = {**message, "headers": stamped}
        if exchange.start(message["status"], stamped) and not message.get("trailers"):
            self.held.append(message)
            return nothing()
        exchange.let_go()  # where trailers follow the body, it is not looked at
        if exchange.rendered is not None and (reissued := exchange.reissued(stamped)) is not None:
            return self._reissue(message, *reissued)
        return self.onward(message)

    def _body(self, message: Message) -> Awaitable[None]:
        fate = self.exchange.chunk(message.get("body", b""), bool(message.get("more_body")))
        if fate is PASS:
            return self.onward(message)
        self.held.append(message)
        return nothing() if fate is HOLD else self.carry_out(fate)

    def _release(self, message: Message) -> Awaitable[None]:
        """Something that belongs to no body was sent while a start was held: all goes out."""
        self.held.append(message)
        exchange = self.exchange
        exchange.let_go()
        if message["type"] == "http.response.pathsend" or not message.get("more_body", True):
            exchange.chunk(b"", False)
        return self.carry_out(RELEASE)

    async def _reissue(self, message: Message, headers: RawHeaders, body: bytes) -> None:
        """errorkit's answer, whose fields somebody has changed on the way: the body says the same."""
        await self.onward({**message, "headers": headers})
        onward = self.onward

        def replaced(message: Message) -> Awaitable[None]:
            if message.get("more_body"):  # a middleware may hand on one body in parts
                return nothing()
            self.onward = onward
            return onward({"type": "http.response.body", "body": b"" if self.exchange.method == "HEAD" else body})

        self.onward = replaced

    async def settle(self, exception: Exception) -> bool:
        """Do what is still possible about an exception. False: it must be raised on."""
        exchange = self.exchange
        if (exchange.state in (PASSING, ENDED) or self.used) and came_through(exception, self.onward):
            if isinstance(exception, OSError):  # ASGI 2.4: the client has left
                exchange.left(exception)
                return not exchange.raises_on
            exchange.recorded = exchange.recorded or exchange.failure is None  # the server has said it
            return False
        fate = exchange.raised(exception)
        try:
            await self.carry_out(fate)
        except OSError as gone:
            if not came_through(gone, self.onward):
                raise
        if isinstance(fate, Frame):
            return not exchange.is_raised_on(exception)
        return fate is not RAISE and not exchange.raises_on

    async def finish(self) -> None:
        """The application has returned without having sent the end of a response."""
        exchange = self.exchange
        if self.withheld is not None:  # whoever caught the exception has ended the body well
            exchange.chunk(self.withheld.get("body", b""), False)
            await self.onward(self.withheld)
            return
        fate = exchange.returned()
        await self.carry_out(fate)
        if fate is RELEASE:
            exchange.returned()  # it stays incomplete

    async def let_go(self) -> None:
        """Send what is held, if there is any."""
        if self.exchange.state is HELD:
            self.exchange.let_go()
            await self.carry_out(RELEASE)

    async def carry_out(self, fate: Fate | Response | Frame) -> None:
        """Send what the exchange wants to be sent."""
        exchange = self.exchange
        if isinstance(fate, Response):
            self.held.clear()
            await respond(exchange, fate, self.send)
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


def heard(exchange: ASGIExchange, receive: Receive) -> Receive:
    """`receive`, with a note on the exchange when the client has left."""

    async def noting_receive() -> Message:
        message = await receive()
        if message["type"] == "http.disconnect" or message["type"] == "websocket.disconnect":
            exchange.client_left = True
        return message

    return noting_receive
