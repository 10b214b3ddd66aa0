"""HTTP over ASGI: an application's messages as events of the exchange, and the exchange's answers as messages."""

from __future__ import annotations

from collections.abc import Awaitable

from errorkit.asgi.messages import (
    PYTHON_FUNCTIONS,
    SCOPE_KEY,
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
from errorkit.request_id import current


async def serve(exchange: ASGIExchange, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one HTTP request at the outermost place: what fails inside is answered here, if it has not been."""
    place = Place(exchange, receive, send)
    token = current.set(exchange.request_id)
    by_exit = True
    try:
        try:
            await app(scope, place.receive, place.send)
            if exchange.state is not ENDED:
                await place.finish()
        except Exception as exception:
            by_exit = False
            if not await place.settle(exception):
                raise
        by_exit = False
    finally:
        if exchange.failure is not None or exchange.status >= 400:
            exchange.conclude(by_exit=by_exit)
        current.reset(token)
        scope.pop(SCOPE_KEY, None)  # else the two would hold each other


class Place:
    """A place between an application and its server: what is sent passes the exchange first."""

    held: list[Message] = []
    withheld: Message | None = None
    used = False

    def __init__(self, exchange: ASGIExchange, receive: Receive, send: Send) -> None:
        self.exchange = exchange
        self.server_receive = receive
        self.onward = send if type(send) in PYTHON_FUNCTIONS else in_python(send)

    async def receive(self) -> Message:
        """One message of the server, with a note on the exchange when the client has left."""
        message = await self.server_receive()
        if message["type"] == "http.disconnect":
            self.exchange.client_left = True
        return message

    def send(self, message: Message) -> Awaitable[None]:
        """One message of the application."""
        exchange = self.exchange
        kind = message["type"]
        if kind == "http.response.body":
            if exchange.state is not PASSING:
                if exchange.state is HELD and exchange.failing is not None and not message.get("more_body"):
                    self.withheld = message
                    return nothing()
                return self._body(message)
            if message.get("more_body"):
                exchange.tail = message.get("body", b"")
            elif exchange.failing is None and exchange.status < 400:
                exchange.state = ENDED  # nothing is to be told
            elif exchange.failing is None or exchange.answered is exchange.failing or exchange.status >= 400:
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
        if exchange.state is HELD:  # against the protocol: the server shall hear of both
            return self._release(message)
        if exchange.state is not WAITING:
            return self.onward(message)
        headers = message.get("headers")
        if type(headers) is not list:
            headers = listed_headers(message)
        stamped = exchange.stamped(headers)
        if stamped is not headers:
            message = {**message, "headers": stamped}
        if not exchange.start(message["status"], stamped):
            if exchange.rendered is None:
                return self.onward(message)
        elif not message.get("trailers"):
            self.held = [message]
            return nothing()
        exchange.let_go()  # where trailers follow the body, it is not looked at
        reissued = exchange.reissued(stamped)
        return self.onward(message) if reissued is None else self._reissue(message, *reissued)

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
            exchange.failing = None
            await self.send(self.withheld)
            return
        fate = exchange.returned()
        await self.carry_out(fate)
        if fate is RELEASE:
            exchange.returned()  # it stays incomplete

    async def let_go(self) -> None:
        """Send what is held or withheld, if there is any."""
        if self.exchange.state is HELD:
            self.exchange.let_go()
            await self.carry_out(RELEASE)
        elif self.withheld is not None:
            await self.finish()

    async def carry_out(self, fate: Fate | Response | Frame) -> None:
        """Send what the exchange wants to be sent."""
        exchange = self.exchange
        if isinstance(fate, Response):
            self.held = []
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
