"""The README's pictures: a part of the demonstration in a terminal, and a page of its service's reference.

python3 dev.py pictures [DIRECTORY]    draw them, by default into docs/pictures

Needs Chromium and its driver. Whatever changes from run to run in the terminal is left as it was.
"""

from __future__ import annotations

import inspect
import io
import re
import sys
import tempfile
from pathlib import Path

import httpx
from rich.console import Console

from errorkit.cli.import_path import load
from errorkit.publish import generate, written_files
from examples.demo.__main__ import show
from examples.demo.screen import Screen
from examples.demo.server import UVICORN, Server
from examples.demo.steps import STEPS
from publish.reference.browser import browser  # tests/, which dev.py puts on the path

PICTURES = Path(__file__).with_name("pictures")
SHOWN = ("rate_limited", "internal")
"""Codes of the demonstration that the terminal shows, the first step of each."""
CODE = "version_mismatch"
"""Whose page is shown."""
WIDTH, HEIGHT = 1180, 1200
COLUMNS = 100
_SVG: str = inspect.signature(Console.export_svg).parameters["code_format"].default
_WEB_FONTS = re.compile(r"\s*@font-face \{\{.*?\}\}", re.DOTALL)


def terminal(path: Path) -> None:
    """The demonstration's steps as an SVG. Raises RuntimeError where one goes otherwise than announced."""
    console = Console(
        record=True, width=COLUMNS, file=io.StringIO(), highlight=False, soft_wrap=True, force_terminal=True,
        color_system="truecolor", legacy_windows=False,
    )  # fmt: skip
    screen = Screen(console)
    with Server(UVICORN) as server, httpx.Client(base_url=server.url(), timeout=30) as client:
        for code in SHOWN:
            number, step = next((number, step) for number, step in enumerate(STEPS, 1) if step.code == code)
            screen.heading(f"{number} · {step.title}")
            step = step._replace(fields={**step.fields, "X-Request-ID": f"demo-{number}"})
            if wrong := list(show(screen, client, server, step)):
                raise RuntimeError("; ".join(wrong))
    drawn = console.export_svg(
        title="python3 dev.py demo",
        unique_id="demo",
        code_format=_WEB_FONTS.sub("", _SVG).replace("Fira Code, monospace", "monospace"),
    )
    path.write_text(re.sub(r"[ \t]+$", "", drawn, flags=re.MULTILINE), encoding="utf-8")


def page(light: Path, dark: Path) -> None:
    """One code's page of the reference of the example service, twice."""
    found = load("examples.fastapi_app.main:app")
    files = generate("docs html", found.catalog, found.dialect(), found.options(title="Docstore"))
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder)
        written_files.write(written_files.places(files, site))
        with browser(site / "profile", width=WIDTH, height=HEIGHT) as driver:
            driver.execute_cdp_cmd("Emulation.setScrollbarsHidden", {"hidden": True})
            for scheme, path in (("light", light), ("dark", dark)):
                feature = {"name": "prefers-color-scheme", "value": scheme}
                driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
                driver.get((site / CODE / "index.html").as_uri())
                path.write_bytes(driver.get_screenshot_as_png())


def main() -> int:
    """Draw all."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURES
    folder.mkdir(parents=True, exist_ok=True)
    terminal(folder / "demo.svg")
    page(folder / "reference-light.png", folder / "reference-dark.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
