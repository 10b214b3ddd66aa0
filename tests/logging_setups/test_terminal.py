"""Standard error where no log is set up: on a real terminal, in development, and in production."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from errorkit.redaction import Redactor
from errorkit.standard_error import columns_of, write
from logging_setups.running import PAGE, ROOT

SERVICE = '''"""A service whose crash is looked at."""

from fastapi import FastAPI

from errorkit.fastapi import install

app = FastAPI()
install(app, dialect="openai", development=DEVELOPMENT)


@app.get("/divide/{number}")
def divide(number: int) -> int:
    return 7 // number


@app.get("/wide/{word}")
def wide(word: str) -> None:
    text = "a line of source that is a good deal longer than any terminal which the tests have a look at, and goes on"
    raise ValueError(f"{word} 日本語のとても長い説明 " * 12 + text)


from fastapi.testclient import TestClient

client = TestClient(app, raise_server_exceptions=False)
for path in PATHS:
    client.get(path, headers={"X-Request-ID": "r1"})
'''
COLOUR = re.compile(r"\x1b\[[\d;]*m")


def run(folder: Path, *paths: str, columns: int = 0, development: bool = False, **environment: str) -> tuple[str, str]:
    """What the service writes to standard output and to standard error; columns: of a terminal as the latter."""
    (folder / "service.py").write_text(SERVICE.replace("DEVELOPMENT", str(development)).replace("PATHS", repr(paths)))
    own, theirs = pty.openpty() if columns else os.pipe()
    if columns:
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "service.py"],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "src"), "PYTHONUTF8": "1", "TERM": "xterm"}
        | environment,
        stdout=subprocess.PIPE,
        stderr=theirs,
    )
    os.close(theirs)
    told = b""
    try:
        while some := os.read(own, 65536):
            told += some
    except OSError:  # how a terminal says that nobody writes to it any more
        pass
    os.close(own)
    out = process.communicate()[0]
    assert process.returncode == 0, told.decode()
    return out.decode(), told.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("terminal", [True, False])
def test_an_event_fits_the_width(columns: int, terminal: bool, tmp_path: Path) -> None:
    """On a terminal of that many columns, and in development by `COLUMNS`; the place of the bug is there whole."""
    chosen: dict[str, Any] = {"columns": columns} if terminal else {"development": True, "COLUMNS": str(columns)}
    out, told = run(tmp_path, "/nope", "/divide/0", "/wide/" + "x" * 300, **chosen)
    rows = COLOUR.sub("", told).splitlines()
    assert out == ""
    assert max(map(columns_of, rows)) <= columns
    assert (told != COLOUR.sub("", told)) is terminal
    text = "\n".join(rows)
    assert text.count("request_failed") == 3
    assert '  File "service.py", line 13, in divide\n      11 @app.get("/divide/{number}")' in text
    assert "\n    ❱ 13     return 7 // number\n" in text
    assert "…" in text.partition("line 19")[2]
    assert "".join(text.split()).count("x" * 300) >= 2


def test_the_pages_picture_is_what_a_terminal_shows(tmp_path: Path) -> None:
    """But for the time, the duration and how many frames the installed versions have."""
    shown = PAGE.partition("```text\n")[2].partition("```")[0]
    _, told = run(tmp_path, "/divide/0", columns=80)
    event = COLOUR.sub("", told).partition("user_handlers=[]\n")[2]
    varying = r"^\d\d:\d\d:\d\d|(?<=duration_ms=)[\d.]+|(?<=… )\d+ frames of [\w, ]+"
    assert re.sub(varying, "*", event) == re.sub(varying, "*", shown)


@pytest.mark.parametrize("wish", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_colours_can_be_refused(wish: dict[str, str], tmp_path: Path) -> None:
    """Source: no-color.org."""
    _, told = run(tmp_path, "/divide/0", columns=80, **wish)
    assert "\x1b" not in told
    assert "❱" in told


def test_in_production_an_event_is_one_line(tmp_path: Path) -> None:
    """With time and level; the traceback is a field of it, and without source."""
    out, told = run(tmp_path, "/nope", "/divide/0")
    start, missing, crash = told.splitlines()
    assert out == ""
    for line, level in (
        (start, "INFO errorkit_installed"),
        (missing, "INFO request_failed"),
        (crash, "ERROR request_failed"),
    ):
        assert re.match(rf"\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{{3}}Z {level} ", line)
    assert "code=not_found status=404 method=GET route=null path=/nope request_id=r1 " in missing
    assert re.search(r' exception="ZeroDivisionError: [\w ]+\\n  .*service\.py:13 divide"$', crash)


class Terminal(io.StringIO):
    """Says that it is one."""

    def isatty(self) -> bool:
        return True


_WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cf", "Zl", "Zp")), max_size=400)


@given(st.dictionaries(st.sampled_from(("code", "path", "context")), _WORDS), _WORDS, st.integers(40, 200))
def test_no_row_is_wider_than_the_terminal(fields: dict[str, str], words: str, columns: int) -> None:
    """Whatever is in it, wide and combining characters as well; and all of it is there."""
    stream = Terminal()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stderr", stream)
        patch.setenv("COLUMNS", str(columns))
        write(
            "error",
            "event",
            fields,
            ExceptionGroup(words, [ValueError(words)]),
            development=False,
            words=True,
            redactor=Redactor(),
        )
    rows = COLOUR.sub("", stream.getvalue()).splitlines()
    assert max(map(columns_of, rows)) <= columns
    for name in fields:
        assert sum(f" {name}=" in row for row in rows) >= 1


def test_the_least_level_is_info_or_the_loggers() -> None:
    """The root logger's default, warning, hides nothing; a level that is set does."""
    program = """
import logging
from errorkit.events import EventLog

log = EventLog()
log.announce("first")
logging.getLogger("errorkit").setLevel("WARNING")
log.announce("second")
log.announce("third", development="a warning")
logging.disable(logging.WARNING)
log.announce("fourth", development="a warning")
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert re.findall(r" (\w+) (\w+)(?: development=.*)?$", done.stderr, re.MULTILINE) == [
        ("INFO", "first"),
        ("WARNING", "third"),
    ]
    assert done.stdout == ""
