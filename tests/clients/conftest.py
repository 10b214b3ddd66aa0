"""One service for all clients; and the table of who was believed, where it is asked for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from clients.failing_service import CASES, Service, serving
from errorkit.dialects import PRESETS

TABLE = Path(__file__).resolve().parents[2] / "docs" / "sdk-compatibility.md"
_results: dict[tuple[str, str, str], dict[str, str]] = {}


@pytest.fixture(scope="session")
def service() -> Iterator[Service]:
    """The failing service, running."""
    running = Service()
    with serving(running.app) as running.origin:
        yield running


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: Any) -> Iterator[None]:
    """Note for the table which client was tried with which case."""
    outcome: Any = yield
    report = outcome.get_result()
    sdk = getattr(getattr(item, "module", None), "SDK", None)
    if report.when != "call" or sdk is None:
        return
    parameters = getattr(getattr(item, "callspec", None), "params", {})
    marker = item.get_closest_marker("case")
    case = parameters.get("case") or (marker.args[0] if marker else None)
    client = parameters.get("client_name") or sdk[1]
    if case:
        dialect = parameters.get("dialect", sdk[0])
        report.user_properties.append(("sdk", (dialect, client, parameters.get("version") or _version(client), case)))


def _version(client: str) -> str:
    return version(client) if client else ""


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Collect, also what other processes have run."""
    for name, value in report.user_properties:
        if name == "sdk" and report.when == "call":
            dialect, client, number, case = value  # type: ignore[misc]
            cases = _results.setdefault((dialect, client, number), {})
            passed = report.passed and cases.get(case, "yes") == "yes"
            cases[case] = "yes" if passed else ("skipped" if report.skipped else "**no**")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the table, where WRITE_SDK_TABLE is 1."""
    if os.environ.get("WRITE_SDK_TABLE") != "1" or hasattr(session.config, "workerinput") or not _results:
        return
    order = list(PRESETS)
    columns = sorted(_results, key=lambda column: (order.index(column[0]), "Node" in column[1], column[1]))
    rows = [*CASES, "rate_limited", "long_wait", "stream", "held_stream"]
    lines = [
        "# What the vendors' own clients make of errorkit's answers",
        "",
        "Each cell is a test in `tests/clients/`: an unmodified client against a real server, judged by the",
        "exception it raises, the code, type, param, message, request id and status on it, and the number of",
        "requests it sent. A dash: not tried, as the client has no such thing (an error within a stream, a retry",
        "verdict), or as another row of the same vendor shows it. Two clients take a case their own way: acme makes",
        "its ConflictError of every 409, and google-auth answers a 401 by refreshing credentials. `rate_limited`",
        "fails once and then succeeds, by the client's own retry where it has one; `long_wait` advises an hour, which",
        "no client may sleep through; `stream` fails after its first events, `held_stream` before them, where",
        "[`hold_start`](streaming.md#hold-the-start) keeps the start back, and is retried as `rate_limited` is.",
        "",
        "Written by `WRITE_SDK_TABLE=1 python -m pytest tests/clients`.",
        "",
        "| dialect | client | version | cases that hold | cases that do not |",
        "| --- | --- | --- | --- | --- |",
    ]
    for dialect, client, number in columns:
        cases = _results[dialect, client, number]
        bad = [case for case, held in cases.items() if held != "yes"]
        lines.append(f"| {dialect} | {client} | {number} | {len(cases) - len(bad)} | {', '.join(bad) or 'none'} |")
    lines += ["", "| case | " + " | ".join(f"{d}: {c}" for d, c, _ in columns) + " |"]
    lines.append("| --- " * (len(columns) + 1) + "|")
    for row in rows:
        cells = [_results[column].get(row, "-") for column in columns]
        lines.append(f"| {row} | " + " | ".join(cells) + " |")
    TABLE.write_text("\n".join(lines) + "\n", encoding="utf-8")
