"""One exchange, from its request to the end of its response: a state machine without I/O.

ASGI and WSGI drive the same machine. They say what the application did, and do what it
answers; neither decides anything about a response by itself.

    state     what happened                         then
    WAITING   a start that need not be held         PASSING
    WAITING   a start that may be a default, or     HELD      nothing is sent
              whose first chunk is waited for
    HELD      the body is complete and a default    errorkit's response goes out in its place
    HELD      it is somebody's own, or too long     PASSING   what was held is let go
    WAITING   an exception                          errorkit's response goes out
    HELD      an exception                          the same: nothing has been sent
    PASSING   the last chunk                        ENDED
    PASSING   an exception                          ENDED by the stream's last event, or cut: it is raised on
    ENDED     the exception that was answered       nothing: everybody further in has seen it
    ENDED     another one                           raised on: a background task has failed
    any       the client left                       nothing is sent any more

Every path ends in `conclude`: exactly one event for a failure, none for a success.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

from errorkit import telemetry
from errorkit.exchange import RawHeaders, Request, Response
from errorkit.failure import traceback_of
from errorkit.request_id import accept

if TYPE_CHECKING:  # pragma: no cover - building a handler loads pydantic, importing this does not
    from errorkit.handler import ErrorHandler
    from errorkit.rendering import Renderer

ERRORKIT = "errorkit"
_DEPARTURES = {"ClientDisconnect": "starlette.requests", "WebSocketDisconnect": "starlette.websockets"}
"""Exceptions by which a framework says that the client has left; by name and module, so that none is imported."""


class State(Enum):
    """How far a response has come."""

    WAITING = "waiting"
    HELD = "held"
    PASSING = "passing"
    ENDED = "ended"


WAITING, HELD, PASSING, ENDED = State


class Fate(Enum):
    """What becomes of what the application did, where it is no answer of errorkit's."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    HOLD = "hold"
    RELEASE = "release"
    """Send what was held, this included."""
    RAISE = "raise"
    DONE = "done"
    """Nothing more is to be said."""


PASS, HOLD, RELEASE, RAISE, DONE = Fate


class Frame(NamedTuple):
    """The last event of a stream, to be sent as the last chunk."""

    data: bytes


