"""Twins under real servers on loopback: uvicorn for ASGI, werkzeug's for WSGI."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection, IncompleteRead
from socket import create_connection
from typing import Any
from unittest.mock import patch

import uvicorn
from werkzeug.serving import WSGIRequestHandler, make_server

from fidelity.observed import Answer, Call, Observation, Socket
from fidelity.twins import Scenario, Twin, Way, noting

PATIENCE = 60
"""Seconds after which a server that tells nothing is given up."""


def servable(call: Call | Socket) -> bool:
    """Can it be sent over a wire by an ordinary client, with an outcome that the server does not decide."""
    if isinstance(call, Socket):
        return call.denial and (call.chosen or call.shaped) and not call.extra
    return not (call.extra or call.leaves or "{" in call.path)


def observe_served(scenario: Scenario, way: Way) -> tuple[tuple[Call | Socket, ...], Observation]:
    """Build one twin, serve it, send it what can be sent, and tell what was seen."""
    calls = tuple(call for call in scenario.calls if servable(call))
    with ExitStack() as stack:
        stack.enter_context(patch.dict("os.environ", scenario.environ))
        twin, app = scenario.made(way)
        seen = stack.enter_context(noting(twin))
        for target, replacement in scenario.patches.items():
            stack.enter_context(patch(target, replacement))
        serving = _wsgi if scenario.kind == "wsgi" else _asgi
        edge, port = stack.enter_context(serving(app, twin, way))
        seen.answers = _drive(calls, twin, seen, edge, port)
    return calls, seen


def _drive(calls: Sequence[Call | Socket], twin: Twin, seen: Observation, edge: Edge, port: int) -> list[Answer]:
    answers = []
    for call in calls:
        twin.begin(call)
        before = len(seen.events)
        edge.raised, edge.started = "", False
        answer = _websocket(call, port) if isinstance(call, Socket) else _request(call, port)
        assert edge.over.acquire(timeout=PATIENCE), "the application did not return"
        answer.raised, answer.by_server = edge.raised, not edge.started and answer.status >= 500
        answer.events = [event for event in seen.events[before:] if event["event"] == "request_failed"]
        answers.append(answer)
    return answers


class Edge:
    """The outermost place: notes what the server is given, and when the application is done with a request."""

    def __init__(self, app: Any, twin: Twin) -> None:
        self.app, self.twin = app, twin
        self.over = threading.Semaphore(0)
        self.raised, self.started = "", False


class ASGIEdge(Edge):
    """That of ASGI."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return

        async def sender(message: Any) -> None:
            self.started = True
            await send(message)

        try:
            await self.app(scope, receive, sender)
        except Exception as error:
            self.raised = self.twin.label(error)
            raise
        finally:
            self.over.release()


class WSGIEdge(Edge):
    """That of WSGI."""

    def __call__(self, environ: Any, start_response: Any) -> Iterator[bytes]:
        chunks: Any = ()
        try:
            try:
                chunks = self.app(environ, start_response)
                for chunk in chunks:
                    self.started = self.started or bool(chunk)
                    yield chunk
                self.started = True
            finally:
                close = getattr(chunks, "close", None)
                if close is not None:
                    close()
        except Exception as error:
            self.raised = self.twin.label(error)
            raise
        finally:
            self.over.release()


class _Server(uvicorn.Server):
    """Tells when it listens, or has failed to."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: Any = None) -> None:
        try:
            await super().startup(sockets=sockets)
        finally:
            self.ready.set()


@contextmanager
def _asgi(app: Any, twin: Twin, way: Way) -> Iterator[tuple[Edge, int]]:
    edge = ASGIEdge(app, twin)
    lifespan: Any = "on" if way.lifespan else "off"
    config = uvicorn.Config(edge, host="127.0.0.1", port=0, lifespan=lifespan, log_config=None, log_level="critical")
    server = _Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    assert server.ready.wait(PATIENCE), "the server does not start"
    try:
        assert server.started, "the application refused to start"
        yield edge, server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(PATIENCE)


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        """Nothing on standard error."""


@contextmanager
def _wsgi(app: Any, twin: Twin, way: Way) -> Iterator[tuple[Edge, int]]:
    edge = WSGIEdge(app, twin)
    server = make_server("127.0.0.1", 0, edge, request_handler=_Quiet)  # it listens from here on
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield edge, server.server_port
    finally:
        server.shutdown()
        thread.join(PATIENCE)
        server.server_close()


def _request(call: Call, port: int) -> Answer:
    answer = Answer()
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.putrequest(call.method, call.path, skip_host=True, skip_accept_encoding=True)
        for name, value in (("host", "api.test"), *call.headers):
            connection.putheader(name, value)
        if call.body:
            connection.putheader("content-length", str(len(call.body)))
        connection.endheaders(call.body or None)
        response = connection.getresponse()
        answer.status = response.status
        answer.take_headers(response.getheaders())
        try:
            answer.body, answer.complete = response.read(), True
        except IncompleteRead as torn:
            answer.body = torn.partial
    finally:
        connection.close()
    return answer


def _websocket(call: Socket, port: int) -> Answer:
    from websockets.exceptions import ConnectionClosed, InvalidStatus
    from websockets.sync.client import connect

    answer = Answer()
    try:
        peer = create_connection(("127.0.0.1", port))
        with connect(f"ws://127.0.0.1:{port}{call.path}", sock=peer, compression=None) as socket:
            answer.accepted = True
            handshake: Any = socket.response
            answer.take_headers(field for field in handshake.headers.raw_items() if not _of_handshake(field[0]))
            try:
                for text in call.says:
                    socket.send(text)
                while True:
                    answer.said.append(str(socket.recv(timeout=PATIENCE)))
            except ConnectionClosed as closed:
                answer.close = (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else None
    except InvalidStatus as refused:
        answer.status, answer.complete = refused.response.status_code, True
        answer.body = bytes(refused.response.body or b"")
        answer.take_headers(refused.response.headers.raw_items())
    return answer


def _of_handshake(name: str) -> bool:
    return name.lower() in ("upgrade", "connection", "date", "server") or name.lower().startswith("sec-websocket")
