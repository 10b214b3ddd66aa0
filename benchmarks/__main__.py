"""python -m benchmarks [--quick] [--only starlette] [--out DIRECTORY]: writes results.json and results.md."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import instructions, resources, timing
from benchmarks.concealment import concealment
from benchmarks.contenders import BARE, CONTENDERS, ERRORKIT, FLOOR, configure_logs, contender_of, present, workload
from benchmarks.report import markdown
from benchmarks.scenarios import SCENARIOS

_QUICK = frozenset({"ok", "conflict", "invalid", "crash_logged"})
FRAMEWORKS = ("starlette", "fastapi", "flask")


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="under a minute: errorkit and its floor, CPU time alone")
    parser.add_argument("--only", choices=FRAMEWORKS, help="one framework")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"), help="directory for the results")
    options = parser.parse_args()
    frameworks = [options.only] if options.only else list(FRAMEWORKS)
    contenders, left_out = present()
    if not instructions.available():
        left_out.append("instructions are not counted: valgrind is not installed")
    for line in left_out:
        _say(line)
    for framework in frameworks:  # imports, once for all that is forked
        workload(contender_of(framework, ERRORKIT), SCENARIOS["ok"])
    configure_logs("dropped")
    results: dict[str, Any] = {
        "machine": _machine(),
        "time": _times(frameworks, contenders, quick=options.quick),
        "instructions": {} if options.quick or not instructions.available() else _instructions(frameworks),
        "server": {} if options.quick or options.only not in (None, "starlette") else _served(),
        "imports": {} if options.quick else _imports(),
        "kept": {} if options.quick else _kept(frameworks),
        "concealment": None if options.quick else str(concealment(samples=4000)),
        "left_out": left_out,
    }
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    text = markdown(results)
    (options.out / "results.md").write_text(text)
    print(text)


def _times(frameworks: list[str], contenders: Any, *, quick: bool) -> dict[str, Any]:
    rounds, seconds = (7, 0.004) if quick else (31, 0.012)
    table: dict[str, Any] = {}
    for contender in contenders:
        if contender.framework not in frameworks or (quick and contender.name not in (BARE, FLOOR, ERRORKIT)):
            continue
        name = timing.CONTROL if contender.name == BARE else contender.name
        row = table.setdefault(contender.framework, {}).setdefault(name, {})
        for scenario in timing.scenarios_of(contender.framework):
            if (quick and scenario.name not in _QUICK) or scenario.name not in (contender.only or SCENARIOS):
                continue
            found = timing.measure(contender, scenario, rounds=rounds, batch_seconds=seconds)
            row[scenario.name] = {**found._asdict(), "unexpected": found.status != scenario.status}
        _say(f"{contender.framework}: {name}")
    return table


def _instructions(frameworks: list[str]) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for framework in frameworks:
        scenarios = [scenario.name for scenario in timing.scenarios_of(framework)]
        names = (BARE, FLOOR, ERRORKIT)
        counts = instructions.count((framework, name, scenario) for name in names for scenario in scenarios)
        table[framework] = {
            name: {
                scenario: {
                    "count": counts[framework, name, scenario],
                    "ratio": counts[framework, name, scenario] / counts[framework, BARE, scenario],
                }
                for scenario in scenarios
            }
            for name in names
        }
        _say(f"{framework}: instructions")
    return table


def _served() -> dict[str, Any]:
    from benchmarks import server

    rows: dict[str, Any] = {}
    for scenario in ("ok", "conflict"):
        rounds: dict[str, list[server.Served]] = {
            name: [] for name in (BARE, FLOOR, ERRORKIT, "asgi-correlation-id", "BaseHTTPMiddleware")
        }
        for _ in range(5):  # in turns
            for name, found in rounds.items():
                found.append(server.served(contender_of("starlette", name), SCENARIOS[scenario], seconds=1.0))
        for name, found in rounds.items():
            pairs = list(zip(found, rounds[BARE], strict=True))
            rows.setdefault(name, {})[scenario] = {
                "requests": median(own.per_second / bare.per_second for own, bare in pairs),
                "cpu": median(own.cpu / bare.cpu for own, bare in pairs),
            }
    _say("server")
    return rows


def _imports() -> dict[str, Any]:
    return {name: resources.imported(new, base)._asdict() for name, base, new in resources.IMPORTS}


def _kept(frameworks: list[str]) -> dict[str, Any]:
    names = {(c.framework, c.name) for c in CONTENDERS}
    return {
        f"{framework}: {name}": resources.kept(framework, name, 30_000)._asdict()
        for framework in frameworks
        for name in (BARE, ERRORKIT)
        if (framework, name) in names
    }


def _machine() -> dict[str, Any]:
    packages = ("errorkit", "starlette", "fastapi", "flask", "pydantic", "structlog")
    return {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "versions": ", ".join(f"{package} {version(package)}" for package in packages),
    }


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
