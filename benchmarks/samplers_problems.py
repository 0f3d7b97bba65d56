"""What samplers are tried on: a domain, what its points are worth, and how well a search did."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from optuna._hypervolume import compute_hypervolume

from benchmarks.tables import Mnasnet
from benchmarks.tables_cells import CellsDomain, cells_landscape
from benchmarks.tables_made import Accuracy, StagesDomain, landscape
from dse.cost import Budget
from dse.search.domain import Decisions, Domain
from dse.search.feasible import FeasibleSpace
from dse.space import Scalar, load_space

Values = tuple[float, ...]


@dataclass(frozen=True)
class Spent:
    """One trial of a search: the point, what was told of it, and whether it fits."""

    decisions: Decisions
    values: Values
    fits: bool = True


@dataclass(frozen=True)
class Problem:
    """A search.

    Attributes:
        name: what it is.
        domain: what fits.
        open: the same without the limit.
        over: by how much a point of `open` exceeds the limit; at most 0 if it fits.
        objectives: their names; the first is maximised, another one is a cost to be minimised.
        true: the first objective, noise apart.
        noise: its deviation between two evaluations.
        loss: of the (true value, cost) pairs of the best found, how far they are from the best.
        trials: how long it runs.
        draws: points among which the largest are looked for.
    """

    name: str
    domain: Domain
    open: Domain
    over: Callable[[Mapping[str, Scalar]], float]
    objectives: tuple[str, ...]
    true: Callable[[Mapping[str, Scalar]], float]
    loss: Callable[[np.ndarray], float]
    noise: float = 0.0
    trials: int = 60
    draws: int = 2_000

    @property
    def directions(self) -> list[str]:
        return ["maximize", "minimize"][: len(self.objectives)]

    def evaluate(self, point: Mapping[str, Scalar], rng: np.random.Generator) -> Values:
        """What a trial is told."""
        value = self.true(point) + self.noise * rng.normal()
        return (value, *(self.open.costs(point)[name] for name in self.objectives[1:]))

    def curve(self, spent: Sequence[Spent]) -> np.ndarray:
        """The loss after each trial: for one objective of the point that looks best so far, for
        two of all so far. Infinite as long as nothing fits.
        """
        losses: list[float] = []
        best: tuple[float, float] | None = None
        pairs: list[tuple[float, float]] = []
        for trial in spent:
            if trial.fits:
                cost = trial.values[1] if len(self.objectives) > 1 else 0.0
                if len(self.objectives) > 1:
                    pairs.append((self.true(trial.decisions), cost))
                elif best is None or trial.values[0] > best[0]:
                    best = trial.values[0], self.true(trial.decisions)
                    pairs = [(best[1], 0.0)]
                else:
                    losses.append(losses[-1])
                    continue
                losses.append(self.loss(np.array(pairs)))
            else:
                losses.append(losses[-1] if losses else float("inf"))
        return np.array(losses)


@cache
def _mnasnet() -> Mnasnet:
    return Mnasnet()


def on_mnasnet(column: str, limit: float) -> Problem:
    """The highest accuracy among measured designs within a limit, of throughput a lower one."""
    table = _mnasnet()
    figures = table.column(column)
    sign = -1.0 if column.startswith("throughput") else 1.0
    fits = np.isfinite(figures) & (sign * figures <= sign * limit)
    accuracy = table.column("val_top1")
    domain, everything = table.under(fits), table.under(np.isfinite(figures))
    best = accuracy[fits].max()
    return Problem(
        name=f"MnasNet, {column} {'>=' if sign < 0 else '<='} {limit:g}, {fits.sum():,} fit",
        domain=domain,
        open=everything,
        over=lambda point: float(sign * (figures[everything.number(point)] - limit) / limit),
        objectives=("accuracy",),
        true=lambda point: float(accuracy[everything.number(point)]),
        loss=lambda pairs: float(best - pairs[-1, 0]),
    )


def on_cells(*, seed: int, noise: float, front: bool = False) -> Problem:
    """A made-up accuracy of cells with six edges, within a limit of MACs."""
    domain = CellsDomain(2e7)
    problem = _under_macs(
        f"cells, noise {noise:g}",
        domain,
        CellsDomain(float("inf")),
        2e7,
        true=cells_landscape(domain, seed),
        noise=noise,
    )
    return _as_front(problem, 300, seed) if front else problem


def mnasnet_front(limit: float) -> Problem:
    """The front of accuracy against MACs among measured designs within a limit."""
    table = _mnasnet()
    macs, accuracy = table.costs["macs"], table.column("val_top1")
    fits = macs <= limit
    domain, everything = table.under(fits), table.under(macs > 0)
    loss = _lost_volume(np.stack([accuracy[fits], macs[fits]], axis=1))
    return Problem(
        name=f"MnasNet, accuracy and MACs <= {limit / 1e6:.0f}M, {fits.sum():,} fit",
        domain=domain,
        open=everything,
        over=lambda point: everything.costs(point)["macs"] / limit - 1,
        objectives=("accuracy", "macs"),
        true=lambda point: float(accuracy[everything.number(point)]),
        loss=loss,
    )


def on_stages(kind: str, limit: float, *, seed: int, noise: float, front: bool = False) -> Problem:
    """A made-up accuracy, another one for each seed; losses have no lower bound: 0 is an average
    design, in deviations among those that fit.
    """
    domain = StagesDomain(limit)
    problem = _under_macs(
        f"stages, {kind}, noise {noise:g}, MACs <= {limit / 1e6:.0f}M",
        domain,
        StagesDomain(float("inf")),
        limit,
        true=landscape(kind, domain, seed),
        noise=noise,
    )
    return _as_front(problem, 200, seed) if front else problem


def on_space(name: str, params: float, *, seed: int, noise: float, kind: str = "mixed") -> Problem:
    """A made-up accuracy of the designs of one of our own spaces, within a limit of parameters."""
    space = load_space(name)
    domain = FeasibleSpace(space, Budget(params=params))
    true = landscape(kind, domain, seed)
    return Problem(
        name=f"space {name}, {kind}, noise {noise:g}, parameters <= {params:g}",
        domain=domain,
        open=FeasibleSpace(space, Budget()),
        over=lambda point: domain.costs(point)["params"] / params - 1,
        objectives=("accuracy",),
        true=true,
        loss=lambda pairs: -float(pairs[-1, 0]),
        noise=noise,
        draws=200,
    )


def _under_macs(
    name: str, domain: Domain, open: Domain, limit: float, *, true: Accuracy, noise: float
) -> Problem:
    return Problem(
        name=name,
        domain=domain,
        open=open,
        over=lambda point: domain.costs(point)["macs"] / limit - 1,
        objectives=("accuracy",),
        true=true,
        loss=lambda pairs: -float(pairs[-1, 0]),
        noise=noise,
    )


def _as_front(problem: Problem, count: int, seed: int) -> Problem:
    """The front of accuracy against MACs beside that of so many random points."""
    rng = random.Random(seed)
    points = [problem.domain.random(rng) for _ in range(count)]
    pairs = [(problem.true(point), problem.domain.costs(point)["macs"]) for point in points]
    return replace(
        problem,
        name=f"{problem.name}, and front of MACs",
        objectives=("accuracy", "macs"),
        loss=_lost_volume(np.array(pairs)),
    )


def _lost_volume(reference: np.ndarray) -> Callable[[np.ndarray], float]:
    """How much less hypervolume than the reference's, as a share of the box around it."""
    (low, least), (high, most) = reference.min(0), reference.max(0)
    corner = np.ones(2)

    def volume(pairs: np.ndarray) -> float:
        accuracy = (high - pairs[:, 0]) / (high - low)
        cost = (pairs[:, 1] - least) / (most - least)
        losses = np.stack([accuracy, cost], axis=1)
        inside = losses[(losses < 1).all(1)]
        return float(compute_hypervolume(inside, corner)) if len(inside) else 0.0

    whole = volume(reference)
    return lambda pairs: whole - volume(pairs)
