"""The process that serves: `python -m services.launch NAME PORT FOLDER [EVENTS]`, in the service's environment.

With EVENTS, errorkit is put in, and its events are appended to that file; else it is not even importable.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from .service import LINES, load

TESTS = Path(__file__).resolve().parents[1]


def main(name: str, port: str, folder: str, events: str = "") -> None:
    """Build the application, cover it if so told, serve until the process is ended."""
    service = load(name)
    sys.path[:] = [entry for entry in sys.path if entry and Path(entry) != TESTS]  # the service shall not see us
    os.environ.pop("PYTHONPATH", None)  # nor shall its own processes
    app = service.application(Path(folder))
    if events:
        app = _covered(app, LINES[service.adapter], Path(events))
    if service.server == "uvicorn":
        _uvicorn(app, int(port))
    else:
        _gunicorn(app, int(port))


def _covered(app: Any, line: str, events: Path) -> Any:
    """The application after the one line, errorkit's events going to a file."""
    sys.path.append(str(TESTS.parent / "src"))
    import structlog

    from errorkit.structured_logging import JSONLine

    structlog.configure(processors=[JSONLine()], logger_factory=structlog.BytesLoggerFactory(events.open("ab")))
    namespace = {"app": app}
    exec(line, namespace)
    return namespace["app"]


def _uvicorn(app: Any, port: int) -> None:
    import uvicorn

    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning")


def _gunicorn(app: Any, port: int) -> None:
    from gunicorn.app.base import BaseApplication

    class Server(BaseApplication):  # type: ignore[misc]
        def load_config(self) -> None:
            self.cfg.set("bind", f"127.0.0.1:{port}")
            self.cfg.set("workers", 1)

        def load(self) -> Any:
            return app

    Server().run()


if __name__ == "__main__":
    main(*sys.argv[1:])
