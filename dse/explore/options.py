"""What each option of each decision would come to, all others left as they are.

A design has some thirty decisions with a hundred and more other options. Each is followed from the
point where it is decided, and only as far as it makes a difference: where its walk comes back to a
point of the design's own, with the same decisions to follow, the rest costs what it costs there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from dse.cost import Budget, Cost, total
from dse.errors import InvalidDesign
from dse.explore.fill import Wishes
from dse.explore.moves import Moves
from dse.space import Categorical, Choice, Decisions, Scalar, Space
from dse.space.steps import NOTHING, Point

MOST_VALUES = 24
"""Of a longer range some values stand for all, evenly spread."""
_SPREAD = 9
_PEAK = "peak_activation_bytes"


@dataclass(frozen=True, slots=True)
class Option:
    """An option, and the cost of the design that has it; or why there is no such design."""

    value: Scalar
    cost: Cost | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """A decision that the others lead to: its name and choice, and at which item of the walk it is
    met.
    """

    name: str
    choice: Choice
    item: int


def shown_values(choice: Choice, value: Scalar) -> tuple[Scalar, ...]:
    """The options of a choice in their order; of a long range, some of them and `value`."""
    count = choice.count()
    if isinstance(choice, Categorical) or (count is not None and count <= MOST_VALUES):
        return tuple(choice.values())
    low, high = choice.low, choice.high
    raw = [low + (high - low) * n / (_SPREAD - 1) for n in range(_SPREAD)]
    if choice.log:
        raw = [low * (high / low) ** (n / (_SPREAD - 1)) for n in range(_SPREAD)]
    if choice.step is not None:
        step = choice.step
        raw = [low + round((number - low) / step) * step for number in raw]
    found = {choice.accept(int(n) if isinstance(low, int) else n) for n in raw} | {value}
    return tuple(sorted((one for one in found if one is not None), key=float))


class Around:
    """A design and all that differ from it in one decision.

    Attributes:
        decisions: of the design, in the order in which they are asked.
        problem: why it cannot be built; empty if it can.
    """

    def __init__(self, space: Space, moves: Moves, wanted: Mapping[str, Any]) -> None:
        """The design that follows `wanted` wherever that can be followed.

        Args:
            space: of the design.
            moves: of that space.
            wanted: decisions by name; what is none of the space's is left out.
        """
        self.decisions: Decisions = {}
        self.problem = ""
        self._space = space
        self._moves = moves
        self._wished = Wishes(space.choices(), wanted)
        self._asked: list[Asked] = []
        # The items of the walk: the point before each, and what the item costs.
        self._trail: list[Point] = []
        self._spent: list[Cost] = []
        try:
            self._follow()
        except InvalidDesign as error:
            self.problem = str(error)
            self._ask_the_rest()
        self._places = {point: place for place, point in enumerate(self._trail)}
        rest = [NOTHING]
        for spent in reversed(self._spent):
            rest.append(_sum([spent, rest[-1]]))
        self._rest = rest[::-1]

    def options(self, asked: Asked, budget: Budget) -> Iterator[Option]:
        """The options of a decision, of a long range some, in their order, each worked out when it
        is asked for.

        The walk knows only an upper bound of the memory where branches run beside each other;
        designs that are over `budget` in that alone are looked at closely.
        """
        for value in shown_values(asked.choice, self.decisions[asked.name]):
            yield self._sharpened(asked, self._option(asked, value), budget)

    @property
    def asked(self) -> tuple[Asked, ...]:
        """The decisions that are open, in order."""
        return tuple(self._asked)

    # -- the design itself

    def _follow(self) -> None:
        steps, known = self._space.steps, self.decisions
        at = steps.start
        while at.alpha is None or at.agenda is not None:
            asked = steps.open(at, known)
            if asked is not None:
                name, hole = asked
                self._asked.append(Asked(name, hole.choice, len(self._trail)))
                known[name] = self._wished[name]
                continue
            self._trail.append(at)
            at, spent = self._moves.advance(at, self._wished)
            self._spent.append(spent)

    def _ask_the_rest(self) -> None:
        """The decisions after the block that does not fit, so that they can be seen and changed."""

        def decide(name: str, choice: Choice) -> Scalar:
            if name not in self.decisions:
                self._asked.append(Asked(name, choice, len(self._trail)))
                self.decisions[name] = self._wished[name]
            return self.decisions[name]

        # What the walk has to say against it is said already.
        with suppress(InvalidDesign):
            self._space.walk(decide)

    # -- the others

    def _option(self, asked: Asked, value: Scalar) -> Option:
        if value == self.decisions[asked.name] or asked.item >= len(self._trail):
            return Option(value, None if self.problem else self._rest[0], self.problem)
        known = self._wished.but(asked.name, value)
        at, spent = self._trail[asked.item], self._spent[: asked.item]
        advance, places = self._moves.advance, self._places
        try:
            while at.alpha is None or at.agenda is not None:
                at, own = advance(at, known)
                if own is not NOTHING:
                    spent.append(own)
                place = places.get(at)
                if place is not None and (at.agenda is None or asked.name not in at.agenda.names):
                    # From here on it is the design itself.
                    if self.problem:
                        return Option(value, None, self.problem)
                    return Option(value, _sum([*spent, self._rest[place]]))
        except InvalidDesign as error:
            return Option(value, None, str(error))
        return Option(value, _sum(spent))

    def _sharpened(self, asked: Asked, option: Option, budget: Budget) -> Option:
        if option.cost is None or list(budget.excess(option.cost)) != [_PEAK]:
            return option
        known = self._wished.but(asked.name, option.value)
        return Option(option.value, self._space.cost(self._space.walk(lambda name, _: known[name])))


def _sum(parts: Iterable[Cost]) -> Cost:
    return total([(part, 0) for part in parts])
