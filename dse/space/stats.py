"""What random designs of a space cost, and how many of them can be built or fit a budget."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from dse.cost import Budget, Cost
from dse.errors import InvalidDesign

if TYPE_CHECKING:
    from dse.space.space import Space

QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
METRICS = ("params", "macs", "peak_activation_bytes")


@dataclass(frozen=True, slots=True)
class Stats:
    """A random sample of a space.

    Attributes:
        samples: designs drawn.
        valid: the share that can be built.
        feasible: the share that can be built and fits the budget; equals `valid` without one.
        quantiles: for each metric its quantiles over the designs that can be built, by share: 0.5
            is the median.
        decisions: the mean number of decisions of a design.
        problems: why the others cannot be built, the most frequent reasons first, with their
            numbers.
    """

    samples: int
    valid: float
    feasible: float
    quantiles: dict[str, dict[float, int]]
    decisions: float
    problems: dict[str, int]

    def as_document(self) -> dict[str, Any]:
        """As JSON holds it."""
        return asdict(self)


def stats(space: Space, samples: int, seed: int, budget: Budget | None) -> Stats:
    """Draw designs and count their costs; a latency limit needs a device and is left aside here."""
    rng = random.Random(seed)
    costs: list[Cost] = []
    problems: dict[str, int] = {}
    feasible = asked = 0
    for _ in range(samples):
        decisions = space.sample(rng, valid=False)
        asked += len(decisions)
        try:
            spent = space.cost(decisions)
        except InvalidDesign as error:
            reason = _reason(str(error))
            problems[reason] = problems.get(reason, 0) + 1
            continue
        costs.append(spent)
        feasible += budget is None or budget.admits(spent)
    return Stats(
        samples=samples,
        valid=len(costs) / max(samples, 1),
        feasible=feasible / max(samples, 1),
        quantiles={name: _quantiles([getattr(c, name) for c in costs]) for name in METRICS},
        decisions=asked / max(samples, 1),
        problems=dict(sorted(problems.items(), key=lambda entry: -entry[1])),
    )


def _quantiles(values: Sequence[int]) -> dict[float, int]:
    ordered = sorted(values)
    if not ordered:
        return {}
    return {share: ordered[round(share * (len(ordered) - 1))] for share in QUANTILES}


def _reason(message: str) -> str:
    """The rule of an error, without the place before it and the values after it."""
    return message.rpartition(": ")[2].partition(", got")[0]
