"""Where a sampler may propose: the points that hold every budget."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Protocol

from dse.space import Choice, Decisions, Scalar


class Domain(Protocol):
    """The points that fit: a search space under budgets, or a table of measured designs.

    A point is decisions by name. Which names a point has may hang on its other decisions.
    """

    def choices(self) -> Mapping[str, Choice]:
        """Every decision that some point has, by name."""
        ...

    def random(self, rng: Random) -> Decisions:
        """A point that fits, drawn at random.

        Raises:
            Exhausted: none was found.
        """
        ...

    def repair(self, wishes: Mapping[str, Scalar], rng: Random) -> Decisions:
        """A point that fits and follows `wishes` wherever the budget and its other decisions let
        it; what they leave open is random. Wishes that fit come back as they are.

        Raises:
            Exhausted: none was found.
        """
        ...

    def costs(self, decisions: Mapping[str, Scalar]) -> Mapping[str, float]:
        """What a point costs, known exactly and for free, as in `params` and `macs`."""
        ...


class Exhausted(Exception):
    """No further point that fits could be found."""


__all__ = ["Decisions", "Domain", "Exhausted"]
