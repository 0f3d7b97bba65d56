"""A search space: a network document with holes, compiled once, walked many times."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import NamedTuple

from dse.cost import Budget, Cost, Timer
from dse.errors import InvalidDesign, UnknownName
from dse.ir import Shape
from dse.network import Network
from dse.space.agenda import item_holes, value_holes
from dse.space.bind import Binder
from dse.space.choices import Choice, Scalar, same_choice
from dse.space.economy import Economy
from dse.space.expand import Decide, Walk
from dse.space.locate import matches
from dse.space.size import Size, size
from dse.space.stats import Stats
from dse.space.steps import Steps
from dse.space.template import Hole, Template

Decisions = dict[str, Scalar]

_MAX_TRIES = 1_000
_MAX_CHOICES = 5_000


@dataclass(frozen=True)
class Contained:
    """A preset that a space claims as one of its points, and the preset's arguments."""

    preset: str
    arguments: Mapping[str, Scalar] = field(default_factory=dict)

    def __str__(self) -> str:
        settings = ", ".join(f"{key}={value}" for key, value in self.arguments.items())
        return f"{self.preset}({settings})" if settings else self.preset


class Bound(NamedTuple):
    """A design: what was decided, the network that this leads to and its cost."""

    decisions: Decisions
    network: Network
    cost: Cost


