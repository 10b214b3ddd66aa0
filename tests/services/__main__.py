"""`python -m tests.services [names] [--write]`: 0 if all that must be identical is."""

from __future__ import annotations

import argparse
import sys

from .comparison import compare, unclaimed
from .environments import ROOT, InstallationError, prepare, versions
from .report import Result, page
from .running import ServiceError, free_port, run
from .service import load

NAMES = (
    "chromadb", "prefect", "litellm", "gradio", "mlflow_fastapi", "mcp_server", "datasette", "httpbin", "mlflow_flask",
    "kinto", "radicale", "moto", "pypiserver",
)  # fmt: skip
LEAST_SUCCESSES, LEAST_FAILURES = 5, 8
PAGE = ROOT / "docs" / "real-services.md"


def examine(name: str) -> Result:
    """Install and run one service, bare and covered, and compare."""
    service = load(name)
    python = prepare(service)
    port = free_port()
    bare = run(name, service, python, port, covered=False)
    covered = run(name, service, python, port, covered=True)
    verdicts = compare(service, bare, covered)
    return Result(name, service, versions(python), tuple(verdicts), len(unclaimed(verdicts, covered)))


def control(name: str) -> list[str]:
    """What differs between two runs of the bare service: its own unsteadiness, which must be named as volatile."""
    service = load(name)
    python = prepare(service)
    port = free_port()
    first, second = (run(name, service, python, port, covered=False) for _ in range(2))
    verdicts = compare(service, first, second)
    return [f"{each.ask.what}: {'; '.join(each.differences)}" for each in verdicts if each.differences]


def scarce(result: Result) -> list[str]:
    """A service that refuses or accepts nearly everything shows nothing."""
    failures = sum(each.failed for each in result.verdicts)
    successes = len(result.verdicts) - failures
    few = successes < LEAST_SUCCESSES or failures < LEAST_FAILURES
    return [f"only {successes} successes and {failures} failures"] if few else []


def main() -> int:
    """Examine, tell, and write the page if asked."""
    parser = argparse.ArgumentParser(prog="python -m tests.services", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"of: {', '.join(NAMES)}; default: all")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.relative_to(ROOT)} (needs all)")
    parser.add_argument("--control", action="store_true", help="both runs bare: shows what a service changes by itself")
    chosen = parser.parse_args()
    if unknown := set(chosen.names) - set(NAMES):
        parser.error(f"no such service: {', '.join(sorted(unknown))}")
    if chosen.write and (chosen.names or chosen.control):
        parser.error("the page holds all services, bare and covered: --write goes alone")
    results, wrong = [], 0
    for name in chosen.names or NAMES:
        try:
            if chosen.control:
                head, faults = "control", control(name)
            else:
                result = examine(name)
                results.append(result)
                head, faults = " | ".join(result.row()[1:]), [*result.faults(), *scarce(result)]
        except (InstallationError, ServiceError) as failed:
            head, faults = "could not be examined", [str(failed)]
        wrong += len(faults)
        print("\n    ".join([f"{name}: {head}", *faults]), flush=True)
    if chosen.write and len(results) == len(NAMES):
        PAGE.write_text(page(results))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