class Exchange(Request):
    """One request and the response to it. A protocol's subclass knows where the request's facts are.

    Nested places of one request share it: an application and what is mounted in it, a
    middleware and the application that it is around.
    """

    state = WAITING
    headers: Sequence[tuple[bytes, bytes]] = ()
    """The header fields of the response that is passing."""
    tail = b"\n\n"
    """The latest chunk."""
    rendered: Response | None = None
    """errorkit's own answer."""
    failing: BaseException | None = None
    """An exception that a place further in has seen after the response had begun."""
    client_left = False
    holds_start = False
    """A start waits for its first chunk, so that a body that fails at once still gets a status."""
    tells_at_start = False
    """A span may end long before the last byte, with the application's call: an event is written with the start."""
    answers_late = False
    """An answer is still possible when the response has begun: a websocket can be closed."""
    varies: tuple[str, ...] = ()
    """Request header fields that have decided that somebody's own answer is left as it is: for `Vary`."""
    _judging = False
    _fields: RawHeaders = []

    id_header = b""
    """The header of the request ID, where another errorkit further in has taken over; else that of the renderer."""

    def __init__(self, handler: ErrorHandler, renderer: Renderer, request_id: str) -> None:
        self.handler = handler
        self.renderer = renderer
        self.request_id = request_id
        self.started = perf_counter()

    def taken_over(self, handler: ErrorHandler, renderer: Renderer) -> None:
        """Another errorkit answers for what is inside; the request ID stays in the header that it is in."""
        self.id_header = self.id_header or self.renderer.id_header
        self.handler, self.renderer = handler, renderer

    # -- what the application says

    def succeeds(self, status: int, headers: object) -> RawHeaders | None:
        """`stamped` and `start` for what nearly every request comes to: a response of no error that nobody holds.

        Its header fields with the request ID; None: these two are to be asked.
        """
        if status >= 400 or self.state is not WAITING or self.rendered is not None or self.holds_start:
            return None
        if type(headers) is not list:
            return None
        name = self.id_header or self.renderer.id_header
        length = len(name)
        for key, _ in headers:
            if len(key) == length and key.lower() == name:
                return None
        self.status = status
        self.headers = headers
        self.state = PASSING
        return [*headers, (name, self.request_id.encode("ascii"))]

    def answers(self, status: int, headers: object) -> bool:
        """`stamped`, `start` and `reissued` for errorkit's own answer as it was rendered.

        False: somebody has changed it, or it is none; these three are to be asked.
        """
        rendered = self.rendered
        if rendered is None or self.state is not WAITING or status != rendered.status:
            return False
        if self.id_header or headers != self._fields:
            return False
        self.status = status
        self.headers = rendered.headers
        self.state = PASSING
        if self.tells_at_start:
            self._passes()
        return True

    def start(self, status: int, headers: Sequence[tuple[bytes, bytes]]) -> bool:
        """A response begins. True: hold it back."""
        if self.state is not WAITING:
            return False  # it is against the protocol: the server tells it so
        self.status = status
        self.headers = headers
        if self.rendered is not None and not self.carries_answer(status, headers):
            self._forget_answer()  # somebody between has put another one in its place
        if status < 400:
            if not self.holds_start:
                self.state = PASSING
                return False
        else:
            self._judging = False
            if self.shaped_by != ERRORKIT:
                self.left_alone = self.stays(headers) or self.handler.judge.leaves(status, self.shaped_by, headers)
                self._judging = not self.left_alone
        if self._judging or (self.holds_start and self.rendered is None):
            self.state = HELD
            self._parts: list[bytes] = []
            return True
        self.state = PASSING
        self._passes()
        return False

    def chunk(self, data: bytes, more: bool) -> Fate | Response:
        """A part of the body. A response: it goes out in place of all that was held."""
        if self.state is HELD:
            return self._chunk_of_held(data, more)
        self.tail = data
        if not more and self.state is PASSING:
            self._end()
        return PASS

    def returned(self) -> Fate | Response:
        """The application has come to its end, whether its response has or not."""
        if self.state is ENDED:
            return DONE
        if self.state is HELD:
            self.let_go()
            return RELEASE
        if self.state is PASSING and self.client_left and self.method == "HEAD":
            self._end()  # the client has all that it waits for
        elif self.client_left:
            self.left(None)
        elif self.state is WAITING:
            missing = RuntimeError("the application returned without a response")
            if not self.is_observed(missing):
                return self.answer(missing)
            self.crashed(missing)
        elif self.failure is None:
            self.handler.broke(self, None, "incomplete")
        return DONE

    def raised(self, exception: BaseException) -> Fate | Response | Frame:
        """An exception has come to the outermost place, unless `send` itself was what failed."""
        if self.says_departed(exception):
            if self.state is not ENDED:  # else it has got its response
                self.left(exception)
            return DONE
        if self.state is ENDED:
            return self._raised_after_the_end(exception)
        observed = self.is_observed(exception)
        if self.state is not PASSING or self.answers_late:
            if observed:
                self.crashed(exception)
                return RAISE
            if self.propagates(exception):
                self.handler.respond(self, self.meant(exception))
                return RAISE
            return self.answer(exception, self._readable_by())
        if self._is_event_stream() and not observed:
            frame = self.handler.stream_event(self, self.meant(exception))
            if frame is not None:
                self._end()
                return Frame(frame if self.tail[-2:] == b"\n\n" else b"\n\n" + frame)
        self.broke(exception, "aborted")
        return RAISE

    def flies(self, exception: BaseException, *, begun: bool) -> None:
        """A place further in sees an exception fly outward; spans that are open there may have ended further out.

        begun: the response had begun, as seen from there.
        """
        self.span = self.span or telemetry.noted()
        if not begun or isinstance(exception, OSError) or self.says_departed(exception):
            return
        observed = self.is_observed(exception)
        self.failing = None if observed else exception
        if self.state is HELD:  # it can still be answered, unless somebody catches it for good
            return
        if telemetry.is_open() and (observed or not self._is_event_stream()):
            self.broke(exception, "background" if self.state is ENDED else "aborted")
            self._tell()

    def left(self, exception: BaseException | None) -> None:
        """The client has left; what had failed before that is still what is told."""
        if self.failure is None:
            self.handler.broke(self, exception, "client_gone")

    # -- what errorkit answers

    def answer(self, exception: BaseException, kept: RawHeaders | None = None) -> Response:
        """errorkit's response to an exception.

        kept: header fields of an answer that it takes the place of.
        """
        self.answered = exception
        self.exception = exception
        self.traceback = traceback_of(exception)
        self._parts = []
        self._judging = False
        return self.replaced_by(self.handler.respond(self, self.meant(exception), kept or []))

    def replaced_by(self, response: Response) -> Response:
        """errorkit's response is what will be sent."""
        self.shaped_by = ERRORKIT
        self.rendered = response
        self._fields = response.headers.copy()  # middlewares change the list itself
        if self.state is HELD:
            self.state = WAITING
        return response

    def answered_by(self, name: str, exception: BaseException) -> None:
        """A handler of the user's own has an answer to an exception: it is deliberate."""
        self.shaped_by = name
        self.answered = self.exception = exception
        self.traceback = traceback_of(exception)

    def crashed(self, exception: BaseException, *, leaves: bool = True) -> None:
        """An exception that nobody answers, where errorkit does not either: its event, if it has none yet.

        leaves: it is raised on, to whoever is outside.
        """
        self.answered = self.exception = exception
        self.traceback = traceback_of(exception)
        self.raises_on = self.raises_on or leaves
        if self.failure is None:
            self.handler.observe(self, 500, "unhandled")

    def withdraw(self) -> None:
        """Nobody has declared the exception after all: it flies on."""
        self.answered = self.exception = self.traceback = self.failure = self.rendered = None
        self.shaped_by = ""

    def carries_answer(self, status: int, headers: Sequence[tuple[bytes, bytes]]) -> bool:
        """Is a response that begins errorkit's own, whatever middlewares have added to it."""
        rendered = self.rendered
        return (
            rendered is not None
            and status == rendered.status
            and (headers is rendered.headers or self._fields[0] in headers)
        )

    def stamped(self, headers: Sequence[tuple[bytes, bytes]]) -> Sequence[tuple[bytes, bytes]]:
        """Header fields with the request ID once. One that somebody else has put there stands, and is taken over."""
        name = self.id_header or self.renderer.id_header
        for key, _ in headers:
            if key == name or (len(key) == len(name) and key.lower() == name):
                return self._stamped_once(headers, name)
        return [*headers, (name, self.request_id.encode("ascii"))]

    def _stamped_once(self, headers: Sequence[tuple[bytes, bytes]], name: bytes) -> Sequence[tuple[bytes, bytes]]:
        if self.rendered is not None and headers == self._fields and name == self.renderer.id_header:
            return headers
        found = [value for key, value in headers if key.lower() == name]
        own = self.request_id.encode("ascii")
        foreign = [value for value in found if value != own]
        if not foreign:
            return headers if len(found) == 1 else _without(headers, name, own, but=1)
        if self.rendered is not None and _is_encoded(headers):  # the body has the own one and cannot be changed
            return [*_without(headers, name), (name, own)]
        accepted = accept(foreign[0])
        if accepted is not None:
            self.request_id = accepted
        return headers if own not in found else _without(headers, name, own)

    def reissued(self, headers: Sequence[tuple[bytes, bytes]]) -> tuple[RawHeaders, bytes] | None:
        """errorkit's answer once more, where its fields say something else by now than its body; else None.

        A library has put another request ID into the header, a rate limiter another wait.
        """
        if self.rendered is None or self.failure is None or headers == self._fields or _is_encoded(headers):
            return None
        return self.handler.reissue(self, headers)

    # -- the end

    def conclude(self, *, by_exit: bool = False) -> None:
        """Everything is over. Writes the event if it has not been written, and lets go of what it was about.

        by_exit: by a cancellation or an interrupt, which is no failure of the request.
        """
        if self.failure is not None or (self.status >= 400 and not by_exit):
            self._tell()
            self.handler.release(self)

    def restarted(self, exception: BaseException) -> None:
        """The application takes back a response of which nothing has been sent (WSGI's `exc_info`)."""
        self.state = WAITING
        self.exception = exception

    def _passes(self) -> None:
        """A response is on its way; where it is told at once, it is told now."""
        if self.tells_at_start and self.status >= 400 and telemetry.is_open():
            self._tell()

    def _end(self) -> None:
        """The last byte is about to be sent. The event is written now, if there is a span that ends with it.

        Of an exception that has been answered with a 5xx it is always written now: frameworks take the
        traceback away afterwards. One that nobody knows yet may still come.
        """
        self.state = ENDED
        if self.status < 400 or self.recorded:
            return
        if (self.answered is not None and self.status >= 500) or telemetry.is_open():
            self._tell()

    def _tell(self) -> None:
        if self.recorded:
            return
        if self.failure is None:
            self.handler.observe(self, self.status)
        self.handler.record(self)

    # -- what is observed

    def stays(self, headers: Sequence[tuple[bytes, bytes]]) -> str:
        """Why an answer of these fields, which other code has made, stays as it is; empty: nothing says so."""
        handler = self.handler
        if not handler.observes:
            return ""
        why, vary = handler.selection.leaves(self, headers)
        if why:
            self.varies = vary
        return why

    def is_observed(self, exception: BaseException) -> bool:
        """Is an exception left to the application and its framework: any but an error that these do not know."""
        handler = self.handler
        if not handler.observes:
            return False
        handler.selection.choose(self)
        renderer = self.renderer
        return renderer.observes and not (renderer.answers_own and handler.identifier.is_own(exception))

    # -- inside

    def _readable_by(self) -> RawHeaders:
        """Of a start that was held: who may read the answer (CORS)."""
        if self.state is not HELD:
            return []
        return [
            (name, value)
            for name, value in self.headers
            if name.lower().startswith(b"access-control-") or (name.lower() == b"vary" and b"origin" in value.lower())
        ]

    def meant(self, exception: BaseException) -> BaseException:
        """The exception that another one was made of on its way; a framework may do so."""
        return exception

    def propagates(self, exception: BaseException) -> bool:
        """Shall an exception that nobody declared reach the server."""
        return self.handler.config.reraise and not self.handler.identifier.handles(exception)

    def is_raised_on(self, exception: BaseException) -> bool:
        """Is an exception that has its answer, or its last event, raised on all the same."""
        return self.raises_on or self.propagates(exception) or self.is_observed(exception)

    def _forget_answer(self) -> None:
        self.rendered = None
        self.shaped_by = ""
        if not self.recorded:
            self.failure = None

    def _chunk_of_held(self, data: bytes, more: bool) -> Fate | Response:
        self._parts.append(data)
        if not self._judging:
            if more and not data:
                return HOLD
        elif more:
            limit = self.handler.judge.limit(self.status)
            if sum(map(len, self._parts)) <= limit:
                return HOLD
            self.left_alone = f"longer than {limit} bytes"
        else:
            response = self.judged(b"".join(self._parts))
            if response is not None:
                return self.replaced_by(response)
        self._parts = []
        self._judging = False
        self.let_go()
        self.tail = data
        if not more:
            self._end()
        return RELEASE

    def let_go(self) -> None:
        """What is held is sent as it is."""
        if self.state is HELD:
            self.state = PASSING
            self._passes()

    def judged(self, body: bytes) -> Response | None:
        """errorkit's response if the body is a default of somebody's, or read by a reader; None: it is deliberate."""
        try:
            verdict = self.handler.judge.verdict(self.status, self.headers, body, head=self.method == "HEAD")
        except Exception as own:  # the application's own answer is let go
            from errorkit.events import last_resort  # an adapter's import loads no logging

            last_resort("an answer could not be looked into", own)
            return None
        if isinstance(verdict, str):
            self.left_alone = verdict
            return None
        self.replaced = verdict.replaced
        return self.handler.take_over(self, self.status, self.headers, verdict.adopted)

    def _raised_after_the_end(self, exception: BaseException) -> Fate:
        if exception is not self.answered:
            if self.status < 500 or self.answered is not None or self.outcome:
                self.broke(exception, "background")
                return RAISE
            self.exception = exception  # answered further in, by somebody who raises it again
            self.handler.explain(self, exception)
        if self.status < 400:
            self.broke(exception, "background")
            return RAISE
        return RAISE if self.is_raised_on(exception) else DONE

    def broke(self, exception: BaseException, outcome: str) -> None:
        """Something failed of which no answer tells; what had failed before that is still what is told."""
        if not self.outcome:
            self.handler.broke(self, exception, outcome)

    def says_departed(self, exception: BaseException) -> bool:
        """Does an exception say no more than that the client has left."""
        for base in type(exception).__mro__:
            if base.__name__ in _DEPARTURES and base.__module__ == _DEPARTURES[base.__name__]:
                return True
        return (  # what Starlette's BaseHTTPMiddleware says of an application that has noticed it
            self.client_left and type(exception) is RuntimeError and exception.args == ("No response returned.",)
        )

    def _is_event_stream(self) -> bool:
        fields = {name.lower(): value for name, value in self.headers}
        return (
            fields.get(b"content-type", b"").lower().startswith(b"text/event-stream")
            and b"content-length" not in fields
            and b"content-encoding" not in fields
        )


def _without(
    headers: Sequence[tuple[bytes, bytes]], name: bytes, value: bytes | None = None, *, but: int = 0
) -> RawHeaders:
    """Header fields without those of a name, or of a name and a value; the first `but` of them stay."""
    kept: RawHeaders = []
    for pair in headers:
        if pair[0].lower() == name and value in (None, pair[1]):
            but -= 1
            if but < 0:
                continue
        kept.append(pair)
    return kept


def _is_encoded(headers: Sequence[tuple[bytes, bytes]]) -> bool:
    return any(name.lower() == b"content-encoding" for name, _ in headers)


def came_through(exception: BaseException, function: Callable[..., object]) -> bool:
    """Did the exception come out of a function: is there a frame of its code."""
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    traceback = traceback_of(exception)
    while traceback is not None:
        if traceback.tb_frame.f_code is code:
            return True
        traceback = traceback.tb_next
    return False
