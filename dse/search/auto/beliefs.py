"""What is believed about every objective of a study, in units that all of them share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dse.fronts import first_front
from dse.search.auto.encoding import Floats
from dse.search.auto.gain import Gain
from dse.search.auto.points import Point, Points
from dse.search.auto.settled import settled
from dse.search.auto.surrogate import Posterior, Surrogate

_MOST = 150
"""Evaluated points that beliefs rest on; of more, the best and some of the others."""
_FAR = 3.0
"""Values farther below the median than so many times the good half's spread are brought nearer:
how bad a failure is says nothing about the good ones."""

Weights = dict[tuple[object, ...], Floats]


@dataclass(frozen=True)
class Objective:
    """What is aimed at.

    Attributes:
        name: the metric's, perhaps a cost's.
        sign: 1 if more is better, -1 if less is.
    """

    name: str
    sign: int


@dataclass(frozen=True)
class _Scale:
    """From the values of an objective, more being better, to 0 for the worst and 1 for the best."""

    low: float
    span: float

    def of(self, values: Floats) -> Floats:
        return np.asarray((values - self.low) / self.span)


class Beliefs:
    """What evaluated points say about the gain that others may bring.

    Attributes:
        points: the evaluated points that they rest on.
        merits: (points, objectives) what those are worth, 0 to about 1, noise taken out.
    """

    def __init__(
        self,
        objectives: Sequence[Objective],
        points: Points,
        done: Sequence[Point],
        values: Floats,
        running: Sequence[Point],
        fitted: Weights,
        rng: np.random.Generator,
    ) -> None:
        """
        Args:
            objectives: the study's.
            points: where `done` and `running` come from.
            done: evaluated points, at least two.
            values: (points, objectives) theirs, as they were told.
            running: points under evaluation: each is believed to turn out as expected.
            fitted: weights fitted before, to which new ones are added.
            rng: of the directions in which gains are looked for.
        """
        self._objectives = tuple(objectives)
        self._costs = points.costs
        self._scales: list[_Scale] = []
        self._models: dict[int, tuple[Posterior, float, float]] = {}
        told = values * [objective.sign for objective in objectives]
        merits = np.empty_like(told)
        for axis, objective in enumerate(self._objectives):
            column = told[:, axis] if objective.name in points.costs else _tamed(told[:, axis])
            self._scales.append(_Scale(float(column.min()), float(np.ptp(column)) or 1.0))
            merits[:, axis] = self._scales[axis].of(column)
        kept = _subset(merits)
        self.points = [done[index] for index in kept]
        self.merits = merits[kept]
        costs = np.array([point.costs for point in self.points])
        self._center, self._width = costs.mean(0), costs.std(0) + 1e-3
        features = self.features(self.points)
        surrogate = _surrogate(points)
        for axis, objective in enumerate(self._objectives):
            if objective.name in points.costs:
                continue
            weights = _weights(surrogate, done, told[:, axis], fitted, axis)
            standard, mean, deviation = _standard(self.merits[:, axis])
            model = surrogate.given(features, standard, weights)
            self.merits[:, axis] = model.known * deviation + mean
            if running:
                there = self.features(running)
                model = surrogate.given(
                    np.vstack([features, there]),
                    np.concatenate([standard, model.mean(there)]),
                    weights,
                )
            self._models[axis] = (model, mean, deviation)
        self._gain = Gain(self.merits, rng)

    def features(self, points: Sequence[Point]) -> Floats:
        """What the surrogate sees of points."""
        return self.features_of(
            np.array([point.code for point in points]), np.array([point.costs for point in points])
        )

    def features_of(self, codes: Floats, costs: Floats) -> Floats:
        """What the surrogate sees of codes and logarithms of costs."""
        return np.hstack([codes, (costs - self._center) / self._width])

    def gain(self, features: Floats) -> Floats:
        """How much each of these is expected to add to what was found."""
        mean = np.empty((len(features), len(self._objectives)))
        deviation = np.zeros_like(mean)
        logs = features[:, -len(self._center) :] * self._width + self._center
        for axis, objective in enumerate(self._objectives):
            if axis in self._models:
                model, middle, unit = self._models[axis]
                mean[:, axis], deviation[:, axis] = model.at(features)
                mean[:, axis] = mean[:, axis] * unit + middle
                deviation[:, axis] *= unit
            else:
                cost = np.exp(logs[:, self._costs.index(objective.name)])
                mean[:, axis] = self._scales[axis].of(objective.sign * cost)
        return self._gain.of(mean, deviation)


def _surrogate(points: Points) -> Surrogate:
    owner = points.encoding.owner
    first = int(owner.max(initial=-1)) + 1
    return Surrogate(
        np.concatenate([owner, first + np.arange(len(points.costs))]), len(points.costs)
    )


def _weights(
    surrogate: Surrogate, done: Sequence[Point], told: Floats, fitted: Weights, axis: int
) -> Floats:
    """Weights fitted to the first of the points; see `settled`."""
    count = settled(len(done))
    key = (axis, tuple(point.key for point in done[:count]), told[:count].tobytes())
    if key not in fitted:
        for old in [old for old in fitted if old[0] == axis]:
            del fitted[old]
        costs = np.array([point.costs for point in done[:count]])
        costs = (costs - costs.mean(0)) / (costs.std(0) + 1e-3)
        features = np.hstack([np.array([point.code for point in done[:count]]), costs])
        fitted[key] = surrogate.fit(features, _standard(_tamed(told[:count]))[0])
    return fitted[key]


def _standard(values: Floats) -> tuple[Floats, float, float]:
    """Values of mean 0 and deviation 1, with what they had."""
    mean, deviation = float(values.mean()), float(values.std()) or 1.0
    return (values - mean) / deviation, mean, deviation


def front_of(merits: Floats) -> list[int]:
    """The points than which none is better in everything, equal ones once; by their sums."""
    front = first_front([tuple(losses) for losses in (-merits).tolist()])
    return sorted(front, key=(-merits.sum(1)).tolist().__getitem__)


def _subset(merits: Floats) -> list[int]:
    """Which points beliefs rest on: the best, and of the others some from all over."""
    order = np.argsort(-merits.sum(1), kind="stable").tolist()
    order = list(dict.fromkeys([*front_of(merits), *order]))
    best, others = order[: _MOST // 2], order[_MOST // 2 :]
    most = min(len(others), _MOST - len(best))
    chosen = np.linspace(0, len(others) - 1, most).astype(int)
    return sorted([*best, *(others[index] for index in chosen)])


def _tamed(values: Floats) -> Floats:
    """Values of which the far too bad ones are brought nearer, in the same order."""
    middle = float(np.median(values))
    unit = float(np.quantile(values, 0.9)) - middle
    if unit <= 0:
        return values
    edge = middle - _FAR * unit
    return np.where(
        values < edge, edge - unit * np.log1p((edge - np.minimum(values, edge)) / unit), values
    )
