"""Sweeps: the costs of a million random designs in a minute, and any of them rebuilt on demand.

`Space.sample` and `Space.cost` follow one design; a sweep leads columns of designs through the
template (`dse.space.many`). Both draw every decision with the same chances and count with the same
rules.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from dse.cost import FLOAT_BYTES, Budget
from dse.errors import InvalidDesign
from dse.processes import Pool, pool_state
from dse.space.choices import Choice, Scalar
from dse.space.many.chances import chances
from dse.space.many.course import Course
from dse.space.many.lanes import Array
from dse.space.many.rows import COSTS, Rows
from dse.space.stats import reason
from dse.space.template import Hole

if TYPE_CHECKING:
    from dse.space.space import Decisions, Space

_BATCH = 250_000
"""Designs that go together: enough to share the work, few enough for a processor's cache."""


@dataclass(frozen=True)
class Sweep:
    """Random designs and what they cost.

    Attributes:
        costs: by name, for each design that can be built: `params`, `buffers`, `macs`,
            `peak_activation_bytes`.
        rows: for each of them which draw it was, from 0.
        drawn: the number of draws.
        problems: why the others cannot be built, with their numbers, the most frequent first.
        decisions: how many decisions were made for all draws.
        seed: of the draws.
    """

    costs: dict[str, Array]
    rows: Array
    drawn: int
    problems: dict[str, int]
    decisions: int
    seed: int

    def __len__(self) -> int:
        return len(self.rows)

    def metric(self, name: str) -> Array:
        """A cost by its name in `dse.cost.Cost`."""
        if name == "params_with_buffers":
            return self.costs["params"] + self.costs["buffers"]
        if name == "size_bytes":
            return FLOAT_BYTES * self.metric("params_with_buffers")
        return self.costs[name]

    def fitting(self, budget: Budget) -> Array:
        """Which designs hold every limit of a budget; a latency limit is left aside."""
        fits = np.ones(len(self), bool)
        for name, limit in budget.limits().items():
            if name != "latency_ms":
                fits &= self.metric(name) <= limit
        return fits


def sweep(space: Space, count: int, seed: int = 0, processes: int = 1) -> Sweep:
    """Draw `count` random designs and count their costs.

    The result does not hang on the number of processes.

    Raises:
        Intractable: the space has a continuous range.
    """
    batches = range(-(-count // _BATCH))
    sizes = [min(_BATCH, count - number * _BATCH) for number in batches]
    if processes > 1 and len(sizes) > 1:
        pool = Pool(min(processes, len(sizes)), _Batches(space, seed))
        try:
            futures = [pool.submit(_run, number, sizes[number]) for number in batches]
            found = [future.result() for future in futures]
        finally:
            pool.close()
    else:
        draws = _Batches(space, seed)
        found = [draws.run(number, sizes[number]) for number in batches]
    problems: Counter[str] = Counter()
    for part in found:
        problems.update(part.problems)
    return Sweep(
        costs={name: np.concatenate([part.costs[name] for part in found]) for name in COSTS},
        rows=np.concatenate([part.rows + n * _BATCH for n, part in enumerate(found)]),
        drawn=count,
        problems=dict(problems.most_common()),
        decisions=sum(part.decisions for part in found),
        seed=seed,
    )


def decisions_of(space: Space, swept: Sweep, designs: Sequence[int]) -> list[Decisions]:
    """The decisions of the designs at some positions of a sweep of that space."""
    batches = _Batches(space, swept.seed)
    found: dict[int, Decisions] = {}
    for batch, at in _by_batch(swept, designs).items():
        size = min(_BATCH, swept.drawn - batch * _BATCH)
        rows = [int(swept.rows[design]) - batch * _BATCH for design in at]
        found |= zip(at, batches.decisions(batch, size, rows), strict=True)
    return [found[design] for design in designs]


def _by_batch(swept: Sweep, designs: Sequence[int]) -> dict[int, list[int]]:
    batches: dict[int, list[int]] = {}
    for design in dict.fromkeys(designs):
        batches.setdefault(int(swept.rows[design]) // _BATCH, []).append(design)
    return batches


def _run(number: int, size: int) -> Sweep:
    batches: _Batches = pool_state()
    return batches.run(number, size)


class _Batches:
    """Runs batches of one sweep; what one has built the next need not."""

    def __init__(self, space: Space, seed: int) -> None:
        self._space = space
        self._seed = seed

    def __getstate__(self) -> dict[str, Any]:
        return {"_space": self._space, "_seed": self._seed}

    @cached_property
    def _draws(self) -> _Draws:
        return _Draws(self._space)

    def run(self, number: int, size: int) -> Sweep:
        rows = self._follow(number, size)
        order = np.argsort(rows.state["row"])
        return Sweep(
            costs={name: rows.state[name][order] for name in COSTS},
            rows=rows.state["row"][order],
            drawn=size,
            problems=dict(self._draws.problems),
            decisions=sum(int((made >= 0).sum()) for made in self._draws.made.values()),
            seed=self._seed,
        )

    def decisions(self, number: int, size: int, rows: list[int]) -> list[Decisions]:
        self._follow(number, size)
        return [self._draws.decisions(row) for row in rows]

    def _follow(self, number: int, size: int) -> Rows:
        self._draws.begin(np.random.default_rng([self._seed, number]), size)
        start = self._draws.start(size)
        return self._draws.follow(start.having(row=np.arange(size)))


class _Draws(Course):
    """Each row draws its decisions at random."""

    def __init__(self, space: Space) -> None:
        super().__init__(space.template, space.input, space.classes)
        self._chances: dict[str, Array | None] = {}
        self._choices: dict[str, Choice] = {}

    def begin(self, rng: np.random.Generator, size: int) -> None:
        """Forget the draws before."""
        self._rng = rng
        self._size = size
        self.made: dict[str, Array] = {}
        self.problems: Counter[str] = Counter()

    def decisions(self, row: int) -> dict[str, Scalar]:
        """What a row decided."""
        return {
            name: self._options.of(self._choices[name])[column[row]]
            for name, column in self.made.items()
            if column[row] >= 0
        }

    def decide(self, rows: Rows, name: str, hole: Hole) -> Rows:
        at = rows.state["row"]
        made = self.made.get(name)
        if made is None:
            made = self.made[name] = np.full(self._size, -1, np.int32)
            self._choices.setdefault(name, hole.choice)
        open_ = at[made[at] < 0]
        if len(open_):
            made[open_] = self._draw(name, hole.choice, len(open_))
        return rows

    def _draw(self, name: str, choice: Choice, count: int) -> Array:
        options = len(self._options.of(choice))
        if not getattr(choice, "log", False):
            return self._rng.integers(options, size=count)
        edges = np.cumsum(chances(choice, options))
        return np.minimum(np.searchsorted(edges, self._rng.random(count)), options - 1)

    def column(self, rows: Rows, name: str) -> Array:
        made = self.made.get(name)
        at = rows.state["row"]
        return np.full(len(at), -1, np.int32) if made is None else made[at]

    def refused(self, rows: Rows, refusal: InvalidDesign) -> None:
        self.problems[reason(str(refusal))] += len(rows)
