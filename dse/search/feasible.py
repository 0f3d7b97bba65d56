"""A space under a budget: only what fits is ever proposed, however narrow the budget.

Wishes are followed as far as they fit. Where they do not, a few are eased; where that is not
enough, the walk is made anew, and at each decision an option is taken only if the cheapest way on
from it stays within every limit.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from functools import cached_property
from math import inf
from random import Random

from dse.cost import Budget, Cost
from dse.errors import InvalidDesign
from dse.search.bounded import Walker, towards
from dse.search.domain import Decisions, Exhausted
from dse.search.unreachable import check_reachable
from dse.space import Bound, Categorical, Choice, Scalar, Space, is_ordered
from dse.space.least import PEAK, Least, metrics_of

_DRAWS = 12
"""Plain random designs tried before a random one is walked within the bounds."""
_LOOKED_AT = 40
"""Plain random designs none of which fits where they are rare."""
_WALKS = 8
"""Walks within the bounds, each of which is made anew should its design not fit after all."""
_EASED = 16
"""Changes tried to a design that is not far over its budget..."""
_FAR = 1.0
"""... and this is far: twice the limit."""
_TRIED = 24
"""Designs tried on the way from a cheap one towards the wishes."""
_TOGETHER = 0.5
"""How often wishes for one stage are tried together, instead of any."""
_FEW = 64
"""Decisions of a space, all told, whose walks are quick."""
_WALKED = 0.5
"""How often a design is begun with such a walk."""
_PACES = (0.0, 0.5, 1.0, 2.0)
"""Paces of walks, see `Walker.walk`: with all of them no part of a network always gives way."""


class FeasibleSpace:
    """The designs of a space that hold every limit of a budget; a `dse.search.domain.Domain`.

    What it gives hangs on its arguments alone, never on what it gave before.

    Attributes:
        space: the space; with a timer where latency is limited.
        budget: the limits.
    """

    def __init__(self, space: Space, budget: Budget) -> None:
        self.space = space
        self.budget = budget
        self._choices = space.choices()
        self._limits = budget.limits()

    def choices(self) -> Mapping[str, Choice]:
        """Every decision that some design has, by name."""
        return self._choices

    def costs(self, decisions: Mapping[str, Scalar]) -> Mapping[str, float]:
        """Every metric of the cost model, and latency where the space has a timer.

        Raises:
            InvalidDesign: the decisions are no design of the space.
        """
        cost = self.space.cost(decisions)
        return {metric: float(getattr(cost, metric)) for metric in metrics_of(self.space)}

    def fitting(self, decisions: Mapping[str, Scalar]) -> Bound | None:
        """The design of these decisions if it can be built and fits, else None."""
        try:
            found = Bound(dict(decisions), *self.space.evaluate(decisions))
        except InvalidDesign:
            return None
        return found if self.budget.admits(found.cost) else None

    def random(self, rng: Random) -> Decisions:
        """A design that fits: any of them with the same chance where they are not rare.

        Raises:
            Exhausted: none was found.
        """
        for _ in range(0 if self._rare else _DRAWS):
            found = self._drawn(rng)
            if found is not None:
                return found.decisions
        return self._within(self.space.complete({}, rng), rng)

    def repair(self, wishes: Mapping[str, Scalar], rng: Random) -> Decisions:
        """A design that fits and follows `wishes` as far as it can; which of them give way is up
        to chance. Numbers give way to the nearest that fits.

        Raises:
            Exhausted: none was found.
        """
        wished = self._followed(wishes, rng)
        if wished is None:
            return self._within(self.space.complete(wishes, rng), rng)
        excess = self._excess(wished.cost)
        if excess == 0:
            return wished.decisions
        if excess <= _FAR:
            eased = self._eased(wished.decisions, excess, rng)
            if eased is not None:
                return eased
        return self._within(wished.decisions, rng)

    def check_reachable(self) -> None:
        """See before any evaluation that some design fits.

        Raises:
            OverBudget: none does; says what the smallest costs, where most of that is and which
                decision is there.
        """
        check_reachable(self)

    # -- parts

    @cached_property
    def _walker(self) -> Walker:
        summed = [metric for metric in self._limits if metric != PEAK]
        return Walker(Least(self.space, summed, self._limits))

    @cached_property
    def _rare(self) -> bool:
        """Whether plain random designs hardly ever fit."""
        rng = Random(0)
        return not any(self._drawn(rng) for _ in range(_LOOKED_AT))

    def _drawn(self, rng: Random) -> Bound | None:
        """A plain random design, if it fits."""
        found = self._followed({}, rng)
        return found if found is not None and self.budget.admits(found.cost) else None

    def _followed(self, wishes: Mapping[str, Scalar], rng: Random) -> Bound | None:
        """The design of wishes, completed at random, if it can be built."""
        try:
            return self.space.decide(lambda _, choice: choice.sample(rng), wishes)
        except InvalidDesign:
            return None

    def _excess(self, cost: Cost) -> float:
        """By how much the limit that is exceeded most is exceeded."""
        return max(self.budget.excess(cost).values(), default=0.0)

    def _eased(self, wished: Decisions, excess: float, rng: Random) -> Decisions | None:
        """The wished design with one decision changed, or a few, none of them more likely to give
        way than another; None if that did not make it fit.
        """
        names = list(wished)
        rng.shuffle(names)
        decisions = wished
        tried = 0
        for name in names:
            if name not in decisions:
                continue
            for option in _neighbours(self._choices[name], decisions[name], rng):
                changed = self._followed({**decisions, name: option}, rng)
                less = inf if changed is None else self._excess(changed.cost)
                if changed is not None and less == 0:
                    return changed.decisions
                tried += 1
                if tried == _EASED:
                    return None
                if changed is not None and less < excess:
                    decisions, excess = changed.decisions, less
                    break
        return None

    def _within(self, wishes: Decisions, rng: Random) -> Decisions:
        """A design that fits, and from there towards the wishes as far as there is room.

        It is one of the cheapest, or comes from a walk within the bounds: that can leave all room
        to what comes first, and in spaces of many decisions it takes longer than trying.

        Raises:
            Exhausted: no design fits, as far as trying can tell.
        """
        for _ in range(_WALKS):
            if len(self._choices) <= _FEW and rng.random() < _WALKED:
                found = self._walker.walk(wishes, rng.choice(_PACES), rng)
            else:
                found = self._thrifty(wishes, rng)
            if found is None:
                break
            if self.fitting(found):
                return self._towards(wishes, found, rng)
        raise Exhausted

    def _thrifty(self, wishes: Decisions, rng: Random) -> Decisions | None:
        """One of the cheapest designs; what changes no cost is as it was wished."""
        ways = self._walker.least.ways(self._walker.least.steps.start, {})
        if not ways:
            return None
        cheap = rng.choice(ways).decisions()
        neutral = self.space.economy.neutral
        return {n: wishes.get(n, o) if n in neutral else o for n, o in cheap.items()}

    def _towards(self, wishes: Decisions, fits: Decisions, rng: Random) -> Decisions:
        """A design that fits, with as many more of the wishes as fit.

        All that are not met are tried, then the halves of what does not fit, and so on; single
        numbers by and by nearer to what they are. What a wish brings with it that was neither
        wished nor there before is cheap.
        """
        lost = [name for name in wishes if fits.get(name) != wishes[name]]
        rng.shuffle(lost)
        if rng.random() < _TOGETHER:
            lost.sort(key=lambda name: name.partition(".")[0])
        groups = deque([{name: wishes[name] for name in lost}])
        for _ in range(_TRIED):
            if not groups:
                break
            group = groups.popleft()
            merged = self._merged(group, fits)
            if merged is not None:
                fits = merged
            elif len(group) > 1:
                items, half = list(group.items()), len(group) // 2
                groups += [dict(items[:half]), dict(items[half:])]
            else:
                [(name, wish)] = group.items()
                nearer = _nearer(self._choices[name], wish, fits.get(name))
                if nearer is not None:
                    groups.append({name: nearer})
        return fits

    def _merged(self, asked: Decisions, fits: Decisions) -> Decisions | None:
        """A design with what is asked, in all else like one that fits; None if it does not fit."""
        try:
            found = self.space.decide(lambda name, _: self._frugal[name], {**fits, **asked})
        except InvalidDesign:
            return None
        return found.decisions if self.budget.admits(found.cost) else None

    @cached_property
    def _frugal(self) -> Decisions:
        """For every decision the option that the cheapest designs take, or an option."""
        economy = self.space.economy
        frugal = {name: options[0] for name, options in economy.options.items()}
        # To follow times closely takes long; what has few multiply-adds is fast enough here.
        metrics = ["macs" if m == "latency_ms" else m for m in self._walker.least.metrics]
        least = Least(self.space, tuple(dict.fromkeys(metrics)) or ("params",))
        start = least.steps.start
        cheapest = least.ways(start, {})
        for way in cheapest[:1]:
            # Of groups as many as there can be, so that all of their decisions are made.
            for full in least.ways(start, {**way.made, **economy.repeats}):
                frugal |= full.decisions()
            frugal |= way.decisions()
        return frugal


def _nearer(choice: Choice, wish: Scalar, held: Scalar | None) -> Scalar | None:
    """A number nearer than a wish to the one that is held; None if there is none between them."""
    if held is None or not is_ordered(choice):
        return None
    if isinstance(choice, Categorical):
        low, high = sorted((float(wish), float(held)))
        between = [option for option in choice.options if low < float(option) < high]
        return min(between, key=lambda option: abs(float(option) - float(wish)), default=None)
    half = towards(choice, wish, held, 0.5)
    return None if half in (wish, held) else half


def _neighbours(choice: Choice, value: Scalar, rng: Random) -> list[Scalar]:
    """Two other options: numbers on either side of a value, or any two labels."""
    if not is_ordered(choice):
        found = [option for option in choice.values() if option != value]
        rng.shuffle(found)
        return found[:2]
    if isinstance(choice, Categorical):
        below = [option for option in choice.options if float(option) < float(value)]
        above = [option for option in choice.options if float(option) > float(value)]
        found = [*sorted(below, key=float)[-1:], *sorted(above, key=float)[:1]]
    else:
        share = rng.random()
        found = [towards(choice, value, end, share) for end in (choice.low, choice.high)]
        found = [option for option in found if option != value]
    rng.shuffle(found)
    return found
