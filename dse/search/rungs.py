"""Successive halving for several objectives: where trainings pause, and which of them go on.

A rung is an amount of what training spends, here epochs, at which a design's objectives are known
at a fraction of the price. Asynchronous (Li et al., "A System for Massively Parallel Hyperparameter
Tuning", MLSys 2020, algorithm 2): whoever is free sends the best paused design on if there is one,
else begins a new one. In place of the one loss there, designs are ranked by non-domination and
within a front by hypervolume contribution.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from dse.fronts import Losses, hypervolume

ETA = 3
"""One of so many goes on, and trains so many times as long."""
_FEWEST = 6
"""Below as many epochs, or reports, pausing saves nothing worth its error."""
_FINISHERS = 4
"""Each rung leaves at least so many designs of those begun: a front is more than one design."""
_MARGIN = 0.1
"""How far beyond a front's worst values the reference point lies, as a share of their range."""


def ladder(total: int, trials: int, least: int = 2) -> tuple[int, ...]:
    """Epochs after which designs pause: every third of the rung above, in ascending order.

    Args:
        total: epochs of a whole training.
        trials: designs that the search begins; the fewer, the fewer rungs.
        least: the lowest rung that tells designs apart.
    """
    found: list[int] = []
    share = total / ETA
    while total >= _FEWEST and share >= least and trials >= _FINISHERS * ETA ** (len(found) + 1):
        found.append(math.ceil(share))
        share /= ETA
    return tuple(reversed(found))


def next_rung(rungs: Sequence[int], epochs: int) -> int | None:
    """The first rung above `epochs`; None is the end of the training."""
    return next((rung for rung in rungs if rung > epochs), None)


def promoted(
    reached: Mapping[int, Losses], gone: Container[int], waiting: Container[int]
) -> int | None:
    """The trial that goes on from a rung, or None for now.

    It is among the best third of those that reached the rung, and no third of them has gone on yet
    but for those that others have left behind since.

    Args:
        reached: losses at the rung of every trial that reached it, by number.
        gone: those that went on, or always do.
        waiting: those that may.
    """
    places = len(reached) // ETA
    if places == 0:
        return None
    best: list[list[int]] = []
    for front in _fronts(reached):
        best.append(front)
        if sum(map(len, best)) >= places:
            break
    # Counted by fronts, not by places: within the front where the best third ends contributions
    # change with each newcomer, which would send ever more of it on.
    if sum(number in gone for front in best for number in front) >= places:
        return None
    for front in best:
        if any(number in waiting for number in front):
            return next(n for n in _by_contribution(front, reached) if n in waiting)
    return None


@dataclass(frozen=True)
class Gate:
    """What an evaluation that cannot pause is judged by as it reports: how others stood then.

    Attributes:
        rungs: reports after which it is judged.
        objectives: their names and signs: losses are the values times these.
        known: objectives that are no metrics but costs of the candidate.
        reached: losses of the other trials at each rung.
    """

    rungs: tuple[int, ...]
    objectives: tuple[tuple[str, int], ...]
    known: Mapping[str, float]
    reached: Mapping[int, Sequence[Losses]] = field(default_factory=dict)

    def stops(self, reports: int, metrics: Mapping[str, float]) -> bool:
        """Whether an evaluation with these metrics in its last report is to end here."""
        if reports not in self.rungs:
            return False
        values = {**self.known, **metrics}
        if any(not math.isfinite(values.get(name, math.nan)) for name, _ in self.objectives):
            return False  # an objective that is known only at the end
        own = tuple(sign * float(values[name]) for name, sign in self.objectives)
        # Its own number is the highest: of equals, the earlier one is better.
        others = dict(enumerate(self.reached.get(reports, ())))
        ranking = ranked({**others, len(others): own})
        return ranking.index(len(others)) >= max(1, len(ranking) // ETA)


def ranked(losses: Mapping[int, Losses]) -> list[int]:
    """The trials, best first: by non-domination, then by hypervolume contribution, then by age."""
    return [n for front in _fronts(losses) for n in _by_contribution(front, losses)]


def _fronts(losses: Mapping[int, Losses]) -> Iterator[list[int]]:
    """The trials that none beats; those that only these beat; and so on."""
    numbers = np.array(sorted(losses))
    points = np.array([losses[number] for number in numbers])
    no_worse = np.all(points[:, None] <= points[None], axis=2)
    beats = np.logical_and(no_worse, ~no_worse.T)
    beaten = beats.sum(axis=0)
    left = np.ones(len(numbers), dtype=bool)
    while left.any():
        front = left & (beaten == 0)
        yield numbers[front].tolist()
        left &= ~front
        beaten = beaten - beats[front].sum(axis=0)


def _by_contribution(front: Sequence[int], losses: Mapping[int, Losses]) -> list[int]:
    """The trials of a front, first the one without which most hypervolume would be lost."""
    points = _scaled([losses[number] for number in front])
    lost = dict(zip(front, contributions(points), strict=True))
    return sorted(front, key=lambda number: (-lost[number], number))


def _scaled(points: Sequence[Losses]) -> list[Losses]:
    """Points as shares of their ranges, so that no objective's unit counts."""
    axes = list(zip(*points, strict=True))
    lows = [min(axis) for axis in axes]
    spans = [max(axis) - min(axis) or 1.0 for axis in axes]
    return [
        tuple((x - low) / span for x, low, span in zip(point, lows, spans, strict=True))
        for point in points
    ]


def contributions(points: Sequence[Losses]) -> list[float]:
    """The hypervolume that each of some points in 0 to 1, of which none beats another, adds to the
    others', to be minimised.
    """
    if len(points[0]) == 2:
        return _steps(points)
    corner = (1.0 + _MARGIN,) * len(points[0])
    found = []
    for own, point in enumerate(points):
        # The volume below the corner, less that part of it which others dominate (While et al., "A
        # Fast Way of Calculating Exact Hypervolumes", 2012, section III).
        covered = [
            tuple(max(x, y) for x, y in zip(point, other, strict=True))
            for number, other in enumerate(points)
            if number != own
        ]
        found.append(hypervolume([point], corner) - hypervolume(covered, corner))
    return found


def _steps(points: Sequence[Losses]) -> list[float]:
    """The same in a plane, where a point adds the rectangle up to its two neighbours."""
    order = sorted(range(len(points)), key=lambda number: points[number])
    xs = [*(points[number][0] for number in order[1:]), 1.0 + _MARGIN]
    ys = [1.0 + _MARGIN, *(points[number][1] for number in order)]
    found = [0.0] * len(points)
    for number, x, y in zip(order, xs, ys[:-1], strict=True):
        found[number] = (x - points[number][0]) * (y - points[number][1])
    return found
