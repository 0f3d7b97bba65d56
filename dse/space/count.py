"""How many decision vectors of a space hold a budget: exactly where that can be found, else
estimated with its error.

All designs walk at once (`dse.space.many`). Where walks have come to the same place at the same
cost, with the same decisions still mattering, they are one row with a weight; rows over the budget
fall out, since no cost ever shrinks. As long as all rows can be kept, their final weights add up to
the exact number: this is dynamic programming over places and costs.

Where they become too many, some are drawn at random, and the weight of each that stays is divided
by its chance to stay. Whatever these chances, the sum of the final weights is right on average
(Knuth, Estimating the efficiency of backtrack programs, 1975); independent runs say how far off one
may be. Half of the rows are drawn by their weights, the other half evenly from all levels of cost:
the cheap ones, which a random walk never meets, are what fits a narrow budget in the end
(multilevel splitting: Kahn and Harris, 1951).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dse.cost import FLOAT_BYTES, Budget
from dse.errors import InvalidDesign
from dse.space.many.chances import chances
from dse.space.many.codes import UNDECIDED
from dse.space.many.course import Course, Names
from dse.space.many.lanes import Array
from dse.space.many.rows import COSTS, SHAPE, Rows, join
from dse.space.template import Hole, Item, Scope

if TYPE_CHECKING:
    from dse.space.space import Space

_EXACT = (200_000, 2_000_000)
"""Rows kept for an exact count, and rows that may come up between two merges."""
_THINNED = (3_000, 100_000)
"""The same for a run of an estimate."""
_RUNS = 6
_WEIGHTS = ("weight", "chance")
_LEVELS = 24
"""Levels of cost between which drawn rows are shared out, each half as costly as the one above."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number and its standard error, 0 where it is exact."""

    value: float
    error: float = 0.0


@dataclass(frozen=True, slots=True)
class Count:
    """The designs of a space that can be built and hold a budget.

    Attributes:
        designs: decision vectors.
        share: the chance that a random design, as `Space.sample` draws it, is one of them; None
            where it was not asked for and does not come along.
        method: how they were found: ``exact`` or ``importance sampling``.
        runs: independent runs behind an estimate. That all of them found nothing does not prove
            that there is nothing.
    """

    designs: Estimate
    share: Estimate | None
    method: str
    runs: int


def count(
    space: Space, budget: Budget | None = None, seed: int = 0, *, share: bool = True
) -> Count:
    """Count the designs of a space that can be built and hold a budget, latency aside.

    Args:
        space: what is counted.
        budget: what they hold.
        seed: of an estimate's draws.
        share: whether their share among random designs is wanted; an estimate takes as long again.

    Raises:
        Intractable: the space has a continuous range.
    """
    census = _Census(space, Budget() if budget is None else budget)
    try:
        exact = census.run(_EXACT)
        if exact.weight < 2**53:
            return Count(Estimate(exact.weight), Estimate(exact.chance), "exact", 1)
    except _TooMany:
        pass
    rng = np.random.default_rng(seed)
    designs = _estimate(census, "weight", rng)
    odds = _estimate(census, "chance", rng) if share else None
    return Count(designs, odds, "importance sampling", _RUNS)


def _estimate(census: _Census, aim: str, rng: np.random.Generator) -> Estimate:
    """The mean of independent runs."""
    thinning = _Thinning(rng, aim)
    sums = np.array([getattr(census.run(_THINNED, thinning), aim) for _ in range(_RUNS)])
    return Estimate(float(sums.mean()), float(sums.std(ddof=1) / sqrt(_RUNS)))


class _TooMany(Exception):
    """Exact counting would keep too many rows."""


@dataclass(frozen=True)
class _Thinning:
    """How rows are drawn where they are too many.

    Attributes:
        rng: of the draws.
        aim: the weight whose sum is estimated.
    """

    rng: np.random.Generator
    aim: str


class _Sums(NamedTuple):
    """What a run found: the sums of the final weights and chances."""

    weight: float
    chance: float


