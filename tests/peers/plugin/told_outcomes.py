"""A pytest plugin that writes what became of every test, and what a failed one looked at.

A failure's kind is read from the statement of the suite that failed and from its frame:

body        compares what an error response (status >= 400) holds
headers     compares header fields of an error response
exception   expects an exception where none came
refusal     a websocket's handshake was refused with status 500
status      compares a status
other       anything else
"""

from __future__ import annotations

import ast
import json
import re
import textwrap
from collections.abc import Generator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import covered_apps
import pytest

_BODY = {"json", "text", "content", "data", "get_data", "get_json", "body"}
_PROPERTY = "errorkit_failure"

_outcomes: dict[str, dict[str, str]] = {}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where to write."""
    parser.addoption("--outcomes", type=Path, required=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Let a failure's kind travel with its report, from workers too."""
    report = yield
    if report.failed and call.excinfo is not None:
        kind, statement = _looked_at(call.excinfo, item.config.rootpath)
        words = f"{call.excinfo.typename}: {call.excinfo.value}".splitlines()[0][:300]
        report.user_properties.append((_PROPERTY, {"kind": kind, "statement": statement, "words": words}))
    return report


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """The last phase that was not simply passed is the outcome."""
    told: dict[str, str] = dict(report.user_properties).get(_PROPERTY, {})  # type: ignore[arg-type]
    outcome = "xfailed" if hasattr(report, "wasxfail") else report.outcome
    if outcome == "failed" and not told:  # a strict xfail that passed, a lost worker
        told = {"kind": "other", "statement": "", "words": str(report.longrepr).splitlines()[-1][:300]}
    known = _outcomes.get(report.nodeid)
    if known is None or (report.when != "setup" and outcome != "passed" and known["outcome"] != "failed"):
        _outcomes[report.nodeid] = {"outcome": outcome, **told}


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """A module that cannot be imported is one failed test."""
    if report.failed:
        words = str(report.longrepr).splitlines()[-1][:300]
        _outcomes[report.nodeid] = {"outcome": "failed", "kind": "other", "statement": "", "words": words}


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write it, once."""
    if not hasattr(session.config, "workerinput"):
        told = {"covered": covered_apps.applications_covered(), "outcomes": _outcomes}
        session.config.getoption("--outcomes").write_text(json.dumps(told, indent=1, sort_keys=True))


def _looked_at(excinfo: pytest.ExceptionInfo[BaseException], root: Path) -> tuple[str, str]:
    """The kind of a failure and the statement that failed."""
    entries = [entry for entry in excinfo.traceback if root in Path(entry.path).parents]
    while entries and entries[-1].frame.code.name.startswith("<"):  # a comprehension's own frame
        entries.pop()
    if not entries:
        return "other", ""
    failed = entries[-1]
    statement = textwrap.dedent(str(failed.statement)).strip()
    read = _attributes(_without_message(statement), textwrap.dedent(str(failed.frame.code.source())))
    refused = any(map(_is_error, failed.frame.f_locals.values()))
    if excinfo.typename == "WebSocketDenialResponse" and getattr(excinfo.value, "status_code", 0) == 500:
        kind = "refusal"
    elif isinstance(excinfo.value, pytest.fail.Exception):
        kind = "exception" if "DID NOT RAISE" in str(excinfo.value) else "other"
    elif any("status" in name for name in read):
        kind = "status"
    elif refused and "headers" in read:
        kind = "headers"
    elif refused and read & _BODY:
        kind = "body"
    else:
        kind = "other"
    return kind, " ".join(statement.split())[:300]


def _without_message(statement: str) -> str:
    """An assertion without what it says when it fails, which often is the body."""
    with suppress(SyntaxError):
        for node in ast.parse(statement).body:
            if isinstance(node, ast.Assert):
                return ast.unparse(node.test)
    return statement


def _attributes(statement: str, function: str) -> set[str]:
    """The attributes that a statement reads, by itself or through variables of its function."""
    try:
        tree = ast.parse(statement)
    except SyntaxError:  # the head of a block
        return set(re.findall(r"\.(\w+)", statement))
    names = _names(tree)
    sources = [tree, *(value for target, value in _bindings(function) if _names(target) & names)]
    return {node.attr for source in sources for node in ast.walk(source) if isinstance(node, ast.Attribute)}


def _bindings(function: str) -> Iterator[tuple[ast.expr, ast.expr]]:
    """What a function assigns or loops over: targets and values."""
    with suppress(SyntaxError):
        for node in ast.walk(ast.parse(function)):
            if isinstance(node, ast.Assign):
                yield from ((target, node.value) for target in node.targets)
            elif isinstance(node, ast.For):
                yield node.target, node.iter


def _names(tree: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _is_error(value: Any) -> bool:
    status = getattr(value, "status_code", None)
    return isinstance(status, int) and status >= 400
