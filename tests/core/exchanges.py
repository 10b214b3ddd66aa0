"""Drives the machine of `errorkit.lifecycle` without a protocol: an application says, a server hears, both in memory."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from structlog.testing import capture_logs

from errorkit.errors import ConflictError
from errorkit.events import EVENT
from errorkit.exchange import RawHeaders, Response
from errorkit.handler import ErrorHandler, build_handler
from errorkit.lifecycle import DONE, ENDED, HELD, HOLD, PASS, PASSING, RAISE, RELEASE, Exchange, Frame


class Refused(Exception):
    """A server's answer to a message that is against the protocol."""


class Start(NamedTuple):
    status: int
    headers: Sequence[tuple[bytes, bytes]] = ()


class Chunk(NamedTuple):
    data: bytes
    more: bool


class Left(NamedTuple):
    """The client leaves; the application may or may not notice."""


class Answer(NamedTuple):
    """A place further in has errorkit answer an exception.

    sends: a middleware between lets the answer pass; otherwise it is dropped, as if it had not been made.
    status: the middleware puts another one in its place; 0: it stays.
    """

    exception: Exception
    sends: bool = True
    status: int = 0


class Handler(NamedTuple):
    """A handler of the user's takes an exception; what it answers comes next."""

    exception: Exception


class Raise(NamedTuple):
    """The application's end, by an exception. None: by the one that was answered last, once more."""

    exception: Exception | None


class Return(NamedTuple):
    """The application's end."""


class Cancel(NamedTuple):
    """The application's end: the server cancels it."""


Step = Start | Chunk | Left | Answer | Handler | Raise | Return | Cancel


@cache
def handler(normalise: str, reraise: bool) -> ErrorHandler:
    """A handler, made once."""
    settings = {
        "dialect": "problem",
        "normalise": normalise,
        "reraise": reraise,
        "exceptions": {KeyError: ConflictError},
    }
    return build_handler(None, settings)


class InMemory(Exchange):
    """An exchange of no protocol."""

    path = "/x"  # type: ignore[assignment]

    def __init__(self, errors: ErrorHandler, method: str = "GET", *, holds_start: bool = False) -> None:
        renderer = errors.renderer_for("/x")
        assert renderer is not None
        super().__init__(errors, renderer, "id-1")
        self.method = method
        self.holds_start = holds_start

    def header(self, name: bytes) -> str | None:
        """The request has no fields."""
        return None


class Run:
    """One run of an application, by its steps.

    sent: what the server heard and accepted. said: what the application said and the server did not refuse.
    answers: errorkit's responses that went out. raised: what came out to the server.
    departed: an exception has said that the client has left.
    """

    def __init__(self, exchange: Exchange, steps: Sequence[Step]) -> None:
        self.exchange = exchange
        self.sent: list[Start | Chunk] = []
        self.said: list[Start | Chunk] = []
        self.held: list[Start | Chunk] = []
        self.answers: list[Response] = []
        self.frame: Frame | None = None
        self.raised: BaseException | None = None
        self.ending: Step = Return()
        self.refused = False
        self.cancelled = False
        with capture_logs() as log:
            self._run(steps)
        self.events: list[Any] = [event for event in log if event["event"] == EVENT]

    # -- the server

    @property
    def status(self) -> int:
        """The status that the server heard; 0: none."""
        return self.sent[0].status if self.sent and isinstance(self.sent[0], Start) else 0

    @property
    def complete(self) -> bool:
        """Has the server heard the last byte."""
        return bool(self.sent) and isinstance(self.sent[-1], Chunk) and not self.sent[-1].more

    @property
    def body(self) -> bytes:
        """What the client gets."""
        return b"".join(message.data for message in self.sent if isinstance(message, Chunk))

    def _is_legal(self, message: Start | Chunk) -> bool:
        return not self.sent if isinstance(message, Start) else bool(self.sent) and not self.complete

    def _pass(self, message: Start | Chunk) -> None:
        if not self._is_legal(message):
            raise Refused
        self.sent.append(message)

    def _send(self, message: Start | Chunk) -> None:
        """What the machine wants to be sent by itself, it may send."""
        assert self._is_legal(message), (message, self.sent)
        self.sent.append(message)

    # -- the driver

    def _run(self, steps: Sequence[Step]) -> None:
        exchange = self.exchange
        try:
            for step in steps:
                self._step(step)
        except Refused as refused:  # out of `send`, as the adapters see it
            self.refused = True
            if exchange.state in (PASSING, ENDED):
                exchange.recorded = exchange.recorded or exchange.failure is None
                self.raised = refused
            else:
                self._end(Raise(refused))
        exchange.conclude(by_exit=self.cancelled)

    def _step(self, step: Step) -> None:
        match step:
            case Start() | Chunk():
                self.say(step)
            case Left():
                self.exchange.client_left = True
            case Answer():
                if not self.said:  # else it is too late, as everybody further in can see
                    self._answer(step)
            case Handler(exception):
                self.exchange.answered_by("mine", exception)
            case _:
                self._end(step)

    def say(self, message: Start | Chunk) -> None:
        """The application says something."""
        exchange = self.exchange
        if isinstance(message, Start):
            if exchange.state is HELD:  # against the protocol: the server tells it so
                exchange.let_go()
                self._carry_out(RELEASE)
            if exchange.start(message.status, message.headers):
                self.held.append(message)
            else:
                self._pass(message)
            self.said.append(message)
            return
        fate = exchange.chunk(message.data, message.more)
        if fate is PASS:
            self._pass(message)
            self.said.append(message)
            return
        self.held.append(message)
        self.said.append(message)
        if fate is not HOLD:
            self._carry_out(fate)

    def _answer(self, step: Answer) -> None:
        """errorkit's response, said as the application says its own."""
        response = self.exchange.answer(step.exception)
        if step.sends:
            self.answers.append(response)
            body = b"" if self.exchange.method == "HEAD" else response.body
            self.say(Start(step.status or response.status, response.headers))
            self.say(Chunk(body, False))

    def _carry_out(self, fate: Any) -> None:
        if isinstance(fate, Response):
            self.said.clear()
            self.held.clear()
            self.answers.append(fate)
            exchange = self.exchange
            assert not exchange.start(fate.status, fate.headers), "errorkit's own response is not held"
            self._send(Start(fate.status, fate.headers))
            body = b"" if exchange.method == "HEAD" else fate.body
            assert exchange.chunk(body, False) is PASS
            self._send(Chunk(body, False))
            self.said += self.sent
        elif isinstance(fate, Frame):
            self.frame = fate
            self._send(Chunk(fate.data, False))
        elif fate is RELEASE:
            held, self.held = self.held, []
            for message in held:
                self._send(message)
        else:
            assert fate in (RAISE, DONE), fate

    def _end(self, step: Step) -> None:
        exchange = self.exchange
        if isinstance(step, Raise):
            exception = step.exception or exchange.answered or RuntimeError("nothing was answered")
            self.ending = Raise(exception)  # type: ignore[arg-type]
            fate: Any = exchange.raised(exception)
            self._carry_out(fate)
            if fate is RAISE:
                self.raised = exception
            return
        self.ending = step
        if isinstance(step, Cancel):
            self.cancelled = True
            return
        fate = exchange.returned()
        self._carry_out(fate)
        if fate is RELEASE:
            exchange.returned()


def fields(kind: bytes, *more: tuple[bytes, bytes], length: int | None = None) -> RawHeaders:
    """Header fields of a response."""
    return [(b"content-type", kind), *more, *([] if length is None else [(b"content-length", b"%d" % length)])]
