"""The long description of the package: the README, as an index renders it."""

from __future__ import annotations

import importlib.util
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType

import pytest

from requirements import require_module

markdown = require_module("readme_renderer.markdown")

ROOT = Path(__file__).resolve().parents[2]


def _generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_description", ROOT / "docs" / "generate_description.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GENERATOR = _generator()


class Targets(HTMLParser):
    """Where links and pictures lead, and the text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.found += [str(values[name]) for name in ("href", "src", "srcset") if name in values]

    def handle_data(self, data: str) -> None:
        self.text += data


def rendered(text: str) -> Targets:
    html = markdown.render(text)
    assert html is not None
    return Targets(html)


def test_it_is_made_of_the_readme() -> None:
    """`python docs/generate_description.py` writes it."""
    assert (ROOT / "DESCRIPTION.md").read_text() == GENERATOR.current()


def test_an_index_shows_it_and_no_link_of_it_is_dead() -> None:
    """Rendered by the index's own library: every target is absolute, or one of its headings."""
    page = rendered((ROOT / "DESCRIPTION.md").read_text())
    assert [target for target in page.found if not target.startswith(("https://", "#user-content-"))] == []
    assert "raise ConflictError" in page.text
    assert "pip install" in page.text


def test_the_readme_itself_would_have_dead_ones() -> None:
    """So that the test above cannot pass because the renderer drops them."""
    assert "docs/tutorial.md" in rendered((ROOT / "README.md").read_text()).found


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        (None, "See the tutorial, a [site](https://example.com/x).\n"),
        (
            "https://example.com/kit/",
            (
                "See [the tutorial](https://example.com/kit/blob/main/docs/tutorial.md), a [site](https://example.com/x)."
                " ![Page](https://example.com/kit/raw/main/docs/pictures/page.png)\n"
            ),
        ),
    ],
)
def test_a_known_address_makes_links_absolute(source: str | None, shown: str) -> None:
    """What pyproject.toml names as Source; code is left as it is."""
    code = "```python\nd = {}[a](b)\n```\n"
    text = (
        "See [the tutorial](docs/tutorial.md), a [site](https://example.com/x). ![Page](docs/pictures/page.png)\n"
        + code
    )
    made = GENERATOR.described(text, source)
    assert made.replace(" \n", "\n").startswith(shown + code)
