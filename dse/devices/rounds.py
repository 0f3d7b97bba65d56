"""From the calls of many rounds to a latency and its interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter

import numpy as np

from dse.devices.base import Clock, Latency, Processor, Spread, Taken

_WITHIN = 95
"""Percent of the rounds that an interval holds."""

Rounds = Sequence[Sequence[Taken]]
"""Calls, in rounds apart in time."""


@dataclass(frozen=True)
class Ratio:
    """How many times as long as another network's calls, by the median of the rounds' ratios.

    What slows both alike is not in it. As in `Spread`, 95 of a hundred rounds are between `low` and
    `high`.
    """

    median: float
    low: float
    high: float


def latency_of(
    rounds: Rounds, note: str, *, processor: Processor = "cpu", batch: int = 1, threads: int = 1
) -> Latency:
    """What the rounds say, with the clock as headline that the work of others lengthens least."""
    wall = spread_of([[call.wall for call in calls] for calls in rounds])
    own = spread_of([[call.processor for call in calls] for calls in rounds])
    clock: Clock = "gpu" if processor == "cuda" else "cpu" if threads == 1 else "wall"
    figures = attrgetter("median_ms", "low_ms", "high_ms", "p95_ms")(
        wall if clock == "wall" else own
    )
    runs = sum(len(calls) for calls in rounds)
    return Latency(*figures, runs, note, clock, wall, own, batch, threads)


def spread_of(rounds: Sequence[Sequence[float]]) -> Spread:
    """Milliseconds of rounds of calls as a median, its interval and a 95th percentile.

    The interval is the range of the rounds' medians without the outermost: not one that shrinks as
    rounds are added, which holds only if they are independent. On a busy machine they are not. Its
    moods last for many seconds, and a confidence interval by the spread of rounds, or by bootstrap,
    held half as many second runs as it said.
    """
    values = np.concatenate([np.asarray(calls, float) for calls in rounds])
    weights = np.concatenate([np.full(len(calls), 1 / len(calls)) for calls in rounds])
    order = np.argsort(values)
    below = np.cumsum(weights[order]) / len(rounds)
    p95 = values[order][np.searchsorted(below, _WITHIN / 100 - 1e-9)]
    return Spread(*_middle([float(np.median(calls)) for calls in rounds]), float(p95))


def ratio_of(rounds: Rounds, to: Rounds, clock: Clock) -> Ratio:
    """How `rounds` compare with others taken in turn with them."""

    def medians(every: Rounds) -> list[float]:
        # The processor's clock is the GPU's where one computes.
        own = attrgetter("wall" if clock == "wall" else "processor")
        return [float(np.median([own(call) for call in calls])) for calls in every]

    pairs = zip(medians(rounds), medians(to), strict=True)
    return Ratio(*_middle([mine / theirs for mine, theirs in pairs]))


def _middle(values: Sequence[float]) -> tuple[float, float, float]:
    """The median, and the smallest and largest once the outermost are left aside."""
    outside = (100 - _WITHIN) / 2
    low = np.percentile(values, outside, method="lower")
    high = np.percentile(values, 100 - outside, method="higher")
    return float(np.median(values)), float(low), float(high)
