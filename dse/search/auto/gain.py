"""How much a point may add to what was found."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import ndtr, ndtri

from dse.search.auto.encoding import Floats

_DIRECTIONS = 96
"""Directions from the worst corner in which fronts are compared."""
_QUANTILES = 8
"""Values that stand for what an objective may turn out to be."""


class Gain:
    """By how much points are expected to raise the best value, or the hypervolume.

    A hypervolume is the mean, over directions from its corner, of a power of how far the front
    reaches in each (Zhang and Golovin, "Random Hypervolume Scalarizations for Provable
    Multi-Objective Black Box Optimization", 2020). That needs no geometry, however many objectives
    there are, and an objective that is known beforehand is one of no deviation.
    """

    def __init__(self, found: Floats, rng: np.random.Generator) -> None:
        """
        Args:
            found: (points, objectives) what was found, more being better; the corner is 0.
            rng: draws the directions.
        """
        self._objectives = found.shape[1]
        self._best = float(found.max())
        self._slowness = 1.0 / _directions(self._objectives, rng).T
        reach = self._reach(found, range(self._objectives))
        self._before = reach.max(0) ** self._objectives
        quantiles = ndtri((np.arange(_QUANTILES) + 0.5) / _QUANTILES)
        # Each objective goes through its quantiles in an order of its own: they are independent.
        self._drawn = np.stack([rng.permutation(quantiles) for _ in range(self._objectives)], 1)

    def of(self, mean: Floats, deviation: Floats) -> Floats:
        """The expected gain of each candidate.

        Args:
            mean: (candidates, objectives) what is expected of them.
            deviation: of the same shape; 0 where it is known.
        """
        if self._objectives == 1:
            return _expected_improvement(mean[:, 0], deviation[:, 0], self._best)
        # What is known for certain reaches equally far whatever the others turn out to be.
        sure = [axis for axis in range(self._objectives) if not deviation[:, axis].any()]
        unsure = [axis for axis in range(self._objectives) if axis not in sure]
        known = self._reach(mean, sure)
        gain = np.zeros(len(mean))
        for row in self._drawn:
            after = self._reach(mean + deviation * row, unsure)
            np.minimum(after, known, out=after)
            after **= self._objectives
            after -= self._before
            gain += np.maximum(after, 0.0, out=after).mean(1)
        return gain / _QUANTILES

    def _reach(self, points: Floats, axes: Sequence[int]) -> Floats:
        """How far along each direction every point dominates in some axes: (points, directions)."""
        least = np.full((len(points), _DIRECTIONS), np.inf)
        for axis in axes:
            along = np.maximum(points[:, axis, None], 0.0) * self._slowness[axis]
            np.minimum(least, along, out=least)
        return least


def _directions(objectives: int, rng: np.random.Generator) -> Floats:
    """Unit vectors between the axes, evenly so in the plane."""
    if objectives == 2:
        angles = (np.arange(_DIRECTIONS) + rng.random()) / _DIRECTIONS * np.pi / 2
        found = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    else:
        found = np.abs(rng.normal(size=(_DIRECTIONS, objectives)))
        found /= np.linalg.norm(found, axis=1, keepdims=True)
    return np.asarray(np.maximum(found, 1e-6))


def _expected_improvement(mean: Floats, deviation: Floats, best: float) -> Floats:
    spread = np.maximum(deviation, 1e-9)
    z = (mean - best) / spread
    return np.asarray(spread * (z * ndtr(z) + np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi)))