class _Census(Course):
    """Each row stands for all walks that led to it: `weight` is their number, `chance` how likely
    a random walk takes one of them.
    """

    def __init__(self, space: Space, budget: Budget) -> None:
        super().__init__(space.template, space.input, space.classes)
        self._limits = {k: v for k, v in budget.limits().items() if k != "latency_ms"}
        parts = {"size_bytes": ("params", "buffers")}
        needed = [name for limit in self._limits for name in parts.get(limit, (limit,))]
        self._free = [name for name in COSTS if name not in needed]

    def run(self, most: tuple[int, int], thinning: _Thinning | None = None) -> _Sums:
        """Count once, with at most so many rows kept and coming up.

        Raises:
            _TooMany: there are more, and no thinning to make them fewer.
        """
        self._most_rows, self._most_pairs = most
        self._thinning = thinning
        self._beside = False
        ones = np.ones(1)
        state = self.follow(self.start(1).having(weight=ones, chance=ones)).state
        return _Sums(float(state["weight"].sum()), float(state["chance"].sum()))

    # -- decisions

    def decide(self, rows: Rows, name: str, hole: Hole) -> Rows:
        known = rows.known.get(name)
        open_ = np.ones(len(rows), bool) if known is None else known == UNDECIDED
        if not open_.any():
            return rows
        options = len(self._options.of(hole.choice))
        grown = rows.take(open_)
        before = len(grown)
        if before * options > self._most_pairs:
            grown = self._thinned(grown, max(1, self._most_pairs // options))
            before = len(grown)
        grown = grown.take(np.repeat(np.arange(before), options))
        grown.known[name] = np.tile(np.arange(options, dtype=np.int32), before)
        odds = np.tile(chances(hole.choice, options), before)
        grown = grown.having(chance=grown.state["chance"] * odds)
        return join([rows.take(~open_), grown])

    def column(self, rows: Rows, name: str) -> Array:
        known = rows.known.get(name)
        return np.full(len(rows), UNDECIDED, np.int32) if known is None else known

    def refused(self, rows: Rows, refusal: InvalidDesign) -> None:
        """Rows that make no network are not counted."""

    # -- blocks

    def place(self, items: tuple[Item, ...], scope: Scope, rows: Rows, later: Names) -> Rows:
        """As of any course, but each different situation is followed once, from no cost, and what
        comes of it is then joined to all rows that are in it.
        """
        mine = self._all_names(items, scope)
        seen = [rows.state[name] for name in (*SHAPE, "scale", "bare")]
        seen += [column for name, column in rows.known.items() if name in mine]
        first, situation = _distinct(seen)
        fresh = rows.take(first)
        nothing = np.zeros(len(first), np.int64)
        # Where outcomes have to be drawn, those of the weightiest situations matter most.
        exact = self._thinning is None
        totals = {
            name: np.ones(len(first)) if exact else np.bincount(situation, rows.state[name])
            for name in _WEIGHTS
        }
        fresh = Rows(
            {
                **{name: fresh.state[name] for name in (*SHAPE, "scale", "bare")},
                **dict.fromkeys(COSTS, nothing),
                **totals,
                "situation": np.arange(len(first)),
            },
            {name: column for name, column in fresh.known.items() if name in mine},
        )
        self._beside = True
        outcomes = super().place(items, scope, fresh, later)
        self._beside = False
        scale = {
            name: outcomes.state[name] / totals[name][outcomes.state["situation"]]
            for name in _WEIGHTS
        }
        outcomes = outcomes.having(**scale)
        return self._joined(rows, situation, outcomes, len(first), later - mine)

    def _joined(
        self, rows: Rows, situation: Array, outcomes: Rows, situations: int, later: Names
    ) -> Rows:
        """Every row with every outcome of its situation."""
        order = np.argsort(outcomes.state["situation"], kind="stable")
        outcomes = outcomes.take(order)
        ends = np.searchsorted(outcomes.state["situation"], np.arange(situations + 1))
        number = np.diff(ends)[situation]
        pairs = int(number.sum())
        if pairs > self._most_pairs:
            rows = rows.having(situation=situation)
            rows = self._thinned(rows, max(1, len(rows) * self._most_pairs // pairs))
            situation = rows.state["situation"]
            number = np.diff(ends)[situation]
            pairs = int(number.sum())
        left = np.repeat(np.arange(len(rows)), number)
        skipped = np.cumsum(number) - number
        right = np.arange(pairs) - skipped[left] + ends[situation][left]
        spent = {name: rows.state[name][left] + outcomes.state[name][right] for name in COSTS[:3]}
        peak = COSTS[3]
        spent[peak] = np.maximum(rows.state[peak][left], outcomes.state[peak][right])
        fits = np.flatnonzero(self._fit(spent))
        left, right = left[fits], right[fits]
        state = {name: rows.state[name][left] for name in rows.state if name != "situation"}
        state |= {name: outcomes.state[name][right] for name in (*SHAPE, "bare")}
        state |= {name: column[fits] for name, column in spent.items()}
        for name in _WEIGHTS:
            state[name] = state[name] * outcomes.state[name][right]
        known = {name: rows.known[name][left] for name in rows.known if name in later}
        known |= {name: column[right] for name, column in outcomes.known.items()}
        return self.settled(Rows(state, known), later | outcomes.known.keys())

    def settled(self, rows: Rows, later: Names) -> Rows:
        known = {name: column for name, column in rows.known.items() if name in later}
        nothing = np.zeros(len(rows), np.int64)
        rows = Rows({**rows.state, **dict.fromkeys(self._free, nothing)}, known)
        rows = _merged(rows.take(self._fit(rows.state)))
        most = self._most_pairs if self._beside else self._most_rows
        return self._thinned(rows, most) if len(rows) > most else rows

    def _fit(self, spent: dict[str, Array]) -> Array:
        fits = np.ones(len(spent["params"]), bool)
        for name in self._limits:
            fits &= self._spent(spent, name) <= self._limits[name]
        return fits

    @staticmethod
    def _spent(spent: dict[str, Array], name: str) -> Array:
        if name == "size_bytes":
            return FLOAT_BYTES * (spent["params"] + spent["buffers"])
        return spent[name]

    def _thinned(self, rows: Rows, most: int) -> Rows:
        """About `most` of the rows, their weights divided by their chances to stay."""
        if self._thinning is None:
            raise _TooMany
        weight = rows.state[self._thinning.aim]
        wanted = weight / weight.sum()
        used = [self._spent(rows.state, name) / limit for name, limit in self._limits.items()]
        if used:
            share = np.maximum(np.max(used, axis=0), 0.5**_LEVELS)
            levels, level = np.unique(np.floor(-np.log2(share)), return_inverse=True)
            by_level = np.bincount(level, weight)
            wanted += weight / (by_level[level] * len(levels))
        stay = _stay(wanted, most)
        # One draw for all: every so many chances in sum, one row stays.
        edges = np.cumsum(stay) + self._thinning.rng.random()
        kept = np.flatnonzero(np.floor(edges) > np.floor(edges - stay))
        some, odds = rows.take(kept), stay[kept]
        return some.having(weight=some.state["weight"] / odds, chance=some.state["chance"] / odds)


def _stay(wanted: Array, most: int) -> Array:
    """Chances in proportion to `wanted`, but at most 1, that add up to `most`."""
    if most >= len(wanted):
        return np.ones(len(wanted))
    ordered = np.sort(wanted)[::-1]
    rest = np.cumsum(ordered[::-1])[::-1]
    # The first `sure` stay for certain, the others in proportion.
    sure = int(np.argmax((most - np.arange(most)) * ordered[:most] <= rest[:most]))
    stay: Array = np.minimum(1, wanted * ((most - sure) / rest[sure]))
    return stay


def _distinct(columns: list[Array]) -> tuple[Array, Array]:
    """A row of each kind, and for each row its kind."""
    order, begins = _sorted(columns)
    kinds = np.empty(len(order), np.int64)
    kinds[order] = np.cumsum(begins) - 1
    return order[begins], kinds


def _merged(rows: Rows) -> Rows:
    """Rows that differ in nothing but their weights made one."""
    if not len(rows):
        return rows
    columns = [column for name, column in rows.state.items() if name not in _WEIGHTS]
    order, begins = _sorted([*columns, *rows.known.values()])
    starts = np.flatnonzero(begins)
    sums = {name: np.add.reduceat(rows.state[name][order], starts) for name in _WEIGHTS}
    return rows.take(order[starts]).having(**sums)


def _sorted(columns: list[Array]) -> tuple[Array, Array]:
    """An order in which equal rows stand together, and which of the sorted rows begin a new kind.

    Rows are ordered by a hash. Should two kinds share one, some of their rows may stay apart, which
    costs room and nothing else.
    """
    mixed = np.zeros(len(columns[0]), np.uint64)
    for column in columns:
        mixed = (mixed ^ column.astype(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
    order = np.argsort(mixed, kind="stable")
    begins = np.zeros(len(order), bool)
    begins[:1] = True
    for column in columns:
        sorted_ = column[order]
        begins[1:] |= sorted_[1:] != sorted_[:-1]
    return order, begins
