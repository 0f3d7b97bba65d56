"""Models against each other: differences, whether chance explains them, and a sentence on it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import combinations

from dse.errors import UnknownName
from dse.experiments.cell import METRICS
from dse.experiments.experiment import Experiment
from dse.experiments.statistics import (
    LEVEL,
    Test,
    corrected_t_test,
    estimate,
    holm,
    smallest_p,
    wilcoxon_test,
)

LABELS = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "top2_accuracy": "top-2 accuracy",
    "auroc": "AUROC",
    "miou": "mIoU",
    "loss": "loss",
}

_CLAIMS = 6
"""How many differences a sentence holds; the table has them all."""


@dataclass(frozen=True)
class Pair:
    """Two models over the cells that both have.

    Attributes:
        first, second: their names; `first` has the better mean.
        difference: by how much it is better, on average.
        interval: of the difference, 95 % for this pair alone; None where nothing scatters.
        p_value: of the test, for this pair alone.
        corrected: the same after Holm's correction for all pairs.
        units: how many folds (or seeds of one fold) it is the mean of.
    """

    first: str
    second: str
    difference: float
    interval: tuple[float, float] | None
    p_value: float
    corrected: float
    units: int

    @property
    def told(self) -> bool:
        """Whether the difference can be told from chance."""
        return self.corrected <= LEVEL


def pairs(experiment: Experiment, metric: str = "accuracy", test: Test = "t") -> list[Pair]:
    """Every two models of which some cell finished for both, the surest difference first.

    Raises:
        UnknownName: there is no such metric.
    """
    if metric not in METRICS:
        raise UnknownName("metric", metric, METRICS)
    names = [model.name for model in experiment.plan.models]
    found = [
        pair
        for first, second in combinations(names, 2)
        if (pair := _pair(experiment, first, second, metric, test)) is not None
    ]
    corrected = holm([pair.p_value for pair in found])
    found = [replace(pair, corrected=p) for pair, p in zip(found, corrected, strict=True)]
    return sorted(found, key=lambda pair: (pair.p_value, -abs(pair.difference)))


def reading(experiment: Experiment, metric: str = "accuracy", test: Test = "t") -> str:
    """One sentence that calls a difference one only if it can be told from chance."""
    compared = pairs(experiment, metric, test)
    if not compared:
        return "There are no two models to compare."
    label = LABELS[metric]
    units = max(pair.units for pair in compared)
    among = f"{units} {experiment.unit}{'' if units == 1 else 's'}"
    if experiment.unit == "seed":
        among += " of one test part"
    if units < 2:
        return (
            f"With {among} no difference in {label} can be told from chance; --folds or --seeds "
            "repeat the trainings."
        )
    told = [pair for pair in compared if pair.told]
    if not told and smallest_p(test, units, len(compared)) > LEVEL:
        return (
            f"Wilcoxon's test cannot tell any difference from chance with {among} and "
            f"{len(compared)} pair{'' if len(compared) == 1 else 's'}, however large."
        )
    if not told:
        return f"No difference in {label} can be told from chance with {among}."
    claims = [
        f"{pair.first} is better than {pair.second} in {label} by {pair.difference:.3f}"
        f"{_span(pair)}"
        for pair in told[:_CLAIMS]
    ]
    if len(told) > _CLAIMS:
        claims.append(f"{len(told) - _CLAIMS} more can be told, which the table lists")
    if len(told) < len(compared):
        claims.append(f"no other difference can be told from chance with {among}")
    return f"{'; '.join(claims)}."


def _span(pair: Pair) -> str:
    if pair.interval is None:
        return ""
    return " [{:.3f}, {:.3f}]".format(*pair.interval)


def _pair(experiment: Experiment, first: str, second: str, metric: str, test: Test) -> Pair | None:
    values = [
        {(r.cell.fold, r.cell.seed): r.metrics.get(metric) for r in experiment.of(name)}
        for name in (first, second)
    ]
    units: dict[int | None, list[float]] = {}
    for (fold, seed), a in values[0].items():
        b = values[1].get((fold, seed))
        if a is not None and b is not None:
            better = b - a if metric == "loss" else a - b
            units.setdefault(fold if experiment.unit == "fold" else seed, []).append(better)
    if not units:
        return None
    differences = [math.fsum(cells) / len(cells) for cells in units.values()]
    if math.fsum(differences) < 0:
        first, second = second, first
        differences = [-difference for difference in differences]
    result = estimate(differences, experiment.test_share)
    p_value = (
        corrected_t_test(differences, experiment.test_share)
        if test == "t"
        else wilcoxon_test(differences)
    )
    return Pair(first, second, result.mean, result.interval, p_value, p_value, len(differences))
