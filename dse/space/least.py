"""The least that the undecided rest of a design can cost.

A dynamic programme over the points that a walk can come to, from the end: the cheapest ways on from
a point are the cheapest of its next item's outcomes with the cheapest ways on from there. Every way
is a real one, decisions and all, so what it costs can be had. In small spaces every way is looked
at; in larger ones the options of `dse.space.economy`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from dse.cost import Cost
from dse.errors import InvalidDesign, InvalidValue
from dse.space.choices import Scalar
from dse.space.economy import is_no_larger
from dse.space.steps import Known, Point, Steps
from dse.space.template import ChoiceItem

if TYPE_CHECKING:
    from dse.space.space import Decisions, Space

METRICS = ("params", "macs", "peak_activation_bytes", "size_bytes")
PEAK = "peak_activation_bytes"
_WAYS = 24
"""Ways kept for a point, where with several metrics none is the cheapest in all."""
_MAX_POINTS = 200_000

Spent = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Way:
    """A way from a point to the end.

    Attributes:
        spent: what it costs, metric by metric.
        made: the decisions that it makes at the point, those aside that were known.
        rest: the way on after that; None at the end.
    """

    spent: Spent
    made: Decisions
    rest: Way | None

    def decisions(self) -> Decisions:
        """Every decision made on the way, in the order of the walk."""
        return {name: option for way in self._parts() for name, option in way.made.items()}

    def against(self, known: Known) -> Iterator[str]:
        """Decisions on the way that are `known` to be others."""
        for way in self._parts():
            for name, option in way.made.items():
                if known.get(name, option) != option:
                    yield name

    def _parts(self) -> Iterator[Way]:
        way: Way | None = self
        while way is not None:
            yield way
            way = way.rest


class _Outcome(NamedTuple):
    """Decisions at a point, the point after them, and what lies between."""

    made: Decisions
    after: Point
    spent: Spent


class Least:
    """The cheapest ways on, for one space and some metrics.

    Attributes:
        steps: how the space is walked.
        metrics: what the ways are cheap in. Memory is the highest on the way, all else is summed.
        nothing: the cost of nothing.
    """

    def __init__(
        self, space: Space, metrics: Sequence[str], limits: Mapping[str, float] | None = None
    ) -> None:
        """Ways over one of `limits` are left out; a limit need not be among the metrics."""
        self.steps: Steps = space.steps
        self.metrics = tuple(metrics)
        self._space = space
        limits = limits or {}
        self._limits = tuple([limits.get(metric, float("inf")) for metric in self.metrics])
        self._ceiling = limits.get(PEAK, float("inf"))
        self._timed = "latency_ms" in self.metrics
        self._peak = self.metrics.index(PEAK) if PEAK in self.metrics else -1
        self.nothing: Spent = (0.0,) * len(self.metrics)
        self._known_ways: dict[tuple[Point, frozenset[tuple[str, Scalar]]], tuple[Way, ...]] = {}

    @cached_property
    def exact(self) -> bool:
        """Whether every way is looked at, or only the likely ones."""
        return self._space.economy.exact

    def ways(self, at: Point, known: Known) -> tuple[Way, ...]:
        """The cheapest ways on from a point that follow what is `known`, none of which is better
        than another in all metrics; none if there is no way within the limits.
        """
        neutral = self._space.economy.neutral
        known = {name: option for name, option in known.items() if name not in neutral}
        binding: Decisions = {}
        if at.agenda is not None and at.agenda.scope.holes:
            # What was decided in this repetition of a group matters here and nowhere else.
            here = at.agenda.scope.holes
            binding = {name: known[name] for name in known if name.startswith(here)}
        while True:
            # Most that is known does not matter for the cheapest ways; what does is asked for only
            # where they turn out to go against it. So they are found once for many walks.
            ways = self._ways(at, binding)
            against = {name for way in ways for name in way.against(known)}
            if not ways and not self.exact and at.agenda is not None:
                # Perhaps only what is known leads on, and it is none of the likely options.
                left = known if at.alpha is None else known.keys() & at.agenda.names
                against = set(left) - binding.keys()
            if not against:
                return ways
            binding = {**binding, **{name: known[name] for name in against}}

    def plus(self, a: Spent, b: Spent) -> Spent:
        """What two parts of a way cost together."""
        if self._peak < 0:
            return tuple([x + y for x, y in zip(a, b, strict=True)])
        return tuple(
            [
                max(x, y) if i == self._peak else x + y
                for i, (x, y) in enumerate(zip(a, b, strict=True))
            ]
        )

    def spent(self, cost: Cost) -> Spent | None:
        """A cost metric by metric; None if it is over a limit."""
        if cost.peak_activation_bytes > self._ceiling:
            return None
        spent = tuple([float(getattr(cost, metric) or 0) for metric in self.metrics])
        return spent if self.fits(spent) else None

    def fits(self, spent: Spent) -> bool:
        """Whether this is within the limits."""
        return all(value <= limit for value, limit in zip(spent, self._limits, strict=True))

    def share(self, spent: Spent) -> float:
        """The largest share of a limit that this takes."""
        return max((s / limit for s, limit in zip(spent, self._limits, strict=True)), default=0.0)

    def between(self, spent: Spent, share: float) -> Spent:
        """What lies this share of the way from `spent` to the limits."""
        return tuple(
            [s + share * (limit - s) for s, limit in zip(spent, self._limits, strict=True)]
        )

    # -- parts

    def _ways(self, at: Point, binding: Decisions) -> tuple[Way, ...]:
        if at.agenda is None:
            return (Way(self.nothing, {}, None),)
        key = (at, frozenset(binding.items()))
        ways = self._known_ways.get(key)
        if ways is None:
            if len(self._known_ways) >= _MAX_POINTS:
                self._known_ways.clear()
            ways = self._known_ways[key] = self._find(at, binding)
        return ways

    def _find(self, at: Point, known: Decisions) -> tuple[Way, ...]:
        best: list[Way] = []
        for outcome in self._promising(at, known):
            if _is_beaten(outcome.spent, best):
                continue  # the way on can only add to it
            for way in self.ways(outcome.after, {**known, **outcome.made}):
                whole = self.plus(outcome.spent, way.spent)
                if self.fits(whole) and not _is_beaten(whole, best):
                    best = [other for other in best if not _is_no_worse(whole, other.spent)]
                    best.append(Way(whole, outcome.made, way))
        return tuple(self._few(best))

    def _promising(self, at: Point, known: Decisions) -> list[_Outcome]:
        """Outcomes of the item at hand, the cheapest first; in larger spaces without those that
        cost no less than another and leave no smaller map.
        """
        outcomes = sorted(self._outcomes(at, known), key=lambda outcome: outcome.spent)
        if self.exact:
            return outcomes
        kept: dict[tuple[object, ...], list[int]] = {}
        for number, outcome in enumerate(outcomes):
            rivals = kept.setdefault(self._situation(outcome), [])
            if not any(self._leads(outcomes[other], outcome) for other in rivals):
                rivals[:] = [other for other in rivals if not self._leads(outcome, outcomes[other])]
                rivals.append(number)
        return [outcomes[number] for number in sorted(chain.from_iterable(kept.values()))]

    def _situation(self, outcome: _Outcome) -> tuple[object, ...]:
        """What has to be alike for outcomes to be compared."""
        agenda, alpha, (_, *others), named, _ = outcome.after
        if not self._timed or agenda is None:
            return agenda, alpha, named, *others
        # A pool is as good as a stride by any other cost; what it takes, only striding saves.
        later = [(name, made) for name, made in outcome.made.items() if name in agenda.names]
        return agenda, alpha, named, *others, *later

    def _leads(self, a: _Outcome, b: _Outcome) -> bool:
        """Whether `a` costs no more than `b` in the same situation and leaves no larger map."""
        one, other = a.after.values[0], b.after.values[0]
        return _is_no_worse(a.spent, b.spent) and is_no_larger(one, other, timed=self._timed)

    def _outcomes(self, at: Point, known: Decisions) -> Iterator[_Outcome]:
        """What the item at hand can become; in larger spaces a choice together with what is
        chosen, so that candidates can be compared.
        """
        assert at.agenda is not None
        whole = not self.exact and at.alpha is not None and isinstance(at.agenda.item, ChoiceItem)
        end = at.agenda.rest
        options = self._space.economy.options
        pending = [_Outcome({}, at, self.nothing)]
        while pending:
            made, here, spent = pending.pop()
            every = {**known, **made}
            asked = self.steps.open(here, every)
            if asked is not None:
                name, _ = asked
                for option in reversed(options[name]):
                    pending.append(_Outcome({**made, name: option}, here, spent))
                continue
            try:
                after, cost = self.steps.advance(here, every)
            except InvalidDesign:
                continue
            own = self.spent(cost)
            if own is None:
                continue
            outcome = _Outcome(made, after, self.plus(spent, own))
            if whole and after.agenda is not end:
                pending.append(outcome)
            else:
                yield outcome

    def _few(self, ways: list[Way]) -> list[Way]:
        """At most `_WAYS`, the best in each metric among them."""
        if len(ways) <= _WAYS:
            return ways
        ways = sorted(ways, key=lambda way: way.spent)
        last = len(ways) - 1
        chosen = {round(number * last / (_WAYS - 1)) for number in range(_WAYS)}
        for metric in range(len(self.metrics)):
            chosen.add(min(range(len(ways)), key=lambda i: ways[i].spent[metric]))
        return [ways[i] for i in sorted(chosen)]


def _is_no_worse(a: Spent, b: Spent) -> bool:
    return all(x <= y for x, y in zip(a, b, strict=True))


def _is_beaten(spent: Spent, ways: Sequence[Way]) -> bool:
    return any(_is_no_worse(way.spent, spent) for way in ways)


def metrics_of(space: Space) -> tuple[str, ...]:
    """What is known of the designs of a space: of latency only where it has a timer."""
    return METRICS if space.timer is None else (*METRICS, "latency_ms")


def smallest(space: Space, metric: str) -> tuple[float, Decisions]:
    """The smallest value of a cost metric in the space, and decisions that reach it.

    Exact in small spaces; in larger ones the smallest that the likely options reach.

    Raises:
        InvalidValue: no such metric.
        InvalidDesign: no design of the space can be built.
    """
    metrics = metrics_of(space)
    if metric not in metrics:
        raise InvalidValue(f"metric is one of {', '.join(metrics)}; got {metric!r}")
    least = Least(space, (metric,))
    ways = least.ways(least.steps.start, {})
    if not ways:
        raise InvalidDesign(
            f"{space.name}: no design for {space.input} and {space.classes} classes can be built"
        )
    decisions = ways[0].decisions()
    return float(getattr(space.cost(decisions), metric)), decisions
