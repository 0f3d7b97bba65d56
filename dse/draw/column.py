"""The boxes of the main column: one per block, long runs of equal blocks folded into one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dse.cost import Row, cost_by_block
from dse.draw.graphs import IMAGE
from dse.draw.inside import Anatomy, Inside, dissect, insides
from dse.draw.labels import note
from dse.ir import Scope
from dse.network import Network

if TYPE_CHECKING:
    import networkx as nx

LONGEST = 4
"""More equal blocks than this in a row are drawn as the first, a count of others, and the last."""


@dataclass(frozen=True, slots=True)
class Box:
    """The image, a block, or what is folded of a run of equal blocks.

    Attributes:
        names: of its blocks, in order.
        kind: of its blocks.
        note: their window and stride.
        output: the shape that they end with.
        params: trainable parameters of all of them.
        macs: multiply-adds of all of them.
        stage: whose blocks they are, or empty.
        repeats: whether the block before it in the stage is the same.
        inside: what they are inside; None where the kind says it all.
    """

    names: tuple[str, ...]
    kind: str
    note: str
    output: str
    params: int
    macs: int
    stage: str = ""
    repeats: bool = False
    inside: Inside | None = None

    @property
    def is_fold(self) -> bool:
        return len(self.names) > 1

    @property
    def name(self) -> str:
        first, last = self.names[0], self.names[-1]
        return f"{first} to {last}" if self.is_fold else first


def column(network: Network) -> tuple[nx.DiGraph, list[Inside]]:
    """The graph of boxes, each the `box` of a node by its name, and what is inside them.

    Raises:
        InvalidDesign: the blocks do not fit each other.
    """
    import networkx as nx

    anatomies = [dissect(scope) for scope in network.lower().body if isinstance(scope, Scope)]
    within = insides(anatomies)
    rows, sources = cost_by_block(network), network.sources()
    result = nx.DiGraph()
    result.add_node(IMAGE, box=Box((IMAGE,), "image", "", str(network.input), 0, 0))
    holders = {-1: IMAGE}
    for run in _runs(network, anatomies):
        for group in _groups(run):
            box = _box(rows[group.start : group.stop], anatomies[run.start], within[run.start])
            box = replace(box, repeats=group.start > run.start)
            result.add_node(box.name, box=box)
            for source in sources[group.start]:
                result.add_edge(holders[source], box.name)
            holders[group.stop - 1] = box.name
    return result, list(dict.fromkeys(inside for inside in within if inside is not None))


def _box(rows: Sequence[Row], anatomy: Anatomy, inside: Inside | None) -> Box:
    stage, dot, _ = rows[0].name.partition(".")
    return Box(
        names=tuple(row.name for row in rows),
        kind=rows[0].what,
        note=note(anatomy.scope),
        output=rows[-1].output,
        params=sum(row.cost.params for row in rows),
        macs=sum(row.cost.macs for row in rows),
        stage=stage if dot else "",
        inside=inside,
    )


def _runs(network: Network, anatomies: Sequence[Anatomy]) -> Iterator[range]:
    """Positions of equal blocks of a stage that follow each other and that nothing else reads."""
    nodes, sources = network.nodes, network.sources()
    readers = Counter(source for reads in sources for source in reads)
    start = 0
    for position in range(1, len(nodes) + 1):
        before = position - 1
        if (
            position < len(nodes)
            and "." in nodes[position].name
            and nodes[position].name.partition(".")[0] == nodes[before].name.partition(".")[0]
            and nodes[position].block == nodes[before].block
            and anatomies[position].structure == anatomies[before].structure
            and sources[position] == (before,)
            and readers[before] == 1
        ):
            continue
        yield range(start, position)
        start = position


def _groups(run: range) -> list[range]:
    """What of a run shares a box: all but the ends of a long one."""
    if len(run) <= LONGEST:
        return [range(position, position + 1) for position in run]
    return [run[:1], run[1:-1], run[-1:]]
