"""Times of several contestants, taken in turn, and the ratios between them."""

from __future__ import annotations

import gc
import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import perf_counter

Contestant = Callable[[], object]

_SHORTEST = 0.004
"""Seconds a sample takes at least: what is faster is called several times and divided."""


@dataclass(frozen=True)
class Spread:
    """A median between its quartiles."""

    low: float
    median: float
    high: float

    @classmethod
    def of(cls, values: list[float]) -> Spread:
        if len(values) < 2:
            return cls(values[0], values[0], values[0])
        low, median, high = statistics.quantiles(values, n=4, method="inclusive")
        return cls(low, median, high)

    def __str__(self) -> str:
        return f"{_digits(self.median)} ({_digits(self.low)}-{_digits(self.high)})"


def _digits(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


@dataclass(frozen=True)
class Times:
    """Seconds of each contestant, round by round."""

    rounds: dict[str, list[float]]

    def median(self, name: str) -> float:
        """The median seconds of one contestant."""
        return statistics.median(self.rounds[name])

    def fastest(self, *names: str) -> str:
        """The contestant with the smallest median."""
        return min(names or self.rounds, key=self.median)

    def ratio(self, slow: str, fast: str) -> Spread:
        """How many times longer `slow` took than `fast`, each round for itself."""
        pairs = zip(self.rounds[slow], self.rounds[fast], strict=True)
        return Spread.of([a / b for a, b in pairs])


def side_by_side(contestants: Mapping[str, Contestant], rounds: int) -> Times:
    """Time the contestants in turn, `rounds` times, each round beginning with another one."""
    calls = {name: _calls(run) for name, run in contestants.items()}
    order = list(contestants)
    taken: dict[str, list[float]] = {name: [] for name in order}
    for number in range(rounds):
        turn = number % len(order)
        gc.collect()
        for name in order[turn:] + order[:turn]:
            taken[name].append(seconds_of(contestants[name], calls[name]))
    return Times(taken)


def _calls(run: Contestant) -> int:
    """Warm up, and see how many calls make a sample."""
    run()
    return max(1, round(_SHORTEST / max(seconds_of(run, 1), 1e-7)))


def seconds_of(run: Contestant, calls: int) -> float:
    started = perf_counter()
    for _ in range(calls):
        run()
    return (perf_counter() - started) / calls
