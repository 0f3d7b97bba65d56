"""What repeated trainings allow to be said: intervals and paired tests that know how folds overlap.

The training parts of cross-validation share most of their images, so their results scatter less
than results on fresh data would, and the common t-test finds differences that are not there
(Dietterich 1998). Nadeau and Bengio (Inference for the Generalization Error, Machine Learning 52,
2003) widen the variance of a mean over J resamplings from S²/J to (1/J + n_test/n_train) S², which
is what everything here does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from dse.errors import InvalidValue

Test = Literal["t", "wilcoxon"]
LEVEL = 0.05
"""What may happen by chance, at most, and still be called a difference."""


@dataclass(frozen=True)
class Estimate:
    """A mean over units (folds or seeds) and how far it can be trusted.

    `variance` and `deviation` are those of a sample (divisor n - 1), as SPP-COVID-Net's Table II
    prints them; None for a single unit, as is `interval`, of 95 % by the corrected variance. Units
    that are all equal have no interval either: they say nothing of chance.
    """

    mean: float
    variance: float | None
    deviation: float | None
    interval: tuple[float, float] | None


def estimate(values: Sequence[float], test_share: float) -> Estimate:
    """Mean, variance, standard deviation and interval of one value a unit.

    Args:
        values: at least one.
        test_share: test images for each training image of a unit, n_test / n_train.

    Example:
        >>> round(estimate([0.957, 0.943, 0.943, 0.950, 0.938], 0.25).variance, 7)
        5.47e-05
    """
    if not values:
        raise InvalidValue("a mean needs at least one value, got none")
    mean = math.fsum(values) / len(values)
    if len(values) == 1:
        return Estimate(mean, None, None, None)
    variance = _variance(values, mean)
    half = _error(variance, len(values), test_share) * _quantile(len(values) - 1)
    interval = (mean - half, mean + half) if half > 0 else None
    return Estimate(mean, variance, math.sqrt(variance), interval)


def corrected_t_test(differences: Sequence[float], test_share: float) -> float:
    """Two-sided p-value that paired differences have mean zero: the corrected resampled t-test.

    t = mean / sqrt((1/J + n_test/n_train) S²) with J - 1 degrees of freedom (Nadeau and Bengio
    2003). Differences without any scatter, or fewer than two, give 1: nothing measures chance then.

    Args:
        differences: one a unit.
        test_share: n_test / n_train of a unit.

    Example:
        >>> round(corrected_t_test([0.02, 0.04, 0.06], 0.5), 6)
        0.159832
    """
    if len(differences) < 2:
        return 1.0
    from scipy import stats

    mean = math.fsum(differences) / len(differences)
    error = _error(_variance(differences, mean), len(differences), test_share)
    if error == 0:
        return 1.0
    return float(2 * stats.t.sf(abs(mean) / error, len(differences) - 1))


def wilcoxon_test(differences: Sequence[float]) -> float:
    """Two-sided p-value of Wilcoxon's signed-rank test; 1 where no difference differs from zero.

    It assumes nothing of the distribution, but takes the units as independent, which folds are not
    quite, and cannot fall below 2^(1 - n) with n units.
    """
    if not any(differences):
        return 1.0
    from scipy import stats

    return float(stats.wilcoxon(differences, method="auto").pvalue)


def smallest_p(test: Test, units: int, tests: int) -> float:
    """The smallest p-value that the first of `tests` tests can have after Holm's correction."""
    if units < 2:
        return 1.0
    return min(1.0, tests * 2.0 ** (1 - units)) if test == "wilcoxon" else 0.0


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values corrected for being several, by Holm's step-down procedure (1979), in their order.

    Calling a difference where the corrected value is at most a level keeps the chance of any false
    call at that level, however the tests depend on each other.

    Example:
        >>> [round(p, 3) for p in holm([0.01, 0.04, 0.03])]
        [0.03, 0.06, 0.06]
    """
    corrected = [1.0] * len(p_values)
    highest = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[index]))
        corrected[index] = highest
    return corrected


def _variance(values: Sequence[float], mean: float) -> float:
    # Of equal scores only rounding is left after subtraction: that is no scatter.
    squares = math.fsum((value - mean) ** 2 for value in values)
    return squares / (len(values) - 1) if squares > 1e-24 else 0.0


def _error(variance: float, units: int, test_share: float) -> float:
    """Standard error of a mean over `units` resamplings."""
    return math.sqrt((1 / units + test_share) * variance)


def _quantile(freedom: int) -> float:
    from scipy import stats

    return float(stats.t.ppf(1 - LEVEL / 2, freedom))
