"""`errorkit adopt` on the backend of the full-stack FastAPI template, and the template's own tests before and after.

    git clone --depth 1 https://github.com/fastapi/full-stack-fastapi-template template
    python3 -m venv environment
    environment/bin/pip install -e '.[adopt,cli,fastapi]' pytest $(python -m tests.adopt_command --requirements template)
    python -m tests.adopt_command template --python environment/bin/python --database postgresql://user@127.0.0.1/app

The database is PostgreSQL, because the template's migrations are; it must be empty, and is the test's to fill.
The checkout itself is not touched. Not part of the suite: docs/how-to/rewrite-raises.md has the figures.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path

OLDER_PYTHON = {
    "app/api/deps.py": ("except InvalidTokenError, ValidationError:", "except (InvalidTokenError, ValidationError):"),
    "app/models.py": ("items: list[Item] =", 'items: list["Item"] ='),
}
"""The template is written for Python 3.14; these two lines let an older one run it, before and after."""
SETTINGS = {
    "FASTAPI_ENV": "development",
    "PROJECT_NAME": "Template",
    "SECRET_KEY": "not a secret, but long enough to be one",
    "FIRST_SUPERUSER": "admin@example.com",
    "FIRST_SUPERUSER_PASSWORD": "changethis",
    "SMTP_HOST": "localhost",
    "EMAILS_FROM_EMAIL": "info@example.com",
}
DETAIL = '''\
"""FastAPI's own shape: `{"detail": ...}` and nothing else."""

from errorkit import Dialect
from errorkit.dialects import member, text
from typing_extensions import TypedDict


class Body(TypedDict):
    detail: str


class Detail(Dialect):
    name = "detail"
    Body = Body
    media_type = "application/json"
    carries = ("status", "message")
    copies = ("message",)

    def write(self, public):
        return {"detail": public.message}

    def read(self, status, headers, body):
        return self.public(status, headers, message=text(member(body, "detail")))
'''


class Backend:
    """A copy of the template's backend, and how its commands are run."""

    def __init__(self, checkout: Path, folder: str, python: str, database: str) -> None:
        self.folder = Path(shutil.copytree(checkout / "backend", Path(folder, "backend")))
        (self.folder / "app" / "frontend").mkdir(exist_ok=True)  # what its other half is built into
        (self.folder / "shape.py").write_text(DETAIL)
        self.python = python
        self.environment = {**os.environ, **SETTINGS, "DATABASE_URL": database, "PYTHONPATH": ".", "NO_COLOR": "1"}
        for name, (old, new) in OLDER_PYTHON.items():
            file = self.folder / name
            file.write_text(file.read_text().replace(old, new))

    def run(self, *words: str, needed: bool = True) -> subprocess.CompletedProcess[str]:
        """A module of its Python."""
        done = subprocess.run(
            [self.python, "-m", *words], cwd=self.folder, env=self.environment, capture_output=True, text=True
        )
        if needed and done.returncode:
            raise SystemExit(f"{' '.join(words)} failed:\n{done.stdout}{done.stderr}")
        return done

    def tests(self) -> str:
        """The last line of its own tests, and the names of those that fail."""
        done = self.run("pytest", "-q", "-p", "no:cacheprovider", "tests", needed=False)
        failed = re.findall(r"^FAILED \S+::(\S+)", done.stdout, re.MULTILINE)
        return "\n    ".join([done.stdout.splitlines()[-1].strip("= "), *failed])


def main(arguments: Sequence[str]) -> int:
    """Prints what the command did, what it left, and the tests."""
    parser = argparse.ArgumentParser(
        "python -m tests.adopt_command", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--python", default=sys.executable, help="one that has what the template requires")
    parser.add_argument("--database", default="postgresql://postgres@127.0.0.1:5432/app")
    parser.add_argument("--dialect", action="append", help="default: problem, and FastAPI's own shape")
    parser.add_argument("--requirements", action="store_true", help="print what the template requires")
    asked = parser.parse_args(arguments)
    if asked.requirements:
        project = tomllib.loads((asked.checkout / "backend" / "pyproject.toml").read_text())["project"]
        print("\n".join(line.replace(" ", "") for line in project["dependencies"]))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        bare = Backend(asked.checkout, folder, asked.python, asked.database)
        bare.run("alembic", "upgrade", "head")
        bare.run("app.initial_data")
        print(f"bare\n    {bare.tests()}")
    for dialect in asked.dialect or ("problem", "shape:Detail"):
        with tempfile.TemporaryDirectory() as folder:
            backend = Backend(asked.checkout, folder, asked.python, asked.database)
            told = backend.run("errorkit", "adopt", "app", "--app", "app.main:app", "--dialect", dialect, "--write")
            rows = [row for row in told.stderr.splitlines() if "arning" not in row and "warn" not in row]
            checked = backend.run("errorkit", "check", "app.main:app").stdout.splitlines()[-1]
            again = backend.run("errorkit", "adopt", "app", "--app", "app.main:app")
            print(f"adopted, {dialect}\n    " + "\n    ".join(rows))
            print(f"    check: {checked}\n    a second time: {again.stderr.splitlines()[-1]}")
            print(f"    its tests: {backend.tests()}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
