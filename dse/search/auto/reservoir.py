"""Random points that fit, known before any is proposed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from contextlib import suppress

import numpy as np

from dse.search.auto.moves import large, moved
from dse.search.auto.points import Point, Points
from dse.search.auto.surrogate import squares
from dse.search.domain import Decisions, Domain, Exhausted

_FIRST = 24
"""Points that the first proposal chooses from..."""
_EACH = 4
"""... and how many more each further one has..."""
_MOST = 400
"""... up to so many."""
_RANDOM = 4
"""After the first ones, one of so many is random: in narrow budgets it takes long to find. The
others are offspring of points before."""
_LARGE = 6
"""One of so many is about as large as fits, where size costs nothing more: of real networks these
are often the best, and random ones are hardly ever among them."""
_NEAR = 6
"""Points of about the same cost, of which the one that differs most from all before is taken."""
_SHARES = (1.0, 0.5, 0.8, 0.2, 0.95, 0.65, 0.35, 0.05)
"""Where the first proposals lie among the costs that fit: the dearest, the middle and so on."""


class Reservoir:
    """The same points for the same seed, whoever asks and however often."""

    def __init__(
        self, domain: Domain, points: Points, objectives: Sequence[str], seed: int
    ) -> None:
        self._domain = domain
        self._points = points
        self._objectives = objectives
        self._seed = seed
        self._drawn: list[Point] = []

    def at(self, number: int) -> list[Point]:
        """The points that proposal `number` may choose from.

        Raises:
            Exhausted: none was found.
        """
        size = min(_FIRST + _EACH * number, _MOST)
        while len(self._drawn) < size:
            rng = random.Random(f"{self._seed}/{len(self._drawn)}")
            self._drawn.append(self._points.of(self._next(rng)))
        return self._drawn[:size]

    def _next(self, rng: random.Random) -> Decisions:
        count = len(self._drawn)
        if count % _LARGE == _LARGE - 1 and self._size_is_free():
            with suppress(Exhausted):
                return self._domain.repair(large(self._domain.choices(), rng), rng)
        if count >= _FIRST and count % _RANDOM:
            parents = [point.decisions for point in self._drawn]
            with suppress(Exhausted):
                return self._domain.repair(moved(parents, self._domain.choices(), rng), rng)
        return self._domain.random(rng)

    def _size_is_free(self) -> bool:
        """Whether there are costs, and none of them is an objective."""
        costs = self._points.costs
        return bool(costs) and set(costs).isdisjoint(self._objectives)


def spread(pool: Sequence[Point], taken: Sequence[Point]) -> Point:
    """A point to begin with: of another cost than those before, and unlike them.

    Args:
        pool: points that fit, at least one.
        taken: those begun before.
    """
    costs = np.array([point.costs for point in pool])
    order: list[int] = (
        ((costs - costs.mean(0)) / (costs.std(0) + 1e-9)).sum(1).argsort(kind="stable").tolist()
    )
    share = _SHARES[len(taken) % len(_SHARES)]
    middle = round(share * (len(pool) - 1))
    start = max(min(middle - _NEAR // 2, len(pool) - _NEAR), 0)
    near = [pool[index] for index in order[start : start + _NEAR]]
    if not taken:
        return near[-1]
    apart = squares(np.array([p.code for p in near]), np.array([p.code for p in taken]))
    farthest = int(apart.min(1).argmax())
    return near[farthest]
