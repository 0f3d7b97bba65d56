"""What random designs of a space cost, and how many designs can be built and fit a budget."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import sqrt
from typing import TYPE_CHECKING, Any

from dse.cost import Budget
from dse.errors import InvalidDesign

if TYPE_CHECKING:
    from dse.space.count import Count
    from dse.space.space import Space

QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
METRICS = ("params", "macs", "peak_activation_bytes")
_BARS = 10
_RARE = 50
"""Designs of a sample that fit, below which their share is found by other means than the sample."""
_Z95 = 1.959964
"""Standard errors to either side of the mean that hold 95 % of a normal distribution."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of a histogram: designs from `low` up to `high`, the last bar's `high` included."""

    low: float
    high: float
    designs: int


@dataclass(frozen=True, slots=True)
class Stats:
    """A random sample of a space.

    Attributes:
        samples: designs drawn.
        valid: the share that can be built.
        feasible: the share that can be built and fits the budget; equals `valid` without one.
        feasible_interval: between which shares the whole space's lies, with 95 % confidence.
        quantiles: for each metric its quantiles over the designs that can be built, by share: 0.5
            is the median.
        histograms: for each metric how the designs that can be built spread, in bars of equal
            ratio.
        decisions: the mean number of decisions of a design.
        problems: why the others cannot be built, the most frequent reasons first, with their
            numbers.
        count: the number of designs that fit the budget, found without the sample; None without
            a budget, where a continuous range makes it infinite, and where latency is known, which
            is followed design by design.
    """

    samples: int
    valid: float
    feasible: float
    feasible_interval: tuple[float, float]
    quantiles: dict[str, dict[float, float]]
    histograms: dict[str, list[Bar]]
    decisions: float
    problems: dict[str, int]
    count: Count | None

    def as_document(self) -> dict[str, Any]:
        """As JSON holds it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Sample:
    """What stats need of a sample: the cost of each design that can be built, by metric."""

    values: dict[str, list[float]]
    fitting: int
    decisions: int
    problems: dict[str, int]


def stats(space: Space, samples: int, seed: int, budget: Budget | None) -> Stats:
    """Draw designs and count their costs; with a budget, count the designs that fit it as well.

    Latency is among them where the space has a timer; a limit on it is left aside without one.
    """
    budget = Budget() if budget is None else budget
    found: Count | None = None
    # numpy comes with these, and commands that only read a space have no use for it.
    if space.timer is not None or space.size().count == float("inf"):
        sample = _one_by_one(space, samples, seed, budget)
    else:
        from dse.space.count import count

        sample = _swept(space, samples, seed, budget)
        if budget.limits():
            found = count(space, budget, seed, share=sample.fitting < _RARE)
    valid = len(next(iter(sample.values.values())))
    return Stats(
        samples=samples,
        valid=valid / samples,
        feasible=sample.fitting / samples,
        feasible_interval=interval(sample.fitting, samples),
        quantiles={name: _quantiles(values) for name, values in sample.values.items()},
        histograms={name: histogram(values) for name, values in sample.values.items()},
        decisions=sample.decisions / samples,
        problems=sample.problems,
        count=found,
    )


def _swept(space: Space, samples: int, seed: int, budget: Budget) -> _Sample:
    from dse.space.sweep import sweep

    swept = sweep(space, samples, seed)
    values = {name: swept.metric(name).tolist() for name in METRICS}
    fitting = int(swept.fitting(budget).sum())
    return _Sample(values, fitting, swept.decisions, swept.problems)


def _one_by_one(space: Space, samples: int, seed: int, budget: Budget) -> _Sample:
    """A sample of a space whose latencies are asked, or whose continuous ranges make every design
    another.
    """
    rng = random.Random(seed)
    metrics = METRICS if space.timer is None else (*METRICS, "latency_ms")
    values: dict[str, list[float]] = {name: [] for name in metrics}
    problems: Counter[str] = Counter()
    fitting = decisions = 0
    for _ in range(samples):
        drawn = space.sample(rng, valid=False)
        decisions += len(drawn)
        try:
            spent = space.cost(drawn)
        except InvalidDesign as error:
            problems[reason(str(error))] += 1
            continue
        fitting += budget.admits(spent)
        for name in metrics:
            values[name].append(getattr(spent, name))
    return _Sample(values, fitting, decisions, dict(problems.most_common()))


def interval(hits: int, draws: int) -> tuple[float, float]:
    """Between which shares the true one lies with 95 % confidence, given `hits` among `draws`.

    Source: Wilson, Probable inference, the law of succession, and statistical inference, 1927.
    """
    share, ratio = hits / draws, _Z95**2 / draws
    middle = (share + ratio / 2) / (1 + ratio)
    half = _Z95 / (1 + ratio) * sqrt(share * (1 - share) / draws + ratio / (4 * draws))
    return max(0.0, middle - half), min(1.0, middle + half)


def histogram(values: Sequence[float]) -> list[Bar]:
    """How positive values spread between the smallest and the largest, in bars of equal ratio."""
    if not values:
        return []
    low, high = min(values), max(values)
    if low == high:
        return [Bar(low, high, len(values))]
    ratio = (high / low) ** (1 / _BARS)
    edges = [low * ratio**number for number in range(_BARS)] + [float(high)]
    designs = [0] * _BARS
    at = 0
    for value in sorted(values):
        while at < _BARS - 1 and value >= edges[at + 1]:
            at += 1
        designs[at] += 1
    return [Bar(edges[n], edges[n + 1], designs[n]) for n in range(_BARS)]


def _quantiles(values: Sequence[float]) -> dict[float, float]:
    ordered = sorted(values)
    if not ordered:
        return {}
    return {share: ordered[round(share * (len(ordered) - 1))] for share in QUANTILES}


def reason(message: str) -> str:
    """The rule of an error, without the place before it and the values after it."""
    return message.rpartition(": ")[2].partition(", got")[0]
