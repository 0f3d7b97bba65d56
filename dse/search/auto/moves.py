"""Small changes of the best points."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from dse.search.domain import Decisions
from dse.space import Choice, Scalar

_CHANGED = (1, 1, 2, 3, 5, 8)
"""How many decisions change, one of these numbers."""
_CROSSED = 0.5
"""How often a point takes over some decisions of another one first, and how many of them."""
_TRIES = 4
"""Draws for another value than the present one."""


def moved(
    points: Sequence[Mapping[str, Scalar]], choices: Mapping[str, Choice], rng: random.Random
) -> Decisions:
    """One of the points with a few other decisions. Whether it fits is not looked at, and
    decisions that hang on the changed ones may lack or be left over.
    """
    wishes = dict(rng.choice(points))
    if rng.random() < _CROSSED:
        other = rng.choice(points)
        shared = [name for name in wishes if name in other]
        wishes.update({name: other[name] for name in shared if rng.random() < _CROSSED})
    for name in rng.sample(list(wishes), min(rng.choice(_CHANGED), len(wishes))):
        value = wishes[name]
        for _ in range(_TRIES):
            if value != wishes[name]:
                break
            value = choices[name].sample(rng)
        wishes[name] = value
    return wishes
