"""The documentation as a static site: built strictly, whole, and on its own."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from requirements import require_module

ROOT = Path(__file__).resolve().parents[2]
CONFIG = tomllib.loads((ROOT / "zensical.toml").read_text())["project"]

require_module("zensical")
require_module("mkdocstrings_handlers.python")


class Page(HTMLParser):
    """The links, the assets and the anchors of one page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.assets: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.anchors |= {found[name] or "" for name in ("id", "name") if name in found}
        if tag == "a":
            self.links.append(found.get("href") or "")
        elif tag == "link" and found.get("rel") != "canonical":
            self.assets.append(found.get("href") or "")
        elif tag in {"script", "img", "iframe", "source"}:
            self.assets.append(found.get("src") or "")


@pytest.fixture(name="site", scope="module")
def _site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from copies, so that nothing is written to the project. Warnings are errors."""
    home = tmp_path_factory.mktemp("site")
    shutil.copytree(ROOT / "docs", home / "docs")
    shutil.copytree(ROOT / "src", home / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "zensical.toml", home)
    command = [sys.executable, "-m", "zensical", "build", "--strict"]
    done = subprocess.run(command, cwd=home, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stdout + done.stderr
    return home / "site"


@pytest.fixture(name="pages", scope="module")
def _pages(site: Path) -> dict[Path, Page]:
    return {path: Page(path.read_text()) for path in site.rglob("*.html")}


def _files(nav: list[dict[str, Any]]) -> Iterator[str]:
    for entry in nav:
        for target in entry.values():
            if isinstance(target, str):
                yield target
            else:
                yield from _files(target)


def test_the_navigation_holds_every_page_once() -> None:
    """A page that nobody can find does not exist."""
    written = sorted(str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").rglob("*.md"))
    assert sorted(_files(CONFIG["nav"])) == written


def test_every_page_is_built(site: Path, pages: dict[Path, Page]) -> None:
    """Each source has its page, the front page first."""
    for source in _files(CONFIG["nav"]):
        folder = site if source == "index.md" else site / source.removesuffix(".md")
        assert folder / "index.html" in pages, source


def test_every_link_and_every_anchor_resolves(site: Path, pages: dict[Path, Page]) -> None:
    """Within the site; links of the error page are absolute and are left out."""
    broken = []
    for path, page in pages.items():
        for link in () if path.name == "404.html" else page.links + page.assets:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            known = target.exists() and (not parts.fragment or unquote(parts.fragment) in pages[target].anchors)
            if not known:
                broken.append(f"{path.relative_to(site)} -> {link}")
    assert broken == []


def test_nothing_is_loaded_from_another_host(pages: dict[Path, Page]) -> None:
    """The site reads the same without a network."""
    assert {asset for page in pages.values() for asset in page.assets if urlsplit(asset).netloc} == set()


@pytest.mark.parametrize(
    ("page", "name"),
    [
        ("errors", "errorkit.errors.APIError"),
        ("config", "errorkit.config.Config"),
        ("adapters", "errorkit.fastapi.install"),
        ("testing", "errorkit.testing.assert_error"),
        ("logging", "errorkit.structured_logging.JSONLine"),
    ],
)
def test_the_reference_is_made_of_the_docstrings(site: Path, pages: dict[Path, Page], page: str, name: str) -> None:
    """What a user imports has its entry."""
    assert name in pages[site / "api" / page / "index.html"].anchors
