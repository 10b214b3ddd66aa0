"""`python -m errorkit`, and the command `errorkit`."""

import io
import sys


def main() -> None:
    """Run the command line. Says what to install where it cannot."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8")  # as files are written, wherever it runs
    try:
        from errorkit.cli import app
    except ImportError as error:
        sys.exit(f"errorkit's command line needs {error.name!r}: install errorkit[cli]")
    app()


if __name__ == "__main__":
    main()
