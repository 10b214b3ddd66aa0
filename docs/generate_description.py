"""DESCRIPTION.md: the README as a package index shows it, where a path into the repository leads nowhere.

python docs/generate_description.py           write it
python docs/generate_description.py --check   exit 1 if the file is stale

A relative link becomes absolute where pyproject.toml names the repository (`[project.urls]`, `Source`); until it does,
only its words stay, and a picture goes.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "DESCRIPTION.md"
_FENCE = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?P<picture>!?)\[(?P<words>[^\]]*)\]\((?!https?://)(?P<target>[^)]+)\)")
_PICTURES = re.compile(r"^<picture>.*?</picture>\n+", re.MULTILINE | re.DOTALL)
_POINTER = "The pages that are named here lie in `docs/` of the source distribution.\n"


def described(readme: str, source: str | None) -> str:
    """The README's text without what leads nowhere. source: the repository's address on the web, if it has one."""

    def replaced(match: re.Match[str]) -> str:
        picture, words, target = match["picture"], match["words"], match["target"]
        if source is None:
            return "" if picture else words
        return f"{picture}[{words}]({source.rstrip('/')}/{'raw' if picture else 'blob'}/main/{target})"

    parts = _FENCE.split(_PICTURES.sub("", readme))
    text = "".join(part if part.startswith("```") else _LINK.sub(replaced, part) for part in parts)
    text = re.sub(r"\n{3,}", "\n\n", text)
    return text if source else f"{text.rstrip()}\n\n{_POINTER}"


def current() -> str:
    """What the file should hold."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    return described(readme, project.get("urls", {}).get("Source"))


def main() -> int:
    """Write the file, or compare."""
    if "--check" in sys.argv[1:]:
        return int(PAGE.read_text(encoding="utf-8") != current())
    PAGE.write_text(current(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
