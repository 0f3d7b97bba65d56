"""Where most of a design's cost lies, and the decision that is there."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dse.cost import Cost
from dse.errors import InvalidDesign
from dse.space.agenda import Agenda, item_holes
from dse.space.choices import Scalar
from dse.space.economy import ends
from dse.space.least import PEAK
from dse.space.template import BlockItem, ChoiceItem

if TYPE_CHECKING:
    from dse.space.space import Decisions, Space


@dataclass(frozen=True, slots=True)
class Bottleneck:
    """The block that takes most of a cost.

    Attributes:
        metric: the cost.
        block: the block's name.
        value: its share of the cost; of memory, all that is alive in it.
        decision: one that changes the cost there; None if none does.
        option: what it is.
    """

    metric: str
    block: str
    value: float
    decision: str | None
    option: Scalar | None

    def __str__(self) -> str:
        if self.metric == PEAK:
            where = f"which is reached in {self.block!r}"
        else:
            where = f"of which {written(self.metric, self.value)} are in {self.block!r}"
        if self.decision is None:
            return f"{where}, which no decision makes smaller"
        return f"{where}, where the decision {self.decision} is at its cheapest, {self.option}"


def find_bottleneck(space: Space, decisions: Mapping[str, Scalar], metric: str) -> Bottleneck:
    """Where most of the cost of a design lies.

    Raises:
        InvalidDesign: the decisions are no design of the space.
    """
    block, cost, names = max(
        _blocks(space, decisions), key=lambda entry: float(getattr(entry[1], metric) or 0)
    )
    whole = float(getattr(space.cost(decisions), metric))
    decision = next(
        (name for name in names if _matters(space, dict(decisions), name, metric, whole)), None
    )
    option = None if decision is None else decisions[decision]
    return Bottleneck(metric, block, float(getattr(cost, metric) or 0), decision, option)


def written(metric: str, value: float) -> str:
    """A value of a metric as a sentence holds it."""
    return f"{value:.4g}" if metric == "latency_ms" else f"{value:,.0f}"


def _blocks(
    space: Space, decisions: Mapping[str, Scalar]
) -> Iterator[tuple[str, Cost, tuple[str, ...]]]:
    """Each block of a design, its cost, and the decisions that it hangs on: the choices that it was
    chosen in, its own, and those of the design's width and depth.
    """
    steps = space.steps
    at, known = steps.start, dict[str, Scalar]()
    general: list[str] = []
    within: list[tuple[Agenda | None, str]] = []
    while at.alpha is None or at.agenda is not None:
        while within and within[-1][0] is at.agenda:
            within.pop()
        before = len(known)
        asked = steps.open(at, known)
        while asked is not None:
            known[asked[0]] = decisions[asked[0]]
            asked = steps.open(at, known)
        after, cost = steps.advance(at, known)
        item = None if at.alpha is None or at.agenda is None else at.agenda.item
        if isinstance(item, BlockItem):
            assert at.agenda is not None
            scope = at.agenda.scope
            own = [n for hole, _ in item_holes(item, scope) if (n := hole.name(scope)) in known]
            chosen = [name for _, name in reversed(within)]
            yield scope.nodes + item.name, cost, tuple(dict.fromkeys([*chosen, *own, *general]))
        elif isinstance(item, ChoiceItem):
            assert at.agenda is not None
            within.append((at.agenda.rest, item.hole.name(at.agenda.scope)))
        else:
            general += list(known)[before:]
        at = after


def _matters(space: Space, decisions: Decisions, name: str, metric: str, whole: float) -> bool:
    """Whether some other option of a decision, all else as far as possible alike, costs more."""
    for option in ends(space.choices()[name]):
        changed = space.complete({**decisions, name: option}, random.Random(0))
        try:
            if float(getattr(space.cost(changed), metric)) != whole:
                return True
        except InvalidDesign:
            continue
    return False
