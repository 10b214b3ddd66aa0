"""What may differ between an application's records bare and covered, and a comparison that forgives nothing else."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import NamedTuple

from telemetry.driven_requests import Request
from telemetry.instrumentations import Instrumentation
from telemetry.observing import Record


class Twins(NamedTuple):
    """One request's records of the two applications."""

    instrumentation: Instrumentation
    framework: str
    request: Request
    bare: Record
    covered: Record


def error_type(twins: Twins) -> None:
    """The code as the server span's `error.type`, on an answer >= 500, where bare has none."""
    for bare, covered in _server_spans(twins):
        if (
            twins.request.status >= 500
            and "error.type" not in bare["attributes"]
            and covered["attributes"].get("error.type") == twins.request.code
        ):
            del covered["attributes"]["error.type"]


def the_exception_once(twins: Twins) -> None:
    """The exception of an answer >= 500 as one event of the server span, where bare has it nowhere.

    But not an exception that is the framework's own way to answer.
    """
    if twins.request.status < 500 or twins.request.frameworks_own or twins.bare["logs"]:
        return
    if any(span["events"] for span, _ in _server_spans(twins)):
        return
    for _, covered in _server_spans(twins):
        if [event["name"] for event in covered["events"]] == ["exception"]:
            covered["events"] = []
            return


def the_reporter(twins: Twins) -> None:
    """Sentry hears from errorkit what its own integration reports bare: by another name, in the same words."""
    known = {(value["type"], value["value"]): value for each in twins.bare["reports"] for value in each["exceptions"]}
    for report in twins.covered["reports"]:
        for value in report["exceptions"]:
            same = known.get((value["type"], value["value"]))
            if same is not None and value["mechanism"] == "errorkit":
                value["mechanism"] = same["mechanism"]


def flasks_answers(twins: Twins) -> None:
    """Sentry's integration of Flask reports crashes alone; errorkit each declared error >= 500, as a handled one."""
    reports = twins.covered["reports"]
    if (
        twins.framework == "flask"
        and twins.request.status >= 500
        and not twins.request.stranger
        and [[value["handled"] for value in each["exceptions"]] for each in reports] == [[True]]
    ):
        twins.covered["reports"] = []


def caught_outermost(twins: Twins) -> None:
    """What stands around the whole application does not see that an answered crash was raised again.

    Starlette's own middleware is the only one that writes it down.
    """
    if not (
        twins.instrumentation.name == "starlettes-own-around" and twins.request.stranger and twins.request.status == 500
    ):
        return
    for bare, covered in _server_spans(twins):
        if covered["attributes"].get("error.type") == "500" and covered["status"] == "ERROR":
            covered["attributes"]["error.type"] = bare["attributes"]["error.type"]
            covered["description"] = bare["description"]
            covered["events"] = covered["events"] or bare["events"]  # told on the span inside of it


def a_sockets_close(twins: Twins) -> None:
    """The message that closes a websocket which crashed, where an instrumentation writes down each message.

    Bare, the server closes it.
    """
    spans = twins.covered["spans"]
    closes = [span for span in spans if span["attributes"] == {"asgi.event.type": "websocket.close"}]
    if twins.request.name == "ws-crash" and len(closes) == 1 and closes[0]["status"] == "UNSET":
        spans.remove(closes[0])


ALLOWED: dict[str, tuple[Callable[[Twins], None], ...]] = {
    "spans": (error_type, the_exception_once, caught_outermost, a_sockets_close),
    "logs": (),
    "metrics": (),
    "counters": (),
    "reports": (the_reporter, flasks_answers),
    "transactions": (),
}
"""By what is recorded: the whole list."""


def differences(twins: Twins) -> list[str]:
    """What covered lacks and what it has too much, a line each; what is only different, with its differing parts."""
    found: list[str] = []
    forgiven = twins._replace(covered=deepcopy(twins.covered))
    for what, allowed in ALLOWED.items():
        if what not in twins.bare:
            continue
        for forgive in allowed:
            forgive(forgiven)
        lost, added = list(twins.bare[what]), []
        for each in forgiven.covered[what]:
            if each in lost:
                lost.remove(each)
            else:
                added.append(each)
        for each in lost:
            like = next((other for other in added if _named(other) == _named(each)), None)
            if like is None:
                found.append(f"{what}: lost {each}")
            else:
                added.remove(like)
                found.append(f"{what}: {' '.join(_named(each))}: {_parts(each, like)}")
        found += [f"{what}: added {each}" for each in added]
    return found


def _named(record: Record) -> tuple[str, ...]:
    return tuple(str(record[key]) for key in ("scope", "name", "event", "transaction") if key in record)


def _parts(bare: Record, covered: Record, prefix: str = "") -> str:
    parts = []
    for key in sorted({*bare, *covered}):
        one, other = bare.get(key), covered.get(key)
        if isinstance(one, dict) and isinstance(other, dict):
            parts += [_parts(one, other, f"{prefix}{key}.")] if one != other else []
        elif one != other:
            parts.append(f"{prefix}{key} {one!r} -> {other!r}")
    return ", ".join(parts)


def _server_spans(twins: Twins) -> list[tuple[Record, Record]]:
    """Pairs of one name and scope."""
    bare, covered = (
        {(span["scope"], span["name"]): span for span in record["spans"] if span["kind"] == "SERVER"}
        for record in (twins.bare, twins.covered)
    )
    return [(span, covered[key]) for key, span in bare.items() if key in covered]
