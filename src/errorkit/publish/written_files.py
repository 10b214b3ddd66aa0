"""Files as written: put them there, or say what is stale about them."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import unified_diff
from pathlib import Path

from errorkit.publish import Files


def places(files: Files, output: Path) -> dict[Path, str]:
    """Where each file belongs: a single one may be named by `output` itself, more go beneath it."""
    if len(files) == 1 and output.suffix and not output.is_dir():
        return {output: next(iter(files.values()))}
    return {output / relative: text for relative, text in files.items()}


def write(places: dict[Path, str]) -> None:
    """Write every file that differs from what is there."""
    for path, text in places.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_bytes() != text.encode():
            path.write_bytes(text.encode())


def stale(places: dict[Path, str]) -> Iterator[str]:
    """A unified diff for each file that is absent or differs."""
    for path, text in places.items():
        written = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
        if written != text:
            yield "".join(
                unified_diff(
                    written.splitlines(keepends=True),
                    text.splitlines(keepends=True),
                    f"{path} (written)" if path.exists() else f"{path} (absent)",
                    f"{path} (generated)",
                    n=2,
                )
            )
