"""The dialect is a word of configuration: file, environment, or argument."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from errorkit.config import ConfigurationError
from examples.demo.server import GUNICORN, UVICORN, Server
from examples.docstore import setup

EXAMPLES = Path(setup.__file__).parents[1]


def chosen() -> list[str]:
    return [dialect.name for _, dialect in setup.load_config().dialects if dialect is not None]


def test_the_file_chooses_and_the_environment_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    """`errorkit.toml` says problem; ERRORKIT_DIALECT overrides it."""
    monkeypatch.delenv("ERRORKIT_DIALECT", raising=False)
    assert chosen() == ["problem"]
    monkeypatch.setenv("ERRORKIT_DIALECT", "kaplaix")
    assert chosen() == ["kaplaix"]


def test_a_dialect_that_does_not_exist_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the field, the value and what was probably meant."""
    monkeypatch.setenv("ERRORKIT_DIALECT", "opneai")
    with pytest.raises(ConfigurationError, match=r"dialect='opneai'.*did you mean 'openai'"):
        setup.load_config()


@pytest.mark.parametrize("command", [UVICORN, GUNICORN], ids=["uvicorn", "gunicorn"])
def test_a_service_speaks_the_environments_dialect(command: tuple[str, ...], tmp_path: Path) -> None:
    """The same command, another word in the environment, another envelope."""
    with Server(command, ERRORKIT_DIALECT="openai", HOME=str(tmp_path)) as server:
        response = httpx.get(server.url() + "/v1/documents/7", headers={"Authorization": "Bearer acme-key"})
        event = server.next_event()
    assert response.status_code == 404
    assert response.json() == {
        "error": {
            "message": "There is no such document.",
            "type": "invalid_request_error",
            "param": None,
            "code": "document_not_found",
        }
    }
    assert event["request_id"] == response.headers["x-request-id"]


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*_app/main.py")), ids=lambda path: path.parent.name)
def test_no_application_knows_a_dialect(path: Path) -> None:
    """Handlers name no envelope, so switching it changes none of them."""
    from errorkit.dialects import PRESETS

    text = path.read_text().lower()
    frameworks = {"fastapi", "flask"}  # their own shapes are presets, too
    assert [name for name in PRESETS if name in text and name not in frameworks] == []


def test_the_limiter_takes_its_storage_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """DOCSTORE_LIMITER_URL is a storage of the `limits` package; one that it does not know is refused."""
    from limits.errors import ConfigurationError as UnknownStorage

    monkeypatch.setenv("DOCSTORE_LIMITER_URL", "carrier-pigeon://loft")
    with pytest.raises(UnknownStorage, match="carrier-pigeon"):
        setup.open_docstore()


def test_the_database_is_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """DOCSTORE_DATABASE_URL is opened as it is, and not seeded twice."""
    monkeypatch.setenv("DOCSTORE_DATABASE_URL", f"sqlite:///{tmp_path}/kept.db")
    for _ in range(2):
        caller = setup.open_docstore().authenticate("Bearer acme-key")
        assert caller.tenant == "acme"
    assert (tmp_path / "kept.db").exists()
