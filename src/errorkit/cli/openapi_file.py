"""An OpenAPI document from a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def read(path: Path) -> dict[str, Any]:
    """An OpenAPI document from a file, JSON or YAML. Raises ValueError."""
    try:
        text = path.read_text(encoding="utf-8")
        found = json.loads(text) if path.suffix == ".json" else _yaml(text)
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}; looked in {Path.cwd()}") from None
    except ValueError as error:
        raise ValueError(f"{path} cannot be read: {error}") from None
    if not isinstance(found, dict):
        raise ValueError(f"{path} holds no OpenAPI document")
    return found


def _yaml(text: str) -> Any:
    """YAML as JSON values: a date stays the text that it is, and `404:` is a text, too."""
    import yaml

    class Loader(yaml.SafeLoader):
        yaml_implicit_resolvers = {
            first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
            for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
        }

    try:
        return json.loads(json.dumps(yaml.load(text, Loader)))  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, TypeError, RecursionError) as error:
        raise ValueError(str(error)) from None
