"""Two design spaces compared by what random designs of each achieve, rather than by their winners.

The empirical distribution function of a space at a value is the share of its designs that do not
exceed it. Two spaces are compared by their functions: how far apart they are at most (the distance
of Kolmogorov and Smirnov), and how often chance would draw them as far apart were the spaces equal.

Larger designs do better, so a space of larger designs looks better than it is. Given costs, designs
are weighted so that both spaces spread alike over ranges of cost; the chance is then found by
swapping designs of one range between the spaces.

Source: Radosavovic et al., On Network Design Spaces for Visual Recognition, ICCV 2019, sections 3
and 4, and Designing Network Design Spaces, CVPR 2020, section 3.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import ks_2samp

from dse.errors import InvalidValue

Floats = NDArray[np.float64]

_RANGES = 10
_DRAWS = 2_000


@dataclass(frozen=True, slots=True)
class Summary:
    """The values of one space's designs.

    Attributes:
        designs: how many there are; of designs weighted by cost, those with a weight.
        least: the smallest value.
        median: of half the weight the largest value.
        most: the largest value.
        mean: the weighted mean.
        mean_interval: of the mean, with 95 % confidence, by resampling designs (bootstrap).
        steps: the distribution function: values in order, each with the share up to it.
    """

    designs: int
    least: float
    median: float
    most: float
    mean: float
    mean_interval: tuple[float, float]
    steps: list[tuple[float, float]]

    def share(self, value: float) -> float:
        """The share of designs that do not exceed `value`."""
        at = np.searchsorted([step[0] for step in self.steps], value, side="right")
        return self.steps[at - 1][1] if at else 0.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two spaces by one metric.

    Attributes:
        a: the first space.
        b: the second.
        distance: the largest difference between their distribution functions, from 0 to 1.
        p_value: how likely equal spaces come out as far apart.
        difference: the mean of the second less that of the first.
        difference_interval: of that, with 95 % confidence, by resampling designs.
        ranges: at how many ranges of cost both have designs; None where costs play no part.
    """

    a: Summary
    b: Summary
    distance: float
    p_value: float
    difference: float
    difference_interval: tuple[float, float]
    ranges: int | None

    def as_document(self) -> dict[str, Any]:
        """As JSON holds it."""
        return asdict(self)


def compare(
    a: Sequence[float],
    b: Sequence[float],
    costs: tuple[Sequence[float], Sequence[float]] | None = None,
    seed: int = 0,
) -> Comparison:
    """Compare the values of random designs of two spaces.

    Args:
        a: a value for each design of the first space.
        b: the same of the second.
        costs: what these designs cost, to compare at equal costs.
        seed: of the resampling.

    Raises:
        InvalidValue: a space has fewer than two designs, a value is not finite, or at no range of
            costs both have designs.
    """
    values = [_checked(a), _checked(b)]
    rng = np.random.default_rng(seed)
    if costs is None:
        weights = [np.full(len(side), 1 / len(side)) for side in values]
        ranges = None
        with warnings.catch_warnings():
            # Where ties leave it no exact answer it takes the limit of large samples, and warns.
            warnings.simplefilter("ignore", RuntimeWarning)
            test = ks_2samp(values[0], values[1])
        distance, p_value = float(test.statistic), float(test.pvalue)
    else:
        strata = _strata(_checked(costs[0], len(a)), _checked(costs[1], len(b)))
        weights = _even(strata)
        ranges = len(_shared(strata))
        distance = _distance(values, weights)
        p_value = _by_swapping(values, strata, distance, rng)
    means = [_resampled(side, own, rng) for side, own in zip(values, weights, strict=True)]
    summaries = [
        _summary(side, own, drawn) for side, own, drawn in zip(values, weights, means, strict=True)
    ]
    return Comparison(
        a=summaries[0],
        b=summaries[1],
        distance=distance,
        p_value=p_value,
        difference=summaries[1].mean - summaries[0].mean,
        difference_interval=_middle(_paired(*means)),
        ranges=ranges,
    )


