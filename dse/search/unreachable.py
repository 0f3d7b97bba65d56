"""Whether any design fits a budget, and what stands in the way if none does."""

from __future__ import annotations

import random
from contextlib import suppress
from typing import TYPE_CHECKING

from dse.errors import OverBudget
from dse.search.domain import Decisions, Exhausted
from dse.space.bottleneck import find_bottleneck, written
from dse.space.least import Least, Way

if TYPE_CHECKING:
    from dse.search.feasible import FeasibleSpace


def check_reachable(domain: FeasibleSpace) -> None:
    """See that some design fits.

    Raises:
        OverBudget: none does; says what the smallest costs, where most of that is and which
            decision is there.
    """
    with suppress(Exhausted):
        domain.random(random.Random(0))
        return
    limits = domain.budget.limits()
    for metric, limit in limits.items():
        value, decisions = domain.space.smallest(metric)
        if value > limit:
            raise OverBudget(
                f"{_none(domain, _at_most(metric, limit))}; the smallest{_found(domain)} has "
                f"{_over(domain, metric, value, limit, decisions)}"
            )
    if len(limits) > 1:
        _check_together(domain, limits)
    raise OverBudget(
        f"no design of the space {domain.space.name} was found that meets {domain.budget}"
    )


def _check_together(domain: FeasibleSpace, limits: dict[str, float]) -> None:
    # All metrics, memory among them, so that the way nearest to the limits is among those found.
    least = Least(domain.space, tuple(limits))
    bounds = tuple(limits.values())

    def excess(way: Way) -> list[float]:
        return [spent / limit for spent, limit in zip(way.spent, bounds, strict=True)]

    nearest = min(least.ways(least.steps.start, {}), key=lambda way: max(excess(way)))
    shares = excess(nearest)
    if max(shares) <= 1:
        return
    metric = tuple(limits)[shares.index(max(shares))]
    decisions = nearest.decisions()
    value = float(getattr(domain.space.cost(decisions), metric))
    wanted = " and ".join(_at_most(name, limit) for name, limit in limits.items())
    raise OverBudget(
        f"{_none(domain, wanted)} together, though each alone can be met; the design nearest to "
        f"that{_found(domain)} has {metric} = "
        f"{_over(domain, metric, value, limits[metric], decisions)}"
    )


def _at_most(metric: str, limit: float) -> str:
    return f"{metric} <= {written(metric, limit)}"


def _none(domain: FeasibleSpace, wanted: str) -> str:
    space = domain.space
    return (
        f"no design of the space {space.name} for {space.input} images and {space.classes} "
        f"classes has {wanted}"
    )


def _found(domain: FeasibleSpace) -> str:
    """Where not every design was looked at, the smallest is only the smallest found."""
    return "" if domain.space.economy.exact else " found"


def _over(
    domain: FeasibleSpace, metric: str, value: float, limit: float, decisions: Decisions
) -> str:
    place = find_bottleneck(domain.space, decisions, metric)
    return f"{written(metric, value)} ({written(metric, value - limit)} over), {place}"
