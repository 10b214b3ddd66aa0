"""Ratios of CPU time to the bare framework.

Each contender lives in a process of its own, forked after the imports. A round is one batch of
the bare framework and one of the contender, in turns; the figure is the median of the rounds'
ratios, so that what slows the machine down slows both. `bare` is measured against itself, too.
"""

from __future__ import annotations

import gc
import math
import os
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import NamedTuple

from benchmarks.contenders import Contender, configure_logs, contender_of, workload
from benchmarks.scenarios import SCENARIOS, Scenario

CONTROL = "bare again"


class Ratio(NamedTuple):
    """A median with its 95 % confidence interval, and what was answered.

    microseconds: the bare framework's own time, which does not travel between machines.
    """

    ratio: float
    low: float
    high: float
    microseconds: float
    status: int


def measure(contender: Contender, scenario: Scenario, *, rounds: int, batch_seconds: float) -> Ratio:
    """One contender in one scenario, next to the bare framework."""
    bare = contender_of(contender.framework, "bare")
    with _worker(bare, scenario) as (base, _), _worker(contender, scenario) as (other, status):
        requests = max(5, int(batch_seconds / max(_seconds(base, 20) / 20, 1e-6)))
        others = max(5, int(batch_seconds / max(_seconds(other, 20) / 20, 1e-6)))
        ratios, own = [], []
        for index in range(rounds):
            if index % 2:
                second, first = _seconds(other, others) / others, _seconds(base, requests) / requests
            else:
                first, second = _seconds(base, requests) / requests, _seconds(other, others) / others
            ratios.append(second / first)
            own.append(first)
    ratios.sort()
    spread = 0.98 * math.sqrt(rounds)
    low, high = max(0, math.floor(rounds / 2 - spread)), min(rounds - 1, math.ceil(rounds / 2 + spread))
    return Ratio(statistics.median(ratios), ratios[low], ratios[high], statistics.median(own) * 1e6, status)


def _seconds(worker: Connection, requests: int) -> float:
    worker.send(requests)
    taken: float = worker.recv()
    return taken


@contextmanager
def _worker(contender: Contender, scenario: Scenario) -> Iterator[tuple[Connection, int]]:
    """A process that serves batches and tells their CPU time, and the status it answers with."""
    here, there = Pipe()
    pid = os.fork()
    if pid == 0:
        try:
            here.close()
            if hasattr(os, "sched_setaffinity"):  # the same core for both of a pair: neighbours differ between cores
                os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
            _serve(contender, scenario, there)
        finally:
            os._exit(0)
    there.close()
    try:
        yield here, here.recv()
    finally:
        here.close()
        os.waitpid(pid, 0)


def _serve(contender: Contender, scenario: Scenario, parent: Connection) -> None:
    configure_logs(scenario.logs)
    batch, once = workload(contender, scenario)
    parent.send(once().status)
    batch(60)
    gc.collect()
    gc.freeze()  # the application is no garbage: do not look through it before each batch
    while True:
        try:
            requests = parent.recv()
        except EOFError:
            return
        gc.collect()
        gc.disable()
        start = time.process_time()
        batch(requests)
        taken = time.process_time() - start
        gc.enable()
        parent.send(taken)


def scenarios_of(framework: str) -> list[Scenario]:
    """What is measured in a framework: Starlette validates nothing. What is only counted is in `ratios`."""
    absent = {"invalid", "invalid_logged"} if framework == "starlette" else set()
    timed = (scenario for scenario in SCENARIOS.values() if scenario.logs != "built" and not scenario.middlewares)
    return [scenario for scenario in timed if scenario.name not in absent]
