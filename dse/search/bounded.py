"""Walks within the bounds: an option is taken only where the rest can still be cheap enough."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from dse.search.domain import Decisions
from dse.space import Categorical, Choice, Scalar, is_ordered
from dse.space.least import Least, Spent
from dse.space.steps import Point

_STEPS = (0.1, 0.25, 0.5, 1.0)
"""How far towards its ends a long range is tried, where a wish does not fit."""
_MANY = 16


@dataclass(frozen=True)
class Walker:
    """Makes walks that stay within the limits of `least`."""

    least: Least

    def walk(
        self, wishes: Mapping[str, Scalar], pace: float, rng: random.Random
    ) -> Decisions | None:
        """Decisions that follow the wishes as far as the bounds let them; None if nothing fits.

        Args:
            wishes: what is wished for. A wish that does not fit gives way to the nearest option
                that does; decisions without a wish are random.
            pace: how the room above the cheapest design is spread over the walk. At 0 what comes
                first may take all of it, at 1 half of the decisions may take half of it.
            rng: chance.
        """
        least, steps = self.least, self.least.steps
        at, known, spent = steps.start, Decisions(), least.nothing
        ways = least.ways(at, known)
        if not ways:
            return None
        cheapest = min(ways, key=lambda way: least.share(way.spent)).spent
        while at.alpha is None or at.agenda is not None:
            asked = steps.open(at, known)
            if asked is None:
                at, cost = steps.advance(at, known)
                own = least.spent(cost)
                if own is None:
                    return None
                spent = least.plus(spent, own)
                continue
            name, hole = asked
            wish = hole.choice.accept(wishes.get(name))
            if wish is None:
                wish = hole.choice.sample(rng)
            progress = min(1.0, (len(known) + 1) / max(len(wishes), 1))
            bound = least.between(cheapest, progress**pace)
            option = self._take(at, known, spent, name, preferred(hole.choice, wish, rng), bound)
            if option is None:
                return None
            known[name] = option
        return known

    def _take(
        self,
        at: Point,
        known: Decisions,
        spent: Spent,
        name: str,
        options: Iterable[Scalar],
        bound: Spent,
    ) -> Scalar | None:
        """The first option from which there is a way within `bound`, or else within the limits."""
        least = self.least
        cheapest = [
            way for way in least.ways(at, known) if least.fits(least.plus(spent, way.spent))
        ]
        if not cheapest:
            return None
        bounded = any(_holds(least.plus(spent, way.spent), bound) for way in cheapest)
        admissible: Scalar | None = None
        for option in options:
            wholes = [
                least.plus(spent, way.spent) for way in least.ways(at, {**known, name: option})
            ]
            if any(_holds(whole, bound) for whole in wholes):
                return option
            if admissible is None and any(map(least.fits, wholes)):
                admissible = option
            if admissible is not None and not bounded:
                return admissible
        return cheapest[0].decisions()[name] if admissible is None else admissible


def _holds(spent: Spent, bound: Spent) -> bool:
    return all(value <= limit for value, limit in zip(spent, bound, strict=True))


def preferred(choice: Choice, wish: Scalar, rng: random.Random) -> Iterator[Scalar]:
    """Options of a choice, the wished one first: numbers then by their distance from it, labels in
    random order. Of a long range some towards either end.
    """
    yield wish
    if isinstance(choice, Categorical) or (choice.count() or _MANY + 1) <= _MANY:
        others = [option for option in choice.values() if option != wish]
        rng.shuffle(others)
        if is_ordered(choice):
            others.sort(key=lambda option: abs(float(option) - float(wish)))
        yield from others
        return
    for step in _STEPS:
        for end in (choice.low, choice.high):
            yield towards(choice, wish, end, step)


def towards(choice: Choice, value: Scalar, end: Scalar, share: float) -> Scalar:
    """A number of a range some way from one of its values to one of its ends."""
    assert not isinstance(choice, Categorical)
    aim = float(value) + share * (float(end) - float(value))
    if choice.step is not None:
        aim = choice.low + round((aim - choice.low) / choice.step) * choice.step
    found = choice.accept(round(aim) if isinstance(choice.low, int) else aim)
    return end if found is None else found
