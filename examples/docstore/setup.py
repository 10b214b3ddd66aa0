"""What both applications are made from: the configuration of errors, the domain, the log."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy.exc import IntegrityError

from errorkit.config import Config
from errorkit.events import add_request_id
from examples.docstore.errors import CATALOG, DuplicateProjectError, TranslatorTimeoutError
from examples.docstore.limiter import Limiter
from examples.docstore.service import Docstore
from examples.docstore.store import open_database
from examples.docstore.translator import TranslationTimeout

SETTINGS = Path(__file__).parent.parent / "errorkit.toml"


def load_config(**settings: Any) -> Config:
    """How errors are shown: `settings` over environment over `errorkit.toml`.

    What the domain means by its errors is no setting, and stands here.
    """
    return Config.load(
        file=SETTINGS,
        catalog=CATALOG,
        exceptions={IntegrityError: DuplicateProjectError, TranslationTimeout: TranslatorTimeoutError},
        **settings,
    )


def open_docstore() -> Docstore:
    """The domain, as the environment has it."""
    return Docstore(
        open_database(os.environ.get("DOCSTORE_DATABASE_URL")),
        Limiter(os.environ.get("DOCSTORE_LIMITER_URL", "memory://")),
    )


def log_json_lines() -> None:
    """Every event of structlog as one line of JSON on standard output."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            add_request_id,
            structlog.processors.JSONRenderer(),
        ],
    )
