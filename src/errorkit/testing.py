"""For a service's own tests: what was recorded, what an error response says, and what its timing tells.

Needs no test framework: failed expectations raise AssertionError.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from random import Random
from time import perf_counter_ns
from typing import Any, Literal, NamedTuple

from errorkit.dialects import Dialect, get_dialect
from errorkit.exchange import Request
from errorkit.failure import Failure, Public
from errorkit.publish.recorded_traffic import Traffic
from errorkit.written_body import essence_of, form_of, from_bytes

__all__ = ["RecordedFailures", "TimingReport", "Traffic", "assert_error", "compare_timing"]

Verdict = Literal["distinguishable", "indistinguishable", "inconclusive"]


class RecordedFailures(list[Failure]):
    """The failures that were recorded, in order: give it as `on_failure`.

    It sees both parts of each failure, also what concealment keeps from the client.
    """

    def __call__(self, failure: Failure, request: Request) -> None:
        """The hook."""
        self.append(failure)

    @property
    def codes(self) -> list[str]:
        """The true codes, before concealment."""
        return [failure.private.code for failure in self]

    def only(self) -> Failure:
        """The one failure there is. Raises AssertionError, naming the codes, if there are none or several."""
        if len(self) != 1:
            raise AssertionError(f"one failure was expected, recorded were {self.codes}")
        return self[0]


def assert_error(
    response: Any, *, code: str, status: int | None = None, dialect: str | Dialect = "problem", **fields: Any
) -> Public:
    """Hold an error response against the dialect it should be in; give what it says.

    response: of httpx, requests, a Starlette or a Flask test client: anything with
        `status_code`, `headers` and `content` or `data`.
    code: canonical code. status: default any error. fields: further members of `Public`.

    Raises AssertionError that names what differs: status, media type, `no-store`, `nosniff`,
    the request ID in header and body, code, fields.
    """
    chosen = get_dialect(dialect) if isinstance(dialect, str) else dialect
    headers = {str(name).lower(): str(value) for name, value in response.headers.items()}
    raw: bytes = response.content if hasattr(response, "content") else response.data
    _hold("status", response.status_code, status if status is not None else range(400, 600))
    _hold("content-type", essence_of(headers.get("content-type", "")), essence_of(chosen.media_type))
    _hold("x-content-type-options", headers.get("x-content-type-options"), "nosniff")
    request_id = headers.get(chosen.request_id_header.lower())
    if not request_id:
        raise AssertionError(f"the response has no {chosen.request_id_header}")
    form = form_of(chosen.media_type)
    body = from_bytes(form, raw)
    if body is None:
        raise AssertionError(f"the body is not {form} that can be read: {raw[:200]!r}")
    public = chosen.read(response.status_code, headers, body)
    if "code" in chosen.carries:
        _hold("code", public.code, code)
    if "request_id" in chosen.carries:
        _hold("request_id", public.request_id, request_id)
    for name, expected in fields.items():
        _hold(name, getattr(public, name), expected)
    return public


def _hold(what: str, found: Any, expected: Any) -> None:
    if found not in expected if isinstance(expected, range) else found != expected:
        wanted = f"{expected.start}..{expected.stop - 1}" if isinstance(expected, range) else repr(expected)
        raise AssertionError(f"{what} is {found!r}, expected {wanted}")


class TimingReport(NamedTuple):
    """Can two operations be told apart by how long they take.

    auc: the chance that a random run of the second takes longer than one of the first;
        0.5 says nothing, 0 and 1 tell them apart every time (Mann-Whitney's U over n squared).
    control: the same between two sets of runs of the first: what the machine alone does.
    difference_ns: of the medians, second minus first, in nanoseconds.
    samples: runs of each.
    """

    auc: float
    control: float
    difference_ns: float
    samples: int
    verdict: Verdict

    def __str__(self) -> str:
        return (
            f"{self.verdict}: AUC {self.auc:.3f} (control {self.control:.3f}), "
            f"medians {self.difference_ns / 1000:+.2f} us apart, {self.samples} samples of each"
        )


def compare_timing(
    first: Callable[[], object],
    second: Callable[[], object],
    *,
    samples: int = 1000,
    tolerance: float = 0.05,
    warm_up: int = 50,
    clock: Callable[[], int] = perf_counter_ns,
    seed: int = 0,
) -> TimingReport:
    """Measure whether two operations can be told apart by time: a foreign and an absent resource, say.

    first, second: run one operation each, for example `lambda: client.get("/invoices/absent")`.
    samples: runs of each; twice as many tell apart differences about 0.7 times as large.
    tolerance: how far from 0.5 an AUC may be. clock: a time in nanoseconds.

    The runs are interleaved in random order, so that drifts of the machine meet both
    alike; a second set of runs of `first` is the control. The verdict is `distinguishable`
    if the AUC is outside of the tolerance and farther from 0.5 than chance (four standard
    errors) and three times the control explain; `inconclusive` if the control itself is
    outside of the tolerance. Raises ValueError for fewer than 20 samples.
    """
    if samples < 20:
        raise ValueError(f"samples={samples}: use at least 20, or a thousand to see differences of microseconds")
    random = Random(seed)  # noqa: S311 - an order, not a secret
    operations = (first, second, first)
    taken: tuple[list[int], list[int], list[int]] = ([], [], [])
    for number in range(warm_up + samples):
        for index in random.sample(range(3), 3):
            operation = operations[index]
            began = clock()
            operation()
            elapsed = clock() - began
            if number >= warm_up:
                taken[index].append(elapsed)
    auc, control = _auc(taken[0], taken[1]), _auc(taken[0], taken[2])
    apart, noise = abs(auc - 0.5), abs(control - 0.5)
    chance = 4 * math.sqrt((2 * samples + 1) / (12 * samples**2))
    verdict: Verdict = "indistinguishable"
    if noise > max(tolerance, chance):
        verdict = "inconclusive"
    elif apart > max(tolerance, chance, 3 * noise):
        verdict = "distinguishable"
    return TimingReport(auc, control, _median(taken[1]) - _median(taken[0]), samples, verdict)


def _auc(first: Sequence[int], second: Sequence[int]) -> float:
    """Mann-Whitney's U of the second set over the product of the sizes; ties count half."""
    counts: Mapping[int, list[int]] = {value: [0, 0] for value in (*first, *second)}
    for which, values in enumerate((first, second)):
        for value in values:
            counts[value][which] += 1
    smaller, wins = 0, 0.0
    for value in sorted(counts):
        of_first, of_second = counts[value]
        wins += of_second * (smaller + of_first / 2)
        smaller += of_first
    return wins / (len(first) * len(second))


def _median(values: Sequence[int]) -> float:
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