@dataclass(frozen=True, eq=False)
class Space:
    """A network document with holes. `decisions` close the holes; `bind` turns them into a network.

    Attributes:
        name: of the file, without its ending.
        about: why the space exists.
        contains: presets that are points of it.
        input: the images of its networks.
        classes: the classes of its networks.
        template: the compiled document.
        timer: what says how long its networks take, if that is asked.
    """

    name: str
    about: str
    contains: tuple[Contained, ...]
    input: Shape
    classes: int
    template: Template = field(repr=False)
    timer: Timer | None = field(default=None, repr=False)

    def with_io(self, input: Shape | None = None, classes: int | None = None) -> Space:
        """The same space for other images or another number of classes."""
        return replace(
            self,
            input=self.input if input is None else input,
            classes=self.classes if classes is None else classes,
        )

    def timed_by(self, timer: Timer | None) -> Space:
        """The same space, where costs say how long a network takes by `timer`."""
        return replace(self, timer=timer)

    def __getstate__(self) -> dict[str, object]:
        """What was found out about the space stays behind: it knows objects by their identity."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    # -- decisions ---------------------------------------------------------------------------------

    @cached_property
    def _choices(self) -> dict[str, Choice]:
        return every_choice(self.template)

    def choices(self) -> dict[str, Choice]:
        """Every decision that some walk may ask for, by name."""
        return dict(self._choices)

    def walk(self, decide: Decide, wishes: Mapping[str, Scalar] | None = None) -> Decisions:
        """Ask `decide` at each hole that the decisions so far lead to, each name once, unless one
        of `wishes` is among the choice's values.

        Raises:
            InvalidDesign: an answer is none of the choice's values.
        """
        walk = Walk(self.name, decide, wishes, firm=False)
        walk.run(self.template)
        return walk.decisions

    def sample(self, rng: random.Random, valid: bool = True) -> Decisions:
        """Random decisions; with `valid`, drawn again until they make a network.

        Raises:
            InvalidDesign: no valid network came up in a thousand draws; says why the last one
                failed.
        """
        problem: InvalidDesign | None = None
        for _ in range(_MAX_TRIES):
            try:
                decisions = self.walk(lambda _, choice: choice.sample(rng))
                if valid:
                    self.evaluate(decisions)
            except InvalidDesign as error:
                problem = error
            else:
                return decisions
        raise InvalidDesign(
            f"{self.name}: none of {_MAX_TRIES} random designs for {self.input} and "
            f"{self.classes} classes can be built; the last: {problem}"
        )

    def complete(self, partial: Mapping[str, Scalar], rng: random.Random) -> Decisions:
        """Decisions that follow `partial` wherever it can be followed and are random elsewhere."""
        return self.walk(lambda _, choice: choice.sample(rng), partial)

    # -- networks ----------------------------------------------------------------------------------

    @cached_property
    def binder(self) -> Binder:
        return Binder(self.name, self.input, self.classes, self.timer)

    def bind(self, decisions: Mapping[str, Scalar]) -> Network:
        """The network that the decisions lead to.

        Raises:
            InvalidDesign: a decision is missing, unknown or outside its choice, or the network is
                impossible: says the block, the rule and the values.
        """
        return self.evaluate(decisions)[0]

    def cost(self, decisions: Mapping[str, Scalar]) -> Cost:
        """The cost of the network that the decisions lead to.

        Raises:
            InvalidDesign: as `bind`.
        """
        return self.evaluate(decisions)[1]

    def evaluate(self, decisions: Mapping[str, Scalar]) -> tuple[Network, Cost]:
        """The network and its cost, in one go: finding the cost is what proves the network
        possible.

        Raises:
            InvalidDesign: as `bind`.
        """

        walk, network, cost = self._build(Walk(self.name, self._missing, decisions))
        if len(walk.decisions) != len(decisions):
            self._refuse(next(name for name in decisions if name not in walk.decisions))
        return network, cost

    def decide(self, decide: Decide, wishes: Mapping[str, Scalar] | None = None) -> Bound:
        """Walk and bind in one go.

        Raises:
            InvalidDesign: as `walk` and `bind`.
        """
        walk, network, cost = self._build(Walk(self.name, decide, wishes, firm=False))
        return Bound(walk.decisions, network, cost)

    def _build(self, walk: Walk) -> tuple[Walk, Network, Cost]:
        alpha = walk.run(self.template)
        return walk, *self.binder.bind(walk, alpha)

    def _missing(self, name: str, choice: Choice) -> Scalar:
        raise InvalidDesign(f"{self.name}: the decision {name!r} is missing ({choice})")

    def _refuse(self, name: str) -> None:
        if name in self._choices:
            raise InvalidDesign(
                f"{self.name}: the other decisions do not lead to {name!r}, leave it out"
            )
        raise InvalidDesign(f"{self.name}: {UnknownName('decision', name, self._choices)}")

    def locate(self, network: Network) -> Decisions | None:
        """Decisions that lead to `network`, or None if it is no point of the space."""
        space = self.with_io(network.input, network.classes)
        for decisions in matches(self.template, network):
            try:
                if space.bind(decisions) == network:
                    return decisions
            except InvalidDesign:
                continue
        return None

    def __contains__(self, network: Network) -> bool:
        return self.locate(network) is not None

    @cached_property
    def steps(self) -> Steps:
        """The space walked step by step, which remembers where it has been."""
        return Steps(self)

    @cached_property
    def economy(self) -> Economy:
        """The options that cheap designs may take; see `dse.space.economy`."""
        from dse.space.economy import find_economy

        return find_economy(self.steps)

    # -- the space as a whole ----------------------------------------------------------------------

    def size(self) -> Size:
        """The number of decision vectors."""
        return size(self.template)

    def check(self, samples: int = 200, seed: int = 0) -> list[str]:
        """What is wrong with the space, one sentence each; see `dse.space.check`."""
        from dse.space.check import check

        return check(self, samples, seed)

    def stats(self, samples: int = 1000, seed: int = 0, budget: Budget | None = None) -> Stats:
        """What random designs of the space cost; see `dse.space.stats`."""
        from dse.space.stats import stats

        return stats(self, samples, seed, budget)

    def smallest(self, metric: str = "params") -> tuple[float, Decisions]:
        """The smallest value of a cost metric in the space, and how it is reached; see
        `dse.space.least`.
        """
        from dse.space.least import smallest

        return smallest(self, metric)


def every_choice(template: Template) -> dict[str, Choice]:
    """All decisions of a template by name.

    Raises:
        InvalidDesign: two holes share a name but not their options, or are called alike by
            accident.
    """
    first: dict[str, Hole] = {}
    holes = list(value_holes(template.scale, template.top))
    for item in template.items:
        for hole, scope in item_holes(item, template.top):
            holes.append((hole, scope))
            if len(holes) > 20 * _MAX_CHOICES:
                raise InvalidDesign(f"{hole.place}: a space has at most {_MAX_CHOICES:,} decisions")
    for hole, scope in holes:
        name = hole.name(scope)
        other = first.setdefault(name, hole)
        if other is hole:
            continue
        if not same_choice(hole.choice, other.choice):
            raise InvalidDesign(
                f"{hole.place}: the decision {name!r} has the same options wherever it stands, got "
                f"{hole.choice}, but {other.choice} at {other.place}"
            )
        if not (hole.given and other.given) and hole.place != other.place:
            raise InvalidDesign(
                f"{hole.place}: two holes are called {name!r}, the other at {other.place}; "
                "name them apart"
            )
    return {name: hole.choice for name, hole in first.items()}
