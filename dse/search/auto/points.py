"""Points with what is known of them without evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from dse.search.auto.encoding import Encoding, Floats, Key
from dse.search.domain import Decisions, Domain
from dse.space import Scalar


@dataclass(frozen=True, eq=False)
class Point:
    """A point, its code and the logarithms of its costs, in the order of `Points.costs`."""

    key: Key
    decisions: Decisions
    code: Floats
    costs: Floats


class Points:
    """Looks points up, each of them once.

    Attributes:
        encoding: of the decisions.
        costs: names of the costs, in order; empty before the first point.
    """

    def __init__(self, domain: Domain) -> None:
        self.encoding = Encoding(domain.choices())
        self.costs: tuple[str, ...] = ()
        self._domain = domain
        self._known: dict[Key, Point] = {}

    def key(self, decisions: Mapping[str, Scalar]) -> Key:
        """The key of these decisions, whether or not they are a point of the domain."""
        return self.encoding.key(decisions, self.encoding.levels(decisions))

    def of(self, decisions: Mapping[str, Scalar]) -> Point:
        """The point of these decisions."""
        levels = self.encoding.levels(decisions)
        key = self.encoding.key(decisions, levels)
        if key not in self._known:
            costs = self._domain.costs(decisions)
            self.costs = tuple(sorted(costs))
            self._known[key] = Point(
                key,
                dict(decisions),
                self.encoding.codes([levels])[0],
                np.log([max(costs[name], 1e-12) for name in self.costs]),
            )
        return self._known[key]
