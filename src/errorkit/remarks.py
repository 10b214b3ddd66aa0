"""What errorkit tells the operator about itself, beside the events: once each, by the standard library's logging."""

from __future__ import annotations

import logging
import sys
from contextlib import suppress

from errorkit.standard_logging import emit

_MAX_REMARKS = 1024
_made: set[str] = set()


def remark(text: str) -> None:
    """A warning of the logger `errorkit`, once per process for the same words. Never raises.

    Text must hold nothing that a client has sent: names of classes, settings and members alone.
    """
    if text in _made or len(_made) >= _MAX_REMARKS:
        return
    _made.add(text)
    try:
        emit(logging.WARNING, f"errorkit: {text}")
    except Exception:
        with suppress(Exception):  # standard error is closed: nobody is left to tell
            sys.stderr.write(f"errorkit: {text}\n")
