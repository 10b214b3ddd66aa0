"""Sentry's real SDK beside the set-ups: a crash is reported once, however many loggers its line comes by."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from logging_setups.running import ROOT, block

PROGRAM = """
import json, sentry_sdk
from sentry_sdk.transport import Transport

class Told(Transport):
    def capture_envelope(self, envelope):
        event = envelope.get_event()
        if event is not None:
            values = event.get("exception", {}).get("values", [])
            print("TOLD", json.dumps([(each["type"], each["mechanism"]["type"]) for each in values]), flush=True)

sentry_sdk.init(dsn="http://key@127.0.0.1/1", transport=Told)
from fastapi.testclient import TestClient
from logging_setups.served import app

client = TestClient(app, raise_server_exceptions=False)
for path in ("/nope", "/crash"):
    client.get(path)
"""


@pytest.mark.parametrize("section", ["", "`basicConfig`", "loguru"])
def test_a_crash_is_reported_once(section: str, tmp_path: Path) -> None:
    """By errorkit, and neither for its log line nor for what loguru makes of that."""
    if section:
        (tmp_path / "log_setup.py").write_text(block(section))
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT / 'src'}:{ROOT / 'tests'}"},
        capture_output=True,
        text=True,
        check=True,
    )
    log = (tmp_path / "service.log").read_text() if section == "`basicConfig`" else done.stderr
    assert log.count("planted_function") == 1
    assert [line for line in done.stdout.splitlines() if line.startswith("TOLD")] == [
        'TOLD [["ValueError", "errorkit"]]'
    ]
