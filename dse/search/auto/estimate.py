"""What points cost, roughly but at once: to make a move fit and to count it takes long."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.linalg import solve

from dse.search.auto.encoding import Floats
from dse.search.auto.points import Point


class Estimate:
    """Costs as far as they are linear in codes."""

    def __init__(self, known: Sequence[Point]) -> None:
        """`known` are points whose costs are known, at least one."""
        self.known = tuple(known)
        x = np.array([point.code for point in known])
        y = np.array([point.costs for point in known])
        self._middle, self._level, self._edge = x.mean(0), y.mean(0), y.max(0)
        x -= self._middle
        self._slopes = solve(x.T @ x + np.eye(x.shape[1]), x.T @ (y - self._level), assume_a="pos")

    def of(self, codes: Floats) -> tuple[Floats, Floats]:
        """The logarithms of the costs of some codes, and by how much they exceed all known ones."""
        found = (codes - self._middle) @ self._slopes + self._level
        return np.minimum(found, self._edge), np.maximum(found - self._edge, 0.0).sum(1)
