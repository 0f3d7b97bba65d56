"""The smallest design that can be found: what to tell someone whose budget fits nothing."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from dse.errors import InvalidDesign, InvalidValue
from dse.space.choices import Choice, Integer, Real, Scalar

if TYPE_CHECKING:
    from dse.space.space import Decisions, Space

METRICS = ("params", "macs", "peak_activation_bytes", "size_bytes")
_STARTS = 64
_ROUNDS = 20


def smallest(space: Space, metric: str, seed: int) -> tuple[float, Decisions]:
    """The smallest value of `metric` found from the best of some random designs by changing one
    decision at a time.

    An upper bound of the true smallest value; in spaces where each decision alone makes a design
    larger or smaller, it is that value.

    Raises:
        InvalidValue: no such metric.
        InvalidDesign: no valid design was found.
    """
    if metric not in METRICS:
        raise InvalidValue(f"metric is one of {', '.join(METRICS)}; got {metric!r}")
    rng = random.Random(seed)

    def value(decisions: Decisions) -> float:
        try:
            return float(getattr(space.cost(decisions), metric))
        except InvalidDesign:
            return float("inf")

    starts = [space.sample(rng) for _ in range(_STARTS)]
    best = min(starts, key=value)
    least = value(best)
    choices = space.choices()
    for _ in range(_ROUNDS):
        before = least
        for name in list(best):
            for option in _options(choices[name]):
                if name not in best or best[name] == option:
                    continue
                changed = space.complete({**best, name: option}, rng)
                reached = value(changed)
                if reached < least:
                    best, least = changed, reached
        if least == before:
            break
    return least, best


def _options(choice: Choice) -> tuple[Scalar, ...]:
    """All options, or of a long range the ends."""
    if isinstance(choice, Integer | Real) and (choice.count() or 100) > 16:
        return (choice.low, choice.high)
    return tuple(choice.values())
