"""What is published: an sdist with all that a distributor needs, a wheel with what runs and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest

from requirements import require_module

for _module in ("build", "flit_core", "twine"):
    require_module(_module)

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PYTHONS = ("3.11", "3.12", "3.13", "3.14")


@pytest.fixture(name="built", scope="module")
def _built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both, the wheel from the sdist, by the installed flit_core: nothing is fetched."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(name="wheel")
def _wheel(built: Path) -> Path:
    return next(built.glob("*.whl"))


@pytest.fixture(name="metadata")
def _metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return Parser().parsestr(archive.read(name).decode())


def files(*folders: str) -> set[str]:
    """The project's own files in these folders."""
    found = (path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file())
    return {
        path.relative_to(ROOT).as_posix()
        for path in found
        if not {"__pycache__", "results", "node_modules"} & set(path.parts) and path.suffix != ".pyc"
    }


def test_the_index_would_take_them(built: Path) -> None:
    """Metadata and long description, warnings included."""
    paths = sorted(map(str, built.iterdir()))
    assert len(paths) == 2
    done = subprocess.run(
        [sys.executable, "-m", "twine", "check", "--strict", *paths], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_wheel_has_the_package_and_nothing_else(wheel: Path) -> None:
    """Every module, py.typed and the templates."""
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if not name.partition("/")[0].endswith(".dist-info")}
    assert names == {name.removeprefix("src/") for name in files("src/errorkit")}
    assert {"errorkit/py.typed", "errorkit/publish/reference/templates/base.html"} <= names


def test_the_sdist_has_tests_docs_examples_and_changelog(built: Path) -> None:
    """A distributor can run what the project runs."""
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    single = {
        "CHANGELOG.md", "CONTRIBUTING.md", "DESCRIPTION.md", "LICENSE", "Makefile", "README.md", "SECURITY.md",
        "dev.py", "pyproject.toml", "zensical.toml",
    }  # fmt: skip
    wanted = single | files("src", "tests", "docs", "examples", "benchmarks", ".ci")
    assert names - wanted == {"PKG-INFO"}
    assert wanted - names == set()


def test_the_metadata_says_who_what_and_for_which_python(metadata: Message) -> None:
    """What an index filters by; extras are what users install, not what the project is developed with."""
    assert metadata["License-Expression"] == "MIT"
    assert metadata["Author"] == metadata["Maintainer"] == "The errorkit authors"
    classifiers = metadata.get_all("Classifier", [])
    assert [
        each.rpartition(" ")[2] for each in classifiers if each.startswith("Programming Language :: Python :: 3.")
    ] == [*PYTHONS]
    for family in ("Development Status", "Framework", "Intended Audience", "Operating System", "Topic", "Typing"):
        assert any(each.startswith(f"{family} ::") for each in classifiers), family
    assert metadata.get_all("Provides-Extra") == [
        "adopt", "cli", "docs", "fastapi", "flask", "httpx", "httpx2", "testing",
    ]  # fmt: skip


def test_no_address_is_promised_that_is_not_there(metadata: Message) -> None:
    """Either the four places that people look for, or none: the project has no public address yet."""
    urls = {line.partition(", ")[0] for line in metadata.get_all("Project-URL", [])}
    assert urls in (set(), {"Changelog", "Documentation", "Issues", "Source"})
    assert set(PROJECT.get("urls", {})) == urls


def test_the_wheel_works_on_its_own(wheel: Path, tmp_path: Path) -> None:
    """From nothing but its own files: the templates are found where they are installed."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    (tmp_path / "shop.py").write_text("from errorkit import Catalog\ncatalog = Catalog()\n")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "installed")}
    where = subprocess.run(
        [sys.executable, "-c", "import errorkit; print(errorkit.__file__)"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert where.stdout.startswith(str(tmp_path))
    for command in (["docs", "shop:catalog", "--output", "site"], ["client", "typescript", "shop:catalog", "-o", "ts"]):
        subprocess.run([sys.executable, "-m", "errorkit", *command], cwd=tmp_path, env=environment, check=True)
    assert (tmp_path / "site" / "index.html").exists()
    assert list((tmp_path / "ts").rglob("*.ts"))
