"""Wishes: small changes of the best points, and large designs."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from dse.search.domain import Decisions
from dse.space import Categorical, Choice, Scalar, is_ordered

_CHANGED = (1, 1, 2, 3, 5, 8)
"""How many decisions change, one of these numbers."""
_CROSSED = 0.5
"""How often a point takes over some decisions of another one first, and how many of them."""
_TRIES = 4
"""Draws for another value than the present one."""
_RAISED = 0.7
"""How often a number is at its highest in a large design; the others are left open."""


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


def large(choices: Mapping[str, Choice], rng: random.Random) -> Decisions:
    """Most numbers at their highest. It hardly ever fits: what it gives way to is large."""
    return {
        name: _highest(choice) if is_ordered(choice) else choice.sample(rng)
        for name, choice in choices.items()
        if rng.random() < _RAISED
    }


def _highest(choice: Choice) -> Scalar:
    return max(choice.options) if isinstance(choice, Categorical) else choice.values()[-1]
