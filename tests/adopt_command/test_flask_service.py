"""A Flask service with its own tests: adopted by the command, its tests before and after."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_name("flask_lending")
ERRORKIT = Path(__file__).resolve().parents[2] / "src"


@pytest.fixture(name="service")
def _service(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SOURCE, tmp_path / "service", ignore=shutil.ignore_patterns("__pycache__")))


def run(service: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": f"{ERRORKIT}", "NO_COLOR": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, "-m", *words], cwd=service, env=environment, capture_output=True, text=True, check=False
    )


def own_tests(service: Path) -> tuple[int, list[str]]:
    """How many of the service's own tests pass, and which do not."""
    done = run(service, "pytest", "-q", "-p", "no:cacheprovider", "tests")
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None, done.stdout + done.stderr
    return int(passed[1]), re.findall(r"^FAILED (\S+\[.*\]|\S+)", done.stdout, re.MULTILINE)


UNSURE = """\
not sure  lending/__init__.py:28  the handler of LedgerClosed stays: it does more than to map
not sure  lending/books.py:61  returns a 409 with a body of its own
not sure  lending/domain.py:18  TeaTime derives from a framework's error: give it a class by hand
not sure  lending/loans.py:56  raises 503, but lending/loans.py:73 catches it
not sure  lending/loans.py:60  raises 410, but lending/loans.py:73 catches it
26 raises rewritten, 2 handlers mapped, 25 new classes, 5 files changed, 5 not sure
"""


def test_its_own_tests_before_and_after(service: Path) -> None:
    """26 of 30 raises and 2 of 3 handlers; every status and all words as before but for one.

    It is the 503 that stayed a framework's exception: its words are not shown, as of any 5xx that nobody declared.
    """
    assert own_tests(service) == (33, [])
    adopted = run(service, "errorkit", "adopt", "lending", "--app", "lending:create_app", "--write")
    assert adopted.returncode == 0, adopted.stderr
    assert "13 operations: 0 faults, 1 not followed\n" in adopted.stderr
    assert adopted.stderr.endswith(UNSURE)
    assert own_tests(service) == (32, ["tests/test_lending.py::test_answers[POST /ledger/flood]"])
    books = (service / "lending" / "books.py").read_text()
    assert "@raises(NoSuchBook, HowManyCopies, CountNotNumber, CopiesCannot)\ndef copies(" in books
    lend = (service / "lending" / "loans.py").read_text().partition("def lend(")[0].rpartition("@raises")[2]
    assert {"NoSuchBook", "AllCopiesOut", "BookCouldNotRead"} <= set(re.findall(r"\w+", lend))
    checked = run(service, "errorkit", "check", "lending:create_app")
    assert (checked.returncode, checked.stdout.splitlines()[-1]) == (0, "13 operations: 0 faults, 1 not followed")
    again = run(service, "errorkit", "adopt", "lending", "--app", "lending:create_app")
    assert (again.stdout, again.returncode) == ("", 0)
    assert "0 raises rewritten, 0 handlers mapped, 0 new classes, 0 files would change" in again.stderr
    linted = run(service, "ruff", "check", "--isolated", "--select", "F,E9", "lending")
    assert linted.returncode == 0, linted.stdout


def test_the_diff_is_what_write_writes(service: Path) -> None:
    """Nothing is changed by looking; git applies what is shown."""
    subprocess.run(["git", "init", "-q", "."], cwd=service, check=True)
    before = {path: path.read_bytes() for path in service.rglob("*.py")}
    shown = run(service, "errorkit", "adopt", "lending", "--app", "lending:create_app")
    assert {path: path.read_bytes() for path in service.rglob("*.py")} == before
    subprocess.run(["git", "apply", "-"], cwd=service, input=shown.stdout, text=True, check=True)
    applied = {path: path.read_bytes() for path in service.rglob("*.py")}
    for path in set(applied) - set(before):
        path.unlink()
    for path, content in before.items():
        path.write_bytes(content)
    run(service, "errorkit", "adopt", "lending", "--app", "lending:create_app", "--write")
    assert {path: path.read_bytes() for path in service.rglob("*.py")} == applied
