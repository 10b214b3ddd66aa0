"""Drives an ASGI application as a server does: lifespan, state, and an answer of its own where there is none."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import driving
from fidelity.observed import Answer, Call, Observation, Socket

if TYPE_CHECKING:
    from fidelity.twins import Twin


async def drive_asgi(
    app: Any, calls: Sequence[Call | Socket], twin: Twin, seen: Observation, *, lifespan: bool
) -> list[Answer]:
    """One request after the other."""
    state: dict[str, Any] = {}
    answers: list[Answer] = []
    life = _Lifespan(app, twin, state) if lifespan else None
    if life is not None and not await life.start():
        return answers
    for call in calls:
        twin.begin(call)
        before = len(seen.events)
        scoped = state.copy()
        if isinstance(call, Socket):
            answer = await _socket(app, call, twin, scoped)
        else:
            answer = await _http(app, call, twin, scoped)
        answer.events = [event for event in seen.events[before:] if event["event"] == "request_failed"]
        answers.append(answer)
    if life is not None:
        await life.stop()
    return answers


class _Lifespan:
    """Start-up and shut-down; what became of them are steps."""

    def __init__(self, app: Any, twin: Twin, state: dict[str, Any]) -> None:
        self.app, self.twin, self.state = app, twin, state
        self.inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.outbox: asyncio.Queue[str] = asyncio.Queue()

    async def _run(self) -> None:
        async def send(message: dict[str, Any]) -> None:
            await self.outbox.put(message["type"])

        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self.state}
        try:
            await self.app(scope, self.inbox.get, send)
        except Exception as raised:
            self.twin.saw("the server (lifespan)", raised)
        await self.outbox.put("returned")

    async def _tell(self, event: str) -> str:
        await self.inbox.put({"type": f"lifespan.{event}"})
        heard = await self.outbox.get()
        self.twin.step(f"{event}: {heard}")
        return heard

    async def start(self) -> bool:
        """False: the server would not serve."""
        self.task = asyncio.ensure_future(self._run())
        heard = await self._tell("startup")
        if heard == "lifespan.startup.failed":
            await self.task
        return heard != "lifespan.startup.failed"

    async def stop(self) -> None:
        """Ask it to, if it knows how to."""
        if not self.task.done():
            await self._tell("shutdown")
        await self.task


def _scope(call: Call | Socket, kind: str, state: dict[str, Any]) -> dict[str, Any]:
    method, headers = getattr(call, "method", ""), getattr(call, "headers", ())
    scheme = "http" if kind == "http" else "ws"
    scope = driving.scope(method, call.path, headers, type=kind, scheme=scheme, state=state)
    if not isinstance(call, Call):
        del scope["method"]
    elif call.body:
        scope["headers"].append((b"content-length", b"%d" % len(call.body)))
    for key, value in call.extra.items():
        if value is None:
            scope.pop(key, None)
        else:
            scope[key] = value() if callable(value) else value
    return scope


async def _http(app: Any, call: Call, twin: Twin, state: dict[str, Any]) -> Answer:
    answer = Answer()
    asked = 0
    over = asyncio.Event()

    async def receive() -> dict[str, Any]:
        nonlocal asked
        asked += 1
        if asked == 1:
            return {"type": "http.request", "body": call.body, "more_body": False}
        if call.leaves != "disconnect":
            await over.wait()  # the client stays until its answer is complete
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        kind = message["type"]
        if call.leaves == "send" and answer.status:
            raise OSError("the client has left")
        if kind == "http.response.start":
            assert not answer.status, "the response was started twice"
            answer.status = message["status"]
            answer.take_headers(message.get("headers", ()))
            if message.get("trailers"):
                answer.others.append("trailers announced")
        elif kind == "http.response.body":
            assert answer.status, "a body came before the start"
            assert not answer.complete, "a body came after the last one"
            answer.body += message.get("body", b"")
            answer.complete = not message.get("more_body", False)
        else:
            answer.others.append(kind)
            answer.complete = answer.complete or kind == "http.response.pathsend"
        if answer.complete:
            over.set()

    twin.stalled = asyncio.Event()
    task = asyncio.ensure_future(app(_scope(call, "http", state), receive, send))
    if call.leaves == "cancel":
        stalled = asyncio.ensure_future(twin.stalled.wait())
        await asyncio.wait((task, stalled), return_when=asyncio.FIRST_COMPLETED)
        stalled.cancel()
        task.cancel()
    try:
        await task
    except (Exception, asyncio.CancelledError) as raised:
        answer.raised = twin.label(raised)
    over.set()
    if not answer.status and not call.leaves:
        answer.by_server, answer.status, answer.complete = True, 500, True
        answer.body = b"Internal Server Error"
        answer.headers = [("content-type", "text/plain; charset=utf-8"), ("content-length", "21")]
    return answer


async def _socket(app: Any, call: Socket, twin: Twin, state: dict[str, Any]) -> Answer:
    answer = Answer()
    asked = 0
    extensions: dict[str, Any] = {"websocket.http.response": {}} if call.denial else {}
    scope = {"subprotocols": [], "extensions": extensions, **_scope(call, "websocket", state)}

    async def receive() -> dict[str, Any]:
        nonlocal asked
        asked += 1
        if asked == 1:
            return {"type": "websocket.connect"}
        if asked - 2 < len(call.says):
            return {"type": "websocket.receive", "text": call.says[asked - 2]}
        return {"type": "websocket.disconnect", "code": 1000, "reason": ""}

    async def send(message: dict[str, Any]) -> None:
        kind = message["type"]
        if kind == "websocket.accept":
            answer.accepted = True
            answer.take_headers(message.get("headers", ()))
        elif kind == "websocket.send":
            answer.said.append(message.get("text") or repr(message.get("bytes")))
        elif kind == "websocket.close":
            answer.close = message.get("code", 1000), message.get("reason") or ""
        elif kind == "websocket.http.response.start":
            answer.status = message["status"]
            answer.take_headers(message.get("headers", ()))
        elif kind == "websocket.http.response.body":
            answer.body += message.get("body", b"")
            answer.complete = not message.get("more_body", False)
        else:
            answer.others.append(kind)

    try:
        await app(scope, receive, send)
    except Exception as raised:
        answer.raised = twin.label(raised)
    if answer.close is None and not answer.status and answer.raised:
        answer.by_server = True
        if answer.accepted:
            answer.close = 1011, ""
        else:
            answer.status, answer.complete, answer.body = 500, True, b"Internal Server Error"
    return answer