def _checked(values: Sequence[float], wanted: int | None = None) -> Floats:
    found = np.asarray(values, np.float64)
    if wanted is not None and len(found) != wanted:
        raise InvalidValue(f"every design has its cost, got {len(found)} for {wanted} designs")
    if len(found) < 2:
        raise InvalidValue(f"a space is compared by at least 2 designs, got {len(found)}")
    if not np.isfinite(found).all():
        raise InvalidValue("values to compare are finite, got one that is not")
    return found


def _summary(values: Floats, weights: Floats, means: Floats) -> Summary:
    used = weights > 0
    order = np.argsort(values[used], kind="stable")
    ordered, shares = values[used][order], np.cumsum(weights[used][order])
    last = np.append(ordered[1:] != ordered[:-1], True)
    return Summary(
        designs=int(used.sum()),
        least=float(ordered[0]),
        median=float(ordered[np.searchsorted(shares, 0.5 - 1e-12)]),
        most=float(ordered[-1]),
        mean=float(values @ weights),
        mean_interval=_middle(means),
        steps=list(zip(ordered[last].tolist(), shares[last].tolist(), strict=True)),
    )


def _paired(first: Floats, second: Floats) -> Floats:
    """Differences of independent draws, of which a few may be missing."""
    count = min(len(first), len(second))
    differences: Floats = second[:count] - first[:count]
    return differences


def _middle(values: Floats) -> tuple[float, float]:
    low, high = np.quantile(values, (0.025, 0.975))
    return float(low), float(high)


def _resampled(values: Floats, weights: Floats, rng: np.random.Generator) -> Floats:
    """Means of as many designs again, drawn with replacement."""
    drawn = rng.integers(len(values), size=(_DRAWS, len(values)))
    total = weights[drawn].sum(axis=1)
    means: Floats = (values * weights)[drawn].sum(axis=1)[total > 0] / total[total > 0]
    return means


def _distance(values: list[Floats], weights: list[Floats]) -> float:
    every = np.concatenate(values)
    signed = np.concatenate([weights[0], -weights[1]])
    order = np.argsort(every, kind="stable")
    ahead = np.cumsum(signed[order])
    # Between equal values neither function has risen to its full height.
    last = np.append(every[order][1:] != every[order][:-1], True)
    return float(np.abs(ahead[last]).max())


def _strata(a: Floats, b: Floats) -> list[NDArray[np.int64]]:
    """The range of cost of each design: ranges that hold equally many of both together."""
    edges = np.quantile(np.concatenate([a, b]), np.arange(1, _RANGES) / _RANGES)
    strata = [np.searchsorted(np.unique(edges), side, side="left") for side in (a, b)]
    if not len(_shared(strata)):
        raise InvalidValue(
            f"spaces are compared at costs that both have; one costs {a.min():,.0f} to "
            f"{a.max():,.0f}, the other {b.min():,.0f} to {b.max():,.0f}"
        )
    return strata


def _shared(strata: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    """The ranges at which both have designs."""
    first, second = strata
    return np.intersect1d(first, second)


def _even(strata: list[NDArray[np.int64]]) -> list[Floats]:
    """Weights by which every range that both have counts the same; other designs count nothing."""
    shared = _shared(strata)
    weights = []
    for side in strata:
        found, counts = np.unique(side, return_counts=True)
        share = {stratum: 1 / (len(shared) * n) for stratum, n in zip(found, counts, strict=True)}
        weights.append(np.array([share[s] if s in shared else 0.0 for s in side]))
    return weights


def _by_swapping(
    values: list[Floats],
    strata: list[NDArray[np.int64]],
    distance: float,
    rng: np.random.Generator,
) -> float:
    """How often designs dealt out anew within their ranges come out as far apart."""
    every, where = np.concatenate(values), np.concatenate(strata)
    weights = np.concatenate(_even(strata))
    first = len(values[0])
    inside = [np.flatnonzero(where == stratum) for stratum in np.unique(where)]
    dealt = np.arange(len(every))
    hits = 0
    for _ in range(_DRAWS):
        for members in inside:
            dealt[members] = rng.permutation(members)
        swapped = every[dealt]
        parts = [swapped[:first], swapped[first:]]
        hits += _distance(parts, [weights[:first], weights[first:]]) >= distance - 1e-12
    return (hits + 1) / (_DRAWS + 1)
