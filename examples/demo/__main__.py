"""Start the FastAPI example, send requests that fail, show what client and operator see.

`python -m examples.demo`; by `python3 dev.py demo` with nothing installed. Ends with 0
if every request failed as it should, under exactly one event of the same request ID.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator

import httpx
import structlog

from errorkit.dialects import PRESETS, get_dialect
from examples.demo.screen import Screen
from examples.demo.server import UVICORN, Event, Server
from examples.demo.steps import SAME, STEPS, Step
from examples.docstore.setup import load_config
from examples.fastapi_app.main import create_app

CUT = "(cut off: the server closed the connection before the response was complete)"


def main() -> int:
    """The whole demonstration."""
    screen = Screen()
    with Server(UVICORN) as server:
        url = server.url()
        screen.paragraph(
            f"The FastAPI example runs under uvicorn at {url}. {len(STEPS)} requests fail, each in its own way. "
            "Of each you see the request, what the client gets (the headers that matter and the whole body), "
            "and what the operator gets: one log event with the same request ID."
        )
        wrong: list[str] = []
        with httpx.Client(base_url=url, timeout=30) as client:
            for number, step in enumerate(STEPS, 1):
                screen.heading(f"{number} · {step.title}")
                wrong += show(screen, client, server, step)
        wrong += [f"one event too many: {event}" for event in server.stop()]
    screen.heading(f"One failure in {len(PRESETS)} dialects")
    screen.paragraph("The same request, to the same handlers. Nothing changes but one word of configuration.")
    screen.accent = ""
    screen.request(SAME)
    wrong += asyncio.run(show_dialects(screen))
    for trouble in wrong:
        screen.paragraph(f"UNEXPECTED: {trouble}")
    if not wrong:
        screen.paragraph(
            f"{len(STEPS)} failures, {len(STEPS)} events, one request ID for each pair. "
            "Now see examples/fastapi_app/main.py: no handler in it knows any of this."
        )
    return 1 if wrong else 0


def show(screen: Screen, client: httpx.Client, server: Server, step: Step) -> Iterator[str]:
    """One step; what is wrong with it, if anything."""
    screen.accent = ""
    screen.request(step)
    for _ in range(step.repeat):
        response, text, ending = send(client, step)
    event: Event = server.next_event()
    screen.accent = response.headers["X-Request-ID"]
    screen.response(response, text, step.show, ending)
    screen.event(event)
    if (response.status_code, event["code"]) != (step.status, step.code):
        yield f"{step.title}: {response.status_code} {event['code']}, not {step.status} {step.code}"
    if event["request_id"] != response.headers["X-Request-ID"]:
        yield f"{step.title}: header and event have different request IDs"


def send(client: httpx.Client, step: Step) -> tuple[httpx.Response, str, str]:
    """The response, as much of its body as came, and how it ended."""
    text = ""
    with client.stream(step.method, step.path, headers=dict(step.fields), content=step.body) as response:
        try:
            for chunk in response.iter_text():
                text += chunk
        except httpx.RemoteProtocolError:
            return response, text, CUT
    return response, text, ""


async def show_dialects(screen: Screen) -> list[str]:
    """One request to the same application under every preset; what is wrong, if anything."""
    wrong: list[str] = []
    for name in PRESETS:
        app = create_app(load_config(dialect=name))
        with structlog.testing.capture_logs() as logs:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
                response = await client.request(SAME.method, SAME.path, headers=SAME.fields, content=SAME.body)
        failures = [log["code"] for log in logs if log["event"] == "request_failed"]
        id_header = get_dialect(name).request_id_header
        screen.accent = response.headers[id_header]
        screen.console.print()
        screen.console.print(f'  [bold]dialect = "{name}"[/bold]')
        screen.response(response, response.text, (*({id_header} - {"X-Request-ID", "x-request-id"}), "X-Should-Retry"))
        if response.status_code not in (400, SAME.status) or failures != [SAME.code]:
            wrong.append(f"dialect {name}: {response.status_code} {failures}")
    return wrong


if __name__ == "__main__":
    sys.exit(main())
